"""SciPy on Tensors: `from autotiny.scipy import special, linalg, stats, signal, integrate, optimize`.

SciPy's ufuncs take Tensors by NumPy's protocol, so `scipy.special.erf(t)` works with SciPy's own module; their rows are
entered when one of them first meets a Tensor, or this package is imported. SciPy's other functions turn their arguments
into plain arrays; the modules here have functions of the same names which record. On plain arrays they are SciPy's, and
so is every name that a module here does not define.
"""

from importlib import import_module
from typing import Any

from autotiny.scipy import bessel, polynomials, ufuncs

__all__ = ["bessel", "integrate", "linalg", "optimize", "polynomials", "signal", "special", "stats", "ufuncs"]

MIRRORED = ("integrate", "linalg", "optimize", "signal", "special", "stats")
"""SciPy's modules that have a mirror here."""


def __getattr__(name: str) -> Any:
    """Load the modules when they are first used."""
    if name in MIRRORED:
        return import_module(f"autotiny.scipy.{name}")
    raise AttributeError(f"module 'autotiny.scipy' has no attribute {name!r}")

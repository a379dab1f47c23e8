"""Other libraries, as they are met: SciPy, tables of pandas and polars, einops.

SciPy's rows are entered when one of its ufuncs meets a Tensor, and errors name its mirror. The package `autotiny.scipy`
stands above this one and is imported by its name, so that nothing here needs SciPy.
"""

import importlib
import sys
from numbers import Number
from types import FrameType, FunctionType
from typing import Any

import numpy as np

from autotiny.engine.values import NUMERIC
from autotiny.ops import OPS

ROWS = "autotiny.scipy"
HOMES = ("scipy.special", "scipy.special._ufuncs")
"""The modules that hold SciPy's ufuncs."""
TABLES = ("pandas", "polars")
introduced: list[type] = []
"""The class that einops knows Tensors by, once it is imported."""


def enters_rows_of_its_library(function: Any) -> bool:
    """Enter SciPy's rows if a function is a ufunc of SciPy's; whether the function has a row now."""
    if any(getattr(sys.modules.get(home), function.__name__, None) is function for home in HOMES):
        importlib.import_module(ROWS)
    return function in OPS


def is_table(value: Any) -> bool:
    """Whether a value is a data frame or a column of pandas or polars: a constant, whose labels are left out."""
    return hasattr(value, "__array__") and type(value).__module__.partition(".")[0] in TABLES


def columns_without_numbers(table: Any) -> list[str]:
    """Return the names of a data frame's columns that hold something else than numbers."""
    return [str(name) for name in getattr(table, "columns", ()) if not _holds_numbers(np.asarray(table[name]))]


def _holds_numbers(column: np.ndarray) -> bool:
    if column.dtype.kind != "O":
        return column.dtype.kind in NUMERIC
    return all(isinstance(value, Number) for value in column)


def is_sparse(value: Any) -> bool:
    """Whether a value is a sparse matrix or array of SciPy's."""
    return hasattr(value, "toarray") and type(value).__module__.startswith("scipy.sparse")


def product_with_sparse(a: Any, b: Any) -> Any:
    """Return a @ b, one of which is a sparse matrix."""
    return importlib.import_module(f"{ROWS}.sparse").product(a, b)


def sparse_product_asks(frame: FrameType) -> bool:
    """Whether a frame is a product of a sparse matrix that asks for an array; of no array, Python asks the other."""
    home = str(frame.f_globals.get("__name__"))
    return frame.f_code.co_name == "_matmul_dispatch" and home.startswith("scipy.sparse")


def function_of_scipy() -> tuple[str, str] | None:
    """Return the names of SciPy's function that runs, as a user called it, and of its mirror; None if it has none.

    >>> function_of_scipy()
    """
    frame: FrameType | None = sys._getframe(1)
    found = None
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("scipy."):
            found = _mirrored(frame) or found
        frame = frame.f_back
    return found


def _mirrored(frame: FrameType) -> tuple[str, str] | None:
    """Return the name of the function of SciPy that a frame runs, and that of its mirror."""
    home, name = str(frame.f_globals["__name__"]), frame.f_code.co_name
    decorated = frame.f_locals.get("f")
    if home.startswith("scipy._lib.") and isinstance(decorated, FunctionType):  # it has not begun to run
        home, name = decorated.__module__, decorated.__name__
    module = home.split(".")[1]
    owner = getattr(frame.f_locals.get("self"), "name", None)
    public = f"{owner}.{name}" if isinstance(owner, str) else name
    mirror = importlib.import_module(ROWS)
    if module not in mirror.MIRRORED:
        return None
    found = vars(importlib.import_module(f"{ROWS}.{module}")).get(public.partition(".")[0])
    if found is None or ("." in public and name not in dir(type(found))):
        return None
    return f"scipy.{module}.{public}", f"{ROWS}.{module}.{public}"


# ----- einops -----
def introduce_to_einops() -> None:
    """Define einops' back end for what is recorded, once einops is imported; it finds it when it meets a Tensor."""
    backends = sys.modules.get("einops._backends")
    if introduced or not hasattr(backends, "NumpyBackend"):
        return

    class RecordedBackend(backends.NumpyBackend):  # type: ignore[misc, name-defined]
        framework_name = "autotiny"

        def is_appropriate_type(self, value: Any) -> bool:
            return hasattr(type(value), "__autotiny_call__")

        def to_numpy(self, value: Any) -> Any:
            return value.data  # the value alone, as einops.asnumpy promises

        def is_float_type(self, value: Any) -> bool:
            return bool(np.issubdtype(value.dtype, np.inexact))

    introduced.append(RecordedBackend)

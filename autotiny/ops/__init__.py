"""The operations that can be recorded. Their rules are plain NumPy, in themed tables; no file here imports tensors or
graphs.
"""

from autotiny.ops import (
    activations,
    arranging,
    einsum,
    elementwise,
    floating,
    folding,
    grids,
    indexing,
    linalg,
    logarithms,
    losses,
    padding,
    polynomials,
    products,
    quantiles,
    reductions,
    selecting,
    sets,
    shaping,
    spectra,
    statistics,
    ufuncs,
)
from autotiny.ops.custom import operation
from autotiny.ops.plain import PLAIN
from autotiny.ops.stable_forms import stable_form
from autotiny.ops.table import COMPOSED, EXTENDED, OPS, Op

__all__ = [
    "COMPOSED",
    "EXTENDED",
    "OPS",
    "PLAIN",
    "Op",
    "activations",
    "arranging",
    "einsum",
    "elementwise",
    "floating",
    "folding",
    "grids",
    "indexing",
    "linalg",
    "logarithms",
    "losses",
    "operation",
    "padding",
    "polynomials",
    "products",
    "quantiles",
    "reductions",
    "selecting",
    "sets",
    "shaping",
    "spectra",
    "stable_form",
    "statistics",
    "ufuncs",
]

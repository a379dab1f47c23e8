"""The operations that can be recorded. Their rules are plain NumPy, in themed tables; no file here imports tensors or
graphs. Those that networks are made of are loaded with the package, the others by `load_tables`.
"""

from autotiny.ops import (
    activations,
    elementwise,
    folding,
    indexing,
    logarithms,
    losses,
    matmul,
    reductions,
    shaping,
    ufuncs,
)
from autotiny.ops.custom import operation
from autotiny.ops.loading import load_tables
from autotiny.ops.plain import PLAIN
from autotiny.ops.stable_forms import enter_forms, stable_form
from autotiny.ops.table import COMPOSED, EXTENDED, OPS, Op

enter_forms()

__all__ = [
    "COMPOSED",
    "EXTENDED",
    "OPS",
    "PLAIN",
    "Op",
    "activations",
    "elementwise",
    "folding",
    "indexing",
    "load_tables",
    "logarithms",
    "losses",
    "matmul",
    "operation",
    "reductions",
    "shaping",
    "stable_form",
    "ufuncs",
]

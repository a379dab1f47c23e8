"""The operations that can be recorded. Their rules are plain NumPy, in themed tables; no file here imports tensors or
graphs.
"""

from autotiny.ops import activations, einsum, elementwise, indexing, linalg, logarithms, losses, reductions, shaping
from autotiny.ops.custom import operation
from autotiny.ops.plain import PLAIN
from autotiny.ops.stable_forms import stable_form
from autotiny.ops.table import COMPOSED, OPS, Op

__all__ = [
    "COMPOSED",
    "OPS",
    "PLAIN",
    "Op",
    "activations",
    "einsum",
    "elementwise",
    "indexing",
    "linalg",
    "logarithms",
    "losses",
    "operation",
    "reductions",
    "shaping",
    "stable_form",
]

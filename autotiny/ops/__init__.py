"""What can be recorded. This folder knows nothing of tensors or graphs: its rules are plain NumPy, in themed tables."""

from autotiny.ops import activations, einsum, elementwise, indexing, linalg, reductions, shaping
from autotiny.ops.custom import operation
from autotiny.ops.plain import PLAIN
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
    "operation",
    "reductions",
    "shaping",
]

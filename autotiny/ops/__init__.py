"""The operations that can be recorded. Their rules are plain NumPy, in themed tables; no file here imports tensors or
graphs.
"""

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

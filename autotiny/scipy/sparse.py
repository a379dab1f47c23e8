"""Products with SciPy's sparse matrices, which are constants: S @ t and t @ S. They are never made dense."""

from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from autotiny.engine import messages
from autotiny.engine.call_site import caller_scope
from autotiny.ops.table import OPS, Array, own

PARTS = ("data", "indices", "indptr")


class SparseMatrix:
    """A sparse matrix as it was when it was used; a private copy, since a gradient needs it again."""

    __slots__ = ("__weakref__", "is_transposed", "matrix", "name", "other")

    def __init__(self, matrix: Any, name: str, is_transposed: bool = False) -> None:
        self.matrix, self.name, self.is_transposed = matrix, name, is_transposed
        self.other: SparseMatrix | None = None

    def __repr__(self) -> str:
        return f"{self.name}.T" if self.is_transposed else self.name

    @property
    def T(self) -> "SparseMatrix":  # noqa: N802 - NumPy's name
        """The transposed matrix."""
        if self.other is None:
            self.other = SparseMatrix(self.matrix.T.tocsr(), self.name, not self.is_transposed)
        return self.other


copies: WeakValueDictionary[int, SparseMatrix] = WeakValueDictionary()
"""The copies that recorded products hold, by the identity of the matrix: one copy, however often it is used."""


def copy_of(matrix: Any, name: str) -> SparseMatrix:
    """Return the copy of a sparse matrix: that of an earlier use, if the matrix is still the same."""
    rows = matrix.tocsr()
    known = copies.get(id(matrix))
    if known is None or not is_same(known.matrix, rows):
        known = copies[id(matrix)] = SparseMatrix(rows.copy(), name)
    return known


def is_same(a: Any, b: Any) -> bool:
    """Whether two sparse matrices by rows hold the same."""
    return a.shape == b.shape and all(np.array_equal(getattr(a, part), getattr(b, part)) for part in PARTS)


@own(
    lambda g, y, x, matrix=None: sparse_times(g, matrix=matrix.T),
    traits="mixes analytic linear",
    words="product with a sparse matrix: times its transpose",
)
def sparse_times(x: Array, matrix: Any = None) -> Array:
    """S x."""
    return matrix.matrix @ np.asarray(x)


@own(
    lambda g, y, x, matrix=None: times_sparse(g, matrix=matrix.T),
    traits="mixes analytic linear",
    words="product with a sparse matrix: times its transpose",
)
def times_sparse(x: Array, matrix: Any = None) -> Array:
    """x S."""
    return np.asarray(x) @ matrix.matrix


def product(a: Any, b: Any) -> Any:
    """Return a @ b, one of which is a sparse matrix and the other a Tensor."""
    first = hasattr(a, "toarray")
    x, matrix = (b, a) if first else (a, b)
    if not 1 <= x.ndim <= 2 or np.shape(a)[-1] != np.shape(b)[0]:
        raise messages.failure(OPS[np.matmul], (a, b), ValueError("expected a vector or a matrix of the right size"))
    kept = copy_of(matrix, messages.label(matrix, caller_scope()))
    return (sparse_times if first else times_sparse)(x, matrix=kept)

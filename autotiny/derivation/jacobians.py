"""Jacobians: dy/dx of a vector y, from vᵀ dy/dx, which is linear in v.

What is linear in v is a matrix: s * v is diag(s) v, a * sum(b * v) is (a bᵀ) v, and A v is A v. The matrix is collected
transposed, for v stands on its left. On paper a column is a vector, so arrays of shape (n, 1) count as vectors.
"""

import functools
import math
import operator
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from autotiny.algebra import Simplifier, Term, apply, constant, topological_order
from autotiny.algebra.chain_rule import bottlenecks, replaced
from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    Factor,
    addends,
    as_fraction,
    as_number,
    factors,
    fitted,
    is_reshape,
    is_sum,
    is_transpose,
    number,
    product,
)
from autotiny.algebra.term import plain
from autotiny.ops import OPS
from autotiny.ops.indexing import index

ONES = plain(np.ones_like)
"""The vector of ones that has a place in a formula, where a constant would be taken for the number 1."""

SOLVE, INDEX = OPS[np.linalg.solve], OPS[index.__wrapped__]  # type: ignore[attr-defined]

Matrix = Any
"""The matrix M of vᵀ M for a vector that is linear in v, the vector m of v · m for a number; None if it is unknown."""


def jacobian(pulled: Term, v: Term, y: Term, x: Term, simplifier: Simplifier) -> Term | None:
    """dy/dx from the formula of vᵀ dy/dx; None if that is not a sum of products of known form."""
    matrix = _Reader(v, {y.size: y, x.size: x}, simplifier).matrix(pulled)
    return None if matrix is None else _smallest(constant(matrix), simplifier)


def _smallest(term: Term, simplifier: Simplifier) -> Term:
    normal = simplifier.normal(term)
    steps = simplifier.reduce(normal)
    return steps[-1].after if steps else normal


class _Reader:
    """Reads the matrix off a term that is linear in v; ones are those of a vector of the same length."""

    def __init__(self, v: Term, like: Mapping[int, Term], simplifier: Simplifier) -> None:
        self.v, self.like, self.simplifier = v, like, simplifier

    def matrix(self, term: Term) -> Matrix:
        """The matrix of a vector, a column or a row, or of a number."""
        if term is self.v:
            return np.eye(term.size, dtype=term.dtype)
        if not is_vector(term):
            return None
        if not self.is_linear(term):
            return np.zeros((self.v.size, term.size)[: 1 + (term.size > 1)]) if number(term) == 0 else None
        entries = self.entries(term)
        if entries is not None:
            return entries
        inner = (bottlenecks(term, {self.v}) or [term])[-1]
        if inner is not term and inner.op is MATMUL and is_vector(inner):  # (diag(s) - s sᵀ) A
            outer = _Reader(inner, self.like, self.simplifier).matrix(term)
            if outer is not None:
                return _times(self.matrix(inner), outer)
        parts = addends(term)
        if len(parts) > 1:
            return _sum(self.product(c, factors(part), term.shape) for c, part in parts)
        if is_reshape(term) or is_transpose(term):
            return self.matrix(term.args[0])
        if term.op is MATMUL:
            return self.matrix_product(*term.args)
        if term.op is SOLVE:
            a, b = term.args
            return None if self.is_linear(a) else _times(self.matrix(b), np.linalg.inv(np.transpose(a)))
        if is_sum(term) and is_vector(term.args[0]):
            (x,) = term.args
            return self.matrix(x) if x.size == term.size else self.dot(ONE, [], x)
        coefficient, powers = factors(term)
        is_unknown = len(powers) == 1 and powers[0][0] is term
        return None if is_unknown else self.product(ONE, (coefficient, powers), term.shape)

    def entries(self, term: Term) -> Matrix:
        """The rows for v[0], v[1] ... stacked, where a term uses single entries of v; else None."""
        uses = [part for part in topological_order(term) if any(arg is self.v for arg in part.args)]
        if not uses or not all(part.op is INDEX and part.ndim == 0 for part in uses):
            return None
        places = {part: int(np.arange(self.v.size)[part.kwargs["key"]]) for part in uses}
        units = [{part: constant(float(i == place)) for part, place in places.items()} for i in range(self.v.size)]
        rows = [self.simplifier.normal(replaced(term, unit)) for unit in units]
        return np.stack([flat(row) if row.ndim else row for row in rows])

    def is_linear(self, term: Term) -> bool:
        """Whether v occurs in a term."""
        return self.v in set(topological_order(term))

    def product(self, c: Fraction, view: tuple[Fraction, list[Factor]], shape: tuple[int, ...]) -> Matrix:
        """The matrix of a product that is broadcast to a shape: a diagonal one times another, or an outer product."""
        split = self.split(view[1])
        if split is None:
            return None
        inner, others = split
        c *= view[0]
        if inner.size > 1 and any(x.size > 1 for x, _ in others) and len(parts := addends(inner)) > 1:
            views = [(k * c, factors(part)) for k, part in parts]  # diag(s) - s sᵀ
            return _sum(self.product(k * n, (ONE, [*others, *powers]), shape) for k, (n, powers) in views)
        matrix = self.matrix(inner)
        scalars, arrays = _by_size(c, others)
        if matrix is None or (inner.size == 1 and math.prod(shape) == 1):
            return None if matrix is None else _scaled(scalars, matrix)
        if inner.size > 1:
            return _scaled(scalars, matrix if number(arrays) == 1 else _times(matrix, np.diag(flat(arrays))))
        return self.outer(scalars, matrix, arrays if arrays.size > 1 else self.ones(math.prod(shape)))

    def split(self, powers: list[Factor]) -> tuple[Term, list[Factor]] | None:
        """The factor that is linear in v, and the others; None if there is no such factor, or more than one."""
        linear = [factor for factor in powers if self.is_linear(factor[0])]
        if len(linear) != 1 or linear[0][1] != 1:
            return None
        return linear[0][0], [factor for factor in powers if factor is not linear[0]]

    def outer(self, scale: Term, column: Any, row: Any) -> Matrix:
        """The outer product of two vectors times a number, which may simplify with either of them: x / r is g."""
        if row is None:
            return None
        column = _smallest(constant(_scaled(scale, column)), self.simplifier)
        scale, column = _by_size(*factors(column))
        row = _smallest(constant(_scaled(scale, flat(row))), self.simplifier)
        scale, row = _by_size(*factors(row))
        return _scaled(scale, np.reshape(column, (-1, 1)) * row)

    def ones(self, n: int) -> Matrix:
        """The vector of n ones; None if the run has no vector of that length."""
        return apply(ONES, (flat(self.like[n]),), {}) if n in self.like else None

    def dot(self, c: Fraction, weights: list[Factor], term: Term) -> Matrix:
        """The vector of the sum of all entries of a vector times weights."""
        parts = addends(term)
        if len(parts) > 1:
            return _sum(self.dot(c * k, weights, fitted(part, term.shape)) for k, part in parts)
        coefficient, powers = factors(term)
        split = self.split([*powers, *weights])
        matrix = None if split is None else self.matrix(split[0])
        if split is None or matrix is None:
            return None
        inner, (scalars, arrays) = split[0], _by_size(c * coefficient, split[1])
        if inner.size == 1:
            return _scaled(scalars, matrix * (np.sum(arrays) if arrays.size > 1 else term.size))
        if arrays.size > 1:
            return _scaled(scalars, _times(matrix, flat(arrays)))
        of_one = self.ones(inner.size) if _is_identity(matrix) else np.sum(np.transpose(matrix), axis=0)
        return None if of_one is None else _scaled(scalars, of_one)

    def matrix_product(self, a: Term, b: Term) -> Matrix:
        """The matrix of a b, of which one factor is linear in v."""
        if self.is_linear(a) == self.is_linear(b) or a.ndim > 2 or b.ndim > 2:
            return None
        pair: tuple[Any, Any] = (a, b) if self.is_linear(a) else (b, np.transpose(a))
        inner, other = pair
        if is_vector(other) and inner.size != other.size:
            return None  # an outer product
        matrix = self.matrix(inner) if is_vector(inner) else None
        return None if matrix is None else _times(matrix, flat(other) if is_vector(other) else other)


def is_vector(term: Term) -> bool:
    """Whether a term is a number or a vector, also as a column or a row of a matrix."""
    return term.ndim < 2 or (term.ndim == 2 and 1 in term.shape)


def flat(term: Any) -> Any:
    """Return a vector for a column or a row."""
    return fitted(term, (term.size,))


def _by_size(c: Fraction, powers: list[Factor]) -> tuple[Term, Term]:
    """Split a product into the numbers among its factors and the arrays."""
    numbers = [(fitted(x, ()), p) for x, p in powers if x.size == 1]
    arrays = [(x, p) for x, p in powers if x.size > 1]
    return product(c, numbers, ()), product(ONE, arrays, np.broadcast_shapes(*(x.shape for x, _ in arrays)))


def _scaled(scale: Term, matrix: Matrix) -> Matrix:
    """Return a number times a matrix."""
    n = number(scale)
    return None if matrix is None else matrix if n == 1 else (scale if n is None else as_number(n)) * matrix


def _sum(matrices: Iterable[Matrix]) -> Matrix:
    parts = list(matrices)
    return None if any(part is None for part in parts) else functools.reduce(operator.add, parts)


def _times(matrix: Matrix, other: Matrix) -> Matrix:
    """Return a matrix product, with numbers outside, and without the identity."""
    if matrix is None or other is None:
        return None
    (c, a), (d, b) = (_number_and_rest(constant(part)) for part in (matrix, other))
    rest = b if _is_identity(a) else a if _is_identity(b) else a @ b
    return _scaled(constant(as_number(c * d)), rest)


def _number_and_rest(matrix: Term) -> tuple[Fraction, Any]:
    if matrix.is_constant and matrix.ndim == 2 and matrix.value[0, 0] and not _is_identity(matrix.value):
        unit = matrix.value / matrix.value[0, 0]
        return (as_fraction(float(matrix.value[0, 0])), unit) if _is_identity(unit) else (ONE, matrix)
    coefficient, powers = factors(matrix)
    return (coefficient, product(ONE, powers, matrix.shape)) if powers else (ONE, matrix)


def _is_identity(matrix: Matrix) -> bool:
    value = matrix.value if isinstance(matrix, Term) and matrix.is_constant else matrix
    return isinstance(value, np.ndarray) and value.ndim == 2 and np.array_equal(value, np.eye(*value.shape))

"""Jacobians: dy/dx of a vector y, from vᵀ dy/dx, which is linear in v.

What is linear in v is a matrix: s * v is diag(s) v, a * sum(b * v) is (a bᵀ) v, and A v is A v. The matrix is collected
transposed, for v stands on its left. On paper a column is a vector, so arrays of shape (n, 1) count as vectors.
"""

import functools
import math
import operator
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from autotiny.algebra import Simplifier, Term, apply, constant, topological_order
from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    Factor,
    addends,
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

ONES = plain(np.ones_like)
"""The vector of ones that has a place in a formula, where a constant would be taken for the number 1."""

Matrix = Any
"""The matrix M of vᵀ M for a vector that is linear in v, the vector m of v · m for a number; None if it is unknown."""


def jacobian(pulled: Term, v: Term, y: Term, x: Term, simplifier: Simplifier) -> Term | None:
    """dy/dx from the formula of vᵀ dy/dx; None if that is not a sum of products of known form."""
    matrix = _Reader(v, {y.size: y, x.size: x}).matrix(pulled)
    if matrix is None:
        return None
    normal = simplifier.normal(constant(matrix))
    steps = simplifier.reduce(normal)
    return steps[-1].after if steps else normal


class _Reader:
    """Reads the matrix off a term that is linear in v; ones are those of a vector of the same length."""

    def __init__(self, v: Term, like: dict[int, Term]) -> None:
        self.v, self.like = v, like

    def matrix(self, term: Term) -> Matrix:
        """The matrix of a vector, a column or a row, or of a number."""
        if term is self.v:
            return np.eye(term.size, dtype=term.dtype)
        if not self.is_linear(term):
            return np.zeros((self.v.size, term.size)[: 1 + (term.size > 1)]) if number(term) == 0 else None
        if not is_vector(term):
            return None
        parts = addends(term)
        if len(parts) > 1:
            return _sum(self.product(c, factors(part), term.shape) for c, part in parts)
        if is_reshape(term) or is_transpose(term):
            return self.matrix(term.args[0])
        if term.op is MATMUL:
            return self.matrix_product(*term.args)
        if is_sum(term) and is_vector(term.args[0]):
            return self.dot(ONE, [], term.args[0])
        coefficient, powers = factors(term)
        is_unknown = len(powers) == 1 and powers[0][0] is term
        return None if is_unknown else self.product(ONE, (coefficient, powers), term.shape)

    def is_linear(self, term: Term) -> bool:
        """Whether v occurs in a term."""
        return self.v in set(topological_order(term))

    def product(self, c: Fraction, view: tuple[Fraction, list[Factor]], shape: tuple[int, ...]) -> Matrix:
        """The matrix of a product that is broadcast to a shape: a diagonal one times another, or an outer product."""
        split = self.split(view[1])
        if split is None:
            return None
        inner, others = split
        rest = product(c * view[0], others, np.broadcast_shapes(*(x.shape for x, _ in others)))
        if inner.size > 1 and rest.size > 1 and len(parts := addends(inner)) > 1:  # diag(s) - s sᵀ
            views = [(k * c * view[0], factors(part)) for k, part in parts]
            return _sum(self.product(k * n, (ONE, [*others, *powers]), shape) for k, (n, powers) in views)
        matrix = self.matrix(inner)
        if matrix is None:
            return None
        if inner.size > 1 and rest.size > 1:
            return _then(matrix, np.diag(flat(rest)))
        if inner.size > 1 or math.prod(shape) == 1:
            return matrix if number(rest) == 1 else _scalar(rest) * matrix
        row = flat(rest) if rest.size > 1 else self.ones(math.prod(shape), _scalar(rest))
        return None if row is None else np.reshape(matrix, (-1, 1)) * row

    def split(self, powers: list[Factor]) -> tuple[Term, list[Factor]] | None:
        """The factor that is linear in v, and the others; None if there is no such factor, or more than one."""
        linear = [factor for factor in powers if self.is_linear(factor[0])]
        if len(linear) != 1 or linear[0][1] != 1:
            return None
        return linear[0][0], [factor for factor in powers if factor is not linear[0]]

    def ones(self, n: int, scale: Any) -> Matrix:
        """The vector of n equal numbers; None if the run has no vector of that length."""
        return scale * apply(ONES, (flat(self.like[n]),), {}) if n in self.like else None

    def dot(self, c: Fraction, weights: list[Factor], term: Term) -> Matrix:
        """The vector of the sum of all entries of a vector times weights."""
        parts = addends(term)
        if len(parts) > 1:
            return _sum(self.dot(c * k, weights, fitted(part, term.shape)) for k, part in parts)
        coefficient, powers = factors(term)
        split = self.split([*powers, *weights])
        if split is None:
            return None
        inner, others = split
        rest = product(c * coefficient, others, np.broadcast_shapes(*(x.shape for x, _ in others)))
        matrix = self.matrix(inner)
        if matrix is None:
            return None
        if inner.size == 1:
            return matrix * (np.sum(rest) if rest.size == term.size else term.size * rest)
        if rest.size > 1:
            return _then(matrix, flat(rest))
        return self.ones(inner.size, _scalar(rest)) if _is_identity(matrix) else _scalar(rest) * np.sum(matrix, axis=1)

    def matrix_product(self, a: Term, b: Term) -> Matrix:
        """The matrix of a b, of which one factor is linear in v."""
        if self.is_linear(a) == self.is_linear(b) or a.ndim > 2 or b.ndim > 2:
            return None
        pair: tuple[Any, Any] = (a, b) if self.is_linear(a) else (b, np.transpose(a))
        inner, other = pair
        if is_vector(other) and inner.size != other.size:
            return None  # an outer product
        matrix = self.matrix(inner) if is_vector(inner) else None
        return None if matrix is None else _then(matrix, flat(other) if is_vector(other) else other)


def is_vector(term: Term) -> bool:
    """Whether a term is a number or a vector, also as a column or a row of a matrix."""
    return term.ndim < 2 or (term.ndim == 2 and 1 in term.shape)


def flat(term: Any) -> Any:
    """Return a vector for a column or a row."""
    return fitted(term, (term.size,))


def _scalar(term: Term) -> Any:
    n = number(term)
    return as_number(n) if n is not None else np.reshape(term, ()) if term.ndim else term


def _sum(matrices: Iterable[Matrix]) -> Matrix:
    parts = list(matrices)
    return None if any(part is None for part in parts) else functools.reduce(operator.add, parts)


def _then(matrix: Matrix, other: Matrix) -> Matrix:
    """Return a matrix product, without the identity on its left."""
    return other if _is_identity(matrix) else matrix @ other


def _is_identity(matrix: Matrix) -> bool:
    return isinstance(matrix, np.ndarray) and matrix.ndim == 2 and np.array_equal(matrix, np.eye(len(matrix)))

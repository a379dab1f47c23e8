"""The Jacobian of a vector as a formula: the chain rule gives vᵀ dy/dx for any v, and what is linear in v is a matrix.

s * v is diag(s) v        a * sum(b * v) is (a bᵀ) v        A v is A v
"""

import functools
import operator
from fractions import Fraction
from typing import Any

import numpy as np

from autotiny.algebra import Simplifier, Term, constant, topological_order
from autotiny.algebra.normal import MATMUL, Factor, addends, factors, fitted, op_of, product
from autotiny.algebra.rewrites import EXPANSIONS

is_sum, is_transpose = op_of(np.sum), op_of(np.transpose)
MULTIPLY_OUT = EXPANSIONS[0]


def jacobian(pulled: Term, v: Term, simplifier: Simplifier) -> Term | None:
    """dy/dx from its product vᵀ dy/dx as a formula; None where that is not a sum of products that are known."""
    found = jacobian_of(pulled, v)
    if found is None:
        found = jacobian_of(simplifier.apply(MULTIPLY_OUT, pulled), v)
    steps = [] if found is None else simplifier.reduce(simplifier.normal(constant(found)))
    return steps[-1].after if steps else None if found is None else simplifier.normal(constant(found))


def jacobian_of(pulled: Term, v: Term) -> Any:
    """The sum of the matrices of its addends."""
    parts = [_matrix(c, factors(part), v) for c, part in addends(pulled)]
    if not parts or any(part is None for part in parts):
        return None
    return functools.reduce(operator.add, parts)


def _matrix(c: Fraction, view: tuple[Fraction, list[Factor]], v: Term) -> Any:
    """The matrix Jᵀ of one product J v, transposed."""
    coefficient, found = view
    linear = [factor for factor in found if contains(factor[0], v)]
    if len(linear) != 1 or linear[0][1] != 1:
        return None
    (inner, _), others = linear[0], [factor for factor in found if factor is not linear[0]]
    rest = product(c * coefficient, others, np.broadcast_shapes(*(x.shape for x, _ in others)))
    if inner is v:
        return rest * np.eye(v.size) if rest.ndim == 0 else np.diag(fitted(rest, v.shape))
    if is_sum(inner):
        return _outer(rest, inner.args[0], v)
    if inner.op is MATMUL and inner.args[1].ndim == 1 and contains(inner.args[1], v):
        below = jacobian_of(inner.args[1], v)
        return None if below is None else below @ np.transpose(inner.args[0]) * rest
    return None


def contains(term: Term, v: Term) -> bool:
    """Whether v stands in a term."""
    return v in set(topological_order(term))


def _outer(a: Term, summed: Term, v: Term) -> Any:
    """b aᵀ for a sum(b * v)."""
    coefficient, found = factors(summed)
    if not any(x is v and p == 1 for x, p in found):
        return None
    others = [(x, p) for x, p in found if x is not v]
    b = fitted(product(coefficient, others, np.broadcast_shapes(*(x.shape for x, _ in others))), v.shape)
    return np.reshape(b, (-1, 1)) * a if a.ndim == 1 and not contains(b, v) else None

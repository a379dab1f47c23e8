"""The chain rule in formulas: gradients pulled back by the rules of the operations, and Jacobians read off them.

The Jacobian of a vector comes from vᵀ dy/dx for any v, for what is linear in v is a matrix: s * v is diag(s) v,
a * sum(b * v) is (a bᵀ) v, and A v is A v.
"""

import functools
import operator
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from autotiny.algebra import Simplifier, Term, constant, topological_order
from autotiny.algebra.normal import MATMUL, Factor, addends, factors, fitted, is_sum, product
from autotiny.algebra.normalise import conjugated
from autotiny.algebra.rewrites import EXPANSIONS
from autotiny.engine.broadcasting import repeated_axes
from autotiny.ops.table import is_complex

MULTIPLY_OUT = EXPANSIONS[0]


# ----- gradients -----
def pull(made: Term, output: Term, g: Any, wanted: Iterable[Term]) -> dict[Term, Term]:
    """dJ/dx for each wanted symbol x that an output is made of, from g = dJ/d(output).

    Of complex numbers they are dJ/dRe + i dJ/dIm; rules take and give the conjugates (`ops/table.py`).
    """
    order = topological_order(made)
    wanted = set(wanted)
    leading: set[Term] = set()
    for part in order:
        if part in wanted or not leading.isdisjoint(part.args):
            leading.add(part)
    grads: dict[Term, Any] = {
        made: constant(output.dtype.type(g.value)) if g.is_constant and g.ndim == 0 else conjugate(g)
    }
    for part in reversed(order):
        if part.op is None or part not in leading or part not in grads:
            continue
        for arg, rule in zip(part.args, part.op.rules, strict=False):
            if arg in leading and rule is not None:
                c = rule(grads[part], output if part is made else part, *part.args, **part.kwargs)
                c = unbroadcast(np.real(conjugated(c)) if is_complex(c) and not is_complex(arg) else c, arg.shape)
                grads[arg] = grads[arg] + c if arg in grads else c
    return {x: conjugate(constant(g)) for x, g in grads.items() if x in wanted}


def conjugate(g: Term) -> Term:
    """The conjugate of a complex gradient; a real one unchanged."""
    return conjugated(g) if is_complex(g) else g


def unbroadcast(c: Any, shape: tuple[int, ...]) -> Any:
    """A contribution in the shape of the operand: what broadcasting repeated is summed."""
    if np.shape(c) == shape:
        return c
    axes = repeated_axes(np.shape(c), shape)
    assert axes is not None
    c = np.sum(c, axis=axes, keepdims=True)
    return c if np.shape(c) == shape else np.reshape(c, shape)


# ----- Jacobians -----
def jacobian(pulled: Term, v: Term, simplifier: Simplifier) -> Term | None:
    """dy/dx from the formula of vᵀ dy/dx; None if that is not a sum of products of known form."""
    matrix = jacobian_of(pulled, v)
    if matrix is None:
        matrix = jacobian_of(simplifier.apply(MULTIPLY_OUT, pulled), v)
    if matrix is None:
        return None
    normal = simplifier.normal(constant(matrix))
    steps = simplifier.reduce(normal)
    return steps[-1].after if steps else normal


def jacobian_of(pulled: Term, v: Term) -> Any:
    """The sum of the matrices of the addends; None if one of them has none."""
    parts = [_matrix(c, factors(part), v) for c, part in addends(pulled)]
    if not parts or any(part is None for part in parts):
        return None
    return functools.reduce(operator.add, parts)


def _matrix(c: Fraction, view: tuple[Fraction, list[Factor]], v: Term) -> Any:
    """The matrix of one product that is linear in v."""
    coefficient, all_factors = view
    linear = [factor for factor in all_factors if contains(factor[0], v)]
    if len(linear) != 1 or linear[0][1] != 1:
        return None
    (inner, _), others = linear[0], [factor for factor in all_factors if factor is not linear[0]]
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
    """Whether v occurs in a term."""
    return v in set(topological_order(term))


def _outer(a: Term, summed: Term, v: Term) -> Any:
    """b aᵀ for a sum(b * v)."""
    coefficient, all_factors = factors(summed)
    if not any(x is v and p == 1 for x, p in all_factors):
        return None
    others = [(x, p) for x, p in all_factors if x is not v]
    b = fitted(product(coefficient, others, np.broadcast_shapes(*(x.shape for x, _ in others))), v.shape)
    return np.reshape(b, (-1, 1)) * a if a.ndim == 1 and not contains(b, v) else None

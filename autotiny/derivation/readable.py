"""The form in which a formula is shown: sums without keepdims wherever broadcasting gives the same result."""

from fractions import Fraction
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, topological_order
from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    PRODUCTS,
    SUMS,
    Factor,
    addends,
    factors,
    first_made,
    fitted,
    is_reshape,
    is_sum,
    is_transpose,
    product,
    total,
)
from autotiny.algebra.simplify import rebuilt
from autotiny.algebra.term import plain


def readable(term: Term) -> Term:
    """Return the formula as one would write it by hand."""
    done: dict[Term, Term] = {}
    for part in topological_order(term):
        done[part] = _plainer(rebuilt(part, tuple(done[arg] for arg in part.args)))
    return done[term]


def _plainer(term: Term) -> Term:
    if term.op in PRODUCTS:
        coefficient, powers = factors(term)
        if coefficient < 0:
            coefficient, powers = with_sign_inside(coefficient, powers)
        powers = with_intervals(powers)
        return _without_keepdims(product(coefficient, powers, term.shape, place))
    if term.op in SUMS:
        return _without_keepdims(_sum(term))
    if is_reshape(term) and is_sum(term.args[0]) and (plain := leading(term.args[0])).shape == term.shape:
        return plain
    return term


BELOW = {
    plain(np.less): np.less, plain(np.greater): np.less,
    plain(np.less_equal): np.less_equal, plain(np.greater_equal): np.less_equal,
}  # fmt: skip
"""Comparisons, and how they are written with the smaller side on the left."""


def with_intervals(powers: list[Factor]) -> list[Factor]:
    """Return factors with one mask, 1[a < x < b], in place of two, 1[x > a] and 1[x < b]."""
    for i, (first, _) in enumerate(powers):
        for j, (second, _) in enumerate(powers):
            if first.op in BELOW and second.op in BELOW and BELOW[first.op] is BELOW[second.op]:
                (a, x), (y, b) = from_below(first), from_below(second)
                if x is y:
                    others = [factor for k, factor in enumerate(powers) if k not in (i, j)]
                    below = BELOW[first.op]
                    return with_intervals([*others, (constant(np.logical_and(below(a, x), below(x, b))), ONE)])
    return powers


def from_below(comparison: Term) -> tuple[Term, ...]:
    """Return the operands of a comparison, the smaller one first."""
    assert comparison.op is not None
    return comparison.args if BELOW[comparison.op] is comparison.op.function else comparison.args[::-1]


def place(factor: Factor) -> tuple[int, bool, int]:
    """Return the sort key of a factor: matrix products, then other factors, then sums, then masks."""
    base, _ = factor
    rank = 0 if base.op is MATMUL else 2 if base.op in SUMS else 3 if base.dtype == bool else 1
    return rank, *first_made(factor)


def _sum(term: Term) -> Term:
    """Return a sum with the fewest signs; positive addends first, A before Aᵀ, matrix products before the rest."""
    parts = []
    for c, x in addends(term):
        k, powers = factors(x)
        k, powers = with_sign_inside(c * k, powers) if c * k < 0 else (c * k, powers)
        part = product(abs(k), powers, x.shape, place)
        transposed = any(map(is_transpose, (part, *part.args)))
        parts.append(
            (k > 0, transposed and part.op is not MATMUL, all(base.op is not MATMUL for base, _ in powers), part)
        )
    parts.sort(key=lambda part: (not part[0], *part[1:3]))
    (added, _, _, first), *rest = parts
    result: Any = first if added else -first
    for added, _, _, part in rest:
        result = result + part if added else result - part
    return fitted(result, term.shape)


def with_sign_inside(coefficient: Fraction, powers: list[Factor]) -> tuple[Fraction, list[Factor]]:
    """y - x for -(x - y), also where it is multiplied as a matrix."""
    for i, (base, power) in enumerate(powers):
        if power == 1 and (other := negated(base)) is not None:
            return -coefficient, [*powers[:i], (other, power), *powers[i + 1 :]]
    return coefficient, powers


def negated(term: Term) -> Term | None:
    """Return the negative of a term by removing a minus inside it; None if there is none to remove."""
    if term.op in SUMS:
        parts = addends(term)
        return _sum(total([(-c, x) for c, x in parts], term.shape)) if any(c < 0 for c, _ in parts) else None
    if term.op is MATMUL or is_transpose(term):
        for i, arg in enumerate(term.args):
            if (other := negated(arg)) is not None:
                return apply(term.op, (*term.args[:i], other, *term.args[i + 1 :]), term.kwargs)  # type: ignore[arg-type]
    return None


def _without_keepdims(term: Term) -> Term:
    """A sum over the first axes broadcasts as well without them."""
    for i, arg in enumerate(term.args):
        if is_sum(arg) and arg.kwargs.get("keepdims"):
            args = (*term.args[:i], leading(arg), *term.args[i + 1 :])
            try:
                plain = rebuilt(term, args)
            except ValueError:  # the shapes do not broadcast
                continue
            if plain.shape == term.shape and args[i].shape == arg.shape[arg.ndim - args[i].ndim :]:
                term = plain
    return term


def leading(term: Term) -> Term:
    """A sum without keepdims."""
    assert term.op is not None
    return apply(term.op, term.args, {name: value for name, value in term.kwargs.items() if name != "keepdims"})

"""Products of matrices and vectors in one order, however they were bracketed.

A chain is the list of the factors. One that ends in a vector is multiplied from the right, A (B x), any other from the
left, (A B) C. An outer product u vᵀ is a chain of a column and a row, so that A (u vᵀ) B is (A u) (Bᵀ v)ᵀ, and a row
times a column is a number, which moves out.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from autotiny.algebra.lines import column, flat, row, vector
from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    PRODUCTS,
    Factor,
    factors,
    first_made,
    is_reshape,
    is_transpose,
    number,
    product,
    remembered,
    reshaped,
)
from autotiny.algebra.term import Term, apply, constant
from autotiny.ops import OPS

TRANSPOSE = OPS[np.transpose]


class Chain(NamedTuple):
    """A product as numbers times matrices, in their order; vectors are matrices of one column or row."""

    coefficient: Fraction
    numbers: list[Factor]
    matrices: list[Term]


def outer_product(term: Term) -> Chain | None:
    """Return a product of numbers, columns and rows as a chain of one column and one row; None for another product."""
    if term.ndim != 2 or 1 in term.shape or term.op not in PRODUCTS:
        return None
    coefficient, powers = factors(term)
    groups: dict[str, list[Factor]] = {"number": [], "column": [], "row": [], "": []}
    for factor in powers:
        groups[_group(factor[0], term.shape)].append(factor)
    if groups[""] or not (groups["column"] and groups["row"]):
        return None
    vectors = [(vector(x, 1), power) for x, power in groups["column"]]
    if all(v is not None for v, _ in vectors):
        left = column(product(ONE, vectors, (term.shape[0],)))  # type: ignore[arg-type]
    else:
        left = product(ONE, groups["column"], (term.shape[0], 1))
    right = row(product(ONE, [(reshaped(x, (x.size,)), p) for x, p in groups["row"]], (term.shape[1],)))
    return Chain(coefficient, groups["number"], [left, right])


def _group(x: Term, shape: tuple[int, ...]) -> str:
    if x.ndim == 0:
        return "number"
    if x.shape == (shape[0], 1):
        return "column"
    return "row" if x.shape in ((shape[1],), (1, shape[1])) else ""


# ----- chains -----
def is_chain(term: Term) -> bool:
    """Whether a term is a product of matrices and vectors, none of them stacked."""
    return term.op is MATMUL and all(0 < arg.ndim <= 2 for arg in term.args)


def chain(term: Term) -> Chain:
    """Return the factors of a product; a number that stands for a product of vectors is outside."""
    left, right = (as_matrix(arg, axis) for axis, arg in enumerate(term.args))
    return together(_factors_of(left), _factors_of(right))


def as_matrix(x: Term, axis: int) -> Term:
    """Return a vector as a matrix of one row, where `axis` is 0, or of one column, where it is 1."""
    return x if x.ndim == 2 else column(x) if axis else row(x)


def together(a: Chain, b: Chain) -> Chain:
    """Return the chain of a product."""
    return Chain(a.coefficient * b.coefficient, a.numbers + b.numbers, a.matrices + b.matrices)


@remembered
def _factors_of(x: Term) -> Chain:
    """Return the factors of a matrix."""
    if is_chain(x):
        return chain(x)
    if (scale := multiple_of_identity(x)) is not None:
        return Chain(scale, [], [])
    if (outer := outer_product(x)) is not None:
        inner = together(*map(_factors_of, outer.matrices))
        return together(Chain(outer.coefficient, outer.numbers, []), inner)
    v = flat(x, sums=False) if 1 in x.shape else None
    if v is not None and x.shape[1] != 1:
        inner = _factors_of(column(v))
        return Chain(inner.coefficient, inner.numbers, turned(inner.matrices))
    if v is not None and is_chain(v):
        return chain(v)
    whole = x if v is None else v
    coefficient, powers = factors(whole)
    numbers = [factor for factor in powers if _is_dot(factor[0])]
    rest = [factor for factor in powers if not _is_dot(factor[0])]
    if (coefficient == 1 and not numbers) or not rest:
        return Chain(ONE, [], [x if v is None else column(v)])
    inner = _factors_of(reshaped(product(ONE, rest, whole.shape), x.shape))
    return together(Chain(coefficient, numbers, []), inner)


def _is_dot(x: Term) -> bool:
    return x.op is MATMUL and x.ndim == 0


def multiple_of_identity(x: Term) -> Fraction | None:
    """Return c of a constant c I other than I, which a row removes in a step of its own."""
    if not x.is_constant or x.ndim != 2 or x.shape[0] != x.shape[1] or not x.size:
        return None
    scale = number(constant(x.value[0, 0]))
    is_multiple = scale not in (None, 0) and np.array_equal(x.value, x.value[0, 0] * np.eye(len(x)))
    return scale if is_multiple and (scale != 1 or x.size == 1) else None


def turned(parts: Sequence[Term]) -> list[Term]:
    """Return the factors of the transposed product."""
    return [transposed(part) for part in reversed(parts)]


def transposed(x: Term) -> Term:
    """Return the transpose of a factor, whose own transpose is it."""
    if x.ndim < 2:
        return x
    if is_transpose(x):
        return x.args[0]
    if x.op is not None and x.op.function is np.linalg.inv:
        return apply(x.op, (transposed(x.args[0]),), {})
    if is_reshape(x) and 1 in x.shape:
        return reshaped(x, x.shape[::-1])
    if x.is_constant and np.array_equal(x.value, x.value.T):
        return x
    return apply(TRANSPOSE, (x,), {})


def in_one_order(term: Term) -> Term:
    """Return a product of matrices and vectors in the one order, with numbers and signs in front."""
    coefficient, numbers, matrices = chain(term)
    made = matrix_product(matrices or [constant(np.eye(len(term), dtype=term.dtype))], term.shape)
    if coefficient == 1 and not numbers:
        return made
    c, powers = factors(made)
    return product(coefficient * c, [*numbers, *powers], term.shape)


def matrix_product(parts: Sequence[Term], shape: tuple[int, ...]) -> Term:
    """Return the product of these factors in the one order; the first and the last may be vectors."""
    if len(parts) == 1:
        return reshaped(parts[0], shape)
    matrices = [as_matrix(parts[0], 0), *parts[1:-1], as_matrix(parts[-1], 1)]
    left, *inner = map(_segment, _segments(matrices))
    if not inner:
        return reshaped(left, shape)
    *middle, right = inner
    if vector(left, 1) is None and vector(right, 0) is None and (1, 1) not in (left.shape, right.shape):
        left = apply(MATMUL, (left, right), {})
    else:
        middle.append(right)
    views = [factors(_in_place(x, shape)) for x in (left, *middle)]
    powers = [factor for _, powers in views for factor in powers]
    return product(math.prod((c for c, _ in views), start=ONE), powers, shape)


def _in_place(x: Term, shape: tuple[int, ...]) -> Term:
    """Return a number as one, what has as many entries as the whole in its shape, a column or row as it is."""
    return reshaped(x, shape if x.size == math.prod(shape) else ()) if x.size in (1, math.prod(shape)) else x


def _segments(matrices: list[Term]) -> list[list[Term]]:
    """Return the factors between inner axes of length 1."""
    segments = [[matrices[0]]]
    for before, part in itertools.pairwise(matrices):
        if before.shape[1] == 1 and (before.shape[0] != 1 or part.shape[1] != 1):
            segments.append([part])
        else:
            segments[-1].append(part)
    return segments


def _segment(parts: list[Term]) -> Term:
    """Return the product of factors without inner axes of length 1: a matrix, a column, a row or a number."""
    if parts[0].shape[0] == parts[-1].shape[1] == 1 and len(parts) > 1 and _backwards(parts):
        parts = turned(parts)
    first, last = vector(parts[0], 0), vector(parts[-1], 1)
    if len(parts) == 1:
        return parts[0]
    if last is not None:
        result = functools.reduce(_times, reversed(parts[1:-1]), last)
        return _times(result, first) if first is not None else column(_times(result, parts[0]))
    if first is not None:
        return row(functools.reduce(_times, turned(parts[1:])[::-1], first))
    if parts[-1].shape[1] == 1:
        return functools.reduce(_times, reversed(parts))
    return functools.reduce(lambda a, b: _times(b, a), parts)


def _times(right: Term, left: Term) -> Term:
    return apply(MATMUL, (left, right), {})


def _backwards(parts: list[Term]) -> bool:
    """Whether xᵀ A y is written the other way round: the vector that was made first comes first, then A before Aᵀ."""
    ends = [_made(parts[0]), _made(parts[-1])]
    if ends[0] != ends[1]:
        return ends[0] > ends[1]
    there, back = ([is_transpose(part) for part in way[1:-1]] for way in (parts, turned(parts)))
    return (sum(there), there) > (sum(back), back)


def _made(x: Term) -> tuple[bool, int]:
    while is_reshape(x) or is_transpose(x):
        (x,) = x.args
    return first_made((x, ONE))


# ----- parts of chains, for matching -----
class Window(NamedTuple):
    """Some neighbouring factors as one term, and those on both sides."""

    before: list[Term]
    middle: Term
    after: list[Term]


@remembered
def splits(term: Term) -> list[tuple[Term, Term]]:
    """Return a product as a product of two, as it is, and if it is in the one order in every other way."""
    left, right = term.args
    parts = chain(term).matrices
    if len(parts) < 3 or in_one_order(term) is not term:
        return [(left, right)]
    others = [(joined(parts[:i]), joined(parts[i:])) for i in range(1, len(parts))]
    return [(left, right), *(two for two in others if two[0] is not left)]


@remembered
def windows(term: Term) -> list[Window]:
    """Return a product with two or more neighbouring factors taken together, in every way; the longest first."""
    parts = chain(term).matrices
    if in_one_order(term) is not term:
        return [Window([], term, [])]
    n = len(parts)
    places = [(i, i + length) for length in range(n - 1, 1, -1) for i in range(n - length + 1)]
    return [Window([], term, []), *(Window(parts[:i], joined(parts[i:j]), parts[j:]) for i, j in places)]


def joined(parts: Sequence[Term]) -> Term:
    """Return the product of neighbouring factors; a vector, where the first is a row or the last a column."""
    ends = [1] * (vector(parts[0], 0) is not None) + [2] * (vector(parts[-1], 1) is not None)
    shape = (() if 1 in ends else parts[0].shape[:1]) + (() if 2 in ends else parts[-1].shape[1:])
    return matrix_product(parts, shape)

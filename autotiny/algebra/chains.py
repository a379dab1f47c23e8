"""Products of matrices and vectors in one order, however they were bracketed.

A chain is the list of the factors. One that ends in a vector is multiplied from the right, A (B x), any other from the
left, (A B) C. An outer product u vᵀ is a chain of a column and a row, so that A (u vᵀ) B is (A u) (Bᵀ v)ᵀ, and a row
times a column is a number, which moves out.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    Factor,
    as_number,
    factors,
    first_made,
    is_reshape,
    is_transpose,
    product,
    remembered,
    reshaped,
)
from autotiny.algebra.term import Term, apply, constant
from autotiny.ops import OPS

TRANSPOSE = OPS[np.transpose]


class Split(NamedTuple):
    """An outer product: the numbers, the column and the row that it consists of."""

    numbers: list[Factor]
    column: Term
    row: Term


# ----- vectors as columns and rows -----
def column(v: Term) -> Term:
    """Return a vector as a matrix of one column."""
    return reshaped(v, (v.size, 1))


def row(v: Term) -> Term:
    """Return a vector as a matrix of one row."""
    return reshaped(v, (1, v.size))


def vector(term: Term, axis: int) -> Term | None:
    """Return the vector that is reshaped to a column, where `axis` is 1, or to a row, where it is 0."""
    if is_reshape(term) and term.ndim == 2 and term.shape[axis] == 1 and term.args[0].ndim == 1:
        return term.args[0]
    return None


def outer_product(term: Term) -> Split | None:
    """Return the parts of a product of numbers, columns and rows; None if it is another product."""
    if term.ndim != 2 or 1 in term.shape or term.op is None or term.op is MATMUL:
        return None
    coefficient, powers = factors(term)
    groups: dict[str, list[Factor]] = {"number": [], "column": [], "row": [], "": []}
    for factor in powers:
        groups[_group(factor[0], term.shape)].append(factor)
    if groups[""] or not (groups["column"] and groups["row"]):
        return None
    numbers = [*groups["number"], *([(constant(as_number(coefficient)), ONE)] if coefficient != 1 else [])]
    vectors = [(vector(x, 1), power) for x, power in groups["column"]]
    if all(v is not None for v, _ in vectors):
        left = column(product(ONE, vectors, (term.shape[0],)))  # type: ignore[arg-type]
    else:
        left = product(ONE, groups["column"], (term.shape[0], 1))
    right = row(product(ONE, [(reshaped(x, (x.size,)), p) for x, p in groups["row"]], (term.shape[1],)))
    return Split(numbers, left, right)


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


@remembered
def chain(term: Term) -> list[Term]:
    """Return the factors of a product; a vector that is not the last one is a row of its own."""
    if not is_chain(term):
        return [term]
    left, right = term.args
    return [*(turned(chain(left)) if left.ndim == 1 else chain(left)), *_right(right)]


def _right(right: Term) -> list[Term]:
    parts = chain(right)
    return turned(parts) if right.ndim == 1 and parts[-1].ndim == 2 else parts


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


def matrix_product(parts: Sequence[Term], shape: tuple[int, ...]) -> Term:
    """Return the product of these factors in the one order; the first and the last may be vectors."""
    if len(parts) == 1:
        return reshaped(parts[0], shape)
    numbers: list[Factor] = []
    matrices: list[Term] = []
    for part in parts:
        split = outer_product(part)
        if split is not None:
            matrices += [split.column, split.row]
            numbers += split.numbers
        else:
            matrices.append(part)
    if matrices[0].ndim == 1:
        matrices[0] = row(matrices[0])
    if matrices[-1].ndim == 1:
        matrices[-1] = column(matrices[-1])
    left, *inner = map(_segment, _segments(matrices))
    if inner:
        *middle, right = inner
        numbers += [(number, ONE) for number in middle]
        if vector(left, 1) is None and vector(right, 0) is None and (1, 1) not in (left.shape, right.shape):
            left = apply(MATMUL, (left, right), {})
        else:
            numbers.append((right, ONE))
    if not numbers:
        return reshaped(left, shape)
    axes = [(reshaped(x, shape) if x.size == math.prod(shape) else x, power) for x, power in [(left, ONE), *numbers]]
    return product(ONE, axes, shape)


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
    parts = chain(term)
    if len(parts) == 2 or joined(parts) is not term:
        return [(left, right)]
    others = [(joined(parts[:i]), joined(parts[i:])) for i in range(1, len(parts))]
    return [(left, right), *(two for two in others if two[0] is not left)]


@remembered
def windows(term: Term) -> list[Window]:
    """Return a product with two or more neighbouring factors taken together, in every way; the longest first."""
    parts = chain(term)
    n = len(parts)
    places = [(i, i + length) for length in range(n, 1, -1) for i in range(n - length + 1)]
    return [Window(parts[:i], joined(parts[i:j]), parts[j:]) for i, j in places]


def joined(parts: Sequence[Term]) -> Term:
    """Return the product of neighbouring factors."""
    if len(parts) == 1:
        return parts[0]
    first, last = parts[0], parts[-1]
    return matrix_product(parts, (*first.shape[: first.ndim - 1], *last.shape[1:]))

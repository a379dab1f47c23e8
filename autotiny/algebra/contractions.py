"""Sums of products over labelled axes, as np.einsum has them, written as products of matrices where they are."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra.normal import MATMUL, ONE, product
from autotiny.algebra.term import Term, apply
from autotiny.ops import OPS

SUM, TRANSPOSE, SWAPAXES, RESHAPE = OPS[np.sum], OPS[np.transpose], OPS[np.swapaxes], OPS[np.reshape]


class Labelled(NamedTuple):
    """An array with a label for each axis."""

    term: Term
    labels: str


def as_products(operands: Sequence[Labelled], output: str) -> Term | None:
    """Return Σ over the labels that the output lacks as matrix products, sums and products; None if it is another."""
    lengths = [(label, n) for x in operands for label, n in zip(x.labels, x.term.shape, strict=True)]
    if len(set(lengths)) > len(set(dict(lengths))):  # one of them is broadcast
        return None
    numbers = [(x.term, ONE) for x in operands if not x.labels]
    rest = [x for x in operands if x.labels]
    if not rest:
        return None
    while len(rest) > 1:
        pair = _next_pair(rest, output)
        if pair is None:
            return None
        i, j = pair
        others = [x for k, x in enumerate(rest) if k not in pair]
        needed = "".join([output, *(x.labels for x in others)])
        made = _product_of_two(rest[i], rest[j], needed, output if not others else "")
        if made is None:
            return None
        rest = [made, *others]
    result = in_order(summed(rest[0], output), output)
    return product(ONE, [*numbers, (result, ONE)], result.shape) if numbers else result


def _next_pair(rest: list[Labelled], output: str) -> tuple[int, int] | None:
    """Return the pair of operands that is multiplied next: one that shares a label that no other has, if there is."""
    pairs = [(i, j) for i in range(len(rest)) for j in range(i + 1, len(rest))]

    def rank(pair: tuple[int, int]) -> tuple[int, int]:
        i, j = pair
        others = "".join([output, *(x.labels for k, x in enumerate(rest) if k not in pair)])
        shared = set(rest[i].labels) & set(rest[j].labels)
        return -len(shared - set(others)), len(set(rest[i].labels + rest[j].labels) & set(others))

    return min(pairs, key=rank, default=None)


def _product_of_two(a: Labelled, b: Labelled, needed: str, output: str) -> Labelled | None:
    """Return the product of two operands, summed over the labels that are needed no more."""
    a, b = summed(a, needed + b.labels), summed(b, needed + a.labels)
    rows, columns = (_without(x.labels, other.labels) for x, other in ((a, b), (b, a)))
    stack = "".join(c for c in a.labels if c in b.labels and c in needed)
    along = "".join(c for c in a.labels if c in b.labels and c not in needed)
    if rows and columns and f"{columns}{rows}" in output:
        a, b, rows, columns = b, a, columns, rows
    if along and not stack and len(along) == 1 and len(rows + columns) == 1:
        matrix, vector = (a, b) if rows else (b, a)
        return Labelled(_matmul(in_order(matrix, rows + columns + along), vector.term), rows + columns)
    if not (rows and columns):
        whole, part = (b, a) if columns else (a, b)
        factors = [(aligned(part, whole.labels), ONE), (whole.term, ONE)]
        return summed(Labelled(product(ONE, factors, whole.term.shape), whole.labels), needed)
    if max(map(len, (rows, columns, along))) > 1 or not all(x.labels.startswith(stack) for x in (a, b)):
        return None
    if along:
        left, right = in_order(a, stack + rows + along), in_order(b, stack + along + columns)
        return Labelled(_matmul(left, right), stack + rows + columns)
    if stack:
        return None
    shape = (*a.term.shape, *b.term.shape)
    return Labelled(product(ONE, [(aligned(a, rows + columns), ONE), (b.term, ONE)], shape), rows + columns)


def _matmul(left: Term, right: Term) -> Term:
    return apply(MATMUL, (left, right), {})


def _without(labels: str, others: str) -> str:
    return "".join(label for label in labels if label not in others)


def summed(x: Labelled, needed: str) -> Labelled:
    """Return an operand summed over the labels that are not needed."""
    axes = [i for i, label in enumerate(x.labels) if label not in needed]
    if not axes:
        return x
    options = {"axis": axes[0] if len(axes) == 1 else tuple(axes)} if len(axes) < len(x.labels) else {}
    return Labelled(apply(SUM, (x.term,), options), "".join(c for c in x.labels if c in needed))


def in_order(x: Labelled, labels: str) -> Term:
    """Return an operand with its axes in another order."""
    axes = tuple(x.labels.index(label) for label in labels)
    n = len(axes)
    if axes == tuple(range(n)):
        return x.term
    if n == 2:
        return apply(TRANSPOSE, (x.term,), {})
    if axes == (*range(n - 2), n - 1, n - 2):
        return apply(SWAPAXES, (x.term,), {"axis1": -1, "axis2": -2})
    return apply(TRANSPOSE, (x.term,), {"axes": axes})


def aligned(x: Labelled, labels: str) -> Term:
    """Return an operand with the axes of these labels, of length 1 where it has none."""
    ordered = in_order(x, "".join(label for label in labels if label in x.labels))
    lengths = dict(zip(x.labels, x.term.shape, strict=True))
    shape = tuple(lengths.get(label, 1) for label in labels)
    return ordered if ordered.shape == shape else apply(RESHAPE, (ordered,), {"shape": shape})


# ----- sums of products over axes that broadcast -----
def long_axes(x: Any, ndim: int) -> list[int]:
    """Return the axes along which an array is not broadcast to so many axes."""
    return [i + ndim - np.ndim(x) for i, n in enumerate(np.shape(x)) if n > 1]


def is_contraction(a: Any, b: Any, axis: Any) -> bool:
    """Whether the sum of a b along an axis is a product of two matrices, or of a matrix and a vector."""
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    of_a, of_b = (long_axes(x, len(shape)) for x in (a, b))
    return (
        len(shape) > 2
        and [i for i in of_a if i in of_b] == [axis]
        and max(len(of_a), len(of_b)) == 2
        and {*of_a, *of_b} == set(long_axes(np.empty(shape), len(shape)))
    )


def contraction(a: Any, b: Any, axis: int) -> Any:
    """Return the sum of a b along an axis, with the axis kept, as a matrix product."""
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    (left, rows), (right, columns) = ((_with_axis_last(x, axis, len(shape))) for x in (a, b))
    if rows > columns:
        left, right = right, left
    result = left @ (np.transpose(right) if np.ndim(right) == 2 else right) if np.ndim(left) == 2 else right @ left
    return np.reshape(result, [1 if i == axis else n for i, n in enumerate(shape)])


def _with_axis_last(x: Any, axis: int, ndim: int) -> tuple[Any, int]:
    """Return an array without broadcast axes and the given one last, and its other axis, -1 if it has none."""
    axes = long_axes(x, ndim)
    matrix = np.reshape(x, [n for n in np.shape(x) if n > 1])
    others = [i for i in axes if i != axis]
    return (np.transpose(matrix) if axes[-1] != axis else matrix), others[0] if others else -1

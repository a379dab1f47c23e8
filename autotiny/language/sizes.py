"""Shapes and sizes of the language's values, and what follows from them alone."""

from typing import Any

import numpy as np

from autotiny.language.limits import Cost, product
from autotiny.ops.einsum import explicit

Value = Any
Shape = tuple[int, ...]


def shape_of(x: Value) -> Shape:
    """Lengths of the axes; a list counts as a vector of all its entries."""
    return (size_of(x),) if isinstance(x, list | tuple) else getattr(x, "shape", ())


def size_of(x: Value) -> int:
    """How many entries there are, in lists too."""
    return sum(map(size_of, x)) if isinstance(x, list | tuple) else product(shape_of(x))


def common_shape(*shapes: Shape) -> Shape:
    """The shape that they broadcast to; where they do not, for which the function has better words, one for all."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return (sum(map(product, shapes)),)


def even(entries: float) -> Cost:
    """A step for each entry of the result."""
    return Cost(entries, entries)


def entrywise(*args: Value, **options: Value) -> Cost:
    """A result of the arguments' common shape, or smaller."""
    return even(product(common_shape(*(shape_of(x) for x in (*args, *options.values())))))


def along(x: Value, axis: int | None) -> tuple[int, int]:
    """Length of an axis, and the entries beside it; the flattened array's without an axis."""
    if axis is None or not shape_of(x):
        return size_of(x), 1
    length = shape_of(x)[axis]
    return length, size_of(x) // max(length, 1)


# ----- products -----
# What products of matrices and linear algebra would cost.


def matmul(a: Value, b: Value) -> Cost:
    """(..., m, k) @ (..., k, n): m n entries of k steps each, for each matrix of a stack."""
    left, right = shape_of(a), shape_of(b)
    if not left or not right:
        return entrywise(a, b)
    rows, columns = left[-2:-1], right[-1:] if len(right) > 1 else ()
    entries = product((*common_shape(left[:-2], right[:-2]), *rows, *columns))
    return Cost(entries, entries * max(left[-1], 1))


def _contraction(a: Value, over_a: list[int], b: Value, over_b: list[int]) -> Cost:
    left, right = shape_of(a), shape_of(b)
    over_a, over_b = [i % len(left) for i in over_a], [i % len(right) for i in over_b]
    free = [n for i, n in enumerate(left) if i not in over_a] + [n for i, n in enumerate(right) if i not in over_b]
    inside = max(1, product(left[i] for i in over_a))
    return Cost(product(free) + size_of(a) + size_of(b), product(free) * inside)


def inner(a: Value, b: Value) -> Cost:
    """Both last axes summed over."""
    return _contraction(a, [-1], b, [-1]) if shape_of(a) and shape_of(b) else entrywise(a, b)


def dot(a: Value, b: Value) -> Cost:
    """a's last axis and b's last but one summed over."""
    return (
        _contraction(a, [-1], b, [-2 if len(shape_of(b)) > 1 else -1])
        if shape_of(a) and shape_of(b)
        else entrywise(a, b)
    )


def outer(a: Value, b: Value) -> Cost:
    """Every entry of a with every entry of b."""
    return even(product([size_of(a), size_of(b)]))


def tensordot(a: Value, b: Value, axes: Value = 2) -> Cost:
    """Several axes summed over."""
    if isinstance(axes, int):
        over_a, over_b = list(range(-axes, 0)), list(range(axes))
    else:
        over_a, over_b = (np.ravel(over).tolist() for over in axes)
    if not all(-len(shape_of(x)) <= i < len(shape_of(x)) for x, over in ((a, over_a), (b, over_b)) for i in over):
        raise ValueError(f"axes {axes} are not all there: a has {len(shape_of(a))} axes, and b {len(shape_of(b))}")
    return _contraction(a, over_a, b, over_b)


def einsum(subscripts: str, *operands: Value) -> Cost:
    """A round for each combination of labels."""
    terms, output = explicit(subscripts, [len(shape_of(x)) for x in operands])
    lengths: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for label, n in zip(term, shape_of(x), strict=False):
            lengths[label] = max(n, lengths.get(label, 0))
    rounds = product(lengths.values())
    # With three operands or more, what is left between two of them may be larger than the output.
    entries = product(lengths.get(label, 1) for label in output) if len(operands) < 3 else rounds
    return Cost(entries, 8 * rounds * len(operands))


def factored(x: Value) -> Cost:
    """Linear algebra of n by n matrices, n³ steps for each; of one number, two results."""
    n = size_of(x)
    return Cost(n + 1, 10 * n * max((1, *shape_of(x)[-2:])))


def solve(a: Value, b: Value) -> Cost:
    """The shape of a @ b, and n³ steps for each matrix."""
    solution = matmul(a, b)
    return Cost(solution.entries, solution.work + factored(a).work)

"""Shapes and sizes of the language's values, and what follows from them alone."""

from typing import Any

import numpy as np

from autotiny.expressions.limits import Cost, product

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

"""The number of examples of a loss: which axes of its arrays count examples, and not features or units.

Axes that must be equally long, as those of operands that are added, form one class. A class of examples has an axis of
the data, and none of a parameter: weights have no axis of examples.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.engine.node import made_by
from autotiny.engine.tensor import Tensor

Axis = tuple[int, int]
"""The identity of an array or a tensor, and a position among its axes."""


class Axes:
    """The classes of axes of a graph, by union and find."""

    def __init__(self, order: Iterable[Tensor]) -> None:
        self.order = list(order)
        self.above: dict[Axis, Axis] = {}
        for node in self.order:
            if node.op is not None:
                for axis, other in _joined(node):
                    a, b = self.top(axis), self.top(other)
                    if a != b:
                        self.above[a] = b

    def top(self, axis: Axis) -> Axis:
        """Return the representative of a class."""
        while axis in self.above:
            axis = self.above[axis]
        return axis

    @cached_property
    def of_examples(self) -> dict[Axis, int]:
        """The classes that have an axis of the data and none of a parameter, with their lengths."""
        arrays = [
            arg for node in self.order for arg in (node, *node.args) if not isinstance(arg, Tensor) or arg.op is None
        ]
        data: dict[Axis, int] = {}
        parameters = set()
        for array in arrays:
            for axis, length in enumerate(np.shape(array)):
                if isinstance(array, Tensor) and array.requires_grad:
                    parameters.add(self.top((id(array), axis)) if length > 1 else None)
                elif length > 1:
                    data[self.top((id(array), axis))] = length
        return {axis: length for axis, length in data.items() if axis not in parameters}

    def example_axes(self, x: Any) -> list[int]:
        """Return the axes of an array or a tensor that count examples."""
        return [i for i in range(np.ndim(x)) if self.top((id(x), i)) in self.of_examples]


def _joined(node: Tensor) -> Iterator[tuple[Axis, Axis]]:
    """Yield pairs of axes of the operands and the result of an operation that belong together."""
    op, shape = made_by(node), node.shape
    if op.name == "matmul":
        yield from _of_matmul(node)
    elif op.name == "transpose" and np.ndim(node.args[0]) == node.ndim:
        axes = node.kwargs.get("axes") or tuple(reversed(range(node.ndim)))
        yield from (((id(node.args[0]), axis % node.ndim), (id(node), i)) for i, axis in enumerate(axes))
    elif op.has("reduces") and "axis" in node.kwargs:
        yield from _of_reduction(node)
    elif op.has("elementwise") or all(np.shape(arg) in (shape, ()) for arg in node.args):
        for arg in node.args:
            lead = node.ndim - np.ndim(arg)
            for i, length in enumerate(np.shape(arg)):
                if length == shape[lead + i]:
                    yield (id(arg), i), (id(node), lead + i)
    elif op.name == "expectation":
        first, second = node.args
        if np.shape(first) == np.shape(second):
            yield from (((id(first), i), (id(second), i)) for i in range(np.ndim(first)))


def _of_matmul(node: Tensor) -> Iterator[tuple[Axis, Axis]]:
    a, b = node.args
    m, n = np.ndim(a), np.ndim(b)
    yield (id(a), m - 1), (id(b), max(n - 2, 0))
    if m > 1:
        yield (id(a), m - 2), (id(node), node.ndim - (2 if n > 1 else 1))
    if n > 1:
        yield (id(b), n - 1), (id(node), node.ndim - 1)


def _of_reduction(node: Tensor) -> Iterator[tuple[Axis, Axis]]:
    x, axis = node.args[0], node.kwargs["axis"]
    if axis is None:
        return
    reduced = {i % np.ndim(x) for i in (axis if isinstance(axis, tuple) else (axis,))}
    rest = [i for i in range(np.ndim(x)) if i not in reduced]
    places = rest if node.kwargs.get("keepdims") else range(len(rest))
    yield from (((id(x), i), (id(node), j)) for i, j in zip(rest, places, strict=True) if j < node.ndim)

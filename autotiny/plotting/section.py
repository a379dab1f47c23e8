"""A recorded number as a function of some entries of its graph, with its slopes; the rest keeps its recorded values."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from autotiny.engine.gradients import seed, with_forms
from autotiny.engine.graph import form_with, leading_to
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import made_by
from autotiny.engine.recording import copied, evaluate_form, value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError

UNDEFINED = (AutotinyError, ArithmeticError, ValueError)
"""What an operation may raise at other values: a matrix that has become singular, an argument outside of its domain."""
QUICK, PER_SECOND = 0.005, 2**30
"""The seconds of an evaluation up to which its work is estimated, and the multiplications in a second of any other."""


class Entry(NamedTuple):
    """A number in a graph: a tensor and the index of one of its entries."""

    tensor: Tensor
    place: tuple[int, ...]
    name: str

    @property
    def number(self) -> float:
        """The recorded value."""
        return float(np.asarray(self.tensor.value)[self.place])


class Section:
    """The output as a function of the numbers at some entries.

    Only what depends on them is computed again. Masks and index arrays are constants of the graph, as they are for its
    gradient: `fixed` says whether there are any. What an operation refuses counts as nan.

    Raises StaleError where the graph was changed since it was recorded.

    >>> x = Tensor([1.0, 2.0]); y = np.sum(x * x)
    >>> section = Section(y, [Entry(x, (1,), "x[1]")])
    >>> section(3.0), section.slopes(3.0)
    (10.0, (6.0,))
    """

    def __init__(self, output: Tensor, entries: Sequence[Entry]) -> None:
        self.output, self.entries = output, tuple(entries)
        self.tensors = {entry.tensor for entry in entries}
        order = verified_order(output)[::-1]
        dependent = leading_to(order, self.tensors)
        self.operations: list[Any] = [node for node in order if node in dependent and node not in self.tensors]
        self._known: dict[tuple[float, ...], float] = {}

    @property
    def point(self) -> tuple[float, ...]:
        """The recorded values of the entries."""
        return tuple(entry.number for entry in self.entries)

    @cached_property
    def work(self) -> int:
        """The multiplications of one evaluation, with the cost of its calls in the same unit, about.

        They are estimated where it is quick, so that a plot is the same in every run; a slow one is timed.
        """
        estimate = sum(1000 + node.size * _inner_length(node) for node in self.operations)
        seconds = min(self._seconds() for _ in range(2))
        return estimate if seconds < QUICK else max(estimate, int(PER_SECOND * seconds))

    def _seconds(self) -> float:
        start = perf_counter()
        self._known.pop(self.point, None)
        self(*self.point)
        return perf_counter() - start

    @property
    def fixed(self) -> bool:
        """Whether an operation on the way has a mask or an index array that stays as it was recorded."""
        return any(_has_choice(node) for node in self.operations)

    def __call__(self, *numbers: float) -> float:
        """Return the output where the entries have other values; nan where it is not defined."""
        if numbers not in self._known:
            try:
                self._known[numbers] = _number(self._values(self._moved(numbers))[self.output])
            except UNDEFINED:
                self._known[numbers] = float("nan")
        return self._known[numbers]

    def slopes(self, *numbers: float) -> tuple[float, ...]:
        """Return the gradient of the output by the entries, where these have other values; nan where it is undefined.

        Without numbers, that of the recorded graph itself.
        """
        try:
            return self._slopes(*self._copies(numbers)) if numbers else self._slopes(self.output, {})
        except UNDEFINED:
            return (float("nan"),) * len(self.entries)

    # ----- the graph at other values -----
    def _moved(self, numbers: Sequence[float]) -> dict[Tensor, Any]:
        arrays = {tensor: np.array(tensor.value) for tensor in self.tensors}
        with np.errstate(over="ignore"):
            for entry, number in zip(self.entries, numbers, strict=True):
                arrays[entry.tensor][entry.place] = number
        return {tensor: array[()] for tensor, array in arrays.items()}

    def _values(self, values: dict[Tensor, Any]) -> dict[Tensor, Any]:
        def value(arg: Any) -> Any:
            return values[arg] if type(arg) is Tensor and arg in values else value_of(arg)

        with np.errstate(all="ignore"):
            for node in self.operations:
                values[node] = evaluate_form(form_with(node, self.tensors), node.args, value)
        return values

    def _copies(self, numbers: Sequence[float]) -> tuple[Tensor, Mapping[Tensor, Tensor]]:
        """Return a graph of the same operations with the values there: its output, and the copy of each tensor."""
        moved = self._moved(numbers)
        copies = {tensor: Tensor(value) for tensor, value in moved.items()}

        def operand(arg: Any) -> Any:
            return copies.get(arg, arg) if type(arg) is Tensor else arg

        values = self._values(moved)
        for node in self.operations:
            copies[node] = copied(node, operand, values[node])
        self._known[tuple(numbers)] = _number(values[self.output])
        return copies[self.output], copies

    def _slopes(self, output: Tensor, copies: Mapping[Tensor, Tensor]) -> tuple[float, ...]:
        leaves = [copies.get(entry.tensor, entry.tensor) for entry in self.entries]
        with np.errstate(all="ignore"):
            grads = with_forms(verified_order(output), {output: seed(output, None)}, leaves)
        pairs = zip(self.entries, leaves, strict=True)
        return tuple(float(np.asarray(grads[leaf])[entry.place]) if leaf in grads else 0.0 for entry, leaf in pairs)


def _number(value: Any) -> float:
    return float(np.asarray(value).reshape(()))


def _inner_length(node: Tensor) -> int:
    return int(np.shape(node.args[0])[-1]) if made_by(node).name == "matmul" else 1


def _has_choice(node: Tensor) -> bool:
    """Whether a mask, or an index that has arrays, is among an operation's constants."""
    key = node.kwargs.get("key")
    chosen = key if isinstance(key, tuple) else (key,)
    masks = (arg for arg in node.args if type(arg) is not Tensor and np.asarray(arg).dtype.kind == "b")
    return any(isinstance(part, np.ndarray) for part in chosen) or next(masks, None) is not None

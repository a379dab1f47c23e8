"""A recorded graph as it was when its picture was taken: its values in order, their gradients, and the way back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.drawing.names import Names
from autotiny.engine.contributions import Contribution, contributions
from autotiny.engine.tensor import Tensor
from autotiny.errors import StaleError

Place = int
"""Of a value among all of them, operands before results: the i-th is n{i} in every picture."""


class Reading:
    """The values of a graph, tensors and constants, and what backprop made of them.

    Attributes
    ----------
    values, operands : each value with the places of its operands, in order; twice the same one for x * x.
    consumers : the places that use each value.
    gradients : by place, what `.grad` held; nothing before backward.
    turns : by place, when backprop visits an operation; the output's turn is 1.
    passed : by result and position of the operand, what backprop passed on.
    """

    def __init__(
        self,
        order: Sequence[Tensor],
        scope: Mapping[str, Any],
        output: Tensor | None = None,
        called: Mapping[Tensor, str] | None = None,
    ) -> None:
        self.output = output or order[-1]
        self.names = Names(order, scope, called)
        self.values, self.operands = _placed(order)
        self.places = {value: place for place, value in enumerate(self.values) if isinstance(value, Tensor)}
        self.consumers: list[list[Place]] = [[] for _ in self.values]
        for place, operands in enumerate(self.operands):
            for operand in dict.fromkeys(operands):
                self.consumers[operand].append(place)
        self.gradients = {place: value._grad for value, place in self.places.items() if value._grad is not None}
        self.turns: dict[Place, int] = {}
        self.passed: dict[tuple[Place, int], Contribution] = {}
        self._follow_backprop()

    def _follow_backprop(self) -> None:
        if self.output.op is None or not self.output.requires_grad or self.output._grad is None:
            return
        try:
            visits = contributions(self.output, self.output._grad).visits
        except StaleError:  # what was passed on then cannot be told now; .grad still holds what came of it
            return
        for turn, visit in enumerate(visits, 1):
            place = self.places[visit.node]
            self.turns[place] = turn
            self.passed |= {(place, passed.position): passed for passed in visit.contributions}

    def paths(self, place: Place) -> Sequence[tuple[Place, int]]:
        """The uses of a value, as (result, position), by which a gradient came back to it, in the order it came."""
        uses = [
            (consumer, position)
            for consumer in self.consumers[place]
            for position, operand in enumerate(self.operands[consumer])
            if operand == place and (consumer, position) in self.passed
        ]
        return sorted(uses, key=lambda use: (self.turns[use[0]], use[1]))

    def between(self, sources: Iterable[Place]) -> set[Place]:
        """The places on the ways from some values to the output."""
        among = set(sources)
        for place, operands in enumerate(self.operands):
            if not among.isdisjoint(operands):
                among.add(place)
        return among


def _placed(order: Sequence[Tensor]) -> tuple[list[Any], list[tuple[Place, ...]]]:
    """Every value to draw with the places of its operands, constants before their first use."""
    values: list[Any] = []
    operands: list[tuple[Place, ...]] = []
    position: dict[int, Place] = {}

    def place(value: Any, of: tuple[Place, ...] = ()) -> Place:
        position[id(value)] = len(values)
        values.append(value)
        operands.append(of)
        return position[id(value)]

    def find(arg: Any) -> Place:
        # A number is placed at each use: equal numbers may be one object in Python and still mean different things.
        return position[id(arg)] if id(arg) in position and not np.isscalar(arg) else place(arg)

    for tensor in order:
        place(tensor, tuple([find(arg) for arg in tensor.args]))
    return values, operands

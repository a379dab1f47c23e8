"""The gradient graph beside the graph that it came from: the operations of each rule on the row of their operation."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.drawing.card import Card, deal
from autotiny.drawing.edge import Edge, bare, uses
from autotiny.drawing.reading import Place, Reading
from autotiny.drawing.view import LARGEST_PICTURE, Box, GraphTooLargeError, Scene
from autotiny.engine.backward import Gradients, Sweep, run_sweep
from autotiny.engine.gradients import seed
from autotiny.engine.graph import leading_to
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import Node, next_number
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError


class GradientGraph:
    """dJ/dx as recorded Tensors, and for each operation of J's graph the numbers of those that its rules recorded.

    Attributes
    ----------
    gradients : dJ/d(value) of every value on the way to those that were asked for.
    spans : by operation, the first and the last number of what its rules recorded.
    start : where the gradient graph begins, dJ/dJ.
    """

    def __init__(self, output: Tensor, tensors: Sequence[Tensor]) -> None:
        self.start = Tensor(np.ones_like(seed(output, None)))
        order = verified_order(output)
        path = leading_to(reversed(order), tensors)
        recorded = run_sweep(order, lambda guarded: _Recorded({output: self.start}, path, guarded=guarded))
        self.gradients: dict[Tensor, Any] = recorded.grads
        self.spans = recorded.spans
        self.wanted = [recorded.grads[x] for x in tensors if x in recorded.grads]


class _Recorded(Sweep):
    """A sweep that is recorded, and notes what each visit recorded."""

    def __init__(self, seeds: Gradients, path: set[Node], *, guarded: bool) -> None:
        super().__init__(seeds, path, record=True, guarded=guarded)
        self.spans: dict[Any, tuple[int, int]] = {}

    def visit(self, node: Node) -> None:
        """Visit an operation, and note the numbers of what its rules recorded."""
        first = next_number()
        super().visit(node)
        self.spans[node] = first, next_number()


def require_tracked(reading: Reading, tensors: Sequence[Tensor]) -> None:
    """Raise UnsupportedError for a tensor that is no variable."""
    for tensor in tensors:
        if not tensor.requires_grad:
            name = reading.names.given(tensor) or type(tensor).__name__
            raise UnsupportedError(
                f"draw: gradients: {reading.names.short(reading.output)} has none for {name}, "
                "which is data: make it with requires_grad=True"
            )


def called(reading: Reading, gradients: GradientGraph) -> dict[Tensor, str]:
    """dJ/dZ2 for the gradient of Z2; where one Tensor is the gradient of two values, it is called by the later one."""
    names: dict[Tensor, str] = {gradients.start: _slope(reading, reading.output)}
    for value, gradient in gradients.gradients.items():
        if isinstance(gradient, Tensor) and reading.names.given(value) is not None:
            names.setdefault(gradient, _slope(reading, value))
    return names


def _slope(reading: Reading, value: Tensor) -> str:
    return f"d{reading.names.short(reading.output)}/d{reading.names.short(value)}"


def scene_of_both(reading: Reading, gradients: GradientGraph) -> Scene:
    """Both graphs, values flowing down and gradients flowing up, each operation linked to what its rules recorded."""
    if len(reading.values) > LARGEST_PICTURE:
        raise GraphTooLargeError(
            f"draw: the graph and its gradient graph have {len(reading.values):,} values, and a picture of more than "
            f"{LARGEST_PICTURE} cannot be read; draw the gradients of a part, from a value nearer to the inputs"
        )
    backward = _backward_places(reading, gradients)
    forward = [place for place in range(len(reading.values)) if place not in backward]
    values = [deal(reading, place) for place in forward]
    makers = _makers(reading, gradients, backward)
    slopes = [_slope_card(reading, place, makers) for place in sorted(backward)]
    first = {maker: place for place, maker in reversed(makers.items())}
    links = [
        Edge(f"l{maker}-{place}", f"n{maker}", f"n{place}", kind="link", carries_gradient=False)
        for maker, place in first.items()
    ]
    edges = [edge for place in forward for edge in uses(reading, place)]
    edges += [edge for place in sorted(backward) for edge in _flow(reading, place, backward)]
    boxes = [Box("forward", "values", values), Box("backward", "gradients", slopes)]
    return Scene([*values, *slopes], edges + links, boxes, downward=True)


def _backward_places(reading: Reading, gradients: GradientGraph) -> set[Place]:
    """The values that the sweep recorded, and the constants that only they use."""
    first = gradients.start.number
    backward = {place for value, place in reading.places.items() if value.number >= first}
    numbers = {
        place
        for place, value in enumerate(reading.values)
        if not isinstance(value, Tensor) and backward.issuperset(reading.consumers[place])
    }
    return backward | numbers


def _flow(reading: Reading, place: Place, backward: set[Place]) -> list[Edge]:
    """The edges into an operation of the gradient graph, from others of it; its formula names what else goes in."""
    return [
        replace(bare(reading, place, position, operand), kind="gradient")
        for position, operand in enumerate(reading.operands[place])
        if operand in backward
    ]


def _makers(reading: Reading, gradients: GradientGraph, backward: set[Place]) -> dict[Place, Place]:
    """By what the sweep recorded, in order, the operation whose rules did."""
    recorded = sorted((reading.values[place].number, place) for place in backward & set(reading.places.values()))
    return {
        place: reading.places[operation]
        for number, place in recorded
        for operation, (first, last) in gradients.spans.items()
        if first < number < last
    }


def _slope_card(reading: Reading, place: Place, makers: dict[Place, Place]) -> Card:
    card = deal(reading, place)
    if card.kind == "constant":
        return card
    if place not in makers:
        return replace(card, kind="gradient", gradient=None, origin="where backprop starts")
    rule_of = reading.names.short(reading.values[makers[place]])
    return replace(card, kind="gradient", gradient=None, rule_of=rule_of)

"""A graph and its gradient graph side by side: each operation on one row with what its gradient rules recorded."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.drawing.card import Card, make_card
from autotiny.drawing.edge import Edge, edges_into, plain_edge
from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.drawing.scene import LARGEST_PICTURE, Box, GraphTooLargeError, Scene
from autotiny.drawing.style import Style
from autotiny.engine.backward import Gradients, Sweep, run_sweep
from autotiny.engine.gradients import seed
from autotiny.engine.graph import leading_to
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import Node, next_number
from autotiny.engine.selection import Selection
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError


class GradientGraph:
    """dJ/dx as recorded Tensors, with the operations that each gradient rule recorded.

    Attributes
    ----------
    start : dJ/dJ, where the gradient graph begins.
    gradients : dJ/d(value) of every value between the output and the tensors.
    spans : by operation, the numbers in the order of recording between which its rules recorded.
    wanted : dJ/dx of the tensors.
    """

    def __init__(self, output: Tensor, tensors: Sequence[Tensor]) -> None:
        self.start = Tensor(np.ones_like(seed(output, None)))
        order = verified_order(output)
        path = leading_to(reversed(order), tensors)
        recorded = run_sweep(order, lambda selection: _Recorded({output: self.start}, path, selection=selection))
        self.gradients: dict[Tensor, Any] = recorded.grads
        self.spans = recorded.spans
        self.wanted = [recorded.grads[x] for x in tensors if x in recorded.grads]


class _Recorded(Sweep):
    """A recorded sweep that notes, for each visit, what it recorded."""

    def __init__(self, seeds: Gradients, path: set[Node], *, selection: Selection | None) -> None:
        super().__init__(seeds, path, record=True, selection=selection)
        self.spans: dict[Any, tuple[int, int]] = {}

    def visit(self, node: Node) -> None:
        """Visit an operation, and note the numbers of what its rules recorded."""
        first = next_number()
        super().visit(node)
        self.spans[node] = first, next_number()


def require_tracked(graph: GraphView, tensors: Sequence[Tensor]) -> None:
    """Raise UnsupportedError if a tensor is data, which has no gradient."""
    for tensor in tensors:
        if not tensor.requires_grad:
            name = graph.names.users_name(tensor) or type(tensor).__name__
            raise UnsupportedError(
                f"draw: gradients: {graph.names.short(graph.output)} has none for {name}, "
                "which is data: make it with requires_grad=True"
            )


def gradient_names(graph: GraphView, gradients: GradientGraph) -> dict[Tensor, str]:
    """Return the names of the gradients of named values, such as dJ/dZ2.

    A Tensor that is the gradient of two values has its name from the later one.
    """
    names: dict[Tensor, str] = {gradients.start: _gradient_name(graph, graph.output)}
    for value, gradient in gradients.gradients.items():
        if isinstance(gradient, Tensor) and graph.names.users_name(value) is not None:
            names.setdefault(gradient, _gradient_name(graph, value))
    return names


def _gradient_name(graph: GraphView, value: Tensor) -> str:
    return f"d{graph.names.short(graph.output)}/d{graph.names.short(value)}"


def scene_of_both(graph: GraphView, gradients: GradientGraph) -> Scene:
    """Return both graphs, values flowing down and gradients flowing up, with links from operations to their rules.

    Raises GraphTooLargeError where they have more values than a picture can hold.
    """
    if len(graph.values) > LARGEST_PICTURE:
        raise GraphTooLargeError(
            f"draw: the graph and its gradient graph have {len(graph.values):,} values, and a picture of more than "
            f"{LARGEST_PICTURE} cannot be read; draw the gradients of a part, from a value nearer to the inputs"
        )
    backward = _backward_nodes(graph, gradients)
    forward = [node for node in range(len(graph.values)) if node not in backward]
    makers = _makers(graph, gradients, backward)
    value_cards = [make_card(graph, node) for node in forward]
    gradient_cards = [_gradient_card(graph, node, makers) for node in sorted(backward)]
    first = {maker: node for node, maker in reversed(makers.items())}
    links = [
        Edge(f"l{maker}-{node}", f"n{maker}", f"n{node}", kind="link", carries_gradient=False)
        for maker, node in first.items()
    ]
    edges = [edge for node in forward for edge in edges_into(graph, node)]
    edges += [edge for node in sorted(backward) for edge in _gradient_edges(graph, node, backward)]
    boxes = [Box("forward", "values", value_cards), Box("backward", "gradients", gradient_cards)]
    return Scene([*value_cards, *gradient_cards], edges + links, boxes, style=Style(direction="down"))


def _backward_nodes(graph: GraphView, gradients: GradientGraph) -> set[NodeId]:
    """Return the values that the sweep recorded, and the constants that only they use."""
    first = gradients.start.number
    backward = {node for value, node in graph.ids.items() if value.number >= first}
    constants = {
        node
        for node, value in enumerate(graph.values)
        if not isinstance(value, Tensor) and backward.issuperset(graph.consumers[node])
    }
    return backward | constants


def _gradient_edges(graph: GraphView, node: NodeId, backward: set[NodeId]) -> list[Edge]:
    """Return the edges between operations of the gradient graph; the card's formula names the other operands."""
    return [
        replace(plain_edge(graph, node, position, operand), kind="gradient")
        for position, operand in enumerate(graph.operands[node])
        if operand in backward
    ]


def _makers(graph: GraphView, gradients: GradientGraph, backward: set[NodeId]) -> dict[NodeId, NodeId]:
    """Return, for what the sweep recorded, in order, the operation whose rules recorded it."""
    recorded = sorted((graph.values[node].number, node) for node in backward & set(graph.ids.values()))
    return {
        node: graph.ids[operation]
        for number, node in recorded
        for operation, (first, last) in gradients.spans.items()
        if first < number < last
    }


def _gradient_card(graph: GraphView, node: NodeId, makers: dict[NodeId, NodeId]) -> Card:
    card = make_card(graph, node)
    if card.kind == "constant":
        return card
    if node not in makers:
        return replace(card, kind="gradient", gradient=None, origin="where backprop starts")
    rule_of = graph.names.short(graph.values[makers[node]])
    return replace(card, kind="gradient", gradient=None, rule_of=rule_of)

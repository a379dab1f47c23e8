"""A graph and its gradient graph side by side: each card on one row with the gradient that its rules recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.drawing.card import Card, make_card
from autotiny.drawing.composition import Composition
from autotiny.drawing.edge import Edge
from autotiny.drawing.graph_view import GraphView, NodeId, gradient_name
from autotiny.drawing.groups import Child, Group, last_node, nodes
from autotiny.drawing.lines import expression_of, put_into_lines, results_within
from autotiny.drawing.scene import LARGEST_PICTURE, Box, GraphTooLargeError, Scene
from autotiny.drawing.selection import card_id, groups_within
from autotiny.engine.backward import Gradients, Sweep, run_sweep
from autotiny.engine.gradients import seed
from autotiny.engine.graph import leading_to
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import Node, next_number
from autotiny.engine.selection import Selection
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError

MOST_MAKERS = 3
"""The number of operations up to which a gradient's card names those whose rules recorded it."""


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


def gradient_names(graph: GraphView, gradients: GradientGraph, items: Iterable[Child]) -> dict[Tensor, str]:
    """Return the names of the gradients of the values that are shown, such as dJ/dZ2.

    A Tensor that is the gradient of two values has its name from the later one.
    """
    single = [last_node(item) for item in items if not (isinstance(item, Group) and item.alike)]
    shown = {graph.values[node] for node in single if isinstance(graph.values[node], Tensor)}
    output, wanted = graph.names.short(graph.output), set(gradients.wanted)
    names: dict[Tensor, str] = {gradients.start: gradient_name(output, output)}
    for value, gradient in gradients.gradients.items():
        if isinstance(gradient, Tensor) and (value in shown or gradient in wanted):
            names.setdefault(gradient, gradient_name(output, graph.names.short(value)))
    return names


class BackwardPart:
    """The gradient graph as cards: a line for each gradient of a value that the picture of the graph shows.

    Attributes
    ----------
    items : the gradients, each with the operations that serve it alone.
    """

    def __init__(self, graph: GraphView, gradients: GradientGraph, alone: Composition) -> None:
        self.graph, self.gradients, self.alone = graph, gradients, alone
        backward = _backward_nodes(graph, gradients)
        group = Group("gradients", [*backward])
        put_into_lines(graph, group)
        self.items = group.children
        for number, line in enumerate(self.lines, len(groups_within(alone.root))):
            line.id = f"s{number}"
        self.owner = {node: card_id(item) for item in self.items for node in nodes(item)}
        self.makers = self._makers()

    @property
    def lines(self) -> list[Group]:
        """The gradients of more than one operation."""
        return [item for item in self.items if isinstance(item, Group)]

    def scene(self) -> Scene:
        """Return both graphs, values flowing down and gradients flowing up, with links from operations to their rules.

        Raises GraphTooLargeError where they have more cards than a picture can hold.
        """
        values = self.alone.scene
        if (total := len(values.cards) + len(self.items)) > LARGEST_PICTURE:
            raise GraphTooLargeError(
                f"draw: the graph and its gradient graph have {total:,} values, and a picture of more than "
                f"{LARGEST_PICTURE} cannot be read; give a smaller depth=, or draw the gradients of a part, from a "
                "value nearer to the inputs"
            )
        cards, style = [self._card(item) for item in self.items], replace(self.alone.style, direction="down")
        boxes = [Box("forward", "values", values.boxes), Box("backward", "gradients", cards)]
        edges = [*values.edges, *self._edges(), *self._links()]
        return Scene([*values.cards, *cards], edges, boxes, style, values.highlighted)

    def _makers(self) -> dict[str, list[str]]:
        """Return, by the card of a gradient, the cards of the operations whose rules recorded it."""
        values = {node: card_id(item) for item in self.alone.items for node in nodes(item)}
        makers: dict[str, list[str]] = {card_id(item): [] for item in self.items}
        for operation, (first, last) in self.gradients.spans.items():
            for node, card in self.owner.items():
                if first < getattr(self.graph.values[node], "number", 0) < last:
                    makers[card].append(values[self.graph.ids[operation]])
        return {card: list(dict.fromkeys(those)) for card, those in makers.items()}

    def _card(self, item: Child) -> Card:
        card = make_card(self.graph, last_node(item), digits=self.alone.style.digits)
        if isinstance(item, Group):
            hidden = [child for line in self.alone.lines for child in line.children if last_node(child) != line.result]
            origin = expression_of(self.graph, item, hidden)
            card = replace(card, id=item.id, origin=origin, operations=len(results_within(self.graph, item)))
        if card.kind == "constant":
            return card
        if self.graph.values[last_node(item)] is self.gradients.start:
            return replace(card, kind="gradient", gradient=None, origin="where backprop starts")
        names = {value.id: value.name for value in self.alone.cards}
        makers = [names[maker] for maker in self.makers[card.id]]
        rule_of = ", ".join([*makers[:MOST_MAKERS], *["…"] * (len(makers) > MOST_MAKERS)])
        return replace(card, kind="gradient", gradient=None, rule_of=rule_of)

    def _edges(self) -> list[Edge]:
        """Return the edges between gradients; the expressions on the cards name the values that they use."""
        pairs = {
            (self.owner[operand], card): None
            for node, card in self.owner.items()
            for operand in self.graph.operands[node]
            if self.owner.get(operand, card) != card
        }
        return [Edge(f"e{a}-{b}", a, b, kind="gradient", carries_gradient=False) for a, b in pairs]

    def _links(self) -> list[Edge]:
        """Return a link from each operation to the first gradient that its rules recorded."""
        first: dict[str, str] = {}
        for card, makers in self.makers.items():
            for maker in makers:
                first.setdefault(maker, card)
        return [Edge(f"l{a}-{b}", a, b, kind="link", carries_gradient=False) for a, b in first.items()]


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

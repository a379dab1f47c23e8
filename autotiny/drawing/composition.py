"""A graph with some of its groups open, composed into cards and edges, and laid out as DOT and as SVG."""

import copy
import functools
from collections.abc import Sequence
from dataclasses import replace

from autotiny.drawing.card import Card
from autotiny.drawing.dot import dot, name_again
from autotiny.drawing.edge import Edge
from autotiny.drawing.graph_view import GraphView
from autotiny.drawing.groups import Child, Group
from autotiny.drawing.render import decorate, render
from autotiny.drawing.scene import Scene, make_scene
from autotiny.drawing.selection import card_id, visible
from autotiny.drawing.style import PLAIN, Style


class Composition:
    """The picture of a graph in one layout.

    Attributes
    ----------
    graph : the values with their gradients.
    root, opened : its groups as a tree, and the ids of those that are open.
    scene : the cards, edges and boxes.
    style : the direction, and what stands out.
    """

    def __init__(self, graph: GraphView, root: Group, opened: frozenset[str], style: Style = PLAIN) -> None:
        self.graph, self.root, self.opened, self.style = graph, root, opened, style
        self.scene: Scene = self._compose()

    def _compose(self) -> Scene:
        return make_scene(self.graph, self.root, self.opened, self.style)

    @property
    def items(self) -> Sequence[Child]:
        """The values that are shown, and the closed groups."""
        return list(visible(self.root, self.opened))

    @property
    def lines(self) -> Sequence[Group]:
        """The lines that are shown closed."""
        return [item for item in self.items if isinstance(item, Group) and item.result is not None]

    @property
    def cards(self) -> Sequence[Card]:
        """Every value and every closed group, operands before results."""
        return self.scene.cards

    @property
    def edges(self) -> Sequence[Edge]:
        """Every use of a value."""
        return self.scene.edges

    @property
    def title(self) -> str:
        """The title of the picture."""
        return f"Computation graph of {self.root.name}"

    @functools.cached_property
    def dot(self) -> str:
        """The graph as DOT text."""
        return dot(self.scene)

    @functools.cached_property
    def svg(self) -> str:
        """The picture as SVG text; raises GraphvizMissingError where there is no Graphviz."""
        words = {card.id: "\n".join(card.lines) for card in self.cards}
        words |= {edge.id: edge.sentence for edge in self.edges}
        words |= {name_again(edge): words[card.id] for edge, card in self.scene.later_uses.items()}
        return decorate(render(self.dot, "svg").decode(), self.dot, self.title, words)

    def with_opened(self, *groups: str) -> "Composition":
        """Return the picture with more groups open, by their cards' ids."""
        return Composition(self.graph, self.root, self.opened.union(groups), self.style)

    def around(self, name: str) -> "Composition":
        """Return the picture of a group that is closed in this one, opened, and its neighbours alone."""
        near = {name}.union(*({edge.source, edge.target} for edge in self.edges if name in (edge.source, edge.target)))
        root = Group(self.root.name, [item for item in self.items if card_id(item) in near])
        return Composition(self.graph, root, self.opened | {name}, self.style)

    def without_labels(self) -> "Composition":
        """Return the picture without labels on its edges: laying out many of them takes seconds."""
        bare = copy.copy(self)
        for cached in ("dot", "svg"):
            vars(bare).pop(cached, None)
        bare.scene = replace(self.scene, edges=[replace(edge, label="") for edge in self.edges])
        return bare

"""Everything that is in a picture: the cards of values and closed groups, the edges between them, boxes around them."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Union

from autotiny.drawing.card import LONGEST_TITLE, Card, group_card, make_card
from autotiny.drawing.edge import Edge, edge_of_use, norm, plain_edge
from autotiny.drawing.graph_view import GraphView
from autotiny.drawing.groups import Child, Group, nodes
from autotiny.drawing.line_edges import Use, chain_rule_of_lines, line_edges, result_of
from autotiny.drawing.lines import expression_of, results_within
from autotiny.drawing.selection import card_id, visible
from autotiny.drawing.style import PLAIN, Style
from autotiny.errors import AutotinyError
from autotiny.notation.text import clean

LARGEST_PICTURE = 400
MOST_HEAT_MAPS = 40
MANY_USES, FAR = 3, 3
"""The number of uses of a parameter, and their distance in the graph, from which later ones name it again."""


class GraphTooLargeError(AutotinyError):
    """A graph has more values than a picture can hold."""


@dataclass(frozen=True)
class Box:
    """An open group, drawn as a frame around its cards."""

    id: str
    label: str
    boxes: Sequence[Union["Box", Card]]

    @property
    def ids(self) -> list[str]:
        """The ids of the cards in it."""
        return [name for box in self.boxes for name in (box.ids if isinstance(box, Box) else [box.id])]


@dataclass(frozen=True)
class Scene:
    """The content of a picture: cards, operands before results; edges; and the boxes with the cards in them."""

    cards: Sequence[Card]
    edges: Sequence[Edge]
    boxes: Sequence[Box | Card]
    style: Style = PLAIN
    highlighted: frozenset[str] | None = None
    """The ids of the cards that stand out, with the edges between them; None where nothing does."""

    def stands_out(self, edge: Edge) -> bool:
        """Whether an edge is on a way that is highlighted."""
        return self.highlighted is not None and self.highlighted.issuperset((edge.source, edge.target))

    def width(self, edge: Edge) -> float:
        """Return the width of an edge's line in points: from 1 to 4 by its share of the largest contribution."""
        if not edge.carries_gradient:
            return 0.8
        return 1 + 3 * (edge.strength / self.largest) ** 0.5 if 0 < self.largest < float("inf") else 1.0

    def is_spine(self, edge: Edge) -> bool:
        """Whether an edge leads from a result to the next, on the longest way to it."""
        return (
            edge.kind == "use"
            and edge.source in self.results
            and self.depths[edge.source] == self.depths[edge.target] - 1
        )

    @functools.cached_property
    def later_uses(self) -> dict[str, Card]:
        """The cards that are named again beside their later users, by edge.

        They are those of values that are not computed and are used in many places, as the parameters of a loop are.
        """
        uses: defaultdict[str, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            if edge.source not in self.results:
                uses[edge.source].append(edge)
        again: dict[str, Card] = {}
        for card in self.cards:
            heights = [self.heights[edge.target] for edge in uses[card.id]]
            if len(heights) >= MANY_USES and max(heights) - min(heights) >= FAR:
                again |= {edge.id: card for edge in uses[card.id] if self.heights[edge.target] < max(heights)}
        return again

    @functools.cached_property
    def heights(self) -> dict[str, int]:
        """The number of cards on the longest way from each card to a last one, both included."""
        return _longest_ways(reversed(self.cards), [(edge.source, edge.target) for edge in self.edges])

    @functools.cached_property
    def depths(self) -> dict[str, int]:
        """The number of cards on the longest way to each card, itself included."""
        return _longest_ways(self.cards, [(edge.target, edge.source) for edge in self.edges])

    @functools.cached_property
    def results(self) -> set[str]:
        """The ids of the cards of what is computed."""
        return {edge.target for edge in self.edges}

    @functools.cached_property
    def largest(self) -> float:
        """The largest norm of a contribution."""
        return max((edge.strength for edge in self.edges), default=0.0)


def _longest_ways(cards: Iterable[Card], neighbours: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return the number of cards on the longest way that ends at each card, given pairs of a card and one before it."""
    before: defaultdict[str, list[str]] = defaultdict(list)
    for name, other in neighbours:
        before[name].append(other)
    longest: dict[str, int] = {}
    for card in cards:
        longest[card.id] = 1 + max((longest.get(other, 0) for other in before[card.id]), default=0)
    return longest


def make_scene(graph: GraphView, root: Group, opened: frozenset[str], style: Style) -> Scene:
    """Return the scene of a graph in which the groups with these ids are open.

    Raises GraphTooLargeError where it would hold more than a picture can.
    """
    items = list(visible(root, opened))
    if len(items) > LARGEST_PICTURE:
        raise GraphTooLargeError(
            f"draw: {len(items):,} values and groups would be shown, and a picture of more than {LARGEST_PICTURE} "
            "cannot be read; give a smaller depth=, open single groups with expand=, or show only what lies between a "
            "tensor and the output with focus="
        )
    small = len(items) > MOST_HEAT_MAPS
    edges = _edges(graph, items)
    cards = {card_id(item): _card(graph, item, small, style.digits) for item in items}
    _follow_lines(graph, {card_id(item): item for item in items}, edges, cards)
    highlighted = None
    if (on_ways := style.highlighted) is not None:
        highlighted = frozenset(card_id(item) for item in items if not on_ways.isdisjoint(nodes(item)))
    boxes = _boxes(root, opened, cards)
    return Scene(list(cards.values()), edges, boxes, style, highlighted)


def _card(graph: GraphView, item: Child, small: bool, digits: int | None) -> Card:
    if not isinstance(item, Group):
        return make_card(graph, item, small, digits)
    if item.result is None:
        return group_card(graph, item, small, digits)
    card = make_card(graph, item.result, small, digits)
    return replace(card, id=item.id, origin=expression_of(graph, item), operations=len(results_within(graph, item)))


def _follow_lines(graph: GraphView, items: Mapping[str, Child], edges: Sequence[Edge], cards: dict[str, Card]) -> None:
    """Write the chain rule of each value that lines use from line to line."""
    uses: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        if edge.contribution is not None:
            uses[edge.source].append(edge)
    for name, card in cards.items():
        node = result_of(items[name])
        if node not in graph.gradients or not any(isinstance(items[edge.target], Group) for edge in uses[name]):
            continue
        cards[name] = replace(
            card, paths=len(uses[name]), chain_rule=chain_rule_of_lines(graph, node, uses[name], items)
        )


def _boxes(group: Group, opened: frozenset[str], cards: dict[str, Card]) -> list[Box | Card]:
    return [
        Box(child.id, clean(child.name, LONGEST_TITLE), _boxes(child, opened, cards))
        if isinstance(child, Group) and child.id in opened
        else cards[card_id(child)]
        for child in group.children
    ]


def _edges(graph: GraphView, items: Iterable[Child]) -> list[Edge]:
    """Return every use between visible values, and one edge for all uses between a group and its neighbour."""
    owner = {node: item for item in items for node in nodes(item)}
    edges: list[Edge] = []
    between: defaultdict[tuple[Child, Child], list[Use]] = defaultdict(list)
    for node, item in sorted(owner.items(), key=lambda entry: entry[0]):
        for position, operand in (*enumerate(graph.operands[node]), *graph.passes_by[node]):
            source = owner.get(operand)
            if source is None or source is item:
                continue
            if isinstance(item, Group) or result_of(source) is None:
                between[source, item].append((node, position, operand))
            else:
                edges.append(replace(edge_of_use(graph, node, position, operand), source=card_id(source)))
    for (source, item), uses in between.items():
        if not isinstance(item, Group) or item.result is None or result_of(source) is None:
            edges.append(_merged_edge(graph, card_id(source), card_id(item), uses))
        else:
            edges += line_edges(graph, source, item, uses)
    return edges


def _merged_edge(graph: GraphView, source: str, target: str, uses: Sequence[Use]) -> Edge:
    """Return one edge for several uses."""
    contributions = [graph.contributions.get((node, position)) for node, position, _ in uses]
    return Edge(
        f"e{source}-{target}",
        source,
        target,
        strength=sum(norm(c.value) for c in contributions if c),
        carries_gradient=any(plain_edge(graph, *use).carries_gradient for use in uses),
        count=len(uses),
    )

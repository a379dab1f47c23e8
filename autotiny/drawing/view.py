"""What of a graph a picture shows: which groups are open, and what then stands in it."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Union

from autotiny.drawing.card import LONGEST_TITLE, Card, deal, group_card
from autotiny.drawing.edge import Edge, bare, norm, uses
from autotiny.drawing.groups import READABLE, Child, Group
from autotiny.drawing.reading import Place, Reading
from autotiny.errors import AutotinyError
from autotiny.notation.text import clean

LARGEST_PICTURE = 400
MOST_HEAT_MAPS = 40


class GraphTooLargeError(AutotinyError):
    """A graph of more values than a picture can hold."""


@dataclass(frozen=True)
class Box:
    """An open group, drawn around what is in it."""

    id: str
    label: str
    boxes: Sequence[Union["Box", Card]]

    @property
    def ids(self) -> list[str]:
        """Of the cards in it."""
        return [name for box in self.boxes for name in (box.ids if isinstance(box, Box) else [box.id])]


@dataclass(frozen=True)
class Scene:
    """Everything that stands in a picture: cards, operands before results; edges; and what is drawn around what."""

    cards: Sequence[Card]
    edges: Sequence[Edge]
    boxes: Sequence[Box | Card]
    downward: bool = False
    """Whether it must run from top to bottom."""

    def width(self, edge: Edge) -> float:
        """Points of an edge's line: between 1 and 4 by its share of the largest contribution."""
        if not edge.carries_gradient:
            return 0.8
        return 1 + 3 * (edge.strength / self.largest) ** 0.5 if 0 < self.largest < float("inf") else 1.0

    @functools.cached_property
    def largest(self) -> float:
        """The largest norm of a contribution."""
        return max((edge.strength for edge in self.edges), default=0.0)


def open_to(root: Group, depth: int) -> frozenset[str]:
    """The groups that are open where so many levels are shown."""
    opened, level = {root.id}, [root]
    for _ in range(depth - 1):
        level = [child for group in level for child in group.children if isinstance(child, Group)]
        opened |= {group.id for group in level}
    return frozenset(opened)


def readable_depth(root: Group) -> int:
    """The largest number of levels that can be read."""
    depth = 1
    while any(isinstance(item, Group) for item in visible(root, open_to(root, depth))):
        if sum(1 for _ in visible(root, open_to(root, depth + 1))) > READABLE:
            break
        depth += 1
    return depth


def visible(root: Group, opened: frozenset[str]) -> Iterator[Child]:
    """Closed groups, and values that are in none."""
    for child in root.children:
        if isinstance(child, Group) and child.id in opened:
            yield from visible(child, opened)
        else:
            yield child


def scene(reading: Reading, root: Group, opened: frozenset[str]) -> Scene:
    """The cards, edges and boxes of a graph whose groups with these ids are open.

    Raises GraphTooLargeError where that would be more than a picture can hold.
    """
    items = list(visible(root, opened))
    if len(items) > LARGEST_PICTURE:
        raise GraphTooLargeError(
            f"draw: {len(items):,} values and groups would be shown, and a picture of more than {LARGEST_PICTURE} "
            "cannot be read; give a smaller depth=, open single groups with expand=, or show only what lies between a "
            "tensor and the output with focus="
        )
    small = len(items) > MOST_HEAT_MAPS
    cards = {
        last: group_card(reading, item, small) if isinstance(item, Group) else deal(reading, item, small)
        for item in items
        for last in [item.id if isinstance(item, Group) else f"n{item}"]
    }
    return Scene(list(cards.values()), _edges(reading, items), _boxes(root, opened, cards))


def _boxes(group: Group, opened: frozenset[str], cards: dict[str, Card]) -> list[Box | Card]:
    return [
        Box(child.id, clean(child.name, LONGEST_TITLE), _boxes(child, opened, cards))
        if isinstance(child, Group) and child.id in opened
        else cards[child.id if isinstance(child, Group) else f"n{child}"]
        for child in group.children
    ]


def _edges(reading: Reading, items: Iterable[Child]) -> list[Edge]:
    """Every use between visible values, and one edge for all the uses between a group and its neighbour."""
    owner = {place: item for item in items for place in (item.places if isinstance(item, Group) else (item,))}
    edges: list[Edge] = []
    between: defaultdict[tuple[str, str], list[tuple[Place, int, Place]]] = defaultdict(list)
    for place, item in sorted(owner.items(), key=lambda entry: entry[0]):
        if not isinstance(item, Group) and not any(isinstance(owner.get(o), Group) for o in reading.operands[place]):
            edges += [edge for edge in uses(reading, place) if int(edge.source[1:]) in owner]
            continue
        for position, operand in enumerate(reading.operands[place]):
            source = owner.get(operand)
            if source is not None and source is not item:
                between[card_id(source), card_id(item)].append((place, position, operand))
    return edges + [_merged(reading, source, target, those) for (source, target), those in between.items()]


def _merged(reading: Reading, source: str, target: str, those: Sequence[tuple[Place, int, Place]]) -> Edge:
    """One edge for several uses."""
    passed = [reading.passed.get((place, position)) for place, position, _ in those]
    return Edge(
        f"e{source}-{target}",
        source,
        target,
        strength=sum(norm(each.value) for each in passed if each),
        carries_gradient=any(bare(reading, *use).carries_gradient for use in those),
        count=len(those),
    )


def card_id(item: Child) -> str:
    """The id of the card that stands for a value or a closed group."""
    return item.id if isinstance(item, Group) else f"n{item}"

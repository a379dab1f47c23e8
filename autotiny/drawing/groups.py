"""A graph too large to read, in groups of groups: the user's scopes, else values that belong together or are alike."""

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import numpy as np

from autotiny.drawing.reading import Place, Reading
from autotiny.engine.modes import Mark
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor

READABLE = 60
"""Values and groups that a picture shows without being asked."""
SLICES = 24
FEWEST_ALIKE = 4
SMALLEST_LIMIT = 4
"""Values that a group nobody named may always hold."""


@dataclass(eq=False)
class Group:
    """Values and smaller groups that a picture may show as one card."""

    name: str
    children: list["Group | Place"]
    alike: bool = False
    """Whether it stands for children that have the same structure."""
    stretch: bool = False
    """Whether it is no more than a part of a list that was too long."""
    id: str = ""
    places: list[Place] = field(init=False)

    def __post_init__(self) -> None:
        self.children.sort(key=last_place)
        self.places = sorted(place for child in self.children for place in places(child))

    def give_away(self, child: "Group", other: "Group") -> None:
        """Let a child stand beside this group, in another."""
        self.children.remove(child)
        self.places = [place for place in self.places if place not in set(child.places)]
        other.children.append(child)
        other.children.sort(key=last_place)


Child = Group | Place


def places(child: Child) -> Sequence[Place]:
    """The values in a child."""
    return child.places if isinstance(child, Group) else (child,)


def last_place(child: Child) -> Place:
    """Where the last value of a child stands: a group comes after what it was computed from."""
    return child.places[-1] if isinstance(child, Group) else child


def grouped(reading: Reading, among: set[Place] | None = None) -> Group:
    """All the values of a graph, or some of them, as a tree of groups none of which is too wide to read."""
    shown = range(len(reading.values)) if among is None else sorted(among)
    root = _by_scope(reading, shown)
    if len(shown) > READABLE:
        _narrow(reading, root)
    _number(root)
    return root


def _by_scope(reading: Reading, shown: Sequence[Place]) -> Group:
    paths = _paths(reading, set(shown))
    tree: dict[Any, Any] = {}
    for place in shown:
        inner = tree
        for mark in paths[place]:
            inner = inner.setdefault(mark, {})
        inner[place] = None
    return _group(str(reading.names.short(reading.output)), tree)


def _group(name: str, tree: dict[Any, Any]) -> Group:
    taken: dict[str, int] = {}
    children: list[Child] = []
    for key, inner in tree.items():
        if inner is None:
            children.append(key)
        else:
            taken[key.name] = nth = taken.get(key.name, 0) + 1
            children.append(_group(key.name if nth == 1 else f"{key.name} ({nth})", inner))
    return Group(name, children)


def _paths(reading: Reading, shown: set[Place]) -> dict[Place, tuple[Mark, ...]]:
    """The scopes of each value: those it was recorded in, and for parameters and numbers those that use them."""
    paths: dict[Place, tuple[Mark, ...]] = {}
    for place in sorted(shown, reverse=True):
        value = reading.values[place]
        around = _common([paths[consumer] for consumer in reading.consumers[place] if consumer in paths])
        if isinstance(value, Tensor) and value.op is not None:
            paths[place] = _own_path(value, around)
        elif np.ndim(value_of(value)) and not getattr(value, "requires_grad", False):
            paths[place] = ()  # data comes from outside
        else:
            paths[place] = around
    return paths


def _own_path(value: Tensor, around: tuple[Mark, ...]) -> tuple[Mark, ...]:
    own: tuple[Mark, ...] = getattr(value, "_scope", ())
    return own + tuple(takewhile(lambda mark: mark.since < value.number, around[len(own) :]))


def _common(paths: Sequence[tuple[Mark, ...]]) -> tuple[Mark, ...]:
    shared: list[Mark] = []
    for marks in zip(*paths, strict=False):
        if any(mark is not marks[0] for mark in marks):
            break
        shared.append(marks[0])
    return tuple(shared)


def _number(root: Group) -> None:
    waiting, number = [root], 0
    while waiting:
        group = waiting.pop()
        group.id, number = f"s{number}", number + 1
        waiting += [child for child in reversed(group.children) if isinstance(child, Group)]


# ----- groups that nobody named -----
def _narrow(reading: Reading, group: Group) -> None:
    """Let no group hold more than can be read: first siblings that are alike become one, then what belongs together."""
    if not (group.alike or group.stretch):
        group.children = _rolled(reading, group.children, lambda child: isinstance(child, Group))
        if len(group.children) > READABLE:
            group.children = _regions(reading, group.children)
            group.children = _rolled(reading, group.children, lambda child: not _is_constant(reading, child))
    while len(group.children) > READABLE:
        group.children = _sliced(reading, group.children)
    for child in group.children:
        if isinstance(child, Group):
            _narrow(reading, child)


def _regions(reading: Reading, children: Sequence[Child]) -> list[Child]:
    """Each result that has a name, or several uses, with the unnamed ones that serve it alone; large ones in parts."""
    alone = [child for child in children if isinstance(child, int)]
    level, size = set(alone), dict.fromkeys(alone, 1)
    limit = max(SMALLEST_LIMIT, len(alone) // SLICES)
    serving: dict[Place, Place] = {}
    for place in alone:
        uses = reading.consumers[place]
        if len(uses) == 1 and uses[0] in level and size[place] < limit and _serves(reading, place):
            serving[place] = uses[0]
            size[uses[0]] += size[place]
    head: dict[Place, Place] = {}
    members: dict[Place, list[Child]] = {}
    for place in reversed(alone):
        head[place] = head[serving[place]] if place in serving else place
        members.setdefault(head[place], []).append(place)
    regions = [_region(reading, top, of) for top, of in members.items()]
    kept = [child for child in children if isinstance(child, Group)] + regions
    return sorted(kept, key=last_place)


def _region(reading: Reading, head: Place, members: list[Child]) -> Child:
    return Group(reading.names.short(reading.values[head]), members) if len(members) > 1 else head


def _serves(reading: Reading, place: Place) -> bool:
    value = reading.values[place]
    if isinstance(value, Tensor) and value.op is not None:
        return reading.names.given(value) is None
    return not np.ndim(value_of(value)) or bool(getattr(value, "requires_grad", False))


def _rolled(reading: Reading, children: Sequence[Child], may_roll: Callable[[Child], bool]) -> list[Child]:
    """Children of the same structure at the same distance from the inputs, as one group of all of them."""
    if sum(map(may_roll, children)) < FEWEST_ALIKE:
        return list(children)
    levels = _levels(reading, children)
    alike: dict[Hashable, list[Child]] = {}
    for number, (child, level) in enumerate(zip(children, levels, strict=True)):
        key = (level, *_structure(reading, child)) if may_roll(child) else number
        alike.setdefault(key, []).append(child)
    rolled: list[Child] = []
    for those in alike.values():
        rolled += those if len(those) < FEWEST_ALIKE else [Group(_joint_name(reading, those), those, alike=True)]
    return sorted(rolled, key=last_place)


def _levels(reading: Reading, children: Sequence[Child]) -> list[int]:
    owner = {place: number for number, child in enumerate(children) for place in places(child)}
    levels = [0] * len(children)
    for number, child in enumerate(children):
        for place in places(child):
            for operand in reading.operands[place]:
                before = owner.get(operand, number)
                if before != number:
                    levels[number] = max(levels[number], levels[before] + 1)
    return levels


def _structure(reading: Reading, child: Child) -> tuple[Hashable, ...]:
    inside = {place: number for number, place in enumerate(places(child))}
    name = re.sub(r"\d+|\(.*\)|′", "", child.name) if isinstance(child, Group) else ""
    return (
        name,
        *(
            (_kind(reading.values[place]), *(inside.get(operand, -1) for operand in reading.operands[place]))
            for place in inside
        ),
    )


def _is_constant(reading: Reading, child: Child) -> bool:
    return isinstance(child, int) and not isinstance(reading.values[child], Tensor)


def _kind(value: Any) -> Hashable:
    if not isinstance(value, Tensor):
        return "constant", np.shape(value)
    return value.op.name if value.op else value.requires_grad, value.shape


def _joint_name(reading: Reading, those: Sequence[Child]) -> str:
    first, last = (
        child.name if isinstance(child, Group) else reading.names.short(reading.values[child])
        for child in (those[0], those[-1])
    )
    return first if first == last else f"{first} … {last}"


def _sliced(reading: Reading, children: Sequence[Child]) -> list[Child]:
    """Stretches of the order of recording, one after the other."""
    length = -(-len(children) // SLICES)
    stretches = [list(children[start : start + length]) for start in range(0, len(children), length)]
    return [
        Group(_joint_name(reading, those), those, stretch=True) if len(those) > 1 else those[0] for those in stretches
    ]

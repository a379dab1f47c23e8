"""What of a large graph a user asks to see."""

import operator
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from autotiny.drawing.groups import Group
from autotiny.drawing.reading import Place, Reading
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.notation.text import clean

MOST_SUGGESTED = 12
LONGEST_REPR = 40


def chosen_places(reading: Reading, focus: Any) -> set[Place] | None:
    """What lies between some tensors and the output; None where everything is asked for."""
    tensors = chosen_tensors(reading, "focus", focus)
    return reading.between([reading.places[tensor] for tensor in tensors]) if tensors else None


def chosen_tensors(reading: Reading, option: str, given: Any) -> list[Tensor]:
    """The tensors that an option was given; raises UnsupportedError for what is none, or not in the graph."""
    tensors = _listed(given)
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise UnsupportedError(_no_tensor(reading, option, tensor))
        if tensor not in reading.places:
            name, output = reading.names.given(tensor) or type(tensor).__name__, reading.names.short(reading.output)
            raise UnsupportedError(
                f"draw: {option}={name}: {output} does not depend on it; {output} is made of {_known(reading)}"
            )
    return tensors


def _listed(given: Any) -> list[Any]:
    is_single = isinstance(given, Tensor | str) or not isinstance(given, Iterable)
    return [given] if is_single else list(given)


def _no_tensor(reading: Reading, option: str, given: Any) -> str:
    return (
        f"draw: {option}: expected a Tensor of the graph, or a list of them; got {_told(given)}; "
        f"pass the variable itself: {_known(reading)}"
    )


def _known(reading: Reading) -> str:
    """The values that have a name of the user's own."""
    named = [
        name for tensor in reading.places if tensor is not reading.output and (name := reading.names.given(tensor))
    ]
    shown = [clean(name, LONGEST_REPR) for name in named[:MOST_SUGGESTED]]
    return ", ".join(shown + ["…"] * (len(named) > len(shown))) or "values without names"


def _told(given: Any) -> str:
    return f"{type(given).__name__} {clean(repr(given), LONGEST_REPR)}"


def chosen_depth(depth: Any) -> int:
    """How many levels of groups to show; raises UnsupportedError for anything but a whole number from 1."""
    try:
        levels = operator.index(depth)
    except TypeError:
        levels = 0
    if levels < 1:
        raise UnsupportedError(
            f"draw: depth: expected a whole number from 1, the levels of groups to show; "
            f"got {_told(depth)}; without depth, as many are shown as can be read"
        )
    return levels


def chosen_groups(root: Group, expand: str | Sequence[str]) -> frozenset[str]:
    """The ids of the groups with these names, "neuron 3" or "layer 1/neuron 3", and of those around them.

    A group chosen among others that are alike stands beside them from now on.
    """
    names = _listed(expand)
    found = _by_name(root) if names else {}
    opened: set[str] = set()
    for name in names:
        if not isinstance(name, str):
            raise UnsupportedError(f"draw: expand: expected the name of a group as text; got {_told(name)}")
        if name not in found:
            there = ", ".join([known for known in found if "/" not in known][:MOST_SUGGESTED]) or "none"
            raise UnsupportedError(f"draw: expand={name!r}: there is no such group; groups here: {there}")
        for path in found[name]:
            opened.update(group.id for group in _set_apart(path))
    return frozenset(opened)


def _by_name(root: Group) -> dict[str, list[list[Group]]]:
    """The way from the root to each group, by its name and by its name with those of the groups around it."""
    found: dict[str, list[list[Group]]] = {}
    waiting = [[root]]
    while waiting:
        path = waiting.pop()
        names = [group.name for group in path[1:] if not group.alike or group is path[-1]]
        for start in range(len(names)):
            found.setdefault("/".join(names[start:]), []).append(path)
        waiting += [[*path, child] for child in reversed(path[-1].children) if isinstance(child, Group)]
    return found


def _set_apart(path: list[Group]) -> list[Group]:
    """The groups on the way, without those of groups that are alike: what is chosen leaves them."""
    kept = path[:1]
    for group, inner in pairwise(path):
        if group.alike and inner in group.children:
            kept.pop()
            group.give_away(inner, kept[-1])
        kept.append(inner)
    return kept

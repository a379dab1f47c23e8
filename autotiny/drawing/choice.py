"""What of a large graph a user asks to see."""

from collections.abc import Sequence
from itertools import pairwise

from autotiny.drawing.groups import Group
from autotiny.drawing.reading import Place, Reading
from autotiny.errors import UnsupportedError
from autotiny.tensor import Tensor

MOST_SUGGESTED = 12


def chosen_places(reading: Reading, focus: Tensor | Sequence[Tensor]) -> set[Place] | None:
    """What lies between some tensors and the output; None where everything is asked for."""
    tensors = [focus] if isinstance(focus, Tensor) else list(focus)
    for tensor in tensors:
        if tensor not in reading.places:
            name = reading.names.given(tensor) or type(tensor).__name__
            raise UnsupportedError(f"draw: focus={name}: {reading.names.short(reading.output)} does not depend on it")
    return reading.between([reading.places[tensor] for tensor in tensors]) if tensors else None


def chosen_groups(root: Group, expand: str | Sequence[str]) -> frozenset[str]:
    """The ids of the groups with these names, "neuron 3" or "layer 1/neuron 3", and of those around them.

    A group chosen among others that are alike stands beside them from now on.
    """
    found = _by_name(root) if expand else {}
    opened: set[str] = set()
    for name in [expand] if isinstance(expand, str) else expand:
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

"""What of a large graph a user asks to see."""

from collections.abc import Sequence

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
    """The ids of the groups with these names, and of those around them."""
    around: dict[str, list[tuple[str, ...]]] = {}
    waiting: list[tuple[Group, tuple[str, ...]]] = [(root, ())]
    while waiting:
        group, outer = waiting.pop()
        around.setdefault(group.name, []).append((*outer, group.id))
        waiting += [(child, (*outer, group.id)) for child in group.children if isinstance(child, Group)]
    opened: set[str] = set()
    for name in [expand] if isinstance(expand, str) else expand:
        if name not in around:
            there = ", ".join(sorted(set(around) - {root.name})[:MOST_SUGGESTED]) or "none"
            raise UnsupportedError(f"draw: expand={name!r}: there is no such group; groups here: {there}")
        opened.update(*around[name])
    return frozenset(opened)

"""The part of a large graph that a picture shows: what the user asked for, and which groups are open."""

import operator
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.drawing.groups import FEW, READABLE, Child, Group
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.notation.text import clean

MOST_SUGGESTED = 12
LONGEST_REPR = 40


# ----- open groups -----
def open_to(root: Group, depth: int) -> frozenset[str]:
    """Return the ids of the groups that are open when so many levels are shown; lines are a level below all others."""
    opened, level = {root.id}, [root]
    for _ in range(depth - 1):
        level = [child for group in level for child in group.children if isinstance(child, Group) and not child.is_line]
        if not level:
            return frozenset(group.id for group in groups_within(root))
        opened |= {group.id for group in level}
    return frozenset(opened)


def readable_depth(root: Group) -> int:
    """Return the largest number of levels that can be read, of all but the lines."""
    depth = 1
    while any(isinstance(item, Group) and not item.is_line for item in visible(root, open_to(root, depth))):
        shown = list(visible(root, open_to(root, depth)))
        limit = FEW if len(shown) > 1 and any(isinstance(item, Group) and item.formed for item in shown) else READABLE
        if sum(1 for _ in visible(root, open_to(root, depth + 1))) > limit:
            break
        depth += 1
    return depth


def groups_within(root: Group) -> list[Group]:
    """Return a group, and all groups in it."""
    groups = [root]
    for group in groups:  # the loop appends to the list
        groups += [child for child in group.children if isinstance(child, Group)]
    return groups


def visible(root: Group, opened: frozenset[str]) -> Iterator[Child]:
    """Yield the closed groups, and the values that are in none of them."""
    for child in root.children:
        if isinstance(child, Group) and child.id in opened:
            yield from visible(child, opened)
        else:
            yield child


def card_id(item: Child) -> str:
    """Return the id of the card of a value or of a closed group."""
    return item.id if isinstance(item, Group) else f"n{item}"


# ----- the options of draw -----
def chosen_nodes(graph: GraphView, focus: Any) -> set[NodeId] | None:
    """Return the values between some tensors and the output; None where there are no tensors."""
    tensors = chosen_tensors(graph, "focus", focus)
    return graph.between([graph.ids[tensor] for tensor in tensors]) if tensors else None


def chosen_tensors(graph: GraphView, option: str, value: Any) -> list[Tensor]:
    """Return the tensors that an option names.

    Raises UnsupportedError for anything but tensors of the graph.
    """
    tensors = _as_list(value)
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise UnsupportedError(
                f"draw: {option}: expected a Tensor of the graph, or a list of them; got {_repr(tensor)}; "
                f"pass the variable itself: {_known(graph)}"
            )
        if tensor not in graph.ids:
            name, output = graph.names.users_name(tensor) or type(tensor).__name__, graph.names.short(graph.output)
            raise UnsupportedError(
                f"draw: {option}={name}: {output} does not depend on it; {output} is made of {_known(graph)}"
            )
    return tensors


def _as_list(value: Any) -> list[Any]:
    is_single = isinstance(value, Tensor | str) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0
    return [value] if is_single else list(value)


def _known(graph: GraphView) -> str:
    """Return the names that the user gave to values of the graph."""
    named = [name for tensor in graph.ids if tensor is not graph.output and (name := graph.names.users_name(tensor))]
    shown = [clean(name, LONGEST_REPR) for name in named[:MOST_SUGGESTED]]
    return ", ".join(shown + ["…"] * (len(named) > len(shown))) or "values without names"


def _repr(value: Any) -> str:
    return f"{type(value).__name__} {clean(repr(value), LONGEST_REPR)}"


def chosen_depth(depth: Any) -> int:
    """Return the number of levels of groups to show.

    Raises UnsupportedError for anything but a whole number from 1.
    """
    try:
        levels = operator.index(depth)
    except TypeError:
        levels = 0
    if levels < 1:
        raise UnsupportedError(
            f"draw: depth: expected a whole number from 1, the levels of groups to show; "
            f"got {_repr(depth)}; without depth, as many are shown as can be read"
        )
    return levels


def chosen_groups(root: Group, expand: str | Sequence[str]) -> frozenset[str]:
    """Return the ids of the groups with these names, "neuron 3" or "layer 1/neuron 3", and of those around them.

    A group that is chosen out of several alike is moved out of their common group, beside it.

    Raises UnsupportedError for a name that no group has.
    """
    names = _as_list(expand)
    paths = _paths_by_name(root) if names else {}
    opened: set[str] = set()
    for name in names:
        if not isinstance(name, str):
            raise UnsupportedError(f"draw: expand: expected the name of a group as text; got {_repr(name)}")
        if name not in paths:
            scopes_first = sorted(paths, key=lambda name: paths[name][0][-1].is_line)
            known = ", ".join([name for name in scopes_first if "/" not in name][:MOST_SUGGESTED]) or "none"
            raise UnsupportedError(f"draw: expand={name!r}: there is no such group; groups here: {known}")
        for path in paths[name]:
            opened.update(group.id for group in _set_apart(path))
    return frozenset(opened)


def _paths_by_name(root: Group) -> dict[str, list[list[Group]]]:
    """Return the path from the root to each group, by its name alone and by its name after those of outer groups."""
    paths: dict[str, list[list[Group]]] = {}
    waiting = [[root]]
    while waiting:
        path = waiting.pop()
        apart = [group for group in path[1:] if not group.alike or group is path[-1]]
        for name in dict.fromkeys(_suffixes(path[1:]) + _suffixes(apart)):
            paths.setdefault(name, []).append(path)
        waiting += [[*path, child] for child in reversed(path[-1].children) if isinstance(child, Group)]
    return paths


def _suffixes(path: Sequence[Group]) -> list[str]:
    """Return the names of a group after none, some and all of the groups around it."""
    return ["/".join(group.name for group in path[start:]) for start in range(len(path))]


def _set_apart(path: list[Group]) -> list[Group]:
    """Return the groups of a path without groups of children alike: the chosen child is moved out of them."""
    kept = path[:1]
    for group, inner in pairwise(path):
        if group.alike and inner in group.children:
            kept.pop()
            group.give_away(inner, kept[-1])
        kept.append(inner)
    return kept

"""The contents of closed groups, as lists: a page of thousands of groups cannot have a picture of each."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autotiny.drawing.card import LONGEST_TITLE
from autotiny.drawing.graph_view import GraphView
from autotiny.drawing.groups import Child, Group, last_node
from autotiny.drawing.lines import expression_of
from autotiny.drawing.selection import card_id
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.notation.numbers import summarise, typeset
from autotiny.notation.text import clean

MOST_ROWS = 100
"""The number of values and groups of one group that are listed."""


def contents(graph: GraphView, items: Iterable[Child], most_bytes: int) -> dict[str, Any]:
    """Return, by the id of each closed group among some items, and of those in it, what it holds.

    Those that are nearest to the picture come first, as many as there is room for.
    """
    waiting = [item for item in items if isinstance(item, Group) and item.result is None]
    found: dict[str, Any] = {}
    for group in waiting:  # the loop appends to the list
        held = contents_of(graph, group)
        most_bytes -= len(json.dumps(held))
        if most_bytes < 0:
            break
        found[group.id] = held
        waiting += [child for child in group.children if isinstance(child, Group) and child.result is None]
    return found


def contents_of(graph: GraphView, group: Group) -> dict[str, Any]:
    """Return the name of a group, and a row for each value and group in it: card, name, origin, value and gradient."""
    known = [child for child in group.children if not _is_number(graph, child)]  # a formula has the number itself
    children = known[:MOST_ROWS]
    return {
        "name": clean(group.name, LONGEST_TITLE),
        "more": len(known) - len(children),
        "members": [_row(graph, child) for child in children],
    }


def _is_number(graph: GraphView, child: Child) -> bool:
    value = None if isinstance(child, Group) else graph.values[child]
    return value is not None and not isinstance(value, Tensor) and np.size(value) == 1


def _row(graph: GraphView, child: Child) -> Sequence[str]:
    node = last_node(child)
    value, gradient = graph.values[node], graph.gradients.get(node)
    if isinstance(child, Group):
        name, origin = clean(child.name, LONGEST_TITLE), f"⊞ {len(child.nodes):,} values"
        if child.result is not None:
            origin = expression_of(graph, child)
    else:
        name = graph.names.short(value)
        origin = graph.names.formula(value) if getattr(value, "op", None) is not None else ""
    shown = [typeset(summarise(x, small=True).text) for x in (value_of(value), gradient) if x is not None]
    return [card_id(child), name, origin, *shown]

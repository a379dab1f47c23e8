"""The data of "look closer": the entries of each card's value and gradient, and the chain rule of each entry.

It is JSON in a page, which templates/closer.js shows. A page holds at most `MOST_BYTES` of it, whatever the sizes of
the arrays: beyond that it has an excerpt of each array, its first rows and columns, and says so.
"""

import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.drawing.contents import contents
from autotiny.drawing.edge import derivative, is_more, is_past
from autotiny.drawing.entry_rule import Passage, Terms, entry_terms, through_line, through_operation
from autotiny.drawing.graph_view import LONGEST_NAME, GraphView, NodeId
from autotiny.drawing.groups import Child, Group, last_node
from autotiny.drawing.line_rule import line_derivative
from autotiny.drawing.lines import expression_of
from autotiny.drawing.selection import card_id
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.notation.text import clean
from autotiny.ops.outputs import Outputs, in_a_row

Json = dict[str, Any]
Use = tuple[NodeId, int]
Owners = Mapping[NodeId, Group]
"""The line that a value belongs to."""
NO_LINES: Owners = {}

MOST_BYTES = 300_000
"""The size of the data of a page."""
LARGEST, SMALLEST = 2500, 4
"""The largest numbers of entries of one array, where there is much room and where there is little."""
BYTES_OF_ENTRY = 40
"""What an entry with its gradient and its terms takes, about."""
BYTES_OF_CARD = 600
"""What a card takes, about: where there are too many, the first have data."""
MOST_TERMS = 24
"""The number of terms of an entry's contribution that are listed; the smallest of more are summed."""
MOST_USES = 12
"""The number of uses of a value that are listed; the contributions of more are summed."""
MOST_WORK = 5_000_000
"""The number of entries of arrays that are computed to find the terms of one use."""
DIGITS = 5


def closer_data(
    graph: GraphView, items: Iterable[Child], lines: Iterable[Group] = (), most_bytes: int = MOST_BYTES
) -> str:
    """Return the data of some values, and the contents of some groups, as the text of a hidden element.

    The chain rule passes through each of these lines at once.
    """
    items = list(items)
    groups = contents(graph, items, most_bytes // 2)
    few = items[: most_bytes // BYTES_OF_CARD]
    shown = {card_id(item): last_node(item) for item in few if card_id(item) not in groups}
    nodes, owners = list(dict.fromkeys(shown.values())), {node: line for line in lines for node in line.nodes}
    aliases = {card: f"n{node}" for card, node in shown.items() if card != f"n{node}"}
    sizes = [_entries(graph.values[node]).size for node in nodes]
    limit = LARGEST
    while limit > SMALLEST and sum(min(size, limit) for size in sizes) * BYTES_OF_ENTRY > most_bytes:
        limit = limit * 3 // 4
    cards = _cards(graph, nodes, owners, limit)
    while len(cards) > most_bytes and (limit > SMALLEST or len(nodes) > 1):
        if limit > SMALLEST:
            limit = max(int(0.9 * limit * most_bytes / len(cards)), SMALLEST)
        else:
            nodes = nodes[: int(0.9 * len(nodes) * most_bytes / len(cards))]
        cards = _cards(graph, nodes, owners, limit)
    others = json.dumps({"aliases": aliases, "groups": groups}, separators=(",", ":"))
    text = f'{{"cards":{cards},{others[1:]}'
    return html.escape(text, quote=False)


def data_of_card(graph: GraphView, items: Iterable[Child], lines: Iterable[Group], card: str) -> Json:
    """Return the data of one card, or of a value inside of one, by its id.

    Raises UnsupportedError for another id.
    """
    items = list(items)
    if card in (groups := contents(graph, items, MOST_BYTES)):
        held: Json = groups[card]
        return held
    shown = {card_id(item): last_node(item) for item in items}
    shown |= {f"n{node}": node for node in range(len(graph.values))}
    if card not in shown:
        raise UnsupportedError(f"draw: {clean(card, LONGEST_NAME)!r} is not the card of a value")
    return card_data(graph, shown[card], {node: line for line in lines for node in line.nodes})


def _cards(graph: GraphView, nodes: Sequence[NodeId], owners: Owners, limit: int) -> str:
    return json.dumps({f"n{node}": card_data(graph, node, owners, limit) for node in nodes}, separators=(",", ":"))


def card_data(graph: GraphView, node: NodeId, owners: Owners = NO_LINES, limit: int = LARGEST) -> Json:
    """Return what is shown of one value, in arrays of at most that many entries."""
    value = graph.values[node]
    entries, excerpt = _entries(value), Excerpt(np.shape(_entries(value)), limit)
    data: Json = {
        "name": graph.names.short(value),
        "formula": _formula(graph, node, owners),
        "shape": list(entries.shape),
        "value": excerpt.numbers(entries),
    }
    if excerpt.is_cut:
        data |= {"rows": excerpt.rows, "columns": excerpt.columns}
    return data | (_gradient(graph, node, owners, excerpt) if isinstance(value, Tensor) else {})


def _formula(graph: GraphView, node: NodeId, owners: Owners) -> str:
    line = owners.get(node)
    if line is not None and line.result == node:
        return expression_of(graph, line)
    return graph.names.formula(graph.values[node]) if getattr(graph.values[node], "op", None) is not None else ""


def _entries(value: Any) -> Any:
    """Return a value as one array; of several outputs, all entries in a row."""
    value = value_of(value)
    return in_a_row(value) if isinstance(value, Outputs) else np.asarray(value)


class Excerpt:
    """The first rows and columns of arrays of a shape, their leading axes taken together as rows."""

    def __init__(self, shape: tuple[int, ...], limit: int) -> None:
        columns = shape[-1] if shape else 1
        rows = math.prod(shape[:-1])
        self.size, self.width = math.prod(shape), columns
        self.columns = min(columns, max(math.isqrt(limit), limit // max(rows, 1)))
        self.rows = min(rows, limit // max(self.columns, 1))

    @property
    def is_cut(self) -> bool:
        """Whether there are more entries."""
        return self.rows * self.columns < self.size

    @property
    def places(self) -> list[int]:
        """The places of the entries in C order."""
        return [row * self.width + column for row in range(self.rows) for column in range(self.columns)]

    def numbers(self, array: Any) -> Any:
        """Return the entries of an array."""
        return _numbers(np.ravel(array)[self.places])


def _numbers(entries: Any) -> Any:
    """Return entries to a few digits, or the only one that there is."""
    numbers = [_number(x) for x in np.asarray(entries).tolist()]
    return numbers[0] if len(numbers) > 1 and all(x == numbers[0] for x in numbers) else numbers


def _number(x: Any) -> Any:
    if isinstance(x, complex):
        return f"{x:.{DIGITS}g}"
    if not math.isfinite(x):
        return str(float(x))
    short = float(f"{x:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e9 else short


# ----- the gradient and the chain rule -----
def _gradient(graph: GraphView, node: NodeId, owners: Owners, excerpt: Excerpt) -> Json:
    value, gradient = graph.values[node], graph.gradients.get(node)
    of = graph.names.short(graph.output)
    if not value.requires_grad:
        return {}
    if gradient is None:
        return {"of": of, "missing": True}
    paths = graph.paths(node)
    earlier = bool(paths) and is_more(gradient, [_entries(graph.contributions[use].value) for use in paths])
    ways = _by_line(paths, node, owners)
    uses = [use for way in ways[:MOST_USES] for use in _through(graph, node, owners, way, excerpt)]
    if len(uses) == 1 and not earlier:
        del uses[0]["contribution"]  # it is the gradient
    data: Json = {"of": of, "gradient": excerpt.numbers(_entries(gradient)), "uses": uses}
    if others := [use for way in ways[MOST_USES:] for use in way]:
        total = sum(np.asarray(_entries(graph.contributions[use].value)) for use in others)
        data["others"] = {"count": len(others), "contribution": excerpt.numbers(total)}
    return data | ({"seed": True} if value is graph.output else {}) | ({"earlier": True} if earlier else {})


def _by_line(paths: Sequence[Use], node: NodeId, owners: Owners) -> list[list[Use]]:
    """Return the uses of a value, those by a line of others together."""
    ways: dict[Any, list[Use]] = {}
    for use in paths:
        line = owners.get(use[0])
        ways.setdefault(use if line is None or node in line.nodes else line, []).append(use)
    return list(ways.values())


def _through(graph: GraphView, node: NodeId, owners: Owners, uses: list[Use], excerpt: Excerpt) -> list[Json]:
    """Return what uses by one line contribute: through the line at once, or where that cannot be, use by use."""
    line = owners.get(uses[0][0])
    if line is not None and node not in line.nodes and not any(is_past(graph.values[n], p) for n, p in uses):
        assert line.result is not None
        together = _use(graph, line.result, owners, through_line(graph, line, node, uses), excerpt)
        if -1 not in np.ravel(together["counts"]):
            local = line_derivative(graph, line, node)
            return [together | {"card": line.id} | ({"rule": local.rule, "g": local.arriving} if local else {})]
    return [_one_use(graph, use, excerpt) for use in uses]


def _one_use(graph: GraphView, use: Use, excerpt: Excerpt) -> Json:
    node, position = use
    local, result = derivative(graph, node, position), graph.values[node]
    data = _use(graph, node, NO_LINES, through_operation(graph, use), excerpt)
    data |= {"rule": local.rule, "g": local.arriving} if local else {}
    return data | ({"past": result._stable.op.name} if is_past(result, position) else {})


def _use(graph: GraphView, result: NodeId, owners: Owners, passage: Passage, excerpt: Excerpt) -> Json:
    """Return the terms that one use of a value contributes to its gradient, and their sums."""
    data: Json = {
        "card": f"n{result}",
        "name": graph.names.short(graph.values[result]),
        "formula": _formula(graph, result, owners),
        "shape": list(np.shape(_entries(graph.values[result]))),
        "contribution": excerpt.numbers(_entries(passage.contribution)),
    }
    work = passage.operations * (np.size(passage.contribution) + np.size(passage.arriving))
    listed = excerpt.places[: max(MOST_WORK // max(work, 1), 1)]
    data |= _listed(listed, entry_terms(passage, listed))
    if len(set(data["counts"])) == 1 and len(listed) == len(excerpt.places):
        data["counts"] = data["counts"][0]
    return data


def _listed(places: Sequence[int], terms: Sequence[Terms | None]) -> Json:
    """Return the terms of these entries one after another, and how many each has; -1 for an entry that is no sum."""
    kept = [t and _largest(t) for t in terms]
    data: Json = {"counts": [-1 if t is None else len(t.places) for t in kept]}
    known = [t for t in kept if t is not None]
    at = np.concatenate([t.places for t in known]) if known else np.array([], int)
    of = [k for k, t in zip(places, kept, strict=True) if t is not None for _ in t.places]
    if at.tolist() != of:
        data["places"] = at.tolist()
    for name in ("arriving", "slopes"):
        data[name] = _numbers(np.concatenate([getattr(t, name) for t in known])) if known else []
    rest = {
        i: [len(t.places) - MOST_TERMS, _number(float(np.sum(t.products) - np.sum(k.products)))]
        for i, (t, k) in enumerate(zip(terms, kept, strict=True))
        if t is not None and k is not None and len(t.places) > MOST_TERMS
    }
    return data | ({"rest": rest} if rest else {})


def _largest(terms: Terms) -> Terms:
    """Return the terms that are largest, in the order of their places."""
    if len(terms.places) <= MOST_TERMS:
        return terms
    largest = np.sort(np.argsort(-np.abs(terms.products), kind="stable")[:MOST_TERMS])
    return Terms(*(part[largest] for part in terms))

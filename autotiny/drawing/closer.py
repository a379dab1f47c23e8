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

from autotiny.drawing.edge import derivative, used_by
from autotiny.drawing.entry_rule import Terms, entry_terms
from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.drawing.groups import Child, Group, last_node
from autotiny.drawing.selection import card_id
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops.outputs import Outputs, in_a_row

Json = dict[str, Any]
Use = tuple[NodeId, int]

MOST_BYTES = 300_000
"""The size of the data of a page."""
LARGEST, SMALLEST = 2500, 4
"""The largest numbers of entries of one array, where there is much room and where there is little."""
BYTES_OF_ENTRY = 14
"""What an entry with its gradient takes at least."""
MOST_TERMS = 24
"""The number of terms of an entry's contribution that are listed; the smallest of more are summed."""
MOST_WORK = 20_000_000
"""The number of entries of arrays that are computed to find the terms of one use."""
DIGITS = 5


def closer_data(graph: GraphView, items: Iterable[Child], most_bytes: int = MOST_BYTES) -> str:
    """Return the data of some values, and of the last values of some groups, as the text of a hidden element."""
    items = list(items)
    shown = {card_id(item): last_node(item) for item in items if not (isinstance(item, Group) and item.alike)}
    nodes = sorted(set(shown.values()))
    aliases = {card: f"n{node}" for card, node in shown.items() if card != f"n{node}"}
    sizes = [_entries(graph.values[node]).size for node in nodes]
    limit = LARGEST
    while limit > SMALLEST and sum(min(size, limit) for size in sizes) * BYTES_OF_ENTRY > most_bytes:
        limit //= 2
    text = _as_json(graph, nodes, aliases, limit)
    while len(text) > most_bytes and limit > SMALLEST:
        limit = max(int(0.95 * limit * most_bytes / len(text)), SMALLEST)
        text = _as_json(graph, nodes, aliases, limit)
    return html.escape(text, quote=False)


def _as_json(graph: GraphView, nodes: Sequence[NodeId], aliases: Mapping[str, str], limit: int) -> str:
    cards = {f"n{node}": card_data(graph, node, limit) for node in nodes}
    return json.dumps({"cards": cards, "aliases": aliases}, separators=(",", ":"))


def card_data(graph: GraphView, node: NodeId, limit: int = LARGEST) -> Json:
    """Return what is shown of one value, in arrays of at most that many entries."""
    value = graph.values[node]
    entries, excerpt = _entries(value), Excerpt(np.shape(_entries(value)), limit)
    is_result = isinstance(value, Tensor) and value.op is not None
    data: Json = {
        "name": graph.names.short(value),
        "formula": graph.names.formula(value) if is_result else "",
        "shape": list(entries.shape),
        "value": excerpt.numbers(entries),
    }
    if excerpt.is_cut:
        data |= {"rows": excerpt.rows, "columns": excerpt.columns}
    return data | (_gradient(graph, node, excerpt) if isinstance(value, Tensor) else {})


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
def _gradient(graph: GraphView, node: NodeId, excerpt: Excerpt) -> Json:
    value, gradient = graph.values[node], graph.gradients.get(node)
    of = graph.names.short(graph.output)
    if not value.requires_grad:
        return {}
    if gradient is None:
        return {"of": of, "missing": True}
    paths = graph.paths(node)
    is_more = bool(paths) and _is_more(gradient, [graph.contributions[use].value for use in paths])
    uses = [_use(graph, use, excerpt, is_all=len(paths) == 1 and not is_more) for use in paths]
    data: Json = {"of": of, "gradient": excerpt.numbers(_entries(gradient)), "uses": uses}
    return data | ({"seed": True} if value is graph.output else {}) | ({"earlier": True} if is_more else {})


def _is_more(gradient: Any, contributions: Sequence[Any]) -> bool:
    """Whether a gradient has more in it than these contributions, as after several backward passes."""
    gradient, total = np.asarray(gradient), sum(np.asarray(_entries(c)) for c in contributions)
    return not np.allclose(gradient, total, rtol=1e-5, atol=0, equal_nan=True)


def _use(graph: GraphView, use: Use, excerpt: Excerpt, is_all: bool) -> Json:
    """Return the terms that one use of a value contributes to its gradient; their sums, unless they are all of it."""
    node, position = use
    result, c, local = graph.values[node], graph.contributions[use], derivative(graph, node, position)
    form, _ = used_by(result, position)
    data: Json = {"card": f"n{node}", "name": graph.names.short(result), "formula": graph.names.formula(result)}
    data["shape"] = list(np.shape(_entries(result)))
    data |= {"rule": local.rule, "g": local.arriving} if local else {}
    data |= {} if form is result else {"past": form.op.name}
    listed = excerpt.places[: max(MOST_WORK // max(np.size(c.value) + np.size(c.pulled), 1), 1)]
    data |= {} if is_all else {"contribution": excerpt.numbers(_entries(c.value))}
    data |= _listed(listed, entry_terms(graph, use, listed))
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

"""The picture of a recorded graph: `draw` takes it, and it shows itself in a notebook, in a file and as text."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from autotiny.drawing.both import BackwardPart, GradientGraph, gradient_names, require_tracked
from autotiny.drawing.card import Card
from autotiny.drawing.closer import MOST_BYTES, Json, closer_data, data_of_card
from autotiny.drawing.composition import Composition
from autotiny.drawing.dot import dot
from autotiny.drawing.edge import Edge
from autotiny.drawing.figure import figure, in_a_cell
from autotiny.drawing.graph_view import GraphView
from autotiny.drawing.groups import Child, group_values
from autotiny.drawing.label import GRADIENT_LINK
from autotiny.drawing.lines import is_shown_in_lines, put_gradients_into_lines, put_into_lines
from autotiny.drawing.render import GraphvizMissingError, render
from autotiny.drawing.scene import Scene
from autotiny.drawing.selection import (
    chosen_depth,
    chosen_groups,
    chosen_nodes,
    chosen_tensors,
    open_to,
    readable_depth,
)
from autotiny.drawing.stepping import SteppingPicture
from autotiny.drawing.style import (
    SMALLEST_TEXT,
    Direction,
    Style,
    chosen_digits,
    chosen_direction,
    chosen_text_size,
)
from autotiny.engine.call_site import caller_scope
from autotiny.engine.graph import topological_order
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.files import file_named
from autotiny.notation.text import aligned

FORMATS = (".svg", ".png", ".pdf", ".dot", ".html")
SHARP = "192"
"""The dots per inch of a PNG: twice what a page shows, for screens that have them."""
MOST_IN_A_CELL = 100_000
"""The number of bytes that the entries of the cards take in a notebook."""
HEADINGS = ("name", "is", "shape", "value", "gradient")


class Picture(Composition):
    """A graph as it was when the picture was taken; shows itself in a notebook, and as text in a terminal."""

    @property
    def table(self) -> str:
        """The graph as an aligned table, operands before results."""
        return table(self.cards)

    @property
    def tree(self) -> str:
        """The graph as a tree, results before operands."""
        return tree(self.cards, self.edges)

    @property
    def steps(self) -> SteppingPicture:
        """The picture with its steps, forward and back: a page with a slider, an SVG that plays by itself, or text."""
        return SteppingPicture(self)

    @property
    def static(self) -> "StaticPicture":
        """The picture as an image, for a committed notebook: a code forge shows images too."""
        return StaticPicture(self)

    def save(self, path: str | Path) -> None:
        """Write the picture to a .svg, .png, .pdf or .dot file, or to an .html file that steps.

        Raises ValueError for another ending, UnsupportedError for what is not a file name, GraphvizMissingError where
        there is no Graphviz.
        """
        path, ending = file_named(path, FORMATS, f"draw: expected a file name that ends in one of {', '.join(FORMATS)}")
        if ending == ".html":
            self.steps.save(path)
        else:
            path.write_bytes(self._encode(ending))

    @property
    def figure(self) -> str:
        """The picture as a figure of a page, which zooms and whose cards open; see drawing/figure.py."""
        return figure(self.svg, self._entries())

    def entries(self, card: str) -> Json:
        """The entries of a card's value and gradient with their chain rule, as drawing/closer.py describes them."""
        return data_of_card(self.graph, self.items, self.lines, card)

    def _entries(self, most_bytes: int = MOST_BYTES) -> str:
        return closer_data(self.graph, self.items, self.lines, most_bytes)

    def _encode(self, ending: str) -> bytes:
        if ending in (".svg", ".dot"):
            return (self.svg if ending == ".svg" else self.dot).encode()
        source = dot(self.scene, dpi=SHARP) if ending == ".png" else self.dot
        return render(source.replace(GRADIENT_LINK, ""), ending[1:])

    def __repr__(self) -> str:
        """The graph as a table and as a tree, which needs no Graphviz."""
        return f"{self.table}\n\n{self.tree}" if self.edges else self.table

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return _bundle(self, "text/html", lambda: in_a_cell(self.svg, self._entries(MOST_IN_A_CELL)))


class PictureOfBoth(Picture):
    """A graph and beside it the graph of its gradients; its steps are those of the graph alone."""

    def __init__(self, alone: Picture, gradients: GradientGraph, scope: Mapping[str, Any]) -> None:
        self.alone, self.gradients = alone, gradients
        output = alone.graph.output
        order = topological_order(output, *gradients.wanted)
        graph = GraphView(order, scope, output, gradient_names(alone.graph, gradients, alone.items))
        self.backward = BackwardPart(graph, gradients, alone)
        super().__init__(graph, alone.root, alone.opened)

    def _compose(self) -> Scene:
        return self.backward.scene()

    @property
    def items(self) -> Sequence[Child]:
        """The values, then the gradients."""
        return [*self.alone.items, *self.backward.items]

    @property
    def steps(self) -> SteppingPicture:
        """The graph without its gradients, with its steps."""
        return self.alone.steps


class StaticPicture:
    """A picture that a notebook holds as an image."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    def __repr__(self) -> str:
        """The graph as text."""
        return repr(self.picture)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return _bundle(self.picture, "image/svg+xml", lambda: self.picture.svg)


def _bundle(picture: Picture, kind: str, shown: Callable[[], str]) -> Mapping[str, str]:
    try:
        return {kind: shown(), "text/plain": repr(picture)}
    except GraphvizMissingError as missing:
        return {"text/plain": f"{picture!r}\n\n{missing}"}


def draw(
    output: Any,
    *,
    depth: int | None = None,
    expand: str | Sequence[str] = (),
    focus: Tensor | Sequence[Tensor] = (),
    gradients: Tensor | Sequence[Tensor] = (),
    direction: Direction | None = None,
    constants: bool = True,
    highlight: Tensor | Sequence[Tensor] = (),
    legend: bool = False,
    digits: int | None = None,
    text_size: float = SMALLEST_TEXT,
) -> Picture:
    """Return a picture of the graph that leads to a tensor: names, operations, shapes, values and gradients.

    Names are the tensors' own, else those of the caller's variables. A graph of more than 60 values is shown in groups:
    those of `at.scope`, else values that belong together or are alike. `depth` says how many levels of groups to show,
    `expand` opens single groups by their names, `focus` shows only what lies between some tensors and the output.
    A call that was recorded as several operations, such as y = np.mean(x), is one card, which expand="y" opens.
    `gradients` draws beside the graph that of the gradients of some tensors, each operation linked to those that its
    rules recorded.

    For a slide: `direction` is "across" or "down", `constants=False` leaves out what is neither computed nor a Tensor,
    `highlight` colours the ways from some tensors to the output, `legend` explains the signs below the graph. Numbers
    have `digits` significant ones (4, and 3 where there are several), and the smallest text has `text_size` points (9).

    In a notebook and on a page, a click on a card, or Enter, opens its value and gradient entry by entry, each with its
    chain rule.

    For a function compiled by at.compile, the picture shows the formula that its program computes.

    Raises UnsupportedError for anything but a Tensor, and for a group or a tensor that is not there, GraphTooLargeError
    where more than 400 values and groups would be shown.

    >>> import autotiny as at
    >>> x = at.Tensor(3.0, name="x")
    >>> y = x * x
    >>> y.backward()
    >>> at.draw(y)
    name  is        shape  value  gradient
    x     variable  ()     3      6 = Σ 2
    y     x * x     ()     9      1
    <BLANKLINE>
    y = x * x  9  grad 1
    ├─ x       3  grad 6
    └─ x ↑
    """
    if hasattr(output, "graph"):  # a function compiled by at.compile
        output = output.graph()
    if not isinstance(output, Tensor):
        got = type(output).__name__
        raise UnsupportedError(f"draw: expected a Tensor; got {got}, which has no graph: compute it from an at.Tensor")
    scope = caller_scope()
    graph = GraphView(topological_order(output), scope)
    into_lines = put_into_lines if is_shown_in_lines(graph) else put_gradients_into_lines
    among = chosen_nodes(graph, focus)
    if not constants:
        among = set(range(len(graph.values)) if among is None else among) & set(graph.ids.values())
    root = group_values(graph, among, partial(into_lines, graph))
    opened = open_to(root, readable_depth(root) if depth is None else chosen_depth(depth))
    ways = chosen_tensors(graph, "highlight", highlight)
    highlighted = frozenset(graph.between([graph.ids[x] for x in ways])) if ways else None
    style = Style(chosen_direction(direction), legend, highlighted, chosen_digits(digits), chosen_text_size(text_size))
    picture = Picture(graph, root, opened | chosen_groups(root, expand), style)
    wanted = chosen_tensors(graph, "gradients", gradients)
    require_tracked(graph, wanted)
    return PictureOfBoth(picture, GradientGraph(output, wanted), scope) if wanted else picture


# ----- the picture as text, which needs nothing but a terminal -----
def table(cards: Sequence[Card]) -> str:
    """Return one line for each value, operands before results; "—" for a gradient before backward."""
    return aligned(table_rows(cards))


def table_rows(cards: Sequence[Card]) -> list[tuple[str, ...]]:
    """Return the cells of the table, its headings first."""
    return [HEADINGS, *map(_table_row, cards)]


def _table_row(card: Card) -> tuple[str, ...]:
    gradient = card.gradient.text if card.gradient else ""
    if card.paths > 1 or card.accumulated:
        gradient += f" = Σ {card.paths}" + (" + earlier" if card.accumulated else "")
    shape = str(card.shape) + (f" {card.warning}" if card.warning else "")
    return card.name, card.origin, shape, card.value.text, gradient


def tree(cards: Sequence[Card], edges: Sequence[Edge]) -> str:
    """Return the output with the operands of each result below it; "↑" marks a value that is shown further up."""
    known = {card.id: card for card in cards}
    operands: dict[str, list[str]] = {card.id: [] for card in cards}
    for edge in edges:
        if edge.kind != "bypass":
            operands[edge.target].append(edge.source)
    used = {edge.source for edge in edges}
    rows: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    waiting = [("", "", card.id) for card in cards if card.id not in used]
    while waiting:
        indent, branch, name = waiting.pop()
        if name in seen:
            rows.append((f"{indent}{branch}{known[name].name} ↑", "", ""))
            continue
        seen.add(name)
        rows.append(_tree_row(indent + branch, known[name]))
        inner = indent + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        branches = ["├─ "] * (len(operands[name]) - 1) + ["└─ "]
        waiting += [(inner, *below) for below in zip(branches, operands[name], strict=False)][::-1]
    return aligned(rows)


def _tree_row(lead: str, card: Card) -> tuple[str, str, str]:
    words = card.name if card.origin in ("variable", "data", "constant") else f"{card.name} = {card.origin}"
    return f"{lead}{words}", card.value.text, f"grad {card.gradient.text}" if card.gradient else ""

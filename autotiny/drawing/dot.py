"""The graph in Graphviz's DOT language: an HTML-like label for each card, an edge for each use of a value."""

import html
from collections.abc import Sequence
from typing import Any

from autotiny.drawing.card import NO_GRADIENT_YET, Card, percent
from autotiny.drawing.edge import Edge
from autotiny.drawing.scene import Box, Scene
from autotiny.drawing.style import LEGEND
from autotiny.notation.numbers import ArraySummary, typeset
from autotiny.notation.palette import (
    BAD,
    CARDS,
    GRADIENT,
    HEAT_BORDER,
    LINE,
    MUTED,
    PILL,
    PILL_TEXT,
    TEXT,
    VALUE,
    VERMILLION,
    colour,
)

LONGEST_ROW = 7
"""The number of cards that a picture may have side by side: a longer graph runs down, as a page scrolls that way."""
LAYOUT = {
    "bgcolor": "transparent",
    "ordering": "in",  # operands from left to right
    "nodesep": "0.18",
    "ranksep": "0.04",
    "newrank": "true",  # ranks across boxes
    # Limits to the search for a good layout: ordinary graphs never meet them, tangled ones would search for minutes.
    "nslimit": "1",
    "nslimit1": "1",
    "mclimit": "0.3",
}
SPINE = "20"
"""The weight of edges between results: heavy ones are straight, so that the way to the output is a line."""
CLUSTER = {"color": LINE, "style": "rounded", "penwidth": "0.8", "labeljust": "l", "margin": "8"}

GRADIENT_PART = "#gradient"
GRADIENT_LINK = f' HREF="{GRADIENT_PART}" TITLE=" "'
"""A link, which render.py turns into a group: nothing else keeps the parts of a cell together."""

CELL = 7
"""The side of a heat map's cell in points."""
PALE = 0.3
"""The strength of a shade under a number."""


def dot(scene: Scene, **attributes: str) -> str:
    """Return the graph as DOT text, the same in every run; `attributes` are further graph attributes of Graphviz.

    Each card and edge has its id as the id and the last class of its SVG group.
    """
    import graphviz  # type: ignore[import-untyped]

    across = runs_across(scene) if scene.direction is None else scene.direction == "across"
    apart = {} if any(edge.label for edge in scene.edges) else {"ranksep": "0.28"}
    digraph = graphviz.Digraph(
        "autotiny",
        graph_attr=LAYOUT | apart | {"rankdir": "LR" if across else "TB"} | attributes,
        # A list of fonts would be measured as Times by some builds of Graphviz.
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "11", "fontcolor": TEXT},
        edge_attr={"color": LINE, "arrowsize": "0.55", "fontname": "Helvetica", "fontsize": "9"},
    )
    for box in scene.boxes:
        _add_box(digraph, box, across)
    for edge in scene.edges:
        _add_edge(digraph, edge, scene)
    for row in _rows(scene):
        with digraph.subgraph(graph_attr={"rank": "same"}) as same:
            for name in row:
                same.node(name)
    for source, leaf in _precedences(scene):
        digraph.edge(source, leaf, style="invis", weight="0")
    if scene.legend:
        digraph.node("legend", label=f"<{_legend()}>", id="legend", **{"class": "legend"})
        digraph.edge(scene.cards[-1].id, "legend", style="invis", **({"constraint": "false"} if across else {}))
    return str(digraph.source)


def _add_box(digraph: Any, box: Box | Card, across: bool) -> None:
    if isinstance(box, Card):
        digraph.node(box.id, label=f"<{_label(box, across)}>", id=box.id, **{"class": f"{box.kind} {box.id}"})
        return
    with digraph.subgraph(name=f"cluster_{box.id}", graph_attr=CLUSTER | {"id": box.id, "class": box.id}) as cluster:
        title = f'<FONT COLOR="{LINE}">{_escape(box.label)}</FONT>'
        cluster.attr(label=f"<{title}>", fontname="Helvetica", fontsize="10")
        for inner in box.boxes:
            _add_box(cluster, inner, across)


def _add_edge(digraph: Any, edge: Edge, scene: Scene) -> None:
    attributes = {"id": edge.id, "class": edge.id, "penwidth": f"{scene.width(edge):.1f}"}
    if scene.is_spine(edge):
        attributes["weight"] = SPINE
    elif scene.is_shared(edge):
        attributes["weight"] = "0"  # with constraint=false it could run sideways into a box, at which Graphviz aborts
    if edge.is_dead:
        attributes["style"] = "dashed"
    if scene.stands_out(edge):
        attributes["color"] = VERMILLION
    if edge.label:
        attributes["label"] = f"<{_pill(edge.label)}>"
    if edge.kind == "gradient":  # it flows up
        digraph.edge(edge.target, edge.source, dir="back", color=VERMILLION, **attributes)
    elif edge.kind == "bypass":
        digraph.edge(edge.source, edge.target, arrowtail="odot", dir="both", **attributes)
    elif edge.kind == "link":
        digraph.edge(edge.source, edge.target, style="dotted", constraint="false", arrowhead="none", **attributes)
    else:
        digraph.edge(edge.source, edge.target, **attributes)


def _rows(scene: Scene) -> list[tuple[str, str]]:
    """Pair each operation with the first gradient that its rules recorded."""
    first: dict[str, str] = {}
    for edge in scene.edges:
        if edge.kind == "link":
            first.setdefault(edge.source, edge.target)
    return list(first.items())


def _precedences(scene: Scene) -> list[tuple[str, str]]:
    """Pair the sources of edges into a box with the leaves in it, so that boxes follow one another on the page."""
    results = {edge.target for edge in scene.edges}
    pairs: dict[tuple[str, str], None] = {}
    for box in () if scene.direction == "down" else scene.boxes:
        if isinstance(box, Box):
            inside = set(box.ids)
            entering = [edge.source for edge in scene.edges if edge.target in inside and edge.source not in inside]
            pairs |= {(source, leaf): None for source in entering for leaf in box.ids if leaf not in results}
    return list(pairs)


def runs_across(scene: Scene) -> bool:
    """Whether the graph is short enough to be read from left to right."""
    before: dict[str, list[str]] = {card.id: [] for card in scene.cards}
    for edge in scene.edges:
        before[edge.target].append(edge.source)
    depth: dict[str, int] = {}
    for card in scene.cards:
        depth[card.id] = 1 + max((depth.get(source, 0) for source in before[card.id]), default=0)
    return max(depth.values(), default=1) <= LONGEST_ROW


# ----- labels -----
def _label(card: Card, across: bool) -> str:
    """Return the label of a card: tall where the graph runs across the page, wide where it runs down."""
    fill, border = CARDS[card.kind]
    style = "ROUNDED,DASHED" if card.kind == "constant" else "ROUNDED"
    thick = 2 if card.kind in ("output", "group") else 1
    frame = f'STYLE="{style}" BGCOLOR="{fill}" COLOR="{border}" BORDER="{thick}"'
    inside = f'<TD CELLPADDING="3">{_contents(card, across)}</TD>'
    return f'<TABLE {frame} CELLBORDER="0" CELLSPACING="0">{_row(inside)}</TABLE>'


def _legend() -> str:
    """Return the label that explains the signs."""
    rows = [_row(_cell(sign, PILL_TEXT, 9, bold=True) + _cell(words, PILL_TEXT, 9)) for sign, words in LEGEND]
    frame = f'BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="2" STYLE="ROUNDED" BGCOLOR="{PILL}"'
    return f"<TABLE {frame}>{''.join(rows)}</TABLE>"


def _pill(text: str) -> str:
    """Return the label of an edge, on a ground of its own so that it can be read on any page."""
    words = f'<FONT COLOR="{PILL_TEXT}" POINT-SIZE="9">{_escape(text)}</FONT>'
    frame = f'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1" STYLE="ROUNDED" BGCOLOR="{PILL}"'
    return f'<TABLE {frame}><TR><TD WIDTH="{_width(text, 9)}">{words}</TD></TR></TABLE>'


def _contents(card: Card, across: bool) -> str:
    if card.kind == "constant" and not card.shape:
        return _table([_row(_cell(typeset(card.value.text), VALUE, 11))])
    parts = [
        ("", _heading(card)),
        ("", _quantity("value", card.value, GRADIENT if card.kind == "gradient" else VALUE, across)),
    ]
    if card.gradient:
        word = f"grad, Σ {card.paths} paths" if card.paths > 1 else "grad"
        word += ", sum of backwards" if card.accumulated else ""
        ink = MUTED if card.gradient is NO_GRADIENT_YET else GRADIENT
        parts.append((GRADIENT_LINK, _quantity(word, card.gradient, ink, across)))
    tables = [f'<TD ALIGN="LEFT" VALIGN="MIDDLE" CELLPADDING="0"{mark}>{part}</TD>' for mark, part in parts]
    rows = [_row(table) for table in tables] if across else [_row("<TD WIDTH='6'></TD>".join(tables))]
    return _table(rows)


def _heading(card: Card) -> str:
    """Return the name, shape and turn, with the operation and the warning below."""
    shape = str(card.shape) if card.shape else ""
    cells = _cell(card.name, TEXT if card.named else MUTED, 12, bold=card.named) + _cell(shape, MUTED, 9)
    remark = f"#{card.turn}" if card.turn else card.rule_of and f"← {card.rule_of}"
    if remark:
        cells += _cell(remark, MUTED, 9, align="RIGHT")
    columns = 3 if remark else 2
    computed = card.kind in ("operation", "output", "group", "gradient")
    rows = [_row(cells), _row(_cell(card.origin, TEXT if computed else MUTED, 10, columns=columns))]
    if card.warning:
        rows.append(_row(_cell(card.warning, BAD, 9, columns=columns, bold=True)))
    return _table(rows)


def _quantity(word: str, summary: ArraySummary, ink: str, across: bool) -> str:
    """Return a value or a gradient: every entry where there is room, else a number, or a range beside a heat map."""
    if summary.zeros and not summary.text.startswith("all") and not summary.rows:
        word += f", {percent(summary.zeros)} zeros"
    if summary.rows:
        return _table([_row(_cell(word, MUTED, 9)), _row(_grid(summary, ink))])
    lines = [_row(_cell(word, MUTED, 9))]
    if summary.bars:
        lines.append(_row(_cell(summary.bars, ink, 10)))
    lines.append(_row(_cell(typeset(summary.text), ink, 10 if summary.heat or summary.bars else 11)))
    if summary.heat is None:
        return _table(lines)
    words = f'<TD ALIGN="LEFT" VALIGN="MIDDLE" CELLPADDING="0">{_table(lines)}</TD>'
    cells = f'<TD ALIGN="{"RIGHT" if across else "LEFT"}" VALIGN="MIDDLE">{_heat_map(summary)}</TD>'
    return _table([_row(words + cells if across else cells + words)])


def _heat_map(summary: ArraySummary) -> str:
    assert summary.heat is not None
    side = f'FIXEDSIZE="TRUE" WIDTH="{CELL}" HEIGHT="{CELL}"'
    rows = [_row("".join(f'<TD {side} BGCOLOR="{fill}"></TD>' for fill in row)) for row in summary.heat.colours]
    # A table within a cell stretches to fill it, unless its size is fixed.
    size = f'FIXEDSIZE="TRUE" WIDTH="{CELL * len(summary.heat.cells[0]) + 2}" HEIGHT="{CELL * len(rows) + 2}"'
    frame = f'{size} BORDER="1" COLOR="{HEAT_BORDER}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
    return f"<TABLE {frame}>{''.join(rows)}</TABLE>"


def _grid(summary: ArraySummary, ink: str) -> str:
    """Return a table of every entry, each on a pale shade."""
    assert summary.heat is not None
    cells = [
        [_entry(entry, ink, colour(shade, PALE)) for entry, shade in zip(row, shades, strict=True)]
        for row, shades in zip(summary.rows, summary.heat.cells, strict=True)
    ]
    frame = f'BORDER="1" COLOR="{HEAT_BORDER}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1"'
    table = f"<TABLE {frame}>{''.join(_row(''.join(row)) for row in cells)}</TABLE>"
    return f'<TD ALIGN="LEFT" CELLPADDING="0">{table}</TD>'


def _entry(number: str, ink: str, fill: str) -> str:
    return _cell(typeset(number), ink, 10, align="CENTER", fill=f' BGCOLOR="{fill}"', margin=5)


def _table(rows: Sequence[str]) -> str:
    return f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>'


def _row(cells: str) -> str:
    return f"<TR>{cells}</TR>"


def _cell(
    text: str,
    colour: str,
    size: int,
    align: str = "LEFT",
    *,
    bold: bool = False,
    columns: int = 1,
    fill: str = "",
    margin: int = 0,
) -> str:
    font = f'<FONT COLOR="{colour}" POINT-SIZE="{size}">{_escape(text)}</FONT>' if text else ""
    attributes = f'ALIGN="{align}" COLSPAN="{columns}" WIDTH="{_width(text, size) + margin}"{fill}'
    return f"<TD {attributes}>{f'<B>{font}</B>' if bold else font}</TD>"


def _escape(text: str) -> str:
    """Return text as HTML-like labels have it."""
    # Graphviz replaces \N, \G and the like even in HTML-like labels.
    return html.escape(text).replace("\\", "\\\\")


def _width(text: str, size: int) -> int:
    """Return the width of a text in points in a wide font: the reader may not have the font that was measured."""
    return round(size * sum(_advance(character) for character in text))


def _advance(character: str) -> float:
    if character in " .,:;'|!()[]ijlftr":
        return 0.45
    return 1.0 if character in "mwMW@%Σ" or ord(character) > 0x2E7F else 0.68

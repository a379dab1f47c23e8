"""A card, or what stands on an edge, as one of Graphviz's HTML-like labels."""

import html
from collections.abc import Sequence

from autotiny.drawing.card import NO_GRADIENT_YET, Card, percent
from autotiny.drawing.edge import Edge
from autotiny.notation.arrays import ArraySummary
from autotiny.notation.heat import colour
from autotiny.notation.palette import BAD, CARDS, GRADIENT, LINE, MUTED, TEXT, VALUE
from autotiny.notation.text import aligned

# ----- text -----
# The graph as text, which needs nothing but a terminal: a table in topological order, and a tree.


HEADINGS = ("name", "is", "shape", "value", "gradient")


def table(cards: Sequence[Card]) -> str:
    """One line for each value, operands before results; "—" where backward has not put a gradient yet."""
    return aligned([HEADINGS, *(_line(card) for card in cards)])


def _line(card: Card) -> tuple[str, ...]:
    gradient = card.gradient.text if card.gradient else ""
    if card.paths > 1:
        gradient += f" = Σ {card.paths}"
    shape = str(card.shape) + (f" {card.warning}" if card.warning else "")
    return card.name, card.origin, shape, card.value.text, gradient


def tree(cards: Sequence[Card], edges: Sequence[Edge]) -> str:
    """The output, and below each result its operands; a value that is used again is not told again, but pointed at."""
    known = {card.id: card for card in cards}
    operands: dict[str, list[str]] = {card.id: [] for card in cards}
    for edge in edges:
        operands[edge.target].append(edge.source)
    used = {edge.source for edge in edges}
    lines: list[tuple[str, Card, bool]] = []
    told: set[str] = set()
    waiting = [("", "", card.id) for card in cards if card.id not in used]
    while waiting:
        lead, branch, at = waiting.pop()
        again = at in told
        lines.append((lead + branch, known[at], again))
        if again:
            continue
        told.add(at)
        inner = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        below = operands[at]
        waiting += [
            (inner, "└─ " if number == len(below) - 1 else "├─ ", operand) for number, operand in enumerate(below)
        ][::-1]
    return aligned([_branch(*line) for line in lines])


def _branch(lead: str, card: Card, again: bool) -> tuple[str, str, str]:
    if again:
        return f"{lead}{card.name} ↑", "", ""
    words = card.name if card.origin in ("variable", "data", "constant") else f"{card.name} = {card.origin}"
    return f"{lead}{words}", card.value.text, f"grad {card.gradient.text}" if card.gradient else ""


PILL, PILL_TEXT, HEAT_BORDER = "#F4F4F4", "#444444", "#C8C8C8"
GRADIENT_PART = "#gradient"
GRADIENT_LINK = f' HREF="{GRADIENT_PART}" TITLE=" "'
"""A link, which svg.py turns into a group: nothing else keeps the parts of a cell together."""
CELL = 7
"""Points along the side of a heat map's cell."""
PALE = 0.3
"""How strong a shade is under a number."""

CLUSTER = {"color": LINE, "style": "rounded", "penwidth": "0.8", "labeljust": "l", "margin": "8"}


def label(card: Card, across: bool) -> str:
    """The card as an HTML-like label: upright where the graph runs across the page, wide where it runs down."""
    fill, border = CARDS[card.kind]
    style = "ROUNDED,DASHED" if card.kind == "constant" else "ROUNDED"
    thick = 2 if card.kind in ("output", "group") else 1
    frame = f'STYLE="{style}" BGCOLOR="{fill}" COLOR="{border}" BORDER="{thick}"'
    inside = f'<TD CELLPADDING="3">{_contents(card, across)}</TD>'
    return f'<TABLE {frame} CELLBORDER="0" CELLSPACING="0">{_row(inside)}</TABLE>'


def pill(text: str) -> str:
    """A few words on an edge, legible on any page."""
    words = f'<FONT COLOR="{PILL_TEXT}" POINT-SIZE="9">{escape(text)}</FONT>'
    frame = f'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1" STYLE="ROUNDED" BGCOLOR="{PILL}"'
    return f'<TABLE {frame}><TR><TD WIDTH="{_width(text, 9)}">{words}</TD></TR></TABLE>'


def _contents(card: Card, across: bool) -> str:
    if card.kind == "constant" and not card.shape:
        return _table([_row(_cell(_typeset(card.value.text), VALUE, 11))])
    parts = [
        ("", _heading(card)),
        ("", _quantity("value", card.value, GRADIENT if card.kind == "gradient" else VALUE, across)),
    ]
    if card.gradient:
        told = f"grad, Σ {card.paths} paths" if card.paths > 1 else "grad"
        ink = MUTED if card.gradient is NO_GRADIENT_YET else GRADIENT
        parts.append((GRADIENT_LINK, _quantity(told, card.gradient, ink, across)))
    tables = [f'<TD ALIGN="LEFT" VALIGN="MIDDLE" CELLPADDING="0"{mark}>{part}</TD>' for mark, part in parts]
    rows = [_row(table) for table in tables] if across else [_row("<TD WIDTH='6'></TD>".join(tables))]
    return _table(rows)


def _heading(card: Card) -> str:
    """Name, shape and turn above the operation, and what is to be pointed at below."""
    shape = str(card.shape) if card.shape else ""
    cells = _cell(card.name, TEXT if card.named else MUTED, 12, bold=card.named) + _cell(shape, MUTED, 9)
    place = f"#{card.turn}" if card.turn else card.rule_of and f"← {card.rule_of}"
    if place:
        cells += _cell(place, MUTED, 9, align="RIGHT")
    columns = 3 if place else 2
    computed = card.kind in ("operation", "output", "group", "gradient")
    rows = [_row(cells), _row(_cell(card.origin, TEXT if computed else MUTED, 10, columns=columns))]
    if card.warning:
        rows.append(_row(_cell(card.warning, BAD, 9, columns=columns, bold=True)))
    return _table(rows)


def _quantity(word: str, shown: ArraySummary, colour: str, across: bool) -> str:
    """A value or a gradient: its cells beside its range, each entry where there is room, or a number."""
    if shown.zeros and not shown.text.startswith("all") and not shown.rows:
        word += f", {percent(shown.zeros)} zeros"
    if shown.rows:
        return _table([_row(_cell(word, MUTED, 9)), _row(_grid(shown, colour))])
    lines = [_row(_cell(word, MUTED, 9))]
    if shown.bars:
        lines.append(_row(_cell(shown.bars, colour, 10)))
    lines.append(_row(_cell(_typeset(shown.text), colour, 10 if shown.heat or shown.bars else 11)))
    if shown.heat is None:
        return _table(lines)
    words = f'<TD ALIGN="LEFT" VALIGN="MIDDLE" CELLPADDING="0">{_table(lines)}</TD>'
    cells = f'<TD ALIGN="{"RIGHT" if across else "LEFT"}" VALIGN="MIDDLE">{_heat_map(shown)}</TD>'
    return _table([_row(words + cells if across else cells + words)])


def _heat_map(shown: ArraySummary) -> str:
    assert shown.heat is not None
    side = f'FIXEDSIZE="TRUE" WIDTH="{CELL}" HEIGHT="{CELL}"'
    rows = [_row("".join(f'<TD {side} BGCOLOR="{fill}"></TD>' for fill in row)) for row in shown.heat.colours]
    # A table within a cell stretches to fill it, unless its size is fixed.
    size = f'FIXEDSIZE="TRUE" WIDTH="{CELL * len(shown.heat.cells[0]) + 2}" HEIGHT="{CELL * len(rows) + 2}"'
    frame = f'{size} BORDER="1" COLOR="{HEAT_BORDER}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
    return f"<TABLE {frame}>{''.join(rows)}</TABLE>"


def _grid(shown: ArraySummary, ink: str) -> str:
    """Every entry, on a pale shade of its size."""
    assert shown.heat is not None
    cells = [
        [_entry(entry, ink, colour(shade, PALE)) for entry, shade in zip(row, shades, strict=True)]
        for row, shades in zip(shown.rows, shown.heat.cells, strict=True)
    ]
    frame = f'BORDER="1" COLOR="{HEAT_BORDER}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1"'
    table = f"<TABLE {frame}>{''.join(_row(''.join(row)) for row in cells)}</TABLE>"
    return f'<TD ALIGN="LEFT" CELLPADDING="0">{table}</TD>'


def _entry(number: str, ink: str, fill: str) -> str:
    return _cell(_typeset(number), ink, 10, align="CENTER", fill=f' BGCOLOR="{fill}"', margin=5)


def _typeset(number: str) -> str:
    return number.replace("-", "−")


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
    font = f'<FONT COLOR="{colour}" POINT-SIZE="{size}">{escape(text)}</FONT>' if text else ""
    attributes = f'ALIGN="{align}" COLSPAN="{columns}" WIDTH="{_width(text, size) + margin}"{fill}'
    return f"<TD {attributes}>{f'<B>{font}</B>' if bold else font}</TD>"


def escape(text: str) -> str:
    """The text as it may stand in an HTML-like label."""
    # Graphviz replaces \N, \G and the like even in HTML-like labels.
    return html.escape(text).replace("\\", "\\\\")


def _width(text: str, size: int) -> int:
    """Points that the text may take in a wide font: where the reader's font is not the one that was measured."""
    return round(size * sum(_advance(character) for character in text))


def _advance(character: str) -> float:
    if character in " .,:;'|!()[]ijlftr":
        return 0.45
    return 1.0 if character in "mwMW@%Σ" or ord(character) > 0x2E7F else 0.68

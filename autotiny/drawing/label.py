"""A card as one of Graphviz's HTML-like labels."""

import html
from collections.abc import Sequence

from autotiny.drawing.card import NO_GRADIENT_YET, Card, Kind
from autotiny.drawing.values import Shown

TEXT, MUTED, VALUE, GRADIENT, EDGE = "#111111", "#666666", "#0067A0", "#A34700", "#808080"

# Fill and border (Okabe and Ito's colours, safe for colour-blind readers): readable on light and dark pages alike.
COLOURS: dict[Kind, tuple[str, str]] = {
    "data": ("#E3F2FB", "#0072B2"),
    "variable": ("#FFF1D6", "#E69F00"),
    "constant": ("#EEEEEE", "#999999"),
    "operation": ("#FFFFFF", "#56B4E9"),
    "output": ("#DDF3EA", "#009E73"),
}


def label(card: Card) -> str:
    """The card as an HTML-like label: name and shape, operation, value, gradient."""
    fill, border = COLOURS[card.kind]
    style = "ROUNDED,DASHED" if card.kind == "constant" else "ROUNDED"
    inside = f'<TD CELLPADDING="4">{_table(_rows(card))}</TD>'
    frame = f'STYLE="{style}" BGCOLOR="{fill}" COLOR="{border}" BORDER="{2 if card.kind == "output" else 1}"'
    return f'<TABLE {frame} CELLBORDER="0" CELLSPACING="0">{_row(inside)}</TABLE>'


def _rows(card: Card) -> list[str]:
    if card.kind == "constant" and not card.shape:
        return [_row(_cell(_typeset(card.value.summary), VALUE, 11))]
    shape = str(card.shape) if card.shape else ""
    title = _cell(card.name, TEXT if card.named else MUTED, 12, bold=card.named) + _cell(shape, MUTED, 9, align="RIGHT")
    # The numbers' column takes what the longer lines above need, so that the words beside it stay narrow.
    room = max(_width(card.name, 12) + _width(shape, 9), _width(card.origin, 10)) - _width("value", 9)
    rows = [
        _row(f'<TD COLSPAN="2" CELLPADDING="0">{_table([_row(title)])}</TD>'),
        _row(_cell(card.origin, TEXT if card.operands else MUTED, 10, columns=2)),
        _row(_cell("value", MUTED, 9) + _numbers(card.value, VALUE, room)),
    ]
    if card.gradient:
        colour = MUTED if card.gradient is NO_GRADIENT_YET else GRADIENT
        rows.append(_row(_cell("grad", MUTED, 9) + _numbers(card.gradient, colour, room)))
    return rows


def _numbers(shown: Shown, colour: str, room: int) -> str:
    if len(shown.rows) == len(shown.rows[0]) == 1:
        return _cell(_typeset(shown.rows[0][0]), colour, 11, room=room)
    # A figure space is as wide as a digit and about as wide as a minus, so that the columns line up.
    grid = [[number if number.startswith("-") else f"\u2007{number}" for number in row] for row in shown.rows]
    lines = [_row("".join(_cell(_typeset(number), colour, 10) for number in row)) for row in grid]
    return f'<TD ALIGN="LEFT" CELLPADDING="0">{_table(lines)}</TD>'


def _typeset(number: str) -> str:
    return number.replace("-", "−")


def _table(rows: Sequence[str]) -> str:
    return f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>'


def _row(cells: str) -> str:
    return f"<TR>{cells}</TR>"


def _cell(
    text: str, colour: str, size: int, align: str = "LEFT", *, bold: bool = False, columns: int = 1, room: int = 0
) -> str:
    font = f'<FONT COLOR="{colour}" POINT-SIZE="{size}">{_escape(text)}</FONT>' if text else ""
    width = max(_width(text, size), room)
    return f'<TD ALIGN="{align}" COLSPAN="{columns}" WIDTH="{width}">{f"<B>{font}</B>" if bold else font}</TD>'


def _escape(text: str) -> str:
    # Graphviz replaces \N, \G and the like even in HTML-like labels.
    return html.escape(text).replace("\\", "\\\\")


def _width(text: str, size: int) -> int:
    """Points that the text may take in a wide font: where the reader's font is not the one that was measured."""
    return round(size * sum(_advance(character) for character in text))


def _advance(character: str) -> float:
    if character in " .,:;'|!()[]ijlftr":
        return 0.45
    return 1.0 if character in "mwMW@%" or ord(character) > 0x2E7F else 0.68

"""The labels of cards and edges in Graphviz's HTML: what stands on a card, how wide, and in which size of text."""

import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from autotiny.drawing.card import NO_GRADIENT_YET, Card, percent
from autotiny.drawing.style import LEGEND
from autotiny.notation.numbers import ArraySummary, typeset
from autotiny.notation.palette import (
    BAD,
    CARDS,
    GRADIENT,
    HEAT_BORDER,
    MUTED,
    PILL,
    PILL_TEXT,
    TEXT,
    VALUE,
    colour,
)

GRADIENT_PART = "#gradient"
GRADIENT_LINK = f' HREF="{GRADIENT_PART}" TITLE=" "'
"""A link, which render.py turns into a group: nothing else keeps the parts of a cell together."""

ACROSS_LINE, DOWN_LINE, PILL_LINE = 18, 36, 10
"""The number of characters from which text is broken into lines: in a tall card, a wide one, an edge's label."""
ACROSS_CELL, DOWN_CELL = 7, 5
"""The side of a heat map's cell in points."""
PALE = 0.3
"""The strength of a shade under a number."""


@dataclass(frozen=True)
class Labels:
    """The labels of a picture.

    across : whether the graph runs across the page, where cards are tall and narrow; else they are low and wide.
    scale : the factor by which text is larger than it is in an ordinary picture.
    """

    across: bool
    scale: float = 1.0

    def card(self, card: Card) -> str:
        """Return the label of a card: tall where the graph runs across the page, wide where it runs down."""
        fill, border = CARDS[card.kind]
        style = "ROUNDED,DASHED" if card.kind == "constant" else "ROUNDED"
        thick = 2 if card.kind in ("output", "group") else 1
        frame = f'STYLE="{style}" BGCOLOR="{fill}" COLOR="{border}" BORDER="{thick}"'
        inside = f'<TD CELLPADDING="2">{self._contents(card)}</TD>'
        return f'<TABLE {frame} CELLBORDER="0" CELLSPACING="0">{_row(inside)}</TABLE>'

    def again(self, card: Card) -> str:
        """Return the label of a card's name alone."""
        fill, border = CARDS[card.kind]
        frame = f'STYLE="ROUNDED" BGCOLOR="{fill}" COLOR="{border}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"'
        return f"<TABLE {frame}>{_row(self._cell(card.name, TEXT, 11, align='CENTER', bold=True))}</TABLE>"

    def legend(self) -> str:
        """Return the label that explains the signs."""
        cells = [(self._cell(sign, PILL_TEXT, 9, bold=True), self._cell(words, PILL_TEXT, 9)) for sign, words in LEGEND]
        rows = [_row(sign + words) for sign, words in cells]
        frame = f'BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="2" STYLE="ROUNDED" BGCOLOR="{PILL}"'
        return f"<TABLE {frame}>{''.join(rows)}</TABLE>"

    def edge(self, text: str) -> str:
        """Return the label of an edge, on a ground of its own so that it can be read on any page."""
        lines = _label_lines(text) if self.across else [text]
        rows = [_row(self._cell(line, PILL_TEXT, 9, align="CENTER")) for line in lines]
        frame = f'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" STYLE="ROUNDED" BGCOLOR="{PILL}"'
        return f"<TABLE {frame}>{''.join(rows)}</TABLE>"

    def _contents(self, card: Card) -> str:
        if card.kind == "constant" and not card.shape:
            return _table([_row(self._cell(typeset(card.value.text), VALUE, 11))])
        parts = [
            ("", self._heading(card)),
            ("", self._quantity("value", card.value, GRADIENT if card.kind == "gradient" else VALUE)),
        ]
        if card.gradient:
            word = f"grad, Σ {card.paths} paths" if card.paths > 1 else "grad"
            word += ", sum of backwards" if card.accumulated else ""
            ink = MUTED if card.gradient is NO_GRADIENT_YET else GRADIENT
            parts.append((GRADIENT_LINK, self._quantity(word, card.gradient, ink)))
        tables = [f'<TD ALIGN="LEFT" VALIGN="MIDDLE" CELLPADDING="0"{mark}>{part}</TD>' for mark, part in parts]
        rows = [_row(table) for table in tables] if self.across else [_row("<TD WIDTH='6'></TD>".join(tables))]
        return _table(rows)

    def _heading(self, card: Card) -> str:
        """Return the name, shape and turn, with the operation below, and the warning below that or beside it."""
        shape = str(card.shape) if card.shape else ""
        cells = self._cell(card.name, TEXT if card.named else MUTED, 12, bold=card.named) + self._cell(shape, MUTED, 9)
        remark = f"#{card.turn}" if card.turn else card.rule_of and f"← {card.rule_of}"
        if remark:
            cells += self._cell(remark, MUTED, 9, align="RIGHT")
        columns = 3 if remark else 2
        ink = TEXT if card.kind in ("operation", "output", "group", "gradient") else MUTED
        beside = 1 if card.warning and not self.across else 0
        lines = textwrap.wrap(card.origin, ACROSS_LINE if self.across else DOWN_LINE)
        rows = [self._cell(line, ink, 10, columns=columns - beside) for line in lines]
        if beside:
            rows[0] += self._cell(card.warning, BAD, 9, bold=True)
        elif card.warning:
            rows.append(self._cell(card.warning, BAD, 9, columns=columns, bold=True))
        return _table([_row(cells), *map(_row, rows)])

    def _quantity(self, word: str, summary: ArraySummary, ink: str) -> str:
        """Return a value or a gradient: every entry where there is room, else a number, or a range with a heat map."""
        if summary.zeros and not summary.text.startswith("all") and not summary.rows:
            word += f", {percent(summary.zeros)} zeros"
        if summary.rows:
            return _table([_row(self._cell(word, MUTED, 9)), _row(self._grid(summary, ink))])
        lines = [_row(self._cell(word, MUTED, 9))]
        if summary.bars:
            lines.append(_row(self._cell(summary.bars, ink, 10)))
        lines.append(_row(self._cell(typeset(summary.text), ink, 10 if summary.heat or summary.bars else 11)))
        if summary.heat is None:
            return _table(lines)
        cells = f'<TD ALIGN="LEFT" VALIGN="MIDDLE">{self._heat_map(summary)}</TD>'
        if self.across:
            label, numbers = lines
            return _table([label, _row(cells), numbers])
        return _table([_row(f'{cells}<TD ALIGN="LEFT" VALIGN="MIDDLE" CELLPADDING="0">{_table(lines)}</TD>')])

    def _heat_map(self, summary: ArraySummary) -> str:
        assert summary.heat is not None
        cell = ACROSS_CELL if self.across else DOWN_CELL
        side = f'FIXEDSIZE="TRUE" WIDTH="{cell}" HEIGHT="{cell}"'
        rows = [_row("".join(f'<TD {side} BGCOLOR="{fill}"></TD>' for fill in row)) for row in summary.heat.colours]
        # A table within a cell stretches to fill it, unless its size is fixed.
        size = f'FIXEDSIZE="TRUE" WIDTH="{cell * len(summary.heat.cells[0]) + 2}" HEIGHT="{cell * len(rows) + 2}"'
        frame = f'{size} BORDER="1" COLOR="{HEAT_BORDER}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
        return f"<TABLE {frame}>{''.join(rows)}</TABLE>"

    def _grid(self, summary: ArraySummary, ink: str) -> str:
        """Return a table of every entry, each on a pale shade."""
        assert summary.heat is not None
        cells = [
            [self._entry(entry, ink, colour(shade, PALE)) for entry, shade in zip(row, shades, strict=True)]
            for row, shades in zip(summary.rows, summary.heat.cells, strict=True)
        ]
        frame = f'BORDER="1" COLOR="{HEAT_BORDER}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1"'
        table = f"<TABLE {frame}>{''.join(_row(''.join(row)) for row in cells)}</TABLE>"
        return f'<TD ALIGN="LEFT" CELLPADDING="0">{table}</TD>'

    def _entry(self, number: str, ink: str, fill: str) -> str:
        return self._cell(typeset(number), ink, 10, align="CENTER", fill=f' BGCOLOR="{fill}"', margin=5)

    def _cell(
        self,
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
        font = f'<FONT COLOR="{colour}" POINT-SIZE="{size * self.scale:g}">{escape(text)}</FONT>' if text else ""
        attributes = f'ALIGN="{align}" COLSPAN="{columns}" WIDTH="{self._width(text, size) + margin}"{fill}'
        return f"<TD {attributes}>{f'<B>{font}</B>' if bold else font}</TD>"

    def _width(self, text: str, size: int) -> int:
        """Return the width of a text in points in a wide font: the reader may not have the font that was measured."""
        return round(size * self.scale * sum(_advance(character) for character in text))


def _label_lines(text: str) -> list[str]:
    """Break a label after commas and before signs of multiplication, where the graph gains by narrow ones."""
    together = re.sub(r" (?!×)(?<!, )", "\N{NO-BREAK SPACE}", text)
    lines = textwrap.wrap(together, PILL_LINE, break_long_words=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _table(rows: Sequence[str]) -> str:
    return f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>'


def _row(cells: str) -> str:
    return f"<TR>{cells}</TR>"


def escape(text: str) -> str:
    """Return text as HTML-like labels have it."""
    # Graphviz replaces \N, \G and the like even in HTML-like labels.
    return html.escape(text).replace("\\", "\\\\")


def _advance(character: str) -> float:
    """Return the width of a character in em, as DejaVu Sans has it, which is an eighth wider than Helvetica."""
    if character in " .,:;'|!()[]ijlftr":
        return 0.38
    if character in "mwMW@%Σ…" or ord(character) > 0x2E7F:
        return 1.0
    return 0.72 if character.isupper() else 0.62

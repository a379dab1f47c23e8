"""Arrays as small tables of HTML, for a notebook: every entry where there is room, else those at the edges."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autotiny.notation.numbers import short_number, sizes, typeset
from autotiny.notation.palette import BLUE, VERMILLION, YELLOW, rgb
from autotiny.notation.text import clean

Array = Any

MOST_ROWS, MOST_COLUMNS = 12, 10
"""The numbers of rows and columns that are shown; of more, half at either end."""
LONGEST_NAME = 24
STRONGEST = 0.35
"""The opacity of the largest entry's shade."""
CELL = "padding:.1em .5em;text-align:right;white-space:nowrap"


def array_table(array: Array, caption: str) -> str:
    """Return a table of an array's entries, shaded by their size; leading axes are rows with their places.

    >>> array_table(np.array([1.0, -2.0]), "value").count("<td")
    2
    """
    array = np.asarray(array)
    matrix = array.reshape(math.prod(array.shape[:-1]), array.shape[-1] if array.ndim else 1)
    rows, columns = (_edges(n, most) for n, most in zip(matrix.shape, (MOST_ROWS, MOST_COLUMNS), strict=True))
    shown = matrix[np.ix_([r for r in rows if r is not None], [c for c in columns if c is not None])]
    absolute = np.abs(sizes(shown).astype(float))
    largest = float(absolute[np.isfinite(absolute)].max(initial=0.0)) if array.ndim else 0.0
    head = ["", *("…" if c is None else str(c) for c in columns)] if array.ndim else []
    lines = [_row(matrix, row, columns, _place(row, array.shape), largest) for row in rows]
    top = f"<tr>{''.join(map(_heading, head))}</tr>" if head else ""
    return (
        '<table style="display:inline-table;margin:.3em 1.5em .3em 0;font-variant-numeric:tabular-nums">'
        f'<caption style="text-align:left">{html.escape(caption)}</caption>{top}{"".join(lines)}</table>'
    )


def heading(name: str, kind: str, shape: tuple[int, ...], dtype: Any) -> str:
    """Return a line that says what a tensor is.

    >>> heading("<W>", "variable", (2,), "float64")
    '<div><b>&lt;W&gt;</b> variable, shape (2,), float64</div>'
    """
    return f"<div><b>{html.escape(clean(name, LONGEST_NAME))}</b> {html.escape(kind)}, shape {shape}, {dtype}</div>"


def _edges(n: int, most: int) -> Sequence[int | None]:
    """Return the places along an axis that are shown; None for those that are left out."""
    if n <= most:
        return range(n)
    return [*range(most // 2), None, *range(n - most // 2, n)]


def _place(row: int | None, shape: tuple[int, ...]) -> str | None:
    """Return the label of a row: the places along all axes but the last; None for an array without rows."""
    if len(shape) < 2:
        return "" if shape else None
    return "…" if row is None else ", ".join(str(int(i)) for i in np.unravel_index(row, shape[:-1]))


def _row(matrix: Array, row: int | None, columns: Sequence[int | None], label: str | None, largest: float) -> str:
    cells = [
        _cell("…", "") if row is None or c is None else _cell(*_entry(matrix[row, c].item(), largest)) for c in columns
    ]
    return f"<tr>{'' if label is None else _heading(label)}{''.join(cells)}</tr>"


def _entry(x: Any, largest: float) -> tuple[str, str]:
    size = abs(x)
    if not math.isfinite(size):
        shade, strength = YELLOW, STRONGEST
    else:
        shade = BLUE if not isinstance(x, complex) and x < 0 else VERMILLION
        strength = STRONGEST * size / largest if largest else 0.0
    red, green, blue = rgb(shade)
    return typeset(short_number(x)), f";background:rgba({red},{green},{blue},{strength:.2f})"


def _cell(text: str, style: str) -> str:
    return f'<td style="{CELL}{style}">{text}</td>'


def _heading(text: str) -> str:
    return f'<th style="{CELL};font-weight:normal;opacity:.65">{text}</th>'

"""An array at a glance: a few characters, each of its entries where there is room, shades and bars."""

from typing import Any, NamedTuple

import numpy as np

from autotiny.notation.heat import Heat, heat, shades
from autotiny.notation.numbers import short_number

Array = Any

TALLEST_GRID, WIDEST_GRID = 3, 18
"""The lines, and the characters in a line, up to which every entry is shown."""
BINS = 8
BARS = "▁▂▃▄▅▆▇█"


class ArraySummary(NamedTuple):
    """An array in words and cells."""

    text: str
    """A number or a range."""
    rows: tuple[tuple[str, ...], ...] = ()
    """Every entry, row by row, of an array that is small enough."""
    heat: Heat | None = None
    """None for a number; a cell for each entry where there are rows."""
    bars: str = ""
    """A histogram, in place of the heat map where a picture has too many of them."""
    zeros: float = 0.0
    """The share of entries that are exactly 0; 0 for a single number."""
    exact: str = ""
    """A number with twelve digits; the text of a larger array."""


def summarise(array: Array, small: bool = False) -> ArraySummary:
    """Summarise an array: a number for one entry, a range for many, "all 0" where they are equal.

    In a picture of many arrays a `small` histogram takes the place of the heat map.

    >>> summarise(np.array([[1.0, -2.0], [0.5, 4.0]])).rows
    (('1', '-2'), ('0.5', '4'))
    """
    array = np.asarray(array)
    if array.dtype.kind == "b":
        array = array.astype(int)
    text = as_text(array)
    if array.size < 2:
        return ArraySummary(text, exact=f"{array.item():.12g}" if array.size else text)
    zeros = 1 - np.count_nonzero(array) / array.size
    if small:
        return ArraySummary(text, bars=sparkline(array), zeros=zeros, exact=text)
    rows = _rows(array)
    # Where every entry is written, each has a shade of its own, however many there are.
    cells = shades(np.atleast_2d(array).astype(float)) if rows else heat(array)
    return ArraySummary(text, rows, cells, "", zeros, text)


def typeset(number: str) -> str:
    """Return the text of a number or a range with minus signs, which are as wide as plus signs, for hyphens."""
    return number.replace("-", "−")


def as_text(array: Array) -> str:
    """Return the only entry, or the range of the finite entries and the number of those that are not finite.

    >>> as_text(np.array([1.0, -2.0, np.nan]))
    '-2 … 1, 1 nan'
    """
    array = np.asarray(array)
    if array.size == 0:
        return "empty"
    if array.size == 1:
        return short_number(array.item())
    finite = array[np.isfinite(array)]
    if finite.size < array.size:
        return ", ".join(([_range(finite)] if finite.size else []) + _not_finite(array, finite))
    return f"all {_range(finite)}" if finite.min() == finite.max() else _range(finite)


def _range(finite: Array) -> str:
    low, high = short_number(finite.min(), 3), short_number(finite.max(), 3)
    return low if finite.min() == finite.max() else f"{low} … {high}"


def _not_finite(array: Array, finite: Array) -> list[str]:
    nans = int(np.isnan(array).sum())
    counts = {"nan": nans, "inf": array.size - finite.size - nans}
    return [f"{count} {kind}" for kind, count in counts.items() if count]


def _rows(array: Array) -> tuple[tuple[str, ...], ...]:
    if array.ndim not in (1, 2) or array.size > TALLEST_GRID * WIDEST_GRID:
        return ()
    rows = tuple(tuple(short_number(x, 3) for x in row) for row in np.atleast_2d(array))
    fits = len(rows) <= TALLEST_GRID and max(len(" ".join(row)) for row in rows) <= WIDEST_GRID
    return rows if fits else ()


def sparkline(array: Array) -> str:
    """Return the histogram of the finite entries, from the smallest to the largest, in eight bars.

    >>> sparkline(np.array([0.0, 0.0, 0.0, 1.0]))
    '█▁▁▁▁▁▁▃'
    """
    finite = array[np.isfinite(array)]
    if finite.size < 2 or finite.min() == finite.max():
        return ""
    low, span = float(finite.min()), float(finite.max()) - float(finite.min())
    if not np.isfinite(span):
        return ""
    counts = np.bincount(np.minimum((finite - low) / span * BINS, BINS - 1).astype(int).ravel(), minlength=BINS)
    return "".join(BARS[round(share)] for share in counts / counts.max() * (len(BARS) - 1))

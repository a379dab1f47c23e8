"""An array as a small picture: its entries, or the means of blocks of them, as shades from negative to positive."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Array = Any

MOST_ROWS, MOST_COLUMNS = 6, 8
"""An axis that is longer is cut into this many blocks, but for columns, of which there are then as many as rows."""
SHADES = 8
"""On either side of 0: few, so that cells of one shade can be drawn at one go."""
NEGATIVE, ZERO, POSITIVE, UNKNOWN = (0, 114, 178), (247, 247, 247), (213, 94, 0), "#F0E442"
BINS = 8
BARS = "▁▂▃▄▅▆▇█"


class Heat(NamedTuple):
    """Cells from -SHADES to SHADES in proportion to the largest; None where an entry is nan or infinite."""

    cells: tuple[tuple[int | None, ...], ...]

    @property
    def colours(self) -> Sequence[Sequence[str]]:
        """Blue below 0, vermillion above, yellow where it is no number."""
        return [[colour(cell) for cell in row] for row in self.cells]


def heat(array: Array) -> Heat | None:
    """The heat map of an array; None for a single number and for no entries.

    >>> heat(np.array([[1.0, -2.0], [0.0, np.nan]])).cells
    ((4, -8), (0, None))
    """
    if array.size < 2:
        return None
    matrix = array.reshape(-1, array.shape[-1]).astype(float)
    return shades(_means(_means(matrix, MOST_ROWS, MOST_ROWS).T, MOST_COLUMNS, MOST_ROWS).T)


def shades(matrix: Array) -> Heat:
    """A cell for every entry of a matrix.

    >>> shades(np.array([[1.0, -2.0]])).cells
    ((4, -8),)
    """
    finite = np.isfinite(matrix)
    largest = np.abs(matrix[finite]).max(initial=0.0) or 1.0
    return Heat(
        tuple(
            tuple(round(x / largest * SHADES) if known else None for x, known in zip(row, flags, strict=True))
            for row, flags in zip(matrix.tolist(), finite.tolist(), strict=True)
        )
    )


def _means(matrix: Array, most: int, blocks: int) -> Array:
    """Means of blocks of rows, where there are too many of them."""
    n = len(matrix)
    if n <= most:
        return matrix
    starts = np.arange(blocks) * n // blocks
    with np.errstate(invalid="ignore", over="ignore"):
        return np.add.reduceat(matrix, starts, axis=0) / np.diff([*starts, n])[:, None]


def colour(cell: int | None, strength: float = 1.0) -> str:
    """The shade of a cell, paler where something is written on it."""
    if cell is None:
        return UNKNOWN
    end, share = (POSITIVE if cell > 0 else NEGATIVE), strength * abs(cell) / SHADES
    return "#" + "".join(f"{round(z + share * (e - z)):02X}" for z, e in zip(ZERO, end, strict=True))


def sparkline(array: Array) -> str:
    """How the entries are distributed between the least and the largest, in eight bars.

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


# ----- values -----
# How the entries of an array are told in a few characters and a few cells.


TALLEST_GRID, WIDEST_GRID = 3, 18
"""Lines, and characters in a line, up to which every entry is told."""


class Shown(NamedTuple):
    """An array in words and cells."""

    summary: str
    """A number or a range."""
    rows: tuple[tuple[str, ...], ...] = ()
    """Row by row every entry of an array small enough for that."""
    heat: Heat | None = None
    """None for a number; a cell for each entry where there are rows."""
    bars: str = ""
    """A histogram, in place of the heat map where there are too many of them."""
    zeros: float = 0.0
    """The share of entries that are exactly 0, of more than one."""
    exact: str = ""
    """A number to all of its digits."""


def show(array: Array, small: bool = False) -> Shown:
    """Tell an array: a number for one entry, a range for many, "all 0" where they are the same.

    Where the picture must be `small` a histogram stands for the heat map.

    >>> show(np.array([[1.0, -2.0], [0.5, 4.0]])).rows
    (('1', '-2'), ('0.5', '4'))
    """
    array = np.asarray(array)
    if array.dtype.kind == "b":
        array = array.astype(int)
    summary = summarise(array)
    if array.size < 2:
        return Shown(summary, exact=f"{array.item():.12g}" if array.size else summary)
    zeros = 1 - np.count_nonzero(array) / array.size
    if small:
        return Shown(summary, bars=sparkline(array), zeros=zeros, exact=summary)
    rows = _rows(array)
    # Where every entry is told each has its own shade, be they as many as they may.
    return Shown(summary, rows, shades(np.atleast_2d(array).astype(float)) if rows else heat(array), "", zeros, summary)


def number(x: float, digits: int = 4) -> str:
    """A number to a few significant digits.

    >>> number(0.123456), number(-12345.6), number(2.0)
    ('0.1235', '-1.235e+04', '2')
    """
    return f"{float(x) + 0.0:.{digits}g}"  # adding 0 turns -0 into 0


def summarise(array: Array) -> str:
    """The only entry, or the range of the finite ones, and how many are not finite."""
    if array.size == 0:
        return "empty"
    if array.size == 1:
        return number(array.item())
    finite = array[np.isfinite(array)]
    if finite.size < array.size:
        return ", ".join(([_range(finite)] if finite.size else []) + _not_finite(array, finite))
    return f"all {_range(finite)}" if finite.min() == finite.max() else _range(finite)


def _range(finite: Array) -> str:
    low, high = number(finite.min(), 3), number(finite.max(), 3)
    return low if finite.min() == finite.max() else f"{low} … {high}"


def _not_finite(array: Array, finite: Array) -> list[str]:
    nans = int(np.isnan(array).sum())
    counts = {"nan": nans, "inf": array.size - finite.size - nans}
    return [f"{count} {kind}" for kind, count in counts.items() if count]


def _rows(array: Array) -> tuple[tuple[str, ...], ...]:
    if array.ndim not in (1, 2) or array.size > TALLEST_GRID * WIDEST_GRID:
        return ()
    rows = tuple(tuple(number(x, 3) for x in row) for row in np.atleast_2d(array))
    fits = len(rows) <= TALLEST_GRID and max(len(" ".join(row)) for row in rows) <= WIDEST_GRID
    return rows if fits else ()

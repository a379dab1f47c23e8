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

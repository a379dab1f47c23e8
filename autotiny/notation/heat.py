"""An array as a small picture: its entries, or blocks of them, as shades from negative to positive."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.notation.palette import BLUE, NEUTRAL, VERMILLION, YELLOW, mix

Array = Any

MOST_ROWS, MOST_COLUMNS = 6, 8
"""A longer axis is cut into blocks, along either axis as many as there may be rows."""
SHADES = 8
"""The number of shades on either side of 0: few, so that cells of one shade can be drawn together."""


class Heat(NamedTuple):
    """Cells from -SHADES to SHADES in proportion to the largest; None where an entry is nan or infinite."""

    cells: tuple[tuple[int | None, ...], ...]

    @property
    def colours(self) -> Sequence[Sequence[str]]:
        """The colour of each cell: blue below 0, vermillion above, yellow for nan and infinity."""
        return [[colour(cell) for cell in row] for row in self.cells]


def heat(array: Array) -> Heat | None:
    """Return the heat map of an array; None for a single number and for an empty array.

    >>> heat(np.array([[1.0, -2.0], [0.0, np.nan]])).cells
    ((4, -8), (0, None))
    """
    if array.size < 2:
        return None
    matrix = array.reshape(-1, array.shape[-1]).astype(float)
    rows, columns = matrix.shape
    n_rows = MOST_ROWS if rows > MOST_ROWS else rows
    n_columns = MOST_ROWS if columns > MOST_COLUMNS else columns
    with np.errstate(invalid="ignore", over="ignore"):
        return shades(blocks(matrix, n_rows, n_columns, _mean))


def shades(matrix: Array) -> Heat:
    """Return the heat map with one cell for every entry of a matrix.

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


def blocks(matrix: Array, n_rows: int, n_columns: int, combine: Callable[[Array, Array, int], Array]) -> Array:
    """Return a matrix cut into so many rows and columns of blocks, the entries of a block combined into one.

    `combine` takes the matrix, the first index of each block, and the axis, as `reduceat` of a ufunc does.

    >>> blocks(np.array([[1, 5, 3, 4], [0, 2, 0, 7]]), 1, 2, np.maximum.reduceat)
    array([[5, 7]])
    """
    for axis, n in enumerate((n_rows, n_columns)):
        length = matrix.shape[axis]
        if n < length:
            matrix = combine(matrix, np.arange(n) * length // n, axis)
    return matrix


def _mean(matrix: Array, starts: Array, axis: int) -> Array:
    sizes = np.diff([*starts, matrix.shape[axis]])
    return np.add.reduceat(matrix, starts, axis) / np.expand_dims(sizes, 1 - axis)


def colour(cell: int | None, strength: float = 1.0) -> str:
    """Return the shade of a cell, paler where a number is written on it."""
    if cell is None:
        return YELLOW
    return mix(NEUTRAL, VERMILLION if cell > 0 else BLUE, strength * abs(cell) / SHADES)

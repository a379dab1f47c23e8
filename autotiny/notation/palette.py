"""The colours of every picture and page, Okabe and Ito's, which colour-blind readers can tell apart, and heat maps.

Text and numbers have darker ones: their contrast with white and with the fill of every card is at least 4.5 to 1.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
WHITE, NEUTRAL = "#FFFFFF", "#F7F7F7"

TEXT, MUTED, LINE = "#111111", "#666666", "#808080"
VALUE, GRADIENT, GOOD, BAD = "#0067A0", "#A34700", "#00704F", "#B3261E"
PILL, PILL_TEXT, HEAT_BORDER = "#F4F4F4", "#444444", "#C8C8C8"

# The fill and the border of each kind of card: readable on light and dark pages alike.
CARDS = {
    "data": ("#E3F2FB", BLUE),
    "variable": ("#FFF1D6", ORANGE),
    "constant": ("#EEEEEE", "#999999"),
    "operation": (WHITE, SKY),
    "output": ("#DDF3EA", GREEN),
    "group": ("#F3EEF8", PURPLE),
    "gradient": ("#FDF0E7", VERMILLION),
}

# Each colour on a light and on a dark page.
ON_PAGES = {
    "value": (VALUE, "#6CBCF0"),
    "gradient": (GRADIENT, "#F2A65A"),
    "good": (GOOD, "#45C99C"),
    "bad": (BAD, "#FF8A80"),
    "blue": (BLUE, SKY),
    "vermillion": (VERMILLION, "#F0913A"),
    "positive": (VERMILLION, VERMILLION),  # heat maps do not change with the page
    "negative": (BLUE, BLUE),
}


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the red, green and blue of a colour.

    >>> rgb(VERMILLION)
    (213, 94, 0)
    """
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def mix(start: str, end: str, share: float) -> str:
    """Return the colour at a fraction of the way from one colour to another.

    >>> mix("#000000", "#FF8000", 0.5)
    '#804000'
    """
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in zip(rgb(start), rgb(end), strict=True))


def css_variables(selector: str = ":root") -> str:
    """Return the colours of pages as CSS variables such as `--gradient`, which follow the reader's colour scheme."""
    light, dark = (
        "; ".join(f"--{name}: {colours[page]}" for name, colours in ON_PAGES.items()).lower() for page in (0, 1)
    )
    return f"{selector} {{ {light} }}\n@media (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}\n"


# ----- heat maps: an array's entries, or blocks of them, as shades from negative to positive -----


Array = Any

MOST_ROWS, MOST_COLUMNS = 6, 8
"""The largest number of cells along an axis; a longer axis is cut into that many blocks."""
SHADES = 8
"""The number of shades on either side of 0: few, so that cells of one shade can be drawn together."""


class Heat(NamedTuple):
    """A heat map: cells from -SHADES to SHADES in proportion to the largest; None for nan and infinity."""

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
    array = np.abs(array) if np.iscomplexobj(array) else array
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
    """Return a matrix of n_rows by n_columns blocks, the entries of each block combined into one.

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
    """Return the shade of a cell; a `strength` below 1 makes it paler, for a number on top."""
    if cell is None:
        return YELLOW
    return mix(NEUTRAL, VERMILLION if cell > 0 else BLUE, strength * abs(cell) / SHADES)

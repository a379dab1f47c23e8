"""Rows of a report, each the comparison for one tensor; they print as a table with notes and a summary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from autotiny.checking.differences import Sides
from autotiny.notation.numbers import short_number
from autotiny.notation.text import aligned, clean
from autotiny.ops.table import is_complex

Array = NDArray[Any]
LONGEST_NAME = 24
LONGEST_NOTE = 200
TERMINAL = 80
"""The number of characters in a line of a terminal."""
NOTABLE = 1e-6
"""The largest error that is stated beside agreement: a larger one is that of a gradient of next to nothing."""

VERDICTS = {
    None: "agrees",
    "analytic": "analytic DIFFERS",
    "autograd": "autograd DIFFERS",
    "convention": "convention, not slope",
    "overflow": "overflowed",
    "undecided": "undecided",
}
"""What a report says of a row, by its outlier."""


@dataclass(frozen=True, eq=False, repr=False)
class Row:
    """The gradient of the loss by one tensor: by the closed form, by autograd, and by numbers alone.

    analytic : the closed form's; None if there is none
    numeric : nan where it was not sampled; the middle of both sides at a kink
    noise : a bound on the error of the numeric side
    error : largest difference that no kink explains, relative to the largest entry; inf where one side is nan or inf
        alone
    ulps : the same in units of the last place of the larger value there
    index : the index of that entry, or of the largest difference at a kink
    outlier : which side is wrong there, "analytic" or "autograd"; "convention" where autograd's policy at a kink is not
        the slope; "overflow" where a value on the way overflowed, so that nothing is verified; "undecided" where the
        sides differ and the numeric one cannot tell; else None
    sides : the derivatives to the left and to the right of that entry, which differ at a kink; of a complex tensor, by
        the real or the imaginary part of the entry, the one that is further off
    tolerance : the largest error that rounding explains, on the scale of `error`
    coverage, method : the sample of the numeric side, and its method
    notes : sentences that describe the error
    """

    name: str
    analytic: Array | None
    autograd: Array
    numeric: Array
    noise: float
    error: float
    ulps: float
    index: tuple[int, ...]
    outlier: str | None
    sides: Sides | None
    tolerance: float
    coverage: str
    method: str
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no side is wrong. A difference below the numeric side's own noise is not an error."""
        return self.outlier in (None, "convention") or (self.outlier == "undecided" and self.explained_by_noise)

    @property
    def explained_by_noise(self) -> bool:
        """Whether the difference is below the noise, and that below the derivative itself."""
        if self.sides is None or self.analytic is None:
            return False
        difference = float(abs(self.analytic[self.index] - self.autograd[self.index]))
        return difference <= self.sides.noise < max(abs(self.sides.left), abs(self.sides.right))

    @property
    def at_kink(self) -> bool:
        """Whether the entry at `index` has two derivatives."""
        return self.sides is not None and abs(self.sides.right - self.sides.left) > 2 * self.sides.noise

    @property
    def verdict(self) -> str:
        """The outcome in a word or two."""
        return VERDICTS[self.outlier]

    def __repr__(self) -> str:
        return f"Row({self.name}: {self.verdict}, error {self.error:.1e} at {list(self.index)})"


# ----- cells -----
def number(array: Array | None, index: tuple[int, ...], digits: int = 9) -> str:
    """Write one entry."""
    if array is None:
        return "-"
    return short_number(array[index], digits) if array.size else "empty"


def derivative(row: Row, digits: int = 9) -> str:
    """Write the numeric value with its noise, or those on both sides of a kink."""
    if row.sides is None:
        return "not looked at" if row.autograd.size else "empty"
    if row.at_kink:
        return f"{short_number(row.sides.left, digits)} | {short_number(row.sides.right, digits)}"
    return f"{short_number(_numeric(row), digits)} ± {float(row.sides.noise):.0e}"


def _numeric(row: Row) -> Any:
    return row.numeric[row.index] if is_complex(row.numeric) else row.sides and row.sides.right


COLUMNS: dict[str, Callable[[Row, int], str]] = {
    "": lambda row, _: clean(row.name, LONGEST_NAME),
    "shape": lambda row, _: str(row.autograd.shape),
    "analytic": lambda row, digits: number(row.analytic, row.index, digits),
    "autograd": lambda row, digits: number(row.autograd, row.index, digits),
    "numeric": derivative,
    "error": lambda row, _: f"{row.error:.1e}",
    "at": lambda row, _: str(list(row.index)),
    "verdict": lambda row, _: row.verdict,
}
"""The headings of the table, and the cell under each for a row, of numbers to so many digits; the three values are
those at the largest error."""
DIGITS = (9, 7, 6, 5, 4, 3)
"""The numbers of digits that the three values may have."""
SHORTEST_NAME = 6
"""The number of letters that every name has room for."""


# ----- all rows -----
def shown(rows: Sequence[Row]) -> str:
    """Return the table of rows, the notes below it, and a sentence that sums it up."""
    return "\n".join([table(rows), *notes(rows), summary(rows)])


def table(rows: Sequence[Row]) -> str:
    """Return the table, as wide as a terminal at most: without shapes, with fewer digits and letters if it must be."""
    bare = [name for name in COLUMNS if name != "shape"]
    for columns, digits in ((list(COLUMNS), DIGITS[0]), *((bare, digits) for digits in DIGITS)):
        cells = [columns, *([COLUMNS[name](row, digits) for name in columns] for row in rows)]
        excess = _width(cells) - TERMINAL
        if excess <= 0:
            return aligned(cells)
    longest = max(SHORTEST_NAME, max(len(name) for name, *_ in cells) - excess)
    return aligned([[clean(name, longest), *others] for name, *others in cells])


def _width(cells: Sequence[Sequence[str]]) -> int:
    return max(map(len, aligned(cells).splitlines()))


def notes(rows: Sequence[Row]) -> list[str]:
    """Return what the errors look like, a line each, and how much of large tensors was looked at."""
    lines = [f"{clean(row.name, LONGEST_NAME)}: {clean(note, LONGEST_NOTE)}" for row in rows for note in row.notes]
    sampled = [
        f"{clean(row.name, LONGEST_NAME)} {row.coverage}" for row in rows if row.coverage not in ("", "every entry")
    ]
    return lines + ([f"the numeric side looked at {'; '.join(sampled)}"] if sampled else [])


def summary(rows: Sequence[Row]) -> str:
    """Return a sentence that says whether all agree, and where the largest error is."""
    worst = max(rows, key=lambda row: row.error)
    where = f"the largest error is {worst.error:.1e} of the largest entry, in {clean(worst.name, LONGEST_NAME)}"
    if len(rows) == 1 and not worst.ok:  # the table has said so
        where = ""
    elif worst.error > NOTABLE and all(row.outlier is None for row in rows):
        where = "every difference is within rounding"
    wrong = ", ".join(clean(row.name, LONGEST_NAME) for row in rows if not row.ok)
    conventions = ", ".join(clean(row.name, LONGEST_NAME) for row in rows if row.outlier == "convention")
    if conventions and not wrong:
        return f"{conventions}: autograd follows a convention at a kink, which is not the slope; {where}"
    if not wrong:
        return f"All agree; {where}"
    if all(row.ok or row.outlier == "overflow" for row in rows):
        return f"{wrong}: nothing is verified, for a value overflowed"
    if all(row.ok or row.outlier in ("undecided", "overflow") for row in rows):
        return f"{wrong}: undecided, for the numbers cannot tell" + (where and f"; {where}")
    sides = "autograd and the numbers" if worst.analytic is None else "closed form and autograd"
    return f"{wrong}: {sides} differ" + (where and f"; {where}")

"""What a comparison found: a row for each tensor, shown as a table in a terminal and in a notebook."""

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.tables import aligned, clean

Array = NDArray[Any]
LONGEST_NAME = 24


@dataclass(frozen=True, eq=False)
class Row:
    """The gradient of the loss by one tensor, told by a formula and by autograd.

    error : largest |analytic - autograd|, relative to the largest entry of the two; inf where one is nan or inf alone
    index : where that is
    """

    name: str
    analytic: Array
    autograd: Array
    error: float
    index: tuple[int, ...]

    @property
    def tolerance(self) -> float:
        """Largest error that rounding explains: eps to the power 2/3, 3.7e-11 in float64 and 2.4e-5 in float32.

        eps itself would forgive too little, since sums round at every term.
        """
        return float(max(_eps(self.analytic), _eps(self.autograd)) ** (2 / 3))

    @property
    def ok(self) -> bool:
        """Whether formula and autograd agree."""
        return self.error <= self.tolerance


def _eps(array: Array) -> float:
    return float(np.finfo(array.dtype if array.dtype.kind == "f" else float).eps)


# A heading, and what stands under it for each row; the two values are those at the largest error.
COLUMNS: dict[str, Callable[[Row], str]] = {
    "": lambda row: clean(row.name, LONGEST_NAME),
    "shape": lambda row: str(row.autograd.shape),
    "analytic": lambda row: _number(row.analytic, row.index),
    "autograd": lambda row: _number(row.autograd, row.index),
    "error": lambda row: f"{row.error:.1e}",
    "at": lambda row: str(list(row.index)),
    "verdict": lambda row: "agrees" if row.ok else "DIFFERS",
}


def _number(array: Array, index: tuple[int, ...]) -> str:
    return f"{array[index]:.9g}" if array.size else "empty"


def _line(cells: Iterable[str], tag: str) -> str:
    written = "".join(f'<{tag} style="text-align:left">{html.escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{written}</tr>"


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The rows of a comparison, by name or in order; `ok` where every row agrees."""

    rows: Sequence[Row]

    @property
    def ok(self) -> bool:
        """Whether every formula agrees with autograd."""
        return all(row.ok for row in self.rows)

    def __getitem__(self, name: str) -> Row:
        """The row of the tensor of that name; raises KeyError where it was not compared."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"{name!r} was not compared; there are {', '.join(row.name for row in self.rows)}")

    def __repr__(self) -> str:
        """The table, and in a sentence what it says."""
        table = aligned([list(COLUMNS), *([column(row) for column in COLUMNS.values()] for row in self.rows)])
        return f"{table}\n{self._summary()}"

    def _repr_html_(self) -> str:
        lines = [
            _line(COLUMNS, "th"),
            *(_line((column(row) for column in COLUMNS.values()), "td") for row in self.rows),
        ]
        return f"<table>{''.join(lines)}</table><p>{html.escape(self._summary())}</p>"

    def _summary(self) -> str:
        worst = max(self.rows, key=lambda row: row.error)
        where = f"the largest error is {worst.error:.1e} of the largest entry, in {clean(worst.name, LONGEST_NAME)}"
        wrong = ", ".join(clean(row.name, LONGEST_NAME) for row in self.rows if not row.ok)
        return f"{wrong}: closed form and autograd differ; {where}" if wrong else f"All agree; {where}"

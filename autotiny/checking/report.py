"""The report of a comparison: its rows, the blame for a wrong one, and its pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from autotiny.checking.blame import Blame, blame
from autotiny.checking.page import StepCurve, page, step_curve
from autotiny.checking.row import Row, shown
from autotiny.checking.subject import Subject


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The rows of a comparison, by name or in order; `ok` where no side of any row is wrong."""

    rows: Sequence[Row]
    subject: Subject = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether every formula agrees with autograd, and both with the numbers."""
        return all(row.ok for row in self.rows)

    def __getitem__(self, name: str) -> Row:
        """The row of the tensor of that name; raises KeyError where it was not compared."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"{name!r} was not compared; there are {', '.join(row.name for row in self.rows)}")

    def blame(self) -> Blame:
        """Check the rule of each operation by itself; return the first wrong one, with its line under at.debug()."""
        return blame(self.subject)

    def step_curve(self, name: str) -> StepCurve:
        """Plot the error of plain differences against their step, at the entry of that row's index."""
        return step_curve(self.subject, self[name])

    def __repr__(self) -> str:
        return shown(self.rows)

    def _repr_html_(self) -> str:
        return page(self.rows)

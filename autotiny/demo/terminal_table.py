"""A comparison as a table for the terminal, each gradient beside the formula that gives it."""

import numpy as np

from autotiny.checking import Row
from autotiny.demo.flagship import Check
from autotiny.tables import aligned

HEADINGS = ("dJ/d", "the textbook's formula", "by hand", "autograd", "error", "")

FORMULAS = {
    "Z2": "(A2 - Y)/m",
    "W2": "(1/m) dZ2 A1^T",
    "b2": "(1/m) sum(dZ2)",
    "Z1": "(W2^T dZ2 * 1[Z1 > 0])/m",
    "W1": "(1/m) dZ1 X^T",
    "b1": "(1/m) sum(dZ1)",
}
"""The textbook's dZ has no 1/m; the gradient of J, which is an average, has it."""


def terminal_table(check: Check) -> str:
    """A line for each gradient, at the entry where both sides differ most, and the outcome."""
    table = aligned([HEADINGS, *(_cells(row) for row in check.report.rows)])
    outcome = "All six agree" if check.report.ok else "NOT all agree"
    worst = check.worst
    return f"{table}\n\n{outcome}: the largest error is {worst.error:.1e} of the largest entry, in {worst.name}"


def _cells(row: Row) -> tuple[str, ...]:
    by_hand, autograd = (f"{np.asarray(side)[row.index]:.9g}" for side in (row.analytic, row.autograd))
    return row.name, FORMULAS[row.name], by_hand, autograd, f"{row.error:.1e}", "" if row.ok else "DIFFERS"

"""Rows for entries that were picked: one-hot columns, unit vectors, slices, diagonals."""

from autotiny.algebra.equation import Equation

# fmt: off
PICKS: tuple[Equation, ...] = (
)
# fmt: on

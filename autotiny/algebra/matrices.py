"""Rows for vectors and matrices: outer products, inverses, determinants, traces."""

from autotiny.algebra.equation import Equation

# fmt: off
MATRICES: tuple[Equation, ...] = (
)
# fmt: on

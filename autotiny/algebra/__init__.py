"""Formulas, and how they may be rewritten: what deriving for people and compiling for speed have in common."""

from autotiny.algebra.rewrites import EXPANSIONS, ROWS, Row
from autotiny.algebra.simplify import Simplifier
from autotiny.algebra.term import Term, ValueNeededError, apply, constant, symbol, topological_order

__all__ = [
    "EXPANSIONS",
    "ROWS",
    "Row",
    "Simplifier",
    "Term",
    "ValueNeededError",
    "apply",
    "constant",
    "symbol",
    "topological_order",
]

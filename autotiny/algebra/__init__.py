"""Formulas, and how they may be rewritten: what deriving for people and compiling for speed have in common."""

from autotiny.algebra.pattern import variables
from autotiny.algebra.rewrites import EXPANSIONS, ROWS, Row, rewritten
from autotiny.algebra.simplify import Simplifier
from autotiny.algebra.stable import STABLE
from autotiny.algebra.term import Term, ValueNeededError, apply, constant, symbol, topological_order
from autotiny.algebra.tidy import in_one_way

__all__ = [
    "EXPANSIONS",
    "ROWS",
    "STABLE",
    "Row",
    "Simplifier",
    "Term",
    "ValueNeededError",
    "apply",
    "constant",
    "in_one_way",
    "rewritten",
    "symbol",
    "topological_order",
    "variables",
]

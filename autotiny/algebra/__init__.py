"""Formulas and their rewriting, which derivations and the compiler share."""

from autotiny.algebra.equation import AlgebraError, Equation, measure, rewritten
from autotiny.algebra.normalise import in_one_way
from autotiny.algebra.pattern import variables
from autotiny.algebra.programs import PROGRAMS, STABLE, VECTORS
from autotiny.algebra.rewrites import EXPANSIONS, ROWS
from autotiny.algebra.simplify import Simplifier
from autotiny.algebra.term import (
    Term,
    ValueNeededError,
    Values,
    apply,
    constant,
    on_others,
    symbol,
    takes_arrays,
    topological_order,
    with_args,
)

__all__ = [
    "EXPANSIONS",
    "PROGRAMS",
    "ROWS",
    "STABLE",
    "VECTORS",
    "AlgebraError",
    "Equation",
    "Simplifier",
    "Term",
    "ValueNeededError",
    "Values",
    "apply",
    "constant",
    "in_one_way",
    "measure",
    "on_others",
    "rewritten",
    "symbol",
    "takes_arrays",
    "topological_order",
    "variables",
    "with_args",
]

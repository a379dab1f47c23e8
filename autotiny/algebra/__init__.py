"""Formulas, and how they may be rewritten: what deriving for people and compiling for speed have in common."""

from autotiny.algebra.term import Term, ValueNeededError, apply, constant, symbol, topological_order

__all__ = ["Term", "ValueNeededError", "apply", "constant", "symbol", "topological_order"]

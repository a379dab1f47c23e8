"""A small safe language for formulas: NumPy's notation, read with `ast` and walked here; Python never runs it."""

from autotiny.expressions.errors import ExpressionError
from autotiny.expressions.evaluation import Outcome, evaluate
from autotiny.expressions.limits import Limits

__all__ = ["ExpressionError", "Limits", "Outcome", "evaluate"]

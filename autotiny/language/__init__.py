"""A small safe language for formulas: NumPy's notation, read with `ast` and walked here; Python never runs it."""

from autotiny.language.errors import ExpressionError
from autotiny.language.evaluation import Outcome, evaluate
from autotiny.language.limits import Limits

__all__ = ["ExpressionError", "Limits", "Outcome", "evaluate"]

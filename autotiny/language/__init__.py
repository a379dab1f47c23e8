"""A small safe language for formulas: NumPy's notation, parsed with `ast` and evaluated here; Python never runs it."""

from autotiny.language.errors import ExpressionError
from autotiny.language.evaluation import Outcome, evaluate
from autotiny.language.limits import Limits

__all__ = ["ExpressionError", "Limits", "Outcome", "evaluate"]

"""Whether a gradient is the gradient: the textbook's closed forms, and autograd held against them."""

from autotiny.checking.comparison import UnknownTensorError, compare
from autotiny.checking.report import Report, Row

__all__ = ["Report", "Row", "UnknownTensorError", "compare"]

"""Whether a gradient is the gradient: closed forms, autograd and plain numbers compared with one another."""

from autotiny.checking.comparison import GradientError, Report, check_gradients, compare
from autotiny.checking.row import Row
from autotiny.checking.subject import UnknownTensorError

__all__ = ["GradientError", "Report", "Row", "UnknownTensorError", "check_gradients", "compare"]

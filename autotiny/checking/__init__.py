"""Whether a gradient is the gradient: closed forms, autograd and plain numbers compared with one another."""

from autotiny.checking.comparison import compare
from autotiny.checking.functions import GradientError, check_gradients
from autotiny.checking.report import Report
from autotiny.checking.row import Row
from autotiny.checking.subject import UnknownTensorError

__all__ = ["GradientError", "Report", "Row", "UnknownTensorError", "check_gradients", "compare"]

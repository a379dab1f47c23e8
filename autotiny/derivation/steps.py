"""Steps: a formula before and after a rule, and the numbers that prove it."""

from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term
from autotiny.errors import AutotinyError


class DerivationError(AutotinyError):
    """A step of a derivation changed the value: the rule that it used is wrong."""


class Step(NamedTuple):
    """One rule, applied wherever it could be.

    Attributes
    ----------
    rule : what a student would call it.
    before, after : the formula before and after it.
    condition : what had to hold, found on the data; empty if nothing had to.
    error : the largest difference that it made to the recorded value, relative to its largest entry.
    """

    rule: str
    before: Term
    after: Term
    condition: str
    error: float


def difference(before: Any, after: Any) -> float:
    """max |after - before| / max |before|, over the entries where the value before is finite."""
    a, b = np.asarray(before, float), np.asarray(after, float)
    a, b = np.broadcast_arrays(a, b)
    finite = np.isfinite(a)
    if not finite.any():
        return 0.0
    largest = np.max(abs(a[finite]))
    apart = np.max(abs(b[finite] - a[finite]))
    return float(apart / largest) if largest > 0 else float(apart)


def tolerance(value: Any) -> float:
    """What rounding may do."""
    dtype = np.asarray(value).dtype
    return 1e4 * float(np.finfo(dtype if dtype.kind == "f" else float).eps)

"""Facts about the data on which a formula may rely: the targets of each example sum to 1."""

from collections.abc import Container
from typing import Any

import numpy as np

from autotiny.algebra.normal import is_sum
from autotiny.algebra.term import Term

ROUNDING = 64
"""The largest number of units in the last place by which a sum that counts as 1 may differ from it.

Targets that were divided by their sum add up to 1 but for some units, more or fewer with the order of adding, and the
sum of a program is added in another order than NumPy's. A program that computes A2 - Y in place of A2 sum(Y) - Y is off
by no more than that rounding of A2, so the same tolerance serves derivations and programs. If a program asked for
exactly 1, it would rely on such targets at the first call and fall back to the general program at every other.
"""


def are_one(sums: Any) -> bool:
    """Whether all of these sums are 1, up to rounding."""
    sums = np.asarray(sums)
    return bool(np.all(abs(sums - 1) <= ROUNDING * precision(sums)))


def sums_to_one(term: Term, data: Container[Term]) -> bool:
    """Whether a term is the sum of one of the data arrays along an axis, and all entries are 1."""
    return is_sum(term) and term.args[0] in data and term.size > 0 and are_one(term.value)


def precision(values: Any) -> float:
    """The distance from 1 to the next number of this type."""
    return float(np.finfo(values.dtype if values.dtype.kind == "f" else float).eps)

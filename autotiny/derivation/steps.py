"""Steps: a formula before and after a rule, and the numbers that prove it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term, topological_order
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
    a, b = np.broadcast_arrays(*(1.0 * np.asarray(value) for value in (before, after)))
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


def is_rounding(before: Term, after: Term, definitions: Mapping[Term, Term]) -> bool:
    """Whether two formulas differ by rounding alone: then they differ far less where more digits are kept."""
    values: dict[Term, Any] = {}
    try:
        with np.errstate(all="ignore"):
            finer = difference(*(in_extended_precision(term, definitions, values) for term in (before, after)))
    except (TypeError, ValueError):  # linear algebra has no extended precision
        return False
    return finer < difference(before.value, after.value) / 100


def in_extended_precision(term: Term, definitions: Mapping[Term, Term], values: dict[Term, Any]) -> Any:
    """The value of a formula, computed with the digits of long double from the values of what was given."""
    for part in topological_order(term):
        if part in values:
            continue
        if part in definitions:
            values[part] = in_extended_precision(definitions[part], definitions, values)
        elif part.op is None:
            floating = np.asarray(part.value).dtype.kind == "f"
            values[part] = np.asarray(part.value, np.longdouble if floating else None)
        else:
            values[part] = part.op.forward(*(values[arg] for arg in part.args), **part.kwargs)
    return values[term]

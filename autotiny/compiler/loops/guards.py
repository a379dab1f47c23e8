"""The conditions that stop a program of loops, as operations of the program itself."""

from collections.abc import Mapping

import numpy as np

from autotiny.algebra import Term, constant, topological_order
from autotiny.algebra.facts import ROUNDING, precision
from autotiny.compiler.backend import FactError
from autotiny.compiler.loops.forms import is_loaded
from autotiny.compiler.loops.nests import Guard
from autotiny.compiler.schedule import Schedule


def with_guards(plan: Schedule, updates: Mapping[Term, Term]) -> tuple[list[Guard], list[Term]]:
    """Return the conditions that stop the program, and all operations, those of the conditions included."""
    guards = list[Guard]()
    assert plan.stop is not None or not (plan.finite or plan.not_nan)
    for sums in plan.checks:
        error = as_loaded(constant(np.max(abs(sums - 1))))
        guards.append(Guard([error], FactError, ROUNDING * precision(sums.prototype)))
    if plan.finite:
        guards.append(Guard([size_of(x) for x in plan.finite], plan.stop))
    nans = [constant(np.sum(np.not_equal(x, x))) for x in plan.not_nan]
    if nans:
        guards.append(Guard(nans, plan.stop, 0))
    totals = [total for guard in guards for total in guard.totals]
    known = set(plan.order)
    assert all(total.op is not None for total in totals)
    extra = [x for x in topological_order(*totals) if x.op is not None and x not in known]
    return guards, [*(x for x in plan.order if x not in updates), *extra, *updates]


def size_of(x: Term) -> Term:
    """Return the sum of the squares of all entries, as a number that kernels take."""
    return as_loaded(constant(np.vdot(x, x) if x.ndim else x * x))


def as_loaded(x: Term) -> Term:
    """Return a number, or its absolute value, in a type that kernels take."""
    return x if is_loaded(x.dtype) else constant(np.abs(x).astype(np.float64))

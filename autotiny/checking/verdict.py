"""The verdict over three gradients of one tensor: which of them, if any, is wrong, and where.

A value is wrong where it is further from the numeric derivative than rounding and noise explain:

    |value - numeric| > tolerance + noise        tolerance = 16 spread + 8 eps max|gradient|

eps is that of the values' precision, and the spread (`rounding_spread`) is how far the tensor's gradient moves when
every value in the graph moves by a rounding (`subject.moved_gradients`): the scale is that of each tensor, and a badly
conditioned gradient is allowed a larger error.
"""

from collections.abc import Sequence

import numpy as np

from autotiny.checking.numeric import Array, Evidence
from autotiny.checking.row import Row


def eps_of(array: Array) -> float:
    """The rounding of an array's entries; whole numbers are as exact as float64."""
    return float(np.finfo(array.dtype if array.dtype.kind == "f" else float).eps)


def finite_max(array: Array) -> float:
    """The largest size of a finite entry."""
    sizes = np.abs(array[np.isfinite(array)])
    return float(sizes.max(initial=0))


def rounding_spread(autograd: Array, moved: Sequence[Array]) -> float:
    """Return how far rounding moves a gradient at most."""
    with np.errstate(invalid="ignore"):
        return max((finite_max(np.asarray(sample - autograd)) for sample in moved), default=0.0)


def tolerance(gradient: Array, moved_by: float, graph_eps: float) -> float:
    """How far a right gradient may be off, given what rounding moves it by in the graph's precision."""
    eps = max(eps_of(gradient), graph_eps)
    return 16 * moved_by * eps / graph_eps + 8 * eps * finite_max(gradient)


def apart(a: Array, b: Array) -> Array:
    """|a - b|, 0 for equal infinities and inf for nan."""
    with np.errstate(invalid="ignore"):
        difference = np.where(a == b, 0, np.abs(a.astype(np.longdouble) - b))
    return np.where(np.isnan(difference), np.inf, difference)


def judge(name: str, analytic: Array | None, autograd: Array, evidence: Evidence, moved_by: float) -> Row:
    """The row of one tensor."""
    stated = autograd if analytic is None else analytic
    eps = eps_of(autograd)
    tolerances = tolerance(stated, moved_by, eps), tolerance(autograd, moved_by, eps)
    low = evidence.table(lambda each: each.low)
    high = evidence.table(lambda each: each.high)
    noise = np.where(np.isnan(low), np.inf, evidence.table(lambda each: each.noise))
    away = [_away(values, low, high) for values in (stated, autograd)]
    wrong = [far > allowed + noise for far, allowed in zip(away, tolerances, strict=True)]
    between = apart(stated, autograd)
    kink = high - low > 2 * noise
    doubtful = (between > sum(tolerances)) & ~kink | ~(np.isfinite(stated) | (stated == autograd))
    doubtful |= _without_number(low, evidence) & np.isfinite(stated)
    worst = [np.where(w, far, 0) for w, far in zip(wrong, away, strict=True)]
    outlier: str | None = None
    if np.any(wrong):
        difference = np.maximum(*worst)
        index = _place(difference)
        shared = wrong[1][index] and between[index] <= sum(tolerances)
        outlier = "analytic" if worst[0][index] > worst[1][index] and not shared else "autograd"
    elif np.any(doubtful):
        difference = np.where(doubtful, np.where(np.isnan(low), np.inf, between), 0)
        index, outlier = _place(difference), "undecided"
    else:
        difference = between if analytic is not None else np.where(np.isnan(away[1]), 0, away[1])
        index = _place(difference)
    off = float(difference[index]) if autograd.size else 0.0
    scale = max(finite_max(stated), finite_max(autograd), finite_max(low))
    return Row(
        name=name,
        analytic=analytic,
        autograd=autograd,
        numeric=((low + high) / 2).astype(float if autograd.dtype != np.longdouble else np.longdouble),
        noise=evidence.noise,
        error=(off / scale if scale else np.inf) if off else 0.0,
        ulps=_ulps(off, stated, autograd, index),
        index=index,
        outlier=outlier,
        sides=evidence.sides.get(index),
        tolerance=max(tolerances) / scale if scale else 0.0,
        coverage=evidence.coverage,
        method=evidence.method,
    )


def _away(values: Array, low: Array, high: Array) -> Array:
    """How far values are from those between low and high; nan where these are not known, inf for no number."""
    with np.errstate(invalid="ignore"):
        far = np.maximum(np.maximum(low - values, values - high), 0)
    return np.where(np.isnan(low), np.nan, np.where(np.isfinite(values), far, np.inf))


def _without_number(low: Array, evidence: Evidence) -> Array:
    """Which entries were looked at and have no number: a finite value says nothing of a loss that is nan."""
    return (evidence.table(lambda _: 1) == 1) & np.isnan(low)


def _place(difference: Array) -> tuple[int, ...]:
    if not difference.size:
        return ()
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(difference)), difference.shape))


def _ulps(off: float, stated: Array, autograd: Array, index: tuple[int, ...]) -> float:
    """The difference in units of the last place of the larger of the two."""
    if not off or not np.isfinite(off):
        return off
    dtype = autograd.dtype if autograd.dtype.kind == "f" else np.dtype(float)
    size = np.asarray(max(abs(float(stated[index])), abs(float(autograd[index]))), dtype)
    with np.errstate(over="ignore"):
        return float(off / float(np.spacing(size))) if np.isfinite(size) else np.inf

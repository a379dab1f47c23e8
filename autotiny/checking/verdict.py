"""The verdict over three gradients of one tensor: which of them, if any, is wrong, and where.

A value is wrong where it is further from the numeric derivative than rounding and noise explain:

    |value - numeric| > tolerance + noise        tolerance = 16 spread + 8 eps max|gradient|

eps is that of the values' precision, and the spread (`rounding_spread`) is how far the tensor's gradient moves when
every value in the graph moves by a rounding (`subject.moved_gradients`): the scale is that of each tensor, and a badly
conditioned gradient is allowed a larger error.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.checking.numeric import Array, Calling, Evidence, Numeric, gather
from autotiny.checking.replaying import Replay
from autotiny.checking.row import Row
from autotiny.checking.subject import Subject
from autotiny.diagnosis import GraphContext, diagnose, same, way_to_shape
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import ShapeError, UnsupportedError


def eps_of(array: Array) -> float:
    """The rounding of an array's entries; whole numbers are as exact as float64."""
    return float(np.finfo(array.dtype if array.dtype.kind == "f" else float).eps)


def finite_max(array: Array) -> float:
    """The largest size of a finite entry."""
    sizes = np.abs(array[np.isfinite(array)])
    return float(sizes.max(initial=0))


def rounding_spread(autograd: Array, moved: Sequence[Array]) -> float:
    """Return the largest change of a gradient by rounding."""
    with np.errstate(invalid="ignore"):
        return max((finite_max(np.asarray(sample - autograd)) for sample in moved), default=0.0)


def tolerance(gradient: Array, moved_by: float, graph_eps: float) -> float:
    """Return the largest error of a right gradient that rounding in the graph's precision explains."""
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
    """Return the distance of values from the interval low to high; nan where it is unknown, inf for nan."""
    with np.errstate(invalid="ignore"):
        far = np.maximum(np.maximum(low - values, values - high), 0)
    return np.where(np.isnan(low), np.nan, np.where(np.isfinite(values), far, np.inf))


def _without_number(low: Array, evidence: Evidence) -> Array:
    """Return a mask of the sampled entries without a number: a finite gradient is wrong where the loss is nan."""
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


# ----- the examination of every tensor of a subject -----


def examine(
    subject: Subject, stated: Mapping[Tensor, Any], numbers: Mapping[Tensor, Calling] | None = None
) -> list[Row]:
    """Return a row for each tensor of a subject, with a closed form for some of them, None for others.

    `numbers`, if present, are used in place of the replay.
    """
    moved = subject.moved_gradients()
    rows = []
    for x, autograd in subject.gradients().items():
        analytic, moved_by = _stated(subject.names[x], stated[x], autograd), rounding_spread(autograd, moved[x])
        numeric = numbers[x] if numbers else _replayed(subject, x, moved_by / eps_of(autograd))
        doubts = np.zeros(autograd.shape) if analytic is None else apart(analytic, autograd)
        if analytic is not None:
            doubts = np.where(doubts > tolerance(analytic, moved_by, eps_of(autograd)), doubts, 0)
        row = judge(subject.names[x], analytic, autograd, gather(numeric, autograd, doubts, moved[x]), moved_by)
        rows.append(replace(row, notes=tuple(_notes(subject, x, row))))
    return rows


def _replayed(subject: Subject, x: Tensor, conditioning: float) -> Numeric:
    return Numeric(Replay(x, subject.output, 1.0 if subject.weights is None else subject.weights), conditioning)


def _stated(name: str, stated: Any, autograd: Array) -> Array | None:
    """Return a closed form as an array of floating-point numbers; raise where it cannot be the gradient."""
    if stated is None:
        return None
    analytic = np.asarray(value_of(stated))
    if analytic.dtype.kind not in "biuf":
        raise UnsupportedError(f"compare: expected the closed form of {name} as numbers; got {analytic.dtype}")
    if analytic.shape != autograd.shape:
        mend = way_to_shape(analytic.shape, autograd.shape)
        raise ShapeError(f"compare: {name} is {autograd.shape}, and its closed form is {analytic.shape}{mend}")
    return analytic if analytic.dtype.kind == "f" else analytic.astype(float)


def _notes(subject: Subject, x: Tensor, row: Row) -> Iterator[str]:
    """Yield sentences that say what the error of a row looks like."""
    if row.at_kink:
        assert row.sides is not None
        left, right = float(row.sides.left), float(row.sides.right)
        place = f"a kink at {list(row.index)}"
        yield f"{place}: {left:.6g} to its left, {right:.6g} to its right, and any value between them is right"
    if row.outlier == "analytic" and row.analytic is not None:
        context = GraphContext(subject.output, subject.seed, x, subject.names_of_all)
        mistake = diagnose(row.analytic, row.autograd, context)
        if mistake:
            yield mistake
    if row.outlier == "autograd":
        if row.analytic is not None and same(row.analytic, row.autograd):
            yield "the closed form shares autograd's error"
        yield "report.blame() looks for the operation whose rule is wrong"
    if row.outlier == "undecided":
        reason = "the difference is below its noise" if row.explained_by_noise else "it has no precise number there"
        yield f"the numeric side cannot tell: {reason}"

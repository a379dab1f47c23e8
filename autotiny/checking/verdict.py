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

from autotiny.checking.foreign import Numbers, as_numbers
from autotiny.checking.hull import Hull, Misfit
from autotiny.checking.numeric import Array, Calling, Evidence, Numeric, gather, hull_at_kink
from autotiny.checking.overflow import overflow
from autotiny.checking.parts import as_parts, from_parts
from autotiny.checking.replaying import Replay
from autotiny.checking.row import Row
from autotiny.checking.subject import Subject
from autotiny.diagnosis import NO_SCOPE, GraphContext, diagnose, same, way_to_shape
from autotiny.engine.tensor import Tensor
from autotiny.errors import ShapeError
from autotiny.notation.numbers import short_number
from autotiny.ops.table import is_complex


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


def tolerance(gradient: Array, moved_by: float, graph_eps: float, own_eps: float) -> float:
    """Return the largest error of a right gradient that rounding in the graph's precision and its own explains."""
    eps = max(own_eps, graph_eps)
    return 16 * moved_by * eps / graph_eps + 8 * eps * finite_max(gradient)


def apart(a: Array, b: Array) -> Array:
    """|a - b|, 0 for equal infinities and inf for nan."""
    with np.errstate(invalid="ignore"):
        difference = np.where(a == b, 0, np.abs(a.astype(np.longdouble) - b))
    return np.where(np.isnan(difference), np.inf, difference)


def judge(
    name: str,
    form: Numbers | None,
    autograd: Array,
    evidence: Evidence,
    moved_by: float,
    hull: Hull | None = None,
    misfits: Sequence[Misfit | None] = (None, None),
) -> Row:
    """The row of one tensor.

    misfits : how the closed form and autograd's gradient leave the hull
    """
    analytic, eps = None if form is None else form.values, eps_of(autograd)
    stated, own_eps = form or Numbers(autograd, eps)
    tolerances = tolerance(stated, moved_by, eps, own_eps), tolerance(autograd, moved_by, eps, eps)
    low, high = evidence.table(lambda each: each.low), evidence.table(lambda each: each.high)
    noise = np.where(np.isnan(low), np.inf, evidence.table(lambda each: each.noise))
    away = [_away(values, low, high) for values in (stated, autograd)]
    wrong = [far > allowed + noise for far, allowed in zip(away, tolerances, strict=True)]
    between, kink = apart(stated, autograd), high - low > 2 * noise
    doubtful = ~(np.isfinite(stated) | (stated == autograd)) | (_without_number(low, evidence) & np.isfinite(stated))
    by_convention = False
    if hull is not None:
        beside = np.isnan(low) & ~np.isnan(hull.outside(stated))
        doubtful |= beside & ((hull.outside(stated) > tolerances[0]) | (hull.outside(autograd) > tolerances[1]))
        kink |= beside
        misfits = [None if np.any(off) else misfit for misfit, off in zip(misfits, wrong, strict=True)]
        for misfit, off, far in zip(misfits, wrong, away, strict=True):
            if misfit is not None:
                off[misfit.place], far[misfit.place] = True, misfit.gap
        if np.any(wrong[1]):
            direction = misfits[1].direction if misfits[1] else np.where(wrong[1], hull.slanted, 0.0)
            by_convention = hull.is_convention(autograd, direction)
    doubtful |= (between > sum(tolerances)) & ~kink
    unexplained = np.where(kink & ~wrong[0] & ~wrong[1] & np.isfinite(between), 0, between)
    worst = [np.where(w, far, 0) for w, far in zip(wrong, away, strict=True)]
    follows = by_convention and not np.any(wrong[0] & (between > sum(tolerances)))
    outlier: str | None = None
    if follows:
        difference, outlier = worst[1], "convention"
    elif np.any(wrong):
        difference = worst[0] if by_convention else np.maximum(*worst)
        index = _place(difference)
        shared = wrong[1][index] and between[index] <= sum(tolerances) and not by_convention
        outlier = "analytic" if (worst[0][index] > worst[1][index] and not shared) or by_convention else "autograd"
    elif np.any(doubtful):
        difference = np.where(doubtful, np.where(np.isnan(low) & ~kink, np.inf, between), 0)
        outlier = "undecided"
    elif analytic is None:
        difference = np.where(np.isnan(away[1]), 0, away[1])
    else:
        difference = unexplained
    index = _place(difference)
    error = float(difference[index]) if autograd.size else 0.0
    if outlier is None and np.max(between, initial=0) > np.max(unexplained, initial=0):
        index = _place(between)
    scale = max(finite_max(stated), finite_max(autograd), finite_max(low))
    return Row(
        name=name,
        analytic=analytic,
        autograd=autograd,
        numeric=((low + high) / 2).astype(float if autograd.dtype != np.longdouble else np.longdouble),
        noise=evidence.noise,
        error=(error / scale if scale else np.inf) if error else 0.0,
        ulps=_ulps(error, stated, autograd, index),
        index=index,
        outlier=outlier,
        sides=evidence.sides.get(index),
        tolerance=max(tolerances) / scale if scale else 0.0,
        coverage=evidence.coverage,
        method=evidence.method,
        notes=tuple(misfit.words for misfit in misfits[: 1 + (outlier == "autograd")] if misfit is not None),
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
    subject: Subject,
    stated: Mapping[Tensor, Any],
    numbers: Mapping[Tensor, Calling] | None = None,
    scope: Mapping[str, Any] = NO_SCOPE,
) -> list[Row]:
    """Return a row for each tensor of a subject, with a closed form for some of them, None for others.

    `numbers`, if present, are used in place of the replay. By the variables in `scope`, notes name arrays and numbers.
    """
    with np.errstate(all="ignore"):  # the warnings of replays are nobody's business
        return list(_rows(subject, stated, numbers, scope))


def _rows(
    subject: Subject,
    stated: Mapping[Tensor, Any],
    numbers: Mapping[Tensor, Calling] | None,
    scope: Mapping[str, Any],
) -> Iterator[Row]:
    spread = subject.moved_gradients()
    for x, gradient in subject.gradients().items():
        moved, autograd = list(map(as_parts, spread[x])), as_parts(gradient)
        form, moved_by = _stated(subject.names[x], stated[x], gradient), rounding_spread(autograd, moved)
        own = Numbers(autograd, eps_of(autograd))
        claim = form or own
        numeric = numbers[x] if numbers else _replayed(subject, x, moved_by / eps_of(autograd))
        hull = hull_at_kink(numeric, autograd, moved) if isinstance(numeric, Numeric) else None
        misfits = [hull.misfit(*form) for form in (claim, own)] if hull is not None else [None, None]
        allowed = tolerance(claim.values, moved_by, eps_of(autograd), claim.eps)
        evidence = gather(numeric, autograd, _doubts(claim.values, autograd, allowed, hull), moved, hull)
        shown = _place(apart(claim.values, autograd))
        if hull is not None and shown not in evidence.sides:
            evidence.sides[shown] = hull.include(shown, numeric.entry(shown))
        row = judge(subject.names[x], form, autograd, evidence, moved_by, hull, misfits)
        row = _of_complex(row) if is_complex(gradient) else row
        yield _unless_overflowed(subject, x, replace(row, notes=(*row.notes, *_notes(subject, x, row, scope))))


def _of_complex(row: Row) -> Row:
    """Return the row of a complex tensor from that of its parts; `sides` stay those of the part that is further off."""
    analytic = None if row.analytic is None else from_parts(row.analytic, 1j)
    autograd, numeric = from_parts(row.autograd, 1j), from_parts(row.numeric, 1j)
    return replace(row, analytic=analytic, autograd=autograd, numeric=numeric, index=row.index[:-1])


def _doubts(stated: Array, autograd: Array, allowed: float, hull: Hull | None) -> Array:
    """Return the difference of a closed form from autograd, or of either from the gradients beside a kink."""
    doubts = apart(stated, autograd)
    if hull is not None:
        outside = np.fmax(hull.outside(stated), hull.outside(autograd))
        doubts = np.where(np.isnan(outside), doubts, outside)
    return np.where(doubts > allowed, doubts, 0)


def _unless_overflowed(subject: Subject, x: Tensor, row: Row) -> Row:
    """Return the row; where a value overflowed on the way, without a verdict, but for a mistake that is sure."""
    words = overflow(subject, x)
    if words is None:
        return row
    sure = row.outlier == "analytic" and np.isfinite(subject.output.value).all() and _is_confirmed(row)
    return row if sure else replace(row, outlier="overflow", notes=(words,))


def _is_confirmed(row: Row) -> bool:
    """Whether autograd has the numeric value at the entry of the largest error."""
    away = float(abs(row.autograd[row.index] - row.numeric[row.index]))
    return away <= row.noise + row.tolerance * finite_max(row.autograd)


def _replayed(subject: Subject, x: Tensor, conditioning: float) -> Numeric:
    return Numeric(Replay(x, subject.output, 1.0 if subject.weights is None else subject.weights), conditioning)


def _stated(name: str, stated: Any, autograd: Array) -> Numbers | None:
    """Return a closed form as floating-point numbers, in parts; raise where it cannot be the gradient."""
    if stated is None:
        return None
    analytic = as_numbers(stated, f"the closed form of {name}", complex_too=is_complex(autograd))
    shape = analytic.values.shape
    if shape != autograd.shape:
        mend = way_to_shape(shape, autograd.shape)
        raise ShapeError(f"compare: {name} is {autograd.shape}, and its closed form is {shape}{mend}")
    return analytic._replace(values=as_parts(analytic.values))


def explanations(subject: Subject, stated: Mapping[Tensor, Any], scope: Mapping[str, Any]) -> dict[str, str | None]:
    """Return, for each tensor by name, the sentence that explains its stated gradient."""
    sentences: dict[str, str | None] = {}
    with np.errstate(all="ignore"):
        for x, gradient in subject.gradients().items():
            if stated[x] is not None:
                form = as_numbers(stated[x], "the gradient", complex_too=is_complex(gradient)).values
                context = GraphContext(subject.output, subject.seed, x, subject.names_of_all, scope)
                sentences[subject.names[x]] = diagnose(form, gradient, context)
    return sentences


def _notes(subject: Subject, x: Tensor, row: Row, scope: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences that say what the error of a row looks like."""
    if row.at_kink:
        assert row.sides is not None
        left, right = float(row.sides.left) + 0.0, float(row.sides.right) + 0.0
        place = f"a kink at {list(row.index)}"
        yield f"{place}: {left:.6g} to its left, {right:.6g} to its right, and any value between them is right"
    if row.outlier == "convention" and row.sides is not None:
        slope = short_number(row.sides.low, 6)
        if row.at_kink:
            slope = f"between {slope} and {short_number(row.sides.high, 6)}"
        value = f"autograd's {short_number(row.autograd[row.index], 6)}"
        yield f"conventions at the kinks that meet at {list(row.index)} make {value}; the slope is {slope}"
    if row.outlier == "analytic" and row.analytic is not None:
        context = GraphContext(subject.output, subject.seed, x, subject.names_of_all, scope)
        mistake = diagnose(row.analytic, row.autograd, context)
        if mistake:
            yield mistake
    if row.outlier == "autograd":
        if row.analytic is not None and same(row.analytic, row.autograd):
            yield "the closed form shares autograd's error"
        yield "report.blame() looks for the operation whose rule is wrong"
    if row.outlier == "undecided":
        reason = "the difference is below its noise" if row.explained_by_noise else "it has no precise number there"
        if np.any(np.isnan(subject.output.value)):
            reason = f"{subject.names_of_all[subject.output]} is nan"
        yield f"the numeric side cannot tell: {reason}"

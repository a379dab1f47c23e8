"""The list of mistakes: for each, how it is recognised in a wrong gradient, and the sentence that names it.

A mistake is a function of the stated gradient, the right one and the context; it returns a sentence, or None if this is
not the mistake. `MISTAKES` is tried in order, special ones before those that are less specific.
"""

from collections.abc import Callable

import numpy as np

from autotiny.diagnosis.context import Context
from autotiny.diagnosis.factors import any_factor, likely_factor
from autotiny.diagnosis.values import Array, equal, finite_max, near, same, wrong_entries
from autotiny.notation.numbers import short_number


def diagnose(stated: Array, right: Array, context: Context) -> str | None:
    """Return the sentence of the first mistake that explains the difference; None if none does.

    >>> diagnose(np.array([-1.0, 2.0]), np.array([1.0, -2.0]), Context())
    'minus the gradient: the sign is wrong'
    """
    return next(filter(None, (mistake(stated, right, context) for mistake in MISTAKES)), None)


def transposed(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a transpose."""
    if right.ndim == stated.ndim == 2 and same(stated.T, right) and not same(stated, right):
        return "the gradient transposed: a .T is missing, or is one too many"
    return None


def wrong_shape(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a wrong shape, and name an operation that gives the right one."""
    if stated.shape == right.shape:
        return None
    return f"its shape is {stated.shape}, the gradient's {right.shape}{way_to_shape(stated.shape, right.shape)}"


def way_to_shape(stated: tuple[int, ...], right: tuple[int, ...]) -> str:
    """Return, after a colon, an operation that turns one shape into another; empty if there is no simple one.

    >>> way_to_shape((3, 64), (3, 1))
    ': sum it over axis 1, the batch, with keepdims=True'
    """
    if stated == right[::-1]:
        return ": transpose it"
    if [n for n in stated if n != 1] == [n for n in right if n != 1]:
        return ": reshape it, or sum with keepdims=True"
    if len(stated) == len(right) and all(n in (1, m) for n, m in zip(right, stated, strict=True)):
        axes = [i for i, (n, m) in enumerate(zip(right, stated, strict=True)) if n != m]
        return f": sum it over axis {', '.join(map(str, axes))}, the batch, with keepdims=True"
    for axis in range(len(stated)):
        if (*stated[:axis], *stated[axis + 1 :]) == right:
            return f": sum it over axis {axis}"
    return ""


def without_numbers(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise nan, infinities, and zeros alone."""
    for kind, bad, reason in (
        ("nan", np.isnan(stated), "an invalid operation, such as 0 / 0, inf - inf or log(-1)?"),
        ("inf", np.isinf(stated), "an overflow, or a division by 0?"),
    ):
        if bad.any() and np.all(np.isfinite(right)):
            index = [int(i) for i in np.argwhere(bad)[0]]
            where = "every entry" if bad.all() else f"{bad.sum()} of {bad.size} entries, first at {index}"
            return f"{kind} in {where}: {reason}"
    real = right.dtype.kind == "f" and stated.dtype.kind == "f" and stated.shape == right.shape and stated.any()
    cuts = [cut(right) for cut in (np.trunc, np.floor, np.round)] if real and not equal(stated, right) else []
    if any(np.array_equal(stated, cut) for cut in cuts):
        return "the gradient cut to whole numbers: an integer array, or // in place of /?"
    if stated.size and not stated.any() and right.any():
        return "zero in every entry: was it never assigned, or overwritten?"
    return None


def other_order(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise the right entries at other places: reversed, shifted by one, or rows in another order."""
    if right.ndim == 0 or np.iscomplexobj(right) or same(stated, right):
        return None
    for axis, n in enumerate(right.shape):
        along = f" along axis {axis}" if right.ndim > 1 else ""
        if n > 1 and same(stated, np.flip(right, axis)):
            return f"the gradient reversed{along}"
        if right.ndim > 1 and same(stated, np.flip(right)):
            return "the gradient reversed along all axes"
        for step in (1, -1) if n > 2 else ():
            moved = np.roll(right, step, axis)
            if same(stated, moved):
                return f"the gradient shifted by {step}{along}"
            kept = slice(1, None) if step > 0 else slice(None, -1)
            inner = (slice(None),) * axis + (kept,)
            edge = np.delete(stated, np.arange(n)[kept], axis)
            if not edge.any() and same(stated[inner], moved[inner]) and not same(stated[inner], right[inner]):
                return f"the gradient shifted by {step}{along}: off by one?"
        if n > 2 and same(np.sort(stated, axis), np.sort(right, axis)) and _same_lines(stated, right, axis):
            lines = {0: "rows", 1: "columns"}.get(axis, "lines") if right.ndim == 2 else "entries"
            return f"the gradient with its {lines} in another order"
    return None


def _same_lines(stated: Array, right: Array, axis: int) -> bool:
    """Whether two arrays have the same lines along an axis, in any order."""
    a, b = (np.moveaxis(each, axis, 0).reshape(each.shape[axis], -1) for each in (stated, right))
    return same(a[np.lexsort(a.T)], b[np.lexsort(b.T)])


def or_else(sentences: list[str]) -> str:
    """Return sentences of which one is right, the first two of them, as one.

    >>> or_else(["the gradient without b: forgotten?", "the gradient with a in place of b"])
    'the gradient without b: forgotten? or: with a in place of b'
    """
    first, *others = dict.fromkeys(sentences)
    return f"{first} or: {others[0].removeprefix('the gradient ')}" if others else first


def other_convention(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise the conjugate of a complex gradient, and the derivatives of W. Wirtinger, 1927."""
    if not np.iscomplexobj(right) or stated.shape != right.shape or same(stated, right):
        return None
    if same(stated, right / 2):
        return "half of the gradient: the Wirtinger derivative ∂J/∂z̄?"
    if same(stated, np.conj(right) / 2):
        return "half of the gradient's conjugate: the Wirtinger derivative ∂J/∂z?"
    if same(stated, np.conj(right)):
        return "the conjugate of the gradient dJ/dRe + i dJ/dIm, as JAX and HIPS autograd give it"
    if same(stated, np.real(right)):
        return "the real part of the gradient alone: the imaginary part is missing"
    return None


def summed_over_all_axes(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise the sum of all entries in every entry."""
    if right.size > 1 and same(stated, np.full_like(right, right.sum())):
        return "the sum of the whole gradient in every entry: a sum without its axis?"
    return None


def slips(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise slips in the derivation."""
    return next(context.explanations(stated, right), None)


def missing_sum(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise the gradient of one example instead of the sum over all of them."""
    for axis, i, alone in context.of_one_example():
        if same(stated, alone):
            return f"the gradient of example {i} alone: a missing sum over axis {axis}, the batch?"
    return None


def missing_factor(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a missing mask, derivative of an activation, or other factor."""
    for factor_name, rest in context.without_factor():
        if same(stated, rest) and not same(right, rest):
            return f"the gradient without {factor_name}: forgotten?"
    return None


def missing_term(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a sum without one of its terms, or a single term of it."""
    terms = list(context.terms())
    for name, term in terms if len(terms) > 1 else ():
        if same(stated, right - term):
            return f"the gradient without {name}: forgotten?"
    for name, term in terms if len(terms) > 2 else ():
        if same(stated, term):
            return f"only {name}: the other terms are missing?"
    return None


def wrong_under_condition(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a difference only where a mask stops the gradient."""
    wrong = ~near(stated, right)
    for condition, stopped in context.conditions():
        if stopped.shape == right.shape and stopped.any() and wrong.any() and not (wrong & ~stopped).any():
            zero = "" if right[stopped].any() else ", where the gradient is 0: a forgotten mask?"
            return f"differs where {condition}{zero}"
    return None


def some_entries(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a difference in some entries only."""
    wrong = wrong_entries(stated, right)
    if not 0 < wrong.sum() < wrong.size:
        return None
    zero = "" if right[wrong].any() else "; the gradient is 0 in all of them: a forgotten mask?"
    return extent(stated, right) + zero


def extent(stated: Array, right: Array) -> str:
    """Return the number of differing entries and the largest difference, as text."""
    wrong = wrong_entries(stated, right)
    with np.errstate(invalid="ignore"):
        apart = finite_max(stated - right)
    entries = "every entry differs" if wrong.all() else f"{wrong.sum()} of {wrong.size} entries differ"
    largest = short_number(finite_max(right), 2)
    return f"{entries}, by up to {short_number(apart, 2)} where the largest entry is {largest}"


Mistake = Callable[[Array, Array, Context], str | None]
MISTAKES: tuple[Mistake, ...] = (
    wrong_shape,
    without_numbers,
    transposed,
    other_convention,
    likely_factor,
    other_order,
    summed_over_all_axes,
    slips,
    missing_sum,
    missing_factor,
    missing_term,
    any_factor,
    wrong_under_condition,
    some_entries,
)

"""The list of mistakes: for each, how it is recognised in a wrong gradient, and the sentence that names it.

A mistake is a function of the stated gradient, the right one and the context; it returns a sentence, or None if this is
not the mistake. `MISTAKES` is tried in order, special ones before those that are less specific.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import combinations

import numpy as np

from autotiny.diagnosis.values import Array, equal, factor, finite_max, near, same, wrong_entries
from autotiny.notation.numbers import short_number


class Context:
    """Knowledge of the right gradient besides its value; subclasses supply it."""

    def counts(self) -> Mapping[int, str]:
        """Return the numbers of entries that an average may be over, with their names: {64: "m"}."""
        return {}

    def sums(self) -> Mapping[int, str]:
        """Return the numbers of examples that a loss sums over, with their names."""
        return {}

    def entries(self) -> Collection[int]:
        """Return the numbers of entries that a loss sums over."""
        return ()

    def lengths(self) -> Collection[int]:
        """Return the lengths of axes that count no examples."""
        return ()

    def scales(self) -> Collection[float]:
        """Return the numbers that a loss multiplies or divides by."""
        return ()

    def numbers(self) -> Mapping[str, float]:
        """Return the numbers that have a name: {"lam": 0.1}."""
        return {}

    def terms(self) -> Iterator[tuple[str, Array]]:
        """Yield each of the terms that the gradient is a sum of, described and by value."""
        yield from ()

    def without_factor(self) -> Iterator[tuple[str, Array]]:
        """Yield the gradient with one factor left out, after a description of the factor."""
        yield from ()

    def of_one_example(self) -> Iterator[tuple[int, int, Array]]:
        """Yield an axis that is summed over, an index on it, and the gradient of that entry alone."""
        yield from ()

    def averaged(self, ratio: float) -> str:
        """Return, after a comma, the sum of which a factor makes a mean; empty if it makes none."""
        return ""

    def conditions(self) -> Iterator[tuple[str, Array]]:
        """Yield the condition under which a mask stops the gradient, in symbols and as truth values."""
        yield from ()

    def explanations(self, stated: Array, right: Array) -> Iterator[str]:
        """Yield sentences for slips in the derivation that reproduce a stated gradient."""
        yield from ()


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
    whole = np.all(np.isfinite(right)) and stated.shape == right.shape and stated.any() and not np.iscomplexobj(right)
    if (
        whole
        and not equal(stated, right)
        and any(np.array_equal(stated, cut(right)) for cut in (np.trunc, np.floor, np.round))
    ):
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


def likely_factor(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a factor that has a likely cause, or the wrong sign."""
    ratio = factor(stated, right)
    if ratio is None:
        return None
    if abs(ratio + 1) < 1e-6:
        return "minus the gradient: the sign is wrong"
    if abs(ratio - 1) < 1e-4:
        return f"{short_number(ratio, 9)} times the gradient: a number with too few digits?"
    cause = likely_cause(abs(ratio), context)
    if not cause:
        return None
    sign = ", and the sign is wrong" if ratio < 0 else context.averaged(ratio)
    return f"{short_number(ratio, 6)} times the gradient: {cause}{sign}?"


def any_factor(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a factor without a cause."""
    ratio = factor(stated, right)
    if ratio is None:
        return None
    return f"{short_number(ratio, 6)} times the gradient" + (": the sign is wrong?" if ratio < 0 else "")


def likely_cause(size: float, context: Context) -> str:
    """Return the likely cause of a factor of this size: m, a named number or 2, or two of these; empty if none is."""
    known: list[tuple[str, str, float]]
    known = [(f"a missing 1/{name}", f"one 1/m too many{name[1:]}", n) for n, name in context.counts().items()]
    known += [(f"one factor {name} too many", f"one 1/m too many{name[1:]}", n) for n, name in context.sums().items()]
    taken = {*context.counts(), *context.sums()}
    numbers = [(name, number) for name, number in context.numbers().items() if abs(number) not in taken]
    known += [(f"one factor {name} too many", f"a missing factor {name}", abs(number)) for name, number in numbers]
    causes: list[tuple[str, float]] = []
    for above, below, number in known:
        causes += [(above, number), (below, 1 / number)] if number not in (0, 1) else []
    causes += [("an extra factor of 2", 2.0), ("a missing factor of 2", 0.5)]
    pairs = [(f"{one}, and {two}", a * b) for (one, a), (two, b) in combinations(causes, 2) if abs(a * b - 1) > 1e-6]
    for likely in (causes, list(_of_scales(context)), pairs):
        words = [words for words, value in likely if abs(size / value - 1) < 1e-6]
        if words and likely is causes:
            words += [words for words, value in _of_entries(context) if abs(size / value - 1) < 1e-6]
        if likely is pairs and any(abs(size - n) < 1e-6 * n or abs(size * n - 1) < 1e-6 for n in context.lengths()):
            return ""  # an axis of this length is as likely
        if words:
            return ", or ".join(dict.fromkeys(words[:2]))
    return ""


def _of_scales(context: Context) -> Iterator[tuple[str, float]]:
    """Yield the causes of factors by the whole numbers that a loss multiplies or divides by."""
    for scale in sorted(context.scales()):
        n = scale if scale > 1 else 1 / scale
        twice = any(abs(n / count - two) < 1e-9 for count in context.counts() for two in (2, 0.5))
        if n > 2 and abs(n - round(n)) < 1e-9 * n and not twice:
            yield f"a missing division by {round(n)}", n
            yield f"one division by {round(n)} too many", 1 / n
    yield from _of_entries(context)


def _of_entries(context: Context) -> Iterator[tuple[str, float]]:
    """Yield the causes of factors by averages over the examples instead of over all entries."""
    averages = [
        n for n in context.entries() if any(abs(s * n - 1) < 1e-9 or abs(s - n) < 1e-9 for s in context.scales())
    ]
    for n in averages:
        for count in context.counts():
            if n > count and n % count == 0:
                yield f"a division by m = {count} in place of {n}, the number of entries", n / count


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

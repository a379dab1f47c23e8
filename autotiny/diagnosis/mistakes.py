"""The list of mistakes: for each, how it is recognised in a wrong gradient, and the sentence that names it.

A mistake is a function of the stated gradient, the right one and the context; it returns a sentence, or None if this is
not the mistake. `MISTAKES` is tried in order, special ones before those that are less specific.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.notation.numbers import short_number

# ----- comparisons of arrays -----


Array = NDArray[Any]

SAME = 1e-9
"""The largest relative difference at which a mistake explains a gradient in float64; elsewhere it is √eps."""


def same(a: Array, b: Array) -> bool:
    """Whether two gradients are equal up to rounding. An all-zero gradient matches nothing.

    >>> same(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-12]))
    True
    """
    if a.shape != b.shape or not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return False
    close = max(SAME, *(float(np.sqrt(np.finfo(v.dtype).eps)) if v.itemsize < 8 else 0 for v in (a, b)))
    return bool(np.max(np.abs(a - b), initial=0) <= close * np.max(np.abs(b), initial=0)) and bool(np.any(b))


def equal(stated: Array, right: Array) -> bool:
    """Whether a stated gradient is the right one up to rounding, zeros included."""
    return stated.shape == right.shape and bool(np.all(near(stated, right)))


def near(stated: Array, right: Array) -> Any:
    """Entry by entry, whether the two differ by rounding at most; true where the right gradient is not finite."""
    close = 1e-9 if min(stated.itemsize, right.itemsize) >= 8 else 1e-4
    with np.errstate(invalid="ignore"):
        return (np.abs(stated - right) <= close * finite_max(right)) | ~np.isfinite(right)


def wrong_entries(stated: Array, right: Array) -> Any:
    """Return a mask of the entries that differ on the scale of the largest one, or else on their own scale."""
    wrong = ~near(stated, right)
    own = 1e-6 * np.abs(right) + 1e-9 * finite_max(right)
    with np.errstate(invalid="ignore"):
        return wrong if wrong.any() else (np.abs(stated - right) > own) & np.isfinite(right)


def finite_max(array: Array) -> float:
    """Return the largest absolute value of a finite entry."""
    return float(np.max(np.abs(array), initial=0, where=np.isfinite(array)))


def factor(stated: Array, right: Array) -> float | None:
    """Return the number, other than 1, that the right gradient is multiplied by in the stated one; None if none.

    >>> factor(np.array([-2.0, 4.0]), np.array([1.0, -2.0])), factor(np.array([1.0, 4.0]), np.array([1.0, 2.0]))
    (-2.0, None)
    """
    if stated.shape != right.shape or not right.size:
        return None
    largest = np.unravel_index(int(np.argmax(np.abs(right))), right.shape)
    if not right[largest] or not np.isfinite(stated[largest]):
        return None
    ratio = complex(stated[largest]) / complex(right[largest])
    ratio = ratio.real if abs(ratio.imag) < 1e-12 * abs(ratio) else 0.0
    return ratio if ratio and same(stated, ratio * right) and not same(stated, right) else None


class Context:
    """Knowledge of the right gradient besides its value; subclasses supply it."""

    def counts(self) -> Mapping[int, str]:
        """Return the numbers of entries that an average may be over, with their names: {64: "m"}."""
        return {}

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

    def conditions(self) -> Iterator[tuple[str, Array]]:
        """Yield the condition under which a mask stops the gradient, in symbols and as truth values."""
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


def wrong_factor(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a number that the gradient is multiplied by, with its likely cause."""
    ratio = factor(stated, right)
    if ratio is None:
        return None
    if abs(ratio + 1) < 1e-6:
        return "minus the gradient: the sign is wrong"
    if abs(ratio - 1) < 1e-4:
        return f"{short_number(ratio, 9)} times the gradient: a number with too few digits?"
    cause = _cause(abs(ratio), context)
    if ratio < 0:
        cause = f"{cause}, and the sign is wrong" if cause else "the sign is wrong"
    return f"{short_number(ratio, 6)} times the gradient" + (f": {cause}?" if cause else "")


def _cause(size: float, context: Context) -> str:
    """Return the likely cause of a factor of this size."""
    for n, name in sorted(context.counts().items(), reverse=True):
        if n > 2 and abs(size - n) < 1e-6 * n:
            return f"a missing 1/{name}"
        if n > 2 and abs(size * n - 1) < 1e-6:
            return f"one 1/{name} too many"
    for name, number in context.numbers().items():
        if number and abs(size / abs(number) - 1) < 1e-6:
            return f"one factor {name} too many"
        if number and abs(size * abs(number) - 1) < 1e-6:
            return f"a missing factor {name}"
    if abs(size - 0.5) < 1e-6:
        return "a missing factor of 2"
    return "an extra factor of 2" if abs(size - 2) < 1e-6 else ""


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
    transposed,
    other_convention,
    wrong_factor,
    summed_over_all_axes,
    missing_sum,
    missing_factor,
    missing_term,
    wrong_under_condition,
    some_entries,
)

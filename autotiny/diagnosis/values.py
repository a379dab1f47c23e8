"""Comparisons of gradients by value: equal up to rounding, a multiple, different in some entries."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

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

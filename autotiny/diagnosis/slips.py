"""Slips of the pen, recognised in an array that should be another: a factor, a sign, a transpose, a sum too many."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SAME = 1e-9
"""Relative difference up to which a slip is taken for the whole error, in float64; elsewhere the root of eps."""


def same(a: Array, b: Array) -> bool:
    """Whether two gradients are one, but for rounding; zeros are like nothing.

    >>> same(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-12]))
    True
    """
    if a.shape != b.shape or not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return False
    close = max(SAME, *(float(np.sqrt(np.finfo(v.dtype).eps)) if v.itemsize < 8 else 0 for v in (a, b)))
    return bool(np.max(np.abs(a - b), initial=0) <= close * np.max(np.abs(b), initial=0)) and bool(np.any(b))


def factor(stated: Array, right: Array) -> float | None:
    """The number, other than 1, that `stated` is times what is right.

    >>> factor(np.array([-2.0, 4.0]), np.array([1.0, -2.0])), factor(np.array([1.0, 4.0]), np.array([1.0, 2.0]))
    (-2.0, None)
    """
    largest = np.unravel_index(int(np.argmax(np.abs(right))), right.shape)
    if stated.shape != right.shape or not right[largest] or not np.isfinite(stated[largest]):
        return None
    ratio = float(stated[largest]) / float(right[largest])
    return ratio if same(stated, ratio * right) and not same(stated, right) else None


def tidy(ratio: float) -> str:
    """A factor without the digits that rounding left.

    >>> tidy(8.000000000001), tidy(1 / 3)
    ('8.0', '0.333333')
    """
    near = round(ratio, 6)
    return str(near) if abs(near - ratio) <= 1e-6 * abs(ratio) else f"{ratio:.9g}"


def reason(ratio: float, lengths: Iterable[int]) -> str:
    """What a factor may come from, given the lengths that an average may be over.

    >>> reason(8.0, {8}), reason(-1.0, {8}), reason(0.5, {8}), reason(0.3, {8})
    (': a missing 1/m?', ': the sign is wrong', ': a missing factor of 2?', '')
    """
    size = abs(ratio)
    also = " and the sign is wrong" if ratio < 0 else ""
    for m in sorted(lengths, reverse=True):
        if m > 2 and abs(size - m) < 1e-6 * m:
            return f": a missing 1/m?{also}"
        if m > 2 and abs(size * m - 1) < 1e-6:
            return f": one 1/m too many?{also}"
    if abs(size - 1) < 1e-6:
        return ": the sign is wrong"
    if abs(size - 0.5) < 1e-6:
        return f": a missing factor of 2?{also}"
    if abs(size - 2) < 1e-6:
        return f": an extra factor of 2?{also}"
    return also and f":{also[4:]}"


def is_transposed(stated: Array, right: Array) -> bool:
    """Whether it is the transpose, and not also the thing itself."""
    return right.ndim == stated.ndim == 2 and same(stated.T, right) and not same(stated, right)


def is_total(stated: Array, right: Array) -> bool:
    """Whether every entry is the sum of all entries."""
    return right.size > 1 and same(stated, np.full_like(right, right.sum()))

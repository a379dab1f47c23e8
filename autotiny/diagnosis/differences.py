"""How a formula that is not the gradient differs from it, in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.algebra.term import Term, apply
from autotiny.algebra.term import plain as plain_op
from autotiny.algebra.writing import as_text
from autotiny.diagnosis.slips import factor, is_total, is_transposed, tidy

Array = NDArray[Any]
Values = Mapping[Term, Any]

TRANSPOSED = "transposed: a .T is missing, or is one too many"
NEGATED: dict[Any, Any] = {
    np.greater: np.less_equal, np.greater_equal: np.less, np.less: np.greater_equal, np.less_equal: np.greater,
    np.equal: np.not_equal, np.not_equal: np.equal,
}  # fmt: skip


def equal(stated: Array, right: Array) -> bool:
    """Whether two arrays are one but for rounding."""
    return stated.shape == right.shape and bool(np.all(_near(stated, right)))


def difference(stated: Array, right: Array, values: Values) -> str:
    """What is wrong with `stated`, given the values of the terms that the right formula is made of.

    >>> from autotiny.algebra import symbol
    >>> difference(np.array([2.0, 4.0]), np.array([1.0, 2.0]), {symbol("m", 2): 2})
    'equal up to the factor 1/m'
    """
    if stated.shape != right.shape:
        return _of_shapes(stated, right)
    if found := _up_to_factor(stated, right, values):
        return found
    if is_transposed(stated, right):
        return TRANSPOSED
    if is_total(stated, right):
        return "a sum without its axis: every entry is the sum of all"
    return _where(stated, right, values)


def _near(stated: Array, right: Array) -> Any:
    """Entry by entry, whether they differ by rounding at most; what is not finite on the right says nothing."""
    largest = float(np.max(np.abs(right), initial=0, where=np.isfinite(right)))
    close = 1e-9 if min(stated.itemsize, right.itemsize) >= 8 else 1e-4
    with np.errstate(invalid="ignore"):
        return (np.abs(stated - right) <= close * largest) | ~np.isfinite(right)


def _of_shapes(stated: Array, right: Array) -> str:
    """Whether a transpose or a sum over an axis is all that is missing."""
    if stated.T.shape == right.shape and equal(stated.T, right):
        return TRANSPOSED
    shapes = f"its shape is {stated.shape}, the gradient's {right.shape}"
    for axis in range(stated.ndim):
        for keepdims in (True, False):
            total = stated.sum(axis=axis, keepdims=keepdims)
            if equal(total, right) or (total.shape == right.shape and factor(total, right)):
                return f"{shapes}: a missing sum over axis={axis}?"
    return shapes


def _up_to_factor(stated: Array, right: Array, values: Values) -> str | None:
    """The number that it should be multiplied by, in the names of the formula where there is one."""
    ratio = factor(stated, right)
    if ratio is None:
        return None
    if abs(ratio + 1) < 1e-6:
        return "equal up to the sign"
    if abs(ratio - 1) < 1e-4:
        return f"equal but for the last digits, up to the factor {1 / ratio:.9g}: a number with too few of them?"
    sign = "-" if ratio < 0 else ""
    for term, value in values.items():
        number = abs(float(value)) if term.name is not None and term.ndim == 0 else 0.0
        if number and abs(abs(ratio) / number - 1) < 1e-6:
            return f"equal up to the factor {sign}1/{as_text(term)}"
        if number and abs(abs(ratio) * number - 1) < 1e-6:
            return f"equal up to the factor {sign}{as_text(term)}"
    return f"equal up to the factor {tidy(1 / ratio)}"


def _where(stated: Array, right: Array, values: Values) -> str:
    """The entries that differ: by a mask of the formula where there is one that tells them."""
    wrong = ~_near(stated, right)
    for term, value in values.items():
        if term.op is not None and term.op.function in NEGATED and np.shape(value) == right.shape:
            outside = ~np.asarray(value)
            if outside.any() and not (wrong & ~outside).any():
                return f"differs where {_negated(term)}{'' if right[outside].any() else ', where the gradient is 0'}"
    apart = float(np.max(np.abs(stated - right), initial=0, where=np.isfinite(right) & np.isfinite(stated)))
    largest = float(np.max(np.abs(right), initial=0, where=np.isfinite(right)))
    some = "every entry" if wrong.all() else f"{wrong.sum()} of {wrong.size} entries"
    return f"differs in {some}, by up to {apart:.2g} where the largest entry is {largest:.2g}"


def _negated(condition: Term) -> str:
    assert condition.op is not None
    return as_text(apply(plain_op(NEGATED[condition.op.function]), condition.args, {}))

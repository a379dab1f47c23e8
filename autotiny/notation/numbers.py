"""Numbers, arrays and indices as text: to a few digits, as they were typed, or exactly, as Python reads them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

FEW = 4
"""Entries up to which an array is written out for readers."""


def short_number(value: Any, digits: int = 4) -> str:
    """A number to a few significant digits.

    >>> short_number(0.123456), short_number(-12345.6), short_number(2.0), short_number(-0.0)
    ('0.1235', '-1.235e+04', '2', '0')
    """
    return f"{float(value) + 0.0:.{digits}g}"  # adding 0 turns -0 into 0


def as_typed(value: Any) -> str:
    """A number with as few digits as give it up to rounding, so that what was typed is shown as it was typed.

    >>> [as_typed(v) for v in (2.0, np.float32(0.1), 0.044715, 0.1 * 3, 1 / 3, 1e-12, True)]
    ['2', '0.1', '0.044715', '0.3', '0.333333333333333', '1e-12', '1']
    """
    number, kind = float(value), np.asarray(value).dtype
    rounding = 8 * float(np.finfo(kind if kind.kind == "f" else float).eps)
    shortened = (f"{number:.{digits}g}" for digits in range(6, 18))
    return next((text for text in shortened if math.isclose(float(text), number, rel_tol=rounding)), str(number))


def small_array(entries: Any) -> str:
    """A small array as it is typed, a large one by its shape.

    >>> small_array(np.array([[1.0, 0.25], [0.0, 3.0]])), small_array(np.ones((3, 4)))
    ('[[1, 0.25], [0, 3]]', 'array of shape (3, 4)')
    """
    return nested(entries, as_typed) if np.size(entries) <= FEW else f"array of shape {np.shape(entries)}"


def nested(entries: Any, write: Callable[[Any], str] = repr) -> str:
    """The entries of an array as nested lists."""
    return f"[{', '.join(nested(each, write) for each in entries)}]" if np.ndim(entries) else write(entries)


def few_entries(value: Any) -> str:
    """Print a few entries to four digits; of an array with three or more axes, the first and last in one row.

    >>> few_entries(np.arange(9.0)), few_entries(1 / 3)
    ('[0., 1., ..., 7., 8.]', '0.3333')
    """
    array = np.asarray(value)
    brackets = array.ndim - 1 if array.ndim > 2 and array.size > 6 else 0
    shown = array.ravel() if brackets else array
    with np.printoptions(precision=4, threshold=6, edgeitems=2, suppress=False):
        words = " ".join(np.array2string(shown, separator=", ").split())
    return "[" * brackets + words + "]" * brackets


# ----- indices -----
def index(key: Any, write: Callable[[Any], str] | None = None) -> str:
    """An index; `write` says how its numbers and arrays are written.

    >>> index((0, slice(None), slice(1, None, 2), ..., None)), index(np.array([2, 0])), index(np.arange(9))
    ('0, :, 1::2, ..., None', '[2, 0]', 'places (9,)')
    """
    write = write or place
    return ", ".join(_part(each, write) for each in key) or "()" if isinstance(key, tuple) else _part(key, write)


def _part(part: Any, write: Callable[[Any], str]) -> str:
    if isinstance(part, slice):
        ends = ["" if end is None else write(end) for end in (part.start, part.stop)]
        return ":".join(ends if part.step is None else [*ends, write(part.step)])
    return "..." if part is ... else write(part)


def place(entries: Any) -> str:
    """A number, or the entries of a small array.

    >>> place(3), place(np.array([True, False])), place(np.zeros((2, 3)))
    ('3', '[1, 0]', 'places (2, 3)')
    """
    if isinstance(entries, np.ndarray):
        return nested(entries, as_typed) if entries.size <= FEW else f"places {entries.shape}"
    return str(entries)


# ----- Python -----
def literal(value: Any) -> str:
    """A value as Python code, with all of its digits.

    >>> literal((0, slice(None, 3), ...)), literal(np.float64(0.1)), literal(np.arange(3)), literal(float("inf"))
    ('(0, slice(None, 3, None), ...)', '0.1', 'np.array([0, 1, 2])', 'np.inf')
    """
    if isinstance(value, np.ndarray) and value.ndim:
        return _array(value)
    if isinstance(value, np.ndarray | np.generic):
        value = value.item()
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    return "..." if value is ... else exact_number(value)


def exact_number(value: Any, special: str = "np.{}") -> str:
    """A number with all of its digits as Python code; `special` says how inf and nan are spelled.

    >>> exact_number(0.1), exact_number(float("-inf")), exact_number(float("nan"), 'float("{}")')
    ('0.1', '-np.inf', 'float("nan")')
    """
    text = repr(value)
    sign, name = ("-", text[1:]) if text[:1] == "-" else ("", text)
    return sign + special.format(name) if name in ("inf", "nan") else text


def _array(value: Any) -> str:
    dtype = "" if value.dtype in (np.float64, np.int64, np.bool_) else f", np.{value.dtype.name}"
    if value.ndim == 2 and value.dtype.kind == "f" and np.array_equal(value, np.eye(*value.shape)):
        return f"np.eye({', '.join(map(str, dict.fromkeys(value.shape)))}{dtype})"
    if value.size and np.all(value == value.flat[0]):
        return f"np.full({value.shape}, {literal(value.flat[0])}{dtype})"
    return f"np.array({nested(value.tolist(), literal)}{dtype})"

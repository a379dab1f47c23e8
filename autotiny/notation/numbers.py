"""Print numbers, arrays and indices: to a few digits, as they were typed, exactly, or summarised."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autotiny.notation.palette import Heat, heat, shades

FEW = 4
"""The largest number of entries of an array that is printed in full for readers."""
ALONE, SEVERAL = 4, 3
"""The numbers of significant digits of a number for readers, and of each where there are several."""


def short_number(value: Any, digits: int = ALONE) -> str:
    """Return a number to a few significant digits.

    >>> short_number(0.123456), short_number(-12345.6), short_number(2.0), short_number(-0.0)
    ('0.1235', '-1.235e+04', '2', '0')
    >>> short_number(0.5 - 2j)
    '0.5-2j'
    """
    if np.iscomplexobj(value):
        real = f"{value.real:.{digits}g}" if value.real else ""
        return f"{real}{value.imag + 0.0:{'+' if real else ''}.{digits}g}j"
    return f"{float(value) + 0.0:.{digits}g}"  # adding 0 turns -0 into 0


def as_typed(value: Any) -> str:
    """Return a number with the fewest digits that give it up to rounding: 0.1 for 0.1 in single precision.

    >>> [as_typed(v) for v in (2.0, np.float32(0.1), 0.044715, 0.1 * 3, 1 / 3, 1e-12, True)]
    ['2', '0.1', '0.044715', '0.3', '0.333333333333333', '1e-12', '1']
    """
    if np.iscomplexobj(value):
        imaginary = f"{as_typed(abs(value.imag))}j"
        sign = "-" if value.imag < 0 else ""
        return f"({as_typed(value.real)}{sign or '+'}{imaginary})" if value.real else f"{sign}{imaginary}"
    number, kind = float(value), np.asarray(value).dtype
    rounding = 8 * float(np.finfo(kind if kind.kind == "f" else float).eps)
    shortened = (f"{number:.{digits}g}" for digits in range(6, 18))
    return next((text for text in shortened if math.isclose(float(text), number, rel_tol=rounding)), str(number))


def small_array(entries: Any) -> str:
    """Return the entries of a small array as nested lists, or the shape of a large one.

    >>> small_array(np.array([[1.0, 0.25], [0.0, 3.0]])), small_array(np.ones((3, 4)))
    ('[[1, 0.25], [0, 3]]', 'array of shape (3, 4)')
    """
    few = np.size(entries) <= FEW or (np.ndim(entries) == 1 and np.size(entries) <= 2 * FEW and _are_short(entries))
    return nested(entries, as_typed) if few else f"array of shape {np.shape(entries)}"


def _are_short(entries: Any) -> bool:
    return all(len(as_typed(entry)) <= FEW for entry in entries)


def nested(entries: Any, write: Callable[[Any], str] = repr) -> str:
    """Return the entries of an array as nested lists."""
    return f"[{', '.join(nested(each, write) for each in entries)}]" if np.ndim(entries) else write(entries)


def few_entries(value: Any) -> str:
    """Return a few entries to four digits; of an array with three or more axes, the first and last in one row.

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
class Name(str):
    """The name of an array in an index, or its code, which is printed as it is."""

    __slots__ = ()
    __repr__ = str.__str__


def index(key: Any, write: Callable[[Any], str] | None = None) -> str:
    """Return an index as text; `write` prints its numbers and arrays.

    >>> index((0, slice(None), slice(1, None, 2), ..., None)), index(np.array([2, 0])), index(np.arange(9))
    ('0, :, 1::2, ..., None', '[2, 0]', 'places (9,)')
    """
    write = write or place
    return ", ".join(_part(each, write) for each in key) or "()" if isinstance(key, tuple) else _part(key, write)


def _part(part: Any, write: Callable[[Any], str]) -> str:
    if isinstance(part, slice):
        start = None if part.step is None and isinstance(part.start, int) and not part.start else part.start
        ends = ["" if end is None else write(end) for end in (start, part.stop)]
        return ":".join(ends if part.step is None else [*ends, write(part.step)])
    return "..." if part is ... else write(part)


def place(entries: Any) -> str:
    """Return a number, or the entries of a small array, as text.

    >>> place(3), place(np.array([True, False])), place(np.zeros((2, 3)))
    ('3', '[1, 0]', 'places (2, 3)')
    """
    if isinstance(entries, np.ndarray):
        return nested(entries, as_typed) if entries.size <= FEW else f"places {entries.shape}"
    return str(entries)


# ----- Python -----
def literal(value: Any) -> str:
    """Return a value as Python code, with all of its digits.

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
    """Return a number with all of its digits as Python code; `special` is the format of inf and nan.

    >>> exact_number(0.1), exact_number(float("-inf")), exact_number(float("nan"), 'float("{}")')
    ('0.1', '-np.inf', 'float("nan")')
    """
    text = repr(value)
    sign, name = ("-", text[1:]) if text[:1] == "-" else ("", text)
    return sign + special.format(name) if name in ("inf", "nan") else text


def _array(value: Any) -> str:
    dtype = "" if value.dtype in (np.float64, np.int64, np.bool_) else f", np.{value.dtype.name}"
    if value.ndim == 2 and value.dtype.kind == "f" and np.array_equal(value, np.eye(*value.shape)):
        return f"np.eye({', '.join(map(str, dict.fromkeys(value.shape)))}{dtype.replace('np.', 'dtype=np.')})"
    if value.size and np.all(value == value.flat[0]):
        return f"np.full({value.shape}, {literal(value.flat[0])}{dtype})"
    return f"np.array({nested(value.tolist(), literal)}{dtype})"


# ----- summaries of arrays: a few characters, all entries where there is room, shades, bars -----


Array = Any

TALLEST_GRID, WIDEST_GRID = 3, 18
"""The largest numbers of lines, and of characters in a line, of an array whose entries are all shown."""
BINS = 8
BARS = "▁▂▃▄▅▆▇█"


class ArraySummary(NamedTuple):
    """The summary of an array, as text and cells."""

    text: str
    """A number or a range."""
    rows: tuple[tuple[str, ...], ...] = ()
    """The entries, row by row, of an array that is small enough."""
    heat: Heat | None = None
    """The heat map; None for a number. It has a cell for each entry if `rows` has them."""
    bars: str = ""
    """The histogram, which replaces the heat map in pictures of many arrays."""
    zeros: float = 0.0
    """The fraction of entries that are exactly 0; 0 for a single number."""
    exact: str = ""
    """The tooltip: a number to twelve digits, or the text of a larger array."""


def is_identity(array: Any) -> bool:
    """Whether an array is an identity matrix of more than one row, in double precision."""
    if np.ndim(array) != 2 or array.dtype != float or not 1 < len(array) == array.shape[1]:
        return False
    return bool((array == np.eye(len(array))).all())


def summarise(array: Array, small: bool = False, digits: int | None = None) -> ArraySummary:
    """Summarise an array: a number for one entry, a range for many, "all 0" where they are equal.

    In a picture of many arrays a `small` histogram takes the place of the heat map. Numbers have `digits` significant
    ones, else four, and three where there are several.

    >>> summarise(np.array([[1.0, -2.0], [0.5, 4.0]])).rows
    (('1', '-2'), ('0.5', '4'))
    """
    array = np.asarray(array)
    if array.dtype.kind == "b":
        array = array.astype(int)
    text = as_text(array, digits)
    if array.size < 2:
        return ArraySummary(text, exact=short_number(array.item(), 12) if array.size else text)
    zeros = 1 - np.count_nonzero(array) / array.size
    if small:
        return ArraySummary(text, bars=sparkline(array), zeros=zeros, exact=text)
    rows, array = _rows(array, digits or SEVERAL), sizes(array)
    # Where every entry is printed, each has a shade of its own, however many there are.
    cells = shades(np.atleast_2d(array).astype(float)) if rows else heat(array)
    return ArraySummary(text, rows, cells, "", zeros, text)


def typeset(number: str) -> str:
    """Return the text of a number or a range with minus signs, which are as wide as plus signs, for hyphens."""
    return number.replace("-", "−")


def as_text(array: Array, digits: int | None = None) -> str:
    """Return the only entry, or the range of the finite entries and the number of those that are not finite.

    >>> as_text(np.array([1.0, -2.0, np.nan]))
    '-2 … 1, 1 nan'
    """
    array = np.asarray(array)
    if array.size == 0:
        return "empty"
    if array.size == 1:
        return short_number(array.item(), digits or ALONE)
    finite = array[np.isfinite(array)]
    extent = _range(finite, digits or SEVERAL) if finite.size else ""
    if finite.size < array.size:
        return ", ".join([extent] * bool(extent) + _not_finite(array, finite))
    return f"all {extent}" if np.all(finite == finite.flat[0]) else extent


def sizes(array: Array) -> Array:
    """Return the absolute values of complex numbers; real ones as they are."""
    return np.abs(array) if np.iscomplexobj(array) else array


def _range(finite: Array, digits: int) -> str:
    if np.iscomplexobj(finite):
        alike = np.all(finite == finite.flat[0])
        return short_number(finite.flat[0], digits) if alike else f"|·| {_range(np.abs(finite), digits)}"
    low, high = short_number(finite.min(), digits), short_number(finite.max(), digits)
    return low if finite.min() == finite.max() else f"{low} … {high}"


def _not_finite(array: Array, finite: Array) -> list[str]:
    nans = int(np.isnan(array).sum())
    counts = {"nan": nans, "inf": array.size - finite.size - nans}
    return [f"{count} {kind}" for kind, count in counts.items() if count]


def _rows(array: Array, digits: int) -> tuple[tuple[str, ...], ...]:
    if array.ndim not in (1, 2) or array.size > TALLEST_GRID * WIDEST_GRID:
        return ()
    rows = tuple(tuple(short_number(x, digits) for x in row) for row in np.atleast_2d(array))
    fits = len(rows) <= TALLEST_GRID and max(len(" ".join(row)) for row in rows) <= WIDEST_GRID
    return rows if fits else ()


def sparkline(array: Array) -> str:
    """Return the histogram of the finite entries, from the smallest to the largest, in eight bars.

    >>> sparkline(np.array([0.0, 0.0, 0.0, 1.0]))
    '█▁▁▁▁▁▁▃'
    """
    finite = sizes(array)[np.isfinite(array)]
    if finite.size < 2 or finite.min() == finite.max():
        return ""
    low, span = float(finite.min()), float(finite.max()) - float(finite.min())
    if not np.isfinite(span):
        return ""
    counts = np.bincount(np.minimum((finite - low) / span * BINS, BINS - 1).astype(int).ravel(), minlength=BINS)
    return "".join(BARS[round(share)] for share in counts / counts.max() * (len(BARS) - 1))

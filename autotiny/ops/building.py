"""Arrays built from nested lists of numbers, arrays and Tensors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.arranging import with_axes
from autotiny.ops.shaping import copy_in_order, stack
from autotiny.ops.table import Array, compose, node_in, type_name

NUMBERS = "biufc"
"""The kinds of NumPy types that hold numbers."""


def array(object: Any, dtype: Any = None) -> Any:  # noqa: A002 - NumPy's name
    """Return an array of nested lists, as np.array does: a recorded Tensor if any part is one, else a plain array.

    Numbers, arrays and Tensors of any shape may be mixed at any depth, in lists and tuples; the shape and the dtype are
    those that np.array gives for their values. As integers or truth values the result is a plain array.

    y[i] = x_i            dJ/dx_i = (dJ/dy)[i]

    Raises ShapeError for rows of different shapes, UnsupportedError for what holds no numbers, each with the place.

    >>> import autotiny as at
    >>> t = at.Tensor(3.0)
    >>> y = at.array([[t, 0.5], [0.5, t * t]])
    >>> y
    Tensor([[3. , 0.5], [0.5, 9. ]], shape=(2, 2), float64, stack)
    >>> np.sum(y).backward()
    >>> t.grad
    array(7.)
    """
    if dtype is not None and np.dtype(dtype).kind not in NUMBERS:
        raise UnsupportedError(f"array: dtype must be a type of numbers, got {dtype!r}")
    built = joined(object, "")
    return copied_as(built, dtype, copy=built is object)


def joined(values: Any, place: str) -> Array:
    """Return nested lists as one array; a Tensor and a plain array unchanged."""
    if hasattr(type(values), "__autotiny_call__"):
        return values
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        return numbers(values, place)
    values = values if isinstance(values, tuple) else list(values)
    if node_in(values) is None and (whole := at_once(values)) is not None:
        return whole
    parts = [joined(part, f"{place}[{i}]") for i, part in enumerate(values)]
    for i, part in enumerate(parts):
        if np.shape(part) != np.shape(parts[0]):
            raise ShapeError(
                f"array: rows must have one shape; {place}[{i}] has shape {np.shape(part)}, and {place}[0] "
                f"{np.shape(parts[0])}"
            )
    return stack(*parts)


def at_once(values: Any) -> np.ndarray | None:
    """Return nested lists of numbers and arrays as an array, None if they are not such."""
    try:
        result = np.asarray(values)
    except ValueError:
        return None
    return result if result.dtype.kind in NUMBERS else None


def numbers(value: Any, place: str) -> np.ndarray:
    """Return a number or an array of numbers as an array."""
    result = np.asarray(value)
    if result.dtype.kind not in NUMBERS:
        at = f" at {place}" if place else ""
        raise UnsupportedError(
            f"array: expected numbers, arrays and Tensors, in lists and tuples; got {type_name(result)}{at}"
        )
    return result


def copied_as(x: Array, dtype: Any, copy: bool) -> Array:
    """Return an array in another precision, or a copy where one is asked for."""
    if dtype is not None and np.dtype(dtype) != x.dtype:
        return x.astype(dtype)
    return np.copy(x) if copy else x


# ----- NumPy's functions that take like= -----
@compose(np.array)
def array_of(a: Any, dtype: Any = None, *, copy: Any = True, order: str = "K", ndmin: int = 0) -> Array:
    """np.array(..., like=a Tensor)."""
    copy_in_order(np.zeros(0), order)
    built = joined(a, "")
    result = copied_as(built, dtype, copy=bool(copy) and built is a)
    return with_axes(result, ndmin) if ndmin > result.ndim else result


@compose(np.asarray, np.asanyarray)
def asarray(a: Any, dtype: Any = None, order: Any = None, *, copy: Any = None) -> Array:
    """np.asarray(..., like=a Tensor)."""
    return array_of(a, dtype, copy=copy, order=order or "K")


@compose(np.ascontiguousarray, np.asfortranarray)
def in_memory_order(a: Any, dtype: Any = None) -> Array:
    """np.ascontiguousarray(..., like=a Tensor): how the entries lie in memory is left to NumPy."""
    return array_of(a, dtype, copy=None, ndmin=1)


@compose(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Array:
    """np.full(shape, value, like=a Tensor)."""
    return copied_as(np.broadcast_to(joined(fill_value, ""), shape), dtype, copy=True)

"""Functions without a gradient that make arrays or describe them: NumPy's, with fewer options."""

from typing import Any

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.errors import UnsupportedError

Value = Any


def array(x: Value) -> Value:
    """An array of the numbers in a list."""
    return np.array(x)


def zeros(shape: Value) -> Value:
    """An array of zeros."""
    return np.zeros(shape)


def ones(shape: Value) -> Value:
    """An array of ones."""
    return np.ones(shape)


def full(shape: Value, fill_value: float) -> Value:
    """An array filled with one number."""
    return np.full(shape, fill_value)


def zeros_like(x: Value) -> Value:
    """Zeros in the shape of x."""
    return np.zeros_like(value_of(x))


def ones_like(x: Value) -> Value:
    """Ones in the shape of x."""
    return np.ones_like(value_of(x))


def eye(n: int, m: int | None = None, k: int = 0) -> Value:
    """An n by m matrix, square by default, with ones on a diagonal."""
    return np.eye(n, m, k)


def arange(start: float, stop: float | None = None, step: float = 1) -> Value:
    """Numbers from start up to, but not including, stop; from 0 if there is only one bound."""
    return np.arange(start, stop, step)


def reshape(x: Value, shape: Value) -> Value:
    """The same entries in another shape."""
    return np.reshape(x, shape)


def shape(x: Value) -> Value:
    """The lengths of the axes."""
    return np.shape(value_of(x))


def len(x: Value) -> Value:  # noqa: A001 - Python's name
    """The length of the first axis."""
    lengths = np.shape(value_of(x))
    if not lengths:
        raise UnsupportedError("len: a number has no length")
    return lengths[0]


def size(x: Value) -> Value:
    """The number of entries."""
    return np.size(value_of(x))


def ndim(x: Value) -> Value:
    """The number of axes."""
    return np.ndim(value_of(x))


def argmax(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
    """The index of the largest entry."""
    return np.argmax(value_of(x), axis=axis, keepdims=keepdims)


def argmin(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
    """The index of the smallest entry."""
    return np.argmin(value_of(x), axis=axis, keepdims=keepdims)


def argsort(x: Value, axis: int | None = -1) -> Value:
    """The indices that sort the entries, equal ones in their original order."""
    return np.argsort(value_of(x), axis=axis, stable=True)


def any(x: Value, axis: Value = None, keepdims: bool = False) -> Value:  # noqa: A001 - NumPy's name
    """Whether some entry is true."""
    return np.any(value_of(x), axis=axis, keepdims=keepdims)


def all(x: Value, axis: Value = None, keepdims: bool = False) -> Value:  # noqa: A001 - NumPy's name
    """Whether every entry is true."""
    return np.all(value_of(x), axis=axis, keepdims=keepdims)


def count_nonzero(x: Value, axis: Value = None, keepdims: bool = False) -> Value:
    """The number of entries that are not 0."""
    return np.count_nonzero(value_of(x), axis=axis, keepdims=keepdims)

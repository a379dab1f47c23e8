"""Functions of the language that make arrays, or tell facts of them, without a gradient: NumPy's with fewer options."""

from typing import Any

import numpy as np

from autotiny.engine.recording import value_of

Value = Any


def array(x: Value) -> Value:
    """The numbers of a list as an array."""
    return np.array(x)


def zeros(shape: Value) -> Value:
    """Zeros of a shape."""
    return np.zeros(shape)


def ones(shape: Value) -> Value:
    """Ones of a shape."""
    return np.ones(shape)


def full(shape: Value, fill_value: float) -> Value:
    """A shape filled with one number."""
    return np.full(shape, fill_value)


def zeros_like(x: Value) -> Value:
    """Zeros of x's shape."""
    return np.zeros_like(value_of(x))


def ones_like(x: Value) -> Value:
    """Ones of x's shape."""
    return np.ones_like(value_of(x))


def eye(n: int, m: int | None = None, k: int = 0) -> Value:
    """Ones on a diagonal of an n by m matrix, square by default."""
    return np.eye(n, m, k)


def arange(start: float, stop: float | None = None, step: float = 1) -> Value:
    """Numbers from start up to stop, without it; from 0 where one bound is given."""
    return np.arange(start, stop, step)


def linspace(start: Value, stop: Value, num: int = 50) -> Value:
    """num numbers from start to stop, evenly."""
    return np.linspace(value_of(start), value_of(stop), num)


def reshape(x: Value, shape: Value) -> Value:
    """The same entries in another shape."""
    return np.reshape(x, shape)


def shape(x: Value) -> Value:
    """The lengths of the axes."""
    return np.shape(value_of(x))


def size(x: Value) -> Value:
    """How many entries there are."""
    return np.size(value_of(x))


def ndim(x: Value) -> Value:
    """How many axes there are."""
    return np.ndim(value_of(x))


def argmax(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
    """Where the largest entry is."""
    return np.argmax(value_of(x), axis=axis, keepdims=keepdims)


def argmin(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
    """Where the smallest entry is."""
    return np.argmin(value_of(x), axis=axis, keepdims=keepdims)


def argsort(x: Value, axis: int | None = -1) -> Value:
    """The places of the entries in ascending order; equal ones keep theirs."""
    return np.argsort(value_of(x), axis=axis, stable=True)


def any(x: Value, axis: Value = None, keepdims: bool = False) -> Value:  # noqa: A001 - NumPy's name
    """Whether some entry is true."""
    return np.any(value_of(x), axis=axis, keepdims=keepdims)


def all(x: Value, axis: Value = None, keepdims: bool = False) -> Value:  # noqa: A001 - NumPy's name
    """Whether every entry is true."""
    return np.all(value_of(x), axis=axis, keepdims=keepdims)


def count_nonzero(x: Value, axis: Value = None, keepdims: bool = False) -> Value:
    """How many entries are not 0."""
    return np.count_nonzero(value_of(x), axis=axis, keepdims=keepdims)

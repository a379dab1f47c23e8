"""Side conditions of the rows: what the variables of a pattern must be for an equation to hold."""

import math
from typing import Any

import numpy as np

from autotiny.algebra.normal import number
from autotiny.algebra.term import Term

Array = Any


def scalar(x: Array) -> bool:
    """Whether x is a single number."""
    return np.ndim(x) == 0


def constant_along(c: Array, axis: Any, x: Array) -> bool:
    """Whether c is the same all along these axes of x."""
    lengths = (1,) * (np.ndim(x) - np.ndim(c)) + np.shape(c)
    axes = range(np.ndim(x)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return np.ndim(c) <= np.ndim(x) and all(lengths[a] == 1 for a in axes)


def uniform(x: Array) -> bool:
    """Whether x is a constant array of equal entries."""
    return np.ndim(x) > 0 and (number(x) is not None if isinstance(x, Term) else np.ptp(x) == 0)


def is_identity(x: Array) -> bool:
    """Whether x is a constant identity matrix."""
    if isinstance(x, Term) and not x.is_constant:
        return False
    value = np.asarray(x.value if isinstance(x, Term) else x)
    return value.ndim == 2 and value.shape[0] == value.shape[1] and bool((value == np.eye(len(value))).all())


def matrices(*parts: Array) -> bool:
    """Whether each is a matrix."""
    return all(np.ndim(x) == 2 for x in parts)


def matrices_or_scalars(*parts: Array) -> bool:
    """Whether each is a matrix or a number."""
    return all(np.ndim(x) in (0, 2) for x in parts)


def can_multiply(a: Array, b: Array) -> bool:
    """Whether a @ b is defined: a factor that is broadcast in a larger product may be too small by itself."""
    return np.ndim(b) > 0 and np.shape(a)[-1] == np.shape(b)[max(np.ndim(b) - 2, 0)]


def copies(x: Array, shape: tuple[int, ...], axis: Any) -> int:
    """Return the number of equal entries that a sum over these axes of a broadcast adds."""
    return math.prod(shape[a] for a in (axis if isinstance(axis, tuple) else (axis,)))


def across(a: Array, b: Array) -> Array:
    """Return a in the shape of a + b."""
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    return a if np.shape(a) == shape else np.broadcast_to(a, shape)

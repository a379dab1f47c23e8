"""Complex arrays as real ones, with the real and imaginary part along a last axis, by which derivatives are checked."""

from typing import Any

import numpy as np

from autotiny.ops.table import is_complex

Array = Any


def as_parts(x: Array) -> Array:
    """Return the parts of a complex array, along a last axis; a real array unchanged.

    >>> as_parts(np.array([1 + 2j]))
    array([[1., 2.]])
    """
    return np.stack([np.real(x), np.imag(x)], axis=-1) if is_complex(x) else x


def from_parts(parts: Array, like: Array) -> Array:
    """Return parts as an array of complex numbers, if `like` is one.

    >>> from_parts(np.array([[1.0, 2.0]]), like=np.zeros(1, complex))
    array([1.+2.j])
    """
    return parts[..., 0] + 1j * parts[..., 1] if is_complex(like) else parts

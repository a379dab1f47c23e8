"""NumPy's functions that go on to complex numbers where real ones have no result: np.emath.sqrt(-1) is 1j."""

from typing import Any

import numpy as np

from autotiny.ops.table import Array, compose, floats, is_complex


def complex_where(x: Any, outside: Any) -> Array:
    """Return x, as complex numbers if one of them is outside of the domain of real ones."""
    if not np.any(outside):
        return x
    return x.astype(np.complex64 if x.dtype.itemsize <= 4 else np.result_type(x.dtype, 1j))


def not_negative(x: Any) -> Array:
    """Return x, as complex numbers if one of them is negative."""
    x = floats(x)
    return x if is_complex(x) else complex_where(x, np.less(x, 0))


def within_one(x: Any) -> Array:
    """Return x, as complex numbers if one of them is beyond -1 or 1."""
    x = floats(x)
    return x if is_complex(x) else complex_where(x, np.greater(np.abs(x), 1))


@compose(np.emath.sqrt)
def sqrt(x: Array) -> Array:
    """√x, imaginary for negative numbers."""
    return np.sqrt(not_negative(x))


@compose(np.emath.log)
def log(x: Array) -> Array:
    """log(x), log(-x) + πi for negative numbers."""
    return np.log(not_negative(x))


@compose(np.emath.log2)
def log2(x: Array) -> Array:
    """log(x) / log(2)."""
    return np.log2(not_negative(x))


@compose(np.emath.log10)
def log10(x: Array) -> Array:
    """log(x) / log(10)."""
    return np.log10(not_negative(x))


@compose(np.emath.logn)
def logn(n: Array, x: Array) -> Array:
    """log(x) / log(n)."""
    return np.log(not_negative(x)) / np.log(not_negative(n))


@compose(np.emath.power)
def power(x: Array, p: Array) -> Array:
    """xᵖ, complex for negative x."""
    return np.power(not_negative(x), floats(p))


@compose(np.emath.arccos)
def arccos(x: Array) -> Array:
    """The inverse of the cosine, complex beyond -1 and 1."""
    return np.arccos(within_one(x))


@compose(np.emath.arcsin)
def arcsin(x: Array) -> Array:
    """The inverse of the sine, complex beyond -1 and 1."""
    return np.arcsin(within_one(x))


@compose(np.emath.arctanh)
def arctanh(x: Array) -> Array:
    """The inverse of the hyperbolic tangent, complex beyond -1 and 1."""
    return np.arctanh(within_one(x))

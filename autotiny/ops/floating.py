"""Signs, exponents and fractions of floating-point numbers."""

from typing import Any

import numpy as np

from autotiny.ops.plain import on_values
from autotiny.ops.table import Array, compose, define, floats, newer, reals, require_real

define(
    np.nextafter,
    lambda g, y, a, b: g,
    lambda g, y, a, b: np.zeros_like(g),
    traits="elementwise kinked",
    words=("the same value up to rounding, so the same gradient", "flat: no gradient passes"),
)


@compose(np.copysign)
def copysign(x1: Array, x2: Array, /) -> Array:
    """|x₁| where x₂ has no minus sign, -|x₁| where it has one."""
    size = np.abs(reals(x1, "copysign"))
    dtype = np.result_type(x1 if type(x1) in (int, float) else size, x2)
    signed = np.where(np.signbit(x2), -size, size)
    signed = signed if signed.dtype == dtype else signed.astype(dtype)
    return signed if np.ndim(signed) else signed[()]  # a scalar, as every ufunc gives


@compose(np.ldexp)
def ldexp(x1: Array, x2: Any, /) -> Array:
    """x₁ 2^x₂."""
    return x1 * np.ldexp(floats(x1).dtype.type(1), x2)


@compose(np.heaviside)
def heaviside(x1: Array, x2: Array, /) -> Array:
    """0 below 0, x₂ at 0, 1 above."""
    x1 = x1 if isinstance(x1, float) else reals(x1, "heaviside")
    step = np.where(np.equal(x1, 0), require_real(x2, "heaviside"), (1 + np.sign(x1)) / 2)
    return step if np.ndim(step) else step[()]  # a scalar, as every ufunc gives


@on_values
def exponents(x: Array) -> Array:
    """The exponents of numbers in [0.5, 1) times powers of 2."""
    return np.frexp(x)[1]


@on_values
def powers_of_2(e: Array, dtype: Any = float) -> Array:
    """2^e."""
    return np.ldexp(np.dtype(dtype).type(1), e)


@compose(np.frexp)
def frexp(x: Array, /) -> tuple[Array, Array]:
    """The mantissas x 2^-e, in [0.5, 1) but for their sign, and the exponents e, which are integers without a gradient.

    The power is taken in two steps, for that of a subnormal number overflows.
    """
    x = reals(x, "frexp")
    e, dtype = exponents(x), x.dtype.name
    return x * powers_of_2(-(e // 2), dtype=dtype) * powers_of_2(e // 2 - e, dtype=dtype), e


@compose(np.modf)
def modf(x: Array, /) -> tuple[Array, Array]:
    """The fractional part and the whole part, both with the sign of x."""
    x = x if isinstance(x, float) else reals(x, "modf")
    return np.fmod(x, 1), np.trunc(x)


@compose(np.divmod)
def quotient_and_remainder(x1: Array, x2: Array, /) -> tuple[Array, Array]:
    """The whole quotient, which is flat, and the remainder."""
    return np.floor_divide(x1, x2), np.remainder(x1, x2)


@compose(np.i0)
def i0(x: Array) -> Array:
    """(1 / π) ∫ exp(x cos θ) dθ from 0 to π, by 128 points: exact to rounding for every x of a finite result."""
    x = reals(x, "i0")
    angles = (np.arange(128) + 0.5) * (np.pi / 128)
    return np.mean(np.exp(x[..., None] * np.cos(angles).astype(x.dtype)), axis=-1)


@compose(*newer("astype"))
def astype(x: Array, dtype: Any, /) -> Array:
    """Convert x to another floating-point type; to any other type, a plain array."""
    return x.astype(dtype)


@compose(np.fix)
def fix(x: Array) -> Array:
    """The whole number next to x towards 0."""
    return np.trunc(x)

"""Operations that act entry by entry.

Kinks: a constant wins a tie, tracked values share it. So maximum(x, 0) has derivative 0 at 0, maximum(a, b) has 1/2 and
1/2 at a = b, and abs has sign(0) = 0. Functions that are flat almost everywhere (sign, floor, ...) have derivative 0.
"""

import functools
import math
import operator

import numpy as np

from autotiny.ops.table import OPS, Array, beside_constant, compose, define

curve = functools.partial(define, guarded=True)
LN2, LN10, DEGREE = math.log(2), math.log(10), math.pi / 180


def nonzero(x: Array) -> Array:
    """x, and 1 where x is 0: the divisor of a quotient whose numerator is 0 there too."""
    return x + (x == 0)


def log_of_base(a: Array, y: Array) -> Array:
    """log(a) in the precision of y = aᵇ, and 0 where a = 0: 0ᵇ does not depend on b."""
    return np.log(np.where(a == 0, y.dtype.type(1), a))


def share(g: Array, wins: Array, ties: Array) -> Array:
    """What a winner receives: g where it wins, g/2 at a tie, else 0."""
    return np.where(ties, g / 2, np.where(wins, g, 0.0))


# fmt: off
# ----- arithmetic -----
define(np.add,         lambda g, y, a, b: g,      lambda g, y, a, b: g,           forward=operator.add)
define(np.subtract,    lambda g, y, a, b: g,      lambda g, y, a, b: -g,          forward=operator.sub)
define(np.negative,    lambda g, y, x: -g,                                        forward=operator.neg)
define(np.positive,    lambda g, y, x: g,                                         forward=operator.pos)
curve(np.multiply,     lambda g, y, a, b: g * b,  lambda g, y, a, b: g * a,       forward=operator.mul)
curve(np.divide,       lambda g, y, a, b: g / b,  lambda g, y, a, b: -g * y / b,  forward=operator.truediv)
curve(np.reciprocal,   lambda g, y, x: -g * y * y)
curve(np.square,       lambda g, y, x: 2 * g * x)
curve(np.sqrt,         lambda g, y, x: 0.5 * g / y)
curve(np.cbrt,         lambda g, y, x: g / (3 * y * y))
curve(np.power,                                                                   # a⁰ is flat, also at a = 0
      lambda g, y, a, b: g * b * a ** (b - (b != 0)),
      lambda g, y, a, b: g * y * log_of_base(a, y),                                     forward=operator.pow)
curve(np.hypot,        lambda g, y, a, b: g * a / nonzero(y), lambda g, y, a, b: g * b / nonzero(y))
curve(np.remainder,    lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(a, b))
curve(np.fmod,         lambda g, y, a, b: g, lambda g, y, a, b: -g * np.trunc(a / b))

# ----- exponentials and logarithms -----
curve(np.exp,          lambda g, y, x: g * y)
curve(np.exp2,         lambda g, y, x: g * y * LN2)
curve(np.expm1,        lambda g, y, x: g * (y + 1))
curve(np.log,          lambda g, y, x: g / x)
curve(np.log2,         lambda g, y, x: g / (x * LN2))
curve(np.log10,        lambda g, y, x: g / (x * LN10))
curve(np.log1p,        lambda g, y, x: g / (1 + x))
curve(np.logaddexp,                                                # σ(a - b), exact where y has lost digits
      lambda g, y, a, b: g / (1 + np.exp(b - a)),
      lambda g, y, a, b: g / (1 + np.exp(a - b)))
curve(np.logaddexp2,
      lambda g, y, a, b: g / (1 + np.exp2(b - a)),
      lambda g, y, a, b: g / (1 + np.exp2(a - b)))

# ----- trigonometric and hyperbolic functions and their inverses -----
curve(np.sin,          lambda g, y, x: g * np.cos(x))
curve(np.cos,          lambda g, y, x: -g * np.sin(x))
curve(np.tan,          lambda g, y, x: g * (1 + y * y))
curve(np.arcsin,       lambda g, y, x: g / np.sqrt((1 - x) * (1 + x)))
curve(np.arccos,       lambda g, y, x: -g / np.sqrt((1 - x) * (1 + x)))
curve(np.arctan,       lambda g, y, x: g / (1 + x * x))
curve(np.arctan2,
      lambda g, y, a, b: g * b / np.hypot(a, b) / np.hypot(a, b),
      lambda g, y, a, b: -g * a / np.hypot(a, b) / np.hypot(a, b))
curve(np.sinh,         lambda g, y, x: g * np.cosh(x))
curve(np.cosh,         lambda g, y, x: g * np.sinh(x))
curve(np.tanh,         lambda g, y, x: g * (1 - y * y))
curve(np.arcsinh,      lambda g, y, x: g / np.hypot(x, 1))
curve(np.arccosh,      lambda g, y, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)))
curve(np.arctanh,      lambda g, y, x: g / ((1 - x) * (1 + x)))
define(np.deg2rad,     lambda g, y, x: g * DEGREE)
define(np.rad2deg,     lambda g, y, x: g / DEGREE)

# ----- kinks -----
curve(np.absolute,     lambda g, y, x: g * np.sign(x),                            forward=operator.abs)
curve(np.fabs,         lambda g, y, x: g * np.sign(x),                            kind="absolute")
define(np.maximum,
       lambda g, y, a, b: share(g, a > b, a == b),
       lambda g, y, a, b: share(g, b > a, a == b))
define(np.minimum,
       lambda g, y, a, b: share(g, a < b, a == b),
       lambda g, y, a, b: share(g, b < a, a == b))
beside_constant(np.maximum, lambda g, y, a, b: g * (a > b), lambda g, y, a, b: g * (b > a))
beside_constant(np.minimum, lambda g, y, a, b: g * (a < b), lambda g, y, a, b: g * (b < a))
define(np.fmax,                                           # like maximum, but a number wins over nan
       lambda g, y, a, b: share(g, (a > b) | np.isnan(b), a == b),
       lambda g, y, a, b: share(g, (b > a) | np.isnan(a), a == b), masks=True)
define(np.fmin,
       lambda g, y, a, b: share(g, (a < b) | np.isnan(b), a == b),
       lambda g, y, a, b: share(g, (b < a) | np.isnan(a), a == b), masks=True)
beside_constant(np.fmax,
       lambda g, y, a, b: g * ((a > b) | np.isnan(b)),
       lambda g, y, a, b: g * ((b > a) | np.isnan(a)))
beside_constant(np.fmin,
       lambda g, y, a, b: g * ((a < b) | np.isnan(b)),
       lambda g, y, a, b: g * ((b < a) | np.isnan(a)))
define(np.where,       None,
       lambda g, y, mask, a, b: np.where(mask, g, 0.0),
       lambda g, y, mask, a, b: np.where(mask, 0.0, g), masks=True)
define(np.nan_to_num,
       lambda g, y, x, nan=0.0, posinf=None, neginf=None: np.where(np.isfinite(x), g, 0.0), masks=True)
# fmt: on

# ----- flat almost everywhere -----
for flat in (np.sign, np.floor, np.ceil, np.rint, np.trunc, np.round):
    define(flat, lambda g, y, x, decimals=0: np.zeros_like(g))


# ----- compositions -----
OPS[np.conjugate] = OPS[np.positive]
curve(np.float_power, *OPS[np.power].rules, kind="power")
compose(np.degrees)(np.rad2deg)
compose(np.radians)(np.deg2rad)
compose(np.around)(np.round)


@compose(np.clip)
def clip(a: Array, a_min: Array = None, a_max: Array = None, *, min: Array = None, max: Array = None) -> Array:  # noqa: A002
    """min(max(a, a_min), a_max): at a constant bound the derivative is 0."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


@compose(np.sinc)
def sinc(x: Array) -> Array:
    """sin(a) / a for a = πx; near 0, where its derivatives cancel, the series 1 - a²/2·3 (1 - a²/4·5 (1 - ...))."""
    angle = np.pi * x
    near = np.abs(angle) < 1
    small, large = np.where(near, angle, 0.0), np.where(near, 1.0, angle)
    series: Array = 1.0
    for n in range(16, 0, -2):
        series = 1 - small * small / (n * (n + 1)) * series
    return np.where(near, series, np.sin(large) / large)

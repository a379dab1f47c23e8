"""Operations that act entry by entry.

Kinks: a constant wins a tie, tracked values share it. So maximum(x, 0) has derivative 0 at 0, maximum(a, b) has 1/2 and
1/2 at a = b, and abs has sign(0) = 0. Functions that are flat almost everywhere (sign, floor, ...) have derivative 0.
"""

import math
import operator
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops.table import (
    OPS,
    UNSET,
    Array,
    Function,
    Op,
    Rule,
    as_array,
    complex_variant,
    compose,
    conj,
    constant_variant,
    define,
    extend,
    is_complex,
    is_formula,
    is_written,
    own,
)

LN2, LN10, DEGREE = math.log(2), math.log(10), math.pi / 180


def curve(function: Function, *rules: Rule | None, traits: str, **row: Any) -> Op:
    """Enter an elementwise operation."""
    return define(function, *rules, traits=f"elementwise {traits}", **row)


def squares(x: Array) -> Array:
    """|x|², entry by entry."""
    return np.square(np.real(x)) + np.square(np.imag(x)) if is_complex(x) else np.square(x)


def nonzero(x: Array) -> Array:
    """Return x with 1 in place of 0: the divisor of a quotient whose numerator is 0 there too.

    Where it is recorded its derivative at 0 is nan: the quotient has a kink there, or worse, and no second derivative.
    """
    return (without_slope_at_0(x) if hasattr(x, "requires_grad") else x) + (x == 0)


def one_less(b: Array, y: Array, a: Array) -> Array:
    """Return the exponent of the derivative of aᵇ: b - 1, but 0 for 0⁰, which is flat in a."""
    if isinstance(b, bool) or getattr(b, "dtype", y.dtype).kind == "b":
        return y.dtype.type(0)
    if b.is_constant if is_formula(b) else not hasattr(b, "__array_function__"):  # a number
        return b - (b != 0)
    if (is_written(a) or is_written(b)) and np.all((value_of(a) != 0) | (value_of(b) != 0)):
        return b - 1
    return b - np.logical_or(a != 0, b != 0)


def log_of_base(a: Array, y: Array) -> Array:
    """Return log(a) in the precision of y = aᵇ, and 0 where a = 0: 0ᵇ does not depend on b."""
    if is_written(a) and np.all(value_of(a) != 0):
        return np.log(a)
    return np.log(np.where(a == 0, y.dtype.type(1), a))


def value_of(x: Any) -> Any:
    """Return the value of a formula, anything else as it is."""
    return x.value if is_formula(x) else x


def real_part(x: Array) -> Array:
    """Re x, an array of its own rather than a view."""
    return +np.real(x)


def imaginary_part(x: Array) -> Array:
    """Im x, an array of its own rather than a view."""
    return +np.imag(x)


def at_zero(y: Array, *_: Array, **__: Any) -> Array:
    """Where the result is 0."""
    return y == 0


def at_one(y: Array, x: Array) -> Array:
    """Where the argument is 1 or -1."""
    return abs(x) == 1


def at_root(y: Array, a: Array, b: Array) -> Array:
    """Where aᵇ has a = 0 and is not a polynomial."""
    return (a == 0) & (np.less(b, 0) | (b != np.rint(b)))


def split_tie(g: Array, wins: Array, ties: Array) -> Array:
    """Return the gradient of one of two operands: g where it wins, g/2 at a tie, 0 where it loses."""
    return np.where(ties, g / 2, np.where(wins, g, 0.0))


def wins(better: Array, x: Array, other: Array) -> Array:
    """Where an operand x of maximum or minimum is taken: where it is better than the other, or nan.

    Beside the number 0 a maximum is relu, whose derivative is the textbook's mask.
    """
    number = other.value if is_formula(other) and other.is_constant else other
    return better if isinstance(number, int | float) and number == 0 else better | np.isnan(x)


# fmt: off
# ----- arithmetic -----
PASSES, POWER, QUOTIENT = "sum rule: the gradient passes as it is", "power rule", "quotient rule"
EXPONENT = "exponential rule: times a ** b log(a)"
define(np.add,         lambda g, y, a, b: g,      lambda g, y, a, b: g,
       forward=operator.add,       traits="elementwise analytic keeps_sign",  words=PASSES)
define(np.subtract,    lambda g, y, a, b: g,      lambda g, y, a, b: -g,
       forward=operator.sub,       traits="elementwise analytic",
       words=(PASSES, "sum rule: to what is subtracted the gradient passes with its sign changed"))
define(np.negative,    lambda g, y, x: -g,
       forward=operator.neg,       traits="elementwise analytic linear",      words="the sign changes")
define(np.positive,    lambda g, y, x: g,
       forward=operator.pos,       traits="elementwise analytic linear keeps_sign",  words=PASSES,
       stands_for=(lambda x: np.log(np.exp(x)),))
curve(np.multiply,     lambda g, y, a, b: g * b,  lambda g, y, a, b: g * a,
      forward=operator.mul,        traits="analytic linear keeps_sign",
      words="product rule: times the other factor")
curve(np.divide,       lambda g, y, a, b: g / b,  lambda g, y, a, b: -g * (y / b),
      forward=operator.truediv,    traits="analytic keeps_sign unbounded",
      words=(QUOTIENT, "quotient rule, for the divisor"))
curve(np.reciprocal,   lambda g, y, x: -g * (y * y), traits="analytic keeps_sign unbounded",    words=QUOTIENT)
curve(np.square,       lambda g, y, x: 2 * g * x,            traits="analytic keeps_sign",    words=POWER)
curve(np.sqrt,         lambda g, y, x: 0.5 * g / y,          traits="analytic keeps_sign unbounded",    words=POWER,
      singular=at_zero)
curve(np.cbrt,         lambda g, y, x: g / (3 * y * y),      traits="smooth keeps_sign",      words=POWER,
      singular=at_zero)
curve(np.power,                                                                   # a⁰ is flat, also at a = 0
      lambda g, y, a, b: g * b * a ** one_less(b, y, a),
      lambda g, y, a, b: g * y * log_of_base(a, y),
      forward=operator.pow, traits="analytic keeps_sign unbounded",    words=(POWER, EXPONENT),
      singular=at_root)
curve(np.float_power, *OPS[np.power].rules, kind="power",
      traits="analytic keeps_sign unbounded",    words=(POWER, EXPONENT),
      singular=at_root)
curve(np.hypot,        lambda g, y, a, b: g * (a / nonzero(y)),
                       lambda g, y, a, b: g * (b / nonzero(y)),           traits="kinked keeps_sign",
      singular=at_zero)
curve(np.remainder,    lambda g, y, a, b: g,
                       lambda g, y, a, b: -g * np.floor_divide(a, b),     traits="kinked unbounded",
      words=("", "less the whole quotient times the gradient"))
curve(np.fmod,         lambda g, y, a, b: g,
                       lambda g, y, a, b: -g * np.trunc(a / b),           traits="kinked unbounded",
      words=("", "less the whole quotient times the gradient"))

# ----- exponentials and logarithms -----
curve(np.exp,          lambda g, y, x: g * y,                traits="analytic positive unbounded",
      words="exp is its own derivative")
curve(np.exp2,         lambda g, y, x: g * y * LN2,          traits="analytic positive unbounded")
curve(np.expm1,        lambda g, y, x: g * (y + 1),          traits="analytic keeps_sign unbounded")
curve(np.log,          lambda g, y, x: g / x,                traits="analytic unbounded")
curve(np.log2,         lambda g, y, x: g / (x * LN2),        traits="analytic unbounded")
curve(np.log10,        lambda g, y, x: g / (x * LN10),       traits="analytic unbounded")
curve(np.log1p,        lambda g, y, x: g / (1 + x),          traits="smooth keeps_sign unbounded")

# ----- trigonometric and hyperbolic functions and their inverses -----
curve(np.sin,          lambda g, y, x: g * np.cos(x),        traits="analytic")
curve(np.cos,          lambda g, y, x: -g * np.sin(x),       traits="analytic")
curve(np.tan,          lambda g, y, x: g * (1 + y * y),      traits="analytic")
curve(np.arcsin,       lambda g, y, x: g / (np.cos(y) if is_complex(y) else np.sqrt((1 - x) * (1 + x))),  # its branch
      traits="analytic keeps_sign unbounded",
      singular=at_one)
curve(np.arccos,       lambda g, y, x: -g / (np.sin(y) if is_complex(y) else np.sqrt((1 - x) * (1 + x))),
      traits="analytic unbounded",
      singular=at_one)
curve(np.arctan,       lambda g, y, x: g / (1 + x * x),      traits="analytic keeps_sign")
curve(np.arctan2,
      lambda g, y, a, b: g * (b / np.hypot(a, b) / np.hypot(a, b)),
      lambda g, y, a, b: -g * (a / np.hypot(a, b) / np.hypot(a, b)),                    traits="smooth keeps_sign",
      singular=lambda y, a, b: (a == 0) & (b == 0))
curve(np.sinh,         lambda g, y, x: g * np.cosh(x),       traits="analytic keeps_sign unbounded")
curve(np.cosh,         lambda g, y, x: g * np.sinh(x),       traits="analytic positive unbounded")
curve(np.tanh,         lambda g, y, x: g * (1 - y * y),      traits="analytic keeps_sign activation")
curve(np.arcsinh,      lambda g, y, x: g / (np.cosh(y) if is_complex(y) else np.hypot(x, 1)),
      traits="smooth keeps_sign")
curve(np.arccosh,      lambda g, y, x: g / (np.sinh(y) if is_complex(y) else np.sqrt(x - 1) * np.sqrt(x + 1)),
      traits="analytic unbounded",
      singular=at_one)
curve(np.arctanh,      lambda g, y, x: g / ((1 - x) * (1 + x)), traits="analytic keeps_sign unbounded")
define(np.deg2rad,     lambda g, y, x: g * DEGREE,           traits="elementwise smooth linear keeps_sign")
define(np.rad2deg,     lambda g, y, x: g / DEGREE,           traits="elementwise smooth linear keeps_sign")

# ----- kinks -----
SHARED = "the {} one receives the gradient; at a tie they share it"
CONSTANT_WINS = "the {} one receives the gradient; a constant wins a tie"
curve(np.absolute,     lambda g, y, x: g * conj(np.sign(x)), traits="kinked keeps_sign activation",
      forward=operator.abs)
curve(np.fabs,         lambda g, y, x: g * np.sign(x),       traits="kinked keeps_sign",      kind="absolute")
define(np.maximum,
       lambda g, y, a, b: split_tie(g, wins(a > b, a, b), a == b),
       lambda g, y, a, b: split_tie(g, wins(b > a, b, a), a == b),
       traits="elementwise kinked keeps_sign selects activation",  words=SHARED.format("larger"))
define(np.minimum,
       lambda g, y, a, b: split_tie(g, wins(a < b, a, b), a == b),
       lambda g, y, a, b: split_tie(g, wins(b < a, b, a), a == b),
       traits="elementwise kinked keeps_sign selects activation",  words=SHARED.format("smaller"))
define(np.fmax,                                           # like maximum, but a number wins over nan
       lambda g, y, a, b: split_tie(g, (a > b) | np.isnan(b), a == b),
       lambda g, y, a, b: split_tie(g, (b > a) | np.isnan(a), a == b),
       traits="elementwise kinked keeps_sign selects",       words=SHARED.format("larger"))
define(np.fmin,
       lambda g, y, a, b: split_tie(g, (a < b) | np.isnan(b), a == b),
       lambda g, y, a, b: split_tie(g, (b < a) | np.isnan(a), a == b),
       traits="elementwise kinked keeps_sign selects",       words=SHARED.format("smaller"))
constant_variant(np.maximum,
       lambda g, y, a, b: g * wins(a > b, a, b),
       lambda g, y, a, b: g * wins(b > a, b, a),           words=CONSTANT_WINS.format("larger"))
constant_variant(np.minimum,
       lambda g, y, a, b: g * wins(a < b, a, b),
       lambda g, y, a, b: g * wins(b < a, b, a),           words=CONSTANT_WINS.format("smaller"))
constant_variant(np.fmax,
       lambda g, y, a, b: g * ((a > b) | np.isnan(b)),
       lambda g, y, a, b: g * ((b > a) | np.isnan(a)),       words=CONSTANT_WINS.format("larger"))
constant_variant(np.fmin,
       lambda g, y, a, b: g * ((a < b) | np.isnan(b)),
       lambda g, y, a, b: g * ((b < a) | np.isnan(a)),       words=CONSTANT_WINS.format("smaller"))
define(np.where,       None,
       lambda g, y, mask, a, b: np.where(mask, g, 0.0),
       lambda g, y, mask, a, b: np.where(mask, 0.0, g),
       traits="elementwise analytic keeps_sign selects",
       words="choice: the gradient passes where this one was chosen")
define(np.nan_to_num,
       lambda g, y, x, nan=0.0, posinf=None, neginf=None: np.where(np.isfinite(x), g, 0.0),
       traits="elementwise smooth keeps_sign selects",       words="the gradient passes where the value is finite")

# ----- parts of complex numbers -----
curve(np.conjugate,    lambda g, y, x: conj(g),              traits="smooth linear keeps_sign",
      words="conjugate: so is the gradient")
curve(np.real,         lambda g, y, x: g,                    traits="smooth linear keeps_sign",
      forward=real_part,           words="real part: the gradient passes to it")
define(np.imag,        lambda g, y, x: np.zeros_like(g),     traits="elementwise flat linear",
       forward=imaginary_part,     words="flat: no gradient passes")
# fmt: on


@compose(np.angle)
def angle(z: Array, deg: bool = False) -> Array:
    """arctan2(Im z, Re z)."""
    radians = np.arctan2(np.imag(z), np.real(z))
    return np.rad2deg(radians) if deg else radians


@compose(np.real_if_close)
def real_if_close(a: Array, tol: float = 100) -> Array:
    """The real part, if all imaginary parts are smaller than `tol` units in the last place of 1; else a."""
    if not is_complex(a):
        return a
    bound = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return np.real(a) if np.all(np.abs(np.imag(a)) < bound) else a


@own(lambda g, y, x: np.where(x == 0, np.nan, g), traits="elementwise kinked linear keeps_sign", singular=at_zero)
def without_slope_at_0(x: Array) -> Array:
    """x, with a derivative that is nan at 0."""
    return x


# ----- flat almost everywhere -----
FLAT = "flat: no gradient passes"
for flat in (np.sign, np.floor, np.ceil, np.rint, np.trunc):
    define(flat, lambda g, y, x: np.zeros_like(g), traits="elementwise flat", words=FLAT)
define(np.round, lambda g, y, x, decimals=0: np.zeros_like(g), traits="elementwise flat", words=FLAT)

complex_variant(
    np.imag, lambda g, y, x: g * -1j, traits="elementwise smooth", words="imaginary part: the gradient passes to it"
)
complex_variant(
    np.sign,
    lambda g, y, x: np.imag(g * y) * 1j * np.conjugate(y) / nonzero(np.abs(x)),
    traits="elementwise kinked",
    singular=at_zero,
    words="direction: what turns it, by the distance from 0",
)
complex_variant(
    np.nan_to_num,
    lambda g, y, x, nan=0.0, posinf=None, neginf=None: (
        np.where(np.isfinite(np.real(x)), np.real(g), 0.0) + np.where(np.isfinite(np.imag(x)), np.imag(g), 0.0) * 1j
    ),
    traits="elementwise smooth selects",
    words="the gradient passes where a part is finite",
)


# ----- stable forms -----
@own(
    lambda g, y, a, b: 2 * g * a,
    lambda g, y, a, b: 2 * g * b,
    traits="elementwise analytic keeps_sign",
    words=POWER,
    stands_for=(lambda a, b: np.square(np.hypot(a, b)),),
)
def squared_hypot(a: Array, b: Array) -> Array:
    """a² + b²."""
    return a * a + b * b


# ----- compositions -----
@extend(np.where)
def places_of_nonzero(condition: Array) -> Any:
    """The places where the condition is not 0, as np.nonzero has them."""
    return np.nonzero(condition)


compose(np.degrees)(np.rad2deg)
compose(np.radians)(np.deg2rad)
compose(np.around)(np.round)


@compose(np.clip)
def clip(
    a: Array,
    a_min: Array = UNSET,
    a_max: Array = UNSET,
    *,
    min: Array = UNSET,  # noqa: A002
    max: Array = UNSET,  # noqa: A002
) -> Array:
    """min(max(a, a_min), a_max): at a constant bound the derivative is 0."""
    if (min is not UNSET or max is not UNSET) and (a_min is not UNSET or a_max is not UNSET):
        raise UnsupportedError("clip: give the bounds as a_min and a_max, or as min and max, not both")
    if (a_min is UNSET) != (a_max is UNSET):
        raise UnsupportedError("clip: a_min and a_max come together, None for a side without a bound")
    low, high = (None if x is UNSET else x for x in ((min, max) if a_min is UNSET else (a_min, a_max)))
    a = as_array(a) if low is None else np.maximum(as_array(a), low)
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
    return +np.where(near, series, np.sin(large) / large)  # + makes a number of an array without axes, as np.sinc does

"""log and what follows from it: as fdlibm (Sun Microsystems 1993: e_log.c, s_log1p.c), without its branches.

x = 2**k (1 + f) with an integer k and sqrt(1/2) <= 1 + f < sqrt(2), and log(x) = k log(2) + log(1 + f). With
s = f / (2 + f), log(1 + f) = log((1 + s) / (1 - s)) = 2 s + s**3 p(s**2), where p is a polynomial (tools/minimax.py);
2 s = f - s f, so that f, which is exact, is added last.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from autotiny.compiler.loops.exponentials import LOG2, exp, exp2
from autotiny.compiler.loops.formulas import Integer, Number, at_least, copysign, polynomial, where

LOG1P = {
    "float64": (
        0.6666666666666666,
        0.4000000000000088,
        0.2857142857080285,
        0.22222222391887064,
        0.18181795621632782,
        0.15386240708969665,
        0.13268746195596595,
        0.13086907887965027,
    ),
    "float32": (0.6666666655440618, 0.4000012191414928, 0.28550812382590146, 0.2333069667245578),
}
"""(log((1 + s) / (1 - s)) - 2 s) / s**3 as a polynomial of s**2, on |s| <= (sqrt(2) - 1) / (sqrt(2) + 1)."""

LOG1P_OF_FRACTION = {
    "float64": (
        0.6666666666666666,
        0.39999999999999525,
        0.285714285716001,
        0.2222222219823677,
        0.18181819897962714,
        0.1538454396486055,
        0.13335178631449257,
        0.11734279061303197,
        0.10845178394880015,
        0.07492143795550768,
        0.15630577800922849,
    ),
    "float32": (
        0.6666666732052742,
        0.3999970633192972,
        0.28592357994302836,
        0.21706575800880373,
        0.2322432922402335,
    ),
}
"""The same on |s| <= 1/3."""


def as_sum(x: str) -> dict[str, tuple[float, float]]:
    """Return a constant as the sum of two numbers."""
    exact = Fraction(x)
    highs = {"float64": float(exact), "float32": float(np.float32(float(exact)))}
    return {name: (high, float(exact - Fraction(high))) for name, high in highs.items()}


PER_LOG2 = as_sum("1.4426950408889634073599246810018921374266")
PER_LOG10 = as_sum("0.4342944819032518276511289189166050822944")

LOG10_2 = {
    "float64": (3.01029995663611771306e-01, 3.69423907715893078616e-13),
    "float32": (3.0102920532e-01, 7.9034151668e-07),
}
"""log10(2) as a sum: the product of the first part and an exponent is exact."""


def split(x: Number) -> tuple[Integer, Number]:
    """Return k + bias, where bias is the exponent of 1.0, and 1 + f; x is positive and normal."""
    form = x.format
    root = form.bits(math.sqrt(0.5))
    shifted = x.bits + (form.bits(1.0) - root)
    return shifted >> form.digits, ((shifted & (2**form.digits - 1)) + root).number


def as_number(n: Integer) -> tuple[Number, float]:
    """Return n + unit as a number, and the unit: the bits of a number from there to its double are an integer."""
    unit = 2.0**n.format.digits
    return (n | n.format.bits(unit)).number, unit


def reduced(x: Number) -> tuple[Number, Number]:
    """Return k and f of x = 2**k (1 + f); subnormal numbers are multiplied by a power of two first."""
    form = x.format
    small = x < form.smallest
    n, m = split(where(small, x * 2.0**form.width, x))
    raised, unit = as_number(n)
    return raised - where(small, x.number(unit + form.bias + form.width), unit + form.bias), m - 1.0


def shortfall(f: Number, coefficients: Mapping[str, Sequence[float]] = LOG1P) -> Number:
    """Return f - log(1 + f) = f**2 / 2 - s (f**2 / 2 + s**2 p(s**2))."""
    s = f / (f + 2.0)
    z, half = s * s, f * f * 0.5
    return half - s * (half + z * polynomial(z, coefficients[f.format.name]))


def log_of(k: Number, f: Number) -> Number:
    """Return k log(2) + log(1 + f)."""
    high, low = LOG2[f.format.name]
    return k * high - ((shortfall(f) - k * low) - f)


def with_limits(y: Number, x: Number) -> Number:
    """Return y = log(x), or what it is at the limits: -inf at 0, nan below, inf at inf."""
    beyond = where(x.equals(0.0), x.number(-math.inf), math.nan)
    return where(x > 0.0, where(x < math.inf, y, x), beyond)


def log(x: Number) -> Number:
    """log(x) = k log(2) + log(1 + f)."""
    k, f = reduced(x)
    return with_limits(log_of(k, f), x)


def log2(x: Number) -> Number:
    """log2(x) = k + log(1 + f) / log(2)."""
    k, f = reduced(x)
    high, low = PER_LOG2[x.format.name]
    return with_limits(k + (f * high + (f * low - shortfall(f) * high)), x)


def log10(x: Number) -> Number:
    """log10(x) = k log10(2) + log(1 + f) / log(10)."""
    k, f = reduced(x)
    (whole, part), (high, low) = LOG10_2[x.format.name], PER_LOG10[x.format.name]
    return with_limits(k * whole + (f * high + (k * part + (f * low - shortfall(f) * high))), x)


def log1p(x: Number) -> Number:
    """log(1 + x), with the sign of x: u = 1 + x, rounded, is 2**k (1 + f), and what u lacks is added to f."""
    form = x.format
    u = x + 1.0
    lost = (1.0 - (u - (u - 1.0))) + (x - (u - 1.0))  # Knuth, Seminumerical Algorithms, section 4.2.2, theorem B
    n, m = split(u)
    f = (m - 1.0) + lost * (((2 * form.bias + 1 - n) << form.digits).number * 0.5)  # 2**-k may be subnormal
    raised, unit = as_number(n)
    return copysign(with_limits(log_of(raised - (unit + form.bias), f), u), x)


def log1p_of_fraction(x: Number) -> Number:
    """log(1 + x) where 0 <= x <= 1."""
    return x - shortfall(x, LOG1P_OF_FRACTION)


def softplus(x: Number) -> Number:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))."""
    return at_least(0.0, x) + log1p_of_fraction(exp(-abs(x)))


def logaddexp(x: Number, y: Number) -> Number:
    """log(exp(x) + exp(y)) = max(x, y) + log(1 + exp(-|x - y|)), where x - y is 0 for equal infinities, too."""
    difference = where(x.equals(y), x.number(0.0), x - y)
    return where(x > y, x, y) + log1p_of_fraction(exp(-abs(difference)))


def cbrt(x: Number) -> Number:
    """x^(1/3), by powers of 2 and one step of Newton's method, which doubles the digits that are right."""
    size = abs(x)
    y = exp2(log2(size) * (1 / 3))
    y = y - (y - size / (y * y)) / 3.0
    regular = x.builder.and_(size > 0.0, size < math.inf)
    return where(regular, copysign(y, x), x)

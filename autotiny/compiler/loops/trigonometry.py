"""sin, cos, tan and their inverses: as fdlibm (Sun Microsystems 1993: k_sin.c, k_cos.c, e_rem_pio2.c).

x = n pi / 2 + r with an integer n and |r| <= pi / 4: sin(x) and cos(x) are those of r, up to their order and signs.
pi / 2 is a sum of constants, all but the last of which are short (Cody and Waite 1980, chapter 8).
"""

import math

from autotiny.compiler.loops.exceptional import unless
from autotiny.compiler.loops.formulas import Integer, Number, copysign, polynomial, rounded, where

HALF_PI = {
    "float64": (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21),
    "float32": (1.5703125, 0.0004837512969970703, 7.549533620476723e-08, 2.5633440682570896e-12),
}
"""pi / 2 as a sum: the products of all but the last and an integer are exact, for arguments up to LIMIT."""

LIMIT = {"float64": 2.0**20, "float32": 2.0**13}
"""Larger arguments are left to the C library."""

SIN = {
    "float64": (
        -0.16666666666666666,
        0.008333333333333331,
        -0.0001984126984126506,
        2.7557319219335453e-06,
        -2.5052106231157904e-08,
        1.605853141458901e-10,
        -7.586685070091267e-13,
    ),
    "float32": (-0.16666666663853044, 0.008333331873837089, -0.00019840086263755443, 2.7249864655139585e-06),
}
"""(sin(r) - r) / r**3 as a polynomial of r**2, on |r| <= pi / 4."""

COS = {
    "float64": (
        0.041666666666666664,
        -0.0013888888888887395,
        2.4801587298763433e-05,
        -2.7557317270560326e-07,
        2.0876146024689747e-09,
        -1.1382614868556325e-11,
    ),
    "float32": (0.04166666465830042, -0.0013888302802309161, 2.454789161981386e-05),
}
"""(cos(r) - 1 + r**2 / 2) / r**4 as a polynomial of r**2, on |r| <= pi / 4."""


TAN = {
    "float64": (
        0.3333333333333333,
        0.1333333333333336,
        0.053968253968216494,
        0.021869488538186894,
        0.00886323547219349,
        0.0035921290251277526,
        0.001455823306484352,
        0.0005901129273566122,
        0.00023866062511576094,
        9.877222654104013e-05,
        3.391996496950876e-05,
        2.7124958717612554e-05,
        -1.0218100602616347e-05,
        1.9554377552178265e-05,
        -9.753956934096785e-06,
        3.951549148345976e-06,
    ),
    "float32": (
        0.33333333286858047,
        0.1333334295645963,
        0.05396501112410255,
        0.021910728366194846,
        0.008608986710357135,
        0.00442600291320277,
        -8.831891703164785e-07,
        0.0017896941363121461,
    ),
}
"""(tan(r) - r) / r**3 as a polynomial of r**2, on |r| <= pi / 4."""


def reduced(x: Number) -> tuple[Integer, Number, Number]:
    """Return n and r of x = n pi / 2 + r + rest, and the rest, that is what r lacks."""
    *exact, second, last = HALF_PI[x.format.name]
    n, integer = rounded(x * (2 / math.pi))
    for part in exact:
        x = x - n * part
    t = x - n * second
    less = n * last - ((x - t) - n * second)
    r = t - less
    return integer, r, (t - r) - less


def sin_cos(x: Number) -> tuple[Integer, Number, Number]:
    """Return n, sin(r) and cos(r)."""
    n, r, _ = reduced(x)
    z = r * r
    sine = r * z * polynomial(z, SIN[x.format.name]) + r
    return n, copysign(sine, r), 1.0 + z * polynomial(z, (-0.5, *COS[x.format.name]))


def negative_where(n: Integer, x: Number) -> Number:
    """Return -x where the second bit of n is 1, else x."""
    return (x.bits ^ ((n & 2) << n.format.width - 2)).number


def unless_large(name: str, x: Number, y: Number) -> Number:
    """Return y, or where x is too large for its reduction, what the C library's function makes of it."""
    return unless(abs(x) > LIMIT[x.format.name], name, x, y)


def sin(x: Number) -> Number:
    """sin(n pi / 2 + r) is sin(r), cos(r), -sin(r) or -cos(r)."""
    n, sine, cosine = sin_cos(x)
    return unless_large("sin", x, negative_where(n, where((n & 1).equals(0), sine, cosine)))


def cos(x: Number) -> Number:
    """cos(n pi / 2 + r) is cos(r), -sin(r), -cos(r) or sin(r)."""
    n, sine, cosine = sin_cos(x)
    return unless_large("cos", x, negative_where(n + 1, where((n & 1).equals(0), cosine, sine)))


def tan(x: Number) -> Number:
    """tan(n pi / 2 + r) is tan(r), or -1 / tan(r) where n is odd."""
    n, r, rest = reduced(x)
    z = r * r
    more = r * z * polynomial(z, TAN[x.format.name]) + (rest + rest * z)
    t = r + more
    lost = (r - t) + more
    q = -1.0 / t
    return unless_large("tan", x, where((n & 1).equals(0), copysign(t, r), q + q * q * lost))

"""SciPy's Bessel functions. Their derivatives are differences or sums of those of neighbouring orders.

F. W. J. Olver et al., "NIST Digital Library of Mathematical Functions", sections 10.6 and 10.29. The order is constant.
"""

import math
from typing import Any

import numpy as np
from scipy import special

from autotiny.ops.table import Array
from autotiny.scipy.mirror import curve

NEIGHBOURS = "Bessel functions: by their neighbours in order"


def of_order(function: Any, rule: Any, traits: str) -> None:
    """Enter a function of an order v, which is constant, and x."""
    curve(function, None, rule, traits=traits, undifferentiable="the order", words=("", NEIGHBOURS))


def half_fall(function: Any, v: Array, x: Array) -> Array:
    """Return half the difference of the neighbours in order."""
    return 0.5 * (function(v - 1, x) - function(v + 1, x))


def mean(function: Any, v: Array, x: Array) -> Array:
    """Return the mean of the neighbours in order."""
    return 0.5 * (function(v - 1, x) + function(v + 1, x))


def is_far(v: Array, x: Array) -> Array:
    """Where the asymptotic series is exact, and the terms of the textbook's derivative nearly cancel."""
    return np.abs(x) > 30 + v * v


def far_slope(v: Array, x: Array, sign: float) -> Array:
    """The derivative of exp(-x) √x I(x) / √x, or of exp(x) √x K(x) / √x, by the asymptotic series in 1 / x."""
    far = np.where(is_far(v, x), np.abs(x), x.dtype.type(1) + 30 + v * v)
    t, square = sign / (8 * far), 4 * v * v
    series: Array = 12.5
    for k in range(12, 0, -1):
        series = (k - 0.5) + (square - (2 * k - 1) ** 2) / k * t * series
    return -series / (far * np.sqrt(far))


def ive_slope(v: Array, x: Array, y: Array, neighbours: Array) -> Array:
    """The derivative of exp(-|x|) I(x): its neighbours' mean less itself, of which little is left for large x."""
    far = np.sign(x) * np.sign(y) / math.sqrt(2 * math.pi) * far_slope(v, x, -1)
    return np.where(is_far(v, x), far, neighbours - np.sign(x) * y)


def kve_slope(v: Array, x: Array, y: Array, neighbours: Array) -> Array:
    """The derivative of exp(x) K(x): itself less its neighbours' mean, of which little is left for large x."""
    return np.where(is_far(v, x), math.sqrt(math.pi / 2) * far_slope(v, x, 1), y - neighbours)


# fmt: off
curve(special.j0,   lambda g, y, x: -g * special.j1(x),                            traits="smooth")
curve(special.j1,   lambda g, y, x: 0.5 * g * (special.j0(x) - special.jv(2, x)),  traits="smooth")
curve(special.y0,   lambda g, y, x: -g * special.y1(x),                            traits="smooth unbounded")
curve(special.y1,   lambda g, y, x: 0.5 * g * (special.y0(x) - special.yv(2, x)),  traits="smooth unbounded")
curve(special.i0,   lambda g, y, x: g * special.i1(x),                             traits="smooth unbounded positive")
curve(special.i1,   lambda g, y, x: 0.5 * g * (special.i0(x) + special.iv(2, x)),  traits="smooth unbounded keeps_sign")
curve(special.k0,   lambda g, y, x: -g * special.k1(x),                            traits="smooth unbounded keeps_sign")
curve(special.k1,   lambda g, y, x: -0.5 * g * (special.k0(x) + special.kv(2, x)), traits="smooth unbounded keeps_sign")
curve(special.i0e,  lambda g, y, x: g * ive_slope(0, x, y, special.i1e(x)),        traits="kinked positive")
curve(special.i1e,  lambda g, y, x: g * ive_slope(1, x, y, mean(special.ive, 1, x)),
      traits="kinked keeps_sign")
curve(special.k0e,  lambda g, y, x: g * kve_slope(0, x, y, special.k1e(x)),        traits="smooth unbounded keeps_sign")
curve(special.k1e,  lambda g, y, x: g * kve_slope(1, x, y, mean(special.kve, 1, x)),
      traits="smooth unbounded keeps_sign")

of_order(special.jv,   lambda g, y, v, x: g * half_fall(special.jv, v, x),          "smooth unbounded")
of_order(special.jve,  lambda g, y, v, x: g * half_fall(special.jve, v, x),         "smooth unbounded real")
of_order(special.yv,   lambda g, y, v, x: g * half_fall(special.yv, v, x),          "smooth unbounded")
of_order(special.yve,  lambda g, y, v, x: g * half_fall(special.yve, v, x),         "smooth unbounded real")
of_order(special.yn,   lambda g, y, v, x: g * half_fall(special.yn, v, x),          "smooth unbounded")
of_order(special.iv,   lambda g, y, v, x: g * mean(special.iv, v, x),               "analytic unbounded")
of_order(special.kv,   lambda g, y, v, x: -g * mean(special.kv, v, x),              "analytic unbounded keeps_sign")
of_order(special.kn,   lambda g, y, v, x: -g * mean(special.kn, v, x),              "smooth unbounded keeps_sign")
of_order(special.ive,  lambda g, y, v, x: g * ive_slope(v, x, y, mean(special.ive, v, x)),  "kinked unbounded real")
of_order(special.kve, lambda g, y, v, x: g * kve_slope(v, x, y, mean(special.kve, v, x)), "smooth unbounded keeps_sign")
# fmt: on

"""exp and what follows from it.

x = n log(2) + r with an integer n and |r| <= log(2) / 2, so that exp(x) = 2**n exp(r). log(2) is a sum of two
constants, the first of which is short (Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6);
exp(r) is a polynomial (tools/minimax.py). 2**n is 2**h 2**(n - h) with h = n / 2 rounded: neither overflows where the
result does not, or loses bits that the result has.
"""

import math

from autotiny.compiler.loops.formulas import (
    Integer,
    Number,
    at_least,
    at_most,
    copysign,
    polynomial,
    power_of_two,
    rounded,
    where,
)

LOG2 = {"float64": (0.6931471803691238, 1.9082149292705877e-10), "float32": (0.693359375, -2.12194440e-4)}
"""log(2) as a sum: the product of the first part and an exponent is exact."""

EXPM1 = {
    "float64": (
        0.5,
        0.1666666666666667,
        0.04166666666666667,
        0.008333333333326136,
        0.0013888888888883748,
        0.00019841269874820627,
        2.4801587325547743e-05,
        2.7557255400206422e-06,
        2.75572736431103e-07,
        2.5105217004720745e-08,
        2.0914686968086876e-09,
    ),
    "float32": (
        0.500000001346581,
        0.16666666681623232,
        0.041666464925285904,
        0.0083333109254809,
        0.0013933649996309251,
        0.00019890990824673654,
    ),
}
"""(exp(r) - 1 - r) / r**2 on |r| <= log(2) / 2."""

SINH = {
    "float64": (
        0.16666666666666666,
        0.008333333333333299,
        0.00019841269841324198,
        2.7557319191381816e-06,
        2.5052117695907823e-08,
        1.6057679623801638e-10,
        7.746178593018827e-13,
    ),
    "float32": (0.16666666646842135, 0.00833333967591706, 0.00019838101968683888, 2.8062802582276946e-06),
}
"""(sinh(x) - x) / x**3 as a polynomial of x**2, on |x| <= 1."""

TANH = {
    "float64": (
        (-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1),
        (4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1.0),
    ),
    "float32": (
        (-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3),
        (1.0,),
    ),
}
"""(tanh(x) - x) / x**3 as a quotient of polynomials of x**2, on |x| <= 0.625 (Moshier, Cephes, tanh.c and tanhf.c)."""

LARGEST = {"float64": 711.0, "float32": 90.0}
"""exp(x) and cosh(x) overflow."""

TINY = {"float64": -746.0, "float32": -104.0}
"""exp(x) is 0."""


def reduced(x: Number) -> tuple[Integer, Number, Number]:
    """Return n and r of x = n log(2) + r + rest, and the rest, that is what r lacks."""
    high, low = LOG2[x.format.name]
    n, exponent = rounded(x * (1 / math.log(2)))
    t = x - n * high
    r = t - n * low
    return exponent, r, (t - r) - n * low


def exp_of_small(r: Number) -> Number:
    """exp(r)."""
    return polynomial(r, (1.0, 1.0, *EXPM1[r.format.name]))


def exp_times(factor: float, x: Number) -> Number:
    """Return exp(x) times a power of two."""
    x = at_least(TINY[x.format.name], at_most(LARGEST[x.format.name], x))
    n, r, _ = reduced(x)
    _, h = rounded(x * (0.5 / math.log(2)))
    return exp_of_small(r) * power_of_two(h) * power_of_two(n - h, factor)


def exp(x: Number) -> Number:
    """exp(x)."""
    return exp_times(1.0, x)


def exp2(x: Number) -> Number:
    """2**x = 2**n exp((x - n) log(2)), where the difference is exact."""
    x = at_least(-2.0 - x.format.bias - x.format.digits, at_most(x.format.bias + 2.0, x))
    whole, n = rounded(x)
    _, h = rounded(x * 0.5)
    return exp_of_small((x - whole) * math.log(2)) * power_of_two(h) * power_of_two(n - h)


def expm1(x: Number) -> Number:
    """exp(x) - 1 = 2**n (exp(r) - 1) + (2**n - 1), with the sign of x."""
    bounded = at_least(-2.0 - x.format.digits, at_most(LARGEST[x.format.name], x))
    n, r, rest = reduced(bounded)
    _, h = rounded(bounded * (0.5 / math.log(2)))
    less_one = (r * r * polynomial(r, EXPM1[x.format.name]) + rest) + r
    scale = power_of_two(n - h)
    return copysign((less_one * scale + (scale - power_of_two(0 - h))) * power_of_two(h), x)


def tanh(x: Number) -> Number:
    """tanh(x) = 1 - 2 / (exp(2 |x|) + 1), or |x| + |x|**3 P(x**2) / Q(x**2) where |x| < 0.625, with the sign of x."""
    a = abs(x)
    n, r, _ = reduced(at_most(2.0 + x.format.digits, a + a))
    e = exp_of_small(r) * power_of_two(n)
    small, z = a < 0.625, a * a
    top, bottom = (polynomial(z, coefficients) for coefficients in TANH[x.format.name])
    quotient = where(small, a * z * top, -2.0) / where(small, bottom, e + 1.0)
    return copysign(where(small, a, 1.0) + quotient, x)


def sinh(x: Number) -> Number:
    """sinh(x) = t - 1 / (4 t) where t = exp(|x|) / 2, or |x| + |x|**3 P(x**2) where |x| < 1, with the sign of x."""
    a = abs(x)
    t, z = exp_times(0.5, a), a * a
    return copysign(where(a < 1.0, a * z * polynomial(z, SINH[x.format.name]) + a, t - 0.25 / t), x)


def cosh(x: Number) -> Number:
    """cosh(x) = t + 1 / (4 t) where t = exp(|x|) / 2."""
    t = exp_times(0.5, abs(x))
    return t + 0.25 / t


def sigmoid(x: Number) -> Number:
    """1 / (1 + exp(-x)), or exp(x) / (1 + exp(x)) where x < 0: with e = exp(-|x|) alone, which never overflows."""
    e = exp(-abs(x))
    total = 1.0 + e
    lost = (1.0 - total) + e  # in rounding (Knuth, Seminumerical Algorithms, section 4.2.2)
    quotient = where(x < 0.0, e, 1.0) / total
    return quotient - quotient * lost * (1.0 - 0.5 * e)  # (1 - e / 2) is near 1 / total

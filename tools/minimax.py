"""Compute the coefficients of the polynomials in autotiny/compiler/loops: python tools/minimax.py (needs mpmath).

`mpmath.chebyfit` interpolates at the Chebyshev points, which comes close to the polynomial with the least greatest
error (Muller, Elementary Functions, 3rd ed. 2016, chapter 3). Most functions are hypergeometric: nothing cancels at 0.
"""

from collections.abc import Callable
from typing import Any

from mpmath import mp

BOUND = {"float64": 2.0**-58, "float32": 2.0**-29}


def expm1(r: Any) -> Any:
    """(exp(r) - 1 - r) / r**2."""
    return mp.hyp1f1(1, 3, r) / 2


def sinh(z: Any) -> Any:
    """(sinh(x) - x) / x**3 where z = x**2."""
    return mp.hyp1f2(1, 2, mp.mpf(5) / 2, z / 4) / 6


def sin(z: Any) -> Any:
    """(sin(x) - x) / x**3 where z = x**2."""
    return -sinh(-z)


def cos(z: Any) -> Any:
    """(cos(x) - 1 + x**2 / 2) / x**4 where z = x**2."""
    return mp.hyp1f2(1, mp.mpf(5) / 2, 3, -z / 4) / 24


def tan(z: Any) -> Any:
    """(tan(x) - x) / x**3 where z = x**2."""
    x = mp.sqrt(z)
    return (mp.tan(x) - x) / x**3 if z > 1e-20 else (5 + 2 * z) / 15  # else the difference would cancel


def arctan(z: Any) -> Any:
    """(arctan(x) - x) / x**3 where z = x**2."""
    return -mp.hyp2f1(1, mp.mpf(3) / 2, mp.mpf(5) / 2, -z) / 3


def arcsin(z: Any) -> Any:
    """(arcsin(x) - x) / x**3 where z = x**2."""
    return mp.hyp3f2(1, mp.mpf(3) / 2, mp.mpf(3) / 2, 2, mp.mpf(5) / 2, z) / 6


def log1p(z: Any) -> Any:
    """(log((1 + s) / (1 - s)) - 2 s) / s**3 where z = s**2."""
    return mp.hyp2f1(1, mp.mpf(3) / 2, mp.mpf(5) / 2, z) * 2 / 3


def fit(f: Callable[[Any], Any], low: float, high: float, bound: float) -> list[float]:
    """Return the coefficients, lowest first, of the shortest polynomial whose error is at most the bound."""
    for order in range(2, 40):
        coefficients, error = mp.chebyfit(f, [low, high], order, error=True)
        if error <= bound:
            return [float(c) for c in reversed(coefficients)]
    raise ValueError("no polynomial of degree below 40")


if __name__ == "__main__":
    mp.dps = 60
    half = float(mp.log(2) / 2) * 1.0001
    quarter = float(mp.pi / 4) * 1.0001
    eighth = float(mp.tan(mp.pi / 8)) * 1.0001
    s = float((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) * 1.0001
    for dtype, bound in BOUND.items():
        print("EXPM1", dtype, fit(expm1, -half, half, bound / half))
        print("SINH", dtype, fit(sinh, 0.0, 1.0, bound))
        print("SIN", dtype, fit(sin, 0.0, quarter**2, bound / quarter**2))
        print("COS", dtype, fit(cos, 0.0, quarter**2, bound / quarter**4))
        print("TAN", dtype, fit(tan, 0.0, quarter**2, bound / quarter**2))
        print("ARCTAN", dtype, fit(arctan, 0.0, eighth**2, bound / eighth**2))
        print("ARCSIN", dtype, fit(arcsin, 0.0, 0.25, bound / 0.25))
        print("LOG1P", dtype, fit(log1p, 0.0, s**2, bound / s**2))
        print("LOG1P_OF_FRACTION", dtype, fit(log1p, 0.0, 1 / 9, bound * 9))

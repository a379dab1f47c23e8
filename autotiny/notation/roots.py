"""Numbers that are roots: 2.6457... as √7, so that √7 / 7 is 1 / √7 exactly."""

import math
from fractions import Fraction
from functools import cache
from typing import NamedTuple

SHORT = 10**6
"""The largest denominator of a number that is a fraction, not a root, and the largest product of a root's parts."""


class Root(NamedTuple):
    """A number r √(above / below), of which above and below have no common divisor and no short square for one."""

    r: Fraction
    above: int
    below: int


@cache
def root_of(value: Fraction) -> Root | None:
    """Return a positive number as a root, if it is one to the last digits; None for a short fraction."""
    if value.denominator <= SHORT or not 1e-6 < value < 1e6:
        return None
    square = (value * value).limit_denominator(SHORT)
    small = square.numerator * square.denominator <= SHORT
    return root(square) if small and math.isclose(math.sqrt(square), value, rel_tol=1e-15) else None


@cache
def root(square: Fraction) -> Root:
    """Return the root of a positive fraction."""
    a, above = _without_squares(square.numerator)
    b, below = _without_squares(square.denominator)
    return Root(Fraction(a, b), above, below)


def _without_squares(n: int) -> tuple[int, int]:
    """Return a and m of n = a² m, where no square divides m, or none up to SHORT that divides a large number."""
    a, divisor = 1, 2
    while divisor * divisor <= min(n, SHORT):
        while n % (divisor * divisor) == 0:
            n, a = n // (divisor * divisor), a * divisor
        divisor += 1
    return a, n

"""Rules for fractions that no pattern expresses, for they take all addends at once."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from autotiny.algebra.normal import ONE, PRODUCTS, SUMS, Addend, Factor, addends, factors, product, total
from autotiny.algebra.term import Term, constant
from autotiny.ops import Op

LONGEST = 12
"""The largest number of addends of a numerator that is multiplied out."""


class CommonDenominator:
    """The rule a / b + c / d = (a d + c b) / (b d), with the numerator multiplied out."""

    name = "common denominator"
    needs = frozenset[Op]()
    roots = SUMS

    def at(self, term: Term) -> Term | None:
        """Return a sum as one fraction; None where no addend has a denominator."""
        if term.op not in SUMS:
            return None
        parts = [(c * k, powers) for c, part in addends(term) for k, powers in [factors(part)]]
        below: dict[Term, Fraction] = {}
        for base, power in (factor for _, powers in parts for factor in powers):
            if power < 0:
                below[base] = max(below.get(base, -power), -power)
        if not below:
            return None
        above = [addend for c, powers in parts for addend in multiplied_out(c, [*powers, *below.items()])]
        if len(above) > LONGEST:
            return None
        return product(ONE, [(sum_of(above), ONE), *((base, -power) for base, power in below.items())], term.shape)


class Division:
    """The rule (c s + r) / s = c + r / s, for a sum s and a numerator that holds all of its addends."""

    name = "division"
    needs = frozenset[Op]()
    roots = PRODUCTS

    def at(self, term: Term) -> Term | None:
        """Return a fraction of sums as a number and a fraction with a shorter numerator; None if there is none."""
        if term.op not in PRODUCTS:
            return None
        coefficient, powers = factors(term)
        above = [base for base, power in powers if power >= 1 and base.op in SUMS]
        below = [base for base, power in powers if power <= -1 and base.op in SUMS]
        for a, b in ((a, b) for b in below for a in above):
            if (quotient := divided(a, b)) is not None:
                left = [(x, power + (x is b) - (x is a)) for x, power in powers]
                return product(coefficient, [(quotient, ONE), *(f for f in left if f[1])], term.shape)
        return None


class NumberInside:
    """The rule 2 (a + b / 2) = 2 a + b."""

    name = "multiply out"
    needs = frozenset[Op]()
    roots = PRODUCTS

    def at(self, term: Term) -> Term | None:
        """Return a product with its number inside a sum; None if it has no sum or no number."""
        if term.op not in PRODUCTS:
            return None
        coefficient, powers = factors(term)
        first = next((base for base, power in powers if power == 1 and base.op in SUMS), None)
        if first is None or abs(coefficient) == 1:
            return None
        scaled = total([(c * coefficient, part) for c, part in addends(first)], first.shape)
        return product(ONE, [(scaled if base is first else base, power) for base, power in powers], term.shape)


class CommonSum:
    """The rule s a + s = s (a + 1), for a sum s whose addends are among others."""

    name = "common factor"
    needs = frozenset[Op]()
    roots = SUMS

    def at(self, term: Term) -> Term | None:
        """Return a sum with a factor that is a sum taken out; None if there is none."""
        if term.op not in SUMS:
            return None
        parts = addends(term)
        for c, part in parts:
            k, powers = factors(part)
            for base, power in powers:
                if power < 1 or base.op not in SUMS:
                    continue
                others = [(d, x) for d, x in parts if x is not part]
                if (found := taken_out(others, base)) is None:
                    continue
                number, left = found
                inner = [(x, p - (x is base)) for x, p in powers if p != 1 or x is not base]
                beside = sum_of([(c * k, product(ONE, inner, shape_of(x for x, _ in inner))), (number, constant(1))])
                whole = product(ONE, [(base, ONE), (beside, ONE)], np.broadcast_shapes(base.shape, beside.shape))
                return total([(ONE, whole), *left], term.shape)
        return None


def taken_out(parts: list[Addend], factor: Term) -> tuple[Fraction, list[Addend]] | None:
    """Return how often a sum is among addends, and the others; None if it is not."""
    present = {part: c for c, part in parts}
    wanted = {part: c for c, part in addends(factor)}
    ratios = {present.get(part, 0 * ONE) / c for part, c in wanted.items()}
    if len(ratios) != 1 or ratios == {0}:
        return None
    return ratios.pop(), [(c, part) for c, part in parts if part not in wanted]


def multiplied_out(c: Fraction, powers: Iterable[Factor]) -> list[Addend]:
    """Return a product as addends, its factors that are sums multiplied out and equal ones cancelled."""
    exponents: dict[Term, Fraction] = {}
    for base, power in powers:
        exponents[base] = exponents.get(base, 0 * ONE) + power
    whole = {base: int(power) for base, power in exponents.items() if power > 0 and power.denominator == 1}
    sums = {base: power for base, power in whole.items() if base.op in SUMS}
    rest = [(base, power) for base, power in exponents.items() if power and base not in sums]
    parts = [(c, rest)]
    for factor in (base for base, power in sums.items() for _ in range(min(power, LONGEST))):
        parts = [(a * b, [*left, (part, ONE)]) for a, left in parts[:LONGEST] for b, part in addends(factor)]
    return [(a, product(ONE, left, shape_of(x for x, _ in left))) for a, left in parts]


def divided(above: Term, below: Term) -> Term | None:
    """Return above / below as a number and a rest; None where the rest is not shorter than `above`."""
    present, wanted = ({part: c for c, part in addends(x)} for x in (above, below))
    first = next(iter(wanted))
    quotient = present.get(first, 0 * ONE) / wanted[first]
    rest = {part: present.get(part, 0) - quotient * wanted.get(part, 0) for part in {**present, **wanted}}
    left = [(Fraction(c), part) for part, c in rest.items() if c]
    if not quotient or len(left) >= len(present):
        return None
    remainder = product(ONE, [(sum_of(left), ONE), (below, -ONE)], np.broadcast_shapes(above.shape, below.shape))
    return sum_of([(quotient, constant(1)), (ONE, remainder)])


def sum_of(parts: list[Addend]) -> Term:
    """Return a sum in the shape to which its addends broadcast."""
    return total(parts, shape_of(x for _, x in parts))


def shape_of(terms: Iterable[Term]) -> tuple[int, ...]:
    """Return the shape to which terms broadcast."""
    return np.broadcast_shapes(*(x.shape for x in terms))


FRACTIONS = (CommonDenominator(), Division(), NumberInside(), CommonSum())
"""Rules that are tried in the search for a smaller form."""

"""Rules that follow from the definitions of the names of a run."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant
from autotiny.algebra.conditions import constant_along
from autotiny.algebra.equation import needs, rewritings_in_formula, rewritten
from autotiny.algebra.normal import (
    ONE,
    PRODUCTS,
    SUMS,
    Factor,
    addends,
    factors,
    fitted,
    is_sum,
    number,
    product,
    total,
    without_spread,
)
from autotiny.algebra.rewrites import ROWS
from autotiny.algebra.search import RewriteRule
from autotiny.algebra.simplify import Simplifier, operations, rebuilt, size
from autotiny.algebra.term import plain
from autotiny.algebra.writing import as_text
from autotiny.derivation.readable import readable
from autotiny.ops import OPS, Op
from autotiny.ops.activations import relu, softmax

GREATER, POSITIVE_PARTS = plain(np.greater), (np.maximum, relu.__wrapped__)  # type: ignore[attr-defined]
ROUNDING = 1e-12
"""By how much the rounded exponent of a power may differ from a whole number: 1/3 - 1 is not the nearest to -2/3."""

EXP = OPS[np.exp]

SHORT = 12
"""The largest number of operations of a definition with exponentials for which a shorter one is searched."""


def expansions_of(sign: Term, made: Term) -> Iterator[RewriteRule]:
    """Yield the rules of a definition that are tried in the search for a smaller form."""
    if (rule := Reciprocal.of(sign, made, f"{sign.name} is {as_text(readable(made))}")) is not None:
        yield rule


def rules_of(sign: Term, made: Term) -> Iterator[RewriteRule]:
    """Yield the rewrite rules that follow from the definition of a name, as it is, and as it would be simplified."""
    if made.op is None:
        return
    row = next((row for row in ROWS if row.name.startswith("quotient") and row.at(made) is not None), None)
    made = without_spread(made)
    text = f"{sign.name} is {as_text(readable(made))}"
    yield Definition(sign, made, f"{row.name}, {sign.name}" if row else text)
    yield from rules_of_form(sign, made, text)
    if EXP in operations(made) and size(made)[0] <= SHORT and (steps := Simplifier().simplify(made)):
        yield Definition(sign, steps[-1].after, text)
        yield from rules_of_form(sign, steps[-1].after, text)


def rules_of_form(sign: Term, made: Term, text: str) -> Iterator[RewriteRule]:
    """Yield the rules of definitions of some form."""
    for rule in (ReciprocalOfSum, Solved, InsideSums, Shares, PowerOfRoot, MaskOfPositivePart):
        if (other := rule.of(sign, made, text)) is not None:
            yield other


@dataclass(frozen=True)
class Definition:
    """The rule that replaces the code of a named tensor by its name."""

    symbol: Term
    made: Term
    name: str
    """The rule's name, as a student would know it."""

    @cached_property
    def needs(self) -> frozenset[Op]:
        """Operations without which it cannot apply."""
        return needs(self.made)

    def at(self, term: Term) -> Term | None:
        """Return the term with the name in place of its code, also among other factors or addends."""
        return next(rewritings_in_formula(self.made, term, lambda bound: self.symbol), None)


@dataclass(frozen=True)
class ReciprocalOfSum:
    """The rule s u = c - k s for s = c / (k + u) and a number k, as in a sigmoid composed of exp and a quotient."""

    symbol: Term
    other: Term
    replacement: Term
    name: str

    @cached_property
    def needs(self) -> frozenset[Op]:
        """Operations without which it cannot apply."""
        return needs(self.other)

    def at(self, term: Term) -> Term | None:
        """Return the term with c - k s in place of s u."""
        return rewritten(self.symbol * self.other, term, lambda bound: self.replacement)

    @staticmethod
    def of(symbol: Term, made: Term, name: str) -> "ReciprocalOfSum | None":
        """Return the rule of a name, if its definition is c / (k + u)."""
        above, below = fraction(made)
        parts = [] if below is None else addends(below)
        numbers = [c for c, x in parts if number(x) == 1]
        if len(parts) != 2 or len(numbers) != 1:
            return None
        other = total([(c, x) for c, x in parts if number(x) != 1], made.shape)
        return ReciprocalOfSum(symbol, other, constant(above - float(numbers[0]) * symbol), name)


@dataclass(frozen=True)
class Reciprocal:
    """The definition of s = c / d solved for 1 / d, for a sum d: it is s / c."""

    symbol: Term
    above: Term
    below: Term
    name: str
    needs = frozenset[Op]()
    """Operations without which it cannot apply."""

    def at(self, term: Term) -> Term | None:
        """Return a product with s / c in place of 1 / d."""
        if term.op not in PRODUCTS:
            return None
        coefficient, powers = factors(term)
        power = next((p for base, p in powers if base is self.below and p <= -1), None)
        if power is None:
            return None
        left = [(base, p) for base, p in powers if base is not self.below]
        return product(coefficient, [*left, (self.symbol, -power), (self.above, power)], term.shape)

    @staticmethod
    def of(symbol: Term, made: Term, name: str) -> "Reciprocal | None":
        """Return the rule of a definition of this form."""
        above, below = fraction(made)
        return None if below is None or below.shape != symbol.shape else Reciprocal(symbol, above, below, name)


def fraction(made: Term) -> tuple[Term, Term | None]:
    """Return c and d of c / d, for a sum d."""
    coefficient, powers = factors(made)
    below = [base for base, power in powers if power == -1 and base.op in SUMS]
    if len(below) != 1:
        return made, None
    others = [(base, power) for base, power in powers if base is not below[0]]
    return product(coefficient, others, np.broadcast_shapes(*(base.shape for base, _ in others))), below[0]


@dataclass(frozen=True)
class Solved:
    """The definition of s = c x solved for x, a longer formula, where c are numbers: x = s / c."""

    symbol: Term
    base: Term
    replacement: Term
    name: str

    @cached_property
    def needs(self) -> frozenset[Op]:
        """Operations without which it cannot apply."""
        return needs(self.base)

    def at(self, term: Term) -> Term | None:
        """Return s / c in place of x."""
        return self.replacement if term is self.base else None

    @staticmethod
    def of(symbol: Term, made: Term, name: str) -> "Solved | None":
        """Return the rule of a definition of this form."""
        coefficient, powers = factors(made)
        long = [(base, power) for base, power in powers if base.op is not None]
        others = [(base, power) for base, power in powers if base.op is None and base.ndim == 0]
        single = len(long) == 1 and len(others) == len(powers) - 1 and (others or coefficient != 1)
        if not single or long[0][1] != 1 or long[0][0].op in SUMS or coefficient == -1:
            return None
        base = long[0][0]
        inverse = [(symbol, ONE), *((other, -power) for other, power in others)]
        return Solved(symbol, base, product(1 / coefficient, inverse, base.shape), name)


@dataclass(frozen=True)
class InsideSums:
    """The definition of s = x / d in sum(a x) / d, where d is the same all along the sum: it is sum(a s)."""

    symbol: Term
    above: Term
    below: tuple[Factor, ...]
    name: str
    needs = frozenset({OPS[np.sum]})
    """Operations without which it cannot apply."""

    def at(self, term: Term) -> Term | None:
        """Return the product with s in the sum."""
        if term.op not in PRODUCTS:
            return None
        coefficient, powers = factors(term)
        left = self.without_divisors(powers)
        if left is None:
            return None
        for i, (base, power) in enumerate(left):
            if power == 1 and is_sum(base) and (inner := self.inside(base)) is not None:
                return product(coefficient, [*left[:i], *left[i + 1 :], (inner, ONE)], term.shape)
        return None

    def without_divisors(self, powers: list[Factor]) -> list[Factor] | None:
        """Return factors without the divisors d; None if they are not all there."""
        left = dict(powers)
        for base, power in self.below:
            if base not in left or left[base] > power:
                return None
            left[base] -= power
        return [(base, power) for base, power in left.items() if power]

    def inside(self, summed: Term) -> Term | None:
        """Return sum(a s) for sum(a x); None if it has another form."""
        axis = summed.kwargs.get("axis")
        coefficient, powers = factors(summed.args[0])
        has_it = any(base is self.above and power == 1 for base, power in powers)
        if not has_it or not all(constant_along(base, axis, summed.args[0]) for base, _ in self.below):
            return None
        others = [(self.symbol if base is self.above else base, power) for base, power in powers]
        return rebuilt(summed, (product(coefficient, others, summed.args[0].shape),))

    @staticmethod
    def of(symbol: Term, made: Term, name: str) -> "InsideSums | None":
        """Return the rule of a definition of this form."""
        coefficient, powers = factors(made)
        above = [base for base, power in powers if power == 1]
        below = tuple((base, power) for base, power in powers if power < 0)
        fits = coefficient == 1 and len(above) == 1 and below and len(powers) == 1 + len(below)
        return InsideSums(symbol, above[0], below, name) if fits and above[0].shape == made.shape else None


@dataclass(frozen=True)
class Shares:
    """The rules of shares of a sum, p = x / sum(x) as in a softmax: sum(p) = 1, so sum(p (c + g)) = c + sum(p g)."""

    symbol: Term
    axis: Any
    name: str = "shares of a sum add up to 1"
    needs = frozenset({OPS[np.sum]})
    """Operations without which it cannot apply."""

    def at(self, term: Term) -> Term | None:
        """Return 1 in place of the sum of the shares, and constants of what they multiply outside the sum."""
        if not is_sum(term) or term.kwargs.get("axis") != self.axis:
            return None
        if term.args[0] is self.symbol:
            return fitted(1, term.shape)
        coefficient, powers = factors(term.args[0])
        others = [base for base, power in powers if base is not self.symbol or power != 1]
        if len(powers) != 2 or len(others) != 1 or others[0].op not in SUMS:
            return None
        parts = [(coefficient * c, x) for c, x in addends(others[0])]
        outside = [(c, x) for c, x in parts if constant_along(x, self.axis, self.symbol)]
        inside = [(c, x) for c, x in parts if not constant_along(x, self.axis, self.symbol)]
        return self.split(term, outside, inside) if outside and inside else None

    def split(self, term: Term, outside: list[tuple[Fraction, Term]], inside: list[tuple[Fraction, Term]]) -> Term:
        """Return c + sum(p g)."""
        weighted = self.symbol * total(inside, np.broadcast_shapes(*(x.shape for _, x in inside)))
        return constant(total(outside, term.shape) + rebuilt(term, (constant(weighted),)))

    @staticmethod
    def of(symbol: Term, made: Term, name: str) -> "Shares | None":
        """Return the rule of a name, if its definition is a quotient of this form, or a softmax."""
        if made.op is OPS[softmax]:
            return Shares(symbol, made.kwargs.get("axis", 0) if made.ndim > 1 else None)
        coefficient, powers = factors(made)
        for i, (base, power) in enumerate(powers):
            others = [*powers[:i], *powers[i + 1 :]]
            is_total = power == -1 and is_sum(base) and base.args[0].shape == made.shape
            if is_total and product(coefficient, others, made.shape) is base.args[0]:
                return Shares(symbol, base.kwargs.get("axis"))
        return None


@dataclass(frozen=True)
class MaskOfPositivePart:
    """The rule 1[z > 0] = 1[a > 0] for a = max(z, 0) of a result z that has no name."""

    symbol: Term
    inner: Term
    name: str
    needs = frozenset({GREATER})
    """Operations without which it cannot apply."""

    def at(self, term: Term) -> Term | None:
        """Return the mask of the symbol in place of the mask of what it is the positive part of."""
        if term.op is not GREATER or term.args[0] is not self.inner or number(term.args[1]) != 0:
            return None
        return fitted(self.symbol > 0, term.shape)

    @staticmethod
    def of(symbol: Term, made: Term, name: str) -> "MaskOfPositivePart | None":
        """The rule for a symbol that is such a positive part; None for any other."""
        inner = [arg for arg in made.args if number(arg) != 0]
        is_part = made.op is not None and made.op.function in POSITIVE_PARTS and len(inner) == 1
        return MaskOfPositivePart(symbol, inner[0], name) if is_part and inner[0].op is not None else None


@dataclass(frozen=True)
class PowerOfRoot:
    """The rule bᵠ = sᵖᵠ for s the p-th root of b: x · x is r² for r = sqrt(x · x)."""

    symbol: Term
    base: Term
    root: Fraction
    name: str

    @cached_property
    def needs(self) -> frozenset[Op]:
        """Operations without which it cannot apply."""
        return needs(self.base)

    def at(self, term: Term) -> Term | None:
        """Return a product with a power of the root in place of one of what it is the root of."""
        if term.op not in PRODUCTS:
            return None
        coefficient, powers = factors(term)
        found = next((f for f in powers if f[0] is self.base and abs(f[1] * self.root % 1) < ROUNDING), None)
        if found is None:
            return None
        others = [factor for factor in powers if factor is not found]
        return product(coefficient, [(self.symbol, Fraction(round(found[1] * self.root))), *others], term.shape)

    @staticmethod
    def of(symbol: Term, made: Term, name: str) -> "PowerOfRoot | None":
        """The rule for a symbol that is a root; None for any other."""
        coefficient, powers = factors(made)
        if coefficient != 1 or len(powers) != 1 or powers[0][1].numerator != 1 or powers[0][1] == 1:
            return None
        return PowerOfRoot(symbol, powers[0][0], Fraction(powers[0][1].denominator), name)

"""Rules of one run: the definitions of its names, and facts that hold on its data."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.algebra.equation import needs, rewritten
from autotiny.algebra.facts import precision, sums_to_one
from autotiny.algebra.normal import ONE, PRODUCTS, addends, factors, fitted, is_sum, number, product, total
from autotiny.algebra.term import plain
from autotiny.derivation.readable import leading
from autotiny.ops import OPS, Op
from autotiny.ops.activations import relu
from autotiny.ops.elementwise import nonzero
from autotiny.ops.reductions import norm_in_range

GREATER, POSITIVE_PARTS = plain(np.greater), (np.maximum, relu.__wrapped__)  # type: ignore[attr-defined]
ROUNDING = 1e-12
"""By how much the rounded exponent of a power may differ from a whole number: 1/3 - 1 is not the nearest to -2/3."""

EITHER, IS_NAN = plain(np.logical_or), plain(np.isnan)


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
        return rewritten(self.made, term, lambda bound: self.symbol)


@dataclass(frozen=True)
class ReciprocalOfSum:
    """The rule s u = 1 - s for s = 1 / (1 + u), as in a sigmoid composed of exp and a quotient."""

    symbol: Term
    other: Term
    name: str

    @cached_property
    def needs(self) -> frozenset[Op]:
        """Operations without which it cannot apply."""
        return needs(self.other)

    def at(self, term: Term) -> Term | None:
        """Return the term with 1 - s in place of s u."""
        return rewritten(self.symbol * self.other, term, lambda bound: 1 - self.symbol)

    @staticmethod
    def other_than_one(made: Term) -> Term | None:
        """u, if a term is 1 / (1 + u)."""
        coefficient, powers = factors(made)
        if coefficient != 1 or len(powers) != 1 or powers[0][1] != -1:
            return None
        base = powers[0][0]
        rest = [(c, x) for c, x in addends(base) if (c, number(x)) != (ONE, ONE)]
        return total(rest, base.shape) if len(rest) == len(addends(base)) - 1 and len(rest) == 1 else None


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


class Fact(ABC):
    """A fact about the data: terms of some form have one value in every entry."""

    name = "holds on the data"
    value = 0
    needs = frozenset({OPS[np.sum]})
    """Operations without which it cannot apply."""

    def at(self, term: Term) -> Term | None:
        """Return the value in place of a term that has it in every entry."""
        return fitted(self.value, term.shape) if self.holds(term) else None

    @abstractmethod
    def holds(self, term: Term) -> bool:
        """Whether a term has the form and the value in every entry."""

    def claim(self, term: Term) -> tuple[Term, str]:
        """Return a term and the claim about it: (sum(Y, axis=0), '= 1')."""
        return leading(term), f"= {self.value}"


@dataclass(frozen=True)
class SumsToOne(Fact):
    """The fact that all sums of an input array along an axis are 1."""

    inputs: frozenset[Term]
    value = 1

    def holds(self, term: Term) -> bool:
        """Whether a term is a sum of such an array, and all of its entries are 1."""
        return sums_to_one(term, self.inputs)


@dataclass(frozen=True)
class SumsToZero(Fact):
    """The fact that all sums of a computed array along an axis are 0, such as those of deviations from the mean."""

    results: frozenset[Term]

    def holds(self, term: Term) -> bool:
        """Whether a term is such a sum, 0 up to rounding in every entry, of addends that are not all 0."""
        if not is_sum(term) or not term.size or self.results.isdisjoint(topological_order(term)):
            return False
        assert term.op is not None
        sums, sizes = np.asarray(term.value), term.op.forward(abs(term.args[0].value), **term.kwargs)
        return bool(np.all((abs(sums) <= 16 * precision(sums) * sizes) & (sizes > 0)))


class NowhereZero(Fact):
    """The fact that a divisor that is guarded against 0 is nowhere 0: its mask 1[x = 0] is 0."""

    needs = frozenset({plain(np.equal)})

    def holds(self, term: Term) -> bool:
        """Whether a term is a comparison with 0 that is false in every entry."""
        asks = term.op is not None and term.op.function is np.equal and number(term.args[1]) == 0
        return asks and not np.any(term.value)

    def claim(self, term: Term) -> tuple[Term, str]:
        """Return x and the claim '≠ 0'."""
        return term.args[0], "≠ 0"


class NowhereNan(Fact):
    """The fact that an operand is nowhere nan: its mask is 0, and what is or is nan, is."""

    needs = frozenset({EITHER})

    def at(self, term: Term) -> Term | None:
        """Return the other condition."""
        return term.args[0] if self.holds(term) else None

    def holds(self, term: Term) -> bool:
        """Whether a term is a condition, or that something is nan, which is false in every entry."""
        if term.op is not EITHER:
            return False
        mask = term.args[1]
        return mask.op is IS_NAN and mask.shape == term.shape == term.args[0].shape and not np.any(mask.value)

    def claim(self, term: Term) -> tuple[Term, str]:
        """Return x and the claim 'is not nan'."""
        return term.args[1].args[0], "is not nan"


class TakenEverywhere(Fact):
    """The fact that a result is not nan for want of a derivative: where(mask, x, nan) is x."""

    needs = frozenset({OPS[np.where]})

    def at(self, term: Term) -> Term | None:
        """Return what is taken."""
        return fitted(term.args[1], term.shape) if self.holds(term) else None

    def holds(self, term: Term) -> bool:
        """Whether a term is a choice between something and nan, which is something in every entry."""
        if term.op is not OPS[np.where]:
            return False
        mask, _, other = term.args
        return other.is_constant and bool(np.all(np.isnan(other.value)) and np.all(mask.value))

    def claim(self, term: Term) -> tuple[Term, str]:
        """Return x and the claim '≠ 0' where the mask says that, else the mask and 'holds'."""
        mask = term.args[0]
        apart = (part.args for part in topological_order(mask) if part.op is plain(np.not_equal))
        return next(((x, "≠ 0") for x, zero in apart if number(zero) == 0), (mask, "holds"))


class NormInRange(Fact):
    """The fact that a norm to divide by is in the floating-point range: it is the norm as it is, guarded against 0."""

    needs = frozenset({OPS[norm_in_range]})

    def at(self, term: Term) -> Term | None:
        """Return the norm, with 1 in place of 0 where it is 0."""
        if not self.holds(term):
            return None
        norm = term.args[0]
        return nonzero(norm) if np.any(norm.value == 0) else norm

    def holds(self, term: Term) -> bool:
        """Whether a term is a norm to divide by, equal to that norm, or 1 for 0, in every entry."""
        if term.op is not OPS[norm_in_range]:
            return False
        norm = np.asarray(term.args[0].value)
        return bool(np.all(term.value == nonzero(norm)))

    def claim(self, term: Term) -> tuple[Term, str]:
        """Return the norm and the claim '≠ 0', or where it is 0, what is divided by there."""
        norm = term.args[0]
        return norm, "= 0 or in range" if np.any(norm.value == 0) else "≠ 0"

"""Rules that belong to one run: what its names stand for, and what was found to hold on its data."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.algebra.equation import needs, rewritten
from autotiny.algebra.facts import precision, sums_to_one
from autotiny.algebra.normal import ONE, addends, factors, fitted, is_sum, number, total
from autotiny.algebra.term import plain
from autotiny.derivation.readable import leading
from autotiny.ops import OPS, Op


@dataclass(frozen=True)
class Definition:
    """A named tensor stands for the code that made it."""

    symbol: Term
    made: Term
    name: str
    """What a student would call the rule."""

    @cached_property
    def needs(self) -> frozenset[Op]:
        """Operations without which it cannot apply."""
        return needs(self.made)

    def at(self, term: Term) -> Term | None:
        """The name in the place of what it stands for, among other factors or addends too."""
        return rewritten(self.made, term, lambda bound: self.symbol)


@dataclass(frozen=True)
class ReciprocalOfSum:
    """s u = 1 - s where s = 1 / (1 + u), as in a sigmoid that is written out."""

    symbol: Term
    other: Term
    name: str

    @cached_property
    def needs(self) -> frozenset[Op]:
        """Operations without which it cannot apply."""
        return needs(self.other)

    def at(self, term: Term) -> Term | None:
        """1 - s in the place of s u."""
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


class Fact(ABC):
    """What was found to hold on the data: the terms that it speaks of have one value everywhere."""

    name = "holds on the data"
    value = 0
    needs = frozenset({OPS[np.sum]})
    """Operations without which it cannot apply."""

    def at(self, term: Term) -> Term | None:
        """The value in the place of a term that has it."""
        return fitted(self.value, term.shape) if self.holds(term) else None

    @abstractmethod
    def holds(self, term: Term) -> bool:
        """Whether it is such a term, and has the value everywhere."""

    def claim(self, term: Term) -> tuple[Term, str]:
        """What is claimed of which term: (sum(Y, axis=0), '= 1')."""
        return leading(term), f"= {self.value}"


@dataclass(frozen=True)
class SumsToOne(Fact):
    """All sums of a given array along an axis are 1."""

    given: frozenset[Term]
    value = 1

    def holds(self, term: Term) -> bool:
        """Whether a term is such sums, and all of them are 1."""
        return sums_to_one(term, self.given)


@dataclass(frozen=True)
class SumsToZero(Fact):
    """All sums of a computed array along an axis are 0, as those of deviations from the mean."""

    results: frozenset[Term]

    def holds(self, term: Term) -> bool:
        """Whether a term is such sums, and all of them are 0 to rounding, though what they add up is not."""
        if not is_sum(term) or not term.size or self.results.isdisjoint(topological_order(term)):
            return False
        assert term.op is not None
        sums, sizes = np.asarray(term.value), term.op.forward(abs(term.args[0].value), **term.kwargs)
        return bool(np.all((abs(sums) <= 16 * precision(sums) * sizes) & (sizes > 0)))


class NowhereZero(Fact):
    """A divisor that is guarded against 0 is nowhere 0: its mask 1[x = 0] is 0."""

    needs = frozenset({plain(np.equal)})

    def holds(self, term: Term) -> bool:
        """Whether a term asks where something is 0, and the answer is nowhere."""
        asks = term.op is not None and term.op.function is np.equal and number(term.args[1]) == 0
        return asks and not np.any(term.value)

    def claim(self, term: Term) -> tuple[Term, str]:
        """x ≠ 0."""
        return term.args[0], "≠ 0"

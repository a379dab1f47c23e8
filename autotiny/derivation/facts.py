"""Rules of one run: the definitions of its names, and facts that hold on its data."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.algebra import Equation, Term, topological_order, variables
from autotiny.algebra.equation import needs, rewritten
from autotiny.algebra.facts import precision, sums_to_one
from autotiny.algebra.layers import MIRROR
from autotiny.algebra.normal import ONE, addends, factors, fitted, is_sum, number, product, total
from autotiny.algebra.pattern import Bound, truth
from autotiny.algebra.term import plain
from autotiny.algebra.writing import as_text
from autotiny.derivation.readable import leading, readable
from autotiny.ops import OPS, Op
from autotiny.ops.activations import sigmoid, softmax
from autotiny.ops.elementwise import nonzero
from autotiny.ops.reductions import norm_in_range

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
class SumOfShares:
    """The rule that shares of a sum, a = x / sum(x) as in a softmax, add up to 1."""

    symbol: Term
    axis: Any
    name: str = "shares of a sum add up to 1"
    needs = frozenset({OPS[np.sum]})
    """Operations without which it cannot apply."""

    def at(self, term: Term) -> Term | None:
        """Return 1 in place of such a sum."""
        same = is_sum(term) and term.args[0] is self.symbol and term.kwargs.get("axis") == self.axis
        return fitted(1, term.shape) if same else None

    @staticmethod
    def of(symbol: Term, made: Term) -> "SumOfShares | None":
        """Return the rule of a symbol, if its definition is a quotient of this form, or a softmax."""
        if made.op is OPS[softmax]:
            return SumOfShares(symbol, made.kwargs.get("axis", 0) if made.ndim > 1 else None)
        coefficient, powers = factors(made)
        for i, (base, power) in enumerate(powers):
            others = [*powers[:i], *powers[i + 1 :]]
            is_total = power == -1 and is_sum(base) and base.args[0].shape == made.shape
            if is_total and product(coefficient, others, made.shape) is base.args[0]:
                return SumOfShares(symbol, base.kwargs.get("axis"))
        return None


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


class OneEqual(Fact):
    """The fact that one entry alone equals another, such as the largest: the places add up to 1."""

    value = 1
    needs = frozenset({OPS[np.sum], plain(np.equal)})

    def holds(self, term: Term) -> bool:
        """Whether a term is the sum of such places, and all entries are 1."""
        mask = truth(term.args[0]) if is_sum(term) else None
        compared = mask is not None and mask.op is plain(np.equal)
        return compared and term.size > 0 and bool(np.all(term.value == 1))


@dataclass(frozen=True)
class OnData(Fact):
    """A row of the table whose condition is one on the values of its variables."""

    row: Equation
    claims: Callable[..., tuple[Term, str]]
    """The claim about the variables of the row."""

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name that a student would recognise."""
        return self.row.name

    @cached_property
    def needs(self) -> frozenset[Op]:  # type: ignore[override]
        """Operations without which it cannot apply."""
        return self.row.needs

    def at(self, term: Term) -> Term | None:
        """Return what a term is rewritten to."""
        return self.row.at(term)

    def holds(self, term: Term) -> bool:
        """Whether the row applies."""
        return self.row.at(term) is not None

    def claim(self, term: Term) -> tuple[Term, str]:
        """Return the claim about the variables as they match."""
        matched: list[tuple[Term, ...]] = []

        def note(bound: Bound) -> None:
            variables_bound = tuple(bound[name] for name in variables(self.row.pattern))
            if self.row.condition(*variables_bound):
                matched.append(variables_bound)

        rewritten(self.row.left, term, note)
        return self.claims(*matched[0])


def nowhere(comparison: Any) -> bool:
    """Whether a comparison is false in every entry."""
    return not np.any(comparison)


def values(*terms: Term) -> list[Any]:
    """Return the values of terms as arrays."""
    return [np.asarray(term.value) for term in terms]


def steeper(c: Term, d: Term) -> bool:
    """Whether c > d in every entry."""
    a, b = values(c, d)
    return bool(np.all(a > b))


def comparison_of_slopes(c: Term, d: Term) -> tuple[Term, str]:
    """Return the claim that c > d, or for a number c, that d < c."""
    return (d, f"< {as_text(c)}") if c.is_constant else (c, f"> {as_text(d)}")


def same_side(f: Any) -> Equation:
    """Return the row that compares two multiples of x as x is compared with 0, for the steeper one on the left."""
    return Equation(
        "of two multiples the steeper one is larger where x > 0",
        lambda x, c, d: f(c * x, d * x),
        lambda x, c, d: f(x, 0),
        lambda x, c, d: x.ndim > 0 and steeper(c, d),
        rest=("c", "d"),
    )


def other_side(f: Any) -> Equation:
    """Return that row for the steeper one on the right."""
    return Equation(
        "of two multiples the steeper one is larger where x > 0",
        lambda x, c, d: f(c * x, d * x),
        lambda x, c, d: MIRROR.get(f, f)(x, 0),
        lambda x, c, d: x.ndim > 0 and steeper(d, c),
        rest=("c", "d"),
    )


COMPARISONS = (np.equal, *MIRROR)
ROWS_ON_DATA = (
    *(OnData(same_side(f), lambda x, c, d: comparison_of_slopes(c, d)) for f in COMPARISONS),
    *(OnData(other_side(f), lambda x, c, d: comparison_of_slopes(d, c)) for f in COMPARISONS),
    OnData(
        Equation(
            "no tie",
            lambda x, y, a, b: np.where(np.equal(x, y), a, b),
            lambda x, y, a, b: b,
            lambda x, y, a, b: nowhere(np.equal(*values(x, y))),
        ),
        lambda x, y, a, b: (x, f"≠ {as_text(readable(y))}"),
    ),
    OnData(
        Equation(
            "one of two branches",
            lambda x, y, a, b: a * np.greater(x, y) + b * np.less(x, y),
            lambda x, y, a, b: np.where(np.greater(x, y), a, b),
            lambda x, y, a, b: nowhere(np.equal(*values(x, y))),
            rest=("a", "b"),
        ),
        lambda x, y, a, b: (x, f"≠ {as_text(readable(y))}"),
    ),
    OnData(
        Equation(
            "one of two branches",
            lambda x, y, a, b: a * np.greater(x, y) + b * np.greater(y, x),
            lambda x, y, a, b: np.where(np.greater(x, y), a, b),
            lambda x, y, a, b: nowhere(np.equal(*values(x, y))),
            rest=("a", "b"),
        ),
        lambda x, y, a, b: (x, f"≠ {as_text(readable(y))}"),
    ),
    OnData(
        Equation(
            "a sign squared is 1",
            lambda x: np.sign(x) ** 2,
            lambda x: 1,
            lambda x: nowhere(np.equal(x.value, 0)),
        ),
        lambda x: (x, "≠ 0"),
    ),
    OnData(
        Equation(
            "both signs give the sigmoid",
            lambda x: (x > 0) - np.sign(x) * (1 - sigmoid(abs(x))),
            lambda x: sigmoid(x),
            lambda x: nowhere(np.equal(x.value, 0)),
        ),
        lambda x: (x, "≠ 0"),
    ),
)
"""Rows that hold on the data: where there is no tie, for slopes of which one is steeper."""


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

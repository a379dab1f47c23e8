"""Rules of one run: the definitions of its names, and facts that hold on its data."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.algebra import Equation, Term, constant, topological_order, variables
from autotiny.algebra.equation import rewritten
from autotiny.algebra.facts import are_one, precision
from autotiny.algebra.layers import DEVIATIONS, MIRROR, share_of
from autotiny.algebra.normal import PRODUCTS, factors, fitted, is_sum, is_transpose, number, product
from autotiny.algebra.normalise import normalise
from autotiny.algebra.pattern import Bound, truth
from autotiny.algebra.search import RewriteRule
from autotiny.algebra.term import plain
from autotiny.algebra.writing import as_text
from autotiny.derivation.readable import leading, readable
from autotiny.ops import OPS, Op
from autotiny.ops.activations import sigmoid
from autotiny.ops.elementwise import nonzero
from autotiny.ops.linalg import cofactors
from autotiny.ops.reductions import norm_in_range

EITHER, IS_NAN = plain(np.logical_or), plain(np.isnan)


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
    """The fact that all sums along an axis are 1 of an input array, or of one that is made of inputs alone."""

    inputs: frozenset[Term]
    value = 1

    def holds(self, term: Term) -> bool:
        """Whether a term is a sum of such an array, and all of its entries are 1."""
        if not is_sum(term) or not term.size or not are_one(term.value):
            return False
        names = [part for part in topological_order(term.args[0]) if part.name is not None]
        return bool(names) and self.inputs.issuperset(names)


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


class Length(Fact):
    """The fact that a name is the number of entries that a sum adds up: n equal terms over n cancel."""

    needs = frozenset[Op]()

    def at(self, term: Term) -> Term | None:
        """Return a product without the number and the name."""
        name = self.name_of(term)
        if name is None:
            return None
        coefficient, powers = factors(term)
        cancelled = [(base, p + (base is name)) for base, p in powers]
        return product(coefficient / int(name.value), [(base, p) for base, p in cancelled if p], term.shape)

    def holds(self, term: Term) -> bool:
        """Whether a term is n / name for a whole number n of which the name has the value."""
        return self.name_of(term) is not None

    def name_of(self, term: Term) -> Term | None:
        """Return the name."""
        if term.op not in PRODUCTS:
            return None
        coefficient, powers = factors(term)
        if abs(coefficient) < FEWEST:
            return None
        names = (x for x, p in powers if p <= -1 and x.op is None and x.ndim == 0)
        return next((x for x in names if x.value == abs(coefficient)), None)

    def claim(self, term: Term) -> tuple[Term, str]:
        """Return the name and the claim that it is the number."""
        name = self.name_of(term)
        assert name is not None
        return name, f"= {int(name.value)}"


FEWEST = 3
"""The smallest number of entries that is taken for the value of a name."""


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


def is_share_on_data(n: Term, x: Term, axis: Any) -> bool:
    """Whether the value of n is 1 over the number of entries that a sum adds up."""
    return n.ndim == 0 and not n.is_constant and x.ndim > 0 and share_of(float(n.value), x, axis)


def length(n: Term) -> tuple[Term, str]:
    """Return the claim that 1 over n is a whole number."""
    return normalise(1 / n), f"= {round(1 / float(n.value))}"


def deviations_on_data(row: Equation) -> OnData:
    """Return a row for deviations from a mean over a number of entries that has a name."""

    def condition(x: Term, n: Term, axis: Any = None) -> bool:
        return is_share_on_data(n, x, axis)

    return OnData(replace(row, condition=condition), lambda x, n, *_: length(n))


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


@dataclass(frozen=True)
class Symmetric(Fact):
    """The fact that a matrix is symmetric, up to rounding.

    A parameter that is a diagonal matrix may be so only where it starts, and is not taken for a symmetric one.
    """

    tracked: Container[Term]
    needs = frozenset({OPS[np.transpose]})

    def at(self, term: Term) -> Term | None:
        """Return the matrix in place of its transpose."""
        return term.args[0] if self.holds(term) else None

    def holds(self, term: Term) -> bool:
        """Whether a term is the transpose of a symmetric matrix that has a name."""
        if not is_transpose(term) or term.args[0].op is not None or term.args[0].ndim != 2 or term.size < 2:
            return False
        (matrix,) = term.args
        x = np.asarray(matrix.value)
        if x.shape[0] != x.shape[1] or not np.all(abs(x - x.T) <= 16 * precision(x) * np.max(abs(x))):
            return False
        return np.ptp(x) > 0 and not (matrix in self.tracked and np.count_nonzero(x) == np.count_nonzero(np.diag(x)))

    def claim(self, term: Term) -> tuple[Term, str]:
        """Return the matrix and the claim that its transpose equals it."""
        return term.args[0], f"= {term.args[0].name}ᵀ"


class NotSingular(Fact):
    """The fact that the determinant of a matrix is not 0: then its cofactors are det(X) X⁻ᵀ."""

    needs = frozenset({OPS[cofactors]})

    def at(self, term: Term) -> Term | None:
        """Return the determinant times the inverse, transposed."""
        if not self.holds(term):
            return None
        (x,) = term.args
        return np.linalg.det(x) * np.linalg.inv(np.transpose(x))

    def holds(self, term: Term) -> bool:
        """Whether a term is the cofactors of a matrix that is far from singular."""
        if term.op is not OPS[cofactors] or term.ndim != 2 or not term.size:
            return False
        x = np.asarray(term.args[0].value)
        return bool(np.all(np.isfinite(x)) and np.linalg.cond(x) < 1 / np.sqrt(precision(x)))

    def claim(self, term: Term) -> tuple[Term, str]:
        """Return the determinant and the claim '≠ 0'."""
        return constant(np.linalg.det(term.args[0])), "≠ 0"


AT_ONCE: tuple[RewriteRule, ...] = (
    NowhereNan(),
    NormInRange(),
    *DEVIATIONS,
    *map(deviations_on_data, DEVIATIONS),
)
"""Rules that go before the definitions of names, and apply to these, too: no formula on paper has what they remove."""

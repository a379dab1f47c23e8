"""Steps: a formula before and after a rule, the numbers that prove it, and the gradient that steps lead to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.algebra.cost import cost
from autotiny.algebra.writing import as_text
from autotiny.derivation.lift import Lifted
from autotiny.derivation.program import fixed_indices, fixed_indices_in_words, values
from autotiny.errors import AutotinyError


class DerivationError(AutotinyError):
    """A step of a derivation changed the value: the rule that it used is wrong."""


class NotOnTheDataError(DerivationError):
    """A rule made what is not finite of what is, such as nan of a nan that was multiplied by 0."""

    def __init__(self, name: str) -> None:
        super().__init__(f"derive: {name!r} does not hold on the data, whose numbers are not all finite")
        self.name = name


TRIALS, AMPLE = 3, 100
"""How often a formula is computed with other rounding, and how much more than it changes then is still rounding."""


class Step(NamedTuple):
    """One rule, applied wherever it applies.

    Attributes
    ----------
    rule : its name, as a student would know it.
    before, after : the formula before and after it.
    condition : the condition on the data under which it holds; empty if there is none.
    error : the largest difference that it made to the recorded value, relative to its largest entry.
    """

    rule: str
    before: Term
    after: Term
    condition: str
    error: float

    @property
    def label(self) -> str:
        """The rule, and what the data had to satisfy."""
        return f"{self.rule}: {self.condition}" if self.condition else self.rule


@dataclass(frozen=True, eq=False, repr=False)
class DerivedGradient:
    """dJ/d(target) as a formula, with the steps that lead to it.

    Attributes
    ----------
    target, output : the symbols of the tensor and of the loss.
    chain : the gradient as the chain rule gives it, before any step.
    steps : the rules that were applied, in order.
    lemmas : the derivations of the gradients that the formula names, such as dZ2 in W2ᵀ dZ2 * 1[Z1 > 0].
    engine : the gradient that backprop computes.
    run : the recorded run in formulas.
    """

    target: Term
    output: Term
    chain: Term
    steps: tuple[Step, ...]
    lemmas: "Mapping[Term, DerivedGradient]"
    engine: Any = field(repr=False)
    run: Lifted = field(repr=False)

    @property
    def term(self) -> Term:
        """The formula as a term, with its value."""
        return self.steps[-1].after if self.steps else self.chain

    @property
    def formula(self) -> str:
        """The formula as text."""
        return as_text(self.term)

    @property
    def name(self) -> str:
        """The name of the gradient: dJ/dZ2."""
        return f"d{as_text(self.output)}/d{as_text(self.target)}"

    @property
    def max_error(self) -> float:
        """The largest error of a step, or of the formula against backprop, relative to the largest entry."""
        return max([step.error for step in self.steps] + [difference(self.engine, self.term.value)])

    @property
    def ok(self) -> bool:
        """Whether the formula, and those of the gradients that it names, agree with backprop to rounding."""
        return all(each.agrees for each in (self, *self.named.values()))

    @cached_property
    def agrees(self) -> bool:
        """Whether the formula agrees with backprop: at once, or the chain rule does and every step was proved."""
        allowed = tolerance(self.term.value)
        if self.max_error <= allowed:
            return True
        if np.shape(self.chain.value) != np.shape(self.engine) or not np.all(np.isfinite(self.chain.value)):
            return False
        error = difference(self.engine, self.chain.value)
        return error <= allowed or differ_by_rounding(self.engine, self.chain.value, self.chain)

    @property
    def named(self) -> dict[Term, "DerivedGradient"]:
        """The derivations of the gradients that it names, and of those that these name, the last derived first."""
        named, latest = dict(self.lemmas), list(self.lemmas.values())
        while latest:
            new = {name: lemma for each in latest for name, lemma in each.lemmas.items() if name not in named}
            named |= new
            latest = list(new.values())
        return named

    @property
    def unnamed(self) -> dict[Term, Term]:
        """The formula of the target, if it is a part of your code without a name, which got one here."""
        target = self.target
        return {} if target in set(self.run.symbols.values()) else {target: self.run.definitions[target]}

    @property
    def operations(self) -> int:
        """The number of operations on paper of the formula and of the gradients that it names."""
        return sum(cost(each.term).operations for each in (self, *self.named.values()))

    def uses(self, symbol: Term) -> bool:
        """Whether a symbol occurs in the formula or in those of the gradients that it names."""
        return symbol in set(topological_order(self.term, *(lemma.term for lemma in self.named.values())))

    @property
    def definitions(self) -> dict[Term, Term]:
        """The formula of every name: the code of a result, the derived formula of a gradient."""
        return {**self.run.definitions, **{name: lemma.term for name, lemma in self.named.items()}}

    def conditions(self) -> list[str]:
        """The conditions on the data, of the steps to this formula and to the gradients that it names."""
        own = [step.condition for step in self.steps if step.condition]
        return own + [step.condition for lemma in self.named.values() for step in lemma.steps if step.condition]

    def picks(self) -> str:
        """The entries that the recorded run picked by a sort or a mask, in words; empty if there are none."""
        return fixed_indices_in_words(fixed_indices(self.term, *(lemma.term for lemma in self.lemmas.values())))


def proved(step: Step) -> Step:
    """Return the step if it left the value as it was, up to rounding; else raise an error."""
    before, after = step.before.value, step.after.value
    if step.error <= tolerance(after):
        return step
    old, new = where_they_differ(step.before, step.after)
    if differ_by_rounding(old.value, new.value, old, new):
        return step
    if not np.all(np.isfinite(after) | ~np.isfinite(before)):
        raise NotOnTheDataError(step.rule)
    raise DerivationError(
        f"derive: {step.rule!r} made {as_text(step.after)} of {as_text(step.before)}, whose values differ by "
        f"{step.error:.1e} of the largest entry: the rule is wrong, or does not hold here"
    )


def where_they_differ(before: Term, after: Term) -> tuple[Term, Term]:
    """Return the smallest parts outside of which two formulas are one: what is beside them may be much larger."""
    while before.op is not None and before.op is after.op and len(before.args) == len(after.args):
        apart = [pair for pair in zip(before.args, after.args, strict=True) if pair[0] is not pair[1]]
        if len(apart) != 1 or before.kwargs != after.kwargs or apart[0][0].shape != apart[0][1].shape:
            break
        before, after = apart[0]
    return before, after


def difference(before: Any, after: Any) -> float:
    """max |after - before| / max |before|, over the entries where the value before is finite."""
    a, b = np.broadcast_arrays(*(1.0 * np.asarray(value) for value in (before, after)))
    finite = np.isfinite(a)
    if not finite.any():
        return 0.0
    largest = np.max(abs(a[finite]))
    apart = np.max(abs(b[finite] - a[finite]))
    return float(apart / largest) if largest > 0 else float(apart)


def tolerance(value: Any) -> float:
    """The relative difference that rounding may make."""
    return 1e4 * precision(value)


def precision(value: Any) -> float:
    """The distance from 1 to the next number of a type."""
    dtype = np.asarray(value).dtype
    return float(np.finfo(dtype if dtype.kind in "fc" else float).eps)


def differ_by_rounding(value: Any, other: Any, *formulas: Term) -> bool:
    """Whether two values differ by no more than rounding of its symbols makes one of the formulas differ from itself.

    Where digits are lost, as in the inverse of a matrix that is almost singular, the formula itself shows how many:
    each symbol is changed by random amounts below the precision of its numbers, and the formula computed again. One
    that changes by much then, as a mask does at a tie, has no such digits.
    """
    a, b = np.broadcast_arrays(1.0 * np.asarray(value), 1.0 * np.asarray(other))
    finite = np.isfinite(a)
    if not finite.any() or not np.all(np.isfinite(b[finite])):
        return False
    apart = float(np.max(abs(a[finite] - b[finite])))
    for moved, largest in map(movement, formulas):
        if moved <= np.sqrt(precision(value)) * largest and apart <= AMPLE * moved:
            return True
    return False


def movement(formula: Term) -> tuple[float, float]:
    """Return by how much rounding of the symbols changes a formula, and its largest intermediate value."""
    rng, moved = np.random.default_rng(0), 0.0
    order = [part for part in topological_order(formula) if np.asarray(part.value).dtype.kind in "fc"]
    inputs = [part for part in order if part.name is not None]
    for _ in range(TRIALS):
        noise = {x: x.value * (1 + precision(x.value) * rng.normal(size=x.shape)) for x in inputs}
        apart = np.abs(np.asarray(values([formula], {}, noise)[formula] - formula.value))
        moved = max(moved, float(np.max(apart[np.isfinite(apart)], initial=0)))
    sizes = (np.abs(part.value) for part in order)
    return moved, max((float(np.max(size[np.isfinite(size)], initial=0)) for size in map(np.asarray, sizes)), default=0)

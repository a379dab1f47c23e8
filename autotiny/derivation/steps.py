"""Steps: a formula before and after a rule, the numbers that prove it, and the gradient that steps lead to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.algebra.simplify import size
from autotiny.algebra.writing import as_text
from autotiny.derivation.lift import Lifted
from autotiny.derivation.program import fixed_indices, fixed_indices_in_words
from autotiny.errors import AutotinyError


class DerivationError(AutotinyError):
    """A step of a derivation changed the value: the rule that it used is wrong."""


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
        is_gradient = np.shape(self.chain.value) == np.shape(self.engine) and np.all(np.isfinite(self.chain.value))
        return bool(is_gradient and difference(self.engine, self.chain.value) <= allowed)

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
    def operations(self) -> int:
        """The number of operations of the formula and of the gradients that it names."""
        return sum(size(each.term)[0] for each in (self, *self.named.values()))

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


def proved(step: Step, definitions: Mapping[Term, Term]) -> Step:
    """Return the step if it left the value as it was; else raise DerivationError."""
    if not step.error <= tolerance(step.after.value) and not is_rounding(step.before, step.after, definitions):
        raise DerivationError(
            f"derive: {step.rule!r} made {as_text(step.after)} of {as_text(step.before)}, whose values differ by "
            f"{step.error:.1e} of the largest entry: the rule is wrong, or does not hold here"
        )
    return step


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
    dtype = np.asarray(value).dtype
    return 1e4 * float(np.finfo(dtype if dtype.kind in "fc" else float).eps)


def is_rounding(before: Term, after: Term, definitions: Mapping[Term, Term]) -> bool:
    """Whether two formulas differ by rounding alone: then they differ far less where more digits are kept."""
    values: dict[Term, Any] = {}
    try:
        with np.errstate(all="ignore"):
            finer = difference(*(in_extended_precision(term, definitions, values) for term in (before, after)))
    except (TypeError, ValueError):  # linear algebra has no extended precision
        return False
    return finer < difference(before.value, after.value) / 100


def in_extended_precision(term: Term, definitions: Mapping[Term, Term], values: dict[Term, Any]) -> Any:
    """Return the value of a formula, computed in long double from the values of its inputs."""
    for part in topological_order(term):
        if part in values:
            continue
        if part in definitions:
            values[part] = in_extended_precision(definitions[part], definitions, values)
        elif part.op is None:
            wide = {"f": np.longdouble, "c": np.clongdouble}.get(np.asarray(part.value).dtype.kind)
            values[part] = np.asarray(part.value, wide)
        else:
            values[part] = part.op.forward(*(values[arg] for arg in part.args), **part.kwargs)
    return values[term]

"""Derivation: a gradient's formula with the steps that lead to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.algebra.writing import as_text
from autotiny.derivation import showing
from autotiny.derivation.elements import ElementView, elements
from autotiny.derivation.lift import Lifted
from autotiny.derivation.matching import Match, match
from autotiny.derivation.program import NumpyFunction, claim, numpy_function, picked
from autotiny.derivation.showing import page, terminal
from autotiny.derivation.steps import Step, difference, tolerance
from autotiny.engine.call_site import caller_scope
from autotiny.errors import UnsupportedError


@dataclass(frozen=True, eq=False, repr=False)
class Derivation:
    """dJ/d(target) as a formula, and how it came about.

    Attributes
    ----------
    target, output : the symbols of the tensor and of the loss.
    chain : the chain rule's words for the gradient, before any step.
    steps : the rules that were applied, in order.
    lemmas : the derivations of the gradients that the formula names, such as dZ2 in W2ᵀ dZ2 * 1[Z1 > 0].
    engine : the gradient that backprop computes.
    run : the recorded run in formulas.
    """

    target: Term
    output: Term
    chain: Term
    steps: tuple[Step, ...]
    lemmas: Mapping[Term, "Derivation"]
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
    def max_error(self) -> float:
        """The largest error of a step, or of the formula against backprop, relative to the largest entry."""
        return max([step.error for step in self.steps] + [difference(self.engine, self.term.value)])

    @property
    def ok(self) -> bool:
        """Whether formula and backprop agree to rounding: at once, or the chain rule does and every step was proved."""
        allowed = tolerance(self.term.value)
        by_steps = np.all(np.isfinite(self.chain.value)) and difference(self.engine, self.chain.value) <= allowed
        return bool(self.max_error <= allowed or by_steps) and all(lemma.ok for lemma in self.lemmas.values())

    @property
    def name(self) -> str:
        """What is derived: dJ/dZ2."""
        return f"d{as_text(self.output)}/d{as_text(self.target)}"

    @property
    def definitions(self) -> dict[Term, Term]:
        """What every name stands for: results of the run by their code, gradients by their formulas."""
        found = dict(self.run.definitions)
        for name, lemma in self.lemmas.items():
            found |= {**lemma.definitions, name: lemma.term}
        return found

    def latex(self, steps: bool = True) -> str:
        """The derivation in LaTeX (amsmath, amssymb), aligned at the equals signs; without steps, its result alone."""
        return showing.latex_steps(self) if steps else showing.formula(self)

    def numpy(self) -> NumpyFunction:
        """The gradient as a function of what the run was given, in straight lines of NumPy.

        It prints as its source and is called like it: `f = derivation.numpy(); f(X, Y, W1, b1, W2, b2)`. The tensor
        by which was derived is an argument even where its gradient does not need it, unless it is a result itself.
        Entries that the run picked by a sort or a mask are picked again, whatever the data; the docstring says so.
        Raises UnsupportedError where an operation has no counterpart in NumPy.
        """
        name, told = f"d{self.target.name}", f"{self.name} = {self.formula}"
        return numpy_function(name, self.term, self.definitions, told, [self.target])

    def elements(self, *place: int) -> ElementView:
        """The same derivation in index notation for one entry: the one at a place, or the largest."""
        return elements(self, place or None)

    def matches(self, formula: str, scope: Mapping[str, Any] | None = None) -> Match:
        """Whether a formula that you typed is the gradient; if it is not, how it differs.

        It may be NumPy code, or what textbooks write, over the names in your code and those of other gradients (dZ2).
        It is held against the derived formula on the recorded values, and on others of what is tracked, but for what a
        step found to hold on the data. `scope` gives other names; your variables, if it is left out. Raises
        ExpressionError where the formula cannot be read, and UnsupportedError where it is no text.
        """
        if not isinstance(formula, str):
            raise UnsupportedError(
                f"matches: expected the formula as text, as in d.matches('2 * x'); got {type(formula).__name__}"
            )
        found_on_data = " ".join(self.conditions())
        free = [x for x in self.run.tracked if not re.search(rf"\b{re.escape(x.name or '')}\b", found_on_data)]
        return match(formula, self.term, self.definitions, free, caller_scope() if scope is None else scope)

    def conditions(self) -> list[str]:
        """What was found to hold on the data, in the steps to this formula and to the gradients that it names."""
        own = [step.condition for step in self.steps if step.condition]
        return own + [told for lemma in self.lemmas.values() for told in lemma.conditions()]

    def picks(self) -> str:
        """Which entries the formula takes because the recorded run did, by a sort or a mask; empty if none."""
        return claim(picked(self.term, *(lemma.term for lemma in self.lemmas.values())))

    def __repr__(self) -> str:
        return terminal(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        return page(self)

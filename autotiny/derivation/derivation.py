"""Derivation: a gradient's formula with the steps that lead to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.derivation.steps import Step, difference, tolerance
from autotiny.derivation.unicode import Unicode


@dataclass(frozen=True)
class Derivation:
    """dJ/d(target) as a formula, and how it came about.

    Attributes
    ----------
    target, output : the symbols of the tensor and of the loss.
    chain : the chain rule's words for the gradient, before any step.
    steps : the rules that were applied, in order.
    lemmas : the derivations of the gradients that the formula names, such as dZ2 in W2ᵀ dZ2 * 1[Z1 > 0].
    engine : the gradient that backprop computes.
    """

    target: Term
    output: Term
    chain: Term
    steps: tuple[Step, ...]
    lemmas: Mapping[Term, "Derivation"]
    engine: Any

    @property
    def term(self) -> Term:
        """The formula as a term, with its value."""
        return self.steps[-1].after if self.steps else self.chain

    @property
    def formula(self) -> str:
        """The formula as text."""
        return Unicode()(self.term)

    @property
    def max_error(self) -> float:
        """The largest error of a step, or of the formula against backprop, relative to the largest entry."""
        return max([step.error for step in self.steps] + [difference(self.engine, self.term.value)])

    @property
    def ok(self) -> bool:
        """Whether formula and backprop agree to rounding."""
        return self.max_error <= tolerance(self.term.value) and all(lemma.ok for lemma in self.lemmas.values())

    @property
    def name(self) -> str:
        """What is derived: dJ/dZ2."""
        return f"d{self.output.name}/d{self.target.name}"

    def __repr__(self) -> str:
        write = Unicode()
        where = [f"with d{lemma.target.name} = {lemma.name} = {lemma.formula}" for lemma in self.lemmas.values()]
        head = f"{self.name} = {write(self.chain)}"
        rows = [f"  = {write(step.after)}" for step in self.steps]
        width = max(map(len, [head, *rows]))
        notes = ["chain rule", *(f"{s.rule}{f' ({s.condition})' if s.condition else ''}" for s in self.steps)]
        errors = ["", *(f"{s.error:.0e}" for s in self.steps)]
        margin = zip([head, *rows], notes, errors, strict=True)
        lines = [f"{row:{width}}  {note}  {error}".rstrip() for row, note, error in margin]
        return "\n".join([*lines, *where, f"agrees with backprop to {np.format_float_scientific(self.max_error, 0)}"])

"""The element view: a derivation in index notation, for one entry of the gradient."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.derivation.entries import EntryFormulas, Letters, entry_formula
from autotiny.derivation.steps import DerivedGradient, difference

PARAMETER, RESULT = ("jpuvw", "iklqrstabcdef"), ("jiuvw", "klpqrstabcdef")
"""Indices of a parameter such as W1[j, p], and of a result such as Z1[j, i] whose columns are examples; then others."""


@dataclass(frozen=True)
class ElementView:
    """The derivation of one entry.

    Attributes
    ----------
    chain : the chain rule over the named tensors on the way, with its sums; empty if they branch.
    formulas : the formula of the entry, after the chain rule and after each step.
    rules : the rule of each step.
    error : the largest relative difference between the value of a formula and the entry that backprop computes.
    note : a sentence about the arrays whose entries are not written in indices, such as an inverse; or empty.
    """

    entry: str
    chain: str
    formulas: tuple[str, ...]
    rules: tuple[str, ...]
    error: float
    note: str = ""

    @property
    def formula(self) -> str:
        """The final formula."""
        return self.formulas[-1]

    def __repr__(self) -> str:
        lines = [f"{self.entry} = {self.chain or self.formulas[0]}"]
        if self.chain:
            lines.append(f"    = {self.formulas[0]}")
        for rule, formula in zip(self.rules, self.formulas[1:], strict=True):
            lines += [f"  {rule}", f"    = {formula}"]
        if self.note:
            lines += ["", self.note]
        return "\n".join(lines)


def elements(derivation: DerivedGradient, index: tuple[int, ...] | None) -> ElementView:
    """The derivation for the entry at an index, or for the largest entry of the gradient."""
    target, engine = derivation.target, np.asarray(derivation.engine)
    if index is None:
        index = tuple(map(int, np.unravel_index(int(np.argmax(abs(engine))), engine.shape)))
    result = target in derivation.run.definitions and engine.ndim == target.ndim
    own, others = RESULT if result else PARAMETER
    letters = tuple(None if n == 1 else letter for n, letter in zip(engine.shape, own, strict=False))
    at = {c: int(i) for c, i in zip(letters, index, strict=True) if c is not None}
    formulas, errors = [], []
    terms = [term for term in (derivation.chain, *(s.after for s in derivation.steps)) if term.shape == engine.shape]
    with np.errstate(all="ignore"):
        for term in terms:
            entry = EntryFormulas(at, others)
            formulas.append(entry.write(one := entry_formula(entry, term, letters, index)))
            errors.append(difference(engine[index], one.value))
    above, below = letters[: engine.ndim - target.ndim], letters[engine.ndim - target.ndim :]
    head = f"d{indexed(derivation.output, above)}/d{indexed(target, below)}"
    rules = tuple(step.rule for step in derivation.steps)[len(derivation.steps) + 1 - len(terms) :]
    way = "" if above else chain(derivation, letters, others)
    note = f"Not written entry by entry: {', '.join(entry.whole)}." if entry.whole else ""
    return ElementView(head, way, tuple(formulas), rules, max(errors), note)


def indexed(tensor: Term, letters: Letters) -> str:
    """Z1[j, i]."""
    shown = [letter for letter in letters if letter is not None]
    return f"{tensor.name}[{', '.join(shown)}]" if shown else str(tensor.name)


def chain(derivation: DerivedGradient, letters: Letters, others: str) -> str:
    """Σ_k dJ/dZ2[k, i] · dZ2[k, i]/dA1[j, i] · dA1[j, i]/dZ1[j, i], up to the loss or a gradient that has a name."""
    lower, lower_letters, spare = derivation.target, letters, list(others)
    factors, sums = list[str](), list[str]()
    ends = {lemma.target for lemma in derivation.lemmas.values()} | {derivation.output}
    while lower not in ends:
        above = [s for s, made in derivation.run.definitions.items() if lower in set(topological_order(made))]
        above = [s for s in above if s in ends or s in derivation.run.tracked]
        if len(above) != 1:
            return ""
        upper_letters, new = _letters_above(derivation.run.definitions[above[0]], lower, lower_letters, spare)
        factors.insert(0, f"d{indexed(above[0], upper_letters)}/d{indexed(lower, lower_letters)}")
        sums += new
        lower, lower_letters = above[0], upper_letters
    if lower is derivation.output and len(factors) == 1:
        return ""
    if lower is not derivation.output:
        factors.insert(0, f"d{derivation.output.name}/d{indexed(lower, lower_letters)}")
    return "".join(f"Σ_{letter} " for letter in reversed(sums)) + " · ".join(factors)


def _letters_above(made: Term, lower: Term, letters: Letters, spare: list[str]) -> tuple[Letters, list[str]]:
    """The indices of a tensor that depends on an entry of a lower one, and those of them that are summed over.

    An index is shared if every use of the lower tensor has it along the same axis: Z2[k, i] needs A1[j, i] of its own
    column, and of every row.
    """
    free: Letters = tuple(None if n == 1 else f"#{i}" for i, n in enumerate(made.shape))
    entry = EntryFormulas({letter: 0 for letter in free if letter}, "".join(chr(0x3B1 + i) for i in range(16)))
    entry.of(made, free)
    uses: list[Any] = [used for term, used in entry.used if term is lower]
    opaque = [term for term, _ in entry.used if term is not lower and lower in set(topological_order(term))]
    indices, summed = list[str | None](), list[str]()
    for letter in free:
        positions = {use.index(letter) if letter in use else None for use in uses}
        position = positions.pop() if len(positions) == 1 and not opaque else None
        if letter is not None and position is None:
            summed.append(spare.pop(0))
        indices.append(None if letter is None else summed[-1] if position is None else letters[position])
    return tuple(indices), summed

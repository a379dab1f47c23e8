"""The element view: a derivation in index notation, for one entry of the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.derivation.entries import Entry, Letters
from autotiny.derivation.steps import difference

if TYPE_CHECKING:
    from autotiny.derivation.derivation import Derivation

PARAMETER, RESULT = ("jpuvw", "iklqrstabcdef"), ("jiuvw", "klpqrstabcdef")
"""Indices of a parameter such as W1[j, p], and of a result such as Z1[j, i] whose columns are examples; then others."""


@dataclass(frozen=True)
class ElementView:
    """A derivation for one entry.

    Attributes
    ----------
    chain : the chain rule over the named tensors on the way, with its sums; empty where they branch.
    formulas : the formula of the entry, after the chain rule and after each step.
    rules : the rule of each step.
    error : the largest difference of a formula's value from the entry that backprop computes, relative to that.
    """

    entry: str
    chain: str
    formulas: tuple[str, ...]
    rules: tuple[str, ...]
    error: float

    @property
    def formula(self) -> str:
        """The last one."""
        return self.formulas[-1]

    def __repr__(self) -> str:
        lines = [f"{self.entry} = {self.chain or self.formulas[0]}"]
        if self.chain:
            lines.append(f"    = {self.formulas[0]}")
        for rule, formula in zip(self.rules, self.formulas[1:], strict=True):
            lines += [f"  {rule}", f"    = {formula}"]
        return "\n".join(lines)


def elements(derivation: Derivation, place: tuple[int, ...] | None) -> ElementView:
    """The derivation for the entry at a place, or at that of the largest gradient."""
    target, engine = derivation.target, np.asarray(derivation.engine)
    place = np.unravel_index(int(np.argmax(abs(engine))), engine.shape) if place is None else place  # type: ignore[assignment]
    assert place is not None
    result = target in derivation.run.definitions and engine.ndim == target.ndim
    own, others = RESULT if result else PARAMETER
    letters = tuple(None if n == 1 else letter for n, letter in zip(engine.shape, own, strict=False))
    at = {c: int(i) for c, i in zip(letters, place, strict=True) if c is not None}
    formulas, errors = [], []
    terms = [term for term in (derivation.chain, *(s.after for s in derivation.steps)) if term.shape == engine.shape]
    with np.errstate(all="ignore"):
        for term in terms:
            entry = Entry(at, others)
            one = entry.of(term, letters)
            formulas.append(entry.write(one))
            errors.append(difference(engine[place], one.value))
    above, below = letters[: engine.ndim - target.ndim], letters[engine.ndim - target.ndim :]
    head = f"d{indexed(derivation.output, above)}/d{indexed(target, below)}"
    rules = tuple(step.rule for step in derivation.steps)[len(derivation.steps) + 1 - len(terms) :]
    way = "" if above else chain(derivation, letters, others)
    return ElementView(head, way, tuple(formulas), rules, max(errors))


def indexed(tensor: Term, letters: Letters) -> str:
    """Z1[j, i]."""
    shown = [letter for letter in letters if letter is not None]
    return f"{tensor.name}[{', '.join(shown)}]" if shown else str(tensor.name)


def chain(derivation: Derivation, letters: Letters, others: str) -> str:
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
    signs = "".join(f"Σ_{letter} " for letter in reversed(sums))
    return signs + " · ".join(factors)


def _letters_above(made: Term, lower: Term, letters: Letters, spare: list[str]) -> tuple[Letters, list[str]]:
    """The indices of a tensor that depends on an entry of a lower one, and those of them that are summed over.

    An index is shared where every use of the lower tensor has it at the same place: Z2[k, i] needs A1[j, i] of its own
    column, and of every row.
    """
    free: Letters = tuple(None if n == 1 else f"#{i}" for i, n in enumerate(made.shape))
    entry = Entry({letter: 0 for letter in free if letter}, "".join(chr(0x3B1 + i) for i in range(16)))
    entry.of(made, free)
    uses: list[Any] = [used for term, used in entry.used if term is lower]
    opaque = [term for term, _ in entry.used if term is not lower and lower in set(topological_order(term))]
    found, summed = list[str | None](), list[str]()
    for letter in free:
        places = {use.index(letter) if letter in use else None for use in uses}
        place = places.pop() if len(places) == 1 and not opaque else None
        if letter is not None and place is None:
            summed.append(spare.pop(0))
        found.append(None if letter is None else summed[-1] if place is None else letters[place])
    return tuple(found), summed

"""The element view: a derivation in index notation, for one entry of the gradient.

The entry (W2ᵀ dZ2)[j, i] is Σ_k W2[k, j] dZ2[k, i]. Every index is an axis of its own, so that the formula of an entry
is a term with a value again: a free index, that of the entry, has length 1, and a sum runs over all of its index.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, symbol, topological_order
from autotiny.algebra.normal import MATMUL, is_reshape, is_spread, is_sum, number
from autotiny.algebra.picks import labels_of, place_of
from autotiny.algebra.segments import STACK
from autotiny.algebra.writing import as_text
from autotiny.derivation.steps import DerivedGradient, difference
from autotiny.errors import UnsupportedError
from autotiny.notation.expression import Expression
from autotiny.notation.forms import Bind, Form
from autotiny.notation.notations import Unicode
from autotiny.notation.writer import Piece
from autotiny.ops import OPS
from autotiny.ops.code import is_diagonal
from autotiny.ops.indexing import scatter
from autotiny.ops.mathematics import is_identity, mathematics

Letters = tuple[str | None, ...]
"""The index along each axis, None where the axis has length 1."""

AXES = 16
TRANSPOSED = {OPS[np.transpose], OPS[np.swapaxes]}


class EntryFormulas:
    """Formulas for one entry of an array, whose free indices have the values in `at`.

    `used` lists the symbols that occur in the formulas, with their indices.
    """

    def __init__(self, at: Mapping[str, int], other_letters: str) -> None:
        self.at = at
        self.other_letters = iter(other_letters)
        self.axis = {letter: i for i, letter in enumerate(at)}
        self.used: list[tuple[Term, Letters]] = []
        self.made: dict[tuple[Term, Letters], Term] = {}

    def of(self, term: Term, letters: Letters) -> Term:
        """The entry of a term at these indices."""
        letters = tuple(None if n == 1 else letter for n, letter in zip(term.shape, letters, strict=True))
        if (term, letters) not in self.made:
            self.made[term, letters] = self._made(term, letters)
        return self.made[term, letters]

    def _made(self, term: Term, letters: Letters) -> Term:
        if term.is_constant and is_identity(term.value):
            return self.leaf(term, letters, f"1[{letters[0]} = {letters[1]}]")
        if (delta := kronecker(term, letters)) is not None:
            return self.leaf(term, letters, delta)
        if term.op is STACK and term.ndim == 1 and (letter := letters[0]) in self.at:
            return self.of(term.args[self.at[str(letter)]], ())
        if term.op is None:
            return term if number(term) is not None and not term.name else self.leaf(term, letters)
        if term.op is OPS[scatter] and is_diagonal(term):
            return self.of(term.args[0], letters[:1]) * self.of(constant(np.eye(len(term))), letters)
        if term.op is MATMUL and term.args[0].ndim <= 2 and term.args[1].ndim <= 2:
            return self.product(term.args[0], term.args[1], letters)
        if is_sum(term):
            return self.sum(term, letters)
        inner = self.moved(term, letters)
        if inner is not None:
            return self.of(term.args[0], inner)
        if isinstance(term.op.function, np.ufunc) or term.op.has("elementwise"):
            parts = [self.of(arg, letters[len(letters) - arg.ndim :]) for arg in term.args]
            return apply(term.op, parts, term.kwargs)
        return self.leaf(term, letters)

    def leaf(self, term: Term, letters: Letters, named: str | None = None) -> Term:
        """Z2[k, i], with an axis for every index."""
        self.used.append((term, letters))
        part = np.asarray(term.value)[tuple(self._slice(letter) for letter in letters)]
        shown = [letter for letter in letters if letter is not None]
        spread = np.full(AXES, 1)
        for letter, n in zip(letters, part.shape, strict=True):
            if letter is not None:
                spread[self._axis(letter)] = n
        kept = [i for i, letter in enumerate(letters) if letter is not None]
        order = sorted(kept, key=lambda i: self._axis(str(letters[i])))
        value = part.transpose(order + [i for i in range(part.ndim) if i not in kept]).reshape(spread)
        name = as_text(term)
        return symbol(named or (f"{name}[{', '.join(shown)}]" if shown else name), value)

    def product(self, a: Term, b: Term, letters: Letters) -> Term:
        """Σ_k a[i, k] b[k, j]."""
        k = self.new(a.shape[-1])
        row = letters[:1] if a.ndim == 2 else ()
        left, right = self.of(a, (*row, k)), self.of(b, (k, *letters[len(row) :]))
        return self.summed(left * right, (k,))

    def sum(self, term: Term, letters: Letters) -> Term:
        """Σ_k x[k, j]."""
        (x,), axis = term.args, term.kwargs.get("axis")
        axes = range(x.ndim) if axis is None else [a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
        outer = iter([c for i, c in enumerate(letters) if not (term.kwargs.get("keepdims") and i in axes)])
        inner = tuple(self.new(n) if i in axes else next(outer) for i, n in enumerate(x.shape))
        return self.summed(self.of(x, inner), tuple(inner[i] for i in axes))

    def summed(self, term: Any, letters: Letters) -> Term:
        """Σ over indices."""
        for letter in letters:
            if letter is not None:
                term = np.sum(term, axis=self._axis(letter), keepdims=True)
        return term

    def moved(self, term: Term, letters: Letters) -> Letters | None:
        """The indices of the operand of an operation that only moves entries; None for any other operation."""
        if term.op in TRANSPOSED and term.ndim == 2:
            return letters[::-1]
        (x, *_), shown = term.args, [letter for letter in letters if letter is not None]
        if is_reshape(term) and [n for n in x.shape if n != 1] == [n for n in term.shape if n != 1]:
            rest = iter(shown)
            return tuple(None if n == 1 else next(rest) for n in x.shape)
        return letters[len(letters) - x.ndim :] if is_spread(term) else None

    def new(self, length: int) -> str | None:
        """An unused index; None along an axis of length 1."""
        letter = None if length == 1 else next(self.other_letters, None)
        if letter is None and length != 1:
            raise UnsupportedError("elements: the formula needs more indices than there are letters")
        return letter

    def _axis(self, letter: str) -> int:
        return self.axis.setdefault(letter, len(self.axis))

    def _slice(self, letter: str | None) -> slice:
        return slice(self.at[letter], self.at[letter] + 1) if letter and letter in self.at else slice(None)

    def write(self, term: Term) -> str:
        """The formula as text."""
        return Indexed({axis: letter for letter, axis in self.axis.items()})(mathematics(term, {}))


def kronecker(term: Term, letters: Letters) -> str | None:
    """1[j = 2] for an entry of e_2, and 1[y[i] = j] for one of onehot(y); None of any other term."""
    if (place := place_of(term)) is not None:
        return f"1[{letters[0]} = {place}]"
    found = labels_of(term)
    if found is None or not isinstance(found[0], Term) or None in letters:
        return None
    labels, axis = found
    return f"1[{as_text(labels)}[{letters[1 - axis]}] = {letters[axis]}]"


class Indexed(Unicode):
    """Formulas for one entry: Σ_k W2[k, j] * dZ2[k, i]."""

    def __init__(self, letters: Mapping[int, str]) -> None:
        super().__init__()
        self.letters = letters

    def piece(self, each: Expression, operands: list[Piece]) -> Piece:
        """A sum with the index that it runs over."""
        if each.kind != "sum over":
            return super().piece(each, operands)
        sign = f"Σ_{self.letters[each.options['axis']]} "
        need = Bind.ATOM if operands[0].minus else Bind.PRODUCT
        return self.put(Form(sign + "{0}", Bind.PRODUCT, (need,), big=True), operands)


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
    """

    entry: str
    chain: str
    formulas: tuple[str, ...]
    rules: tuple[str, ...]
    error: float

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
            one = entry.of(term, letters)
            formulas.append(entry.write(one))
            errors.append(difference(engine[index], one.value))
    above, below = letters[: engine.ndim - target.ndim], letters[engine.ndim - target.ndim :]
    head = f"d{indexed(derivation.output, above)}/d{indexed(target, below)}"
    rules = tuple(step.rule for step in derivation.steps)[len(derivation.steps) + 1 - len(terms) :]
    way = "" if above else chain(derivation, letters, others)
    return ElementView(head, way, tuple(formulas), rules, max(errors))


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

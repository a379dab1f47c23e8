"""The formula of one entry of an array: (W2ᵀ dZ2)[j, i] is Σ_k W2[k, j] dZ2[k, i].

Every index is an axis of its own, so that the formula of an entry is a term with a value again: a free index, that of
the entry, has length 1, and a sum runs over all of its index.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, symbol
from autotiny.algebra.normal import MATMUL, is_reshape, is_spread, is_sum, number
from autotiny.algebra.picks import labels_of, place_of
from autotiny.algebra.segments import STACK
from autotiny.algebra.writing import as_text
from autotiny.derivation.steps import difference, tolerance
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.notation.expression import Expression
from autotiny.notation.forms import Bind, Form
from autotiny.notation.notations import Unicode
from autotiny.notation.writer import Piece
from autotiny.ops import OPS
from autotiny.ops.code import is_diagonal
from autotiny.ops.einsum import summation
from autotiny.ops.indexing import index, scatter
from autotiny.ops.mathematics import is_identity, mathematics

Letters = tuple[str | None, ...]
"""The index along each axis, None where the axis has length 1."""

AXES = 20
PERMUTES = {OPS[np.transpose], OPS[np.swapaxes], OPS[np.moveaxis]}
EXTREMES = {OPS[np.max], OPS[np.min]}
INV, SOLVE, MULTIPLY = OPS[np.linalg.inv], OPS[np.linalg.solve], OPS[np.multiply]
EINSUM, INDEX = OPS[summation], OPS[index.__wrapped__]  # type: ignore[attr-defined]


class EntryFormulas:
    """Formulas for one entry of an array, whose free indices have the values in `at`.

    `used` lists the symbols that occur in the formulas, with their indices, and `whole` the arrays whose entries are
    not written in indices, such as an inverse.
    """

    def __init__(self, at: Mapping[str, int], other_letters: str) -> None:
        self.at = at
        self.other_letters = iter(other_letters)
        self.axis = {letter: i for i, letter in enumerate(at)}
        self.used: list[tuple[Term, Letters]] = []
        self.whole: dict[str, None] = {}
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
        if number(term) is not None or (term.op is not None and term.op.kind == "ones_like"):
            return constant(np.ravel(term.value)[0])
        if term.op is None:
            return self.leaf(term, letters)
        if term.op is OPS[scatter] and is_diagonal(term):
            return times(self.of(term.args[0], letters[:1]), self.of(constant(np.eye(len(term))), letters))
        if term.op is MATMUL:
            return self.product(term.args[0], term.args[1], letters)
        if term.op is SOLVE and term.args[1].ndim <= 2:
            return self.product(apply(INV, term.args[:1], {}), term.args[1], letters)
        if term.op is EINSUM:
            return self.einsum(term, letters)
        if is_sum(term) or term.op in EXTREMES:
            return self.reduced(term, letters)
        inner = self.moved(term, letters)
        if inner is not None:
            return self.of(term.args[0], inner)
        if isinstance(term.op.function, np.ufunc) or term.op.has("elementwise"):
            parts = [self.of(arg, letters[len(letters) - arg.ndim :]) for arg in term.args]
            return times(*parts) if term.op is MULTIPLY else apply(term.op, parts, term.kwargs)
        return self.leaf(term, letters)

    def leaf(self, term: Term, letters: Letters, named: str | None = None) -> Term:
        """Z2[k, i], with an axis for every index."""
        self.used.append((term, letters))
        if len(set(letters) - {None}) < len(letters) - letters.count(None):
            raise UnsupportedError("elements: a diagonal of an array without a formula in indices")
        part = np.asarray(term.value)[tuple(self._slice(letter) for letter in letters)]
        shown = [letter for letter in letters if letter is not None]
        spread = np.full(AXES, 1)
        for letter, n in zip(letters, part.shape, strict=True):
            if letter is not None:
                spread[self._axis(letter)] = n
        kept = [i for i, letter in enumerate(letters) if letter is not None]
        order = sorted(kept, key=lambda i: self._axis(str(letters[i])))
        value = part.transpose(order + [i for i in range(part.ndim) if i not in kept]).reshape(spread)
        if term.op not in (None, INV, INDEX) and shown and named is None:
            self.whole[as_text(term)] = None
        return symbol(named or entry_of(term, shown), value)

    def product(self, a: Term, b: Term, letters: Letters) -> Term:
        """Σ_k a[i, k] b[k, j], with the same first indices for matrices in stacks."""
        k = self.new(a.shape[-1])
        stack = letters[: max(a.ndim, b.ndim, 2) - 2]
        row = letters[len(stack) :][: a.ndim > 1]
        column = letters[len(stack) + len(row) :]
        left = self.of(a, (*stack[len(stack) - max(a.ndim - 2, 0) :], *row, k))
        right = self.of(b, (*stack[len(stack) - max(b.ndim - 2, 0) :], k, *column))
        return self.summed(times(left, right), (k,))

    def einsum(self, term: Term, letters: Letters) -> Term:
        """The product of the entries, summed over the indices that the result lacks."""
        terms, known = term.kwargs["terms"], dict(zip(term.kwargs["output"], letters, strict=True))
        lengths: dict[str, int] = {}
        for c, n in ((c, n) for t, x in zip(terms, term.args, strict=True) for c, n in zip(t, x.shape, strict=True)):
            lengths[c] = max(n, lengths.get(c, 1))
        added = {c: self.new(n) for c, n in lengths.items() if c not in known}
        index = known | added
        entries = [self.of(x, tuple(index[c] for c in t)) for t, x in zip(terms, term.args, strict=True)]
        return self.summed(reduce(times, entries), tuple(added.values()))

    def reduced(self, term: Term, letters: Letters) -> Term:
        """Σ_k x[k, j]; max_k x[k, j]."""
        (x,), axis = term.args, term.kwargs.get("axis")
        axes = range(x.ndim) if axis is None else [a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
        outer = iter([c for i, c in enumerate(letters) if not (term.kwargs.get("keepdims") and i in axes)])
        inner = tuple(self.new(n) if i in axes else next(outer) for i, n in enumerate(x.shape))
        return self.summed(self.of(x, inner), tuple(inner[i] for i in axes), term.op)

    def summed(self, term: Term, letters: Letters, op: Any = OPS[np.sum]) -> Term:
        """Σ over indices, or their largest or smallest entry."""
        for letter in letters:
            if letter is not None:
                term = apply(op, [term], {"axis": self._axis(letter), "keepdims": True})
        return term

    def moved(self, term: Term, letters: Letters) -> Letters | None:
        """The indices of the operand of an operation that only moves entries; None for any other operation."""
        if term.op in PERMUTES:
            numbered = term.op.forward(np.empty(range(1, term.ndim + 1)), **term.kwargs)
            return tuple(letters[numbered.shape.index(axis)] for axis in range(1, term.ndim + 1))
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


def times(a: Term, b: Term) -> Term:
    """The product, without a factor 1."""
    if number(a) == 1 and b.dtype != bool:
        return b
    return a if number(b) == 1 and a.dtype != bool else apply(MULTIPLY, [a, b], {})


def entry_of(term: Term, letters: Sequence[str]) -> str:
    """Z1[j, i]; x[i + 1] for x[1:][i]; (A x)[i]."""
    if term.op is INV:
        return f"{as_text(term)}[{', '.join(letters)}]"
    if term.op is INDEX and (places := sliced(term, letters)):
        return f"{as_text(term.args[0])}[{', '.join(places)}]"
    return Unicode()(Expression("index", [mathematics(term, {})], value=tuple(letters))) if letters else as_text(term)


def sliced(term: Term, letters: Sequence[str]) -> list[str]:
    """The indices in a named array of an entry of its slice; empty if the entries are picked otherwise."""
    key, rest, places, x = term.kwargs.get("key", ...), iter(letters), list[str](), term.args[0]
    keys: list[Any] = list(key) if isinstance(key, tuple) else [key]
    keys += [slice(None)] * (x.ndim - len(keys))
    if x.op is not None or 1 in x.shape or 0 in term.shape or any(part is ... or part is None for part in keys):
        return []
    for part, n in zip(keys, x.shape, strict=False):
        if isinstance(part, slice) and part.step in (None, 1, -1):
            places.append(_counted(range(*part.indices(n)), rest))
        elif isinstance(part, int | np.integer):
            places.append(str(part % n))
        else:
            return []
    return places


def kronecker(term: Term, letters: Letters) -> str | None:
    """1[j = 2] for an entry of e_2, and 1[y[i] = j] for one of onehot(y); None of any other term."""
    if (place := place_of(term)) is not None:
        return f"1[{letters[0]} = {place}]"
    found = labels_of(term)
    if found is None or not isinstance(found[0], Term) or None in letters:
        return None
    labels, axis = found
    return f"1[{as_text(labels)}[{letters[1 - axis]}] = {letters[axis]}]"


def _counted(places: range, letters: Iterator[str]) -> str:
    if len(places) == 1:
        return str(places[0])
    letter = next(letters)
    if places.step < 0:
        return f"{places[0]} - {letter}"
    return f"{letter} + {places[0]}" if places[0] else letter


class Indexed(Unicode):
    """Formulas for one entry: Σ_k W2[k, j] * dZ2[k, i]."""

    def __init__(self, letters: Mapping[int, str]) -> None:
        super().__init__()
        self.letters = letters

    def name(self, name: str) -> str:
        """Write an entry, whose name is a formula already."""
        return name

    def piece(self, each: Expression, operands: list[Piece]) -> Piece:
        """A sum, or the largest or smallest entry, with the index that it runs over."""
        if each.kind not in ("sum over", "max over", "min over"):
            return super().piece(each, operands)
        sign = f"{each.kind.removesuffix(' over').replace('sum', 'Σ')}_{self.letters[each.options['axis']]} "
        need = Bind.ATOM if operands[0].minus else Bind.PRODUCT
        return self.put(Form(sign + "{0}", Bind.PRODUCT, (need,), big=True), operands)


def entry_formula(entry: EntryFormulas, term: Term, letters: Letters, index: tuple[int, ...]) -> Term:
    """The formula of one entry; where it would not have its value, the entry of the whole array."""
    try:
        one = entry.of(term, letters)
        if difference(np.asarray(term.value)[index], one.value) <= tolerance(term.value):
            return one
    except (ShapeError, UnsupportedError):
        pass
    entry.made.clear()
    return entry.leaf(term, letters)

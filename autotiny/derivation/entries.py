"""One entry of a formula in index notation: (W2ᵀ dZ2)[j, i] is Σ_k W2[k, j] dZ2[k, i].

Every index is an axis of its own, so that an entry's formula is again a term with a value: a free index, of the entry
that is looked at, has length 1, and a sum runs over all of its index.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, symbol
from autotiny.algebra.normal import MATMUL, number, op_of
from autotiny.derivation.notation import Bind, Written
from autotiny.derivation.parts import is_diagonal, part
from autotiny.derivation.unicode import Unicode
from autotiny.errors import UnsupportedError
from autotiny.ops import OPS
from autotiny.ops.activations import elu, leaky_relu, relu, sigmoid
from autotiny.ops.indexing import scatter

Letters = tuple[str | None, ...]
"""The index along each axis, None where the axis has length 1."""

AXES = 16
ENTRYWISE = {OPS[f] for f in (np.where, relu, leaky_relu, sigmoid, elu)}
is_sum, is_reshape, is_spread = map(op_of, (np.sum, np.reshape, np.broadcast_to))
TRANSPOSED = {OPS[np.transpose], OPS[np.swapaxes]}


class Entry:
    """The entry at some place of an array, and formulas for it.

    `used` lists the symbols that stand in the formulas made, with their indices.
    """

    def __init__(self, place: Mapping[str, int], fresh: str) -> None:
        self.place = place
        self.fresh = iter(fresh)
        self.axis = {letter: i for i, letter in enumerate(place)}
        self.used: list[tuple[Term, Letters]] = []
        self.made: dict[tuple[Term, Letters], Term] = {}

    def of(self, term: Term, letters: Letters) -> Term:
        """The entry of a term at these indices."""
        letters = tuple(None if n == 1 else letter for n, letter in zip(term.shape, letters, strict=True))
        if (term, letters) not in self.made:
            self.made[term, letters] = self._made(term, letters)
        return self.made[term, letters]

    def _made(self, term: Term, letters: Letters) -> Term:
        if term.op is None and part(term).kind == "identity":
            return self.leaf(term, letters, f"1[{letters[0]} = {letters[1]}]")
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
        if isinstance(term.op.function, np.ufunc) or term.op in ENTRYWISE:
            parts = [self.of(arg, letters[len(letters) - arg.ndim :]) for arg in term.args]
            return apply(term.op, parts, term.options)
        return self.leaf(term, letters)

    def leaf(self, term: Term, letters: Letters, named: str = "") -> Term:
        """Z2[k, i], with an axis for every index."""
        self.used.append((term, letters))
        picked = np.asarray(term.value)[tuple(self._picked(letter) for letter in letters)]
        shown = [letter for letter in letters if letter is not None]
        spread = np.full(AXES, 1)
        for letter, n in zip(letters, picked.shape, strict=True):
            if letter is not None:
                spread[self._axis(letter)] = n
        kept = [i for i, letter in enumerate(letters) if letter is not None]
        order = sorted(kept, key=lambda i: self._axis(str(letters[i])))
        value = picked.transpose(order + [i for i in range(picked.ndim) if i not in kept]).reshape(spread)
        name = Unicode()(term)
        return symbol(named or (f"{name}[{', '.join(shown)}]" if shown else name), value)

    def product(self, a: Term, b: Term, letters: Letters) -> Term:
        """Σ_k a[i, k] b[k, j]."""
        k = self.new(a.shape[-1])
        row = letters[:1] if a.ndim == 2 else ()
        left, right = self.of(a, (*row, k)), self.of(b, (k, *letters[len(row) :]))
        return self.summed(left * right, (k,))

    def sum(self, term: Term, letters: Letters) -> Term:
        """Σ_k x[k, j]."""
        (x,), axis = term.args, term.options.get("axis")
        axes = range(x.ndim) if axis is None else [a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
        outer = iter([c for i, c in enumerate(letters) if not (term.options.get("keepdims") and i in axes)])
        inner = tuple(self.new(n) if i in axes else next(outer) for i, n in enumerate(x.shape))
        return self.summed(self.of(x, inner), tuple(inner[i] for i in axes))

    def summed(self, term: Any, letters: Letters) -> Term:
        """Σ over indices."""
        for letter in letters:
            if letter is not None:
                term = np.sum(term, axis=self._axis(letter), keepdims=True)
        return term

    def moved(self, term: Term, letters: Letters) -> Letters | None:
        """The indices of the operand of an operation that only moves entries; None if it does more."""
        if term.op in TRANSPOSED and term.ndim == 2:
            return letters[::-1]
        (x, *_), shown = term.args, [letter for letter in letters if letter is not None]
        if is_reshape(term) and [n for n in x.shape if n != 1] == [n for n in term.shape if n != 1]:
            rest = iter(shown)
            return tuple(None if n == 1 else next(rest) for n in x.shape)
        return letters[len(letters) - x.ndim :] if is_spread(term) else None

    def new(self, length: int) -> str | None:
        """An index that was not used yet; none along an axis of length 1."""
        letter = None if length == 1 else next(self.fresh, None)
        if letter is None and length != 1:
            raise UnsupportedError("elements: the formula needs more indices than there are letters")
        return letter

    def _axis(self, letter: str) -> int:
        return self.axis.setdefault(letter, len(self.axis))

    def _picked(self, letter: str | None) -> slice:
        return slice(self.place[letter], self.place[letter] + 1) if letter and letter in self.place else slice(None)

    def write(self, term: Term) -> str:
        """The formula as text."""
        return Indexed({axis: letter for letter, axis in self.axis.items()})(term)


class Indexed(Unicode):
    """Formulas for one entry: Σ_k W2[k, j] * dZ2[k, i]."""

    def __init__(self, letters: Mapping[int, str]) -> None:
        super().__init__()
        self.letters = letters

    def _write(self, term: Term, written: Mapping[Term, Written]) -> Written:
        if not is_sum(term):
            return super()._write(term, written)
        inner = written[term.args[0]]
        text = inner.text if inner.bind >= Bind.PRODUCT and not inner.minus else self.bracketed(inner.text)
        return Written(f"Σ_{self.letters[term.options['axis']]} {text}", Bind.PRODUCT, big=True)


def letters_of(shape: tuple[int, ...], names: Iterator[str]) -> Letters:
    """An index for each axis."""
    return tuple(None if n == 1 else next(names) for n in shape)

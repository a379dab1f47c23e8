"""Loops: formulas that differ in an index alone, as one formula of whole arrays.

w[0] x[0] + w[1] x[1] + ... is sum(w * x): where entry i of every array is used for number i, the arrays are.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autotiny.algebra.normal import MATMUL, is_sum
from autotiny.algebra.picks import INDEX, WHOLE, axes_of
from autotiny.algebra.term import Term, apply, constant

Data = Callable[[Any], Term | None]
"""The name of an array of the run, None of one that has none."""


Free = Callable[[Term], bool]
"""Whether a formula is one of plain data, without tracked tensors."""


def no_data(value: Any) -> None:
    """Know no array by its entries."""


def is_entry(term: Term) -> bool:
    """Whether a term is a constant, or an entry of something."""
    return term.is_constant or term.op is INDEX


def rolled(formulas: Sequence[Term], data: Data = no_data, free: Free = is_entry) -> Term | None:
    """Return the formula of whole arrays whose row i is formula i; None if they differ in more than an index.

    `data` gives the term of an array whose entries are the constants of the formulas.

    >>> from autotiny.algebra import symbol
    >>> w, c = symbol("w", np.ones(3)), symbol("c", 2.0)
    >>> rolled([c * np.exp(w[i]) for i in range(3)]), rolled([w[0], c])
    (multiply(c, exp(w)), None)
    """
    if len(formulas) < 2 or len({f.shape for f in formulas}) > 1:
        return None
    result = Rolling(len(formulas), data, free).of(formulas)
    return result if result is not None and result is not formulas[0] else None


class Rolling:
    """Rolls formulas up, operand by operand; where all are the same one, that remains."""

    def __init__(self, n: int, data: Data, free: Free) -> None:
        self.n, self.data, self.free = n, data, free

    def of(self, parts: Sequence[Term]) -> Term | None:
        """Return the array whose row i is part i, or the part itself if all are the same one."""
        first = parts[0]
        if all(part is first for part in parts):
            return first
        if any(part.shape != first.shape for part in parts):
            return None
        if any(part.op is not first.op for part in parts):
            return self.constants(parts) if all(map(self.free, parts)) else None
        if first.op is None:
            return self.constants(parts)
        if first.op is INDEX:
            return self.entries(parts)
        if any(part.kwargs != first.kwargs or len(part.args) != len(first.args) for part in parts):
            return None
        args = [self.of([part.args[i] for part in parts]) for i in range(len(first.args))]
        return None if any(arg is None for arg in args) else self.operation(first, args)

    def constants(self, parts: Sequence[Term]) -> Term | None:
        """Return the array that has these constants."""
        if any(part.name is not None for part in parts):
            return None
        return self.data(np.stack([np.asarray(part.value) for part in parts]))

    def entries(self, parts: Sequence[Term]) -> Term | None:
        """Return the part of an array that consists of these entries, or rows."""
        (x,) = parts[0].args
        if any(part.args[0] is not x for part in parts):
            return self.entries_of_rows(parts)
        keys = [axes_of(part.kwargs["key"], x.shape) for part in parts]
        if any(key is None for key in keys):
            return None
        axes: list[list[Any]] = [list(axis) for axis in zip(*keys, strict=True)]
        varied = [i for i, axis in enumerate(axes) if any(part != axis[0] for part in axis)]
        if any(isinstance(part, slice) for i in varied for part in axes[i]):
            return None
        key = [axis[0] for axis in axes]
        for i in varied:
            key[i] = self.places(axes[i], x.shape[i], alone=len(varied) == 1)
        if any(part is None for part in key):
            return None
        return in_front(x, key, varied[0]) if len(varied) == 1 else x[tuple(key)]

    def entries_of_rows(self, parts: Sequence[Term]) -> Term | None:
        """Return one entry of each row: at the same place, or by labels."""
        rows = self.of([part.args[0] for part in parts])
        keys = [part.kwargs["key"] for part in parts]
        if rows is None or not all(type(key) is int for key in keys) or rows.ndim != 2:
            return None
        if len(set(keys)) == 1:
            return rows[:, keys[0]]
        labels = self.data(np.array(keys))
        return None if labels is None else rows[np.arange(self.n), labels]

    def places(self, numbers: list[int], length: int, alone: bool) -> Any:
        """Return the index of these numbers along an axis: a slice, or an array of labels; None if it has no name."""
        start, stop = numbers[0], numbers[0] + self.n
        if numbers == list(range(start, stop)):
            part = slice(start or None, stop - length if stop < length else None)
            return part if alone else np.array(numbers)
        return self.data(np.array(numbers))

    def operation(self, first: Term, args: Sequence[Any]) -> Term | None:
        """Return an operation on whole arrays, row by row."""
        assert first.op is not None
        varies = [arg is not own for arg, own in zip(args, first.args, strict=True)]
        if first.op is MATMUL:
            return matrix_product(first, args, varies)
        if is_sum(first) and not first.kwargs:
            return apply(first.op, args, {"axis": tuple(range(1, args[0].ndim))})
        if isinstance(first.op.function, np.ufunc) or first.op.has("elementwise"):
            aligned = [
                np.reshape(arg, (self.n, *[1] * (first.ndim - own.ndim), *own.shape))
                if v and own.ndim < first.ndim
                else arg
                for arg, own, v in zip(args, first.args, varies, strict=True)
            ]
            return constant(apply(first.op, aligned, first.kwargs))
        return None


def in_front(x: Term, key: list[Any], axis: int) -> Term | None:
    """Return x at an index, with this axis first."""
    if axis and x.ndim > 2:
        return None
    moved: Any = np.transpose(x) if axis else x
    order = (key[axis], *key[:axis], *key[axis + 1 :])
    while order and isinstance(order[-1], slice) and order[-1] == WHOLE:
        order = order[:-1]
    return constant(moved) if not order else moved[order if len(order) > 1 else order[0]]


def matrix_product(first: Term, args: Sequence[Any], varies: Sequence[bool]) -> Term | None:
    """Return the products of vectors, or of a matrix with vectors, as one product."""
    (a, b), (own, other) = args, first.args
    if own.ndim > 2 or other.ndim > 2 or (varies[0] and own.ndim > 1) or (varies[1] and other.ndim > 1):
        return None
    if all(varies):
        return np.sum(a * b, axis=1)
    if varies[0]:
        return constant(a @ b)
    return constant(b @ a) if own.ndim == 1 else constant(b @ np.transpose(a))


def sum_of_rows(formulas: Iterable[Term], data: Data = no_data, free: Free = is_entry) -> Term | None:
    """Return the sum of formulas that differ in an index alone, or in two that run through a table, as one sum."""
    formulas = list(formulas)
    whole = rolled(formulas, data, free)
    if whole is not None:
        return np.sum(whole) if whole.ndim == 1 else np.sum(whole, axis=0)
    n = len(formulas)
    for length in (k for k in range(2, n // 2 + 1) if n % k == 0 and n <= MOST_PAIRS and not formulas[0].ndim):
        table = rolled_table(formulas, (n // length, length), data)
        if table is not None:
            return np.sum(table)
    return None


def rolled_table(formulas: Sequence[Term], shape: tuple[int, ...], data: Data = no_data) -> Term | None:
    """Return the matrix that has these formulas in its rows; None if they differ in more than two indices."""
    rows = [rolled(formulas[i : i + shape[1]], data) for i in range(0, len(formulas), shape[1])]
    if any(row is None or row.shape != shape[1:] for row in rows):
        return None
    table = rolled([row for row in rows if row is not None], data)
    return table if table is not None and table.shape == shape else None


MOST_PAIRS = 400
"""The largest number of addends that are looked at as those of two loops."""

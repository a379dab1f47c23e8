"""Rows for entries that were picked by labels or by numbers: one-hot matrices and unit vectors.

The gradient of entries is put where they were picked, which `scatter` does in programs. On paper it is a product:
with onehot(y), whose row i is the unit vector of label y[i], or with the unit vector e_2, which is 1 at x[2]. Places
count from 0, as in the code. These rows are not patterns, for they read the index.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    PRODUCTS,
    factors,
    fitted,
    identity,
    is_reshape,
    is_spread,
    is_sum,
    is_transpose,
    product,
)
from autotiny.algebra.term import Term, apply, constant, plain, shown
from autotiny.ops import OPS, Op
from autotiny.ops.code import along_diagonal
from autotiny.ops.indexing import index, parts, scatter

INDEX, SCATTER, FLIP = OPS[index], OPS[scatter], OPS[np.flip]
INV, ARGSORT = OPS[np.linalg.inv], plain(np.argsort)
OF_DIAGONALS = {OPS[np.sum], OPS[np.transpose], INV, MATMUL}
WHOLE, BACKWARDS = slice(None), slice(None, None, -1)


@dataclass(frozen=True)
class Placement:
    """A row that is a function: it returns what a term is rewritten to, or None."""

    name: str
    at: Callable[[Term], Term | None]
    needs: frozenset[Op]
    """Operations without which it cannot apply."""
    whole_sums: bool = False
    """Whether it looks at all addends of a sum at once."""


# ----- one-hot matrices, unit vectors -----
def one_hot(labels: Any, n: int, dtype: Any, axis: int = 1) -> Term:
    """Return the one-hot matrix of labels: np.eye(n)[y] with an example in each row, or np.eye(n)[:, y] in columns."""
    return shown(INDEX, (identity(n, dtype),), {"key": labels if axis else (WHOLE, labels)})


def labels_of(term: Term) -> tuple[Any, int] | None:
    """Return the labels of a one-hot matrix and the axis of its classes; None of any other term."""
    if term.op is not INDEX or not term.args[0].is_constant or term.ndim != 2:
        return None
    eye, key = term.args[0], term.kwargs["key"]
    if eye.ndim != 2 or eye is not identity(len(eye), eye.dtype):
        return None
    return (key[1], 0) if isinstance(key, tuple) else (key, 1)


@cache
def unit(i: int, n: int, dtype: Any) -> Term:
    """Return the unit vector e_i of length n, which stays a factor of its own: -e_1 is no array."""
    return shown(INDEX, (identity(n, dtype),), {"key": i})


def place_of(term: Term) -> int | None:
    """Return i of the unit vector e_i; None of any other term."""
    if term.op is not INDEX or type(i := term.kwargs["key"]) is not int:
        return None
    (eye,) = term.args
    return i if eye.is_constant and eye is identity(len(eye), eye.dtype) else None


# ----- labels -----
def is_labels(part: Any) -> bool:
    """Whether a part of an index is an array of integers along one axis."""
    return isinstance(part, Term | np.ndarray) and part.ndim == 1 and part.dtype.kind in "iu"


def counts(part: Any, n: int) -> bool:
    """Whether a part of an index is np.arange(n)."""
    return isinstance(part, np.ndarray) and part.shape == (n,) and np.array_equal(part, np.arange(n))


def by_labels(term: Term) -> Term | None:
    """Return the product with a one-hot matrix that a scatter by labels is."""
    if term.op is not SCATTER or term.ndim not in (1, 2) or along_diagonal(term.kwargs["key"], term.shape):
        return None
    (g,), key, shape, dtype = term.args, parts(term.kwargs["key"]), term.shape, term.dtype
    match key:
        case (rows, y) if is_labels(y) and counts(rows, shape[0]):
            return _spread(term, g, y, axis=1)
        case (y, columns) if is_labels(y) and counts(columns, shape[1]):
            return _spread(term, g, y, axis=0)
        case (y,) if is_labels(y):
            return constant(np.transpose(one_hot(y, shape[0], dtype)) @ g)
        case (slice() as before, y) if is_labels(y) and before == WHOLE:
            return constant(g @ np.transpose(one_hot(y, shape[1], dtype, axis=0)))
        case (y, z) if is_labels(y) and is_labels(z):
            first: Any = np.transpose(one_hot(y, shape[0], dtype))
            second = one_hot(z, shape[1], dtype)
            everywhere = elsewhere(g, term.kwargs["key"], shape, lambda x: None)
            if everywhere is not None and np.all(np.isfinite(everywhere.value)):
                return fitted(everywhere * (first @ second), shape)
            return constant(first @ (diagonal_matrix(g) @ second))
    return None


def _spread(term: Term, g: Term, labels: Term, axis: int) -> Term:
    """G * onehot(y): at the other places, what is made of picked entries is made of the others there."""
    hot = one_hot(labels, term.shape[axis], term.dtype, axis)

    def column(x: Term) -> Any:
        return np.reshape(x, (-1, 1)) if axis else x

    everywhere = elsewhere(g, term.kwargs["key"], term.shape, column)
    if everywhere is None or not np.all(np.isfinite(everywhere.value)):
        everywhere = column(g)
    return fitted(everywhere * hot, term.shape)


def elsewhere(g: Term, key: Any, shape: tuple[int, ...], other: Callable[[Term], Any]) -> Term | None:
    """Return the formula of an array whose entries at these places are g: P for P[key].

    A number stays a number, which broadcasts; `other` returns what stands for another vector, or None.
    """
    if g.op is INDEX and g.args[0].shape == shape and same_key(g.kwargs["key"], key):
        return g.args[0]
    if is_spread(g) and g.args[0].size == 1:
        return constant(np.reshape(g.args[0], ()))
    if g.op is not None and g.ndim and (isinstance(g.op.function, np.ufunc) or g.op.has("elementwise")):
        args = [elsewhere(x, key, shape, other) for x in g.args]
        return None if any(arg is None for arg in args) else constant(apply(g.op, args, g.kwargs))
    return other(g) if g.ndim else g


def same_key(a: Any, b: Any) -> bool:
    """Whether two indices pick the same entries in the same order."""
    a, b = parts(a), parts(b)
    return len(a) == len(b) and all(p is q or _equal(p, q) for p, q in zip(a, b, strict=True))


def _equal(p: Any, q: Any) -> bool:
    if isinstance(p, Term) or isinstance(q, Term):
        return False
    if isinstance(p, np.ndarray) or isinstance(q, np.ndarray):
        return np.shape(p) == np.shape(q) and np.array_equal(p, q)
    return type(p) is type(q) and bool(p == q)


def sum_of_one_hot(term: Term) -> Term | None:
    """Return 1 for the sum of a unit vector, or of one-hot rows over their classes."""
    if not is_sum(term):
        return None
    (x,), axis = term.args, term.kwargs.get("axis")
    if is_reshape(x) and axis is not None and x.shape[axis] == x.size:
        (x,), axis = x.args, None
    if place_of(x) is not None and axis in (None, 0):
        return fitted(1, term.shape)
    if (found := labels_of(x)) is None:
        return None
    labels, classes = found
    return fitted(1, term.shape) if axis == classes else fitted(labels.size, term.shape) if axis is None else None


def power_of_one_hot(term: Term) -> Term | None:
    """Return a product without squares of one-hot matrices and unit vectors."""
    if term.op not in PRODUCTS:
        return None
    coefficient, powers = factors(term)
    once = [(x, ONE if p > 1 and (labels_of(x) or place_of(x) is not None) else p) for x, p in powers]
    return product(coefficient, once, term.shape) if once != powers else None


# ----- numbers -----
def axes_of(key: Any, shape: tuple[int, ...]) -> tuple[Any, ...] | None:
    """Return a part of the index for each axis: a number from 0 on, or a slice; None where there are other parts."""
    listed = list(parts(key))
    if ... in [p for p in listed if p is ...]:
        at = next(i for i, p in enumerate(listed) if p is ...)
        listed[at : at + 1] = [WHOLE] * (len(shape) - len(listed) + 1)
    listed += [WHOLE] * (len(shape) - len(listed))
    if len(listed) != len(shape) or not all(type(p) in (int, slice) or isinstance(p, np.integer) for p in listed):
        return None
    return tuple(p if isinstance(p, slice) else int(p) % n for p, n in zip(listed, shape, strict=True))


def by_numbers(term: Term) -> Term | None:
    """Return the product with unit vectors that a scatter to one place of an axis, or of several, is."""
    if term.op is not SCATTER or (axes := axes_of(term.kwargs["key"], term.shape)) is None:
        return None
    numbers = [i for i, part in enumerate(axes) if not isinstance(part, slice)]
    if not numbers or term.ndim > 2:
        return None
    (g,), shape = term.args, term.shape
    rest = [i for i in range(term.ndim) if i not in numbers]
    if rest and axes[rest[0]] != WHOLE:
        g = apply(SCATTER, (g,), {"key": axes[rest[0]], "shape": (shape[rest[0]],)})
    if rest == [0]:
        g = constant(np.reshape(g, (-1, 1)))
    for i in numbers:
        if shape[i] > 1:
            vector = unit(axes[i], shape[i], term.dtype)
            g = g * (np.reshape(vector, (-1, 1)) if i < term.ndim - 1 else vector)
    return fitted(g, shape)


def unit_factor(x: Term) -> tuple[int, int] | None:
    """Return i of a factor e_i, and its axis counted from the last one."""
    if (i := place_of(x)) is not None:
        return i, -1
    column = is_reshape(x) and x.ndim == 2 and x.shape[1] == 1
    return (i, -2) if column and (i := place_of(x.args[0])) is not None else None


def factors_at_a_place(term: Term) -> Term | None:
    """Return x[2] e_2 for x * e_2: a unit vector picks its place of the other factors."""
    if term.op not in PRODUCTS:
        return None
    coefficient, powers = factors(term)
    for vector, p in powers:
        if p != 1 or (found := unit_factor(vector)) is None:
            continue
        i, axis = found
        picked = [(x if x is vector else entry(x, i, axis), p) for x, p in powers]
        if any(x is not y for (x, _), (y, _) in zip(picked, powers, strict=True)):
            return product(coefficient, picked, term.shape)
    return None


def entry(x: Term, i: int, axis: int) -> Term:
    """Return a factor at place i of an axis: a row of a matrix, unchanged where it is the same all along the axis."""
    if x.ndim < -axis or x.shape[axis] == 1:
        return x
    if x.ndim == 1:
        return entry_of(x, (i,))
    if unit_factor(x) is not None or x.ndim > 2:
        return x
    picked = entry_of(x, (i, WHOLE) if axis == -2 else (WHOLE, i))
    return picked if axis == -2 else constant(np.reshape(picked, (-1, 1)))


def entry_of(x: Term, key: tuple[Any, ...]) -> Term:
    """Return x at an index of numbers and whole axes: of a sum or product, that of its parts."""
    if x.op is not None and (isinstance(x.op.function, np.ufunc) or x.op.has("elementwise")) and x.op is not MATMUL:
        inner = []
        for arg in x.args:
            own = key[x.ndim - arg.ndim :]
            own = tuple(0 if n == 1 and p != WHOLE else p for n, p in zip(arg.shape, own, strict=True))
            inner.append(entry_of(arg, own) if arg.ndim else arg)
        return constant(apply(x.op, inner, x.kwargs))
    if is_spread(x) or (is_reshape(x) and x.ndim == 2 and x.shape[1] == 1 and key[1:] in ((), (WHOLE,))):
        (inside,) = x.args
        own = key[:1] if is_reshape(x) else key[x.ndim - inside.ndim :]
        own = tuple(0 if n == 1 and p != WHOLE else p for n, p in zip(inside.shape, own, strict=True))
        return entry_of(inside, own) if inside.ndim == len(own) else apply(INDEX, (x,), {"key": key})
    while key and key[-1] == WHOLE:
        key = key[:-1]
    return x if not key else apply(INDEX, (x,), {"key": key[0] if len(key) == 1 else key})


def columns_of(term: Term) -> Term | None:
    """Return W[:, 2] for W e_2, and W[2] for Wᵀ e_2."""
    if term.op is not MATMUL or term.args[0].ndim != 2 or (i := place_of(term.args[1])) is None:
        return None
    a = term.args[0]
    return entry_of(a.args[0], (i, WHOLE)) if is_transpose(a) else entry_of(a, (WHOLE, i))


# ----- diagonals -----
@cache
def diagonal_key(n: int) -> tuple[Any, Any]:
    """Return the index of a diagonal."""
    return np.arange(n), np.arange(n)


def diagonal_matrix(v: Term) -> Term:
    """Return diag(v) of a vector, which is c I of a number."""
    if is_spread(v) and v.args[0].size == 1:
        return constant(np.reshape(v.args[0], ()) * identity(v.size, v.dtype))
    return apply(SCATTER, (v,), {"key": diagonal_key(v.size), "shape": (v.size, v.size)})


def diagonal(x: Term) -> Term:
    """Return diag(x) of a matrix."""
    return apply(INDEX, (x,), {"key": diagonal_key(len(x))})


def by_diagonal(term: Term) -> Term | None:
    """Return diag(g) for a scatter along the diagonal."""
    if term.op is not SCATTER or not along_diagonal(term.kwargs["key"], term.shape):
        return None
    made = diagonal_matrix(term.args[0])
    return None if made is term else made


def is_diagonal_matrix(term: Term) -> bool:
    """Whether a term is diag(v)."""
    return term.op is SCATTER and term.kwargs["key"] is diagonal_key(len(term))


def of_diagonal_matrix(term: Term) -> Term | None:
    """Return what an operation makes of diag(v): a sum, an inverse, a transpose, or a product."""
    if term.op in PRODUCTS:
        return _times_diagonal(term)
    if term.op not in OF_DIAGONALS or not is_diagonal_matrix(term.args[0]):
        return None
    (v,) = term.args[0].args
    if is_transpose(term):
        return term.args[0]
    if is_sum(term) and (axis := term.kwargs.get("axis")) in (0, 1):
        if is_spread(v) and v.args[0].size == 1:
            return fitted(constant(np.reshape(v.args[0], ())), term.shape)
        return constant(np.reshape(v, (-1, 1) if axis else (1, -1)))
    if term.op is INV:
        return diagonal_matrix(constant(1 / v))
    return constant(v * term.args[1]) if term.op is MATMUL and term.args[1].ndim == 1 else None


def _times_diagonal(term: Term) -> Term | None:
    coefficient, powers = factors(term)
    spot = next((x for x, p in powers if p == 1 and is_diagonal_matrix(x)), None)
    others = [f for f in powers if f[0] is not spot and f[0].ndim]
    if spot is None or not others:
        return None
    v = product(ONE, [(spot.args[0], ONE), *((_diagonal(x), p) for x, p in others)], spot.args[0].shape)
    scalars = [f for f in powers if not f[0].ndim]
    return product(coefficient, [*scalars, (diagonal_matrix(v), ONE)], term.shape)


def diagonal_of(term: Term) -> Term | None:
    """Return the diagonal of a product: of A B, the sums of A * Bᵀ along rows, of A * B, the product of theirs."""
    if term.op is not INDEX or not along_diagonal(term.kwargs["key"], term.args[0].shape):
        return None
    (x,) = term.args
    if x.op is MATMUL:
        return constant(np.sum(x.args[0] * np.transpose(x.args[1]), axis=1))
    if is_transpose(x):
        return diagonal(x.args[0])
    if is_diagonal_matrix(x):
        return x.args[0]
    if x.op not in PRODUCTS:
        return None if term.kwargs["key"] is diagonal_key(len(x)) else diagonal(x)
    coefficient, powers = factors(x)
    return product(coefficient, [(_diagonal(f), p) for f, p in powers], term.shape)


def _diagonal(x: Term) -> Term:
    if x.ndim < 2:
        return x
    return constant(np.reshape(x, (-1,))) if 1 in x.shape else diagonal(x)


# ----- orders and masks -----
def backwards(term: Term) -> Term | None:
    """Return x[::-1] for flip(x), and x for x[::-1][::-1]."""
    if term.op is FLIP and term.ndim == 1:
        return apply(INDEX, term.args, {"key": BACKWARDS})
    turned = term.op is INDEX and term.ndim == 1 and is_backwards(term) and is_backwards(term.args[0])
    return term.args[0].args[0] if turned else None


def is_backwards(term: Term) -> bool:
    """Whether a term is x[::-1]."""
    return term.op is INDEX and isinstance(key := term.kwargs["key"], slice) and key == BACKWARDS


def by_permutation(term: Term) -> Term | None:
    """Return the gradient of a permutation: the entries in their old order."""
    if term.op is not SCATTER or term.ndim != 1:
        return None
    (order, *more) = parts(term.kwargs["key"])
    if more or order is None or order is ... or np.shape(order) != term.shape:
        return None
    if isinstance(order, Term):
        ranks = apply(ARGSORT, (order,), {}) if order.op is ARGSORT else None
    else:
        ranks = np.argsort(order) if np.array_equal(np.sort(order), np.arange(len(order))) else None
    return None if ranks is None else elsewhere(term.args[0], order, term.shape, lambda x: x[ranks])


def by_mask(term: Term) -> Term | None:
    """Return the product with a mask that a scatter by the mask is, or with the rows of the identity that it picks."""
    if term.op is not SCATTER or not isinstance(mask := term.kwargs["key"], Term) or mask.dtype != bool:
        return None
    if mask.shape != term.shape:
        return None
    everywhere = elsewhere(term.args[0], mask, term.shape, lambda x: None)
    if everywhere is not None and np.all(np.isfinite(everywhere.value)):
        return fitted(everywhere * mask, term.shape)
    if term.ndim > 1:
        return None
    rows = shown(INDEX, (identity(term.size, term.dtype),), {"key": mask})
    return constant(np.transpose(rows) @ term.args[0])


SCATTERS = (
    Placement("entries in another order: back in the old one", by_permutation, frozenset({SCATTER})),
    Placement("entries picked by labels: a product with their one-hot matrix", by_labels, frozenset({SCATTER})),
    Placement("an entry that was picked: a product with its unit vector", by_numbers, frozenset({SCATTER})),
    Placement("entries of the diagonal: a diagonal matrix", by_diagonal, frozenset({SCATTER})),
    Placement("entries picked by a mask: a product with the mask", by_mask, frozenset({SCATTER})),
)
"""Rows that write the gradient of picked entries without `scatter`."""

PLACEMENTS = (
    Placement("one-hot rows sum to 1", sum_of_one_hot, frozenset({OPS[np.sum], INDEX})),
    Placement("0 and 1 are their own squares", power_of_one_hot, frozenset()),
    Placement("a unit vector picks an entry", factors_at_a_place, frozenset()),
    Placement("a unit vector picks a column", columns_of, frozenset({MATMUL})),
    Placement("the diagonal of a product", diagonal_of, frozenset({INDEX})),
    Placement("only the diagonal counts", of_diagonal_matrix, frozenset({SCATTER})),
    Placement("backwards", backwards, frozenset()),
)
"""Rows of what they are made of."""

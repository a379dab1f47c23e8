"""Normalise: reduce the equivalent ways of writing an operation in NumPy to one."""

import math
from collections.abc import Callable, Mapping
from operator import is_
from typing import Any

import numpy as np

from autotiny.algebra.chains import in_one_order, is_chain, outer_product, transposed
from autotiny.algebra.conditions import is_identity
from autotiny.algebra.contractions import Labelled, as_products
from autotiny.algebra.lines import as_lines, flat, in_line, vector
from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    PRODUCTS,
    SPREADS,
    SUMS,
    addends,
    factors,
    fitted,
    identity,
    is_reshape,
    is_spread,
    product,
    reshaped,
    total,
    without_spread,
)
from autotiny.algebra.term import Term, apply, constant, topological_order
from autotiny.ops import OPS
from autotiny.ops.activations import sigmoid, softmax
from autotiny.ops.einsum import summation
from autotiny.ops.indexing import index, scatter
from autotiny.ops.linalg import cofactors
from autotiny.ops.logarithms import log_softmax
from autotiny.ops.matmul import expectation, vdot
from autotiny.ops.outputs import Outputs
from autotiny.ops.reductions import euclidean
from autotiny.ops.shaping import astype
from autotiny.ops.table import is_complex


def normalise(term: Term) -> Term:
    """Return the normal form of a term whose operands are in normal form."""
    if term.op is None:
        return identity(len(term), term.dtype) if term.size > 1 and is_identity(term) else term
    if (op := OPS.get(term.op.function, term.op)) is not term.op:  # a variant for operands of which some are constant
        return normalise(apply(op, term.args, term.kwargs))
    if (lines := as_lines(term)) is not None:
        return in_line(normalise(lines), term.shape)
    if is_reshape(term) and (smaller := _without_axis(term)) is not None:
        return smaller
    if term.op in PRODUCTS or (term.op in SPREADS and without_spread(term) is not term):
        coefficient, powers = factors(term)
        if abs(coefficient) == 1 and len(powers) == 1 and powers[0][1] == 1 and powers[0][0].op in SUMS:
            return total(addends(term), term.shape)
        return product(coefficient, powers, term.shape)
    if term.op in SUMS:
        return total(addends(term), term.shape)
    if is_chain(term):
        return in_one_order(term)
    if isinstance(term.op.function, np.ufunc) and len(term.args) == 2 and term.op is not MATMUL:
        return _without_spreads(term)
    if term.op.has("linear") and (outside := _without_numbers(term)) is not None:
        return outside
    arranged = _arranged(term)
    if arranged is not term:
        return normalise(arranged)
    if is_reshape(term):
        if is_spread(term.args[0]) and term.args[0].args[0].ndim == 0:
            return fitted(term.args[0].args[0], term.shape)
        moved = _into_product(term)
        return moved if moved is not term or vector(term, 1) is None else in_line(term.args[0], term.shape)
    rule = FORMULAS.get(term.op.function)
    other = None if rule is None else rule(term)
    return term if other is None else normalised(other)


def normalised(term: Term) -> Term:
    """Return the normal form of a term whose operands, and theirs, need not be in normal form."""
    done: dict[Term, Term] = {}
    for part in topological_order(term):
        args = [done[arg] for arg in part.args]
        same = all(new is old for new, old in zip(args, part.args, strict=True))
        done[part] = normalise(part if part.op is None or same else constant(apply(part.op, args, part.kwargs)))
    return done[term]


UNTOUCHED = (np.copy, vdot.__wrapped__, expectation.__wrapped__)  # type: ignore[attr-defined]


def in_one_way(term: Term) -> Term:
    """Return a term in the form that rows expect, with products and sums untouched, so that subterms stay shared."""
    if term.op is None or term.op.function in UNTOUCHED:
        return term
    if isinstance(term.op.function, np.ufunc) and len(term.args) == 2 and term.op is not MATMUL:
        return _without_spreads(term)
    return _arranged(term)


def _arranged(term: Term) -> Term:
    """Write an operation that has several forms in one of them."""
    rule = RULES.get(term.op.function)  # type: ignore[union-attr]
    return term if rule is None else rule(term)


def _without_spreads(term: Term) -> Term:
    """Drop broadcasts of the operands of a ufunc, which broadcasts by itself."""
    assert term.op is not None
    args = [without_spread(arg) for arg in term.args]
    if all(map(is_, args, term.args)) or np.broadcast_shapes(*(arg.shape for arg in args)) != term.shape:
        return term
    return apply(term.op, args, term.kwargs)


def _without_numbers(term: Term) -> Term | None:
    """Move constants and signs out of linear functions: sum(-2 x) = -2 sum(x)."""
    split = [factors(arg) for arg in term.args]
    coefficient = math.prod(c for c, _ in split)
    if coefficient == 1 or not all(powers for _, powers in split):
        return None
    assert term.op is not None
    args = [product(ONE, powers, arg.shape) for (_, powers), arg in zip(split, term.args, strict=True)]
    return product(coefficient, [(normalise(apply(term.op, args, term.kwargs)), ONE)], term.shape)


def _sum(term: Term) -> Term:
    """Write a sum over some axes with keepdims, and a sum over all of them without options."""
    (x,), axis = term.args, term.kwargs.get("axis")
    axes = (
        range(x.ndim) if axis is None else [a % max(x.ndim, 1) for a in (axis if isinstance(axis, tuple) else (axis,))]
    )
    if not axes or not x.ndim:
        return x
    if len(axes) == x.ndim:
        return reshaped(apply(term.op, (x,), {}), term.shape)  # type: ignore[arg-type]
    if len(axes) == 1 and is_reshape(x) and (added := unit_axis(x.shape, x.args[0].shape)) not in (None, axes[0]):
        options = {"axis": axes[0] - (axes[0] > added), "keepdims": True}
        return reshaped(_sum(apply(term.op, x.args, options)), term.shape)  # type: ignore[arg-type]
    options = {"axis": axes[0] if len(axes) == 1 else tuple(sorted(axes)), "keepdims": True}
    return reshaped(apply(term.op, (x,), options), term.shape)  # type: ignore[arg-type]


def _norm(term: Term) -> Term:
    """Write the axes of a norm as those of a sum."""
    (x,), axis = term.args, term.kwargs.get("axis")
    if axis is None:
        return term
    axes = sorted(a % max(x.ndim, 1) for a in (axis if isinstance(axis, tuple) else (axis,)))
    options = {**term.kwargs, "axis": axes[0] if len(axes) == 1 else tuple(axes)}
    return apply(term.op, (x,), options)  # type: ignore[arg-type]


def _into_product(term: Term) -> Term:
    """Move a reshape into a product with a factor that had the new shape: reshape(a / reshape(b)) = reshape(a) / b."""
    (x,) = term.args
    coefficient, powers = factors(x)
    back = any(is_reshape(base) and base.args[0].shape == term.shape for base, _ in powers)
    if not back or any(base.shape not in ((), x.shape) for base, _ in powers):
        return term
    moved = [(reshaped(base, term.shape) if base.ndim else base, power) for base, power in powers]
    return product(coefficient, moved, term.shape)


def _without_axis(term: Term) -> Term | None:
    """Move a reshape that drops one of three or more axes into a product or sum."""
    (x,) = term.args
    axis = unit_axis(x.shape, term.shape)
    if x.ndim < 3 or axis is None or x.op not in PRODUCTS | SUMS:
        return None

    def dropped(part: Term) -> Term:
        place = axis - (x.ndim - part.ndim)
        shape = part.shape[:place] + part.shape[place + 1 :]
        return part if place < 0 else normalise(apply(OPS[np.reshape], (part,), {"shape": shape}))

    if x.op in SUMS:
        return total([(c, dropped(part)) for c, part in addends(x)], term.shape)
    coefficient, powers = factors(x)
    return product(coefficient, [(dropped(base), power) for base, power in powers], term.shape)


def unit_axis(shape: tuple[int, ...], without: tuple[int, ...]) -> int | None:
    """Return the axis of length 1 by which two shapes differ; None if they differ otherwise."""
    return next((i for i, n in enumerate(shape) if n == 1 and shape[:i] + shape[i + 1 :] == without), None)


def _transpose(term: Term) -> Term:
    """Write the transpose of a matrix as np.transpose without options."""
    (x,) = term.args
    if x.ndim < 2:
        return x
    if x.ndim == 2 and term.shape == x.shape[::-1] and (term.shape != x.shape or _swaps(term)):
        return apply(OPS[np.transpose], (x,), {})
    return term


def _swaps(term: Term) -> bool:
    probe = np.arange(4).reshape(2, 2)
    assert term.op is not None
    return bool(term.op.forward(probe, **term.kwargs)[0, 1] == 2)


# ----- axes in another order, and products of matrices -----
def _permutation(term: Term) -> tuple[int, ...]:
    """Return the order in which an operation leaves the axes of its operand."""
    assert term.op is not None
    (x,) = term.args
    lengths = tuple(range(2, 2 + x.ndim))
    moved = term.op.forward(np.broadcast_to(0, lengths), **term.kwargs).shape
    return tuple(n - 2 for n in moved)


def _permuted(term: Term) -> Term | None:
    """Write permutations of axes as one: none, the transpose of the last two axes, or another."""
    (x,), axes = term.args, _permutation(term)
    while x.op in PERMUTATIONS:
        inner = _permutation(x)
        axes, (x,) = tuple(inner[i] for i in axes), x.args
    n = x.ndim
    if axes == tuple(range(n)):
        return x
    if n == 2:
        return _transposed(term, x)
    options: dict[str, Any] = {"axes": axes}
    op = OPS[np.transpose]
    if axes == (*range(n - 2), n - 1, n - 2):
        op, options = OPS[np.swapaxes], {"axis1": -1, "axis2": -2}
    if op is term.op and x is term.args[0] and options == dict(term.kwargs):
        return None
    return apply(op, (x,), options)


def _transposed(term: Term, x: Term) -> Term | None:
    """Write the transpose of an inverse, a vector or an outer product as that of its parts."""
    outer = outer_product(x)
    if outer is not None:
        sides = [(transposed(side), ONE) for side in outer.matrices]
        return product(outer.coefficient, [*outer.numbers, *sides], term.shape)
    if x.size > 1 and 1 in x.shape and flat(x) is not None:
        return reshaped(x, term.shape)
    other = transposed(x)
    return None if other is term else other


def _solve(term: Term) -> Term | None:
    """Write the solution for a column that is a vector as a vector, and numbers in front of it."""
    (a, b), op = term.args, term.op
    assert op is not None
    if (v := vector(b, 1)) is not None:
        return reshaped(apply(op, (a, v), {}), term.shape)
    coefficient, powers = factors(b)
    numbers, rest = ([f for f in powers if (f[0].ndim == 0) is wanted] for wanted in (True, False))
    if (coefficient == 1 and not numbers) or not rest:
        return None
    return product(coefficient, [*numbers, (apply(op, (a, product(ONE, rest, b.shape)), {}), ONE)], term.shape)


def _summation(term: Term) -> Term | None:
    """Write a sum over labels as products of matrices where it is one."""
    labels = term.kwargs["terms"]
    return as_products([Labelled(x, t) for x, t in zip(term.args, labels, strict=True)], term.kwargs["output"])


def _scatter(term: Term) -> Term | None:
    """Write a diagonal matrix of equal entries as a number times the identity."""
    (x,) = term.args
    key, n = term.kwargs.get("key"), term.shape[0]
    axes = key[1:] if isinstance(key, tuple) and len(key) == 3 and key[0] is ... else key
    if term.shape != (n, n) or not (isinstance(axes, tuple) and len(axes) == 2) or x.shape != (n,):
        return None
    if not all(isinstance(part, np.ndarray) and np.array_equal(part, np.arange(n)) for part in axes):
        return None
    entry = without_spread(x)
    if entry.is_constant and entry.ndim == 1 and n and np.ptp(entry.value) == 0:
        entry = constant(entry.value[0])
    return entry * identity(n, x.dtype) if entry.ndim == 0 else None


def _index(term: Term) -> Term:
    """Write an index that only adds or drops axes of length 1, and its gradient, as a reshape."""
    key = term.kwargs.get("key")
    simple = all(_keeps_order(part) for part in (key if isinstance(key, tuple) else (key,)))
    return reshaped(term.args[0], term.shape) if simple and term.size == term.args[0].size else term


def _keeps_order(part: Any) -> bool:
    return part is None or part is ... or type(part) is int or (type(part) is slice and part == slice(None))


def _same(term: Term) -> Term:
    return term.args[0]


def conjugated(term: Term) -> Term:
    """Return the conjugate of a term: of its symbols, where f(conj(x)) is conj(f(x)), as a function of real ones is."""
    done: dict[Term, Term] = {}
    stack = [term]
    while stack:
        part = stack[-1]
        inner = [arg for arg in part.args if arg not in done] if _is_mirrored(part) else []
        stack += reversed(inner)
        if not inner:
            done[stack.pop()] = _conjugate(part, done)
    return done[term]


def _is_mirrored(part: Term) -> bool:
    """Whether the conjugate of an operation is the operation on the conjugates."""
    op = part.op
    if op is None or not is_complex(part) or any(isinstance(arg.prototype, Outputs) for arg in part.args):
        return False
    return op.has("analytic") or op.function in MIRRORED


def _conjugate(part: Term, done: Mapping[Term, Term]) -> Term:
    """Return the conjugate of an operation, from those of its operands where it is mirrored."""
    if not is_complex(part):
        return part
    if _is_mirrored(part):
        assert part.op is not None
        return normalise(constant(apply(part.op, [done[arg] for arg in part.args], part.kwargs)))
    return part.args[0] if part.op is CONJUGATE else constant(np.conjugate(part))


def _real(x: Term) -> Term:
    """Return the real part of a number, that of a conjugate too."""
    if not is_complex(x):
        return x
    return constant(np.real(x.args[0] if x.op is CONJUGATE else x))


CONJUGATE = OPS[np.conjugate]
WRAPPERS: tuple[Any, ...] = (sigmoid, vdot, cofactors)
MIRRORED = {np.sign, np.log1p, np.arcsinh, np.nan_to_num, *(f.__wrapped__ for f in WRAPPERS)}
"""Functions for which f(conj(x)) is conj(f(x)), besides those that are analytic."""


def _softmax(term: Term) -> Term:
    """Drop the axis of a softmax where it is the first, the default."""
    (x,), axis = term.args, term.kwargs.get("axis", 0)
    if axis is None and x.ndim == 1:
        axis = 0
    if type(axis) is not int or not x.ndim:
        return term
    options = {} if axis % x.ndim == 0 else {"axis": axis % x.ndim}
    return apply(term.op, (x,), options)  # type: ignore[arg-type]


RULES: dict[Any, Callable[[Term], Term]] = {
    np.sum: _sum,
    euclidean.__wrapped__: _norm,  # type: ignore[attr-defined]
    np.transpose: _transpose,
    np.swapaxes: _transpose,
    np.moveaxis: _transpose,
    np.reshape: lambda t: reshaped(t.args[0], t.shape) if is_reshape(t) else t,
    np.expand_dims: lambda t: reshaped(t.args[0], t.shape),
    np.squeeze: lambda t: reshaped(t.args[0], t.shape),
    np.ravel: lambda t: reshaped(t.args[0], t.shape) if t.kwargs.get("order", "C") == "C" else t,
    np.positive: _same,
    np.copy: _same,
    astype.__wrapped__: lambda t: t.args[0] if t.dtype == t.args[0].dtype else t,  # type: ignore[attr-defined]
    index.__wrapped__: _index,  # type: ignore[attr-defined]
    scatter.__wrapped__: _index,  # type: ignore[attr-defined]
    softmax.__wrapped__: _softmax,  # type: ignore[attr-defined]
    log_softmax.__wrapped__: _softmax,  # type: ignore[attr-defined]
    expectation.__wrapped__: lambda t: np.sum(normalise(t.args[0] * t.args[1])),  # type: ignore[attr-defined]
    vdot.__wrapped__: lambda t: np.sum(normalise(conjugated(t.args[0]) * t.args[1])),  # type: ignore[attr-defined]
    np.conjugate: lambda t: conjugated(t.args[0]),
    np.real: lambda t: _real(t.args[0]),
}

PERMUTATIONS = {OPS[np.transpose], OPS[np.swapaxes], OPS[np.moveaxis]}
FORMULAS: dict[Any, Callable[[Term], Term | None]] = {
    np.transpose: _permuted,
    np.swapaxes: _permuted,
    np.moveaxis: _permuted,
    np.linalg.solve: _solve,
    summation.__wrapped__: _summation,  # type: ignore[attr-defined]
    scatter.__wrapped__: _scatter,  # type: ignore[attr-defined]
}
"""Rules of formulas that are read; programs compute these operations as they are recorded."""

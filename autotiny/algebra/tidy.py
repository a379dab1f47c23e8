"""Every operation in normal form: equal formulas that NumPy lets one write in several ways are one term."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    PRODUCTS,
    SPREADS,
    SUMS,
    addends,
    factors,
    is_reshape,
    product,
    total,
    without_spread,
)
from autotiny.algebra.term import Term, apply
from autotiny.ops import OPS
from autotiny.ops.activations import log_softmax, softmax
from autotiny.ops.indexing import index
from autotiny.ops.linalg import vdot
from autotiny.ops.shaping import astype


def tidy(term: Term) -> Term:
    """A term, whose operands are in normal form, in normal form."""
    if term.op is None:
        return term
    if term.op in PRODUCTS or (term.op in SPREADS and without_spread(term) is not term):
        coefficient, found = factors(term)
        if abs(coefficient) == 1 and len(found) == 1 and found[0][1] == 1 and found[0][0].op in SUMS:
            return total(addends(term), term.shape)
        return product(coefficient, found, term.shape)
    if term.op in SUMS:
        return total(addends(term), term.shape)
    if isinstance(term.op.function, np.ufunc) and len(term.args) == 2 and term.op is not MATMUL:
        return _without_spreads(term)
    if term.op.has("linear") and (outside := _without_numbers(term)) is not None:
        return outside
    rule = RULES.get(term.op.function)
    return term if rule is None else rule(term)


def in_one_way(term: Term) -> Term:
    """A term in the form in which rows know it, its products and sums as they stand: what is shared stays shared."""
    if term.op is None or term.op.function in (np.copy, vdot.__wrapped__):  # type: ignore[attr-defined]
        return term
    if isinstance(term.op.function, np.ufunc) and len(term.args) == 2 and term.op is not MATMUL:
        return _without_spreads(term)
    rule = RULES.get(term.op.function)
    return term if rule is None else rule(term)


def _without_spreads(term: Term) -> Term:
    """An operation entry by entry broadcasts by itself."""
    assert term.op is not None
    args = [without_spread(arg) for arg in term.args]
    if np.broadcast_shapes(*(arg.shape for arg in args)) != term.shape:
        return term
    return apply(term.op, args, term.kwargs)


def _without_numbers(term: Term) -> Term | None:
    """Numbers and signs outside of what is linear: the sum of -2 x is -2 times the sum of x."""
    split = [factors(arg) for arg in term.args]
    coefficient = math.prod(c for c, _ in split)
    if coefficient == 1 or not all(found for _, found in split):
        return None
    assert term.op is not None
    args = [product(ONE, found, arg.shape) for (_, found), arg in zip(split, term.args, strict=True)]
    return product(coefficient, [(tidy(apply(term.op, args, term.kwargs)), ONE)], term.shape)


def _sum(term: Term) -> Term:
    """Sums over some axes keep them; a sum over all of them is a number."""
    (x,), axis = term.args, term.kwargs.get("axis")
    axes = (
        range(x.ndim) if axis is None else [a % max(x.ndim, 1) for a in (axis if isinstance(axis, tuple) else (axis,))]
    )
    if not axes or not x.ndim:
        return x
    if len(axes) == x.ndim:
        return reshaped(apply(term.op, (x,), {}), term.shape)  # type: ignore[arg-type]
    options = {"axis": axes[0] if len(axes) == 1 else tuple(sorted(axes)), "keepdims": True}
    return reshaped(apply(term.op, (x,), options), term.shape)  # type: ignore[arg-type]


def reshaped(x: Term, shape: tuple[int, ...]) -> Term:
    """x in another shape, in one step."""
    while is_reshape(x):
        (x,) = x.args
    if x.shape == shape:
        return x
    reshape = apply(OPS[np.reshape], (x,), {"shape": shape})
    if without_spread(reshape) is not reshape:
        return tidy(reshape)
    outside = _without_numbers(reshape)
    return reshape if outside is None else outside


def _transpose(term: Term) -> Term:
    """One way of writing the transpose of a matrix."""
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


def _index(term: Term) -> Term:
    """New axes, and the only entry along an axis, are a reshape."""
    key = term.kwargs["key"]
    simple = all(_keeps_order(part) for part in (key if isinstance(key, tuple) else (key,)))
    return reshaped(term.args[0], term.shape) if simple and term.size == term.args[0].size else term


def _keeps_order(part: Any) -> bool:
    return part is None or part is ... or type(part) is int or (type(part) is slice and part == slice(None))


def _same(term: Term) -> Term:
    return term.args[0]


def _softmax(term: Term) -> Term:
    """The classes lie along the first axis, unless said otherwise."""
    (x,), axis = term.args, term.kwargs.get("axis", 0)
    if axis is None and x.ndim == 1:
        axis = 0
    if type(axis) is not int or not x.ndim:
        return term
    options = {} if axis % x.ndim == 0 else {"axis": axis % x.ndim}
    return apply(term.op, (x,), options)  # type: ignore[arg-type]


RULES: dict[Any, Callable[[Term], Term]] = {
    np.sum: _sum,
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
    softmax.__wrapped__: _softmax,  # type: ignore[attr-defined]
    log_softmax.__wrapped__: _softmax,  # type: ignore[attr-defined]
    vdot.__wrapped__: lambda t: np.sum(tidy(t.args[0] * t.args[1])),  # type: ignore[attr-defined]
}

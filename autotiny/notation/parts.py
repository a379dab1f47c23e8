"""What a term is to someone who reads it: a product of matrices, a mask, a transposed inverse, a sum over an axis."""

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra.term import Term
from autotiny.ops import OPS, activations, indexing, linalg, reductions, shaping


class Part(NamedTuple):
    """A kind of formula, the formulas that it is made of, and words such as 'axis=0'."""

    kind: str
    operands: tuple[Term, ...] = ()
    words: tuple[str, ...] = ()


def part(term: Term) -> Part:
    """The outermost part of a formula.

    >>> from autotiny.algebra import symbol
    >>> X = symbol("X", np.eye(2))
    >>> part(X.T), part(2 * X).kind, part(np.sum(X, axis=0)).words
    (Part(kind='transpose', operands=(X,), words=()), 'scale', ('axis=0',))
    """
    if term.op is None:
        return Part("symbol", words=(term.name,)) if term.name is not None else _constant(term.value)
    read = PARTS.get(term.op.function)
    return read(term) if read else _call(term)


def is_truth(term: Term) -> bool:
    """Whether it is computed, and says true or false entry by entry."""
    return term.op is not None and term.dtype == bool


# ----- numbers -----
def _constant(value: Any) -> Part:
    entries = np.asarray(value)
    if entries.size and entries.dtype.kind in "fiub" and np.all(entries == entries.flat[0]):
        return Part("number", words=(numeral(entries.flat[0]),))
    if entries.ndim == 2 and np.array_equal(entries, np.eye(*entries.shape)):
        return Part("identity", words=("I",))
    return Part("array", words=(listed(entries) if entries.size <= FEW else f"array of shape {entries.shape}",))


FEW = 4


def listed(entries: Any) -> str:
    """A small array as it is typed.

    >>> listed(np.array([[1.0, 0.25], [0.0, 3.0]]))
    '[[1, 0.25], [0, 3]]'
    """
    return numeral(entries) if np.ndim(entries) == 0 else f"[{', '.join(map(listed, entries))}]"


def numeral(value: Any) -> str:
    """A number with as few digits as tell it but for rounding, so that what was typed is shown as it was typed.

    >>> [numeral(v) for v in (2.0, np.float32(0.1), 0.044715, 0.1 * 3, 1 / 3, 1e-12, True)]
    ['2', '0.1', '0.044715', '0.3', '0.333333333333333', '1e-12', '1']
    """
    number, kind = float(value), np.asarray(value).dtype
    rounding = 8 * float(np.finfo(kind if kind.kind == "f" else float).eps)
    shortened = (f"{number:.{digits}g}" for digits in range(6, 18))
    return next((text for text in shortened if math.isclose(float(text), number, rel_tol=rounding)), str(number))


# ----- products, powers, transposes -----
def _product(term: Term) -> Part:
    a, b = term.args
    for column, row in ((a, b), (b, a)):
        if row.ndim == 1 and (vector := _vector_of(column)) is not None:
            return Part("outer", (vector, row))
    if _is_scalar(a) and not b.is_constant:
        return Part("scale", (a, b))
    return Part("scaled" if _is_scalar(b) else "multiply", (a, b))


def _is_scalar(term: Term) -> bool:
    return term.ndim == 0 or (term.is_constant and part(term).kind == "number")


def _vector_of(column: Term) -> Term | None:
    """x for x[:, None], and for x in the shape (n, 1)."""
    if column.op is None or column.ndim != 2 or column.shape[1] != 1 or column.args[0].ndim != 1:
        return None
    return column.args[0] if column.op.name in ("index", "reshape", "expand_dims") else None


def _matmul(term: Term) -> Part:
    a, b = term.args
    if a.ndim == b.ndim == 1:
        return Part("matmul" if _is_row(a) else "dot", (a, b))
    # A vector on the left is a row: it is written transposed, unless it is a row as it stands, as xᵀ A is.
    kinds = {(False, False): "matmul", (True, False): "row matmul", (False, True): "matmul row"}
    return Part(kinds[a.ndim == 1 and not _is_row(a), b.ndim == 1 and _is_row(b)], (a, b))


def _is_row(term: Term) -> bool:
    return term.op is not None and term.op.function is np.matmul and term.args[0].ndim == 1


def _power(term: Term) -> Part:
    base, exponent = term.args
    digit = part(exponent).words if exponent.is_constant else ()
    return Part("whole power", (base,), digit) if digit in DIGITS else Part("power", (base, exponent))


DIGITS = [(str(n),) for n in range(2, 10)]


def _transpose(term: Term) -> Part:
    x, options = term.args[0], term.kwargs
    if term.ndim <= 2 and options.get("axes") in (None, (1, 0), (-1, -2), [1, 0]):
        return _transposed(x)
    return _call(term)


def _swapaxes(term: Term) -> Part:
    x = term.args[0]
    axes = {term.kwargs.get(name, 0) % max(x.ndim, 1) for name in ("axis1", "axis2")}
    return _transposed(x) if axes == {x.ndim - 1, x.ndim - 2} else _call(term)


def _transposed(x: Term) -> Part:
    inverse = x.op is not None and x.op.function is np.linalg.inv
    return Part("inverse transpose", x.args) if inverse else Part("transpose", (x,))


def _add(term: Term) -> Part:
    a, b = term.args
    if b.op is not None and b.op.function is np.negative:
        return Part("subtract", (a, b.args[0]))
    return Part("add", (a, b))


# ----- reductions, shapes, indices -----
def _reduction(kind: str) -> Callable[[Term], Part]:
    """A sum over axes; whether they are left in as length 1 is a matter of shapes, of which a formula says nothing."""

    def read(term: Term) -> Part:
        axis = term.kwargs.get("axis")
        if isinstance(axis, tuple) and len(axis) == 1:
            axis = axis[0]
        over = () if axis is None or _all_axes(axis, term.args[0]) else (f"axis={axis}",)
        return Part(f"{kind} over" if over else kind, term.args, over)

    return read


def _all_axes(axis: Any, x: Term) -> bool:
    axes = axis if isinstance(axis, tuple) else (axis,)
    return len({i % max(x.ndim, 1) for i in axes}) == x.ndim


def _reshape(term: Term) -> Part:
    """A reshape that puts back the axes that a reduction took says nothing new."""
    x = term.args[0]
    lengths = [n for n in x.shape if n > 1]
    if x.op is not None and x.op.function in REDUCTIONS and lengths == [n for n in term.shape if n > 1]:
        return part(x)
    return Part("call", (x,), ("reshape", str(term.shape)))


def _index(term: Term) -> Part:
    key = term.kwargs["key"]
    return Part("index", term.args, (", ".join(map(_key, key if isinstance(key, tuple) else (key,))),))


def _scatter(term: Term) -> Part:
    if is_diagonal(term):
        return Part("call", term.args, ("diag",))
    key = term.kwargs.get("key")
    return Part("call", term.args, ("scatter", ", ".join(map(_key, key if isinstance(key, tuple) else (key,)))))


def is_diagonal(term: Term) -> bool:
    """Whether it is a matrix of zeros with a vector put along its diagonal."""
    key, (vector,) = term.kwargs.get("key"), term.args
    return (
        isinstance(key, tuple)
        and term.shape == (vector.size, vector.size)
        and len(key) == 2
        and all(isinstance(place, np.ndarray) and np.array_equal(place, np.arange(vector.size)) for place in key)
    )


def _key(place: Any) -> str:
    if isinstance(place, slice):
        ends = [":".join("" if end is None else str(end) for end in (place.start, place.stop))]
        return ":".join(ends if place.step is None else [*ends, str(place.step)])
    if place is ...:
        return "..."
    return listed(place) if isinstance(place, np.ndarray) and place.size <= FEW else _of_places(place)


def _of_places(place: Any) -> str:
    return f"places {place.shape}" if isinstance(place, np.ndarray) else str(place)


# ----- calls -----
def _call(term: Term) -> Part:
    assert term.op is not None
    words = tuple(f"{name}={_option(value)}" for name, value in term.kwargs.items() if not _is_default(term, name))
    return Part("call", term.args, (CALLED.get(term.op.function, term.op.name), *words))


def _option(value: Any) -> str:
    return _key(value) if isinstance(value, slice | np.ndarray) else str(value)


def _is_default(term: Term, name: str) -> bool:
    assert term.op is not None
    default = inspect.signature(term.op.function).parameters[name].default
    return type(default) is type(term.kwargs[name]) and bool(default == term.kwargs[name])


def _plain(kind: str) -> Callable[[Term], Part]:
    return lambda term: Part(kind, term.args)


def _through(term: Term) -> Part:
    """What it is of: another precision, a copy, and the like are no part of a formula."""
    return Part("same", term.args)


Table = dict[Any, Any]


def by_function(table: Table) -> Table:
    """With the functions that stand in rows, in place of those that record."""
    return {OPS[function].function if function in OPS else function: entry for function, entry in table.items()}


CALLED = by_function({shaping.join: "concatenate", shaping.pad_constant: "pad"})
REDUCTIONS = by_function({np.sum: "sum", np.prod: "prod", np.max: "max", np.min: "min", reductions.euclidean: "norm"})
PLAIN = by_function({
    np.subtract: "subtract", np.negative: "negative", np.divide: "divide", np.reciprocal: "reciprocal",
    np.sqrt: "sqrt", np.absolute: "abs", np.fabs: "abs", np.where: "where",
    np.greater: "greater", np.greater_equal: "greater_equal", np.less: "less", np.less_equal: "less_equal",
    np.equal: "equal", np.not_equal: "not_equal",
    np.logical_and: "and", np.logical_or: "or", np.logical_not: "not",
    np.linalg.inv: "inverse", linalg.vdot: "vdot", activations.sigmoid: "sigmoid", linalg.log_abs_det: "log_abs_det",
})  # fmt: skip
PARTS: dict[Any, Callable[[Term], Part]] = by_function({
    **{function: _reduction(kind) for function, kind in REDUCTIONS.items()},
    **{function: _plain(kind) for function, kind in PLAIN.items()},
    **dict.fromkeys((np.positive, np.copy, shaping.astype), _through),
    np.add: _add, np.multiply: _product, np.matmul: _matmul, np.power: _power, np.float_power: _power,
    np.square: lambda term: Part("whole power", term.args, ("2",)),
    np.transpose: _transpose, np.swapaxes: _swapaxes, np.reshape: _reshape, indexing.index: _index,
    indexing.scatter: _scatter,
})  # fmt: skip

"""Entries put into arrays without changing them: the pure forms of x[index] = values and of ufunc.at."""

from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.indexing import Key, formula_in, is_basic, pick, scatter
from autotiny.ops.table import OPS, Array, as_array, as_operand, library, own

KINDS = "biufc"


def landed(g: Array, x: Array, key: Key) -> Array:
    """Return the gradient of the values that were put: where a place repeats, the last one stays."""
    if is_basic(key):
        return g
    order = np.reshape(np.arange(g.size, like=library(g)), g.shape)
    last = updated(np.zeros(x.shape, int, like=library(g)), order, key=key)
    return np.where(pick(last, key) == order, g, 0.0)


@own(
    lambda g, y, x, values, key=None: updated(g, g.dtype.type(0), key=key),
    lambda g, y, x, values, key=None: landed(pick(g, key), x, key),
    traits="moves analytic keeps_sign selects resizes",
    words=(
        "the entries that were replaced receive 0; the others their gradient",
        "each value receives the gradient of its place",
    ),
)
def updated(x: Array, values: Array, key: Key = None) -> Array:
    """x with these values at key."""
    if (formula := formula_in(key)) is not None:
        return formula.__autotiny_record__(OPS[updated], (x, values), {"key": key})
    wider = KINDS.index(as_array(values).dtype.kind) > KINDS.index(x.dtype.kind)
    y = np.array(x, np.result_type(x, values) if wider else x.dtype, like=library(x))
    y[key] = values
    return y


def index_update(x: Any, index: Any, values: Any = None, ufunc: np.ufunc | None = None) -> Any:
    """Return x with the entries at an index replaced: x[index] = values, without changing x.

    With a ufunc the entries are combined with the values, one after another, as `ufunc.at(x, index, values)` does:
    where a place repeats, all of its values count. Without one, the last counts. An entry that is replaced has the
    gradient 0. The result has the shape and the precision of x.

    y = x,  y[index] = v          dJ/dv = (dJ/dy)[index],   dJ/dx = dJ/dy with 0 at index

    Raises ShapeError for values that do not fit.

    >>> import autotiny as at
    >>> x = at.Tensor([1.0, 2.0, 3.0])
    >>> at.index_update(x, 0, 9.0), at.index_update(x, np.s_[1:], x[:2] ** 2)
    (Tensor([9., 2., 3.], shape=(3,), float64, updated), Tensor([1., 1., 4.], shape=(3,), float64, updated))
    >>> at.index_update(np.zeros(3), [0, 2, 0], x, np.add)
    Tensor([4., 0., 2.], shape=(3,), float64, add)
    """
    x, key = as_operand(x), tuple(map(plain, index)) if isinstance(index, tuple) else plain(index)
    if ufunc is not None and not isinstance(ufunc, np.ufunc):
        raise UnsupportedError(f"index_update: expected a ufunc such as np.add; got {ufunc!r}")
    if ufunc is not None and ufunc.nin == 1:
        if values is not None:
            raise UnsupportedError(f"index_update: {ufunc.__name__} takes no values")
        return combined(x, key, None, ufunc)
    if values is None:
        raise UnsupportedError("index_update: missing argument values")
    values = as_operand(values)
    if ufunc is None:
        if is_mask(key, x) and not values.ndim:
            return np.where(key, values, x).astype(x.dtype)
        return updated(x, fitted(values, x, key), key=key)
    if ufunc in (np.add, np.subtract):
        spread = np.broadcast_to(fitted(values, x, key), np.shape(pick(x, key)))
        return ufunc(x, scatter(spread.astype(x.dtype), key=key, shape=x.shape))
    return combined(x, key, values, ufunc)


def plain(part: Any) -> Any:
    """Return a part of an index; a Tensor of data counts by its value."""
    if getattr(part, "requires_grad", None) is not None:
        if part.requires_grad and part.dtype.kind == "f":
            raise UnsupportedError(
                f"index_update: the index is a tracked Tensor of {part.dtype}, which has no integers: labels are data, "
                "make it with requires_grad=False"
            )
        part = part.value
    return np.array(part, int if part == [] else None) if isinstance(part, list) else part


def is_mask(key: Key, x: Array) -> bool:
    """Whether a key is one mask of all entries."""
    return getattr(key, "dtype", None) == np.dtype(bool) and key.shape == x.shape


def fitted(values: Array, x: Array, key: Key) -> Array:
    """Return values without the axes of length 1 that NumPy leaves out in an assignment."""
    picked = np.shape(pick(x, key))
    extra = max(values.ndim - len(picked), 0)
    if values.shape[:extra] != (1,) * extra:
        raise ShapeError(f"index_update: values of shape {values.shape} do not fit entries of shape {picked}")
    return np.reshape(values, values.shape[extra:]) if extra else values


def combined(x: Array, key: Key, values: Any, ufunc: np.ufunc) -> Array:
    """Return ufunc.at(x, key, values): the first value of every place, then the second of those that repeat, ..."""
    places = np.ravel(np.reshape(np.arange(x.size), x.shape)[key])
    rest = () if values is None else (np.ravel(np.broadcast_to(values, np.shape(pick(x, key)))),)
    flat = np.ravel(x)
    for turn in turns(places):
        at = places[turn]
        flat = updated(flat, ufunc(pick(flat, at), *(pick(v, turn) for v in rest)), key=at)
    return np.reshape(flat, x.shape)


def turns(places: np.ndarray) -> list[np.ndarray]:
    """Return the positions of the first occurrence of each place, then those of the second, ..."""
    order = np.argsort(places, stable=True)
    ordered = places[order]
    first = np.searchsorted(ordered, ordered)
    count = np.arange(places.size) - first
    return [order[count == i] for i in range(int(count.max(initial=-1)) + 1)]

"""Choices between arrays, and arrays from which entries are taken or into which they are put."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.indexing import index, scatter
from autotiny.ops.plain import plain
from autotiny.ops.shaping import astype
from autotiny.ops.table import Array, array_like, compose, floats

plain(np.argpartition, np.lexsort, np.spacing)


# ----- choices -----
@compose(np.select)
def select(condlist: Sequence[Array], choicelist: Sequence[Array], default: Any = 0) -> Array:
    """The first choice whose condition holds."""
    if len(condlist) != len(choicelist):
        raise ShapeError(f"select: {len(condlist)} conditions for {len(choicelist)} choices; give one for each")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(condition, array_like(choice), result)
    return result


@compose(np.choose)
def choose(a: Array, choices: Sequence[Array], *, mode: str = "raise") -> Array:
    """choices[a], entry by entry."""
    choices = list(map(array_like, choices))
    n = len(choices)
    if mode == "raise" and np.any(np.logical_or(np.less(a, 0), np.greater_equal(a, n))):
        raise ShapeError(f"choose: expected whole numbers in 0..{n - 1}; mode='wrap' or 'clip' takes others")
    a = np.mod(a, n) if mode == "wrap" else np.clip(a, 0, n - 1)
    result = np.broadcast_to(choices[0], np.broadcast_shapes(np.shape(a), np.shape(choices[0])))
    for i in range(1, n):
        result = np.where(np.equal(a, i), choices[i], result)
    return result


@compose(np.piecewise)
def piecewise(x: Array, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    """f[i](x[c[i]]) where the condition c[i] holds and none behind it; one more function serves the rest."""
    listed = (isinstance(condlist, list | tuple) and np.ndim(condlist[0]) > 0) or np.ndim(condlist) > x.ndim
    conditions = list(condlist) if listed or (x.ndim == 0 and np.ndim(condlist)) else [condlist]
    if len(funclist) == len(conditions) + 1:
        conditions.append(np.logical_not(np.any(np.stack(conditions), axis=0)))
    if len(funclist) != len(conditions):
        raise ShapeError(f"piecewise: {len(funclist)} functions for {len(conditions)} conditions; give one for each")
    result, later = np.zeros_like(x), np.zeros(x.shape, bool)
    for condition, f in zip(reversed(conditions), reversed(funclist), strict=True):
        chosen = np.flatnonzero(np.logical_and(condition, np.logical_not(later)))
        later = np.logical_or(later, condition)
        if chosen.size:
            part = index(np.ravel(x), key=chosen)
            y = np.broadcast_to(f(part, *args, **kw) if callable(f) else x.dtype.type(f), part.shape)
            result = result + np.reshape(scatter(y, key=chosen, shape=(x.size,)), x.shape)
    return result


@compose(np.full_like)
def full_like(a: Array, fill_value: Array, dtype: Any = None, *, shape: Any = None) -> Array:
    """Return one value, or values that broadcast, in the shape and type of a."""
    dtype = np.dtype(a.dtype if dtype is None else dtype)
    if dtype.kind not in "fc" and getattr(fill_value, "requires_grad", False):
        raise UnsupportedError(f"full_like: an array of {dtype} has no gradient; give dtype=float")
    return astype(np.broadcast_to(fill_value, a.shape if shape is None else shape), dtype=dtype)


# ----- entries taken -----
@compose(np.compress)
def compress(condition: Any, a: Array, axis: int | None = None) -> Array:
    """The entries along an axis for which the condition holds."""
    return np.take(a, np.flatnonzero(condition), axis=axis)


@compose(np.extract)
def extract(condition: Any, arr: Array) -> Array:
    """The entries for which the condition holds."""
    return np.take(arr, np.flatnonzero(condition))


@compose(np.partition)
def partition(a: Array, kth: Any, axis: int | None = -1) -> Array:
    """The entries in an order in which the kth is where it is when they are sorted."""
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argpartition(a, array_like(kth), axis=axis), axis=axis)


@compose(np.trim_zeros)
def trim_zeros(filt: Array, trim: str = "fb", axis: Any = None) -> Array:
    """The entries from the first to the last that is not 0, along each of the axes."""
    if trim.lower() not in ("fb", "bf", "f", "b"):
        raise UnsupportedError(f"trim_zeros: trim must be 'f', 'b' or 'fb'; got {trim!r}")
    axes = range(filt.ndim) if axis is None else normalize_axis_tuple(axis, filt.ndim)
    places = np.argwhere(filt)
    ends = [(int(i.min()), int(i.max()) + 1) if i.size else (0, 0) for i in places.T]
    bounds = [
        (a if "f" in trim.lower() or a == b else None, b if "b" in trim.lower() or a == b else None) for a, b in ends
    ]
    return filt[tuple(slice(*bound) if i in axes else slice(None) for i, bound in enumerate(bounds))]


@compose(np.delete)
def delete(arr: Array, obj: Any, axis: int | None = None) -> Array:
    """The array without the entries at these places along an axis."""
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return np.take(arr, np.delete(np.arange(arr.shape[axis]), obj), axis=axis)


@compose(np.resize)
def resize(a: Array, new_shape: Any) -> Array:
    """The entries, repeated as often as the new shape needs."""
    places = np.resize(np.arange(a.size), new_shape)
    return np.take(a, places) if a.size else np.zeros_like(a, shape=places.shape)


# ----- entries put -----
@compose(np.insert)
def insert(arr: Array, obj: Any, values: Any, axis: int | None = None) -> Array:
    """The array with values put before these places along an axis."""
    arr, values = floats(arr), floats(values)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    n, axis = arr.shape[axis], axis % arr.ndim
    values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    single = np.ndim(obj) == 0 and not isinstance(obj, slice)
    if single:
        values = np.moveaxis(values, 0, axis)
    count = values.shape[axis] if single else np.insert(np.arange(n), obj, 0).size - n
    new = np.broadcast_to(values.astype(arr.dtype), (*arr.shape[:axis], count, *arr.shape[axis + 1 :]))
    order = np.insert(np.arange(n), obj, np.arange(n, n + count))
    return np.take(np.concatenate([arr, new], axis=axis), order, axis=axis)

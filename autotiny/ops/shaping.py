"""Operations that rearrange entries, or copy them."""

import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops.indexing import index, take
from autotiny.ops.table import Array, array_like, as_array, compose, define, extend, library, own, require_real_place


def inverse(axes: Any, ndim: int) -> Any:
    """Return the permutation that undoes `axes`."""
    return None if axes is None else tuple(np.argsort([axis % ndim for axis in axes]).tolist())


def in_order(order: Any) -> dict[str, Any]:
    """Return the option of an order other than "C", which libraries without other orders do not take.

    Raises UnsupportedError for one that depends on the memory layout, which a gradient need not share.
    """
    if order not in ("C", "F"):
        raise UnsupportedError(f"reshape: order={order!r} depends on how the entries lie in memory; use 'C' or 'F'")
    return {} if order == "C" else {"order": order}


def piece(i: int, g: Array, y: Array, *arrays: Array, axis: int = 0) -> Array:
    """Return the part of g that belongs to the i-th of the joined arrays."""
    start = sum(x.shape[axis] for x in arrays[:i])
    return index(g, key=(slice(None),) * (axis % g.ndim) + (slice(start, start + arrays[i].shape[axis]),))


def pieces(g: Array, y: Array, arrays: Sequence[Array], axis: int = 0) -> list[Array]:
    """Return the parts of g that belong to the joined arrays."""
    ends = [0, *itertools.accumulate(x.shape[axis] for x in arrays)]
    before = (slice(None),) * (axis % g.ndim)
    return [index(g, key=(*before, slice(*bounds))) for bounds in itertools.pairwise(ends)]


# fmt: off
MOVED = "the entries moved, so their gradients move back"
SAME = "the same value, so the same gradient"
PIECES = "each part receives its piece of the gradient"
define(np.reshape,
       lambda g, y, x, shape=None, order="C": np.reshape(g, x.shape, **in_order(order)),
       forward=lambda x, shape=None, order="C": np.reshape(x, shape, **in_order(order)),
                         traits="moves analytic linear keeps_sign reshapes resizes",         words=MOVED)
define(np.ravel,
       lambda g, y, x, order="C": np.reshape(g, x.shape, **in_order(order)),
       forward=lambda x, order="C": np.ravel(x, **in_order(order)),
                         traits="moves analytic linear keeps_sign reshapes",         words=MOVED)
define(np.expand_dims,   lambda g, y, x, axis=None: np.reshape(g, x.shape),
                         traits="moves analytic linear keeps_sign reshapes",         words=MOVED)
define(np.squeeze,       lambda g, y, x, axis=None: np.reshape(g, x.shape),
                         traits="moves analytic linear keeps_sign reshapes",         words=MOVED)
define(np.transpose,     lambda g, y, x, axes=None: np.transpose(g, inverse(axes, x.ndim)),
                         traits="moves analytic linear keeps_sign rearranges",       words=MOVED)
define(np.swapaxes,      lambda g, y, x, axis1=0, axis2=0: np.swapaxes(g, axis1, axis2),
                         traits="moves analytic linear keeps_sign rearranges",       words=MOVED)
define(np.moveaxis,      lambda g, y, x, source=0, destination=0: np.moveaxis(g, destination, source),
                         traits="moves analytic linear keeps_sign rearranges",       words=MOVED)
define(np.broadcast_to,  lambda g, y, x, shape=None: g,
                         traits="moves analytic linear keeps_sign rearranges resizes",
                         words="broadcasting: the gradients of all copies are summed")
define(np.flip,          lambda g, y, x, axis=None: np.flip(g, axis),
                         traits="moves analytic linear keeps_sign rearranges",       words=MOVED)
define(np.roll,          lambda g, y, x, shift=0, axis=None: np.roll(g, np.negative(shift).tolist(), axis),
                         traits="moves analytic linear keeps_sign",                  words=MOVED)
define(np.copy,          lambda g, y, x: g,
       forward=lambda x: np.copy(x) if library(x) is None else x.copy(),  # Dask's would be computed
                         traits="moves analytic linear keeps_sign",                  words=SAME)
# fmt: on


@own(lambda g, y, x, dtype=None: g, traits="elementwise smooth keeps_sign", words=SAME)
def astype(x: Array, dtype: Any = None) -> Array:
    """Convert x to another floating-point or complex type."""
    require_real_place(x.dtype, np.dtype(dtype), "astype")
    return x.astype(dtype)


@own(each=piece, at_once=pieces, traits="moves analytic keeps_sign fills resizes", words=PIECES)
def join(*arrays: Array, axis: int = 0) -> Array:
    """Join arrays along an axis."""
    return np.concatenate(arrays, axis=axis)


def layer(i: int, g: Array, y: Array, *arrays: Array, axis: int = 0) -> Array:
    """Return the part of g that belongs to the i-th of the stacked arrays."""
    return index(g, key=(slice(None),) * (axis % g.ndim) + (i,))


def layers(g: Array, y: Array, arrays: Sequence[Array], axis: int = 0) -> list[Array]:
    """Return the parts of g that belong to the stacked arrays."""
    return [layer(i, g, y, axis=axis) for i in range(len(arrays))]


@own(each=layer, at_once=layers, traits="moves analytic keeps_sign fills resizes", words=PIECES)
def stack(*arrays: Array, axis: int = 0) -> Array:
    """Join arrays of one shape along a new axis."""
    return np.stack(arrays, axis=axis)


@compose(np.concatenate)
def concatenate(arrays: Sequence[Array], axis: int | None = 0) -> Array:
    """Join arrays along an axis; with axis=None, flatten them first."""
    arrays = list(map(array_like, arrays))
    if axis is not None:
        return join(*arrays, axis=axis)
    dtype = np.result_type(*arrays)  # a number of Python's has the others' type
    return join(*[np.ravel(x) if np.ndim(x) else np.ravel(x).astype(dtype) for x in arrays], axis=0)


@compose(np.stack)
def stack_along(arrays: Sequence[Array], axis: int = 0) -> Array:
    """Join arrays of one shape along a new axis."""
    return stack(*map(array_like, arrays), axis=axis)


@compose(np.atleast_1d)
def atleast_1d(*arys: Array) -> Any:
    """Turn a number into a vector; several arrays become a tuple."""
    return _each([x if np.ndim(x) else np.reshape(x, (1,)) for x in map(array_like, arys)])


@compose(np.atleast_2d)
def atleast_2d(*arys: Array) -> Any:
    """Turn a vector into a matrix of one row, and a number into one of one entry; several arrays become a tuple."""
    return _each([x if np.ndim(x) >= 2 else np.reshape(x, (1, math.prod(np.shape(x)))) for x in map(array_like, arys)])


@compose(np.atleast_3d)
def atleast_3d(*arys: Array) -> Any:
    """Turn a number, a vector or a matrix into an array of 3 axes; several arrays become a tuple."""
    shapes = {0: (1, 1, 1), 1: (1, -1, 1)}
    arys = tuple(map(array_like, arys))
    return _each([x if np.ndim(x) > 2 else np.reshape(x, shapes.get(np.ndim(x), (*np.shape(x), 1))) for x in arys])


def _each(results: list[Array]) -> Any:
    return results[0] if len(results) == 1 else tuple(results)


@compose(np.vstack)
def vstack(tup: Sequence[Array]) -> Array:
    """Stack arrays vertically."""
    return concatenate([atleast_2d(x) for x in tup], axis=0)


@compose(np.hstack)
def hstack(tup: Sequence[Array]) -> Array:
    """Stack arrays horizontally."""
    columns = [atleast_1d(x) for x in tup]
    return concatenate(columns, axis=min(1, np.ndim(columns[0]) - 1))


@compose(np.column_stack)
def column_stack(tup: Sequence[Array]) -> Array:
    """Stack vectors as the columns of a matrix."""
    return concatenate([x if np.ndim(x) >= 2 else np.reshape(x, (-1, 1)) for x in map(array_like, tup)], axis=1)


@compose(np.append)
def append(arr: Array, values: Array, axis: int | None = None) -> Array:
    """Append values to an array."""
    return concatenate([as_array(arr), as_array(values)], axis=axis)


@compose(np.fliplr)
def fliplr(m: Array) -> Array:
    """Reverse the order of the columns."""
    return np.flip(m, 1)


@compose(np.flipud)
def flipud(m: Array) -> Array:
    """Reverse the order of the rows."""
    return np.flip(m, 0)


@compose(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Array) -> Array:
    """Exchange the last two axes."""
    return np.swapaxes(x, -1, -2)


@compose(np.repeat)
def repeat(a: Array, repeats: Any, axis: int | None = None) -> Array:
    """Repeat each entry along an axis, or each of the flattened array."""
    if axis is None or not a.ndim:
        a, axis = np.ravel(a), 0 if axis is None else axis
    if isinstance(axis, bool):
        raise UnsupportedError(f"repeat: axis={axis}: expected the number of an axis")
    axis = operator.index(axis)
    return take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis=axis)


@compose(np.tile)
def tile(A: Array, reps: Any) -> Array:
    """Repeat the whole array along each axis."""
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    ndim = max(A.ndim, len(reps))
    shape = (1,) * (ndim - A.ndim) + A.shape
    reps = (1,) * (ndim - len(reps)) + reps
    apart = np.reshape(A, [n for length in shape for n in (1, length)])
    copies = np.broadcast_to(apart, [n for pair in zip(reps, shape, strict=True) for n in pair])
    return np.reshape(copies, [r * n for r, n in zip(reps, shape, strict=True)])


@extend(np.copy)
def copy_in_order(a: Array, order: Any = "K") -> Array:
    """The same entries; how they lie in memory is left to NumPy."""
    if order not in ("C", "F", "A", "K"):
        raise UnsupportedError(f"copy: order must be 'C', 'F', 'A' or 'K'; got {order!r}")
    return np.copy(a)

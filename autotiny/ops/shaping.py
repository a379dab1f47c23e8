"""Operations that rearrange entries, or copy them."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops.indexing import index, take
from autotiny.ops.table import UNSET, Array, compose, define, own


def inverse(axes: Any, ndim: int) -> Any:
    """Return the permutation that undoes `axes`."""
    return None if axes is None else np.argsort([axis % ndim for axis in axes])


def fixed(order: Any) -> Any:
    """Return the order if it does not depend on the memory layout, which a gradient need not share; raise otherwise."""
    if order not in ("C", "F"):
        raise UnsupportedError(f"reshape: order={order!r} depends on how the entries lie in memory; use 'C' or 'F'")
    return order


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
       lambda g, y, x, shape=None, order="C": np.reshape(g, x.shape, order=order),
       forward=lambda x, shape=None, order="C": np.reshape(x, shape, order=fixed(order)),
                         traits="moves analytic linear keeps_sign reshapes",         words=MOVED)
define(np.ravel,
       lambda g, y, x, order="C": np.reshape(g, x.shape, order=order),
       forward=lambda x, order="C": np.ravel(x, order=fixed(order)),
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
                         traits="moves analytic linear keeps_sign rearranges",
                         words="broadcasting: the gradients of all copies are summed")
define(np.flip,          lambda g, y, x, axis=None: np.flip(g, axis),
                         traits="moves analytic linear keeps_sign rearranges",       words=MOVED)
define(np.roll,          lambda g, y, x, shift=0, axis=None: np.roll(g, np.negative(np.asarray(shift, int)), axis),
                         traits="moves analytic linear keeps_sign",                  words=MOVED)
define(np.copy,          lambda g, y, x: g,
                         traits="moves analytic linear keeps_sign",                  words=SAME)
# fmt: on


@own(lambda g, y, x, dtype=None: g, traits="elementwise smooth keeps_sign", words=SAME)
def astype(x: Array, dtype: Any = None) -> Array:
    """Convert x to another floating-point type."""
    return x.astype(dtype)


@compose(np.full_like)
def full_like(a: Array, fill_value: Array, dtype: Any = None, *, shape: Any = None) -> Array:
    """Return one value, or values that broadcast, in the shape and type of a."""
    dtype = np.dtype(a.dtype if dtype is None else dtype)
    if dtype.kind != "f" and getattr(fill_value, "requires_grad", False):
        raise UnsupportedError(f"full_like: an array of {dtype} has no gradient; give dtype=float")
    return astype(np.broadcast_to(fill_value, a.shape if shape is None else shape), dtype=dtype)


@own(each=piece, at_once=pieces, traits="moves analytic keeps_sign fills", words=PIECES)
def join(*arrays: Array, axis: int = 0) -> Array:
    """Join arrays along an axis."""
    return np.concatenate(arrays, axis=axis)


@compose(np.concatenate)
def concatenate(arrays: Sequence[Array], axis: int | None = 0) -> Array:
    """Join arrays along an axis; with axis=None, flatten them first."""
    if axis is not None:
        return join(*arrays, axis=axis)
    dtype = np.result_type(*arrays)  # a number of Python's has the others' type
    return join(*[np.ravel(x) if np.ndim(x) else np.ravel(x).astype(dtype) for x in arrays], axis=0)


@compose(np.stack)
def stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    """Join arrays along a new axis."""
    return concatenate([np.expand_dims(x, axis) for x in arrays], axis=axis)


@compose(np.atleast_1d)
def atleast_1d(*arys: Array) -> Any:
    """Turn a number into a vector; several arrays become a tuple."""
    return _each([x if np.ndim(x) else np.reshape(x, (1,)) for x in arys])


@compose(np.atleast_2d)
def atleast_2d(*arys: Array) -> Any:
    """Turn a vector into a matrix of one row, and a number into one of one entry; several arrays become a tuple."""
    return _each([x if np.ndim(x) >= 2 else np.reshape(x, (1, np.size(x))) for x in arys])


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
    return concatenate([x if np.ndim(x) >= 2 else np.reshape(x, (-1, 1)) for x in tup], axis=1)


@compose(np.append)
def append(arr: Array, values: Array, axis: int | None = None) -> Array:
    """Append values to an array."""
    return concatenate([arr, values], axis=axis)


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
        a, axis = np.ravel(a), axis or 0
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


def inside(g: Array, x: Array, pad_width: Any) -> Array:
    """Return the part of g that lies over x, without the padding."""
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    return index(
        g, key=tuple(slice(before, before + n) for (before, _), n in zip(widths.tolist(), x.shape, strict=True))
    )


@own(
    lambda g, y, x, pad_width=0, constant_values=0: inside(g, x, pad_width),
    traits="moves analytic fills",
    words=PIECES,
)
def pad_constant(x: Array, pad_width: Any = 0, constant_values: Any = 0) -> Array:
    """Pad x with constants."""
    return np.pad(x, pad_width, constant_values=constant_values)


@compose(np.pad)
def pad(array: Array, pad_width: Any, mode: Any = "constant", *, constant_values: Any = UNSET) -> Array:
    """Pad an array with constants, or with its own entries (edge, reflect, symmetric, wrap)."""
    if isinstance(pad_width, dict):
        raise UnsupportedError("pad: pad_width must be a number, (before, after), or a pair for each axis, not a dict")
    if mode == "constant":
        constants = 0 if constant_values is UNSET else constant_values
        return pad_constant(array, pad_width=pad_width, constant_values=constants)
    if constant_values is not UNSET:
        raise UnsupportedError(f"pad: constant_values is for the mode 'constant', and the mode is {mode!r}")
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise UnsupportedError(f"pad: mode {mode!r} is not supported; use constant, edge, reflect, symmetric or wrap")
    places = np.pad(np.reshape(np.arange(array.size), array.shape), pad_width, mode=mode)
    if not array.ndim:
        return np.copy(array)
    return take(np.ravel(array), places)

"""Arrays joined, cut and turned, and functions applied along their axes."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autotiny.errors import ShapeError
from autotiny.ops.outputs import define_outputs
from autotiny.ops.patches import patches
from autotiny.ops.shaping import atleast_3d, concatenate
from autotiny.ops.table import Array, Function, as_operand, compose, newer

sliding_window_view: Any = np.lib.stride_tricks.sliding_window_view


# ----- joined -----
def with_axes(x: Any, ndim: int) -> Array:
    """Return an array with axes of length 1 in front, until it has so many."""
    return np.reshape(x, (1,) * (ndim - np.ndim(x)) + np.shape(x))


def depths(arrays: Any) -> set[int]:
    """Return how deeply the arrays are nested in lists."""
    return {1 + inner for part in arrays for inner in depths(part)} or {1} if isinstance(arrays, list) else {0}


def flat(arrays: Any) -> list[Array]:
    """Return the arrays in nested lists."""
    return [x for part in arrays for x in flat(part)] if isinstance(arrays, list) else [arrays]


@compose(np.block)
def block(arrays: Any) -> Array:
    """Arrays joined along the last axis in the innermost lists, along the one before in those around them."""
    levels, *others = depths(arrays)
    if others:
        raise ShapeError("block: the lists have different depths; write [[A, B], [C, D]]")
    ndim = max(levels, *(np.ndim(x) for x in flat(arrays)), 0)

    def joined(part: Any, level: int) -> Array:
        if level == 0:
            return with_axes(part, ndim)
        return np.concatenate([joined(inner, level - 1) for inner in part], axis=-level)

    return joined(arrays, levels)


@compose(np.dstack)
def dstack(tup: Sequence[Array]) -> Array:
    """Stack arrays along the third axis."""
    return concatenate([atleast_3d(x) for x in tup], axis=2)


@compose(np.broadcast_arrays)
def broadcast_arrays(*args: Array) -> tuple[Array, ...]:
    """Return arrays repeated to one shape."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(x, shape) for x in args)


@compose(np.ix_)
def ix_(*args: Array) -> tuple[Array, ...]:
    """Return vectors along an axis of their own each, so that x[np.ix_(i, j)] has the rows i and the columns j."""
    vectors = [np.flatnonzero(x) if x.dtype == bool else x for x in map(as_operand, args)]
    for x in vectors:
        if x.ndim != 1:
            raise ShapeError(f"ix_: expected vectors, got shape {x.shape}")
    return tuple(np.reshape(x, [-1 if i == j else 1 for j in range(len(args))]) for i, x in enumerate(vectors))


# ----- cut -----
@compose(np.dsplit)
def dsplit(ary: Array, indices_or_sections: Any) -> list[Array]:
    """Split along the third axis."""
    if ary.ndim < 3:
        raise ShapeError(f"dsplit: expected at least 3 axes, got shape {ary.shape}")
    return np.split(ary, indices_or_sections, axis=2)


def unstack_back(g: Any, y: Any, x: Array, axis: int = 0) -> Array:
    """The gradients of the entries, put together along the axis."""
    return np.stack(g, axis=axis) if g else np.zeros_like(x)


for function in newer("unstack"):
    define_outputs(
        function,
        unstack_back,
        traits="moves analytic linear keeps_sign resizes",
        words="cut along an axis: the gradients are put together again",
    )


@compose(sliding_window_view)
def windows(x: Array, window_shape: Any, axis: Any = None) -> Array:
    """x[i : i + n] for every i along an axis; the windows lie along new last axes."""
    whole = sliding_window_view(np.broadcast_to(0, x.shape), window_shape, axis)  # raises where they do not fit
    lengths = whole.shape[x.ndim :]
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim, allow_duplicate=True)
    for i, (along, length) in enumerate(zip(axes, lengths, strict=True)):
        x = patches(x, lengths=(length,), axes=(along + i,), strides=(1,), dilations=(1,))
    return np.moveaxis(x, range(len(axes)), range(-1, -len(axes) - 1, -1)) if axes else x


# ----- turned -----
@compose(np.rot90)
def rot90(m: Array, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """Turn by k right angles, from the first axis to the second."""
    k, (first, second) = operator.index(k), normalize_axis_tuple(axes, m.ndim)  # two different ones
    turned = np.swapaxes(m, first, second) if k % 2 else m
    if k % 4 in (1, 2):
        turned = np.flip(turned, first)
    return np.flip(turned, second) if k % 4 in (2, 3) else turned


@compose(np.rollaxis)
def rollaxis(a: Array, axis: int, start: int = 0) -> Array:
    """Move an axis to before another."""
    axis, start = (
        normalize_axis_index(axis, a.ndim),
        normalize_axis_index(start, a.ndim + 1) if start >= 0 else start + a.ndim,
    )
    return np.moveaxis(a, axis, start - (start > axis))


@compose(np.diagflat)
def diagflat(v: Array, k: int = 0) -> Array:
    """The matrix with the entries of v along a diagonal."""
    return np.diag(np.ravel(v), k)


# ----- functions along axes -----
@compose(np.apply_along_axis)
def apply_along_axis(func1d: Function, axis: int, arr: Array, *args: Any, **kwargs: Any) -> Array:
    """The results of a function of each line along an axis, in its place."""
    moved = np.moveaxis(arr, axis, -1)
    results = [func1d(moved[place], *args, **kwargs) for place in np.ndindex(moved.shape[:-1])]
    rest, inner = moved.shape[:-1], np.shape(results[0])
    whole = np.reshape(np.stack(results), rest + inner)
    axis %= arr.ndim
    return np.moveaxis(whole, range(len(rest), len(rest) + len(inner)), range(axis, axis + len(inner)))


@compose(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Array], a: Array, axes: Any) -> Array:
    """A function of the array and each axis in turn, with the axes kept."""
    for axis in np.atleast_1d(axes).tolist():
        result = func(a, axis)
        a = result if result.ndim == a.ndim else np.expand_dims(result, axis)
    return a


@compose(*newer("cumulative_sum"))
def cumulative_sum(x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """Running sums, after a 0 if the initial value is included."""
    return running(np.cumsum, np.zeros, x, axis, dtype, include_initial)


@compose(*newer("cumulative_prod"))
def cumulative_prod(x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """Running products, after a 1 if the initial value is included."""
    return running(np.cumprod, np.ones, x, axis, dtype, include_initial)


def running(function: Function, start: Function, x: Array, axis: int | None, dtype: Any, include: bool) -> Array:
    """Return running sums or products, after their start if that is included."""
    if axis is None and x.ndim > 1:
        raise ShapeError(f"{function.__name__}: an array of {x.ndim} axes needs axis=")
    axis = -1 if axis is None else axis
    y = function(x, axis=axis, dtype=dtype)
    if not include:
        return y
    shape = list(y.shape)
    shape[axis] = 1
    return np.concatenate([start(shape, y.dtype), y], axis=axis)

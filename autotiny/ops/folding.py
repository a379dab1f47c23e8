"""What every reduction and ufunc has: the options where, initial and dtype, and the methods reduce, accumulate, outer.

A row takes the common options. `extend` enters a composition for the others, which costs the row nothing.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autotiny.errors import UnsupportedError
from autotiny.ops.elementwise import squares
from autotiny.ops.reductions import Axis, count, euclidean, in_single, kept_shape
from autotiny.ops.shaping import astype
from autotiny.ops.table import Array, Function, extend, floats, real_dtype


def cast(x: Array, dtype: Any) -> Array:
    """Return x in the floating-point or complex type that was asked for, if any."""
    if dtype is None or x.dtype == dtype:
        return x
    if np.dtype(dtype).kind not in "fc":
        raise UnsupportedError(f"dtype={np.dtype(dtype).name} has no gradient; use a floating-point type")
    return astype(x, dtype=np.dtype(dtype))


def kept(a: Array, where: Any, neutral: Any) -> Array:
    """Return a with the neutral element where it is left out."""
    return a if where is True else np.where(where, a, a.dtype.type(neutral))


def taken(a: Array, where: Any, axis: Axis, keepdims: bool) -> Any:
    """Return how many entries are not left out."""
    if where is True:
        return count(a, axis)
    one, zero = np.ones((), real_dtype(a)), np.zeros((), real_dtype(a))
    return np.sum(np.where(np.broadcast_to(where, a.shape), one, zero), axis=axis, keepdims=keepdims)


@extend(np.sum)
def sum_of(
    a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = 0, where: Any = True
) -> Array:
    """initial + sum(a[where])."""
    result = np.sum(kept(cast(a, dtype), where, 0), axis=axis, keepdims=keepdims)
    return result if type(initial) is int and initial == 0 else result + initial


@extend(np.prod)
def product_of(
    a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = 1, where: Any = True
) -> Array:
    """initial * prod(a[where])."""
    result = np.prod(kept(cast(a, dtype), where, 1), axis=axis, keepdims=keepdims)
    return result if type(initial) is int and initial == 1 else result * initial


@extend(np.max, np.amax)
def max_of(a: Array, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """max(initial, a[where])."""
    if initial is None:
        raise UnsupportedError("max: where= needs initial=, the result where nothing is left")
    return np.maximum(np.max(kept(a, where, -np.inf), axis=axis, keepdims=keepdims), initial)


@extend(np.min, np.amin)
def min_of(a: Array, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """min(initial, a[where])."""
    if initial is None:
        raise UnsupportedError("min: where= needs initial=, the result where nothing is left")
    return np.minimum(np.min(kept(a, where, np.inf), axis=axis, keepdims=keepdims), initial)


@extend(np.mean)
@in_single
def mean_of(a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True) -> Array:
    """sum(a[where]) / n."""
    return np.sum(kept(cast(a, dtype), where, 0), axis=axis, keepdims=keepdims) / taken(a, where, axis, keepdims)


def free(n: Any, ddof: Any, correction: Any) -> Any:
    """Return the degrees of freedom that are left."""
    if np.ndim(ddof):
        raise UnsupportedError(f"var: ddof must be a number; got {ddof}")
    return np.maximum(n - (ddof if correction is None else correction), 0)


def deviation(a: Array, axis: Axis, where: Any, mean: Any) -> Array:
    """Return a - mean(a), and 0 where an entry is left out."""
    centre = mean_of(a, axis, where=where, keepdims=True) if mean is None else mean
    return kept(a - centre, where, 0)


@extend(np.var)
@in_single
def var_of(
    a: Array,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Array:
    """sum((a - mean)²) / (n - ddof) over a[where]."""
    a = cast(a, dtype)
    total = np.sum(squares(deviation(a, axis, where, mean)), axis=axis, keepdims=keepdims)
    return total / free(taken(a, where, axis, keepdims), ddof, correction)


@extend(np.std)
@in_single
def std_of(
    a: Array,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Array:
    """|a - mean| / √(n - ddof) over a[where]."""
    a = cast(a, dtype)
    length = euclidean(deviation(a, axis, where, mean), axis=axis, keepdims=keepdims)
    return length / np.sqrt(free(taken(a, where, axis, keepdims), ddof, correction)).astype(real_dtype(a))


@extend(np.cumsum)
def running_sum(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Running sums in another precision."""
    return np.cumsum(cast(a, dtype), axis=axis)


@extend(np.cumprod)
def running_product(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Running products in another precision."""
    return np.cumprod(cast(a, dtype), axis=axis)


@extend(np.trace)
def trace_of(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Array:
    """The sum of a diagonal in another precision."""
    return np.trace(cast(a, dtype), offset, axis1, axis2)


def in_type(arrays: Sequence[Array], dtype: Any, casting: Any) -> list[Array]:
    """Return arrays in another precision, if NumPy would cast them."""
    parts = [floats(x) for x in arrays]
    common = np.result_type(*parts) if dtype is None else np.dtype(dtype)
    for x in parts:
        if not np.can_cast(x.dtype, common, casting):
            raise UnsupportedError(f"concatenate: {x.dtype} cannot be cast to {common} with casting={casting!r}")
    return [cast(x, common) for x in parts]


@extend(np.concatenate)
def concatenate(
    arrays: Sequence[Array], axis: int | None = 0, *, dtype: Any = None, casting: Any = "same_kind"
) -> Array:
    """Arrays joined in another precision."""
    return np.concatenate(in_type(arrays, dtype, casting), axis)


@extend(np.stack)
def stack(arrays: Sequence[Array], axis: int = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Arrays joined along a new axis, in another precision."""
    return np.stack(in_type(arrays, dtype, casting), axis)


@extend(np.vstack)
def vstack(tup: Sequence[Array], *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Arrays stacked vertically, in another precision."""
    return np.vstack(in_type(tup, dtype, casting))


@extend(np.hstack)
def hstack(tup: Sequence[Array], *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Arrays stacked horizontally, in another precision."""
    return np.hstack(in_type(tup, dtype, casting))


# ----- methods of ufuncs -----
def outer(ufunc: np.ufunc, a: Array, b: Array, **options: Any) -> Array:
    """f(a[i], b[j]) for all i and j."""
    a, b = floats(a), floats(b)
    return ufunc(np.reshape(a, (*a.shape, *(1,) * b.ndim)), b, **options)


def steps(a: Array, axis: int) -> list[Array]:
    """Return the entries along an axis, one after another."""
    return [np.take(a, i, axis=axis) for i in range(a.shape[axis])]


def accumulate(ufunc: np.ufunc, array: Array, axis: int = 0, dtype: Any = None) -> Array:
    """y[0] = a[0], y[i] = f(y[i - 1], a[i])."""
    a = cast(array if "ll->l" in ufunc.types else floats(array), dtype)  # or it has no loop for whole numbers
    if ufunc in (np.add, np.multiply):
        return (np.cumsum if ufunc is np.add else np.cumprod)(a, axis=axis)
    results: list[Array] = []
    for x in steps(a, axis):
        results.append(ufunc(results[-1], x) if results else x)
    return np.stack(results, axis=axis) if results else a


def reduce(
    ufunc: np.ufunc,
    array: Array,
    axis: Axis = 0,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """f(... f(f(initial, a[0]), a[1]) ...), over the entries that are not left out."""
    a = cast(array if "ll->l" in ufunc.types else floats(array), dtype)  # or it has no loop for whole numbers
    single = not a.ndim and axis in (0, -1)  # a number has no axis, but NumPy reduces it along its first
    axes = tuple(range(a.ndim)) if axis is None or single else normalize_axis_tuple(axis, a.ndim)
    front = tuple(range(len(axes)))
    flat = np.moveaxis(a, axes, front)
    entries = steps(np.reshape(flat, (math.prod(flat.shape[: len(axes)]), *flat.shape[len(axes) :])), 0)
    start = ufunc.identity if initial is None and (where is not True or not entries) else initial
    if start is None and not entries:
        raise UnsupportedError(f"{ufunc.__name__}.reduce: nothing to reduce, and {ufunc.__name__} has no identity")
    if where is True and entries:
        result = functools.reduce(ufunc, entries) if start is None else functools.reduce(ufunc, entries, start)
    else:
        chosen = np.moveaxis(np.broadcast_to(where, a.shape), axes, front).reshape(
            len(entries), *flat.shape[len(axes) :]
        )
        result = np.full(flat.shape[len(axes) :], start, a.dtype)[()]
        for mask, x in zip(chosen, entries, strict=True):
            result = np.where(mask, ufunc(result, x), result)
    return np.reshape(result, kept_shape(a, None if single else axis)) if keepdims else result


def reduceat(ufunc: np.ufunc, array: Array, indices: Any, axis: int = 0, dtype: Any = None) -> Array:
    """f reduced over a[indices[i] : indices[i + 1]] for each i; a[indices[i]] where that is empty."""
    a = cast(np.moveaxis(array, axis, 0), dtype)
    starts = [int(i) for i in indices]
    ends = [*starts[1:], len(a)]
    pieces = [ufunc.reduce(a[i:j], axis=0) if i < j else a[i] for i, j in zip(starts, ends, strict=True)]
    return np.moveaxis(np.stack(pieces), 0, axis)


METHODS: dict[str, Function] = {"outer": outer, "accumulate": accumulate, "reduce": reduce, "reduceat": reduceat}
"""The methods of ufuncs that do not write into their argument."""

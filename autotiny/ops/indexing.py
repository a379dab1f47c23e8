"""Operations that pick entries by an index, and `scatter`, which puts gradients back to where the entries were."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import OPS, Array, compose, is_computed_later, library, own

Key = Any


def is_basic(key: Key) -> bool:
    """Whether the key picks each entry at most once: integers, slices, ellipsis and newaxis."""
    return all(
        isinstance(part, int | np.integer | slice | None | type(...)) and not isinstance(part, bool)
        for part in parts(key)
    )


def parts(key: Key) -> tuple[Any, ...]:
    """Return what a key has for each axis."""
    return key if isinstance(key, tuple) else (key,)


def formula_in(key: Key) -> Any:
    """Return the first part of a key that is a formula, as where a sort is compiled; None if there is none."""
    return next((part for part in parts(key) if hasattr(part, "__autotiny_record__")), None)


@own(
    lambda g, y, x, key=None, shape=None: pick(g, key),
    traits="mixes analytic linear fills resizes",
    words="each entry receives the gradient of the place that it was put",
)
def scatter(x: Array, key: Key = None, shape: tuple[int, ...] = ()) -> Array:
    """Add x at key into zeros of this shape; an entry that is picked twice receives both."""
    out = np.zeros(shape, x.dtype, like=library(x))
    if is_basic(key):
        if library(x) is not None and None in parts(key):
            key, x = without_new_axes(key, x, shape)
        out[key] = x
    elif (formula := formula_in(key)) is not None:
        return formula.__autotiny_record__(OPS[scatter], (x,), {"key": key, "shape": shape})
    elif library(x) is None:
        np.add.at(out, key, x)
    elif is_computed_later(x):
        return gathered(x, key, shape)
    else:  # CuPy's takes the indices of one axis
        positions = np.reshape(np.arange(out.size, like=library(x)), shape)[key]
        np.add.at(np.reshape(out, -1), np.reshape(positions, -1), np.reshape(x, -1))
    return out


def gathered(x: Array, key: Key, shape: tuple[int, ...]) -> Array:
    """Return what `scatter` does for indices of one axis, where nothing can be added in place, as in Dask's arrays.

    Each entry of the result takes the one that is put there; once more for those that are put to the same place.
    """
    axes = [i for i, part in enumerate(parts(key)) if not isinstance(part, slice)]
    indices = np.asarray(parts(key)[axes[0]]) if len(axes) == 1 and parts(key)[axes[0]] is not Ellipsis else None
    if indices is None or indices.ndim != 1 or any(part != slice(None) for part in parts(key)[: axes[0]]):
        raise UnsupportedError(
            "index: arrays that are computed later take a list of indices for one axis, x[:, [0, 2]]"
        )
    axis, (positions,) = axes[0], np.nonzero(indices) if indices.dtype == bool else (indices % shape[axes[0]],)
    order = np.argsort(positions, kind="stable")
    first = np.searchsorted(positions[order], positions[order])
    again = np.empty_like(order)
    again[order] = np.arange(order.size) - first
    edge = np.zeros((*x.shape[:axis], 1, *x.shape[axis + 1 :]), x.dtype, like=library(x))
    padded, total = np.concatenate([x, edge], axis=axis), None
    for k in range(int(again.max(initial=0)) + 1):
        origins = np.full(shape[axis], order.size)
        origins[positions[again == k]] = np.flatnonzero(again == k)
        part = np.take(padded, origins, axis=axis)
        total = part if total is None else total + part
    return total


def without_new_axes(key: Key, x: Array, shape: tuple[int, ...]) -> tuple[Key, Array]:
    """Return a key without np.newaxis, which other libraries do not assign to, and x in the shape of what it picks."""
    key = tuple(part for part in parts(key) if part is not None)
    return key, np.reshape(x, np.broadcast_to(0, shape)[key].shape)


@own(
    lambda g, y, x, key=None: scatter(g, key=key, shape=x.shape),
    traits="moves analytic linear keeps_sign selects resizes",
    words="each entry that was picked receives its gradient; the others receive 0",
)
def index(x: Array, key: Key = None) -> Array:
    """x[key]."""
    return x[key]


def pick(x: Array, key: Key) -> Array:
    """x[key], also of a plain array where the key has formulas."""
    formula = formula_in(key)
    return index(x, key=key) if formula is None else formula.__autotiny_record__(OPS[index], (x,), {"key": key})


def places(indices: Any) -> Array:
    """Return a private copy of indices; those of another library, or a formula, unchanged."""
    if hasattr(indices, "__array_function__") and not isinstance(indices, np.ndarray):
        return indices
    return np.array(indices)


def along(x: Array, axis: int) -> Key:
    """Return the key of full slices for the axes before this one."""
    if isinstance(axis, bool):
        raise UnsupportedError(f"axis must be an integer, got {axis}")
    return (slice(None),) * normalize_axis_index(axis, x.ndim)


@compose(np.take)
def take(a: Array, indices: Array, axis: int | None = None, *, mode: str = "raise") -> Array:
    """Take the entries at indices along an axis, or of the flattened array."""
    if axis is None or not a.ndim:
        a, axis = np.ravel(a), axis or 0
    indices, before = places(indices), along(a, axis)
    n = a.shape[len(before)]
    if indices.dtype == bool or not indices.size:
        indices = indices.astype(np.intp)  # truth values count as 0 and 1
    if mode not in ("raise", "wrap", "clip"):
        raise UnsupportedError(f"take: mode must be 'raise', 'wrap' or 'clip'; got {mode!r}")
    if mode != "raise":
        indices = indices % n if mode == "wrap" else np.clip(indices, 0, n - 1)
    if is_computed_later(a) and isinstance(indices, np.ndarray) and indices.ndim != 1:  # Dask takes lists alone
        lines = pick(a, (*before, indices.ravel()))
        return np.reshape(lines, (*a.shape[: len(before)], *indices.shape, *a.shape[len(before) + 1 :]))
    return pick(a, (*before, indices))


@compose(np.take_along_axis)
def take_along_axis(arr: Array, indices: Array, axis: int | None = -1) -> Array:
    """Take entries along an axis, with indices of its own for each line."""
    indices = places(indices)
    if indices.dtype.kind not in "iu":
        raise UnsupportedError(f"take_along_axis: indices must be integers, got {indices.dtype}")
    if axis is None:
        arr, axis = np.ravel(arr), 0
    if indices.ndim != arr.ndim:
        raise ShapeError(
            f"take_along_axis: indices of shape {indices.shape} for an array of shape {arr.shape}: they need as many "
            "axes; np.take has the same indices for all lines"
        )
    grid = list(np.ogrid[tuple(slice(n) for n in arr.shape)])
    grid[axis] = indices
    return pick(arr, tuple(grid))


@compose(np.sort)
def sort(a: Array, axis: int | None = -1, kind: Any = None, *, stable: bool | None = None) -> Array:
    """Sort along an axis; equal entries keep their order."""
    if axis is None:
        a, axis = np.ravel(a), 0
    np.sort(np.zeros(1), kind=kind, stable=stable)  # raises for options that exclude each other
    return np.take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis=axis)


@compose(np.diagonal)
def diagonal(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """Return the entries a[..., i, i + offset]."""
    if a.ndim != 2 or axis1 not in (0, -2) or axis2 not in (1, -1):
        a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = a.shape[-2:]
    start, stop = max(0, -offset), max(0, -offset, min(rows, columns - offset))
    if is_computed_later(a):
        alone = np.where(on_diagonal(a, rows, columns, offset), a, 0)
        return index(np.sum(alone, axis=-1), key=(..., slice(start, stop)))
    i = np.arange(start, stop)
    return index(a, key=(..., i, i + offset))


def on_diagonal(x: Array, rows: int, columns: int, offset: int) -> Array:
    """Return where a diagonal is: Dask takes no index for each of several axes."""
    i, j = (np.arange(n, like=library(x)) for n in (rows, columns))
    return np.equal(i[:, None] + offset, j)


@compose(np.trace)
def trace(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The sum of a diagonal."""
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@compose(np.diag)
def diag(v: Array, k: int = 0) -> Array:
    """Return the diagonal of a matrix, or the matrix with this diagonal."""
    if v.ndim not in (1, 2):
        raise ShapeError(f"diag: expected a vector or a matrix, got shape {v.shape}; use np.diagonal with its axes")
    if v.ndim == 2:
        return np.diagonal(v, k)
    i = np.arange(v.shape[0])
    n = v.shape[0] + abs(k)
    if is_computed_later(v):
        zeros = np.zeros(abs(k), v.dtype, like=library(v))
        return np.where(on_diagonal(v, n, n, k), np.concatenate([v, zeros] if k > 0 else [zeros, v])[:, None], 0)
    return scatter(v, key=(i + max(-k, 0), i + max(k, 0)), shape=(n, n))


@compose(np.diff)
def diff(a: Array, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
    """a[i + 1] - a[i], n times, between what is prepended and appended."""
    if n < 0:
        raise UnsupportedError(f"diff: n must be 0 or more, got {n}")
    if not a.ndim:
        raise ShapeError("diff: expected an array with an axis; got a single number")
    if n and (prepend is not None or append is not None):
        edge = [1 if i == axis % a.ndim else length for i, length in enumerate(a.shape)]
        parts = [x if np.ndim(x) else np.broadcast_to(x, edge) for x in (prepend, a, append) if x is not None]
        a = np.concatenate(parts, axis=axis)
    for _ in range(n):
        before = along(a, axis)
        a = index(a, key=(*before, slice(1, None))) - index(a, key=(*before, slice(None, -1)))
    return a


def _pieces(x: Array, parts: list[Any], axis: int) -> list[Array]:
    return [index(x, key=(*along(x, axis), slice(p[0], p[-1] + 1) if len(p) else slice(0, 0))) for p in parts]


@compose(np.split)
def split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Split into equal pieces along an axis, or at indices."""
    return _pieces(ary, np.split(np.arange(ary.shape[axis]), indices_or_sections), axis)


@compose(np.array_split)
def array_split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Split into pieces of nearly equal length along an axis."""
    return _pieces(ary, np.array_split(np.arange(ary.shape[axis]), indices_or_sections), axis)


@compose(np.hsplit)
def hsplit(ary: Array, indices_or_sections: Any) -> Array:
    """Split along the second axis, or the only one."""
    return split(ary, indices_or_sections, axis=min(1, ary.ndim - 1))


@compose(np.vsplit)
def vsplit(ary: Array, indices_or_sections: Any) -> Array:
    """Split along the first axis."""
    if ary.ndim < 2:
        raise ShapeError(f"vsplit: expected two axes or more, got shape {ary.shape}; use np.split")
    return split(ary, indices_or_sections, axis=0)

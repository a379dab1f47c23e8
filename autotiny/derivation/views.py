"""Indices and views by their names: which variable an array of labels is, and which part of a variable an array is.

Recording copies the arrays in an index, so that they count by their values; a view of an array that has a name is
recognised by the memory that it shares.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from autotiny.ops.indexing import parts


def equal_array(value: Any, arrays: Iterable[tuple[str, Any]]) -> Any:
    """Return the only array with these entries; None if there is none, or another one has them too."""
    same = [a for _, a in arrays if a.dtype.kind == value.dtype.kind and np.array_equal(a, value)]
    return same[0] if same and all(a is same[0] for a in same) else None


def part_of_array(value: Any, arrays: Iterable[tuple[str, Any]]) -> Iterator[tuple[Any, Any]]:
    """Yield an array and the index of its row or column, or of its beginning or end, that has these entries.

    Labels are copied where they are an index: y[1:] is recognised as the end of y.
    """
    if value.ndim != 1 or value.size < 2:
        return
    n = value.size
    for _, array in arrays:
        if array.dtype.kind != value.dtype.kind:
            continue
        if array.ndim == 1 and array.size > n:
            for part in (slice(None, n - array.size), slice(array.size - n, None)):
                if np.array_equal(array[part], value):
                    yield array, part
        elif array.ndim == 2:
            for i in np.flatnonzero((array == value).all(axis=1)) if array.shape[1] == n else ():
                yield array, int(i)
            for j in np.flatnonzero((value == array.T).all(axis=1)) if array.shape[0] == n else ():
                yield array, (slice(None), int(j))


def with_names(key: Any, known: Callable[[Any], Any]) -> Any:
    """Return an index with the terms of variables in place of arrays of labels and masks, where they are known."""

    def named(part: Any) -> Any:
        if isinstance(part, range):
            return np.array(part, dtype=int)
        if not isinstance(part, np.ndarray) or part.ndim != 1 or np.array_equal(part, np.arange(part.size)):
            return part
        term = known(part)
        return part if term is None else term

    return tuple(map(named, key)) if isinstance(key, tuple) else named(key)


def is_order(key: Any, x: Any) -> bool:
    """Whether an index is the order that sorts a vector, as np.sort records it."""
    if (
        not isinstance(key, tuple | np.ndarray)
        or np.ndim(x) != 1
        or len(key) != (1 if isinstance(key, tuple) else len(x))
    ):
        return False
    (order,) = parts(key)
    return isinstance(order, np.ndarray) and order.dtype.kind == "i" and np.array_equal(order, np.argsort(x))


def flat(key: Any, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]] | None:
    """Return an index of columns of places as one of places, and the shape of what it picks; None of another one.

    np.take_along_axis(P, y[:, None], axis=1) has the index (np.arange(8)[:, None], y[:, None]).
    """
    places = parts(key)
    if len(places) != len(shape) or not all(isinstance(p, np.ndarray) and p.dtype.kind in "iu" for p in places):
        return None
    joint = np.broadcast_shapes(*(p.shape for p in places))
    if len(joint) < 2 or max(joint) != np.prod(joint) or max(joint) < 2:
        return None
    return tuple(np.broadcast_to(p, joint).ravel() for p in places), joint


def view_key(value: Any, base: Any) -> Any:
    """Return the index by which an array is a view of another one; None if it is none, or not by a basic index.

    >>> x = np.arange(12.0).reshape(3, 4)
    >>> view_key(x[1], x), view_key(x[:, 1:3], x), view_key(x[::2, 0], x), view_key(x.copy(), x)
    (1, (slice(None, None, None), slice(1, -1, None)), (slice(None, None, 2), 0), None)
    """
    if value is base or not isinstance(value, np.ndarray) or not (value.base is base or value.base is base.base):
        return None
    if value.base is None or not value.size or value.dtype != base.dtype or not base.flags.c_contiguous:
        return None
    offset, rest = divmod(_address(value) - _address(base), base.itemsize)
    if rest or not 0 <= offset < base.size:
        return None
    start = np.unravel_index(offset, base.shape)
    steps = [stride // base.itemsize for stride in value.strides]
    for key in _keys(start, base, value.shape, steps):
        if _same_memory(base[key], value):
            return key[0] if len(key) == 1 else key
    return None


def _address(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _same_memory(a: Any, b: Any) -> bool:
    return a.shape == b.shape and _address(a) == _address(b) and (a.strides == b.strides or a.size == 1)


def _keys(start: Any, base: Any, shape: tuple[int, ...], steps: list[int]) -> Iterator[tuple[Any, ...]]:
    """Yield indices of numbers and slices that begin at a place and give this shape."""
    for axes in itertools.combinations(range(base.ndim), len(shape)):
        key: list[Any] = list(map(int, start))
        for axis, n, step in zip(axes, shape, steps, strict=True):
            key[axis] = _slice(int(start[axis]), n, step // (base.strides[axis] // base.itemsize), base.shape[axis])
        while len(key) > 1 and key[-1] == slice(None):
            key.pop()
        yield tuple(key)


def _slice(start: int, n: int, step: int, length: int) -> slice:
    """Return a slice as it is typed: x[:-2] and x[1:], x[::2]."""
    if step < 0:
        stop = start + n * step
        return slice(None if start == length - 1 else start, None if stop < 0 else stop, step)
    stop = start + (n - 1) * max(step, 1) + 1
    ends = None if length - stop < max(step, 1) else stop if step > 1 or stop <= length // 2 else stop - length
    return slice(start or None, ends, step if step > 1 else None)

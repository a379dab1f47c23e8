"""Sets: the distinct entries of arrays, in increasing order.

They are a selection: of equal entries the first is taken, and receives the gradient.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.ops.table import Array, compose, floats


class Distinct(NamedTuple):
    """Where the distinct entries of sorted ones begin; all but the values themselves are plain arrays."""

    order: Array
    starts: Array
    new: Array

    @property
    def indices(self) -> Array:
        """The first place of each distinct entry."""
        return self.order[self.starts]

    @property
    def inverse(self) -> Array:
        """The number of the distinct entry that each entry equals."""
        return (np.cumsum(self.new) - 1)[np.argsort(self.order)]

    @property
    def counts(self) -> Array:
        """How often each distinct entry occurs."""
        return np.diff(np.append(self.starts, len(self.order)))


def distinct(rows: Array, equal_nan: bool) -> Distinct:
    """Find the distinct entries of a vector, or rows of a matrix."""
    if rows.ndim == 1:
        order = np.argsort(rows, kind="stable")
        entries = np.take(rows, order)
        same = np.equal(entries[1:], entries[:-1])
        if equal_nan:
            same = np.logical_or(same, np.logical_and(np.isnan(entries[1:]), np.isnan(entries[:-1])))
    else:
        order = np.lexsort(np.flip(rows, 1).T) if rows.shape[1] else np.arange(len(rows))
        entries = np.take(rows, order, axis=0)
        same = np.all(np.equal(entries[1:], entries[:-1]), axis=1)
    new = np.concatenate([np.ones(min(len(rows), 1), bool), np.logical_not(same)])
    return Distinct(order, np.flatnonzero(new), new)


@compose(np.unique)
def unique(
    ar: Array,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,  # noqa: A002 - NumPy's name; False allows any order
) -> Any:
    """The distinct entries, or lines along an axis; and where the first of each is, which one each is, how many."""
    ar, axis = floats(ar), axis if axis is None else operator.index(axis)
    if ar.ndim == 1 and axis in (0, -1):
        axis = None
    lines = np.ravel(ar) if axis is None else np.moveaxis(ar, axis, 0)
    found = distinct(lines if axis is None else np.reshape(lines, (len(lines), math.prod(lines.shape[1:]))), equal_nan)
    values = np.take(lines, found.indices, axis=0)
    inverse = np.reshape(found.inverse, ar.shape) if axis is None else found.inverse
    asked = ((return_index, found.indices), (return_inverse, inverse), (return_counts, found.counts))
    others = [result for wanted, result in asked if wanted]
    values = values if axis is None else np.moveaxis(values, 0, axis)
    return (values, *others) if others else values


@compose(np.unique_values)
def unique_values(x: Array, /) -> Array:
    """The distinct entries."""
    return unique(x, equal_nan=False)


@compose(np.unique_counts)
def unique_counts(x: Array, /) -> Any:
    """The distinct entries, and how often each occurs."""
    return UNIQUE_COUNTS(*unique(x, return_counts=True, equal_nan=False))


@compose(np.unique_inverse)
def unique_inverse(x: Array, /) -> Any:
    """The distinct entries, and which of them each entry is."""
    return UNIQUE_INVERSE(*unique(x, return_inverse=True, equal_nan=False))


@compose(np.unique_all)
def unique_all(x: Array, /) -> Any:
    """The distinct entries, where the first of each is, which of them each entry is, and how often each occurs."""
    return UNIQUE_ALL(*unique(x, True, True, True, equal_nan=False))


UNIQUE_COUNTS: Any = type(np.unique_counts(np.zeros(1)))
UNIQUE_INVERSE: Any = type(np.unique_inverse(np.zeros(1)))
UNIQUE_ALL: Any = type(np.unique_all(np.zeros(1)))


# ----- of two arrays -----
def entries_of(arrays: Sequence[Any], assume_unique: bool) -> list[Array]:
    """Return each array's entries, once each."""
    return [np.ravel(floats(x)) if assume_unique else unique(x) for x in arrays]


@compose(np.union1d)
def union1d(ar1: Array, ar2: Array) -> Array:
    """The distinct entries of both."""
    return unique(np.concatenate([np.ravel(floats(ar1)), np.ravel(floats(ar2))]))


@compose(np.intersect1d)
def intersect1d(ar1: Array, ar2: Array, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The entries that are in both, taken from the first."""
    parts = [np.ravel(floats(x)) for x in (ar1, ar2)]
    places = [np.arange(len(x)) if assume_unique else distinct(x, True).indices for x in parts]
    whole = np.concatenate([np.take(x, i) for x, i in zip(parts, places, strict=True)])
    order = np.argsort(whole, kind="stable")
    entries = np.take(whole, order)
    twice = np.flatnonzero(np.equal(entries[1:], entries[:-1]))
    values = np.take(entries, twice)
    if not return_indices:
        return values
    return values, places[0][order[twice]], places[1][order[twice + 1] - len(places[0])]


@compose(np.setdiff1d)
def setdiff1d(ar1: Array, ar2: Array, assume_unique: bool = False) -> Array:
    """The entries of the first that are not in the second."""
    (entries,) = entries_of([ar1], assume_unique)
    return np.take(entries, np.flatnonzero(np.isin(entries, ar2, invert=True)))


@compose(np.setxor1d)
def setxor1d(ar1: Array, ar2: Array, assume_unique: bool = False) -> Array:
    """The entries that are in one of them alone."""
    entries = np.sort(np.concatenate(entries_of([ar1, ar2], assume_unique)))
    same = np.equal(entries[1:], entries[:-1])
    end = np.zeros(1, bool)
    alone = np.logical_not(np.logical_or(np.append(end, same), np.append(same, end))[: len(entries)])
    return np.take(entries, np.flatnonzero(alone))

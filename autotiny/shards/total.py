"""The sum, or the weighted mean, of what a step returns for each shard."""

from typing import Any

import numpy as np

from autotiny.engine.pytree import flatten, leaves_as, places
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.shards.task import Outcome, described


class Total:
    """The sum so far of each value of the tree, in its own precision; of float16 in float32, as NumPy adds up."""

    def __init__(self, first: Outcome, weighted: bool) -> None:
        self.weighted, self.unit = weighted, first.weight
        self.count, self.weights = 1, 1.0
        """The sum of the weights is in units of the first: equal ones are exact, and large ones do not overflow."""
        leaves, self.rebuild = flatten(first.value)
        for leaf, place in zip(leaves, places(first.value), strict=True):
            _require_number(leaf, place, first.number)
        self.types = [leaf.dtype if isinstance(leaf, np.ndarray | np.generic) else None for leaf in leaves]
        wide = (_widened(leaf, weighted) for leaf in leaves)
        self.leaves = [np.array(leaf) if isinstance(leaf, np.ndarray) else leaf for leaf in wide]
        self.tree = self.rebuild(self.leaves)

    def add(self, each: Outcome) -> None:
        """Add the outcome of the next shard."""
        where, factor = f"over_shards: what shard {each.number} returned", each.weight / self.unit
        leaves = leaves_as(each.value, self.tree, where)
        for i, (leaf, place) in enumerate(zip(leaves, places(self.tree), strict=True)):
            _require_number(leaf, place, each.number)
            if np.shape(leaf) != np.shape(self.leaves[i]):
                raise ShapeError(
                    f"{where} must have the shape of what shard 0 returned{_at(place)}, {np.shape(self.leaves[i])}; "
                    f"got {np.shape(leaf)}: a step returns sums or means over its examples, not a value for each"
                )
            wide = _widened(leaf, self.weighted)
            self.leaves[i] = _sum(self.leaves[i], wide * factor if self.weighted else wide)
        self.weights += factor
        self.count += 1

    def result(self) -> Any:
        """Return the sum, or the mean, as the tree that the step returns."""
        means = [leaf / self.weights if self.weighted else leaf for leaf in self.leaves]
        return self.rebuild([_as_returned(*each) for each in zip(means, self.leaves, self.types, strict=True)])


def _require_number(leaf: Any, place: str, number: int) -> None:
    kind = (getattr(leaf, "dtype", None) or np.dtype(type(leaf))).kind
    if kind not in "fciu":
        mend = "; count with np.count_nonzero" if kind == "b" else ""
        raise UnsupportedError(
            f"over_shards: shard {number} returned {described(leaf)}{_at(place)}; numbers and arrays are added up{mend}"
        )


def _at(place: str) -> str:
    return f" at {place}" if place else ""


def _widened(leaf: Any, weighted: bool) -> Any:
    """Return a value in the type in which it is added up: float16 in float32, a mean of whole numbers in float64."""
    if not isinstance(leaf, np.ndarray | np.generic):
        return leaf
    if leaf.dtype == np.float16:
        return leaf.astype(np.float32)
    return leaf.astype(np.float64) if weighted and leaf.dtype.kind in "iu" else leaf


def _sum(total: Any, leaf: Any) -> Any:
    """Return total + leaf, written into total where it fits; an array of no axes stays one."""
    if not isinstance(total, np.ndarray) or not isinstance(leaf, np.ndarray | np.generic):
        return total + leaf
    return np.asarray(np.add(total, leaf, out=total if np.result_type(total, leaf) == total.dtype else None))


def _as_returned(value: Any, total: Any, dtype: Any) -> Any:
    """Return a value of the tree with the type that the step gave it."""
    if dtype == np.float16 and value.dtype == np.float32:
        value = value.astype(np.float16)
    return np.asarray(value) if isinstance(total, np.ndarray) else value

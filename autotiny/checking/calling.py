"""Numeric derivatives of a function that is called anew, which sees what no graph shows: values taken with .data."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autotiny.checking.differences import Sides, sides
from autotiny.checking.numeric import random_direction
from autotiny.tensor import Tensor

Call = Callable[[list[Tensor]], Any]
"""Takes the variables as fresh Tensors, and gives a number."""


class Calling:
    """Derivatives by one variable, by differences of calls; in extended precision where the function runs in it."""

    method = "differences"

    def __init__(self, call: Call, values: Sequence[Any], position: int) -> None:
        self.call, self.values, self.position = call, values, position
        self.real: Any = np.longdouble if self._runs_in(np.longdouble) else np.float64

    def along(self, direction: Any) -> Sides:
        """The derivative along a direction of the variable's shape."""
        return self.along_all([direction if i == self.position else 0.0 for i in range(len(self.values))])

    def entry(self, index: tuple[int, ...]) -> Sides:
        """The derivative by one entry."""
        direction = np.zeros(self.values[self.position].shape)
        direction[index] = 1
        return self.along(direction)

    def along_all(self, directions: Sequence[Any]) -> Sides:
        """The derivative where every variable moves."""
        moving = [abs(x[np.broadcast_to(d, x.shape) != 0]) for x, d in zip(self.values, directions, strict=True)]
        scale = max((float(part.max(initial=0)) for part in moving), default=0.0) or 1.0
        return sides(lambda t: self._at(t, directions), scale, float(np.finfo(self.real).eps))

    def _at(self, t: Any, directions: Sequence[Any]) -> Any:
        moved = [x.astype(self.real) + self.real(t) * d for x, d in zip(self.values, directions, strict=True)]
        return self._value([Tensor(x, dtype=self.real) for x in moved])

    def _runs_in(self, real: Any) -> bool:
        try:
            self._value([Tensor(x, dtype=real) for x in self.values])
        except TypeError:
            return False
        return True

    def _value(self, tensors: list[Tensor]) -> Any:
        with np.errstate(all="ignore"):
            return self.call(tensors)


def agrees(call: Call, values: Sequence[Any], gradients: Sequence[Any], tolerance: float) -> bool:
    """Whether gradients, along one random direction, are the derivative of the function that is called anew.

    Kinks may be crossed on the way, so only what no step explains is a disagreement.
    """
    rng = np.random.default_rng(0)
    directions = [random_direction(x.shape, rng) * np.where(x == 0, 1, abs(x)) for x in values]
    expected = float(sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True)))
    found = Calling(call, values, 0).along_all(directions)
    largest = float(sum(np.sum(abs(g * d)) for g, d in zip(gradients, directions, strict=True)))
    return not found.distance(expected) > 4 * found.noise + tolerance * largest

"""What one may turn in an exploration: sliders for numbers, cells for matrices; all else stays as it was given."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.tensor import Tensor
from autotiny.values import own

MOST_CELLS = 64
STEPS = 200
"""Of a slider, from its lower end to its upper one."""


@dataclass(frozen=True)
class Control:
    """One value and how it may be changed: between two numbers, cell by cell, or not at all."""

    name: str
    start: Any
    low: float | None = None
    high: float | None = None
    tracked: bool = True

    @property
    def shown(self) -> bool:
        """Whether there is something to turn."""
        return self.tracked and self.start.size <= MOST_CELLS

    @property
    def told(self) -> dict[str, Any]:
        """What the page needs to know."""
        if self.low is None or self.high is None:
            return {"name": self.name, "kind": "cells"}
        return {"name": self.name, "kind": "slider", "low": self.low, "high": self.high, "step": self.step}

    @property
    def step(self) -> float:
        """A round number: a 1, 2 or 5 with zeros."""
        assert self.low is not None
        assert self.high is not None
        rough = (self.high - self.low) / STEPS
        power = 10.0 ** math.floor(math.log10(rough))
        return float(f"{power * next(digit for digit in (1, 2, 5, 10) if digit * power >= 0.999 * rough):.12g}")

    def given(self, value: Any) -> Any:
        """A new value as an array; raises UnsupportedError for another shape."""
        array = np.asarray(own(value, True, where=self.name))
        if array.shape != self.start.shape:
            raise UnsupportedError(f"{self.name} has shape {self.start.shape}, and {array.shape} was given")
        return array

    def tensor(self, value: Any) -> Tensor:
        """A fresh leaf of a value."""
        return Tensor(value, requires_grad=self.tracked, name=self.name)


def control(name: str, given: Any) -> Control:
    """The control of what was given: (low, high), (low, high, start), a number, an array, or a Tensor.

    Raises UnsupportedError for bounds that hold nothing in between.

    >>> control("a", (-3, 3)).told
    {'name': 'a', 'kind': 'slider', 'low': -3.0, 'high': 3.0, 'step': 0.05}
    """
    if isinstance(given, Tensor):
        return Control(name, np.array(given.detach()), tracked=given.requires_grad)
    if isinstance(given, tuple):
        return _slider(name, given)
    start = np.asarray(own(given, True, where=name))
    if start.ndim:
        return Control(name, start)
    reach = max(3.0, 2 * abs(float(start)))
    return Control(name, start, -reach, reach)


def _slider(name: str, given: tuple[Any, ...]) -> Control:
    bounds = np.asarray(own(list(given), True, where=name))
    if bounds.shape not in ((2,), (3,)) or not np.isfinite(bounds).all() or not bounds[0] < bounds[1]:
        raise UnsupportedError(f"{name}: expected (low, high) or (low, high, start) with low < high; got {given}")
    low, high = bounds[:2].tolist()
    start = bounds[2] if len(bounds) == 3 else round((low + high) / 2, 12)
    if not low <= start <= high:
        raise UnsupportedError(f"{name}: the start {start:g} lies outside of {low:g} … {high:g}")
    return Control(name, np.asarray(start), low, high)


def controls(given: Mapping[str, Any]) -> dict[str, Control]:
    """The controls by their names."""
    return {name: control(name, value) for name, value in given.items()}

"""The controls of an exploration: a slider for a number, cells for an array."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotiny.engine.tensor import Tensor, as_argument
from autotiny.engine.values import private_copy
from autotiny.errors import UnsupportedError

MOST_CELLS = 64
SLIDER_STEPS = 200


@dataclass(frozen=True)
class Control:
    """An argument and how it can be changed: between two numbers, or entry by entry."""

    name: str
    start: Any
    low: float | None = None
    high: float | None = None
    tracked: bool = True
    free: bool = False
    """Whether nobody said where the slider starts."""

    @property
    def shown(self) -> bool:
        """Whether the page shows the control: data and large arrays have none."""
        return self.tracked and self.start.size <= MOST_CELLS

    @property
    def description(self) -> dict[str, Any]:
        """The control as JSON for the page."""
        if self.low is None or self.high is None:
            return {"name": self.name, "kind": "cells"}
        return {"name": self.name, "kind": "slider", "low": self.low, "high": self.high, "step": self.step}

    @property
    def step(self) -> float:
        """The step of the slider, a round number: 1, 2 or 5 times a power of 10."""
        assert self.low is not None
        assert self.high is not None
        rough = (self.high - self.low) / SLIDER_STEPS
        power = 10.0 ** math.floor(math.log10(rough))
        return float(f"{power * next(digit for digit in (1, 2, 5, 10) if digit * power >= 0.999 * rough):.12g}")

    def at(self, share: float) -> Any:
        """The value at a share of the slider's range, rounded to its step."""
        assert self.low is not None
        assert self.high is not None
        rough = self.low + share * (self.high - self.low)
        return np.asarray(round(round(rough / self.step) * self.step, 12))

    def array(self, value: Any) -> Any:
        """A new value as an array; raises UnsupportedError for another shape."""
        array = np.asarray(private_copy(value, True, where=self.name))
        if array.shape != self.start.shape:
            raise UnsupportedError(f"{self.name}: expected shape {self.start.shape}; got {array.shape}")
        return array

    def tensor(self, value: Any) -> Tensor:
        """A new leaf with a value."""
        return as_argument(value, self.tracked, self.name)


def controls(arguments: Mapping[str, Any]) -> dict[str, Control]:
    """The controls of the arguments by name."""
    return {name: control(name, value) for name, value in arguments.items()}


def control(name: str, argument: Any) -> Control:
    """The control of an argument: (low, high), (low, high, start), a number, an array, or a Tensor.

    Raises UnsupportedError for bounds with nothing in between.

    >>> control("a", (-3, 3)).description
    {'name': 'a', 'kind': 'slider', 'low': -3.0, 'high': 3.0, 'step': 0.05}
    """
    if isinstance(argument, Tensor):
        return Control(name, np.array(argument.detach()), tracked=argument.requires_grad)
    if isinstance(argument, tuple):
        return _slider(name, argument)
    start = np.asarray(private_copy(argument, True, where=name))
    if start.ndim:
        return Control(name, start)
    limit = max(3.0, 2 * abs(float(start)))
    return Control(name, start, -limit, limit)


def _slider(name: str, argument: tuple[Any, ...]) -> Control:
    bounds = np.asarray(private_copy(list(argument), True, where=name))
    if bounds.shape not in ((2,), (3,)) or not np.isfinite(bounds).all() or not bounds[0] < bounds[1]:
        raise UnsupportedError(f"{name}: expected (low, high) or (low, high, start) with low < high; got {argument}")
    low, high = bounds[:2].tolist()
    start = bounds[2] if len(bounds) == 3 else round((low + high) / 2, 12)
    if not low <= start <= high:
        raise UnsupportedError(f"{name}: the start {start:g} lies outside of {low:g} … {high:g}")
    return Control(name, np.asarray(start), low, high, free=len(bounds) == 2)

"""The live form of an exploration in a notebook: it needs anywidget, which is loaded when the first one is shown."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotiny.engine.tensor import Tensor
from autotiny.engine.values import private_copy
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.notation.arrays import summarise

if TYPE_CHECKING:
    from autotiny.playground.explore import Explorer

# ----- explore controls -----
# What one may turn in an exploration: sliders for numbers, cells for matrices; all else stays as it was given.


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
        array = np.asarray(private_copy(value, True, where=self.name))
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
    start = np.asarray(private_copy(given, True, where=name))
    if start.ndim:
        return Control(name, start)
    reach = max(3.0, 2 * abs(float(start)))
    return Control(name, start, -reach, reach)


def _slider(name: str, given: tuple[Any, ...]) -> Control:
    bounds = np.asarray(private_copy(list(given), True, where=name))
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


HERE = Path(__file__).parent / "widget"


def live(explorer: "Explorer", controls: list[dict[str, Any]]) -> Any:
    """The widget of an exploration, which follows its page and tells it what came of it."""
    widget = _kind()(controls=controls, answer=answer(explorer))

    def hear(change: Any) -> None:
        widget.answer = reply(explorer, widget.asked)

    widget.observe(hear, "asked")
    return widget


def reply(explorer: "Explorer", asked: Mapping[str, Any]) -> dict[str, Any]:
    """What comes of the values that a page asks for; what goes wrong is told, and leaves all as it was."""
    try:
        explorer.turn(asked["values"])
    except (AutotinyError, ArithmeticError, ValueError) as error:
        return answer(explorer, asked["number"], str(error))
    return answer(explorer, asked["number"])


@functools.cache
def _kind() -> Any:
    """The class of the widgets: `asked` is what the page asks for, `answer` what came of it, with the same number."""
    import anywidget
    import traitlets

    facts = {name: traitlets.Dict().tag(sync=True) for name in ("asked", "answer")}
    parts = {"_esm": HERE / "explore.js", "_css": HERE / "explore.css", "controls": traitlets.List().tag(sync=True)}
    return type("ExplorerWidget", (anywidget.AnyWidget,), {**parts, **facts})


def answer(explorer: "Explorer", number: int = 0, problem: str = "") -> dict[str, Any]:
    """How things stand, for the page."""
    gradients = {name: _slope(explorer, name, g) for name, g in explorer.gradients.items()}
    values = {name: value.tolist() for name, value in explorer.values.items() if name in gradients}
    told = {"number": number, "problem": problem, "values": values, "gradients": gradients}
    return {**told, "page": explorer.steps.html}


def _slope(explorer: "Explorer", name: str, gradient: Any) -> str:
    if gradient is None:
        return ""
    shown = summarise(gradient)
    told = f"[{', '.join(shown.rows[0])}]" if len(shown.rows) == 1 and np.ndim(gradient) else shown.text
    return f"∂{explorer.output.name}/∂{name} = {told}".replace("-", "−")

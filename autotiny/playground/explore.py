"""A function to play with: sliders and cells for its arguments, and the picture that steps through its graph."""

import importlib.util
import inspect
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from autotiny.drawing import draw
from autotiny.drawing.stepping import SteppingPicture
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.language.errors import suggestion
from autotiny.playground.explore_widget import Control, answer, controls, live
from autotiny.sessions.session import Session

Played = tuple[Mapping[str, Tensor], Any]
"""The arguments as they stand in the graph, and what was computed from them."""
Function = Callable[[Mapping[str, Tensor]], Played]


def explore(f: Callable[..., Any] | str, /, **arguments: Any) -> "Explorer":
    """Play with a function: turn its arguments, and see its graph, its values and its gradients change.

    f : a function of Tensors by name, in NumPy; or a formula as text, in the language of sessions
    arguments : (low, high) or (low, high, start) for a slider, a number for one around it, an array for cells to edit,
        a Tensor with requires_grad=False for data

    In a notebook with anywidget (the extra `widget`) the result is live; without, and in a notebook that nobody runs,
    it is the picture that steps, at the values of the time. Raises UnsupportedError for arguments that are no numbers
    or not those of f, and for an f that gives no Tensor.

    >>> import numpy as np
    >>> e = explore(lambda a, w: np.tanh(a * w).sum(), a=(-3, 3, 1), w=[1.0, 2.0])
    >>> e.set(a=0.0)
    >>> float(e.gradients["a"])
    3.0
    """
    function, turned = _function(f), controls(arguments)
    if callable(f):
        _expect_arguments(f, arguments)
    return Explorer(function, turned)


class Explorer:
    """A function at some values, its graph and gradients; shows itself in a notebook with what turns the values."""

    def __init__(self, function: Function, turned: Mapping[str, Control]) -> None:
        self._function, self._controls = function, turned
        self._values = {name: each.start for name, each in turned.items()}
        self._leaves, self.output = self._computed(self._values)

    # ----- values -----
    @property
    def values(self) -> dict[str, Any]:
        """The arguments, as arrays."""
        return {name: value.copy() for name, value in self._values.items()}

    def set(self, **values: Any) -> None:
        """Give arguments other values, of the same shapes; what fails leaves all as it was."""
        self.turn(values)
        if "widget" in self.__dict__:
            self.widget.answer = answer(self)

    def turn(self, values: Mapping[str, Any]) -> None:
        """The same, without a word to the page."""
        unknown = values.keys() - self._controls.keys()
        if unknown:
            raise UnsupportedError(f"explore: there is no {min(unknown)}, only {', '.join(self._controls)}")
        given = {name: self._controls[name].given(value) for name, value in values.items()}
        self._leaves, self.output = self._computed({**self._values, **given})
        self._values |= given

    @property
    def gradients(self) -> dict[str, Any]:
        """d(output)/d(argument) of every variable; None where the output is no single number, or does not depend."""
        return {name: leaf.grad for name, leaf in self._leaves.items() if leaf.requires_grad}

    def _computed(self, values: Mapping[str, Any]) -> tuple[Mapping[str, Tensor], Tensor]:
        given = {name: self._controls[name].tensor(value) for name, value in values.items()}
        leaves, output = self._function(given)
        if not isinstance(output, Tensor) or not output.requires_grad:
            raise UnsupportedError(
                f"explore: expected f to give a Tensor of its arguments; got {type(output).__name__}"
            )
        return leaves, output

    # ----- pictures -----
    @property
    def steps(self) -> SteppingPicture:
        """The picture that steps, at these values."""
        return draw(self.output).steps

    def save(self, path: str | Path) -> None:
        """Write the picture that steps: .html, or an .svg that plays by itself."""
        self.steps.save(path)

    @cached_property
    def widget(self) -> Any:
        """The live form; raises ImportError where anywidget is not installed."""
        return live(self, [each.told for each in self._controls.values() if each.shown])

    def __repr__(self) -> str:
        return draw(self.output).table

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, Any]:
        still = self.steps._repr_mimebundle_()
        if "text/html" not in still or not importlib.util.find_spec("anywidget"):
            return still
        live = self.widget._repr_mimebundle_()
        return {**still, **(live[0] if isinstance(live, tuple) else live), "text/plain": repr(self)}


def _function(f: Callable[..., Any] | str) -> Function:
    if isinstance(f, str):
        return _Formula(f)
    if not callable(f):
        raise UnsupportedError(f"explore: expected a function, or a formula as text; got {type(f).__name__}")
    return lambda leaves: _recorded(f, leaves)


def _expect_arguments(f: Callable[..., Any], given: Collection[str]) -> None:
    """Raise UnsupportedError unless f can be called with arguments of these names."""
    try:
        parameters = inspect.signature(f).parameters
    except (TypeError, ValueError):  # some builtins have none
        return
    needed = [
        p for p in parameters.values() if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if unnamed := [p.name for p in needed if p.kind is p.POSITIONAL_ONLY]:
        raise UnsupportedError(
            f"explore: {_called(f)} takes {', '.join(unnamed)} by position alone, and explore gives arguments by name: "
            f"wrap it, as in lambda {', '.join(unnamed)}: {_called(f)}({', '.join(unnamed)})"
        )
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in given:
        if name not in parameters and not takes_any:
            raise UnsupportedError(
                f"explore: {_called(f)} has no argument {name}{suggestion(name, parameters)}; "
                f"it takes {', '.join(parameters) or 'none'}"
            )
    if missing := [p.name for p in needed if p.name not in given]:
        example = ", ".join(f"{name}=(-3, 3)" for name in missing)
        raise UnsupportedError(
            f"explore: {_called(f)} needs {', '.join(missing)}: say where to start, with a number, an array or bounds, "
            f"as in explore({_called(f)}, {example})"
        )


def _recorded(f: Callable[..., Any], leaves: Mapping[str, Tensor]) -> Played:
    output = f(**leaves)
    if isinstance(output, Tensor) and output.requires_grad:
        output.name = output.name or _called(f)
        if output.size == 1:
            output.backward()
    return leaves, output


def _called(f: Callable[..., Any]) -> str:
    name: str = getattr(f, "__name__", "")
    return name if name.isidentifier() else "f"


class _Formula:
    """A formula in a session, where only what depends on a changed argument is computed again."""

    def __init__(self, text: str) -> None:
        self.session, self.text = Session(), text

    def __call__(self, leaves: Mapping[str, Tensor]) -> Played:
        self.session.adopt(leaves)
        if len(self.session) == len(leaves):
            self.session.run(self.text)
        return {name: self.session[name] for name in leaves}, self.session.tensor

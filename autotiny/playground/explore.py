"""Exploring a function: sliders and cells for its arguments, and the picture that steps through its graph."""

import functools
import importlib.util
import inspect
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from autotiny.drawing import draw
from autotiny.drawing.stepping import SteppingPicture
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.language.errors import suggestion
from autotiny.notation.numbers import summarise
from autotiny.playground.explore_controls import Control, controls
from autotiny.sessions.session import Session

WIDGET = Path(__file__).parent / "widget"

Evaluated = tuple[Mapping[str, Tensor], Any]
"""The arguments as leaves of the graph, and the output."""
Function = Callable[[Mapping[str, Tensor]], Evaluated]


def explore(f: Callable[..., Any] | str, /, **arguments: Any) -> "Explorer":
    """Explore a function: change its arguments, and see its graph, its values and its gradients change.

    f : a function of Tensors by name, in NumPy; or a formula as text, in the language of sessions
    arguments : (low, high) or (low, high, start) for a slider, a number for a slider around it, an array for cells to
        edit, a Tensor with requires_grad=False for data

    In a notebook with anywidget (the extra `widget`) the result is live. Without it, and in a notebook that is not
    running, it is the picture that steps, at the current values. Raises UnsupportedError for arguments that are not
    numbers or not parameters of f, and for an f that does not return a Tensor.

    >>> import numpy as np
    >>> e = explore(lambda a, w: np.tanh(a * w).sum(), a=(-3, 3, 1), w=[1.0, 2.0])
    >>> e.set(a=0.0)
    >>> float(e.gradients["a"])
    3.0
    """
    function, by_name = _function(f), controls(arguments)
    if callable(f):
        _expect_arguments(f, arguments)
    return Explorer(function, by_name)


class Explorer:
    """A function at some values, with its graph and gradients; in a notebook it shows itself with its controls."""

    def __init__(self, function: Function, controls: Mapping[str, Control]) -> None:
        self._function, self.controls = function, controls
        self._values = {name: each.start for name, each in controls.items()}
        self._leaves, self.output = self._computed(self._values)

    # ----- values -----
    @property
    def values(self) -> dict[str, Any]:
        """The arguments as arrays."""
        return {name: value.copy() for name, value in self._values.items()}

    def set(self, **values: Any) -> None:
        """Give arguments new values of the same shapes; an error leaves all values unchanged."""
        self.update(values)
        if "widget" in self.__dict__:
            self.widget.answer = answer(self)

    def update(self, values: Mapping[str, Any]) -> None:
        """Give arguments new values as `set` does, without notifying the widget."""
        unknown = values.keys() - self.controls.keys()
        if unknown:
            raise UnsupportedError(f"explore: there is no {min(unknown)}, only {', '.join(self.controls)}")
        arrays = {name: self.controls[name].array(value) for name, value in values.items()}
        self._leaves, self.output = self._computed({**self._values, **arrays})
        self._values |= arrays

    @property
    def gradients(self) -> dict[str, Any]:
        """d(output)/d(argument) of every variable; None where the output is not a single number, or does not depend."""
        return {name: leaf.grad for name, leaf in self._leaves.items() if leaf.requires_grad}

    def _computed(self, values: Mapping[str, Any]) -> tuple[Mapping[str, Tensor], Tensor]:
        leaves, output = self._function({name: self.controls[name].tensor(value) for name, value in values.items()})
        if not isinstance(output, Tensor) or not output.requires_grad:
            raise UnsupportedError(
                f"explore: expected f to return a Tensor computed from its arguments; got {type(output).__name__}"
            )
        return leaves, output

    # ----- pictures -----
    @property
    def steps(self) -> SteppingPicture:
        """The picture that steps, at the current values."""
        return draw(self.output).steps

    def save(self, path: str | Path) -> None:
        """Write the picture that steps: .html, or an .svg that plays by itself."""
        self.steps.save(path)

    @cached_property
    def widget(self) -> Any:
        """The live form; raises ImportError where anywidget is not installed."""
        return live(self, [each.description for each in self.controls.values() if each.shown])

    def __repr__(self) -> str:
        return draw(self.output).table

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, Any]:
        still = self.steps._repr_mimebundle_()
        if "text/html" not in still or not importlib.util.find_spec("anywidget"):
            return still
        live = self.widget._repr_mimebundle_()
        return {**still, **(live[0] if isinstance(live, tuple) else live), "text/plain": repr(self)}


# ----- functions and formulas -----
def _function(f: Callable[..., Any] | str) -> Function:
    if isinstance(f, str):
        return _FormulaFunction(f)
    if not callable(f):
        raise UnsupportedError(f"explore: expected a function, or a formula as text; got {type(f).__name__}")
    return lambda leaves: _recorded(f, leaves)


def _expect_arguments(f: Callable[..., Any], names: Collection[str]) -> None:
    """Raise UnsupportedError unless f can be called with arguments of these names."""
    try:
        parameters = inspect.signature(f).parameters
    except (TypeError, ValueError):  # some builtins have no signature
        return
    needed = [
        p for p in parameters.values() if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if unnamed := ", ".join(p.name for p in needed if p.kind is p.POSITIONAL_ONLY):
        raise UnsupportedError(
            f"explore: {_name_of(f)} takes {unnamed} only by position, and explore passes arguments by name: "
            f"wrap it, as in lambda {unnamed}: {_name_of(f)}({unnamed})"
        )
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in names:
        if name not in parameters and not takes_any:
            raise UnsupportedError(
                f"explore: {_name_of(f)} has no argument {name}{suggestion(name, parameters)}; "
                f"it takes {', '.join(parameters) or 'none'}"
            )
    if missing := [p.name for p in needed if p.name not in names]:
        example = ", ".join(f"{name}=(-3, 3)" for name in missing)
        raise UnsupportedError(
            f"explore: {_name_of(f)} needs {', '.join(missing)}: give a number, an array or bounds to start from, "
            f"as in explore({_name_of(f)}, {example})"
        )


def _recorded(f: Callable[..., Any], leaves: Mapping[str, Tensor]) -> Evaluated:
    output = f(**leaves)
    if isinstance(output, Tensor) and output.requires_grad:
        output.name = output.name or _name_of(f)
        if output.size == 1:
            output.backward()
    return leaves, output


def _name_of(f: Callable[..., Any]) -> str:
    name: str = getattr(f, "__name__", "")
    return name if name.isidentifier() else "f"


class _FormulaFunction:
    """A formula in a session, which recomputes only what depends on a changed argument."""

    def __init__(self, text: str) -> None:
        self.session, self.text = Session(), text

    def __call__(self, leaves: Mapping[str, Tensor]) -> Evaluated:
        self.session.adopt(leaves)
        if len(self.session) == len(leaves):
            self.session.run(self.text)
        return {name: self.session[name] for name in leaves}, self.session.tensor


# ----- the live widget -----
def live(explorer: Explorer, descriptions: list[dict[str, Any]]) -> Any:
    """The widget of an exploration, which answers the requests of its page; it needs anywidget."""
    widget = _widget_class()(controls=descriptions, answer=answer(explorer))

    def on_request(change: Any) -> None:
        widget.answer = reply(explorer, widget.asked)

    widget.observe(on_request, "asked")
    return widget


def reply(explorer: Explorer, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to new values from the page; an error leaves all values unchanged, and is reported."""
    try:
        explorer.update(asked["values"])
    except (AutotinyError, ArithmeticError, ValueError) as error:
        return answer(explorer, asked["number"], str(error))
    return answer(explorer, asked["number"])


@functools.cache
def _widget_class() -> Any:
    """The class of the widgets; `answer` has the number of the request in `asked` that it answers."""
    import anywidget
    import traitlets

    synced = {name: traitlets.Dict().tag(sync=True) for name in ("asked", "answer")}
    parts = {"_esm": WIDGET / "explore.js", "_css": WIDGET / "explore.css", "controls": traitlets.List().tag(sync=True)}
    return type("ExplorerWidget", (anywidget.AnyWidget,), {**parts, **synced})


def answer(explorer: Explorer, number: int = 0, problem: str = "") -> dict[str, Any]:
    """Values, gradients and picture for the page."""
    gradients = {name: _slope(explorer, name, g) for name, g in explorer.gradients.items()}
    values = {name: value.tolist() for name, value in explorer.values.items() if name in gradients}
    page = explorer.steps.html
    return {"number": number, "problem": problem, "values": values, "gradients": gradients, "page": page}


def _slope(explorer: Explorer, name: str, gradient: Any) -> str:
    if gradient is None:
        return ""
    shown = summarise(gradient)
    text = f"[{', '.join(shown.rows[0])}]" if len(shown.rows) == 1 and np.ndim(gradient) else shown.text
    return f"∂{explorer.output.name}/∂{name} = {text}".replace("-", "−")

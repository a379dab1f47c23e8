"""Exploring a function: sliders and cells for its arguments, and the picture that steps through its graph."""

import functools
import importlib.util
import inspect
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
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
from autotiny.playground.charts import Run, chart, kept_spans
from autotiny.playground.explore_controls import Control, controls
from autotiny.plotting.section import Entry
from autotiny.sessions.session import Session

WIDGET, STATIC = Path(__file__).parent / "widget", Path(__file__).parent / "static"
MISSING = (
    "explore: this is the picture at the current values; for sliders that are live, and the curve of the slope, "
    "pip install 'autotiny[widget]', which brings anywidget, and restart the kernel"
)
STARTS = (2 / 3, 1 / 3, 5 / 6, 1 / 6)
"""Where sliders start, as shares of their range, if in their middle a gradient is 0 or undefined."""
MOST_ENTRIES = 400

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
        self._leaves, self.output = self._started()

    def _started(self) -> tuple[Mapping[str, Tensor], Tensor]:
        """Compute at the start, which is where no gradient is 0 or undefined, if sliders may choose."""
        free = {name: each for name, each in self.controls.items() if each.free}
        try:
            first = self._computed(self._values)
        except (AutotinyError, ArithmeticError, ValueError):
            if not free:
                raise
            first = None
        if first and (not free or _is_seen(first)):
            return first
        for share in STARTS:
            values = {**self._values, **{name: each.at(share) for name, each in free.items()}}
            try:
                there = self._computed(values)
            except (AutotinyError, ArithmeticError, ValueError):
                continue
            if _is_seen(there):
                self._values = values
                return there
        return first or self._computed(self._values)

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

    def step(self, rate: float = 0.1) -> None:
        """Take one step of gradient descent, x := x - rate d(output)/dx for every variable x."""
        self.set(**self.downhill(rate))

    def downhill(self, rate: float) -> dict[str, Any]:
        """The values after one step of gradient descent."""
        slopes = {name: g for name, g in self.gradients.items() if g is not None}
        if not slopes:
            raise UnsupportedError("explore: a step downhill needs gradients, and those are of a single number")
        return {name: self._values[name] - rate * g for name, g in slopes.items()}

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
    def entries(self) -> list[Entry]:
        """The numbers along which the output can be drawn: none if it is not a single real number."""
        if self.output.size != 1 or np.iscomplexobj(self.output.value):
            return []
        varying = ((name, leaf) for name, leaf in self._leaves.items() if leaf.grad is not None)
        real = ((name, leaf) for name, leaf in varying if not np.iscomplexobj(leaf.value))
        entries = (
            Entry(leaf, place, f"{name}[{', '.join(map(str, place))}]" if place else name)
            for name, leaf in real
            for place in np.ndindex(leaf.shape)
        )
        return list(itertools.islice(entries, MOST_ENTRIES))

    def run_at(self, entries: Sequence[Entry]) -> Run:
        """How to run the function where some entries have other values."""

        def run(numbers: tuple[float, ...]) -> tuple[float, tuple[float, ...]]:
            values = {name: np.array(value) for name, value in self._values.items()}
            for entry, number in zip(entries, numbers, strict=True):
                values[str(entry.tensor.name)][entry.place] = number
            leaves, output = self._computed(values)
            slopes = (leaves[str(entry.tensor.name)].grad for entry in entries)
            found = [0.0 if g is None else float(g[e.place]) for g, e in zip(slopes, entries, strict=True)]
            return float(output.value.reshape(())), tuple(found)

        return run

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
        if not importlib.util.find_spec("anywidget"):
            words = {"text/plain": f"{still['text/plain']}\n\n{MISSING}"}
            return {**words, **({"text/html": f"<p>{MISSING}</p>{still['text/html']}"} if "text/html" in still else {})}
        if "text/html" not in still:
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
    along, spans = asked.get("along") or [], asked.get("spans")
    try:
        explorer.update(asked["values"])
        if asked.get("step"):
            explorer.update(explorer.downhill(asked["step"]))
    except (AutotinyError, ArithmeticError, ValueError) as error:
        return answer(explorer, asked["number"], str(error), along, spans)
    return answer(explorer, asked["number"], "", along, spans)


@functools.cache
def _widget_class() -> Any:
    """The class of the widgets; `answer` has the number of the request in `asked` that it answers."""
    import anywidget
    import traitlets

    synced = {name: traitlets.Dict().tag(sync=True) for name in ("asked", "answer")}
    script, style = page_parts()
    parts = {"_esm": script, "_css": style, "controls": traitlets.List().tag(sync=True)}
    return type("ExplorerWidget", (anywidget.AnyWidget,), {**parts, **synced})


def page_parts() -> tuple[str, str]:
    """The script and the style sheet of the page, with those of the charts before them."""
    parts = (((STATIC / f"charts.{kind}"), (WIDGET / f"explore.{kind}")) for kind in ("js", "css"))
    script, style = ("\n".join(file.read_text(encoding="utf-8") for file in files) for files in parts)
    return script, style


def answer(
    explorer: Explorer, number: int = 0, problem: str = "", along: Sequence[Any] = (), spans: Any = None
) -> dict[str, Any]:
    """Values, gradients, chart and picture for the page."""
    gradients = {name: _slope(explorer, name, g) for name, g in explorer.gradients.items()}
    values = {name: value.tolist() for name, value in explorer.values.items() if name in gradients}
    page = explorer.steps.html
    entries = explorer.entries
    output, label = explorer.output, str(explorer.output.name)
    shown = [entry for each in along for entry in entries if _is_at(entry, each)] or entries[:1]
    return {
        "number": number,
        "problem": problem,
        "values": values,
        "gradients": gradients,
        "page": page,
        "entries": [{"name": str(entry.tensor.name), "place": list(entry.place)} for entry in entries],
        "chart": chart(output, label, shown, kept_spans(spans, shown), explorer.run_at(shown)) if entries else None,
    }


def _is_at(entry: Entry, asked: Mapping[str, Any]) -> bool:
    return entry.tensor.name == asked["name"] and list(entry.place) == list(asked["place"])


def _is_seen(computed: Evaluated) -> bool:
    """Whether the output and every gradient are finite, and no gradient is 0 throughout."""
    leaves, output = computed
    slopes = [leaf.grad for leaf in leaves.values() if leaf.requires_grad]
    known = bool(np.isfinite(output.value).all())
    return known and all(g is None or (np.isfinite(g).all() and np.any(g)) for g in slopes)


def _slope(explorer: Explorer, name: str, gradient: Any) -> str:
    if gradient is None:
        return ""
    shown = summarise(gradient)
    text = f"[{', '.join(shown.rows[0])}]" if len(shown.rows) == 1 and np.ndim(gradient) else shown.text
    return f"∂{explorer.output.name}/∂{name} = {text}".replace("-", "−")

"""The live form of an exploration in a notebook: it needs anywidget, which is loaded when the first one is shown."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotiny.drawing.values import show
from autotiny.errors import AutotinyError

if TYPE_CHECKING:
    from autotiny.playground.explore import Explorer

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
    shown = show(gradient)
    told = f"[{', '.join(shown.rows[0])}]" if len(shown.rows) == 1 and np.ndim(gradient) else shown.summary
    return f"∂{explorer.output.name}/∂{name} = {told}".replace("-", "−")

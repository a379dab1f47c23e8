"""Answers to the page's questions, as JSON: the picture with every value, the comparison, and files to keep."""

from collections.abc import Callable
from typing import Any

import numpy as np

import autotiny as at
from autotiny.checking.heat import heat_map
from autotiny.checking.report import Row, derivative, number, verdict
from autotiny.drawing.values import show
from autotiny.errors import AutotinyError
from autotiny.expressions import ExpressionError, Limits
from autotiny.playground.program import Run, detached, recorded, run, unknown_names
from autotiny.playground.state import State, names_of, plain, read_state
from autotiny.recording import value_of
from autotiny.tensor import Tensor

Json = dict[str, Any]


def answer(question: Json, limits: Limits) -> Json:
    """What a question asks for, or {"error": {"message", "line", "column", "width", ...}}."""
    try:
        return ANSWERS[question["kind"]](read_state(question), question, limits)
    except ExpressionError as error:
        return {"error": located(error)}
    except AutotinyError as error:
        return {"error": {"message": str(error)}}
    except MemoryError:
        return {"error": {"message": "stopped: it takes more memory than there is"}}
    except Exception as error:
        return {"error": {"message": f"{type(error).__name__}: {error}; this is a fault in autotiny"}}


def located(error: ExpressionError) -> Json:
    """An error of the language, with its place in the text."""
    width = error.excerpt.rpartition("\n")[2].count("^")
    return {"message": error.message, "line": error.line, "column": error.column, "width": max(width, 1)}


def picture(state: State, question: Json, limits: Limits) -> Json:
    """The picture, what each line came to, and the gradient of every value."""
    try:
        ran = recorded(state, limits)
    except ExpressionError as error:
        return {"error": {**located(error), "unknown": unknown_names(state.program, state.values, limits)}}
    told = {"lines": _lines(ran), "gradients": _gradients(state, ran), "note": _note(ran), "names": _tracked(ran)}
    return {**told, "svg": at.draw(ran.value).svg if isinstance(ran.value, Tensor) else None}


def _lines(ran: Run) -> list[Json]:
    """What stands beside the lines of the program: the value of each name, and of the result."""
    told = [_line(line, name, ran.scope[name]) for name, line in ran.lines.items()]
    return told if ran.last in ran.lines.values() else [*told, _line(ran.last, "", ran.value)]


def _line(line: int, name: str, value: Any) -> Json:
    gradient = value.grad if isinstance(value, Tensor) else None
    return {
        "line": line,
        "name": name,
        "shape": list(np.shape(value_of(value))),
        "value": show(value_of(value)).summary,
        "gradient": None if gradient is None else show(gradient).summary,
    }


def _gradients(state: State, ran: Run) -> Json:
    held = {name: ran.scope[name] for name in state.values}
    return {
        name: plain(value.grad) for name, value in held.items() if isinstance(value, Tensor) and value.grad is not None
    }


def _tracked(ran: Run) -> list[str]:
    """What a gradient can be claimed for."""
    return [name for name, value in ran.scope.items() if isinstance(value, Tensor) and value.grad is not None]


def _note(ran: Run) -> str:
    """Why there are no gradients, where there are none."""
    if not isinstance(ran.value, Tensor):
        return "The result has no graph, for it was computed from plain numbers alone: give a name a value on the left."
    if ran.loss is None:
        return "The result depends on data alone: make one of the values a variable to see its gradient."
    if ran.loss.size != 1:
        return f"The result has shape {ran.loss.shape}; gradients are of a single number: end with sum(…) or mean(…)."
    return ""


def comparison(state: State, question: Json, limits: Limits) -> Json:
    """The verdict on each gradient that was derived by hand: dNAME = ... claims dJ/dNAME."""
    ran = recorded(state, limits)
    if ran.loss is None or ran.loss.size != 1:
        return {"error": {"message": _note(ran)}}
    if not state.claims.strip():
        return {"rows": []}
    claimed = run(state.claims, detached(ran.scope), limits)
    about = {name: line for name, line in claimed.lines.items() if name[:1] == "d" and name[1:] in _tracked(ran)}
    if not about:
        known = names_of(f"d{name}" for name in _tracked(ran))
        return {"error": {"message": f"nothing is claimed yet: assign to one of {known}"}}
    return {"rows": [_verdict(ran, name[1:], claimed.scope[name], line) for name, line in about.items()]}


def _verdict(ran: Run, name: str, claim: Any, line: int) -> Json:
    assert ran.loss is not None
    try:
        row = at.compare(ran.loss, {ran.scope[name]: claim}).rows[0]
    except AutotinyError as error:
        return {"name": name, "line": line, "ok": False, "verdict": str(error).removeprefix("compare: ")}
    return {"name": name, "line": line, "ok": row.ok, "verdict": verdict(row), **_told(row)}


def _told(row: Row) -> Json:
    return {
        "error": f"{row.error:.1e}",
        "at": list(row.index),
        "analytic": number(row.analytic, row.index),
        "autograd": number(row.autograd, row.index),
        "numeric": derivative(row),
        "notes": list(row.notes),
        "heat": "" if row.ok else heat_map(row),
    }


def export(state: State, question: Json, limits: Limits) -> Json:
    """A file to keep."""
    form = question.get("form")
    if form not in FORMS:
        return {"error": {"message": f"export: expected one of {', '.join(FORMS)}"}}
    ran = recorded(state, limits)
    if not isinstance(ran.value, Tensor):
        return {"error": {"message": _note(ran)}}
    return {"name": f"autotiny.{form}", "text": FORMS[form](ran)}


FORMS: dict[str, Callable[[Run], str]] = {"svg": lambda ran: at.draw(ran.value).svg}

ANSWERS: dict[str, Callable[[State, Json, Limits], Json]] = {
    "picture": picture,
    "comparison": comparison,
    "export": export,
}


def rehearse() -> None:
    """Load all that the answers need, so that the first one comes as fast as the others."""
    question = {"program": "y = x @ x", "values": {"x": {"value": [1.0, 2.0]}}, "claims": "dx = 2 * x", "form": "svg"}
    for kind in ANSWERS:
        answer({**question, "kind": kind}, Limits())

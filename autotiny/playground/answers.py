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
from autotiny.playground.compiled import source
from autotiny.playground.derived import derived
from autotiny.playground.drawn import drawn, stepping_page
from autotiny.playground.program import Run, claimed, recorded, script_program, unknown_names
from autotiny.playground.state import State, names_of, plain, read_state
from autotiny.recording import value_of
from autotiny.sessions.script import script
from autotiny.tensor import Tensor

Json = dict[str, Any]


def answer(question: Json, limits: Limits) -> Json:
    """What a question asks for, or {"error": {"message", "line", "column", "width", ...}}."""
    try:
        with np.errstate(all="ignore"):
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
        return {"error": {**located(error), "unknown": unknown_names(state, limits)}}
    lines = [_line(place.line, name, ran.scope[name]) for name, place in ran.reading.places.items()]
    told = {"lines": lines, "gradients": _gradients(state, ran), "names": ran.tracked, "written": _written(ran)}
    return {**told, "note": _note(ran), **_shown(ran)}


def _shown(ran: Run) -> Json:
    """The picture; where it cannot be drawn why not, and the graph as text."""
    if not isinstance(ran.result, Tensor):
        return {"svg": None}
    picture = drawn(ran)
    try:
        return {"svg": picture.svg}
    except AutotinyError as error:
        return {"svg": None, "text": repr(picture), "note": str(error)}


def _written(ran: Run) -> list[Json]:
    """The values that stand in the program, each in a line of its own, which could have a slider instead."""
    leaves = {each.name: each for each in ran.reading.statements if each.kind != "formula"}
    return [
        {"name": name, "line": place.line, "data": leaf.kind == "data", "value": plain(value_of(ran.scope[name]))}
        for name, place in ran.reading.places.items()
        if (leaf := leaves.get(name)) and place.line == place.end_line and name != ran.reading.statements[-1].name
    ]


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


def _note(ran: Run) -> str:
    """What gradients are of, where that is not the result, and why there are none."""
    if ran.result is ran.loss:
        return ""
    if ran.loss is not None:
        return f"Gradients are of {ran.session.output}, the last single number that depends on a variable."
    if not isinstance(ran.result, Tensor):
        return "The result has no graph, for it depends on no array or variable."
    if not ran.result.requires_grad:
        return "The result depends on data alone: make one of the values a variable to see its gradient."
    if ran.result.op is None:
        return "The result is a value by itself: compute something from it to see gradients."
    return f"The result has shape {ran.result.shape}; gradients are of a single number: end with sum(…) or mean(…)."


def comparison(state: State, question: Json, limits: Limits) -> Json:
    """The verdict on each gradient that was derived by hand: dNAME = ... claims dJ/dNAME."""
    ran = recorded(state, limits)
    if ran.loss is None:
        return {"error": {"message": _note(ran)}}
    if not state.claims.strip():
        return {"rows": []}
    claims = claimed(state.claims, ran.scope, limits)
    about = {name[1:]: claim for name, claim in claims.items() if name[:1] == "d" and name[1:] in ran.tracked}
    if not about:
        known = names_of(f"d{name}" for name in ran.tracked)
        return {"error": {"message": f"nothing is claimed yet: assign to one of {known}"}}
    return {"rows": [_verdict(ran.loss, name, ran.scope[name], *claim) for name, claim in about.items()]}


def _verdict(loss: Tensor, name: str, x: Tensor, claim: Any, line: int) -> Json:
    try:
        row = at.compare(loss, {x: claim}).rows[0]
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


def steps(state: State, question: Json, limits: Limits) -> Json:
    """The page on which the graph steps."""
    return {"html": stepping_page(recorded(state, limits))}


def derivation(state: State, question: Json, limits: Limits) -> Json:
    """The derivation of the gradient by the tensor that the question is about."""
    ran = recorded(state, limits)
    return {"error": {"message": _note(ran)}} if ran.loss is None else derived(state, ran, str(question.get("about")))


def compiled(state: State, question: Json, limits: Limits) -> Json:
    """The NumPy program of the loss and its gradients."""
    ran = recorded(state, limits)
    if ran.loss is None:
        return {"error": {"message": _note(ran)}}
    leaves = {name: x for name, x in ran.scope.items() if isinstance(x, Tensor) and x.op is None}
    return {"source": source(ran.loss, leaves)}


def export(state: State, question: Json, limits: Limits) -> Json:
    """A file to keep."""
    form = question.get("form")
    if form not in FORMS:
        return {"error": {"message": f"export: expected one of {', '.join(FORMS)}"}}
    return {"name": f"autotiny.{form}", "text": FORMS[form](state, limits)}


def _svg(state: State, limits: Limits) -> str:
    return drawn(recorded(state, limits)).svg


def _py(state: State, limits: Limits) -> str:
    return script(script_program(state, limits), recorded(state, limits).session.output)


def _html(state: State, limits: Limits) -> str:
    return stepping_page(recorded(state, limits))


FORMS: dict[str, Callable[[State, Limits], str]] = {"svg": _svg, "py": _py, "html": _html}

ANSWERS: dict[str, Callable[[State, Json, Limits], Json]] = {
    "picture": picture,
    "comparison": comparison,
    "steps": steps,
    "derivation": derivation,
    "compiled": compiled,
    "export": export,
}


def rehearse() -> None:
    """Load all that the answers need, so that the first one comes as fast as the others."""
    question = {"program": "y = x @ x", "values": {"x": {"value": [1.0, 2.0]}}, "claims": "dx = 2 * x", "form": "svg"}
    for kind in ANSWERS:
        answer({**question, "kind": kind}, Limits())

"""Answers to the page's questions, as JSON: the picture with every value, the comparison, and files to keep."""

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import autotiny as at
from autotiny.checking.page import heat_map
from autotiny.checking.row import Row, derivative, number, verdict
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.steps import Step
from autotiny.drawing.page import page
from autotiny.drawing.picture import Picture
from autotiny.engine import graph
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.language import ExpressionError, Limits
from autotiny.notation.arrays import summarise
from autotiny.notation.mathml import MathML
from autotiny.notation.unicode import Unicode
from autotiny.playground.program import Run, claimed, recorded, script_program, unknown_names
from autotiny.playground.state import State, names_of, plain, read_state
from autotiny.sessions.script import script

# ----- compiled -----
# The NumPy program that a page's program compiles to, its gradients included.


Values = Mapping[str, Any]


def source(loss: Tensor, leaves: Mapping[str, Tensor]) -> str:
    """The text of the program that computes a recorded number, and its gradients by those leaves that are tracked."""
    order = dict.fromkeys(graph.topological_order(loss))
    used = {name: leaf for name, leaf in leaves.items() if leaf in order}

    def replayed(variables: Values, data: Values) -> Any:
        values = graph.replay(order, {used[name]: value for name, value in {**data, **variables}.items()})
        for tensor, value in values.items():
            if isinstance(value, Tensor):
                value.name = tensor.name  # which the program's variables then have
        return values[loss]

    step = at.compile(at.value_and_grad(replayed))
    step(*({n: leaf.data for n, leaf in used.items() if leaf.requires_grad is tracked} for tracked in (True, False)))
    return step.source


# ----- drawn -----
# Pictures for the page: the graph, and the same graph stepping in a frame of its own.


def drawn(ran: Run) -> Picture:
    """The graph of the number whose gradients are shown, else of the result; raises UnsupportedError without any."""
    shown = ran.result if ran.loss is None else ran.loss
    if not isinstance(shown, Tensor):
        raise UnsupportedError("there is no graph to draw: nothing was computed from an array or a variable")
    return at.draw(shown)


def stepping_page(ran: Run) -> str:
    """The page on which the graph steps; its pictures have their width from its script, and no style of their own."""
    return re.sub(r'(<svg class="autotiny"[^>]*?) style="[^"]*"', r"\1", drawn(ran).steps.html)


@functools.cache
def stepping_hashes() -> dict[str, str]:
    """What a policy calls the one script and the one style sheet of every stepping page."""
    empty = page("", [])
    return {tag: _hash(re.findall(f"<{tag}>(.*?)</{tag}>", empty, re.DOTALL)[0]) for tag in ("script", "style")}


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# ----- derived -----
# A derivation, as the page shows it: formulas as MathML, each with the rule that led to it.


Json = dict[str, Any]


def derived(state: State, ran: Run, about: str) -> Json:
    """The derivation of one gradient: what was asked for, else what is claimed first, else the first variable's."""
    assert ran.loss is not None
    claims = (line.partition("=")[0].strip().removeprefix("d") for line in state.claims.splitlines())
    of = next((name for name in (about, *claims, *ran.tracked) if name in ran.tracked), ran.tracked[0])
    found = at.derive(ran.loss, ran.scope[of])
    return {
        "of": of,
        "names": ran.tracked,
        "gradient": _ratio(found),
        "chain": _formula(found.chain),
        "steps": [_step(step) for step in found.steps],
        "lemmas": [_lemma(lemma) for lemma in found.lemmas.values()],
        "ok": found.ok,
        "largest": f"{found.max_error:.0e}",
    }


def _step(step: Step) -> Json:
    return {**_formula(step.after), "rule": step.rule, "condition": step.condition, "error": f"{step.error:.0e}"}


def _lemma(lemma: Derivation) -> Json:
    return {"of": lemma.target.name, "gradient": _ratio(lemma), **_formula(lemma.term)}


def _formula(term: Any) -> Json:
    return {"math": MathML()(term), "text": Unicode()(term)}


def _ratio(derivation: Derivation) -> Json:
    above, below = (f"<mrow><mo>∂</mo>{MathML()(x)}</mrow>" for x in (derivation.output, derivation.target))
    return {"math": f"<mfrac>{above}{below}</mfrac>", "text": derivation.name}


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
        "value": summarise(value_of(value)).text,
        "gradient": None if gradient is None else summarise(gradient).text,
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

"""Answers to the page's questions, as JSON: picture and values, comparison, steps, derivation, program, and files.

What only one kind of answer needs is imported by that: the first picture of a page waits for no derivation.
"""

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import autotiny as at
from autotiny.drawing.picture import Picture
from autotiny.engine import graph
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.language import ExpressionError, Limits
from autotiny.notation.numbers import summarise
from autotiny.playground.newcomers import mend, second_thought
from autotiny.playground.program import ProgramRun, claimed, recorded
from autotiny.playground.state import PageState, names_of, plain, read_state
from autotiny.playground.suggestions import suggested

if TYPE_CHECKING:
    from autotiny.checking.row import Row
    from autotiny.derivation.derivation import Derivation
    from autotiny.derivation.steps import DerivedGradient, Step
    from autotiny.playground.typed import TypedClaim

Json = dict[str, Any]
Values = Mapping[str, Any]


def answer(question: Json, limits: Limits) -> Json:
    """The answer to a question, or {"error": {"message", "line", "column", "width", ...}}."""
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


def _mended(state: PageState, error: ExpressionError, limits: Limits) -> Json:
    """The line at which an error is, as its writer may have meant it."""
    meant = mend(state, error, limits)
    if meant is None:
        return {}
    problem = re.sub(r"[;,] (?:write|did you mean|such as) .*", "", error.message)
    problem = "this is not the language of programs" if problem.startswith("syntax error") else problem
    return {"message": f"{problem}; write {meant.text.strip()}", "mend": meant._asdict()}


# ----- the picture and the values -----
def picture(state: PageState, question: Json, limits: Limits) -> Json:
    """The picture, the value of each line, and the gradient of every value."""
    try:
        run = recorded(state, limits)
    except ExpressionError as error:
        values = {name: plain(value) for name, value in suggested(state, limits).items()}
        meant = _mended(state, error, limits)
        return {"error": {**located(error), "unknown": list(values), "suggested": values, **meant}}
    if isinstance(run.result, list | tuple) and re.search(r"\d,\d", run.parsed.statements[-1].text):
        message = "a comma makes several values: write 3.5 for a decimal number, and a line for each result"
        return {"error": {"message": message, "line": run.parsed.spans[run.parsed.statements[-1].name].line}}
    return {
        "lines": [_line(span.line, name, run.scope[name]) for name, span in run.parsed.spans.items()],
        "gradients": _gradients(state, run),
        "loss": None if run.loss is None else plain(run.loss.value.item()),
        "names": run.tracked,
        "literals": _literals(run),
        "note": _note(run),
        "thought": _thought(state, run),
        **_drawn(run),
    }


def _thought(state: PageState, run: ProgramRun) -> Json | None:
    """A line that runs and may have been meant otherwise, with the words for it."""
    thought = second_thought(state.program, run.scope)
    return None if thought is None else {"message": thought[0], "mend": thought[1]._asdict()}


def drawn(run: ProgramRun) -> Picture:
    """The graph of the number whose gradients are shown, or else of the result; raises UnsupportedError without one."""
    output = run.result if run.loss is None else run.loss
    if not isinstance(output, Tensor):
        raise UnsupportedError("there is no graph to draw: nothing was computed from an array or a variable")
    return at.draw(output)


def entries(state: PageState, question: Json, limits: Limits) -> Json:
    """The entries of the card that the question names, each with its chain rule."""
    return drawn(recorded(state, limits)).entries(str(question.get("card")))


def _drawn(run: ProgramRun) -> Json:
    """The picture; where it cannot be drawn, the reason and the graph as text."""
    if not isinstance(run.result, Tensor):
        return {"svg": None}
    picture = drawn(run)
    try:
        return {"svg": picture.svg}
    except AutotinyError as error:
        return {"svg": None, "text": repr(picture), "note": str(error)}


def _literals(run: ProgramRun) -> list[Json]:
    """The literal values in the program, each in a line of its own, which a slider could replace."""
    leaves = {each.name: each for each in run.parsed.statements if each.kind != "formula"}
    return [
        {"name": name, "line": span.line, "data": leaf.kind == "data", "value": plain(value_of(run.scope[name]))}
        for name, span in run.parsed.spans.items()
        if (leaf := leaves.get(name)) and span.line == span.end_line and name != run.parsed.statements[-1].name
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


def _gradients(state: PageState, run: ProgramRun) -> Json:
    values = {name: run.scope[name] for name in state.values}
    return {name: plain(x.grad) for name, x in values.items() if isinstance(x, Tensor) and x.grad is not None}


def _note(run: ProgramRun) -> str:
    """A note that names the output where it is not the result, or says why there are no gradients."""
    if run.result is run.loss:
        return ""
    if run.loss is not None:
        return f"Gradients are of {run.session.output}, the last single number that depends on a variable."
    if not isinstance(run.result, Tensor):
        return "The result has no graph, as it depends on no array or variable."
    if not run.result.requires_grad:
        return "The result depends on data alone: make one of the values a variable to see its gradient."
    if run.result.op is None:
        return "The result is a value by itself: compute something from it to see gradients."
    return f"The result has shape {run.result.shape}; gradients are of a single number: end with sum(…) or mean(…)."


# ----- the comparison -----
def comparison(state: PageState, question: Json, limits: Limits) -> Json:
    """The verdict on each gradient that was derived by hand: dNAME = ... claims dJ/dNAME."""
    run = recorded(state, limits)
    if run.loss is None:
        return {"error": {"message": _note(run)}}
    if not state.claims.strip():
        return {"rows": []}
    from autotiny.playground.typed import is_typed, typed_claims

    if is_typed(state.claims, limits) and (rows := [_typed(run.loss, c) for c in typed_claims(state.claims, run)]):
        return {"rows": rows}
    claims = claimed(state.claims, run.scope, limits)
    about = {name[1:]: claim for name, claim in claims.items() if name[:1] == "d" and name[1:] in run.tracked}
    if not about:
        known = names_of(f"d{name}" for name in run.tracked)
        return {"error": {"message": f"no gradient is claimed yet: assign to one of {known}"}}
    return {"rows": [_verdict(run.loss, name, run.scope[name], *claim) for name, claim in about.items()]}


def _verdict(loss: Tensor, name: str, x: Tensor, claim: Any, line: int) -> Json:
    try:
        row = at.compare(loss, {x: claim}).rows[0]
    except AutotinyError as error:
        return {"name": name, "line": line, "ok": False, "verdict": str(error).removeprefix("compare: ")}
    return {"name": name, "line": line, "ok": row.ok, "verdict": row.verdict, **_row(row)}


def _typed(loss: Tensor, claim: "TypedClaim") -> Json:
    """The verdict on a claim in a textbook's notation; the gradient has the value of the derived formula."""
    name, line, match = claim.name, claim.line, claim.match
    if not match:
        return {"name": name, "line": line, "ok": False, "verdict": match.difference}
    return _verdict(loss, name, claim.x, claim.derivation.term.value, line)


def _row(row: "Row") -> Json:
    from autotiny.checking.page import heat_map
    from autotiny.checking.row import derivative, number

    return {
        "error": f"{row.error:.1e}",
        "at": list(row.index),
        "analytic": number(row.analytic, row.index),
        "autograd": number(row.autograd, row.index),
        "numeric": derivative(row),
        "notes": list(row.notes),
        "heat": "" if row.ok else heat_map(row),
    }


# ----- steps -----
def steps(state: PageState, question: Json, limits: Limits) -> Json:
    """The page on which the graph steps."""
    return {"html": stepping_page(recorded(state, limits))}


def stepping_page(run: ProgramRun) -> str:
    """The page on which the graph steps; its script sets the width of pictures, as the policy allows no style=."""
    return re.sub(r'(<svg class="autotiny"[^>]*?) style="[^"]*"', r"\1", drawn(run).steps.html)


@functools.cache
def stepping_hashes() -> dict[str, str]:
    """The hashes of the script and of the style sheet of every stepping page, for a content security policy."""
    from autotiny.drawing.page import page

    empty = page("", [], "")
    return {tag: _hash(re.findall(f"<{tag}>(.*?)</{tag}>", empty, re.DOTALL)[0]) for tag in ("script", "style")}


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# ----- the functions of the language -----
def functions(state: PageState, question: Json, limits: Limits) -> Json:
    """Every function, with how it is called and what it computes."""
    from autotiny.playground.functions import function_list

    return {"functions": function_list()}


# ----- the derivation -----
def derivation(state: PageState, question: Json, limits: Limits) -> Json:
    """The derivation of the gradient by the tensor that the question names."""
    run = recorded(state, limits)
    if run.loss is None:
        return {"error": {"message": _note(run)}}
    return derived(state, run, str(question.get("about")))


def derived(state: PageState, run: ProgramRun, about: str) -> Json:
    """The derivation of one gradient: by `about`, or else by the first name claimed, or else by the first variable."""
    assert run.loss is not None
    claims = (line.partition("=")[0].strip().removeprefix("d") for line in state.claims.splitlines())
    target = next((name for name in (about, *claims, *run.tracked) if name in run.tracked), run.tracked[0])
    result = at.derive(run.loss, run.scope[target])
    return {
        "of": target,
        "names": run.tracked,
        "gradient": _ratio(result),
        "chain": _formula(result.chain),
        "steps": [_step(step) for step in result.steps],
        "lemmas": [_lemma(lemma) for lemma in result.lemmas.values()],
        "ok": result.ok,
        "largest": f"{result.max_error:.0e}",
        "copies": {"LaTeX": result.latex(), **_numpy(result)},
    }


def _numpy(derivation: "Derivation") -> Json:
    """The gradient as a NumPy function; nothing where an operation has no counterpart in NumPy."""
    try:
        return {"NumPy": f"import numpy as np\n\n\n{derivation.numpy()}\n"}
    except UnsupportedError:
        return {}


def _step(step: "Step") -> Json:
    return {**_formula(step.after), "rule": step.rule, "condition": step.condition, "error": f"{step.error:.0e}"}


def _lemma(lemma: "DerivedGradient") -> Json:
    return {"of": lemma.target.name, "gradient": _ratio(lemma), **_formula(lemma.term)}


def _formula(term: Any) -> Json:
    from autotiny.algebra.writing import as_mathml, as_text

    return {"math": as_mathml(term), "text": as_text(term)}


def _ratio(derivation: "DerivedGradient") -> Json:
    from autotiny.algebra.writing import as_mathml

    above, below = (f"<mrow><mo>∂</mo>{as_mathml(x)}</mrow>" for x in (derivation.output, derivation.target))
    return {"math": f"<mfrac>{above}{below}</mfrac>", "text": derivation.name}


# ----- the compiled program -----
def compiled(state: PageState, question: Json, limits: Limits) -> Json:
    """The NumPy program that computes the loss and its gradients."""
    run = recorded(state, limits)
    if run.loss is None:
        return {"error": {"message": _note(run)}}
    leaves = {name: x for name, x in run.scope.items() if isinstance(x, Tensor) and x.op is None}
    return {"source": source(run.loss, leaves)}


def source(loss: Tensor, leaves: Mapping[str, Tensor]) -> str:
    """The source of the program that computes a recorded number, and its gradients by those leaves that are tracked."""
    order = dict.fromkeys(graph.topological_order(loss))
    used = {name: leaf for name, leaf in leaves.items() if leaf in order}

    def replayed(variables: Values, data: Values) -> Any:
        values = graph.replay(order, {used[name]: value for name, value in {**data, **variables}.items()})
        for tensor, value in values.items():
            if isinstance(value, Tensor):
                value.name = tensor.name  # which becomes the name of the program's variable
        return values[loss]

    step = at.compile(at.value_and_grad(replayed))
    step(*({n: leaf.data for n, leaf in used.items() if leaf.requires_grad is tracked} for tracked in (True, False)))
    return step.source


# ----- files -----
def export(state: PageState, question: Json, limits: Limits) -> Json:
    """A file for download."""
    form = question.get("form")
    if form not in FORMS:
        return {"error": {"message": f"export: expected one of {', '.join(FORMS)}"}}
    # not autotiny.py, which Python would import in place of the package
    return {"name": f"playground.{form}", "text": FORMS[form](state, limits)}


def _svg(state: PageState, limits: Limits) -> str:
    return drawn(recorded(state, limits)).svg


def _html(state: PageState, limits: Limits) -> str:
    return stepping_page(recorded(state, limits))


def _py(state: PageState, limits: Limits) -> str:
    from autotiny.playground.export import python_script

    return python_script(state, limits)


FORMS: dict[str, Callable[[PageState, Limits], str]] = {"svg": _svg, "py": _py, "html": _html}


# ----- descent -----
def descent(state: PageState, question: Json, limits: Limits) -> Json:
    """Steps of descent, and the loss along the numbers that the question names."""
    from autotiny.playground.descent import descent as moved

    return moved(state, question, limits)


ANSWERS: dict[str, Callable[[PageState, Json, Limits], Json]] = {
    "picture": picture,
    "entries": entries,
    "comparison": comparison,
    "steps": steps,
    "derivation": derivation,
    "compiled": compiled,
    "export": export,
    "descent": descent,
    "functions": functions,
}


def rehearse() -> None:
    """Load everything that the answers need, so that the first one is as fast as the others."""
    question = {
        "program": "y = x @ x",
        "values": {"x": {"value": [1.0, 2.0]}},
        "claims": "dx = 2 * x",
        "form": "svg",
        "card": "n0",
    }
    for kind in ANSWERS:
        answer({**question, "kind": kind}, Limits())

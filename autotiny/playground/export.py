"""A page as a Python script: its program, its values and gradients printed, and the verdicts on claimed gradients."""

import json
from collections.abc import Iterator

from autotiny.engine.tensor import Tensor
from autotiny.language import ExpressionError, Limits
from autotiny.playground.program import ProgramRun, recorded, script_program
from autotiny.playground.state import PageState
from autotiny.playground.typed import is_typed, typed_claims
from autotiny.sessions.reading import read_statements
from autotiny.sessions.script import SHOWN, qualified, script

INDENT = "    "


def python_script(state: PageState, limits: Limits) -> str:
    """Return a script that prints what the page shows.

    >>> from autotiny.playground.state import read_state
    >>> state = read_state({"program": "y = x * x", "values": {"x": {"value": 3}}, "claims": "dx = 2 * x"})
    >>> print(python_script(state, Limits()).partition("import autotiny as at")[2])
    <BLANKLINE>
    <BLANKLINE>
    x = at.Tensor(3.0)
    y = x * x
    y.backward()
    <BLANKLINE>
    # ----- what the page shows -----
    print("y =", y.data)
    print("dy/dx =", x.grad)
    <BLANKLINE>
    # the claimed gradients
    with at.no_grad():
        dx = 2 * x
    print(at.compare(y, {"x": dx}))
    <BLANKLINE>
    """
    run = recorded(state, limits)
    lines = [script(script_program(state, limits), run.session.output), SHOWN, *_shown(run, state)]
    if run.loss is not None and state.claims.strip():
        lines += ["", "# the claimed gradients", *_claims(run, state, limits)]
    return "\n".join([*lines, ""])


def _shown(run: ProgramRun, state: PageState) -> Iterator[str]:
    """Yield the lines that print the results, and the gradient of each value of the page."""
    results = [each.name for each in run.parsed.statements]
    for name in dict.fromkeys([*results[-1:], *([run.session.output] if run.session.output else [])]):
        yield f'print("{name} =", {name}.data)' if isinstance(run.scope[name], Tensor) else f'print("{name} =", {name})'
    for name in state.values:
        if run.loss is not None and name in run.tracked:
            yield f'print("d{run.session.output}/d{name} =", {name}.grad)'


def _claims(run: ProgramRun, state: PageState, limits: Limits) -> Iterator[str]:
    """Yield the lines that compare the claimed gradients with the engine's."""
    output = run.session.output
    if is_typed(state.claims, limits) and (typed := list(typed_claims(state.claims, run))):
        lines, claimed = state.claims.splitlines(), {claim.line for claim in typed}
        for claim in typed:
            above = [line for i, line in enumerate(lines[: claim.line - 1], 1) if i not in claimed and line.strip()]
            formula = json.dumps("\n".join([*above, lines[claim.line - 1]]), ensure_ascii=False)
            yield f'print("{claim.name}:", at.derive({output}, {claim.name}).matches({formula}))'
        return
    try:
        claims = read_statements(state.claims, {}, {}, limits).statements
    except ExpressionError as error:  # the page says it, too
        yield f"# not read: {error.message}"
        return
    about = [each.name for each in claims if each.name[:1] == "d" and each.name[1:] in run.tracked]
    if not about:
        yield "# no gradient is claimed yet"
        return
    bound = [*run.scope]
    yield "with at.no_grad():"
    for each in claims:
        yield f"{INDENT}{each.name} = {qualified(each.text, bound)}"
        bound.append(each.name)
    pairs = [f'"{name[1:]}": {name}' for name in about]
    yield f"print(at.compare({output}, {{{', '.join(pairs)}}}))"

"""Links from the pages of notebooks into the playground, which open there what a cell has drawn, derived or compared.

A notebook's cells are run, and what at.draw, at.plot, at.derive or at.compare is given becomes the program and the
values of a page, where the playground computes the same number from them; there is no link where it cannot.
"""

import ast
import contextlib
import html
import io
import json
import math
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

import autotiny
from autotiny.engine.recording import value_of
from autotiny.errors import AutotinyError
from autotiny.playground.answers import answer
from autotiny.playground.limits import PLAYGROUND
from autotiny.playground.state import fragment, fragment_of, read_state

VIEWS = {"draw": "graph", "plot": "descent", "derive": "derivation", "compare": "graph"}
"""What a notebook calls, and the view of the playground that shows it."""
LONGEST = 8_000
"""The most characters of a link."""
WORDS = "Open in the playground"


def with_links(path: Path, home: str) -> str:
    """Return a notebook's text, with a link below each cell whose last result the playground at `home` can show.

    There are none where the notebook needs a package that is not installed here, which is printed.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    try:
        fragments = list(_fragments(path, notebook["cells"]))
    except ImportError as error:
        print(f"{path.name}: no links into the playground, since here is {error}")
        return json.dumps(notebook)
    cells, last = list[dict[str, Any]](), ""
    for cell, part in zip(notebook["cells"], fragments, strict=True):
        cells.append(cell)
        if part and part != last:
            text = f'<a class="open-playground" href="{html.escape(home + part)}">{WORDS}</a>'
            cells.append({"cell_type": "markdown", "metadata": {}, "source": [text], "id": f"open-{len(cells)}"})
            last = part
    return json.dumps({**notebook, "cells": cells})


def _fragments(path: Path, cells: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the fragment of the playground's address, or "", for each cell; those after the last call are not run."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.chdir(path.parent):
        sources = ["".join(cell["source"]) if cell["cell_type"] == "code" else "" for cell in cells]
        calls = [_calls(source) for source in sources]
        needed = max((i + 1 for i, each in enumerate(calls) if each), default=0)
        for source, shown in zip(sources[:needed], calls, strict=False):
            exec(compile(source, str(path), "exec"), scope)
            yield next(filter(None, (_fragment(call, scope) for call in shown)), "")
        yield from [""] * (len(cells) - needed)


def _calls(source: str) -> list[ast.Call]:
    """Return the calls of at.draw and the like on a named value, the last first."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args]
    shown = [node for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr in VIEWS]
    return sorted((node for node in shown if isinstance(node.args[0], ast.Name)), key=lambda node: -node.lineno)


def _fragment(call: ast.Call, scope: dict[str, Any]) -> str:
    """Return the fragment that shows what was called, or "" where the playground does not show the same."""
    output = scope.get(ast.unparse(call.args[0]))
    if not isinstance(output, autotiny.Tensor) or output.size != 1:
        return ""
    try:
        session = eval("_session(_output)", {**scope, "_session": autotiny.session, "_output": output})
    except AutotinyError:
        return ""
    view = VIEWS[ast.unparse(call.func).rpartition(".")[2]]
    text, state = f"{fragment(session)}&view={view}", _state(session)
    if view == "derivation" and len(call.args) > 1:
        about = _name(call.args[1], scope)
        if not about or _formula(state, about) != eval(ast.unparse(call), scope).formula:
            return ""
        text += f"&about={quote(about)}"
    return text if len(text) <= LONGEST and _agrees(state, output.item()) else ""


def _name(argument: ast.expr, scope: dict[str, Any]) -> str:
    """Return the name of the tensor that a derivation is by, given as a variable or as a text; else ""."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    return argument.id if isinstance(argument, ast.Name) and argument.id in scope else ""


def _state(session: Any) -> dict[str, Any]:
    """Return the program and the values of the page that a session becomes."""
    formulas = [each.line for each in session.statements if each.kind == "formula"]
    values = {
        each.name: {"value": np.asarray(value_of(session[each.name]), float).tolist(), "data": each.kind == "data"}
        for each in session.statements
        if each.kind != "formula"
    }
    return {"program": "\n".join(formulas), "values": values}


def _agrees(state: dict[str, Any], expected: float) -> bool:
    loss = answer({"kind": "picture", **state}, PLAYGROUND).get("loss")
    return isinstance(loss, float) and math.isclose(loss, expected, rel_tol=1e-9)


def _formula(state: dict[str, Any], about: str) -> str:
    """Return the gradient that the page derives; "" where it derives none.

    A number that the notebook computed without recording it, such as 1 - t, is an array of the page's own there.
    """
    derived = answer({"kind": "derivation", "about": about, **state}, PLAYGROUND)
    return "" if "error" in derived else [derived["chain"], *derived["steps"]][-1]["text"]


def examples() -> Iterator[str]:
    """Yield the playground's examples as items of a list, each with a link that opens it."""
    text = (files("autotiny.playground") / "static" / "examples.json").read_text(encoding="utf-8")
    for example in json.loads(text):
        values = read_state({"values": example["values"]}).values
        texts = {key: example[key] for key in ("question", "program", "claims", "dataset", "view") if key in example}
        link = html.escape(f"play/index.html{fragment_of(values, texts)}")
        yield f'- <a class="open-playground" href="{link}">{example["title"]}</a>: {example["question"]}'

"""A session as a Python script, and back: the script is read as text, and never run."""

import ast
import re
from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autotiny.language.limits import Limits
from autotiny.npz import load_npz
from autotiny.sessions.declaration import ARRAYS
from autotiny.sessions.program import Program, SessionError
from autotiny.sessions.qualify import plain, qualified
from autotiny.sessions.reading import read_statements
from autotiny.sessions.statement import Statement

HEADER = '"""A session of autotiny: run it with Python, or go on with it by at.session.load."""\n'
IMPORTS = "import numpy as np\n\nimport autotiny as at\n"
FILE = "from pathlib import Path\n\n"
ARRAYS_LINE = f"{ARRAYS} = np.load(Path(__file__).with_suffix('.npz'))"
PREAMBLE = {*FILE.splitlines(), *IMPORTS.splitlines(), ARRAYS_LINE}
LONGEST = 10**6
"""Characters of a script that is read."""


def script(program: Program, output: str | None) -> str:
    """The statements as Python that needs NumPy and autotiny, and the backward pass."""
    large = arrays_of(program)
    lines, bound = [ARRAYS_LINE] if large else [], list[str]()
    for statement in program.statements:
        lines.append(f"{statement.name} = {qualified(statement.text, bound)}")
        bound.append(statement.name)
    if output is not None:
        lines.append(f"{output}.backward()")
    return "\n".join([HEADER + (FILE if large else "") + IMPORTS, *lines, ""])


def arrays_of(program: Program) -> dict[str, Any]:
    """The values that are too large to be written out."""
    return {each.name: each.array for each in program.statements if each.array is not None}


def save(path: Path, program: Program, output: str | None) -> None:
    """Write the script, and an .npz file beside it where there are large arrays."""
    if path.suffix != ".py":
        raise SessionError(f"save: expected a file name that ends in .py; got {path.name!r}")
    if arrays := arrays_of(program):
        np.savez_compressed(path.with_suffix(".npz"), **arrays)
    path.write_text(script(program, output), encoding="utf-8")


def loaded(path: Path, limits: Limits) -> Program:
    """The program of a script that `save` wrote, perhaps edited since; raises ExpressionError and SessionError."""
    text = path.read_text(encoding="utf-8")
    if len(text) > LONGEST:
        raise SessionError(f"{path.name} has {len(text):,} characters; a session has {LONGEST:,} at most")
    nodes = _parsed(path.name, text)
    npz = path.with_suffix(".npz")
    arrays = load_npz(npz) if any(ast.unparse(node) == ARRAYS_LINE for node in nodes) else {}
    *_, output = [None, *filter(None, map(_backward, nodes))]
    reading = read_statements(
        _without(text, nodes), (), arrays, limits._replace(characters=LONGEST, statements=LONGEST)
    )
    statements = tuple(_as_python_means(each, reading.places) for each in reading.statements)
    return Program(statements).with_output(output)


def _parsed(name: str, text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SessionError(f"{name} is no Python script: {error}") from None


def _without(text: str, nodes: list[ast.stmt]) -> str:
    """The text with empty lines where a script has what is no statement of a session."""
    lines = text.split("\n")
    for node in nodes:
        if _is_docstring(node) or ast.unparse(node) in PREAMBLE or _backward(node):
            assert node.end_lineno is not None
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(lines)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _backward(node: ast.stmt) -> str | None:
    """J in J.backward()."""
    found = re.fullmatch(r"(\w+)\.backward\(\)", ast.unparse(node))
    return found[1] if found else None


def _as_python_means(statement: Statement, bound: Container[str]) -> Statement:
    """The statement in the language; a bare number is a constant in Python, where a session's would be a variable."""
    declared = statement.declaration
    text = f"array({statement.text})" if declared and declared.is_bare else plain(statement.text, bound)
    return replace(statement, text=text)

"""A session as a Python script, and back: the script is read as text, and never run.

A script names functions with their module, options with their name and lists as arrays, as Python needs it.
"""

import ast
import inspect
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autotiny.files import load_npz
from autotiny.language.limits import Limits
from autotiny.language.vocabulary import CONSTANTS, METHODS, functions
from autotiny.sessions.program import Program, SessionError
from autotiny.sessions.reading import read_statements
from autotiny.sessions.statement import ARRAYS, DTYPES, Edit, Statement, declaration, edited, is_literal, parsed, span

HEADER = '"""A session of autotiny: run it with Python, or go on with it by at.session.load."""\n'
IMPORTS = "import numpy as np\n\nimport autotiny as at\n"
FILE = "from pathlib import Path\n\n"
ARRAYS_LINE = f"{ARRAYS} = np.load(Path(__file__).with_suffix('.npz'))"
PREAMBLE = {*FILE.splitlines(), *IMPORTS.splitlines(), ARRAYS_LINE}
SHOWN = "# ----- what the page shows -----"
"""The line of a script from which on it prints: loading it goes on with what is above."""
LONGEST = 10**6
"""The largest number of characters of a script that can be loaded."""


def script(program: Program, output: str | None) -> str:
    """The Python source of the statements and of the backward pass."""
    large = arrays_of(program)
    lines, bound = [ARRAYS_LINE] if large else [], list[str]()
    for statement in program.statements:
        lines.append(f"{statement.name} = {qualified(statement.text, bound)}")
        bound.append(statement.name)
    if output is not None:
        lines.append(f"{output}.backward()")
    return "\n".join([HEADER + (FILE if large else "") + IMPORTS, *lines, ""])


def arrays_of(program: Program) -> dict[str, Any]:
    """The values that are too large for the text."""
    return {each.name: each.array for each in program.statements if each.array is not None}


def save(path: Path, program: Program, output: str | None) -> None:
    """Write the script, and an .npz file beside it where there are large arrays."""
    if path.suffix != ".py":
        raise SessionError(f"save: expected a file name that ends in .py; got {path.name!r}")
    if arrays := arrays_of(program):
        np.savez_compressed(path.with_suffix(".npz"), **arrays)
    path.write_text(script(program, output), encoding="utf-8")


def loaded(path: Path, limits: Limits) -> Program:
    """The program of a script that `save` wrote, possibly edited; raises ExpressionError and SessionError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SessionError(f"{path.name} is not the text of a session") from None
    if len(text) > LONGEST:
        raise SessionError(f"{path.name} has {len(text):,} characters; a session has {LONGEST:,} at most")
    text = text.partition(f"\n{SHOWN}\n")[0]
    nodes = _parsed(path.name, text)
    npz = path.with_suffix(".npz")
    arrays = load_npz(npz) if any(ast.unparse(node) == ARRAYS_LINE for node in nodes) else {}
    *_, output = [None, *filter(None, map(_backward, nodes))]
    limits = limits._replace(characters=LONGEST, statements=LONGEST)
    program = read_statements(_statements_alone(text, nodes), (), arrays, limits)
    statements = tuple(_in_language(each, program.spans) for each in program.statements)
    return Program(statements).with_output(output)


def _parsed(name: str, text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SessionError(f"{name} is not a Python script: {error}") from None


def _statements_alone(text: str, nodes: list[ast.stmt]) -> str:
    """The text, blank where a script has its docstring, imports and backward pass."""
    lines = text.split("\n")
    for node in nodes:
        if _is_docstring(node) or ast.unparse(node) in PREAMBLE or _backward(node):
            assert node.end_lineno is not None
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(lines)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _backward(node: ast.stmt) -> str | None:
    """The name J in J.backward(); None for any other statement."""
    match = re.fullmatch(r"(\w+)\.backward\(\)", ast.unparse(node))
    return match[1] if match else None


def _in_language(statement: Statement, bound: Container[str]) -> Statement:
    """The statement in the language; a bare number is data in Python, where it would be a variable in a session."""
    declared = statement.declaration
    text = f"array({statement.text})" if declared and declared.is_bare else plain(statement.text, bound)
    return replace(statement, text=text)


# ----- from the language to Python -----
def qualified(text: str, bound: Container[str]) -> str:
    """A right side as Python; `bound` are the names of values.

    >>> qualified("maximum(W @ X, 0) * pi", ["W", "X"]), qualified("[1, 2]", [])
    ('np.maximum(W @ X, 0) * np.pi', 'at.Tensor([1, 2])')
    """
    tree = parsed(text)
    declared = declaration(tree, bound)
    if declared and declared.is_bare:
        return f"at.Tensor({edited(text, _constants(text, tree, bound))})"
    kept = declared.content if declared else None
    return edited(text, [*_constants(text, tree, bound), *_functions(text, tree), *_lists(text, tree, kept)])


def _constants(text: str, tree: ast.expr, bound: Container[str]) -> Iterator[Edit]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        known = isinstance(node, ast.Name) and node.id in (*CONSTANTS, *DTYPES)
        if isinstance(node, ast.Name) and known and id(node) not in called and node.id not in bound:
            yield _before(text, node, "np.")


def _functions(text: str, tree: ast.expr) -> Iterator[Edit]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            yield from _options(text, call)
            root = call.func
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and (root is call.func or root.id == "linalg"):
                yield _before(text, root, _module(root.id))


def _module(name: str) -> str:
    if name == "Tensor":
        return "at."
    if hasattr(np, name):
        return "np."
    return "np.linalg." if hasattr(np.linalg, name) else "at."


def _options(text: str, call: ast.Call) -> Iterator[Edit]:
    """Names of positional options where NumPy has another parameter at that position."""
    name, shift = ast.unparse(call.func).split(".")[-1], 0
    if isinstance(call.func, ast.Attribute) and not _is_module(call.func.value):
        name, shift = METHODS.get(name, name), 1
    if name in functions():
        function = functions()[name]
        pairs = list(zip(function.signature.parameters.values(), _parameters(function.name), strict=False))
        for (own, theirs), arg in zip(pairs[shift:], call.args, strict=False):
            if own.default is not own.empty and theirs.lower() != own.name.lower():
                yield _before(text, arg, f"{own.name}=")


def _is_module(node: ast.expr) -> bool:
    return ast.unparse(node).split(".")[0] in ("np", "numpy", "at", "autotiny", "linalg")


def _parameters(name: str) -> list[str]:
    function: Callable[..., Any] | None = getattr(np, name, None) or getattr(np.linalg, name, None)
    try:
        return list(inspect.signature(function).parameters) if function else []
    except ValueError:  # some NumPy functions have no signature
        return []


def _lists(text: str, tree: ast.expr, kept: ast.expr | None) -> Iterator[Edit]:
    """np.array around lists of numbers, which are arrays in the language."""
    nodes: list[ast.AST] = [tree]
    for node in nodes:  # grows during the loop
        if isinstance(node, ast.List) and node is not kept and is_literal(node):
            start, end = span(text, node)
            yield from (Edit(start, start, "np.array("), Edit(end, end, ")"))
        elif not (isinstance(node, ast.Call) and ast.unparse(node.func) in ("array", "np.array")):
            nodes += ast.iter_child_nodes(node)


def _before(text: str, node: ast.expr, word: str) -> Edit:
    start, _ = span(text, node)
    return Edit(start, start, word)


# ----- from Python to the language -----
def plain(text: str, bound: Container[str] = ()) -> str:
    """A right side of a script in the language; `bound` are the names of values.

    >>> plain("np.maximum(W @ X, 0) * np.pi"), plain("at.Tensor([1, 2])"), plain("at.Tensor([1], dtype=np.float32)")
    ('maximum(W @ X, 0) * pi', '[1, 2]', 'Tensor([1], dtype=float32)')
    """
    tree = parsed(text)
    bare = edited(text, [edit for node in ast.walk(tree) for edit in _module_prefix(text, node, bound)])
    declared = declaration(parsed(bare))
    if declared and declared.tracked and not declared.dtype and is_literal(declared.content):
        start, end = span(bare, declared.content)
        return bare.encode()[start:end].decode()
    return bare


def _module_prefix(text: str, node: ast.AST, bound: Container[str]) -> Iterator[Edit]:
    if isinstance(node, ast.Attribute) and _is_module(node.value) and node.attr not in bound:
        name = ast.unparse(node).split(".", 1)[1].removeprefix("linalg.")
        if node.attr in (*functions(), *CONSTANTS, *DTYPES, "Tensor") and name == node.attr:
            yield Edit(span(text, node)[0], span(text, node)[1] - len(node.attr), "")

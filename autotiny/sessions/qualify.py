"""From the language to Python: functions with their module, options with their name, lists as arrays."""

import ast
import inspect
from collections.abc import Callable, Container, Iterator
from typing import Any

import numpy as np

from autotiny.language.vocabulary import CONSTANTS, METHODS, words
from autotiny.sessions.declaration import DTYPES, declaration, is_written_in_numbers
from autotiny.sessions.source_edits import Edit, edited, parsed, span


def qualified(text: str, bound: Container[str]) -> str:
    """A right side as Python; `bound` are the names that stand for values.

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
    """Options that stand at a place at which NumPy has another one get their name."""
    name, shift = ast.unparse(call.func).split(".")[-1], 0
    if isinstance(call.func, ast.Attribute) and not _is_module(call.func.value):
        name, shift = METHODS.get(name, name), 1
    if name in words():
        ours, theirs = list(words()[name].signature.parameters.values()), _parameters(words()[name].name)
        for place, arg in enumerate(call.args, shift):
            at = ours[place] if place < len(ours) else None
            if at and at.default is not at.empty and place < len(theirs) and theirs[place].lower() != at.name.lower():
                yield _before(text, arg, f"{at.name}=")


def _is_module(node: ast.expr) -> bool:
    return ast.unparse(node).split(".")[0] in ("np", "numpy", "at", "autotiny", "linalg")


def _parameters(name: str) -> list[str]:
    function: Callable[..., Any] | None = getattr(np, name, None) or getattr(np.linalg, name, None)
    try:
        return list(inspect.signature(function).parameters) if function else []
    except ValueError:  # NumPy tells no signature of some
        return []


def _lists(text: str, tree: ast.expr, kept: ast.expr | None) -> Iterator[Edit]:
    """Lists of numbers, which count as arrays in the language."""
    waiting: list[ast.AST] = [tree]
    for node in waiting:  # grows while it is walked
        if isinstance(node, ast.List) and node is not kept and is_written_in_numbers(node):
            start, end = span(text, node)
            yield from (Edit(start, start, "np.array("), Edit(end, end, ")"))
        elif not (isinstance(node, ast.Call) and ast.unparse(node.func) in ("array", "np.array")):
            waiting += ast.iter_child_nodes(node)


def _before(text: str, node: ast.expr, word: str) -> Edit:
    start, _ = span(text, node)
    return Edit(start, start, word)


def plain(text: str, bound: Container[str] = ()) -> str:
    """A right side of a script in the words of the language; `bound` are the names that stand for values.

    >>> plain("np.maximum(W @ X, 0) * np.pi"), plain("at.Tensor([1, 2])"), plain("at.Tensor([1], dtype=np.float32)")
    ('maximum(W @ X, 0) * pi', '[1, 2]', 'Tensor([1], dtype=float32)')
    """
    tree = parsed(text)
    bare = edited(text, [edit for node in ast.walk(tree) for edit in _without_module(text, node, bound)])
    declared = declaration(parsed(bare))
    if declared and declared.tracked and not declared.dtype and is_written_in_numbers(declared.content):
        start, end = span(bare, declared.content)
        return bare.encode()[start:end].decode()
    return bare


def _without_module(text: str, node: ast.AST, bound: Container[str]) -> Iterator[Edit]:
    if isinstance(node, ast.Attribute) and _is_module(node.value) and node.attr not in bound:
        name = ast.unparse(node).split(".", 1)[1].removeprefix("linalg.")
        if node.attr in (*words(), *CONSTANTS, *DTYPES, "Tensor") and name == node.attr:
            yield Edit(span(text, node)[0], span(text, node)[1] - len(node.attr), "")

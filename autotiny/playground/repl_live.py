"""Which of the lines that are typed live on as formulas; all others are Python's alone."""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import autotiny as at
from autotiny.engine.tensor import Tensor
from autotiny.language.operators import BINARY, COMPARISON, UNARY
from autotiny.language.vocabulary import CONSTANTS, METHODS, PROPERTIES, words
from autotiny.sessions.declaration import declaration
from autotiny.sessions.qualify import plain
from autotiny.sessions.source_edits import parsed, values_in

WRITTEN = (ast.Name, ast.List, ast.Tuple, ast.Subscript, ast.Slice, ast.keyword, ast.expr_context, ast.Constant)
OPERATIONS = (ast.UnaryOp, ast.BinOp, ast.Compare, *BINARY, *UNARY, *COMPARISON)


def names_in_place() -> dict[str, Any]:
    """What a terminal starts with: the modules, and NumPy's and autotiny's functions by their names.

    >>> names_in_place()["relu"] is at.relu, names_in_place()["det"] is np.linalg.det
    (True, True)
    """
    functions = {name: _function(name) for name in words() if "." not in name}
    return {**functions, **CONSTANTS, "np": np, "at": at, "Tensor": Tensor}


def _function(word: str) -> Any:
    return getattr(next(module for module in (np, np.linalg, at) if hasattr(module, word)), word)


@dataclass(frozen=True)
class Formula:
    """An assignment in the words of the language."""

    name: str
    text: str

    @property
    def tree(self) -> ast.expr:
        """The right side, parsed."""
        return parsed(self.text)

    @property
    def values(self) -> list[str]:
        """The names of values that it speaks of."""
        return [node.id for node in values_in(self.tree)]


def formulas(text: str, live: Collection[str], python: Mapping[str, Any]) -> list[Formula]:
    """The assignments that a text consists of, if each has a Tensor of the session, or makes one; else none.

    `live` are the names of the session, `python` the variables of the terminal.

    >>> formulas("y = np.tanh(x) * n", ["x"], {"np": np, "n": 3, "tanh": np.tanh})
    [Formula(name='y', text='tanh(x) * n')]
    >>> formulas("y = helper(x)", ["x"], {"helper": print})
    []
    """
    found, known = list[Formula](), set(live)
    rebound = {name for name in CONSTANTS if name in python and not _in_place(name, python[name])}
    for node in _parsed(text):
        formula = _formula(text, node, known | rebound)
        if formula is None or not _is_live(formula, node, known, python):
            return []
        found.append(formula)
        known.add(formula.name)
    return found


def borrowed(found: Collection[Formula], live: Collection[str], python: Mapping[str, Any]) -> dict[str, Any]:
    """Python's numbers and arrays that formulas speak of, and the session does not have."""
    made = {formula.name for formula in found}
    used = {name: python.get(name) for formula in found for name in formula.values if name not in (*live, *made)}
    return {name: value for name, value in used.items() if is_numbers(value) and not _in_place(name, value)}


def is_numbers(value: Any) -> bool:
    """Whether a value of Python's may be data of a session."""
    return isinstance(value, int | float | np.number | np.ndarray) and np.asarray(value).dtype.kind in "fiub"


def ragged(value: Any) -> list[int]:
    """The lengths of the rows of a matrix, written as lists of numbers, where they differ; else none.

    >>> ragged([[1, 2], [3]]), ragged([[1, 2], [3, 4]])
    ([1, 2], [])
    """
    if not isinstance(value, list) or not all(isinstance(row, list) and all(map(is_numbers, row)) for row in value):
        return []
    lengths = sorted({len(row) for row in value})
    return lengths if len(lengths) > 1 else []


def _parsed(text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _formula(text: str, node: ast.stmt, bound: Collection[str]) -> Formula | None:
    if not isinstance(node, ast.Assign) or len(node.targets) > 1 or not isinstance(node.targets[0], ast.Name):
        return None
    segment = ast.get_source_segment(text.strip(), node.value) or ""
    return Formula(node.targets[0].id, plain(ast.unparse(node.value) if "\n" in segment else segment, bound))


def _is_live(formula: Formula, node: ast.stmt, live: Collection[str], python: Mapping[str, Any]) -> bool:
    assert isinstance(node, ast.Assign)
    declared = declaration(node.value)
    if declared:  # Python's own 3 and [1, 2] stay what they are; a Tensor of what Python computed is Python's to make
        return not declared.is_bare and declaration(parsed(ast.unparse(declared.content))) is not None
    return (
        formula.name not in formula.values
        and any(name in live for name in formula.values)
        and all(_is_value(name, live, python) for name in formula.values)
        and all(_is_written(part, python) for part in ast.walk(formula.tree))
    )


def _is_value(name: str, live: Collection[str], python: Mapping[str, Any]) -> bool:
    """Whether the language can take a name; it tells of one that is nowhere better than Python does."""
    if name in live or name not in python:
        return True
    return is_numbers(python[name]) or _in_place(name, python[name])


def _is_written(node: ast.AST, python: Mapping[str, Any]) -> bool:
    """Whether the language has a part of a tree."""
    if isinstance(node, ast.Call):
        return not isinstance(node.func, ast.Name) or _is_word(node.func.id, python)
    if isinstance(node, ast.Attribute):
        return node.attr in METHODS or node.attr in PROPERTIES
    return isinstance(node, (*WRITTEN, *OPERATIONS))


def _is_word(name: str, python: Mapping[str, Any]) -> bool:
    return name not in python or (name in words() and python[name] is _function(name))


def _in_place(name: str, value: Any) -> bool:
    return name in CONSTANTS and value is CONSTANTS[name]

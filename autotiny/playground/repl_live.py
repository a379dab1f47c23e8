"""Which of the lines that are typed become formulas of the session; Python runs all others."""

import ast
import builtins
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import autotiny as at
from autotiny.engine.tensor import Tensor
from autotiny.language.operators import BINARY, COMPARISON, UNARY
from autotiny.language.vocabulary import CONSTANTS, METHODS, PROPERTIES, functions
from autotiny.sessions.script import plain
from autotiny.sessions.statement import declaration, parsed, values_in

SYNTAX = (ast.Name, ast.List, ast.Tuple, ast.Subscript, ast.Slice, ast.keyword, ast.expr_context, ast.Constant)
OPERATIONS = (ast.UnaryOp, ast.BinOp, ast.Compare, *BINARY, *UNARY, *COMPARISON)


def names_in_place() -> dict[str, Any]:
    """The names that a terminal starts with: the modules, and NumPy's and autotiny's functions.

    >>> names_in_place()["relu"] is at.relu, names_in_place()["det"] is np.linalg.det
    (True, True)
    """
    callables = {name: _function(name) for name in functions() if "." not in name}
    return {**callables, **CONSTANTS, "np": np, "at": at, "Tensor": Tensor}


def _function(name: str) -> Any:
    return getattr(next(module for module in (np, np.linalg, at, builtins) if hasattr(module, name)), name)


@dataclass(frozen=True)
class Formula:
    """An assignment in the safe language."""

    name: str
    text: str

    @property
    def tree(self) -> ast.expr:
        """The right side, parsed."""
        return parsed(self.text)

    @property
    def values(self) -> list[str]:
        """The names of the values that it uses."""
        return [node.id for node in values_in(self.tree)]


def formulas(text: str, live: Collection[str], python: Mapping[str, Any]) -> list[Formula]:
    """The assignments in a text, if each uses a Tensor of the session or declares one; otherwise none.

    `live` are the names of the session, `python` the variables of the terminal.

    >>> formulas("y = np.tanh(x) * n", ["x"], {"np": np, "n": 3, "tanh": np.tanh})
    [Formula(name='y', text='tanh(x) * n')]
    >>> formulas("y = helper(x)", ["x"], {"helper": print})
    []
    """
    accepted, known = list[Formula](), set(live)
    rebound = {name for name in CONSTANTS if name in python and not _is_constant(name, python[name])}
    for node in _parsed(text):
        formula = _formula(text, node, known | rebound)
        if formula is None or not _is_live(formula, node, known, python):
            return []
        accepted.append(formula)
        known.add(formula.name)
    return accepted


def borrowed(lines: Collection[Formula], live: Collection[str], python: Mapping[str, Any]) -> dict[str, Any]:
    """Python's numbers and arrays that formulas use and the session does not have."""
    defined = {formula.name for formula in lines}
    used = {name: python.get(name) for formula in lines for name in formula.values if name not in (*live, *defined)}
    return {name: value for name, value in used.items() if is_numbers(value) and not _is_constant(name, value)}


def is_numbers(value: Any) -> bool:
    """Whether a Python value can be data of a session."""
    return isinstance(value, int | float | np.number | np.ndarray) and np.asarray(value).dtype.kind in "fiub"


def ragged(value: Any) -> list[int]:
    """The different lengths of the rows of a list of lists of numbers; empty where they are equal.

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
    if declared:  # a plain 3 or [1, 2] stays Python's, and so does a Tensor of a value that Python computes
        return not declared.is_bare and declaration(parsed(ast.unparse(declared.content))) is not None
    return (
        formula.name not in formula.values
        and any(name in live for name in formula.values)
        and all(_is_value(name, live, python) for name in formula.values)
        and all(_is_in_language(part, python) for part in ast.walk(formula.tree))
    )


def _is_value(name: str, live: Collection[str], python: Mapping[str, Any]) -> bool:
    """Whether the language can use a name; an undefined one counts, as the language's error is the better one."""
    if name in live or name not in python:
        return True
    return is_numbers(python[name]) or _is_constant(name, python[name])


def _is_in_language(node: ast.AST, python: Mapping[str, Any]) -> bool:
    """Whether a node of a tree is part of the language."""
    if isinstance(node, ast.Call):
        return not isinstance(node.func, ast.Name) or _is_function(node.func.id, python)
    if isinstance(node, ast.Attribute):
        return node.attr in METHODS or node.attr in PROPERTIES
    return isinstance(node, (*SYNTAX, *OPERATIONS))


def _is_function(name: str, python: Mapping[str, Any]) -> bool:
    return name not in python or (name in functions() and python[name] is _function(name))


def _is_constant(name: str, value: Any) -> bool:
    return name in CONSTANTS and value is CONSTANTS[name]

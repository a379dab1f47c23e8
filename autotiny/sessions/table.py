"""A session as a table: every name with its kind or formula, its value and its gradient."""

import ast
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.notation.arrays import summarise
from autotiny.notation.text import aligned, clean
from autotiny.sessions.state import SessionState
from autotiny.sessions.statement import Statement

HEADINGS = ("name", "is", "shape", "value", "gradient")
LONGEST_NAME, LONGEST_FORMULA, NARROWEST = 24, 40, 4


def table(state: SessionState, names: Collection[str] | None = None, width: int | None = None) -> str:
    """A row for each statement, or for some names; "—" where the output does not depend on a variable.

    If a width is given, formulas, and other columns if necessary, are shortened to fit it.
    """
    wanted = [each for each in state.program.statements if names is None or each.name in names]
    rows = [HEADINGS, *(_line(state, each) for each in wanted)]
    return aligned(rows if width is None else fitted(rows, width))


def fitted(rows: Sequence[tuple[str, ...]], width: int) -> list[list[str]]:
    """The rows with their longest cells shortened, until a line fits a width.

    >>> fitted([("name", "is"), ("J", "sum(tanh(W @ x))")], 14)
    [['name', 'is'], ['J', 'sum(tan…']]
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return [[clean(word, room) for word, room in zip(row, widths, strict=True)] for row in rows]


def _line(state: SessionState, statement: Statement) -> tuple[str, ...]:
    name, value = statement.name, state.values[statement.name]
    if is_array(value):
        shape, summary = str(np.shape(value_of(value))), summarise(value_of(value)).text
    else:  # a list of results, or a tuple of numbers such as a shape
        shape, summary = "", f"{len(value)} results" if isinstance(value, list) else str(value)
    return clean(name, LONGEST_NAME), _origin(statement), shape, summary, _gradient(state, value)


def _origin(statement: Statement) -> str:
    if statement.kind != "formula":
        return statement.kind
    return clean(ast.unparse(statement.tree) if "\n" in statement.text else statement.text, LONGEST_FORMULA)


def is_array(value: Any) -> bool:
    """Whether a value is a number or an array."""
    return isinstance(value, Tensor | np.ndarray | np.generic | int | float)


def _gradient(state: SessionState, value: Any) -> str:
    if not isinstance(value, Tensor) or not value.requires_grad:
        return ""
    g = state.gradients.of.get(value)
    return "—" if g is None else summarise(g).text

"""A session as a table: every name, what it stands for, its value and its gradient."""

import ast
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.notation.arrays import summarise
from autotiny.notation.text import aligned, clean
from autotiny.sessions.state import State
from autotiny.sessions.statement import Statement

HEADINGS = ("name", "is", "shape", "value", "gradient")
LONGEST_NAME, LONGEST_FORMULA, NARROWEST = 24, 40, 4


def table(state: State, names: Collection[str] | None = None, width: int | None = None) -> str:
    """A line for each statement, or those of the names; "—" where nothing of what is differentiated depends on it.

    Where a width is given, formulas, and if need be other words, are cut to fit it.
    """
    wanted = [each for each in state.program.statements if names is None or each.name in names]
    rows = [HEADINGS, *(_line(state, each) for each in wanted)]
    return aligned(rows if width is None else fitted(rows, width))


def fitted(rows: Sequence[tuple[str, ...]], width: int) -> list[list[str]]:
    """The rows with their longest words cut, until a line of them fits a width.

    >>> fitted([("name", "is"), ("J", "sum(tanh(W @ x))")], 14)
    [['name', 'is'], ['J', 'sum(tan…']]
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return [[clean(word, room) for word, room in zip(row, widths, strict=True)] for row in rows]


def _line(state: State, statement: Statement) -> tuple[str, ...]:
    name, value = statement.name, state.values[statement.name]
    shape, told = (str(np.shape(value_of(value))), summarise(value_of(value)).text) if is_array(value) else _told(value)
    return clean(name, LONGEST_NAME), _origin(statement), shape, told, _gradient(state, value)


def _told(value: Any) -> tuple[str, str]:
    """A list of results has no shape of its own; a tuple of numbers tells itself."""
    return "", f"{len(value)} results" if isinstance(value, list) else str(value)


def _origin(statement: Statement) -> str:
    written = ast.unparse(statement.tree) if "\n" in statement.text else statement.text
    return statement.kind if statement.kind != "formula" else clean(written, LONGEST_FORMULA)


def is_array(value: Any) -> bool:
    """Whether a value has entries to show."""
    return isinstance(value, Tensor | np.ndarray | np.generic | int | float)


def _gradient(state: State, value: Any) -> str:
    if not isinstance(value, Tensor) or not value.requires_grad:
        return ""
    g = state.gradients.of.get(value)
    return "—" if g is None else summarise(g).text

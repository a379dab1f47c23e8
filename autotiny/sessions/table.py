"""A session as a table: every name, what it stands for, its value and its gradient."""

from typing import Any

import numpy as np

from autotiny.drawing.values import show
from autotiny.recording import value_of
from autotiny.sessions.state import State
from autotiny.sessions.statement import Statement
from autotiny.tables import aligned, clean
from autotiny.tensor import Tensor

HEADINGS = ("name", "is", "shape", "value", "gradient")
LONGEST_NAME, LONGEST_FORMULA = 24, 40


def table(state: State) -> str:
    """A line for each statement; "—" where a variable's gradient is not told, for nothing depends on it yet."""
    return aligned([HEADINGS, *(_line(state, each) for each in state.program.statements)])


def _line(state: State, statement: Statement) -> tuple[str, ...]:
    name, value = statement.name, state.values[statement.name]
    told = show(value_of(value)).summary if is_array(value) else str(value)
    return clean(name, LONGEST_NAME), _origin(statement), str(np.shape(value_of(value))), told, _gradient(state, value)


def _origin(statement: Statement) -> str:
    return statement.kind if statement.kind != "formula" else clean(" ".join(statement.text.split()), LONGEST_FORMULA)


def is_array(value: Any) -> bool:
    """Whether a value has entries to show."""
    return isinstance(value, Tensor | np.ndarray | np.generic | int | float)


def _gradient(state: State, value: Any) -> str:
    if not isinstance(value, Tensor) or not value.requires_grad:
        return ""
    g = state.gradients.of.get(value)
    return "—" if g is None else show(g).summary

"""A program of the page, run: what each line came to, and what is missing."""

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autotiny.expressions import ExpressionError, Limits, evaluate
from autotiny.expressions.reading import read
from autotiny.expressions.vocabulary import CONSTANTS, MODULES, words
from autotiny.playground.state import State
from autotiny.recording import value_of
from autotiny.tensor import Tensor

Value = Any


class Run(NamedTuple):
    """What a program came to."""

    value: Value
    scope: dict[str, Value]
    lines: dict[str, int]
    """Where each name was last assigned, from 1."""
    last: int
    """Line of the last statement."""

    @property
    def loss(self) -> Tensor | None:
        """The result, where it has a gradient."""
        return self.value if isinstance(self.value, Tensor) and self.value.requires_grad else None


def run(text: str, values: Mapping[str, Value], limits: Limits) -> Run:
    """Compute a program; raises ExpressionError, whose line and column count in the text as it is written."""
    try:
        statements = read(text, limits).statements
        value, scope = evaluate(text, values, limits)
    except ExpressionError as error:
        raise _within(text, error) from error
    skipped = _skipped(text).count("\n")
    targets = {
        statement.targets[0].id: statement.lineno + skipped
        for statement in statements
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    return Run(value, scope, targets, statements[-1].lineno + skipped)


def unknown_names(text: str, known: Collection[str], limits: Limits) -> list[str]:
    """Names that the program reads and nobody gave a value, in the order in which they are met; none of a broken one.

    >>> unknown_names("y = w * x + pi; tanh(y)", {"x"}, Limits())
    ['w']
    """
    try:
        statements = read(text, limits).statements
    except ExpressionError:
        return []
    known, unknown = {*known, *CONSTANTS, *words(), *MODULES, "linalg"}, dict[str, None]()
    for statement in statements:
        unknown |= {name: None for name in _read_names(statement) if name not in known}
        if isinstance(statement, ast.Assign):
            known |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return list(unknown)


def _read_names(statement: ast.stmt) -> Iterator[str]:
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    called = {id(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}
    in_order = sorted(names, key=lambda node: (node.lineno, node.col_offset))
    return (node.id for node in in_order if id(node) not in called)


def recorded(state: State, limits: Limits) -> Run:
    """The program of a state, with gradients at every value where its result is a single number."""
    ran = run(state.program, state.operands(), limits)
    if ran.loss is not None and ran.loss.size == 1:
        with np.errstate(all="ignore"):
            ran.loss.backward(np.ones(ran.loss.shape))
    return ran


def detached(scope: Mapping[str, Value]) -> dict[str, Value]:
    """The same values, of which nothing is recorded."""
    return {name: value_of(value) for name, value in scope.items()}


def _skipped(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _within(text: str, error: ExpressionError) -> ExpressionError:
    """The language reads a program without the blanks before it; its errors then count from there."""
    skipped = _skipped(text)
    if not error.line or not skipped:
        return error
    column = error.column + (len(skipped.rpartition("\n")[2]) if error.line == 1 else 0)
    return ExpressionError(error.message, error.line + skipped.count("\n"), column, error.excerpt)

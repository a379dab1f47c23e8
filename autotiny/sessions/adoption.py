"""What was made outside of a session, by Python, and is to live in it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.sessions.leaves import is_written_over
from autotiny.sessions.program import Program
from autotiny.sessions.recorded import recorded
from autotiny.sessions.statement import Statement, leaf
from autotiny.tensor import Tensor


def with_overwritten(program: Program, before: Program, values: Mapping[str, Any]) -> Program:
    """The program with what was assigned to the data of leaves since they were made, but for those that it changes."""
    for statement in program.statements:
        value = values.get(statement.name)
        kept = any(statement is each for each in before.statements)
        if kept and is_written_over(value):
            program = program.with_statement(leaf(statement.name, value._data, value.requires_grad))
    return program


def adopted(program: Program, values: Mapping[str, Any], scope: Mapping[str, Any]) -> tuple[Program, list[str]]:
    """The program with what differs from its values, and the names that do.

    Raises UnsupportedError for a Tensor made by an operation that the language does not have.
    """
    statements = dict[str, Statement]()
    known = {value: name for name, value in values.items() if isinstance(value, Tensor)}
    for name, value in scope.items():
        if value is not values.get(name):
            for each in made(name, value, scope, known):
                statements[each.name] = each
    for statement in statements.values():
        program = program.with_statement(statement)
    return program, list(statements)


def made(name: str, value: Any, scope: Mapping[str, Any], known: Mapping[Tensor, str]) -> list[Statement]:
    """The statements that give a name this value."""
    if not isinstance(value, Tensor):
        return [leaf(name, np.asarray(value), tracked=False)]
    if value in known:
        return [Statement(name, known[value])]
    if value.op is None:
        return [leaf(name, value._data, value.requires_grad)]
    *before, last = recorded(value, {name: value, **scope}, known)
    return [*before, replace(last, name=name)]

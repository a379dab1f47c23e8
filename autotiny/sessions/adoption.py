"""What was made outside of a session, by Python, and is to live in it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from autotiny.graph import topological_order
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
    for name, value in scope.items():
        if value is not values.get(name):
            if steps_on(value, values.get(name)):
                value = value._data
            tensor = isinstance(value, Tensor)
            made = recording(name, value, scope, values) if tensor else [numbers(program, values, name, value, False)]
            statements |= {each.name: each for each in made}
    for statement in statements.values():
        program = program.with_statement(statement)
    return program, list(statements)


def steps_on(value: Any, before: Any) -> TypeGuard[Tensor]:
    """Whether a variable is to go on from where it was, as in x = x - 0.1 * x.grad: no formula can speak of itself."""
    if not isinstance(value, Tensor) or not isinstance(before, Tensor) or before.op is not None:
        return False
    return value.op is not None and before in topological_order(value)


def numbers(program: Program, values: Mapping[str, Any], name: str, value: Any, tracked: bool) -> Statement:
    """A leaf of numbers; one that is there stays what it is, and a variable keeps its precision."""
    kind = program.of(name).kind if name in values else None
    if kind == "variable":
        return leaf(name, value, tracked=True, dtype=values[name].dtype)
    return leaf(name, value, tracked=tracked and kind != "data")


def recording(name: str, value: Tensor, scope: Mapping[str, Any], values: Mapping[str, Any]) -> list[Statement]:
    """The statements that give a name this Tensor; what the name stood for so far gets another one, if it is needed."""
    known = {held: other for other, held in values.items() if isinstance(held, Tensor) and other != name}
    if value in known:
        return [Statement(name, known[value])]
    if value.op is None:
        return [leaf(name, value._data, value.requires_grad)]
    *before, last = recorded(value, {name: value, **scope}, known, values.keys())
    return [*before, replace(last, name=name)]

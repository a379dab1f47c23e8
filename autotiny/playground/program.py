"""A program of the page, run as a session: what each line came to, and what is missing."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.language import ExpressionError, Limits, evaluate
from autotiny.language.reading import Source, read
from autotiny.language.vocabulary import CONSTANTS, words
from autotiny.playground.state import Given, State
from autotiny.sessions.memory import StatementError
from autotiny.sessions.program import Program
from autotiny.sessions.reading import RESERVED, Reading, read_statements
from autotiny.sessions.source_edits import values_in
from autotiny.sessions.state import State as SessionState
from autotiny.sessions.state import computed
from autotiny.sessions.statement import Statement, leaf, written

Value = Any


class Run(NamedTuple):
    """What a program came to: the session that it makes of the values, and where its own lines are."""

    session: SessionState
    reading: Reading

    @property
    def scope(self) -> Mapping[str, Value]:
        """Every value by its name."""
        return self.session.values

    @property
    def loss(self) -> Tensor | None:
        """The number whose gradients are shown: the last single one that depends on a variable."""
        return None if self.session.output is None else self.scope[self.session.output]

    @property
    def result(self) -> Value:
        """The last statement's value."""
        return self.scope[self.reading.statements[-1].name]

    @property
    def tracked(self) -> list[str]:
        """Names of what has a gradient."""
        return [name for name, value in self.scope.items() if isinstance(value, Tensor) and value.grad is not None]


def recorded(state: State, limits: Limits) -> Run:
    """Run the program of a state; raises ExpressionError, whose line and column are those of its text."""
    reading = _read(state, limits)
    leaves = [leaf(name, given.exact, tracked=not given.data) for name, given in state.values.items()]
    try:
        session = computed(Program((*leaves, *reading.statements)), SessionState(), limits)
    except StatementError as error:
        raise (reading.relocated(error, error.name) if error.name in reading.places else error) from None
    session.publish()
    return Run(session, reading)


def _read(state: State, limits: Limits) -> Reading:
    reading = read_statements(state.program, state.values, {}, limits)
    if not reading.statements:
        raise ExpressionError("there is no formula yet; write one, such as y = a * b + c")
    for name, place in reading.places.items():
        if name in state.values:
            message = f"{name} is one of the values already; give the result another name"
            raise Source(reading.lines).error(message, place.line, 0, len(name))
    return reading


def script_program(state: State, limits: Limits) -> Program:
    """The values and the statements as a session of its own, with every number written out."""
    leaves = [Statement(name, _written(given)) for name, given in state.values.items()]
    return Program((*leaves, *_read(state, limits).statements))


def _written(given: Given) -> str:
    return f"array({written(given.exact)})" if given.data else written(given.exact)


def unknown_names(state: State, limits: Limits) -> list[str]:
    """Names that the program reads and nobody gave a value, in the order in which they are met; none of a broken one.

    >>> unknown_names(State("y = w * x + pi; tanh(y + b)", {}, ""), Limits())
    ['w', 'x', 'b']
    """
    try:
        statements = _read(state, limits).statements
    except ExpressionError:
        return []
    return list(dict.fromkeys(_unknown(statements, {*state.values, *CONSTANTS, *words(), *RESERVED})))


def _unknown(statements: tuple[Statement, ...], known: set[str]) -> Iterator[str]:
    for statement in statements:
        read_names = sorted(values_in(statement.tree), key=lambda node: (node.lineno, node.col_offset))
        yield from (node.id for node in read_names if node.id not in known)
        known.add(statement.name)


def claimed(text: str, scope: Mapping[str, Value], limits: Limits) -> dict[str, tuple[Value, int]]:
    """What the claims come to, by name and with their line; they may use every value, and record nothing.

    Raises ExpressionError, whose line and column are those of the text.
    """
    try:
        _, values = evaluate(text, {name: value_of(value) for name, value in scope.items()}, limits)
        lines = {each: node.lineno for node in read(text, limits).statements for each in _targets(node)}
    except ExpressionError as error:
        raise _within(text, error) from None
    skipped = _skipped(text).count("\n")
    return {name: (values[name], line + skipped) for name, line in lines.items()}


def _targets(node: Any) -> list[str]:
    return [target.id for target in getattr(node, "targets", [])]


def _skipped(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _within(text: str, error: ExpressionError) -> ExpressionError:
    """The language reads a text without the blanks before it; its errors then count from there."""
    skipped = _skipped(text)
    if not error.line or not skipped:
        return error
    column = error.column + (len(skipped.rpartition("\n")[2]) if error.line == 1 else 0)
    return ExpressionError(error.message, error.line + skipped.count("\n"), column, error.excerpt)

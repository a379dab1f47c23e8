"""The program of a page, run as a session."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.language import ExpressionError, Limits, evaluate
from autotiny.language.reading import SourceText, read
from autotiny.language.vocabulary import CONSTANTS, functions
from autotiny.notation.numbers import nested
from autotiny.playground.state import PageState, PageValue
from autotiny.sessions.memory import StatementError
from autotiny.sessions.program import Program
from autotiny.sessions.reading import RESERVED, ParsedProgram, read_statements
from autotiny.sessions.state import SessionState, computed
from autotiny.sessions.statement import Statement, leaf, values_in

Value = Any


class ProgramRun(NamedTuple):
    """A program that was run: the state of a session of its values and statements, and the parsed text."""

    session: SessionState
    parsed: ParsedProgram

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
        """The value of the last statement."""
        return self.scope[self.parsed.statements[-1].name]

    @property
    def tracked(self) -> list[str]:
        """The names of the values that have a gradient."""
        return [name for name, value in self.scope.items() if isinstance(value, Tensor) and value.grad is not None]


def recorded(state: PageState, limits: Limits) -> ProgramRun:
    """Run the program of a page; raises ExpressionError, with line and column of the program's text."""
    parsed = read_program(state, limits)
    leaves = [leaf(name, value.exact, tracked=not value.data) for name, value in state.values.items()]
    try:
        session = computed(Program((*leaves, *parsed.statements)), SessionState(), limits)
    except StatementError as error:
        raise (parsed.relocated(error, error.name) if error.name in parsed.spans else error) from None
    session.publish()
    return ProgramRun(session, parsed)


def statements_of(state: PageState, limits: Limits) -> tuple[Statement, ...]:
    """Return the statements of the program of a page; raises ExpressionError."""
    return read_program(state, limits).statements


def read_program(state: PageState, limits: Limits) -> ParsedProgram:
    """Return the parsed program of a page; raises ExpressionError."""
    parsed = read_statements(state.program, state.values, {}, limits)
    if not parsed.statements:
        raise ExpressionError("there is no formula yet; write one, such as y = a * b + c")
    for name, span in parsed.spans.items():
        if name in state.values:
            message = f"{name} is one of the values already; give the result another name"
            raise SourceText(parsed.lines).error(message, span.line, 0, len(name))
    return parsed


def script_program(state: PageState, limits: Limits) -> Program:
    """The values and the statements as a session, with every number in the text."""
    leaves = [Statement(name, _literal(value)) for name, value in state.values.items()]
    return Program((*leaves, *read_program(state, limits).statements))


def _literal(value: PageValue) -> str:
    numbers = nested(value.exact, str)
    return f"array({numbers})" if value.data else numbers


def unknown_names(state: PageState, limits: Limits) -> list[str]:
    """The names that the program uses without a value, in order; none where it cannot be parsed.

    >>> unknown_names(PageState("y = w * x + pi; tanh(y + b)", {}, ""), Limits())
    ['w', 'x', 'b']
    """
    try:
        statements = read_program(state, limits).statements
    except ExpressionError:
        return []
    return list(dict.fromkeys(_unknown(statements, {*state.values, *CONSTANTS, *functions(), *RESERVED})))


def _unknown(statements: tuple[Statement, ...], known: set[str]) -> Iterator[str]:
    for statement in statements:
        names = sorted(values_in(statement.tree), key=lambda node: (node.lineno, node.col_offset))
        yield from (node.id for node in names if node.id not in known)
        known.add(statement.name)


def claimed(text: str, scope: Mapping[str, Value], limits: Limits) -> dict[str, tuple[Value, int]]:
    """The claimed gradients by name, each with its line; they may use every value, and nothing is recorded.

    Raises ExpressionError, with line and column of the text.
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
    """The error, counted from the start of the text; the language counts from its first character that is not blank."""
    skipped = _skipped(text)
    if not error.line or not skipped:
        return error
    column = error.column + (len(skipped.rpartition("\n")[2]) if error.line == 1 else 0)
    return ExpressionError(error.message, error.line + skipped.count("\n"), column, error.excerpt)

"""From the text of a session to its statements, and from an error in a statement back to the text."""

import ast
import itertools
from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple

from autotiny.language.errors import ExpressionError, pointed, refusal
from autotiny.language.limits import Limits
from autotiny.language.reading import SourceText, read
from autotiny.language.vocabulary import MODULES
from autotiny.sessions.statement import ARRAYS, Statement, array_name, declaration

RESERVED = (*MODULES, "linalg", "Tensor", ARRAYS)
"""Names that a statement cannot define: its script needs them."""


class Span(NamedTuple):
    """The extent of a right side in a text: lines and columns from 1, the end excluded."""

    line: int
    column: int
    end_line: int
    end_column: int


class ParsedProgram(NamedTuple):
    """The statements of a text, and the span of each right side by its name."""

    lines: list[str]
    statements: tuple[Statement, ...]
    spans: Mapping[str, Span]

    def relocated(self, error: ExpressionError, name: str) -> ExpressionError:
        """An error of a statement that was evaluated by itself, with the line and column of the text."""
        span = self.spans[name]
        parenthesised = span.end_line > span.line
        line = span.line + max(error.line, 1) - 1
        shift = span.column - len(f"{name} = ") - 1 - parenthesised if error.line == 1 else 0
        column = max(error.column + shift, 1 if error.line > 1 else span.column)
        excerpt = pointed(self.lines[line - 1], column - 1, column - 1 + error.excerpt.count("^"))
        return ExpressionError(error.message, line, column, excerpt)


def read_statements(text: str, taken: Container[str], arrays: Mapping[str, Any], limits: Limits) -> ParsedProgram:
    """The statements of a text; an expression without a name gets one that is not taken: J, J2, ...

    `arrays` are the large values that leaves may refer to. Raises ExpressionError.
    """
    if not text.strip():
        return ParsedProgram([], (), {})
    skipped = text[: len(text) - len(text.lstrip())].count("\n")
    try:
        source, nodes = read(text, limits)
        return _StatementReader(source, taken, arrays, skipped).parsed(nodes)
    except ExpressionError as error:
        raise ExpressionError(error.message, error.line and error.line + skipped, error.column, error.excerpt) from None


class _StatementReader:
    """Makes statements of the nodes of a source, which starts after some skipped lines of the text."""

    def __init__(self, source: SourceText, taken: Container[str], arrays: Mapping[str, Any], skipped: int) -> None:
        self.source, self.taken, self.arrays, self.skipped = source, taken, arrays, skipped
        self.text = "\n".join(source.lines)

    def parsed(self, nodes: list[ast.stmt]) -> ParsedProgram:
        statements, spans = list[Statement](), dict[str, Span]()
        defined = {target.id for node in nodes for target in _targets(node)}
        for node in nodes:
            name, right = self.sides(node, defined)
            if name in spans:
                raise self.source.error_at(node, f"{name} is already defined, in line {spans[name].line}")
            spans[name] = self.span(right)
            defined.add(name)
            statements.append(self.statement(name, right))
        return ParsedProgram([""] * self.skipped + self.source.lines, tuple(statements), spans)

    def sides(self, node: ast.stmt, defined: Container[str]) -> tuple[str, ast.expr]:
        if isinstance(node, ast.Expr):
            return next(name for name in _default_names() if name not in self.taken and name not in defined), node.value
        if not isinstance(node, ast.Assign):
            raise self.source.error_at(node, refusal(node))
        if len(node.targets) > 1 or not isinstance(node.targets[0], ast.Name):
            raise self.source.error_at(node.targets[-1], "an assignment has one name on its left: name = ...")
        name = node.targets[0].id
        if name in RESERVED:
            raise self.source.error_at(node.targets[0], f"{name} is a reserved name; choose another")
        return name, node.value

    def statement(self, name: str, right: ast.expr) -> Statement:
        if isinstance(right, ast.Starred):  # which Python's grammar allows here, but in no expression
            raise self.source.error_at(right, refusal(right))
        segment = ast.get_source_segment(self.text, right) or ""
        declared = declaration(right)
        key = array_name(declared.content) if declared else None
        if key is not None and key not in self.arrays:
            known = ", ".join(self.arrays) or "none"
            raise self.source.error_at(right, f"there is no array {key!r} in the session's .npz file, only {known}")
        text = f"({segment})" if "\n" in segment else segment
        return Statement(name, text, None if key is None else self.arrays[key])

    def span(self, node: ast.expr) -> Span:
        assert node.end_lineno is not None
        start = self.source.character(node.lineno, node.col_offset)
        end = self.source.character(node.end_lineno, node.end_col_offset)
        return Span(node.lineno + self.skipped, start + 1, node.end_lineno + self.skipped, end + 1)


def _targets(node: ast.stmt) -> list[ast.Name]:
    return [each for each in getattr(node, "targets", []) if isinstance(each, ast.Name)]


def _default_names() -> Iterator[str]:
    return itertools.chain(["J"], (f"J{i}" for i in itertools.count(2)))

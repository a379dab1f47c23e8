"""From the text of a session to its statements, and from an error in one of them back to the text."""

import ast
import itertools
from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple

from autotiny.language.errors import ExpressionError, pointed, refusal
from autotiny.language.limits import Limits
from autotiny.language.reading import Source, read
from autotiny.language.vocabulary import MODULES
from autotiny.sessions.declaration import ARRAYS, array_name, declaration
from autotiny.sessions.statement import Statement

RESERVED = (*MODULES, "linalg", "Tensor", ARRAYS)
"""Names that a statement cannot give: its script needs them."""


class Place(NamedTuple):
    """Where a right side starts and ends in a text: lines and columns from 1, the end not included."""

    line: int
    column: int
    end_line: int
    end_column: int


class Reading(NamedTuple):
    """The statements of a text, and the place of each by its name."""

    lines: list[str]
    statements: tuple[Statement, ...]
    places: Mapping[str, Place]

    def relocated(self, error: ExpressionError, name: str) -> ExpressionError:
        """An error of a statement that was evaluated by itself, told of the text."""
        place = self.places[name]
        wrapped = place.end_line > place.line
        line = place.line + max(error.line, 1) - 1
        shift = place.column - len(f"{name} = ") - 1 - wrapped if error.line == 1 else 0
        column = max(error.column + shift, 1 if error.line > 1 else place.column)
        marks = pointed(self.lines[line - 1], column - 1, column - 1 + error.excerpt.count("^"))
        return ExpressionError(error.message, line, column, marks)


NOTHING = Reading([], (), {})


def read_statements(text: str, taken: Container[str], arrays: Mapping[str, Any], limits: Limits) -> Reading:
    """The statements of a text; an expression without a name gets one that is not taken: J, J2, ...

    `arrays` are the large values that leaves may refer to. Raises ExpressionError.
    """
    if not text.strip():
        return NOTHING
    skipped = text[: len(text) - len(text.lstrip())].count("\n")
    try:
        source, nodes = read(text, limits)
        return _Reader(source, taken, arrays).reading(nodes, skipped)
    except ExpressionError as error:
        raise ExpressionError(error.message, error.line and error.line + skipped, error.column, error.excerpt) from None


class _Reader:
    def __init__(self, source: Source, taken: Container[str], arrays: Mapping[str, Any]) -> None:
        self.source, self.taken, self.arrays = source, taken, arrays
        self.text = "\n".join(source.lines)

    def reading(self, nodes: list[ast.stmt], skipped: int) -> Reading:
        statements, places = list[Statement](), dict[str, Place]()
        given = {target.id for node in nodes for target in _targets(node)}
        for node in nodes:
            name, right = self.sides(node, given)
            if name in places:
                raise self.source.error_at(node, f"{name} has a statement already, in line {places[name].line}")
            places[name] = self.place(right, skipped)
            given.add(name)
            statements.append(self.statement(name, right))
        return Reading([""] * skipped + self.source.lines, tuple(statements), places)

    def sides(self, node: ast.stmt, given: Container[str]) -> tuple[str, ast.expr]:
        if isinstance(node, ast.Expr):
            return next(name for name in _unnamed() if name not in self.taken and name not in given), node.value
        if not isinstance(node, ast.Assign):
            raise self.source.error_at(node, refusal(node))
        if len(node.targets) > 1 or not isinstance(node.targets[0], ast.Name):
            raise self.source.error_at(node.targets[-1], "an assignment gives one name: name = ...")
        name = node.targets[0].id
        if name in RESERVED:
            raise self.source.error_at(node.targets[0], f"{name} cannot be given to a value; choose another name")
        return name, node.value

    def statement(self, name: str, right: ast.expr) -> Statement:
        if isinstance(right, ast.Starred):  # which Python allows here, and in no expression
            raise self.source.error_at(right, refusal(right))
        segment = ast.get_source_segment(self.text, right) or ""
        declared = declaration(right)
        key = array_name(declared.content) if declared else None
        if key is not None and key not in self.arrays:
            known = ", ".join(self.arrays) or "none"
            raise self.source.error_at(right, f"there is no array {key!r} beside this session, only {known}")
        return Statement(
            name, f"({segment})" if "\n" in segment else segment, None if key is None else self.arrays[key]
        )

    def place(self, node: ast.expr, skipped: int) -> Place:
        assert node.end_lineno is not None
        return Place(
            node.lineno + skipped,
            self.source._character(node.lineno, node.col_offset) + 1,
            node.end_lineno + skipped,
            self.source._character(node.end_lineno, node.end_col_offset) + 1,
        )


def _targets(node: ast.stmt) -> list[ast.Name]:
    return [each for each in getattr(node, "targets", []) if isinstance(each, ast.Name)]


def _unnamed() -> Iterator[str]:
    return itertools.chain(["J"], (f"J{i}" for i in itertools.count(2)))

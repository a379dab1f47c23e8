"""From source to a checked tree: what Python's parser refuses, and what is too long or too deep, is told by column."""

import ast
import re
import warnings
from typing import NamedTuple

from autotiny.language.errors import ExpressionError, pointed
from autotiny.language.limits import Limits

# A number runs into a name: Python would read some of these with a warning, and people mean a product.
NUMBER = r"(?<![\w.])(?>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)"
TOKENS = re.compile(
    rf"#[^\n]*|'[^'\n]*'|\"[^\"\n]*\"|(?P<product>(?P<number>{NUMBER})(?P<name>[^\W\d]\w*))|(?P<sign>[−×·÷²³≤≥≠^\\])"
)
MENDS = {"−": "-", "×": "*", "·": "*", "÷": "/", "²": "**2", "³": "**3", "≤": "<=", "≥": ">=", "≠": "!=", "^": "**"}


class Source(NamedTuple):
    """The lines of an expression, which know how to point at a place."""

    lines: list[str]

    def error(self, message: str, line: int, start: int, end: int) -> ExpressionError:
        """The error at characters start to end, from 0, of a line, from 1."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        start = max(0, min(start, len(text)))
        return ExpressionError(message, line, start + 1, pointed(text, start, end))

    def error_at(self, node: ast.AST, message: str) -> ExpressionError:
        """The error at a node of the tree."""
        place = node if isinstance(node, ast.expr | ast.stmt | ast.keyword) else None
        if place is None:
            return ExpressionError(message)
        line = place.lineno
        end = self._character(line, place.end_col_offset) if place.end_lineno == line else len(self.lines[line - 1])
        return self.error(message, line, self._character(line, place.col_offset), end)

    def _character(self, line: int, offset: int | None) -> int:
        # The tree counts bytes.
        return len(self.lines[line - 1].encode()[:offset].decode(errors="ignore"))


class Program(NamedTuple):
    """What was read: the source, and its statements."""

    source: Source
    statements: list[ast.stmt]


def read(text: str, limits: Limits) -> Program:
    """The statements of a source.

    Raises ExpressionError for what is no Python, and for what is empty, too long or too deep.
    """
    text = text.strip()
    if not text:
        raise ExpressionError("there is nothing to compute: the expression is empty")
    if len(text) > limits.characters:
        raise ExpressionError(f"the expression has {len(text):,} characters; the limit is {limits.characters:,}")
    source = Source(re.split(r"\r\n?|\n", text))
    _expect_plain_signs(source)
    statements = _parse("\n".join(source.lines), source)
    if len(statements) > limits.statements:
        excess = statements[limits.statements]
        raise source.error_at(excess, f"there are {len(statements)} statements; the limit is {limits.statements}")
    _expect_shallow(source, statements, limits.depth)
    return Program(source, statements)


def _expect_plain_signs(source: Source) -> None:
    for number, line in enumerate(source.lines, start=1):
        for found in TOKENS.finditer(line):
            if found["product"]:
                message = f"a sign is missing between {found['number'][:20]} and {found['name'][:20]}, such as *"
                raise source.error(message, number, *found.span())
            if found["sign"]:
                mend = MENDS.get(found["sign"])
                message = f"{found['sign']} is no sign of the language" + (f"; write {mend}" if mend else "")
                raise source.error(message, number, *found.span())


def _parse(text: str, source: Source) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            statements = ast.parse(text).body
    except SyntaxError as error:
        line, start = error.lineno or 1, (error.offset or 1) - 1
        end = error.end_offset - 1 if error.end_offset and error.end_lineno == error.lineno else start + 1
        raise source.error(f"cannot be read: {error.msg}", line, start, end) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is nested too deeply") from None
    except ValueError as error:
        raise ExpressionError(f"cannot be read: {error}") from None
    if not statements:
        raise ExpressionError("there is nothing to compute: there are comments alone")
    return statements


def _expect_shallow(source: Source, statements: list[ast.stmt], limit: int) -> None:
    layer: list[ast.AST] = list(statements)
    for _ in range(limit):
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
    deep = next((node for node in layer if isinstance(node, ast.expr)), None)
    if deep is not None:
        raise source.error_at(deep, f"the expression is nested more than {limit} deep; give parts of it a name first")

"""From source to a checked tree; syntax errors, and sources too long or too deep, are reported by line and column."""

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


class SourceText(NamedTuple):
    """The lines of a source, which make errors that point at a place in it."""

    lines: list[str]

    def error(self, message: str, line: int, start: int, end: int) -> ExpressionError:
        """The error at characters start to end, from 0, of a line, from 1."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        start = max(0, min(start, len(text)))
        return ExpressionError(message, line, start + 1, pointed(text, start, end))

    def error_at(self, node: ast.AST, message: str) -> ExpressionError:
        """The error at a node of the tree."""
        located = node if isinstance(node, ast.expr | ast.stmt | ast.keyword) else None
        if located is None:
            return ExpressionError(message)
        line, last = located.lineno, located.end_lineno
        end = self.character(line, located.end_col_offset) if last == line else len(self.lines[line - 1])
        return self.error(message, line, self.character(line, located.col_offset), end)

    def character(self, line: int, offset: int | None) -> int:
        """The index of the character at an offset of the tree, which counts bytes."""
        return len(self.lines[line - 1].encode()[:offset].decode(errors="ignore"))


class ParsedSource(NamedTuple):
    """A source and its statements."""

    source: SourceText
    statements: list[ast.stmt]


def read(text: str, limits: Limits) -> ParsedSource:
    """Parse a source.

    Raises ExpressionError for a syntax error, and for a source that is empty, too long or too deep.
    """
    text = text.strip()
    if not text:
        raise ExpressionError("there is nothing to compute: the expression is empty")
    if len(text) > limits.characters:
        raise ExpressionError(f"the expression has {len(text):,} characters; the limit is {limits.characters:,}")
    source = SourceText(re.split(r"\r\n?|\n", text))
    _expect_ascii_operators(source)
    statements = _parse("\n".join(source.lines), source)
    if len(statements) > limits.statements:
        excess = statements[limits.statements]
        raise source.error_at(excess, f"there are {len(statements)} statements; the limit is {limits.statements}")
    _expect_shallow(source, statements, limits.depth)
    return ParsedSource(source, statements)


def is_code(text: str, limits: Limits) -> bool:
    """Whether text is code of the language, whatever its names are; (1/m)(a - b) and 1[x > 0] are not."""
    try:
        nodes = [node for statement in read(text, limits).statements for node in ast.walk(statement)]
    except ExpressionError:
        return False
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    indexed = [node.value for node in nodes if isinstance(node, ast.Subscript)]
    return all(isinstance(f, ast.Name | ast.Attribute) for f in called) and not any(
        isinstance(x, ast.Constant) for x in indexed
    )


def _expect_ascii_operators(source: SourceText) -> None:
    for number, line in enumerate(source.lines, start=1):
        for token in TOKENS.finditer(line):
            if token["product"]:
                message = f"an operator is missing between {token['number'][:20]} and {token['name'][:20]}, such as *"
                raise source.error(message, number, *token.span())
            if token["sign"]:
                mend = MENDS.get(token["sign"])
                message = f"{token['sign']} is not an operator here" + (f"; write {mend}" if mend else "")
                raise source.error(message, number, *token.span())


def _parse(text: str, source: SourceText) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            statements = ast.parse(text).body
    except SyntaxError as error:
        line, start = error.lineno or 1, (error.offset or 1) - 1
        end = error.end_offset - 1 if error.end_offset and error.end_lineno == error.lineno else start + 1
        raise source.error(f"syntax error: {error.msg}", line, start, end) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is nested too deeply") from None
    except ValueError as error:
        raise ExpressionError(f"syntax error: {error}") from None
    if not statements:
        raise ExpressionError("there is nothing to compute: the source has only comments")
    return statements


def _expect_shallow(source: SourceText, statements: list[ast.stmt], limit: int) -> None:
    layer: list[ast.AST] = list(statements)
    for _ in range(limit):
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
    deep = next((node for node in layer if isinstance(node, ast.expr)), None)
    if deep is not None:
        raise source.error_at(deep, f"the expression is nested more than {limit} deep; give parts of it a name first")

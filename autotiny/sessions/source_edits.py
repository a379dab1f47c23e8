"""Edits of an expression's text at the positions of its syntax tree."""

import ast
from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """The replacement of a range of bytes, which is what the tree counts in, by a text."""

    start: int
    end: int
    text: str


def parsed(text: str) -> ast.expr:
    """The tree of an expression, in which line 2 is the first line of the text."""
    return ast.parse(f"(\n{text}\n)", mode="eval").body


def offset(text: str, line: int, column: int) -> int:
    """The byte offset in the text of a line and column of the tree."""
    return sum(len(each.encode()) + 1 for each in text.split("\n")[: line - 2]) + column


def span(text: str, node: ast.expr) -> tuple[int, int]:
    """The byte offsets at which a node starts and ends."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return offset(text, node.lineno, node.col_offset), offset(text, node.end_lineno, node.end_col_offset)


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits, which must not overlap.

    >>> edited("a * b", [Edit(0, 1, "W"), Edit(4, 4, "-")])
    'W * -b'
    """
    raw = text.encode()
    for edit in sorted(edits, reverse=True):
        raw = raw[: edit.start] + edit.text.encode() + raw[edit.end :]
    return raw.decode()


def values_in(tree: ast.expr) -> list[ast.Name]:
    """The names of values, not of functions that are called."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]


def renamed(text: str, tree: ast.expr, old: str, new: str) -> str:
    """The text with a value renamed.

    >>> renamed("x * max(x, y)", parsed("x * max(x, y)"), "x", "W")
    'W * max(W, y)'
    """
    return edited(text, [Edit(*span(text, node), new) for node in values_in(tree) if node.id == old])

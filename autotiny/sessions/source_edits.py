"""Edits of an expression's text at the places that its tree tells."""

import ast
from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """Characters, counted in bytes as the tree counts them, and what shall stand in their place."""

    start: int
    end: int
    text: str


def parsed(text: str) -> ast.expr:
    """The tree of an expression; its line 2 is the text's first."""
    return ast.parse(f"(\n{text}\n)", mode="eval").body


def offset(text: str, line: int, column: int) -> int:
    """Where a place of the tree lies in the bytes of the text."""
    return sum(len(each.encode()) + 1 for each in text.split("\n")[: line - 2]) + column


def span(text: str, node: ast.expr) -> tuple[int, int]:
    """Where a node starts and ends."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return offset(text, node.lineno, node.col_offset), offset(text, node.end_lineno, node.end_col_offset)


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that do not overlap.

    >>> edited("a * b", [Edit(0, 1, "W"), Edit(4, 4, "-")])
    'W * -b'
    """
    raw = text.encode()
    for edit in sorted(edits, reverse=True):
        raw = raw[: edit.start] + edit.text.encode() + raw[edit.end :]
    return raw.decode()


def values_in(tree: ast.expr) -> list[ast.Name]:
    """The names that stand for values, not for functions."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]


def renamed(text: str, tree: ast.expr, old: str, new: str) -> str:
    """The text where a value has another name.

    >>> renamed("x * max(x, y)", parsed("x * max(x, y)"), "x", "W")
    'W * max(W, y)'
    """
    return edited(text, [Edit(*span(text, node), new) for node in values_in(tree) if node.id == old])

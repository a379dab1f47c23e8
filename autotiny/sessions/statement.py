"""The statements of a session: a name and an expression in the safe language, which may declare a leaf.

x = 3 and W = Tensor([[1, 2]]) are variables, X = array([[1, 2]]) is data, and all else is a formula.
"""

import ast
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from autotiny.engine.tensor import Tensor
from autotiny.engine.values import private_copy
from autotiny.errors import UnsupportedError
from autotiny.language.vocabulary import CONSTANTS
from autotiny.notation.numbers import nested

# ----- edits of an expression's text at the positions of its syntax tree -----


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


ARRAYS = "arrays"
"""The name by which a statement refers to its large array: W1 = Tensor(arrays["W1"])."""
DTYPES = {"float16": np.float16, "float32": np.float32, "float64": np.float64}
LARGEST_LITERAL = 48
"""The largest number of entries of an array that its statement contains."""
DEFAULT_DTYPES = ("float64", "int64", "bool")
"""Types that NumPy infers from the text of entries, so that dtype= can be left out."""


# ----- declarations of leaves -----
@dataclass(frozen=True)
class Declaration:
    """The declaration of a leaf: an expression for its value, and the kind of leaf that is made of it."""

    content: ast.expr
    tracked: bool
    dtype: str | None = None
    is_bare: bool = False
    """Whether the expression consists of numbers alone."""

    @property
    def key(self) -> tuple[Any, ...]:
        """The part of a key that distinguishes declarations of the same content."""
        return ("declared", self.tracked, self.dtype)

    def leaf(self, value: Any) -> Tensor:
        """The leaf with a value; raises UnsupportedError for a value that no leaf can have."""
        if isinstance(value, Tensor):
            if value.requires_grad:
                raise UnsupportedError("Tensor: its value must not depend on a variable")
            value = value.value
        return Tensor(value, requires_grad=self.tracked, dtype=self.dtype and DTYPES[self.dtype])


def declaration(node: ast.expr, scope: Container[str] = ()) -> Declaration | None:
    """The declaration on the right side of a statement; None for a formula.

    >>> declaration(ast.parse("[[1, 2]]", mode="eval").body).tracked
    True
    >>> declaration(ast.parse("array([1, 2], dtype=float32)", mode="eval").body).tracked
    False
    """
    if is_literal(node, scope):
        return Declaration(node, tracked=True, is_bare=True)
    if not isinstance(node, ast.Call) or len(node.args) != 1:
        return None
    maker, options = ast.unparse(node.func), {each.arg: ast.unparse(each.value) for each in node.keywords}
    dtype = options.pop("dtype", "").removeprefix("np.") or None
    if dtype not in (None, *DTYPES):
        return None
    if maker in ("array", "np.array") and not options and (dtype or array_name(node.args[0])):
        return Declaration(node.args[0], tracked=False, dtype=dtype)
    tracked = options.pop("requires_grad", "True")
    if maker in ("Tensor", "at.Tensor") and not options and tracked in ("True", "False"):
        return Declaration(node.args[0], tracked=tracked == "True", dtype=dtype)
    return None


def is_literal(node: ast.expr, scope: Container[str] = ()) -> bool:
    """Whether an expression consists of numbers, constants, lists and arithmetic, such as -1/3 or [pi, 2]."""
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float)
    if isinstance(node, ast.Name):
        return node.id in CONSTANTS and CONSTANTS[node.id] is not None and node.id not in scope
    if isinstance(node, ast.List):
        return bool(node.elts) and all(is_literal(each, scope) for each in node.elts)
    if isinstance(node, ast.BinOp):
        return is_literal(node.left, scope) and is_literal(node.right, scope)
    return isinstance(node, ast.UnaryOp) and is_literal(node.operand, scope)


def is_array_literal(node: ast.expr) -> bool:
    """Whether an expression is array([...]) of literal numbers."""
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
        return False
    return ast.unparse(node.func) in ("array", "np.array") and is_literal(node.args[0])


def array_name(node: ast.expr) -> str | None:
    """The name in arrays["name"]; None for any other expression."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name) or node.value.id != ARRAYS:
        return None
    return node.slice.value if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str) else None


# ----- statements -----
@dataclass(frozen=True, eq=False)
class Statement:
    """One line of a session, `name = text`.

    `array` is the value of a leaf that is too large for the text, which refers to it.
    """

    name: str
    text: str
    array: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Statement) and self.line == other.line and self.array is other.array

    def __hash__(self) -> int:
        return hash(self.line)

    @property
    def line(self) -> str:
        """The statement's source."""
        return f"{self.name} = {self.text}"

    @cached_property
    def tree(self) -> ast.expr:
        """The right side, parsed."""
        return parsed(self.text)

    @cached_property
    def declaration(self) -> Declaration | None:
        """The declaration of a leaf; None for a formula."""
        return declaration(self.tree)

    @property
    def kind(self) -> Literal["variable", "data", "formula"]:
        """The kind of value: a leaf with a gradient, one without, or a result computed from other values."""
        if self.declaration:
            return "variable" if self.declaration.tracked else "data"
        return "data" if is_array_literal(self.tree) else "formula"

    @property
    def is_whole(self) -> bool:
        """Whether the statement declares a variable in whole numbers alone."""
        constants = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return bool(self.declaration and self.declaration.is_bare) and all(type(each) is int for each in constants)

    @cached_property
    def names(self) -> dict[str, None]:
        """The names of the values that it uses, in order."""
        return dict.fromkeys(node.id for node in values_in(self.tree))

    def renamed(self, old: str, new: str) -> "Statement":
        """The statement with a value renamed on both sides."""
        if self.name == old and self.array is not None:
            return replace(self, name=new, text=self.text.replace(f'["{old}"]', f'["{new}"]'))
        text = renamed(self.text, self.tree, old, new) if old in self.names else self.text
        return replace(self, name=new if self.name == old else self.name, text=text)


def leaf(name: str, value: Any, tracked: bool, dtype: Any = None) -> Statement:
    """The statement of a leaf with a value; a small one is in the text, digit for digit.

    >>> leaf("W", [[1, 2.5]], tracked=True).line, leaf("X", np.float32([0.1]), tracked=False).line
    ('W = [[1.0, 2.5]]', 'X = array([0.1], dtype=float32)')
    """
    array = np.asarray(private_copy(value, tracked, dtype, name))
    kind, maker = array.dtype.name, "Tensor" if tracked else "array"
    if not 0 < array.size <= LARGEST_LITERAL or kind not in (*DTYPES, *DEFAULT_DTYPES):
        array.flags.writeable = False
        return Statement(name, f'{maker}({ARRAYS}["{name}"])', array)
    numbers, option = nested(array, str), "" if kind in DEFAULT_DTYPES else f", dtype={kind}"
    return Statement(name, numbers if tracked and not option else f"{maker}({numbers}{option})")

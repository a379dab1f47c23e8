"""How a session's leaves are written: x = 3 and W = Tensor([[1, 2]]) are variables, X = array([[1, 2]]) is data."""

import ast
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.language.vocabulary import CONSTANTS

ARRAYS = "arrays"
"""The name under which a statement refers to its large array: W1 = Tensor(arrays["W1"])."""
DTYPES = {"float16": np.float16, "float32": np.float32, "float64": np.float64}


@dataclass(frozen=True)
class Declaration:
    """A leaf as it is written: an expression for its value, and what is made of that."""

    content: ast.expr
    tracked: bool
    dtype: str | None = None
    is_bare: bool = False
    """Whether it is written in numbers alone."""

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from other declarations of the same content."""
        return ("declared", self.tracked, self.dtype)

    def made(self, value: Any) -> Tensor:
        """The leaf of a value; raises UnsupportedError for what no leaf can hold."""
        if isinstance(value, Tensor):
            if value.requires_grad:
                raise UnsupportedError("Tensor: its value must not depend on a variable")
            value = value.value
        return Tensor(value, requires_grad=self.tracked, dtype=self.dtype and DTYPES[self.dtype])


def declaration(node: ast.expr, scope: Container[str] = ()) -> Declaration | None:
    """What the right side of a statement declares; None where it is a formula.

    >>> declaration(ast.parse("[[1, 2]]", mode="eval").body).tracked
    True
    >>> declaration(ast.parse("array([1, 2], dtype=float32)", mode="eval").body).tracked
    False
    """
    if is_written_in_numbers(node, scope):
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


def is_written_in_numbers(node: ast.expr, scope: Container[str] = ()) -> bool:
    """Whether an expression has numbers, lists and arithmetic alone, such as -1/3 or [pi, 2]."""
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float)
    if isinstance(node, ast.Name):
        return node.id in CONSTANTS and CONSTANTS[node.id] is not None and node.id not in scope
    if isinstance(node, ast.List):
        return bool(node.elts) and all(is_written_in_numbers(each, scope) for each in node.elts)
    if isinstance(node, ast.BinOp):
        return is_written_in_numbers(node.left, scope) and is_written_in_numbers(node.right, scope)
    return isinstance(node, ast.UnaryOp) and is_written_in_numbers(node.operand, scope)


def is_array_of_numbers(node: ast.expr) -> bool:
    """Whether an expression is array([...]) of written numbers."""
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
        return False
    return ast.unparse(node.func) in ("array", "np.array") and is_written_in_numbers(node.args[0])


def array_name(node: ast.expr) -> str | None:
    """The name in arrays["name"]; None for anything else."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name) or node.value.id != ARRAYS:
        return None
    return node.slice.value if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str) else None

"""What a name stands for, and what was probably meant by one that stands for nothing."""

import ast
from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.expressions.refusals import suggestion
from autotiny.expressions.values import checked
from autotiny.expressions.vocabulary import CONSTANTS, MODULES, Word, words

Value = Any


def find_value(name: str, scope: Mapping[str, Value]) -> Value:
    """The value of a name: a variable's, or a constant's; raises UnsupportedError where it has none."""
    if name in scope:
        return checked(scope[name])
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name in words():
        raise UnsupportedError(f"{name} is a function; write {words()[name].usage}")
    raise UnsupportedError(f"there is no value named {name}{suggestion(name, [*scope, *CONSTANTS, *words()])}")


def find_word(name: str, scope: Container[str]) -> Word:
    """The function of a name; raises UnsupportedError where there is none."""
    if name in words():
        return words()[name]
    if name in scope or name in CONSTANTS:
        raise UnsupportedError(f"{name} is a value, not a function; for a product write {name} * (...)")
    reason = " with a gradient rule" if hasattr(np, name.split(".")[-1]) else ""
    raise UnsupportedError(f"there is no function {name}{reason}{suggestion(name, words())}")


def dotted_name(node: ast.Attribute, scope: Container[str]) -> str | None:
    """The name after np. or at., as in np.linalg.det, unless a value has that name."""
    path, root = [node.attr], node.value
    while isinstance(root, ast.Attribute):
        path, root = [root.attr, *path], root.value
    if not isinstance(root, ast.Name) or root.id in scope or root.id not in (*MODULES, "linalg"):
        return None
    return ".".join([root.id, *path] if root.id == "linalg" else path)

"""The values of the language, and its operators on them."""

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError, ShapeError, UnsupportedError
from autotiny.language.costs import entrywise, matmul, shape_of
from autotiny.language.limits import Cost, power, whole

Value = Any


# ----- values: numbers, arrays and Tensors, and lists of them -----
def checked(value: Value) -> Value:
    """The value itself; raises UnsupportedError for a type that the language does not have."""
    if isinstance(value, list | tuple):
        for item in value:
            checked(item)
    elif type(value) is int:
        whole(value)
    elif isinstance(value, complex | np.complexfloating) or getattr(value, "dtype", np.dtype(float)).kind == "c":
        raise UnsupportedError("the result is complex; the language has real numbers")
    elif isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "fiub":
            raise UnsupportedError(f"expected numbers; got {value.dtype}")
    elif not isinstance(value, Tensor | float | bool):
        raise UnsupportedError(f"expected a number, an array or a Tensor; got {type(value).__name__}")
    return value


def literal(value: Any) -> Value:
    """The value of a literal; raises UnsupportedError for text, which only a few functions take."""
    if isinstance(value, str | bytes):
        raise UnsupportedError("text is not part of the language, except for the labels of einsum and the mode of pad")
    return value if value is None or value is ... else checked(value)


def listed(items: list[Value], nested: bool) -> Value:
    """A list of numbers, or of lists of numbers, as an array; any other list unchanged, for stack and the like."""
    numbers = all(isinstance(item, int | float | np.generic) for item in items)
    rows = nested and all(isinstance(item, np.ndarray) for item in items)
    return np.array(items) if numbers or rows else items


def key_part(value: Value) -> Value:
    """A part of an index: a number, or an array of integers or booleans."""
    value = value_of(value)
    return np.asarray(value) if isinstance(value, list | tuple) else value


# ----- operators -----
BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
    ast.MatMult: ("@", operator.matmul),
}
UNARY: dict[type[ast.unaryop], tuple[str, Callable[[Any], Any]]] = {
    ast.USub: ("-", operator.neg),
    ast.UAdd: ("+", operator.pos),
}
COMPARISON: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}


def operand(value: Value, sign: str) -> Value:
    """A value as an operand of arithmetic; raises UnsupportedError for lists, tuples and None."""
    if isinstance(value, list):
        raise UnsupportedError(f"{sign}: a list of results is not an array; make it one with stack([...])")
    if value is None or value is ... or isinstance(value, tuple | str):
        raise UnsupportedError(f"{sign}: expected numbers; got {'a tuple' if isinstance(value, tuple) else value}")
    # Booleans count as whole numbers, as in NumPy's sums.
    return int(value) if isinstance(value, bool) else value


def cost(sign: str, *operands: Value) -> Cost:
    """The cost of an operator on its operands."""
    return matmul(*operands) if sign == "@" else entrywise(*operands)


def apply(sign: str, function: Callable[..., Any], *operands: Value) -> Value:
    """The operator's value; raises AutotinyError where shapes do not fit or a whole number exceeds 63 bits."""
    if sign == "**" and all(type(x) is int for x in operands):
        return power(*operands)
    try:
        return function(*operands)
    except AutotinyError:
        raise
    except ValueError as error:
        shapes = [shape_of(x) for x in operands]
        if any(isinstance(x, np.ndarray) for x in operands) and len(shapes) == 2:
            raise ShapeError(f"{sign}: shapes {shapes[0]} and {shapes[1]} do not fit") from error
        raise

"""The operators of the language on numbers, arrays and Tensors."""

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.errors import AutotinyError, ShapeError, UnsupportedError
from autotiny.expressions.limits import Cost, power
from autotiny.expressions.products import matmul
from autotiny.expressions.sizes import entrywise, shape_of

Value = Any

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
    """A value that takes part in arithmetic."""
    if isinstance(value, list):
        raise UnsupportedError(f"{sign}: a list of results takes no part; make it an array with stack([...])")
    if value is None or value is ... or isinstance(value, tuple | str):
        raise UnsupportedError(f"{sign}: expected numbers; got {'a tuple' if isinstance(value, tuple) else value}")
    # Whole numbers count truth values, as NumPy's do when they are summed.
    return int(value) if isinstance(value, bool) else value


def cost(sign: str, *operands: Value) -> Cost:
    """What an operator would cost."""
    return matmul(*operands) if sign == "@" else entrywise(*operands)


def apply(sign: str, function: Callable[..., Any], *operands: Value) -> Value:
    """The operator's value; raises AutotinyError where shapes do not fit or a whole number would grow beyond bounds."""
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

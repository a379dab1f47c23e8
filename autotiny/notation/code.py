"""Formulas as NumPy code: W2.T @ dZ2 * (Z1 > 0)."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from autotiny.notation.expression import Expression
from autotiny.notation.forms import NUMPY, Call, Form
from autotiny.notation.numbers import FEW, index, is_identity, literal, short_number
from autotiny.notation.writer import Notation, Piece


class NumpyCode(Notation):
    """The notation of NumPy code, which computes in the order of the formula.

    >>> from autotiny.notation.expression import Expression, symbol
    >>> product = Expression("matmul", [Expression("transpose", [symbol("W2")]), symbol("dZ2")])
    >>> mask = Expression("greater", [symbol("Z1"), Expression("number", value=0)])
    >>> NumpyCode()(Expression("multiply", [product, mask]))
    'W2.T @ dZ2 * (Z1 > 0)'
    """

    forms = NUMPY
    shortens: ClassVar[bool] = False

    def number(self, value: Any) -> str:
        """Write a number with all of its digits."""
        return literal(value)

    def index(self, key: Any) -> str:
        """Write an index as Python code."""
        return index(key, literal)

    def array(self, entries: Any) -> str:
        """Write an array as the call that makes it."""
        return f"np.eye({len(entries)})" if is_identity(entries) else literal(entries)

    def option(self, name: str, value: Any) -> str:
        """Write an option as a keyword argument."""
        return f"{name}={literal(value)}"

    def matrix(self, rows: list[list[str]]) -> str:
        """Write a vector as an array."""
        return f"np.array([{', '.join(entry for row in rows for entry in row)}])"

    def call(self, name: str, arguments: list[str]) -> str:
        """Write a call; functions that join arrays take a list of them, and a shape has no name in NumPy 2.0."""
        if name.endswith("reshape"):
            arguments = [argument.removeprefix("shape=") for argument in arguments]
        if not name.endswith(("concatenate", "stack")):
            return super().call(name, arguments)
        arrays = [argument for argument in arguments if not argument.startswith("axis=")]
        return super().call(name, [f"[{', '.join(arrays)}]", *arguments[len(arrays) :]])


def _bare(text: str) -> str:
    return re.sub(r"\bnp\.(linalg\.)?", "", text)


class BareCode(NumpyCode):
    """The notation of NumPy code without module names: sum(exp(Z2), axis=0).

    >>> from autotiny.notation.expression import Expression, symbol
    >>> BareCode()(Expression("call", [symbol("Z2")], "np.linalg.det"))
    'det(Z2)'
    """

    forms: ClassVar[Mapping[str, Form | Call]] = {
        kind: form._replace(template=_bare(form.template)) if isinstance(form, Form) else Call(_bare(form.name))
        for kind, form in NUMPY.items()
    }

    def call(self, name: str, arguments: list[str]) -> str:
        """Write a call without the function's module."""
        return super().call(_bare(name), arguments)


class TypedCode(BareCode):
    """The notation of cards and error messages: an operation as a user typed it, with short numbers and arrays."""

    uses_own: ClassVar[bool] = True
    UNSAID: ClassVar[frozenset[str]] = frozenset({"keepdims", "shape"})
    """Options that are left out, because the result's shape shows them."""

    def number(self, value: Any) -> str:
        """Write a number to a few digits."""
        return short_number(value)

    def index(self, key: Any) -> str:
        """Write an index; a large array in it as its type and shape."""
        return index(key, _few)

    def matrix(self, rows: list[list[str]]) -> str:
        """Write a vector as it is typed."""
        return f"stack({', '.join(entry for row in rows for entry in row)})"

    def option(self, name: str, value: Any) -> str:
        """Write an option in few characters."""
        return f"{name}={_few(value)}"

    def piece(self, each: Expression, operands: list[Piece]) -> Piece:
        """Write an expression without the options that its shape shows."""
        if not self.UNSAID.isdisjoint(each.options):
            options = {name: value for name, value in each.options.items() if name not in self.UNSAID}
            each = Expression(each.kind, each.operands, each.name, each.value, options)
        return super().piece(each, operands)


def _few(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return str(value.tolist()) if value.size <= FEW else f"{value.dtype.name} {value.shape}"
    return str(value)

"""The tensors of a graph in the user's names: those without a name as the expression that made them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from autotiny.algebra.normalise import normalise
from autotiny.algebra.term import Term, apply, constant, plain, symbol
from autotiny.algebra.writing import as_text
from autotiny.engine.call_site import variable_name
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor

AUTOMATIC = re.compile(r"t\d+′*")
INDICES = re.compile(r"places \([^)]*\)")
"""How arrays of indices are written."""

LONGEST = 60
MOST_ROWS = 100
"""The largest number of rows of a variable among which an array is looked for."""

UNREMARKABLE = (-1, 0, 0.5, 1, 2)
"""Numbers that occur in every formula, and are written in digits."""

NO_SCOPE: Mapping[str, Any] = MappingProxyType({})


class Labels:
    """Texts for the tensors, arrays and derivatives of a graph.

    names : a name for each tensor; results with an automatic one, such as t3, are written as expressions
    scope : the variables by which plain arrays are recognised
    """

    def __init__(self, names: Mapping[Tensor, str], scope: Mapping[str, Any] = NO_SCOPE) -> None:
        self.names, self.scope = names, scope
        self._terms: dict[Any, Term] = {}

    def is_named(self, x: Any) -> bool:
        """Whether a tensor has a name of the user's."""
        return isinstance(x, Tensor) and (x.op is None or not AUTOMATIC.fullmatch(self.names.get(x, "t0")))

    def name(self, x: Any) -> str:
        """Return a tensor or an array as text: its name, or the expression that made it, or a short name if it is long.

        Numbers are written in digits.
        """
        text = INDICES.sub("…", as_text(self.term(x)))
        return text if len(text) <= 2 * LONGEST or not isinstance(x, Tensor) else self.names[x]

    def term(self, x: Any) -> Term:
        """Return a tensor or an array as a formula over those that have a name."""
        if not isinstance(x, Tensor):
            return self._data(x)
        if x not in self._terms:
            if self.is_named(x):
                self._terms[x] = symbol(self.names[x], x.value)
            else:
                self._terms[x] = self._expression(x)
        return self._terms[x]

    def _expression(self, x: Tensor) -> Term:
        """Return the operation that made a tensor on the formulas of its operands, long ones cut short."""
        operands = [self._short(arg) for arg in x.args]
        try:
            return constant(apply(made_by(x), operands, x.kwargs, symbol(self.names[x], x.value)))
        except Exception:  # a user's operation may not run on formulas
            return symbol(self.names[x], x.value)

    def _short(self, x: Any) -> Term:
        term = self.term(x)
        return term if len(as_text(term)) <= LONGEST else symbol("…", value_of(x))

    def _data(self, value: Any) -> Term:
        if np.ndim(value) == 0:
            scope = () if value in UNREMARKABLE else self.scope.items()
            names = [n for n, other in scope if type(other) is type(value) and other == value and n[:1] != "_"]
            return symbol(names[0], value) if len(names) == 1 else constant(value)
        name = variable_name(value, self.scope)
        if name is None and np.asarray(value).dtype == bool:
            for x in self.names:  # np.where(Z > 0, ...) records the condition as an array
                if x.shape == np.shape(value) and self.is_named(x) and np.array_equal(x.value > 0, value):
                    return constant(apply(plain(np.greater), [self.term(x), 0], {}))
        return symbol(name, value) if name else self._related(value)

    def _related(self, value: Any) -> Term:
        """Return an array by its relation to one that a variable holds, as Xᵀ or 1 - Y; else as C."""
        for name, other in self.scope.items():
            if isinstance(other, np.ndarray) and other.ndim and name[:1] != "_":
                if other.ndim == 2 and other.shape == value.shape[::-1] and np.array_equal(other.T, value):
                    return constant(symbol(name, other).T)
                if other.shape == value.shape and other.dtype.kind in "fiu" and np.array_equal(1 - other, value):
                    return constant(1 - symbol(name, other))
                if other.shape[1:] == value.shape and 1 < len(other) <= MOST_ROWS:
                    rows = [i for i, row in enumerate(other) if np.array_equal(row, value)]
                    if len(rows) == 1:
                        return symbol(f"{name}[{rows[0]}]", value)
        return symbol("C", value)

    def derivative(
        self, node: Tensor, position: int, operands: Mapping[int, Any] = MappingProxyType({}), y: Any = None
    ) -> Term | None:
        """Return the derivative of an operation by an operand as a formula; None if it has none.

        `operands` and `y` replace operands and the result.
        """
        args = [self.term(operands.get(i, arg)) for i, arg in enumerate(node.args)]
        try:
            rule = made_by(node).rules[position]
            derivative = rule(1.0, self.term(node if y is None else y), *args, **node.kwargs)
        except Exception:  # a user's rule may not run on formulas
            return None
        return as_mask(normalise(derivative)) if isinstance(derivative, Term) else None


def as_mask(factor: Term) -> Term:
    """Return the mask alone of 1 * mask and of where(mask, 1, 0); any other factor as it is."""
    name, args = factor.op and factor.op.name, factor.args
    if name == "multiply" and args[1].dtype == bool and args[0].is_constant and args[0].value == 1:
        return args[1]
    numbers = [arg.value for arg in args[1:] if arg.is_constant and arg.ndim == 0]
    return args[0] if name == "where" and numbers == [1, 0] else factor

"""Origins: the expression in the user's code that a number or an array in the graph came from.

NumPy code leaves 1 / (2 m) in the graph as 0.0625, and inv(Sigma) as an array. Which expression that was is found in
the code that may have recorded the operation: it must be an operand of the same operation, on operands that agree with
those of the graph, and have the operand's value. So a variable gives a number its name only where the number came from
it. Expressions are evaluated as formulas, over symbols of the variables, and never by running code of the user's.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant, topological_order
from autotiny.algebra.simplify import size
from autotiny.algebra.term import value_of
from autotiny.derivation.readings import METHODS, OPERATORS, PRODUCTS, Readings, UnreadableError
from autotiny.derivation.scopes import MISSING, Scope, scopes, value
from autotiny.engine.expressions import Expression
from autotiny.engine.recording import value_of as tensor_value
from autotiny.engine.tensor import Tensor
from autotiny.ops import OPS

LONGEST = 6
"""The largest number of operations of an expression that is written out in a formula."""
EVIDENCE = 2
"""The number of facts that must speak for an expression: the operation, and one of its operands."""

ROUNDING, EPS = 8, 2.0**-52
"""The difference between the value of a formula and that of the code, in units of the last digit."""


class Origins:
    """The expressions of the operands of a run.

    `symbol_of(name, value)` returns the symbol of a variable that holds a number, an array or a Tensor; None for a
    Tensor that has none. `tracked` holds the symbols that have a gradient.
    """

    def __init__(self, symbol_of: Callable[[str, Any], Term | None], tracked: set[Term]) -> None:
        self.symbol_of, self.tracked = symbol_of, tracked
        self.scopes = scopes()
        self.readings = Readings(symbol_of, self.scopes)
        self.agreement: dict[tuple[int, Expression, int], int | None] = {}
        self.sites: dict[Any, list[tuple[Expression, tuple[Expression, ...], Scope]]] = {}
        for scope in self.scopes:
            for expression in scope.expressions.operations:
                function, operands = self.operation(expression, scope)
                if function is not None:
                    self.sites.setdefault(function, []).append((expression, operands, scope))

    # ----- the expression of an operand -----
    def is_read(self, x: Tensor) -> bool:
        """Whether the code has an operation like the one that made a tensor."""
        return x.op is not None and x.op.function in self.sites

    def is_counter(self, name: str) -> bool:
        """Whether a variable of the running code takes the values of a loop."""
        return bool(self.scopes) and self.scopes[0].is_counter(name)

    def of(self, x: Tensor, position: int) -> Term | None:
        """The formula of an operand of a recorded operation; None if its code is not found."""
        sites = self.sites.get(x.op and x.op.function, ())
        scores = [self.agrees(x, expression, scope) or 0 for expression, _, scope in sites]
        if max(scores, default=0) < EVIDENCE:
            return None
        choices = []
        for score, (expression, operands, scope) in zip(scores, sites, strict=True):
            if score == max(scores):
                choices.append(self.written(operands[position], scope, tensor_value(x.args[position])))
                self.learn(x, expression, scope)
        return next((made for made in choices if made is not None and made.is_constant), choices[0])

    def learn(self, x: Any, expression: Expression, scope: Scope) -> None:
        """The variables of a function that has returned, by the operands that they were."""
        if expression.kind == "name" and scope.is_missing(expression.detail):
            scope.own[expression.detail] = x
            self.readings.forget(scope)
        elif isinstance(x, Tensor) and x.op is not None:
            function, operands = self.operation(expression, scope)
            if function is x.op.function and len(operands) == len(x.args):
                for arg, each in zip(x.args, operands, strict=True):
                    self.learn(arg, each, scope)

    def written(self, expression: Expression, scope: Scope, operand: Any) -> Term | None:
        """An expression as a formula that has the value of an operand; a missing variable by its name."""
        try:
            made = self.readings.term(expression, scope)
        except UnreadableError:
            named = expression.kind == "name" and (np.ndim(operand) or not scope.is_counter(expression.detail))
            return self.symbol_of(expression.detail, operand) if named else None
        return self.accepted(made, operand)

    def accepted(self, made: Any, operand: Any) -> Term | None:
        """A formula, if it has the value of an operand, is short, and lets no gradient through."""
        if isinstance(made, list | tuple):
            try:
                made = np.asarray(made)
            except ValueError:  # of different lengths
                return None
        made = constant(made)
        short = size(made)[0] <= LONGEST
        return made if short and is_same(made.value, operand) and not self.lets_gradient_through(made) else None

    def lets_gradient_through(self, term: Term) -> bool:
        """Whether a formula depends on a tracked tensor other than by comparisons and shapes."""
        leading: set[Term] = set()
        for part in topological_order(term):
            if part in self.tracked or (part.op is not None and _passes(part, leading)):
                leading.add(part)
        return term in leading

    def anywhere(self, operand: Any) -> Term | None:
        """The formula of an expression anywhere in the code that has the value of an array."""
        for scope in self.scopes:
            for operation in scope.expressions.operations:
                for expression in (operation, *operation.parts):
                    if expression.kind in ("operator", "call", "item", "attribute"):
                        try:
                            made = self.accepted(self.readings.term(expression, scope), operand)
                        except UnreadableError:
                            continue
                        if made is not None:
                            return made
        return None

    # ----- whether an expression made a tensor -----
    def agrees(self, x: Any, expression: Expression, scope: Scope) -> int | None:
        """How many facts speak for an expression as that of an operand; None if one speaks against it."""
        key = id(x), expression, id(scope)
        if key not in self.agreement:
            self.agreement[key] = self._agrees(x, expression, scope)
        return self.agreement[key]

    def _agrees(self, x: Any, expression: Expression, scope: Scope) -> int | None:
        if expression.kind in ("unknown", "element", "code"):
            return 0
        if expression.kind == "name" and expression.detail in scope.given:
            return self.agrees(x, *scope.given[expression.detail])
        if not isinstance(x, Tensor) or (x.op is None and not x.requires_grad):
            if value(expression, scope) is x:
                return 2
            x = tensor_value(x)
            try:
                made = self.readings.term(expression, scope)
            except UnreadableError:
                return 0 if not self.is_tensor(expression, scope) else None
            return 2 if is_same(value_of(made), x) else 0 if has_changed(expression, scope) else None
        if expression.kind in ("constant", "tuple", "list", "slice"):
            return None
        if expression.kind in ("name", "attribute") or (expression.kind == "item" and x.op is None):
            return self.agrees_with_variable(x, expression, scope)
        function, operands = self.operation(expression, scope)
        if function is None or x.op is None:
            return 0
        if function is not x.op.function or len(operands) != len(x.args):
            return None if function in OPS else 0
        scores = [self.agrees(arg, each, scope) for arg, each in zip(x.args, operands, strict=True)]
        return None if None in scores else 1 + sum(score for score in scores if score is not None)

    def agrees_with_variable(self, x: Tensor, expression: Expression, scope: Scope) -> int | None:
        """How much speaks for a variable as the one that held a tensor."""
        held = value(expression, scope)
        if held is x:
            return 2
        if expression.kind == "attribute" and held is MISSING:
            return 0
        if held is MISSING or expression.kind != "name":
            return 0
        return 0 if isinstance(held, Tensor) and scope.is_reassigned(expression.detail) else None

    def is_tensor(self, expression: Expression, scope: Scope) -> bool:
        """Whether an expression is a variable that holds a tracked tensor."""
        held = value(expression, scope)
        return isinstance(held, Tensor) and held.requires_grad

    def operation(self, expression: Expression, scope: Scope) -> tuple[Any, tuple[Expression, ...]]:
        """The function that an expression applies, None if it is not known, and its operands."""
        if expression.kind == "operator":
            return OPERATORS.get((expression.detail, len(expression.parts))), expression.parts
        if expression.kind != "call":
            return None, ()
        called, *arguments = expression.parts
        arguments = arguments[: len(arguments) - len(expression.detail or ())]
        function = value(called, scope)
        if function is MISSING and called.kind == "attribute" and called.detail in METHODS:
            function, arguments = getattr(np, called.detail, None), [called.parts[0], *arguments]
        function = np.matmul if function in PRODUCTS else function
        return (function if callable(function) else None), tuple(arguments)


def has_changed(expression: Expression, scope: Scope) -> bool:
    """Whether an expression uses a variable that may have had another value when it was evaluated."""
    if expression.kind == "name":
        return scope.is_reassigned(expression.detail) and expression.detail in scope.expressions.assigned
    return any(has_changed(part, scope) for part in expression.parts)


def is_same(made: Any, operand: Any) -> bool:
    """Whether a formula has the value of an operand, up to the last digits where floating-point numbers round."""
    if np.ndim(operand) == 0 and np.ndim(made) == 0:
        numbers = all(isinstance(each, int | float | np.number | np.ndarray) for each in (made, operand))
        return numbers and math.isclose(made, operand, rel_tol=ROUNDING * EPS)
    made, operand = np.asarray(made), np.asarray(operand)
    if made.shape != operand.shape or made.dtype != operand.dtype:
        return False
    if operand.dtype.kind not in "fc":
        return np.array_equal(made, operand)
    eps = float(np.finfo(operand.dtype).eps)
    return np.allclose(made, operand, rtol=ROUNDING * eps, atol=0, equal_nan=True)


def _passes(part: Term, leading: set[Term]) -> bool:
    assert part.op is not None
    rules: Iterator[Any] = iter(part.op.rules)
    return any(arg in leading and rule is not None for arg, rule in zip(part.args, rules, strict=False))

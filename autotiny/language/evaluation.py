"""Evaluation of a parsed source: each node of its tree has a value, a number, an array or a Tensor."""

import ast
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple, NoReturn

import numpy as np

from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.language.costs import indexed
from autotiny.language.errors import ExpressionError, refusal, suggestion
from autotiny.language.limits import Budget, Cost, Limits
from autotiny.language.operators import (
    BINARY,
    COMPARISON,
    UNARY,
    apply,
    checked,
    cost,
    key_part,
    listed,
    literal,
    operand,
)
from autotiny.language.reading import read
from autotiny.language.vocabulary import CONSTANTS, METHODS, MODULES, PROPERTIES, SPREAD, Function, functions

Value = Any


class Outcome(NamedTuple):
    """The value of the last statement, and every name with its value."""

    value: Value
    scope: dict[str, Value]


def evaluate(text: str, values: Mapping[str, Value] | None = None, limits: Limits | None = None) -> Outcome:
    """Compute an expression, or several statements separated by newlines or `;`.

    `values` are Tensors, arrays and numbers by name. Operations on Tensors are recorded, and a Tensor that is assigned
    gets its name. The functions are those of NumPy and autotiny that the table of operations has.

    Raises ExpressionError, with line and column, for every error.

    >>> x = Tensor([1.0, 2.0], name="x")
    >>> y, scope = evaluate("Z = 3 * x; sum(Z ** 2)", {"x": x})
    >>> y.item(), scope["Z"].name
    (45.0, 'Z')
    """
    return Evaluation(text, {} if values is None else values, Limits() if limits is None else limits).outcome()


class Evaluation:
    """The evaluation of one source; a subclass may refine how a statement or an expression is computed."""

    def __init__(self, text: str, values: Mapping[str, Value], limits: Limits) -> None:
        self.source, self.statements = read(text, limits)
        self.budget = Budget(limits)
        self.scope = dict(values)

    def outcome(self) -> Outcome:
        """Evaluate every statement."""
        value: Value = None
        try:
            with np.errstate(all="ignore"):
                for statement in self.statements:
                    value = self.statement(statement)
        except RecursionError:
            raise ExpressionError("the expression is nested too deeply") from None
        return Outcome(value, self.scope)

    def statement(self, node: ast.stmt) -> Value:
        """The value of an expression or an assignment."""
        if isinstance(node, ast.Expr):
            return self.value(node.value)
        if not isinstance(node, ast.Assign):
            self.fail(node, refusal(node))
        if len(node.targets) > 1 or not isinstance(node.targets[0], ast.Name):
            self.fail(node.targets[-1], "an assignment has one name on its left: name = ...")
        return self.assign(node.targets[0].id, self.value(node.value))

    def assign(self, name: str, value: Value) -> Value:
        """Bind a name, which also names a Tensor that has no name yet."""
        if (
            isinstance(value, Tensor)
            and value.name is None
            and all(value is not other for other in self.scope.values())
        ):
            value.name = name
        self.scope[name] = value
        return value

    def value(self, node: ast.expr) -> Value:
        """The value of an expression."""
        visit = VISITS.get(type(node))
        return visit(self, node) if visit else self.fail(node, refusal(node))

    # ----- one step: charged, computed, checked; an error is reported at its node -----
    def spend(self, node: ast.expr, what: str, estimate: Callable[[], Cost], compute: Callable[[], Value]) -> Value:
        """The computed value, after its estimated cost is charged to the budget."""

        def step() -> Value:
            self.budget.spend(estimate())
            return checked(compute())

        return self.compute(node, what, step)

    def compute(self, node: ast.AST, what: str, function: Callable[[], Value]) -> Value:
        """The function's value; any error becomes an ExpressionError at the node."""
        try:
            return function()
        except RecursionError:
            raise
        except Exception as error:
            message = str(error) or type(error).__name__
            prefix = "" if isinstance(error, AutotinyError) or not what else f"{what}: "
            raise self.source.error_at(node, prefix + message) from error

    def fail(self, node: ast.AST, message: str) -> NoReturn:
        """Raise an ExpressionError at a node."""
        raise self.source.error_at(node, message)

    # ----- leaves -----
    def constant(self, node: ast.Constant) -> Value:
        """A literal."""
        return self.compute(node, "", lambda: literal(node.value))

    def name(self, node: ast.Name) -> Value:
        """The value of a name."""
        return self.compute(node, node.id, lambda: find_value(node.id, self.scope))

    def sequence(self, node: ast.List | ast.Tuple) -> Value:
        """A list as an array where it can be one; a tuple."""
        items = [self.value(item) for item in node.elts]
        if isinstance(node, ast.Tuple):
            return tuple(items)
        nested = all(isinstance(item, ast.List) for item in node.elts)
        return self.compute(node, "list", lambda: listed(items, nested))

    # ----- operators -----
    def unary(self, node: ast.UnaryOp) -> Value:
        """-x and +x."""
        if type(node.op) not in UNARY:
            self.fail(node, refusal(node.op))
        return self.operate(node, *UNARY[type(node.op)], node.operand)

    def binary(self, node: ast.BinOp) -> Value:
        """Arithmetic."""
        if type(node.op) not in BINARY:
            self.fail(node, refusal(node.op))
        return self.operate(node, *BINARY[type(node.op)], node.left, node.right)

    def comparison(self, node: ast.Compare) -> Value:
        """A single comparison."""
        if len(node.ops) > 1:
            self.fail(node, "comparisons cannot be chained; write logical_and(a < b, b < c)")
        if type(node.ops[0]) not in COMPARISON:
            self.fail(node, refusal(node.ops[0]))
        return self.operate(node, *COMPARISON[type(node.ops[0])], node.left, node.comparators[0])

    def operate(self, node: ast.expr, sign: str, function: Callable[..., Any], *operands: ast.expr) -> Value:
        """The value of an operator on its operands."""
        values = [self.value(each) for each in operands]
        numbers = self.compute(node, sign, lambda: [operand(value, sign) for value in values])
        return self.spend(node, sign, lambda: cost(sign, *numbers), lambda: apply(sign, function, *numbers))

    # ----- functions, methods, indices -----
    def call(self, node: ast.Call) -> Value:
        """A call of a function or a method."""
        function, operands = self.callee(node.func)
        operands += [self.argument(function, each) for each in node.args]
        if any(each.arg is None for each in node.keywords):
            self.fail(node, "** before an argument is not part of the language")
        options = {str(each.arg): self.argument(function, each.value) for each in node.keywords}
        if function.name in SPREAD and isinstance(node.func, ast.Attribute) and len(operands) > 2:
            operands = [operands[0], tuple(operands[1:])]
        return self.apply(node, function, operands, options)

    def callee(self, node: ast.expr) -> tuple[Function, list[Value]]:
        """The function that is called, and the value before the dot if it is a method."""
        if isinstance(node, ast.Name):
            return self.function(node, node.id), []
        if not isinstance(node, ast.Attribute):
            self.fail(node, "only a function with a name can be called")
        if (dotted := dotted_name(node, self.scope)) is not None:
            return self.function(node, dotted), []
        if node.attr not in METHODS:
            self.fail(node, f"there is no method .{node.attr}{suggestion(node.attr, [*METHODS, *PROPERTIES])}")
        return functions()[METHODS[node.attr]], [self.value(node.value)]

    def function(self, node: ast.expr, name: str) -> Function:
        """The function of a name."""
        function: Function = self.compute(node, name, lambda: find_function(name, self.scope))
        return function

    def argument(self, function: Function, node: ast.expr) -> Value:
        """The value of an argument, which may be text for a few functions."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and function.takes_text:
            return node.value
        return self.value(node)

    def apply(self, node: ast.expr, function: Function, args: list[Value], options: dict[str, Value]) -> Value:
        """The value of a function on its arguments."""
        try:
            operands, options = function.arguments(tuple(args), options)
        except TypeError as error:
            self.fail(node, f"{function.name}: {error}; usage: {function.usage}")
        operands = self.compute(node, function.name, lambda: function.as_arrays(operands))
        return self.spend(
            node,
            function.name,
            lambda: function.estimate(*operands, **options),
            lambda: function.function(*operands, **options),
        )

    def attribute(self, node: ast.Attribute) -> Value:
        """A constant such as np.pi, or a property such as x.T."""
        if (dotted := dotted_name(node, self.scope)) is not None:
            return CONSTANTS[dotted] if dotted in CONSTANTS else self.fail(node, f"there is no constant {dotted}")
        if node.attr not in PROPERTIES:
            known = ", ".join(f".{name}" for name in PROPERTIES)
            self.fail(node, f"there is no .{node.attr}; there are {known} and methods such as .sum(axis=0)")
        return self.apply(node, functions()[PROPERTIES[node.attr]], [self.value(node.value)], {})

    def subscript(self, node: ast.Subscript) -> Value:
        """x[key]."""
        array = self.value(node.value)
        key = self.key(node.slice)
        return self.spend(node, "[ ]", lambda: indexed(array, key), lambda: array[key])

    def key(self, node: ast.expr) -> Value:
        """An index, as NumPy takes it."""
        if isinstance(node, ast.Tuple):
            return tuple(self.key(part) for part in node.elts)
        if isinstance(node, ast.Slice):
            return slice(*(None if part is None else self.key(part) for part in (node.lower, node.upper, node.step)))
        value = self.value(node)
        return self.compute(node, "[ ]", lambda: key_part(value))


VISITS: dict[type[ast.expr], Callable[[Any, Any], Value]] = {
    ast.Constant: Evaluation.constant,
    ast.Name: Evaluation.name,
    ast.List: Evaluation.sequence,
    ast.Tuple: Evaluation.sequence,
    ast.UnaryOp: Evaluation.unary,
    ast.BinOp: Evaluation.binary,
    ast.Compare: Evaluation.comparison,
    ast.Call: Evaluation.call,
    ast.Attribute: Evaluation.attribute,
    ast.Subscript: Evaluation.subscript,
}


# ----- names -----
def find_value(name: str, scope: Mapping[str, Value]) -> Value:
    """The value of a variable or a constant; raises UnsupportedError for an unknown name."""
    if name in scope:
        return checked(scope[name])
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name in functions():
        raise UnsupportedError(f"{name} is a function; write {functions()[name].usage}")
    raise UnsupportedError(f"there is no value named {name}{suggestion(name, [*scope, *CONSTANTS, *functions()])}")


def find_function(name: str, scope: Container[str]) -> Function:
    """The function of a name; raises UnsupportedError for an unknown one."""
    if name in functions():
        return functions()[name]
    if name in scope or name in CONSTANTS:
        raise UnsupportedError(f"{name} is a value, not a function; for a product write {name} * (...)")
    reason = " with a gradient rule" if hasattr(np, name.split(".")[-1]) else ""
    raise UnsupportedError(f"there is no function {name}{reason}{suggestion(name, functions())}")


def dotted_name(node: ast.Attribute, scope: Container[str]) -> str | None:
    """The name after np. or at., as in np.linalg.det; None where a value has the name before the dot."""
    path, root = [node.attr], node.value
    while isinstance(root, ast.Attribute):
        path, root = [root.attr, *path], root.value
    if not isinstance(root, ast.Name) or root.id in scope or root.id not in (*MODULES, "linalg"):
        return None
    return ".".join([root.id, *path] if root.id == "linalg" else path)

"""Walking the tree of a program: each node gives a number, an array or a Tensor."""

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
from autotiny.language.reading import Source, read
from autotiny.language.vocabulary import CONSTANTS, METHODS, MODULES, PROPERTIES, SPREAD, Word, words

# ----- steps -----
# One step of an evaluation: paid for, taken, looked at; what goes wrong becomes an error at its place.


Value = Any


class Steps:
    """Takes steps at nodes of a source, within a budget."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.source, self.budget = source, budget

    def spend(self, node: ast.expr, what: str, estimate: Callable[[], Cost], compute: Callable[[], Value]) -> Value:
        """The computed value, once its cost is paid."""

        def step() -> Value:
            self.budget.spend(estimate())
            return checked(compute())

        return self.compute(node, what, step)

    def compute(self, node: ast.AST, what: str, function: Callable[[], Value]) -> Value:
        """The function's value; whatever goes wrong becomes an error at the node."""
        try:
            return function()
        except RecursionError:
            raise
        except Exception as error:
            told = str(error) or type(error).__name__
            prefix = "" if isinstance(error, AutotinyError) or not what else f"{what}: "
            raise self.source.error_at(node, prefix + told) from error

    def fail(self, node: ast.AST, message: str) -> NoReturn:
        """Raise the error at a node."""
        raise self.source.error_at(node, message)


# ----- lookup -----
# What a name stands for, and what was probably meant by one that stands for nothing.


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


class Outcome(NamedTuple):
    """What a program came to: the value of its last statement, and every name with its value."""

    value: Value
    scope: dict[str, Value]


def evaluate(text: str, values: Mapping[str, Value] | None = None, limits: Limits | None = None) -> Outcome:
    """Compute an expression, or several statements separated by newlines or `;`.

    `values` are Tensors, arrays and numbers by name; what is computed from Tensors is recorded, and what is assigned
    gets its name. Functions are NumPy's and autotiny's that the table of operations knows.

    Raises ExpressionError, with line and column, for everything that goes wrong.

    >>> x = Tensor([1.0, 2.0], name="x")
    >>> y, scope = evaluate("Z = 3 * x; sum(Z ** 2)", {"x": x})
    >>> y.item(), scope["Z"].name
    (45.0, 'Z')
    """
    return _Evaluation(text, {} if values is None else values, Limits() if limits is None else limits).outcome()


class _Evaluation(Steps):
    def __init__(self, text: str, values: Mapping[str, Value], limits: Limits) -> None:
        source, self.statements = read(text, limits)
        super().__init__(source, Budget(limits))
        self.scope = dict(values)

    def outcome(self) -> Outcome:
        value: Value = None
        try:
            with np.errstate(all="ignore"):
                for statement in self.statements:
                    value = self.statement(statement)
        except RecursionError:
            raise ExpressionError("the expression is nested too deeply") from None
        return Outcome(value, self.scope)

    def statement(self, node: ast.stmt) -> Value:
        if isinstance(node, ast.Expr):
            return self.value(node.value)
        if not isinstance(node, ast.Assign):
            self.fail(node, refusal(node))
        if len(node.targets) > 1 or not isinstance(node.targets[0], ast.Name):
            self.fail(node.targets[-1], "an assignment gives one name: name = ...")
        return self.assign(node.targets[0].id, self.value(node.value))

    def assign(self, name: str, value: Value) -> Value:
        if isinstance(value, Tensor) and value.name is None and all(value is not held for held in self.scope.values()):
            value.name = name
        self.scope[name] = value
        return value

    def value(self, node: ast.expr) -> Value:
        visit = VISITS.get(type(node))
        return visit(self, node) if visit else self.fail(node, refusal(node))

    # ----- leaves -----
    def constant(self, node: ast.Constant) -> Value:
        return self.compute(node, "", lambda: literal(node.value))

    def name(self, node: ast.Name) -> Value:
        return self.compute(node, node.id, lambda: find_value(node.id, self.scope))

    def sequence(self, node: ast.List | ast.Tuple) -> Value:
        items = [self.value(item) for item in node.elts]
        if isinstance(node, ast.Tuple):
            return tuple(items)
        nested = all(isinstance(item, ast.List) for item in node.elts)
        return self.compute(node, "list", lambda: listed(items, nested))

    # ----- operators -----
    def unary(self, node: ast.UnaryOp) -> Value:
        if type(node.op) not in UNARY:
            self.fail(node, refusal(node.op))
        return self.operate(node, *UNARY[type(node.op)], node.operand)

    def binary(self, node: ast.BinOp) -> Value:
        if type(node.op) not in BINARY:
            self.fail(node, refusal(node.op))
        return self.operate(node, *BINARY[type(node.op)], node.left, node.right)

    def comparison(self, node: ast.Compare) -> Value:
        if len(node.ops) > 1:
            self.fail(node, "one comparison at a time; write logical_and(a < b, b < c)")
        if type(node.ops[0]) not in COMPARISON:
            self.fail(node, refusal(node.ops[0]))
        return self.operate(node, *COMPARISON[type(node.ops[0])], node.left, node.comparators[0])

    def operate(self, node: ast.expr, sign: str, function: Callable[..., Any], *operands: ast.expr) -> Value:
        values = [self.value(each) for each in operands]
        numbers = self.compute(node, sign, lambda: [operand(value, sign) for value in values])
        return self.spend(node, sign, lambda: cost(sign, *numbers), lambda: apply(sign, function, *numbers))

    # ----- functions, methods, indices -----
    def call(self, node: ast.Call) -> Value:
        word, operands = self.callee(node.func)
        operands += [self.argument(word, each) for each in node.args]
        if any(each.arg is None for each in node.keywords):
            self.fail(node, "** before an argument is not part of the language")
        options = {str(each.arg): self.argument(word, each.value) for each in node.keywords}
        if word.name in SPREAD and isinstance(node.func, ast.Attribute) and len(operands) > 2:
            operands = [operands[0], tuple(operands[1:])]
        return self.apply(node, word, operands, options)

    def callee(self, node: ast.expr) -> tuple[Word, list[Value]]:
        """The function that is called, and the value whose method it is."""
        if isinstance(node, ast.Name):
            return self.function(node, node.id), []
        if not isinstance(node, ast.Attribute):
            self.fail(node, "only a function that has a name can be called")
        if (dotted := dotted_name(node, self.scope)) is not None:
            return self.function(node, dotted), []
        if node.attr not in METHODS:
            self.fail(node, f"there is no method .{node.attr}{suggestion(node.attr, [*METHODS, *PROPERTIES])}")
        return words()[METHODS[node.attr]], [self.value(node.value)]

    def function(self, node: ast.expr, name: str) -> Word:
        word: Word = self.compute(node, name, lambda: find_word(name, self.scope))
        return word

    def argument(self, word: Word, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and word.worded:
            return node.value
        return self.value(node)

    def apply(self, node: ast.expr, word: Word, args: list[Value], options: dict[str, Value]) -> Value:
        try:
            operands, options = word.arguments(tuple(args), options)
        except TypeError as error:
            self.fail(node, f"{word.name}: {error}; it is {word.usage}")
        operands = self.compute(node, word.name, lambda: word.as_arrays(operands))
        estimate, function = word.estimate, word.function
        return self.spend(
            node, word.name, lambda: estimate(*operands, **options), lambda: function(*operands, **options)
        )

    def attribute(self, node: ast.Attribute) -> Value:
        if (dotted := dotted_name(node, self.scope)) is not None:
            return CONSTANTS[dotted] if dotted in CONSTANTS else self.fail(node, f"{dotted} is no constant")
        if node.attr not in PROPERTIES:
            known = ", ".join(f".{name}" for name in PROPERTIES)
            self.fail(node, f"there is no .{node.attr}; there are {known} and methods such as .sum(axis=0)")
        return self.apply(node, words()[PROPERTIES[node.attr]], [self.value(node.value)], {})

    def subscript(self, node: ast.Subscript) -> Value:
        held = self.value(node.value)
        key = self.key(node.slice)
        return self.spend(node, "[ ]", lambda: indexed(held, key), lambda: held[key])

    def key(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Tuple):
            return tuple(self.key(part) for part in node.elts)
        if isinstance(node, ast.Slice):
            return slice(*(None if part is None else self.key(part) for part in (node.lower, node.upper, node.step)))
        value = self.value(node)
        return self.compute(node, "[ ]", lambda: key_part(value))


Evaluation = _Evaluation  # for those who refine it

VISITS: dict[type[ast.expr], Callable[[Any, Any], Value]] = {
    ast.Constant: _Evaluation.constant,
    ast.Name: _Evaluation.name,
    ast.List: _Evaluation.sequence,
    ast.Tuple: _Evaluation.sequence,
    ast.UnaryOp: _Evaluation.unary,
    ast.BinOp: _Evaluation.binary,
    ast.Compare: _Evaluation.comparison,
    ast.Call: _Evaluation.call,
    ast.Attribute: _Evaluation.attribute,
    ast.Subscript: _Evaluation.subscript,
}

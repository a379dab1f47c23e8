"""Putting one operation in place of another in a statement."""

import ast
from dataclasses import replace

from autotiny.expressions.operators import BINARY
from autotiny.sessions.places import parsed
from autotiny.sessions.program import SessionError
from autotiny.sessions.statement import Statement

OPERATORS = {sign: kind for kind, (sign, _) in BINARY.items()}


def swapped(statement: Statement, old: str, new: str) -> Statement:
    """The statement with every call of a function, or every use of an operator, put as another.

    Raises SessionError where it has none, or one of the two is an operator and the other a function.

    >>> swapped(Statement("A1", "relu(W @ x) + relu(b)"), "relu", "tanh").text
    'tanh(W @ x) + tanh(b)'
    >>> swapped(Statement("y", "a - b * c"), "-", "**").text
    'a ** (b * c)'
    """
    if (old in OPERATORS) != (new in OPERATORS):
        raise SessionError(f"{old} is {_kind(old)} and {new} {_kind(new)}; change the formula itself")
    if old not in OPERATORS and not new.replace(".", "_").isidentifier():
        raise SessionError(f"{new[:40]!r} is no function's name")
    swap = _Swap(old, new)
    text = ast.unparse(swap.visit(parsed(statement.text)))
    if not swap.found:
        raise SessionError(f"there is no {old} in {statement.line}")
    return replace(statement, text=text)


class _Swap(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new, self.found = old, new, False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func) == self.old:
            self.found, node.func = True, parsed(self.new)
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if type(node.op) is OPERATORS.get(self.old):
            self.found, node.op = True, OPERATORS[self.new]()
        return self.generic_visit(node)


def _kind(operation: str) -> str:
    return "an operator" if operation in OPERATORS else "a function"

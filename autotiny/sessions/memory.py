"""Evaluation that reuses results: an expression whose operands are the same objects as last time is not recomputed."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autotiny.engine.mutation import is_written_over
from autotiny.engine.tensor import Tensor
from autotiny.language.errors import ExpressionError
from autotiny.language.evaluation import Evaluation
from autotiny.language.limits import Budget, Limits
from autotiny.sessions.statement import Declaration, Statement, array_name, declaration

Value = Any


class StatementError(ExpressionError):
    """An error in the statement of a name; line and column count from the start of the statement."""

    def __init__(self, name: str, error: ExpressionError) -> None:
        super().__init__(error.message, error.line, error.column, error.excerpt)
        self.name = name


class Same:
    """A value as part of a key, equal only to itself. It keeps the value alive, so that its id is not reused."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@dataclass(eq=False)
class Result:
    """The value of an expression, and the results of its parts.

    `key` identifies the operation and its operands; `home` is the statement that contains the expression.
    """

    key: Any
    home: str
    value: Value = None
    entries: float = 0
    parts: list["Result"] = field(default_factory=list)

    def tree(self) -> Iterator["Result"]:
        """This result and all of its parts, recursively."""
        yield self
        for part in self.parts:
            yield from part.tree()


class Memory:
    """The results of the previous evaluation, each of which can be reused in one place."""

    def __init__(self, results: Iterable[Result] = ()) -> None:
        self.known: dict[Any, list[Result]] = {}
        self.taken: set[Result] = set()
        for result in results:
            for each in result.tree():
                if not is_written_over(each.value):
                    self.known.setdefault(each.key, []).append(each)

    def take(self, key: Any, home: str) -> Result | None:
        """An unused result of this key, preferably from the same statement; None where there is none."""
        free = [each for each in self.known.get(key, ()) if self.taken.isdisjoint(each.tree())]
        chosen = min(free, key=lambda each: each.home != home, default=None)
        if chosen is not None:
            self.taken.update(chosen.tree())
            for each in chosen.tree():
                each.home = home
        return chosen


def evaluate_all(program: Sequence[Statement], memory: Memory, limits: Limits) -> tuple[dict[str, Value], list[Result]]:
    """The value of every statement by its name, and the results for the next memory; raises StatementError."""
    budget, scope, results = Budget(limits), dict[str, Value](), list[Result]()
    for statement in program:
        evaluation = _Recomputation(statement, scope, memory, budget)
        try:
            scope[statement.name] = evaluation.outcome().value
        except ExpressionError as error:
            raise StatementError(statement.name, with_hint(error, statement, program)) from error.__cause__
        results += evaluation.results
    return scope, results


def with_hint(error: ExpressionError, failed: Statement, program: Iterable[Statement]) -> ExpressionError:
    """The error, with a hint where labels, sizes or indices are variables declared in whole numbers."""
    if "integer" not in error.message and "is tracked" not in error.message:
        return error
    whole = {each.name: each.text for each in program if each.is_whole}
    suspect = next((name for name in reversed(failed.names) if name in whole), None)  # labels and sizes come last
    hint = f"; if {suspect} is data, write {suspect} = array({whole[suspect]})" if suspect else ""
    return ExpressionError(error.message + hint, error.line, error.column, error.excerpt)


class _Recomputation(Evaluation):
    """The evaluation of one statement, which reuses results from memory."""

    def __init__(self, statement: Statement, scope: Mapping[str, Value], memory: Memory, budget: Budget) -> None:
        super().__init__(statement.line, scope, budget.limits)
        self.budget, self.home, self.memory, self.array = budget, statement.name, memory, statement.array
        self.results: list[Result] = []
        self.right: ast.expr | None = None
        self.declaration: Declaration | None = None

    def statement(self, node: ast.stmt) -> Value:
        assert isinstance(node, ast.Assign)
        self.right, self.declaration = node.value, declaration(node.value, self.scope)
        return super().statement(node)

    def value(self, node: ast.expr) -> Value:
        declared = node is self.right and self.declaration is not None
        if isinstance(node, ast.Constant | ast.Name) and not declared:
            return super().value(node)
        key = self.key_of(node)
        result = self.memory.take(key, self.home)
        if result is None:
            result = self.computed(key, node)
        else:
            self.budget.total += result.entries
        self.results.append(result)
        return result.value

    def computed(self, key: Any, node: ast.expr) -> Result:
        """The result of an expression, with those of its parts."""
        outer, self.results = self.results, []
        spent = self.budget.total
        value = self.right_side(node) if node is self.right else super().value(node)
        parts, self.results = self.results, outer
        return Result(key, self.home, value, self.budget.total - spent, parts)

    def right_side(self, node: ast.expr) -> Value:
        """The leaf that is declared, or the value of a formula; a plain array becomes data, so that it has a name."""
        declared, self.right = self.declaration, None  # expressions within it are evaluated like any other
        if declared is None:
            value = super().value(node)
            return Tensor(value, requires_grad=False) if is_data(value) else value
        content = self.array if array_name(declared.content) else self.value(declared.content)
        return self.compute(node, "", lambda: declared.leaf(content))

    def key_of(self, node: ast.AST) -> Any:
        """The key of an expression: its operations and the objects that they apply to, whatever their names."""
        if node is self.right and self.declaration:
            content = self.declaration.content
            return (*self.declaration.key, Same(self.array) if array_name(content) else self._key_of(content))
        return self._key_of(node)

    def _key_of(self, node: Any) -> Any:
        if isinstance(node, ast.Name) and node.id in self.scope:
            return Same(self.scope[node.id])
        if isinstance(node, ast.AST):
            return type(node), *(self._key_of(getattr(node, field)) for field in node._fields)
        return tuple(map(self._key_of, node)) if isinstance(node, list) else (type(node), node)


def is_data(value: Value) -> bool:
    """Whether a value is a plain array of floats, which pictures show under its name."""
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype.kind == "f"

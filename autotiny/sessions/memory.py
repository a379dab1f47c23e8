"""Evaluation that remembers: an expression whose operands are the very objects of last time is not computed again."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from autotiny.engine.mutation import is_written_over
from autotiny.engine.tensor import Tensor
from autotiny.language.errors import ExpressionError
from autotiny.language.evaluation import Evaluation
from autotiny.language.limits import Budget, Limits
from autotiny.sessions.declaration import Declaration, array_name, declaration
from autotiny.sessions.statement import Statement

# ----- history -----
# Undo and redo of values that are never changed themselves.


State = TypeVar("State")

DEEPEST = 200
"""States that are kept."""


class History(Generic[State]):
    """A line of states with a place in it.

    >>> history = History("a"); history.add("b"); history.move(-1); history.now
    'a'
    """

    def __init__(self, first: State) -> None:
        self.states, self.place = [first], 0

    @property
    def now(self) -> State:
        """The state at the place."""
        return self.states[self.place]

    def add(self, state: State, amend: bool = False) -> None:
        """Go on to a new state, or put it in place of this one; what was undone is forgotten."""
        keep = self.place + (not amend or self.place == 0)
        self.states = [*self.states[:keep], state][-DEEPEST:]
        self.place = len(self.states) - 1

    def near(self, steps: int) -> State | None:
        """The state so many steps on, or back; None beyond either end."""
        place = self.place + steps
        return self.states[place] if 0 <= place < len(self.states) else None

    def move(self, steps: int) -> None:
        """Go on, or back."""
        self.place += steps


Value = Any


class StatementError(ExpressionError):
    """What went wrong in the statement of a name; line and column are those of the statement."""

    def __init__(self, name: str, error: ExpressionError) -> None:
        super().__init__(error.message, error.line, error.column, error.excerpt)
        self.name = name


class Same:
    """A value as part of a key: equal to itself alone. It holds the value, whose address is thus not given away."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@dataclass(eq=False)
class Result:
    """What an expression came to, and the parts that it was computed from.

    `key` tells what was computed of which operands; `home` is the statement in which it stands.
    """

    key: Any
    home: str
    value: Value = None
    entries: float = 0
    parts: list["Result"] = field(default_factory=list)

    def whole(self) -> Iterator["Result"]:
        """This result and all of its parts."""
        yield self
        for part in self.parts:
            yield from part.whole()


class Memory:
    """The results of one evaluation of a program, handed to the next, each for one place."""

    def __init__(self, results: Iterable[Result] = ()) -> None:
        self.known: dict[Any, list[Result]] = {}
        self.taken: set[Result] = set()
        for result in results:
            for each in result.whole():
                if not is_written_over(each.value):
                    self.known.setdefault(each.key, []).append(each)

    def take(self, key: Any, home: str) -> Result | None:
        """A result of this key that no other place has taken, from the same statement if it can be."""
        free = [each for each in self.known.get(key, ()) if self.taken.isdisjoint(each.whole())]
        chosen = min(free, key=lambda each: each.home != home, default=None)
        if chosen is not None:
            self.taken.update(chosen.whole())
            for each in chosen.whole():
                each.home = home
        return chosen


def evaluate_all(program: Sequence[Statement], memory: Memory, limits: Limits) -> tuple[dict[str, Value], list[Result]]:
    """The value of every statement by its name, and the results to remember; raises StatementError."""
    budget, scope, results = Budget(limits), dict[str, Value](), list[Result]()
    for statement in program:
        walk = _Recomputation(statement, scope, memory, budget)
        try:
            scope[statement.name] = walk.outcome().value
        except ExpressionError as error:
            raise StatementError(statement.name, with_hint(error, statement, program)) from error.__cause__
        results += walk.found
    return scope, results


def with_hint(error: ExpressionError, failed: Statement, program: Iterable[Statement]) -> ExpressionError:
    """The error, with the mend where whole numbers were meant as labels, sizes or indices, and a variable is none."""
    if "integer" not in error.message and "is tracked" not in error.message:
        return error
    whole = {each.name: each.text for each in program if each.is_whole}
    meant = next((name for name in reversed(failed.names) if name in whole), None)  # labels and sizes come last
    hint = f"; if {meant} is data, write {meant} = array({whole[meant]})" if meant else ""
    return ExpressionError(error.message + hint, error.line, error.column, error.excerpt)


class _Recomputation(Evaluation):
    """The evaluation of one statement, which takes from memory what it can."""

    def __init__(self, statement: Statement, scope: Mapping[str, Value], memory: Memory, budget: Budget) -> None:
        super().__init__(statement.line, scope, budget.limits)
        self.budget, self.home, self.memory, self.array = budget, statement.name, memory, statement.array
        self.found: list[Result] = []
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
        key = self.identity(node)
        result = self.memory.take(key, self.home)
        if result is None:
            result = self.computed(key, node)
        else:
            self.budget.total += result.entries
        self.found.append(result)
        return result.value

    def computed(self, key: Any, node: ast.expr) -> Result:
        """The result of an expression, with those of its parts."""
        before, self.found = self.found, []
        spent = self.budget.total
        value = self.right_side(node) if node is self.right else super().value(node)
        parts, self.found = self.found, before
        return Result(key, self.home, value, self.budget.total - spent, parts)

    def right_side(self, node: ast.expr) -> Value:
        """A leaf as it is declared; a formula's value, where it is an array as data with a name."""
        declared, self.right = self.declaration, None  # what is within is an expression like any other
        if declared is None:
            value = super().value(node)
            return Tensor(value, requires_grad=False) if is_data(value) else value
        content = self.array if array_name(declared.content) else self.value(declared.content)
        return self.compute(node, "", lambda: declared.made(content))

    def identity(self, node: ast.AST) -> Any:
        """What an expression computes of which objects, whatever these are called."""
        if node is self.right and self.declaration:
            content = self.declaration.content
            return (*self.declaration.key, Same(self.array) if array_name(content) else self._identity(content))
        return self._identity(node)

    def _identity(self, node: Any) -> Any:
        if isinstance(node, ast.Name) and node.id in self.scope:
            return Same(self.scope[node.id])
        if isinstance(node, ast.AST):
            return type(node), *(self._identity(getattr(node, field)) for field in node._fields)
        return tuple(map(self._identity, node)) if isinstance(node, list) else (type(node), node)


def is_data(value: Value) -> bool:
    """Whether a value that is not recorded is to be seen with its name in pictures."""
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype.kind == "f"

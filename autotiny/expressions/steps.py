"""One step of an evaluation: paid for, taken, looked at; what goes wrong becomes an error at its place."""

import ast
from collections.abc import Callable
from typing import Any, NoReturn

from autotiny.errors import AutotinyError
from autotiny.expressions.limits import Budget, Cost
from autotiny.expressions.reading import Source
from autotiny.expressions.values import checked

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

"""The evaluated state of a session: values, gradients, and the results that the next evaluation can reuse."""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import numpy as np

from autotiny.engine.backward import Sweep, run_sweep
from autotiny.engine.gradients import seed
from autotiny.engine.mutation import is_written_over, verified_order
from autotiny.engine.node import Node, next_number
from autotiny.engine.recording import value_of
from autotiny.engine.selection import Selection
from autotiny.engine.tensor import Tensor
from autotiny.language.limits import Limits
from autotiny.notation.numbers import summarise
from autotiny.notation.text import aligned, clean
from autotiny.sessions.memory import Memory, Result, evaluate_all
from autotiny.sessions.program import Program, SessionError
from autotiny.sessions.statement import Statement


# ----- gradients: an operation that receives the same gradient as last time passes on the same contributions -----
class Pulled(NamedTuple):
    """The contributions that one gradient gives when it is pulled back through one operation."""

    gradient: Any
    passed: list[tuple[int, Any]]
    """Contributions, each with the position of its operand."""


Remembered = dict[Any, Pulled]
"""Contributions by node."""


class Gradients(NamedTuple):
    """dJ/dx of every tensor that J depends on, and the contributions to reuse."""

    of: Mapping[Any, Any]
    remembered: Remembered


NONE = Gradients({}, {})


def gradients_of(output: Tensor, remembered: Remembered) -> Gradients:
    """The gradients of a recorded number; no `.grad` is changed.

    >>> x = Tensor(3.0)
    >>> float(gradients_of(x * x, {}).of[x])
    6.0
    """
    sweep = run_sweep(verified_order(output), lambda selection: _Remembering(output, remembered, selection=selection))
    return Gradients(sweep.all_gradients(), sweep.pulled)


class _Remembering(Sweep):
    """The engine's sweep, which reuses the contributions of the last one, unless it has to look at a selection."""

    def __init__(self, output: Tensor, remembered: Remembered, *, selection: Selection | None) -> None:
        super().__init__({output: seed(output, None)}, selection=selection)
        self.remembered: Remembered = remembered
        self.pulled: Remembered = {}

    def pull(self, node: Node, g: Any, form: Any) -> Iterator[tuple[int, Any]]:
        """Pull g back through one operation, or reuse its contributions."""
        if self.selection is not None:
            return super().pull(node, g, form)
        known = self.remembered.get(node)
        if known is None or not same(known.gradient, g):
            known = Pulled(g, list(super().pull(node, g, form)))
        self.pulled[node] = known
        return iter(known.passed)


def same(a: Any, b: Any) -> bool:
    """Whether two gradients are equal bit for bit, nan and the sign of 0 included."""
    return a is b or np.asarray(a).tobytes() == np.asarray(b).tobytes()


# ----- states -----
@dataclass(frozen=True)
class SessionState:
    """A program with all its values, and the gradients of its output if it has one."""

    program: Program = field(default_factory=Program)
    values: Mapping[str, Any] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    output: str | None = None
    gradients: Gradients = NONE

    def publish(self) -> None:
        """Give every Tensor its name and gradient, and a number by which graphs are sorted."""
        named = set[Tensor]()
        for name, value in self.values.items():
            if isinstance(value, Tensor):
                self._publish(value, name, named)

    def _publish(self, tensor: Tensor, name: str | None, published: set[Tensor]) -> None:
        if tensor in published:
            return
        for operand in tensor.parents:
            self._publish(cast(Tensor, operand), None, published)
        published.add(tensor)
        if not is_written_over(tensor):
            tensor._number = tensor._assigned = next_number()
        tensor.name, g = name, self.gradients.of.get(tensor)
        tensor._grad = g if g is None or tensor.op is not None else g.copy()


def computed(program: Program, before: SessionState, limits: Limits) -> SessionState:
    """The state of a program; what it has in common with the previous state is not recomputed.

    Raises ExpressionError and SessionError, which leave the previous state unchanged.
    """
    values, results = evaluate_all(program.statements, Memory(before.results), limits)
    output = program.output or default_output(values)
    if output is None:
        return SessionState(program, values, results)
    gradients = gradients_of(differentiable(output, values[output]), before.gradients.remembered)
    return SessionState(program, values, results, output, gradients)


def default_output(values: Mapping[str, Any]) -> str | None:
    """The name of the last single number that was computed from variables."""
    numbers = [name for name, value in values.items() if is_number(value) and value.op is not None]
    return numbers[-1] if numbers else None


def is_number(value: Any) -> bool:
    """Whether a value is a single number that depends on a variable."""
    return isinstance(value, Tensor) and value.requires_grad and value.size == 1


def differentiable(name: str, value: Any) -> Tensor:
    """The value, if it has gradients; raises SessionError otherwise."""
    if isinstance(value, Tensor) and value.requires_grad and value.size != 1:
        raise SessionError(f"{name} has shape {value.shape}, and gradients need a single number; take its sum or mean")
    if not is_number(value):
        raise SessionError(f"{name} depends on no variable, so it has no gradients")
    return value


# ----- states as tables -----


HEADINGS = ("name", "is", "shape", "value", "gradient")
LONGEST_NAME, LONGEST_FORMULA, NARROWEST = 24, 40, 4


def table(state: SessionState, names: Collection[str] | None = None, width: int | None = None) -> str:
    """A row for each statement, or for some names; "—" where the output does not depend on a variable.

    With a width, formulas, and other columns if necessary, are shortened to fit it.
    """
    wanted = [each for each in state.program.statements if names is None or each.name in names]
    rows = [HEADINGS, *(_line(state, each) for each in wanted)]
    return aligned(rows if width is None else fitted(rows, width))


def fitted(rows: Sequence[tuple[str, ...]], width: int) -> list[list[str]]:
    """The rows with their longest cells shortened, until a line fits a width.

    >>> fitted([("name", "is"), ("J", "sum(tanh(W @ x))")], 14)
    [['name', 'is'], ['J', 'sum(tan…']]
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return [[clean(word, room) for word, room in zip(row, widths, strict=True)] for row in rows]


def _line(state: SessionState, statement: Statement) -> tuple[str, ...]:
    name, value = statement.name, state.values[statement.name]
    if is_array(value):
        shape, summary = str(np.shape(value_of(value))), summarise(value_of(value)).text
    else:  # a list of results, or a tuple of numbers such as a shape
        shape, summary = "", f"{len(value)} results" if isinstance(value, list) else str(value)
    return clean(name, LONGEST_NAME), _origin(statement), shape, summary, _gradient(state, value)


def _origin(statement: Statement) -> str:
    if statement.kind != "formula":
        return statement.kind
    return clean(ast.unparse(statement.tree) if "\n" in statement.text else statement.text, LONGEST_FORMULA)


def is_array(value: Any) -> bool:
    """Whether a value is a number or an array."""
    return isinstance(value, Tensor | np.ndarray | np.generic | int | float)


def _gradient(state: SessionState, value: Any) -> str:
    if not isinstance(value, Tensor) or not value.requires_grad:
        return ""
    g = state.gradients.of.get(value)
    return "—" if g is None else summarise(g).text

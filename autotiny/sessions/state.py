"""The evaluated state of a session: values, gradients, and the results that the next evaluation can reuse."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import numpy as np

from autotiny.engine.backward import Sweep, seed, swept
from autotiny.engine.mutation import checked_order, is_written_over
from autotiny.engine.node import made_by, next_number
from autotiny.engine.tensor import Tensor
from autotiny.language.limits import Limits
from autotiny.sessions.memory import Memory, Result, evaluate_all
from autotiny.sessions.program import Program, SessionError


# ----- gradients: an operation that receives the same gradient as last time passes on the same contributions -----
class Pulled(NamedTuple):
    """The contributions that one gradient gives when it is pulled back through one operation."""

    gradient: Any
    passed: list[tuple[Tensor, Any]]


Remembered = dict[Any, Pulled]
"""By the node, whether the rules of its logarithm were used, and whether the engine was guarding."""


class Gradients(NamedTuple):
    """dJ/dx of every tensor that J depends on, and the contributions to reuse."""

    of: dict[Tensor, Any]
    remembered: Remembered


NONE = Gradients({}, {})


def gradients_of(output: Tensor, remembered: Remembered) -> Gradients:
    """The gradients of a recorded number; no `.grad` is changed.

    >>> x = Tensor(3.0)
    >>> float(gradients_of(x * x, {}).of[x])
    6.0
    """
    sweep = swept(checked_order(output), lambda guard: _Remembering(output, guard, remembered))
    return Gradients(sweep.grads, sweep.pulled)


class _Remembering(Sweep):
    """The engine's sweep, which leaves out what it did last time."""

    def __init__(self, output: Tensor, guard: bool, remembered: Remembered) -> None:
        super().__init__({output: seed(output, None)}, None, record=False, guard=guard)
        self.remembered: Remembered = remembered
        self.pulled: Remembered = {}
        self.passed: list[tuple[Tensor, Any]] = []

    def pull(self, node: Tensor, rules: Any, g: Any) -> None:
        """Pull g back through one operation, or remember what that gave."""
        key = node, rules is made_by(node).rules, self.guard
        known = self.remembered.get(key)
        if known is None or not same(known.gradient, g):
            known = Pulled(g, [])
            self.passed = known.passed
            self.pull_each(node, rules, g)
        else:
            for arg, c in known.passed:
                self.add(arg, c)
        self.pulled[key] = known

    def receive(self, node: Tensor, arg: Tensor, g: Any, c: Any) -> None:
        """Add the contribution c of one operation to an argument's gradient, and keep it."""
        before = self.grads.pop(arg, None)
        super().receive(node, arg, g, c)
        c = self.grads.pop(arg)
        if before is not None:
            self.grads[arg] = before
        self.passed.append((arg, c))
        self.add(arg, c)

    def add(self, arg: Tensor, c: Any) -> None:
        """Add a contribution to an argument's gradient."""
        self.grads[arg] = self.grads[arg] + c if arg in self.grads else c


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

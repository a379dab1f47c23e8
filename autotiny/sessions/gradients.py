"""Gradients that remember: an operation at which the same gradient arrives as last time passes on the same again."""

from typing import Any, NamedTuple

import numpy as np

from autotiny.backprop import Sweep, seed, swept
from autotiny.node import made_by
from autotiny.stale import checked_order
from autotiny.tensor import Tensor


class Pulled(NamedTuple):
    """What came out of pulling one gradient back through one operation."""

    gradient: Any
    passed: list[tuple[Tensor, Any]]


Remembered = dict[Any, Pulled]
"""By the operation, whether its logarithm was meant, and whether the engine was on guard."""


class Gradients(NamedTuple):
    """dJ/dx of every tensor that leads to J, and what is worth remembering."""

    of: dict[Tensor, Any]
    remembered: Remembered


NONE = Gradients({}, {})


def gradients_of(output: Tensor, remembered: Remembered) -> Gradients:
    """The gradients of a recorded number; nothing is published to `.grad`.

    >>> x = Tensor(3.0)
    >>> float(gradients_of(x * x, {}).of[x])
    6.0
    """
    found = swept(checked_order(output), lambda guard: _Remembering(output, guard, remembered))
    return Gradients(found.grads, found.pulled)


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
    """Whether two gradients are equal, nan and the sign of 0 included."""
    return a is b or np.asarray(a).tobytes() == np.asarray(b).tobytes()

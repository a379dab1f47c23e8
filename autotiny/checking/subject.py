"""What is compared: a recorded number, and the tensors whose gradients are in question."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.backprop import seed, sweep
from autotiny.checking.conditioning import moved_gradients
from autotiny.stale import checked_order
from autotiny.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Subject:
    """The sum of weights * output, and tensors of its graph by their names.

    `weights`, 1 for a number, stand in for the gradient that arrives at the output. `called` names the whole graph.
    """

    output: Tensor
    names: Mapping[Tensor, str]
    weights: Any = None
    called: Mapping[Tensor, str] | None = None

    @cached_property
    def seed(self) -> Any:
        """The gradient that arrives at the output."""
        return seed(self.output, self.weights)

    def gradients(self) -> dict[Tensor, Any]:
        """Autograd's gradients; nobody's `.grad` is touched."""
        found = sweep(checked_order(self.output), {self.output: self.seed}, list(self.names))
        return {x: np.asarray(found[x]) if x in found else np.zeros(x.shape, x.dtype) for x in self.names}

    def moved(self) -> dict[Tensor, list[Any]]:
        """The same gradients after rounding errors."""
        return moved_gradients(self.output, list(self.names), self.seed)

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name."""
        return next(x for x, known in self.names.items() if known == name)

"""What is compared: a recorded number, and the tensors whose gradients are in question."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.checking.conditioning import moved_gradients
from autotiny.engine import call_site, graph, messages
from autotiny.engine.gradients import seed, sweep
from autotiny.engine.mutation import verified_order
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError, UnsupportedError

# ----- finder -----
# The tensors of a graph by the names that users call them.


class UnknownTensorError(AutotinyError, LookupError):
    """A name or a tensor that the graph of the loss does not have."""


class Finder:
    """Looks up tensors that lead to a loss, in the words of whoever called compare."""

    def __init__(self, loss: Tensor) -> None:
        self.scope = call_site.caller_scope()
        self.names = graph.names(graph.topological_order(loss), self.scope)

    def find(self, key: Tensor | str) -> Tensor:
        """The tensor of a key; raises UnknownTensorError, or UnsupportedError for what has no gradient."""
        tensor = self._named(key) if isinstance(key, str) else key
        if not isinstance(tensor, Tensor):
            raise UnsupportedError(f"compare: expected a Tensor or its name as key; got {type(key).__name__}")
        if tensor not in self.names:
            label = messages.label(tensor, self.scope)
            raise UnknownTensorError(f"compare: {label} does not lead to the loss; was it computed anew since?")
        if not tensor.requires_grad:
            name = self.names[tensor]
            raise UnsupportedError(f"compare: {name} is data and has no gradient; make it with requires_grad=True")
        return tensor

    def _named(self, name: str) -> Any:
        for tensor, known in self.names.items():
            if known == name:
                return tensor
        held = self.scope.get(name)
        if isinstance(held, Tensor):
            return held
        if isinstance(held, np.ndarray):
            raise UnsupportedError(
                f"compare: {name} is a plain array, a constant; make it an at.Tensor for its gradient"
            )
        raise UnknownTensorError(f"compare: no tensor named {name!r} leads to the loss; {self._known(name)}")

    def _known(self, name: str) -> str:
        named = [known for tensor, known in self.names.items() if tensor.requires_grad and self._is_given(tensor)]
        close = difflib.get_close_matches(name, named, n=1)
        return f"it has {', '.join(named)}" + (f"; did you mean {close[0]}?" if close else "")

    def _is_given(self, tensor: Tensor) -> bool:
        return bool(tensor.name or call_site.variable_name(tensor, self.scope))


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
        found = sweep(verified_order(self.output), {self.output: self.seed}, list(self.names))
        return {x: np.asarray(found[x]) if x in found else np.zeros(x.shape, x.dtype) for x in self.names}

    @cached_property
    def names_of_all(self) -> Mapping[Tensor, str]:
        """Every tensor of the graph by its name."""
        return self.called or graph.names(
            graph.topological_order(self.output), {name: x for x, name in self.names.items()}
        )

    def moved_gradients(self) -> dict[Tensor, list[Any]]:
        """The same gradients after rounding errors."""
        return moved_gradients(self.output, list(self.names), self.seed)

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name."""
        return next(x for x, known in self.names.items() if known == name)

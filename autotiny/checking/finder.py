"""The tensors of a graph by the names that users call them."""

import difflib
from typing import Any

import numpy as np

from autotiny import describe, graph
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.tensor import Tensor


class UnknownTensorError(AutotinyError, LookupError):
    """A name or a tensor that the graph of the loss does not have."""


class Finder:
    """Looks up tensors that lead to a loss, in the words of whoever called compare."""

    def __init__(self, loss: Tensor) -> None:
        self.scope = graph.caller_scope()
        self.names = graph.names(graph.topological_order(loss), self.scope)

    def find(self, key: Tensor | str) -> Tensor:
        """The tensor of a key; raises UnknownTensorError, or UnsupportedError for what has no gradient."""
        tensor = self._named(key) if isinstance(key, str) else key
        if not isinstance(tensor, Tensor):
            raise UnsupportedError(f"compare: expected a Tensor or its name as key; got {type(key).__name__}")
        if tensor not in self.names:
            label = describe.label(tensor, self.scope)
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
        return bool(tensor.name or describe.variable_name(tensor, self.scope))

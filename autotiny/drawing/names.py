"""The names of the values of a graph, and the operations that made them, as they were typed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.engine import graph
from autotiny.engine.call_site import variable_name
from autotiny.engine.tensor import Tensor
from autotiny.notation.numbers import short_number
from autotiny.notation.text import clean
from autotiny.ops.code import typed

LONGEST_NAME, LONGEST_FORMULA = 24, 40


class Names:
    """The names of a graph's tensors: their own, else those of the caller's variables, else short ones."""

    def __init__(
        self, order: Sequence[Tensor], scope: Mapping[str, Any], called: Mapping[Tensor, str] | None = None
    ) -> None:
        self.called = called or {}
        self.tensors = {**graph.names(order, scope), **self.called}
        self.variables = {id(value) for name, value in scope.items() if not name.startswith("_")}
        self.scope = scope

    def given(self, value: Any) -> str | None:
        """The user's own name for a value, if there is one."""
        if isinstance(value, Tensor) and value in self.called:
            return self.called[value]
        return getattr(value, "name", None) or (
            variable_name(value, self.scope) if id(value) in self.variables else None
        )

    def label(self, value: Any) -> str:
        """The user's name or a short one; a number stands for itself."""
        if isinstance(value, Tensor):
            return self.tensors[value]
        if np.size(value) == 1:
            return short_number(np.asarray(value).item())
        return self.given(value) or self._transposed(value) or _kind(value)

    def _transposed(self, value: Any) -> str | None:
        whole = getattr(value, "base", None)
        name = None if whole is None or value.ndim < 2 or value.shape != whole.shape[::-1] else self.given(whole)
        return name and f"{name}.T"

    def short(self, value: Any) -> str:
        """The label, cut short and harmless in a picture."""
        return clean(self.label(value), LONGEST_NAME)

    def formula(self, tensor: Tensor) -> str:
        """The operation that made a tensor, its operands by name: "W1 @ X", "sum(A, axis=0)", "T[0, :]"."""
        return clean(self._formula(tensor), LONGEST_FORMULA)

    def _formula(self, tensor: Tensor) -> str:
        assert tensor.op is not None
        return typed(tensor.op, [self.label(arg) for arg in tensor.args], tensor.kwargs, tensor.ndim)


def _kind(value: Any) -> str:
    return "mask" if np.asarray(value).dtype.kind == "b" else "array"

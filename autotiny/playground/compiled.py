"""The NumPy program that a page's program compiles to, its gradients included."""

from collections.abc import Mapping
from typing import Any

import autotiny as at
from autotiny import graph
from autotiny.tensor import Tensor

Values = Mapping[str, Any]


def source(loss: Tensor, leaves: Mapping[str, Tensor]) -> str:
    """The text of the program that computes a recorded number, and its gradients by those leaves that are tracked."""
    order = dict.fromkeys(graph.topological_order(loss))
    used = {name: leaf for name, leaf in leaves.items() if leaf in order}

    def replayed(variables: Values, data: Values) -> Any:
        values = graph.replay(order, {used[name]: value for name, value in {**data, **variables}.items()})
        for tensor, value in values.items():
            if isinstance(value, Tensor):
                value.name = tensor.name  # which the program's variables then have
        return values[loss]

    step = at.compile(at.value_and_grad(replayed))
    step(*({n: leaf.data for n, leaf in used.items() if leaf.requires_grad is tracked} for tracked in (True, False)))
    return step.source

"""Units that a ReLU has switched off."""

from typing import Any

import numpy as np

from autotiny.ops import OPS
from autotiny.ops.activations import relu
from autotiny.recording import value_of
from autotiny.tensor import Tensor

RECTIFIERS = (OPS[relu], OPS[np.maximum].beside_constant)


def dead_units(tensor: Tensor) -> str:
    """ "2 of 5 units dead", where a ReLU gives 0 for every example: no gradient comes through; else "".

    The examples are columns, as in the textbook's Z = W X + b, or rows where the weights stand on the right.

    >>> Z = Tensor([[1.0, 2.0], [-1.0, -2.0]])
    >>> dead_units(np.maximum(Z, 0))
    '1 of 2 units dead'
    """
    if tensor.op not in RECTIFIERS or not _clips_at_zero(tensor):
        return ""
    active: Any = np.asarray(value_of(tensor)) > 0
    if active.ndim > 1:
        examples = tuple(range(active.ndim - 1)) if _weights_on_the_right(tensor) else tuple(range(1, active.ndim))
        active = active.any(axis=examples)
    dead = active.size - np.count_nonzero(active)
    if not dead:
        return ""
    return f"{dead} of {active.size} units dead" if active.size > 1 else "dead: no gradient passes"


def _clips_at_zero(tensor: Tensor) -> bool:
    return len(tensor.args) == 1 or any(_is_zero(arg) for arg in tensor.args)


def _is_zero(arg: Any) -> bool:
    return not isinstance(arg, Tensor) and np.size(arg) == 1 and not np.any(arg)


def _weights_on_the_right(tensor: Tensor) -> bool:
    """Whether the product that led here was X @ W."""
    node: Any = tensor
    while isinstance(node, Tensor) and node.op is not None and node.op.name != "matmul":
        node = next((arg for arg in node.args if isinstance(arg, Tensor) and arg.op is not None), None)
    return isinstance(node, Tensor) and node.op is not None and _is_parameter(node.args[1])


def _is_parameter(arg: Any) -> bool:
    return isinstance(arg, Tensor) and arg.op is None and arg.requires_grad

"""The two-layer network: recorded on a batch, and compared with the textbook's gradients."""

import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import autotiny as at
from autotiny.checking import Report, Row, closed_form
from autotiny.engine.tensor import Tensor
from autotiny.nn.datasets import Array


def forward(X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> dict[str, Any]:
    """Compute the textbook's forward pass in plain NumPy, with softmax in full, in the notation of `closed_form`."""
    m = X.shape[1]

    Z1 = W1 @ X + b1
    A1 = np.maximum(0, Z1)
    Z2 = W2 @ A1 + b2
    E = np.exp(Z2)
    A2 = E / np.sum(E, axis=0)
    J = -(1 / m) * np.sum(Y * np.log(A2))

    return {"Z1": Z1, "A1": A1, "Z2": Z2, "E": E, "A2": A2, "J": J}


def equations() -> str:
    """Return the source lines of `forward` that hold its equations.

    >>> print(equations().splitlines()[0])
    Z1 = W1 @ X + b1
    """
    return textwrap.dedent(inspect.getsource(forward).split("\n\n")[1])


@dataclass(frozen=True)
class Check:
    """A comparison of autograd with the closed form, and the recorded tensors by name."""

    tensors: Mapping[str, Tensor]
    report: Report

    @property
    def worst(self) -> Row:
        """The gradient with the largest error."""
        return max(self.report.rows, key=lambda row: row.error)

    @property
    def dZ2(self) -> Array:  # noqa: N802 - the textbook's name
        """The textbook's dZ2 = m dJ/dZ2, from autograd's gradient."""
        Z2 = self.tensors["Z2"]
        return Z2.shape[1] * Z2.grad


def check(X: Array, Y: Array, parameters: Mapping[str, Array]) -> Check:
    """Record the network on the columns of X, run backward, and compare six gradients with the closed form.

    X (n_x, m), Y (n_y, m) one-hot; `parameters` holds W1, b1, W2 and b2.
    """
    data = {"X": Tensor(X, requires_grad=False), "Y": Tensor(Y, requires_grad=False)}
    leaves = data | {name: Tensor(value) for name, value in parameters.items()}
    tensors = leaves | forward(**leaves)
    for name, tensor in tensors.items():
        tensor.name = name
    tensors["J"].backward()
    stated = closed_form.gradients(closed_form.two_layer(X, Y, **parameters))
    return Check(tensors, at.compare(tensors["J"], stated))

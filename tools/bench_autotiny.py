"""The same work in autotiny, as its users write it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import autotiny as at
from bench_timing import Side
from bench_works import Chain, ScalarNetwork, TwoLayer, recorded_chain, recorded_scalars


def from_logits(Z2: at.Tensor, Y: at.Tensor) -> Any:
    """J by the function that is made for it."""
    return at.cross_entropy(Z2, Y)


def from_softmax(Z2: at.Tensor, Y: at.Tensor) -> Any:
    """J = -(1/m) sum(Y * log A2), as in the textbook."""
    A2 = at.softmax(Z2, axis=0)
    return -np.sum(Y * np.log(A2)) / Y.shape[1]


def two_layer(net: TwoLayer, cost: Callable[[at.Tensor, at.Tensor], Any]) -> Side:
    """Record, go back, descend."""
    parameters: list[Any] = [at.Tensor(p) for p in net.parameters()]
    W1, b1, W2, b2 = parameters
    X, Y = (at.Tensor(a, requires_grad=False) for a in net.data)
    J: Any = None

    def step() -> None:
        nonlocal J
        Z1 = W1 @ X + b1
        A1 = at.relu(Z1)
        Z2 = W2 @ A1 + b2
        J = cost(Z2, Y)
        for p in parameters:
            p.grad = None
        J.backward()
        for p in parameters:
            p.data = p.data - net.lr * p.grad

    return Side(step, lambda: [v.data for v in (J, *parameters)])


def chain(chain: Chain) -> Side:
    """One leaf, one backward."""
    return recorded_chain(at.Tensor(chain.x), partial(chain.y, np))


def scalars(net: ScalarNetwork) -> Side:
    """Every number a Tensor."""
    return recorded_scalars(net, at.Tensor, at.relu)

"""The same work in autotiny, as its users write it."""

from collections.abc import Callable
from typing import Any

import numpy as np

import autotiny as at
from bench_timing import Side
from bench_works import Chain, ScalarNetwork, TwoLayer, recorded_scalars


def from_logits(Z2: at.Tensor, Y: at.Tensor) -> at.Tensor:
    """J by the function that is made for it."""
    return at.cross_entropy(Z2, Y)


def from_softmax(Z2: at.Tensor, Y: at.Tensor) -> at.Tensor:
    """J = -(1/m) sum(Y * log A2), as in the textbook."""
    A2 = at.softmax(Z2, axis=0)
    return -np.sum(Y * np.log(A2)) / Y.shape[1]


def two_layer(net: TwoLayer, cost: Callable[[at.Tensor, at.Tensor], at.Tensor]) -> Side:
    """Record, go back, descend."""
    W1, b1, W2, b2 = parameters = [at.Tensor(p) for p in net.parameters()]
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
    x, y = at.Tensor(chain.x), at.Tensor(np.inf)

    def step() -> None:
        nonlocal y
        y = chain.y(np, x)
        x.grad = None
        y.backward()

    return Side(step, lambda: [y.data, x.grad])


def scalars(net: ScalarNetwork) -> Side:
    """Every number a Tensor."""
    return recorded_scalars(net, at.Tensor, at.relu)

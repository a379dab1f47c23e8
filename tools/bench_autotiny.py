"""The same work in autotiny, as its users write it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import autotiny as at
from bench_peers import flat_gradient
from bench_timing import Side
from bench_works import Chain, ScalarNetwork, TwoLayer, recorded_chain, recorded_scalars


def from_logits(Z2: at.Tensor, Y: at.Tensor) -> Any:
    """Compute J by `at.cross_entropy`."""
    return at.cross_entropy(Z2, Y)


def from_softmax(Z2: at.Tensor, Y: at.Tensor) -> Any:
    """Compute J = -(1/m) sum(Y * log A2), as in the textbook."""
    A2 = at.softmax(Z2, axis=0)
    return -np.sum(Y * np.log(A2)) / Y.shape[1]


def from_exponentials(Z2: at.Tensor, Y: at.Tensor) -> Any:
    """Compute J with the softmax written out: only exp, sum, / and log."""
    A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
    return -np.sum(Y * np.log(A2)) / Y.shape[1]


def two_layer(net: TwoLayer, cost: Callable[[at.Tensor, at.Tensor], Any]) -> Side:
    """Record, run backward, update the parameters."""
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


def compiled_two_layer(net: TwoLayer, cost: Callable[[Any, Any], Any]) -> Side:
    """Compile the step as a function of arrays; donated parameters are updated in place."""

    def loss(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
        Z1 = W1 @ X + b1
        A1 = at.relu(Z1)
        Z2 = W2 @ A1 + b2
        return cost(Z2, Y)

    def descend(parameters: Any, X: Any, Y: Any) -> Any:
        J, gradients = at.value_and_grad(loss, (0, 1, 2, 3))(*parameters, X, Y)
        return J, [p - net.lr * dp for p, dp in zip(parameters, gradients, strict=True)]

    compiled, parameters, (X, Y) = at.compile(descend, donate=0), net.parameters(), net.data
    J: Any = None

    def step() -> None:
        nonlocal J, parameters
        J, parameters = compiled(parameters, X, Y)

    return Side(step, lambda: [J, *parameters])


def compiled_chain(chain: Chain, threads: int = 1) -> Side:
    """Compile value and gradient of the chain, run in blocks on several threads."""
    return compiled_value_and_grad(partial(chain.y, np), chain.x, list, threads)


def compiled_scalars(net: ScalarNetwork) -> Side:
    """Compile value and gradient of a function of nested lists of numbers."""
    return compiled_value_and_grad(lambda layers: net.loss(layers, at.relu), net.neurons(float), flat_gradient)


def compiled_value_and_grad(f: Callable[[Any], Any], x: Any, numbers: Callable[..., Any], threads: int = 1) -> Side:
    """Compile value and gradient of f at x."""
    compiled = at.compile(at.value_and_grad(f), threads=threads)
    result: Any = None

    def step() -> None:
        nonlocal result
        result = compiled(x)

    return Side(step, lambda: numbers(*result) if numbers is flat_gradient else numbers(result))


def chain(chain: Chain) -> Side:
    """Record the chain from one leaf, and run backward."""
    return recorded_chain(at.Tensor(chain.x), partial(chain.y, np))


def scalars(net: ScalarNetwork) -> Side:
    """Record the scalar network, every number a Tensor."""
    return recorded_scalars(net, at.Tensor, at.relu)

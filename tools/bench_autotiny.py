"""The same work in autotiny, as its users write it: eager, and compiled by each back end."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import autotiny as at
import autotiny.compiler  # a first call is timed without imports
from bench_sides import (
    Side,
    called,
    descending,
    descent,
    flat_gradient,
    recorded,
    recorded_scalars,
    value_and_gradients,
)
from bench_works import Chain, Layers, Network, Repeated, ScalarNetwork, logits

Function = Chain | Repeated | Layers


def from_logits(Z: Any, Y: Any) -> Any:
    """Compute J by `at.cross_entropy`."""
    return at.cross_entropy(Z, Y)


def from_softmax(Z: Any, Y: Any) -> Any:
    """Compute J = -(1/m) sum(Y * log A), as in the textbook."""
    A = at.softmax(Z, axis=0)
    return -np.sum(Y * np.log(A)) / Y.shape[1]


def from_exponentials(Z: Any, Y: Any) -> Any:
    """Compute J with the softmax written out: only exp, sum, / and log."""
    A = np.exp(Z) / np.sum(np.exp(Z), axis=0)
    return -np.sum(Y * np.log(A)) / Y.shape[1]


COSTS = {"": from_logits, "log softmax": from_softmax, "written out": from_exponentials}
"""Ways to write the cost."""


def network(net: Network, backend: str = "", cost: str = "") -> Side:
    """Record, run backward, update the parameters; or compile that."""
    return network_compiled(net, COSTS[cost], backend) if backend else network_eager(net, COSTS[cost])


def network_eager(net: Network, cost: Callable[[Any, Any], Any]) -> Side:
    """Record, run backward, update the parameters."""
    parameters: list[Any] = [at.Tensor(p) for p in net.parameters()]
    X, Y = (at.Tensor(a, requires_grad=False) for a in net.data)
    J: Any = None

    def step() -> None:
        nonlocal J
        J = cost(logits(parameters, X, at.relu), Y)
        for p in parameters:
            p.grad = None
        J.backward()
        for p in parameters:
            p.data = p.data - net.lr * p.grad

    return Side(step, lambda: [v.data for v in (J, *parameters)])


def network_compiled(net: Network, cost: Callable[[Any, Any], Any], backend: str) -> Side:
    """Compile the step as a function of arrays; donated parameters are updated in place."""

    def loss(parameters: Any, X: Any, Y: Any) -> Any:
        return cost(logits(parameters, X, at.relu), Y)

    step = at.compile(descent(at.value_and_grad(loss), net.lr), donate=0, backend=backend)
    return descending(net, step, np.asarray)


def function(problem: Function, backend: str = "") -> Side:
    """Record and run backward; or compile value and gradients."""
    if not backend:
        return recorded(partial(problem.y, np), list(map(at.Tensor, problem.data)))
    f = at.value_and_grad(partial(problem.y, np), tuple(range(len(problem.data))))
    return called(at.compile(f, backend=backend), problem.data, value_and_gradients)


def scalars(net: ScalarNetwork, backend: str = "") -> Side:
    """Record the scalar network, every number a Tensor; or compile it as a function of nested lists of numbers."""
    if not backend:
        return recorded_scalars(net, at.Tensor, at.relu)
    f = at.value_and_grad(lambda layers: net.loss(layers, at.relu))
    return called(at.compile(f, backend=backend), [net.neurons(float)], flat_gradient)


SIDES: Any = {Network: network, Chain: function, Repeated: function, Layers: function, ScalarNetwork: scalars}

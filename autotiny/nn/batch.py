"""What a batch of examples gives: the loss, the logits, the gradient of every parameter; compiled where it can be."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import autotiny as at
from autotiny.errors import AutotinyError
from autotiny.nn.datasets import Array
from autotiny.nn.network import Network
from autotiny.tensor import Tensor

Batch = Callable[[Mapping[str, Array], Array, Array], tuple[Any, Any, dict[str, Any]]]


class BatchStep:
    """J, Z and dJ/dW for each parameter W of a network, on examples X and their one-hot labels Y."""

    def __init__(self, eager: Batch) -> None:
        self.eager, self.compiled = eager, at.compile(eager)
        self.may_compile = True

    def __call__(self, parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[float, Array, dict[str, Array]]:
        """By the compiled program; where there can be none, says so once and records."""
        J, Z, gradients = self.compute(parameters, X, Y)
        return J.item(), Z, gradients

    def compute(self, parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[Any, Any, dict[str, Array]]:
        """The one or the other."""
        if self.may_compile:
            try:
                return self.compiled(parameters, X, Y)
            except AutotinyError as error:
                self.may_compile = False
                warnings.warn(f"training without compiling: {error}", RuntimeWarning, stacklevel=2)
        return self.eager(parameters, X, Y)


_steps: WeakKeyDictionary[Network, BatchStep] = WeakKeyDictionary()


def batch_step(network: Network) -> BatchStep:
    """The network's own, kept with its programs as long as the network is."""
    if network not in _steps:
        forward, names = type(network).forward, network.activations  # not the network: it would keep itself alive

        def gradients(parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[Any, Any, dict[str, Any]]:
            W = {name: Tensor(value, name=name) for name, value in parameters.items()}
            Z = forward(W, names, Tensor(X, requires_grad=False))
            J = at.cross_entropy(Z, Tensor(Y, requires_grad=False))
            J.backward()
            return J, Z, {name: W[name].grad for name in W}

        _steps[network] = BatchStep(gradients)
    return _steps[network]

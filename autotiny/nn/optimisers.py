"""Optimisers, which turn gradients into steps: gradient descent, momentum, Adam."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from autotiny.engine.pytree import flatten, leaves_as, places
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.nn.datasets import Array


@dataclass(eq=False)
class Optimiser(ABC):
    """W := W - step(dW). Running averages live in `state`, by name, so that a checkpoint can hold them."""

    learning_rate: float
    state: dict[str, Array] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a learning rate that is not positive and finite, and averages that do not converge."""
        for name in (each.name for each in fields(self) if each.init):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise AutotinyError(f"{name} is {value!r}; a number is needed")
            value = float(value)  # a NumPy scalar would turn float32 parameters into float64
            setattr(self, name, value)
            if name.startswith("beta") and not 0 <= value < 1:
                raise AutotinyError(f"{name} is {value}; a number of at least 0 and below 1 is needed")
            if not name.startswith("beta") and not 0 < value < np.inf:
                raise AutotinyError(f"{name} is {value}; a number above 0 is needed, such as 0.1")

    def update(self, parameters: Mapping[str, Tensor]) -> None:
        """Take one step for each parameter that has a gradient."""
        if not isinstance(parameters, Mapping) or not all(isinstance(W, Tensor) for W in parameters.values()):
            raise AutotinyError(f"update: expected Tensors by name, such as network.parameters; got {parameters!r:.60}")
        for name, W in parameters.items():
            if W.grad is not None:
                W.data = W.data - self.step(name, W.grad)

    def descended(self, parameters: Any, gradients: Any) -> Any:
        """Return parameters after one step: arrays, or a tree of them, with gradients of its structure.

        >>> GradientDescent(0.5).descended({"W": np.ones(2), "b": [np.array(2.0)]}, {"W": np.ones(2), "b": [3.0]})
        {'W': array([0.5, 0.5]), 'b': [array(0.5)]}
        """
        leaves, rebuild = flatten(parameters)
        steps = zip(
            leaves, leaves_as(gradients, parameters, "descended: the gradients"), places(parameters), strict=True
        )
        return rebuild([np.asarray(W - self.step(place, np.asarray(dW, np.result_type(W)))) for W, dW, place in steps])

    @abstractmethod
    def step(self, name: str, dW: Array) -> Array:
        """Return the amount to subtract from the parameter of this name, whose gradient is dW."""


@dataclass(eq=False)
class GradientDescent(Optimiser):
    """W := W - alpha dW.

    >>> GradientDescent(learning_rate=0.5).step("W1", np.array([2.0, -4.0]))
    array([ 1., -2.])
    """

    learning_rate: float = 0.2

    def step(self, name: str, dW: Array) -> Array:
        """Return alpha dW."""
        return self.learning_rate * dW


@dataclass(eq=False)
class Momentum(Optimiser):
    """v := beta v + dW,  W := W - alpha v.

    Source: B. T. Polyak, Some Methods of Speeding up the Convergence of Iteration Methods, 1964, eq. 9.
    """

    learning_rate: float = 0.02
    beta: float = 0.9

    def step(self, name: str, dW: Array) -> Array:
        """Return alpha v."""
        v = self.state[f"v.{name}"] = self.beta * self.state.get(f"v.{name}", 0.0) + dW
        return self.learning_rate * v


@dataclass(eq=False)
class Adam(Optimiser):
    """m := beta1 m + (1 - beta1) dW,  v := beta2 v + (1 - beta2) dW^2,  W := W - alpha m' / (sqrt(v') + epsilon).

    After t steps m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t), because both start at 0.
    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, algorithm 1, arxiv.org/abs/1412.6980.
    """

    learning_rate: float = 0.003
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def step(self, name: str, dW: Array) -> Array:
        """Return alpha m' / (sqrt(v') + epsilon)."""
        m = self.beta1 * self.state.get(f"m.{name}", 0.0) + (1 - self.beta1) * dW
        v = self.beta2 * self.state.get(f"v.{name}", 0.0) + (1 - self.beta2) * dW**2
        t = float(self.state.get(f"t.{name}", 0.0)) + 1
        self.state.update({f"m.{name}": m, f"v.{name}": v, f"t.{name}": np.array(t)})
        m_hat, v_hat = m / (1 - self.beta1**t), v / (1 - self.beta2**t)
        dW_hat: Array = m_hat / (np.sqrt(v_hat) + self.epsilon)
        return self.learning_rate * dW_hat


OPTIMISERS = {"gradient-descent": GradientDescent, "momentum": Momentum, "adam": Adam}

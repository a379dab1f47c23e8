"""What a training computes of a batch: loss, logits, gradients; of a batch in shards, where these are."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

import autotiny as at
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.nn.datasets import Array, Dataset, Standardisation
from autotiny.nn.network import Network, confusion_matrix
from autotiny.nn.shards import Reader

BatchFunction = Callable[[Mapping[str, Array], Array, Array], tuple[Any, Any, dict[str, Any]]]
Forward = Callable[[Mapping[str, Tensor], Sequence[str], Any], Tensor]


class BatchStep:
    """Computes J, Z and dJ/dW for each parameter W of a network, from examples X and their one-hot labels Y."""

    def __init__(self, eager: BatchFunction, backend: str = "numpy") -> None:
        self.eager, self.compiled = eager, at.compile(eager, backend=backend)
        self.may_compile = True

    def __call__(self, parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[float, Array, dict[str, Array]]:
        """Run the compiled program, or record where compiling fails."""
        J, Z, gradients = self.compute(parameters, X, Y)
        return J.item(), Z, gradients

    def compute(self, parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[Any, Any, dict[str, Array]]:
        """Run the compiled program; the first failure to compile warns, and all later batches are recorded."""
        if self.may_compile:
            try:
                return self.compiled(parameters, X, Y)
            except AutotinyError as error:
                self.may_compile = False
                warnings.warn(f"training without compiling: {error}", RuntimeWarning, stacklevel=2)
        return self.eager(parameters, X, Y)


_steps: WeakKeyDictionary[Network, dict[str, BatchStep]] = WeakKeyDictionary()


def batch_step(network: Network, backend: str = "numpy") -> BatchStep:
    """Return the network's batch step, which lives as long as the network."""
    steps = _steps.setdefault(network, {})
    if backend not in steps:  # a reference to the network would keep it alive
        steps[backend] = BatchStep(partial(_gradients, type(network).forward, network.activations), backend)
    return steps[backend]


def _gradients(
    forward: Forward, activations: Sequence[str], parameters: Mapping[str, Array], X: Array, Y: Array
) -> tuple[Any, Any, dict[str, Any]]:
    W = {name: Tensor(value, name=name) for name, value in parameters.items()}
    Z = forward(W, activations, Tensor(X, requires_grad=False))
    J = at.cross_entropy(Z, Tensor(Y, requires_grad=False))
    J.backward()
    return J, Z, {name: W[name].grad for name in W}


# ----- shards -----


@dataclass(frozen=True, eq=False, repr=False)
class Piece:
    """A shard as a network takes it: examples in columns, standardised, and their labels."""

    reader: Reader
    standardisation: Standardisation
    dtype: np.dtype[Any]

    def __repr__(self) -> str:
        """Return what errors call the shard."""
        return repr(self.reader)

    def data_set(self) -> Dataset:
        """Load the shard."""
        data = self.reader()
        return replace(data, X=self.standardisation(data.X).astype(self.dtype, copy=False))

    def __call__(self) -> tuple[Array, Array]:
        """Load the shard, for over_shards."""
        data = self.data_set()
        return data.X, data.labels


def number_of_examples(piece: tuple[Array, Array]) -> int:
    """Return the weight of a piece."""
    return len(piece[1])


def step_on_piece(
    step: BatchStep, n_classes: int, parameters: Mapping[str, Array], X: Array, labels: Array
) -> tuple[float, float, Mapping[str, Array]]:
    """Return the loss, the accuracy and the gradients of a shard."""
    Y = at.one_hot(labels, n_classes).astype(X.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        J, Z, gradients = step(parameters, X, Y)
    return J, accuracy(Z, labels), gradients


def measures_of_piece(
    forward: Forward, activations: Sequence[str], parameters: Mapping[str, Array], X: Array, labels: Array
) -> tuple[float, float]:
    """Return the loss and the accuracy of a shard."""
    with np.errstate(over="ignore", invalid="ignore"):
        Z = logits(forward, activations, parameters, X)
        return at.cross_entropy(Z, labels).item(), accuracy(Z, labels)


def labels_of_piece(
    forward: Forward, activations: Sequence[str], parameters: Mapping[str, Array], X: Array, labels: Array
) -> Array:
    """Return the network's label for each example of a shard."""
    found: Array = np.argmax(logits(forward, activations, parameters, X), axis=0)
    return found


def confusion_of_piece(
    forward: Forward,
    activations: Sequence[str],
    n_classes: int,
    parameters: Mapping[str, Array],
    X: Array,
    labels: Array,
) -> Array:
    """Return how many examples of each class of a shard are taken for each class."""
    return confusion_matrix(labels, labels_of_piece(forward, activations, parameters, X, labels), n_classes)


def logits(forward: Forward, activations: Sequence[str], parameters: Mapping[str, Array], X: Array) -> Tensor:
    """Return the logits of the examples X, without a graph."""
    with at.no_grad():
        return forward({name: Tensor(value, requires_grad=False) for name, value in parameters.items()}, activations, X)


def accuracy(Z: Any, labels: Array) -> float:
    """Return the fraction of examples whose largest logit is that of their class."""
    return float(np.mean(np.argmax(Z, axis=0) == labels))

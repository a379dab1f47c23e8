"""The works that are timed: their data, and the hand-written NumPy that serves as the baseline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bench_timing import Side

Array = np.ndarray


@dataclass(frozen=True)
class TwoLayer:
    """A step of gradient descent on the network n_x - n_h - n_y, with m examples in columns."""

    sizes: tuple[int, int, int]
    m: int
    dtype: type = np.float32
    lr: float = 0.5

    @property
    def tolerance(self) -> float:
        """The tolerance: float32 has some seven digits, and the sides sum in different orders."""
        return 1e-12 if self.dtype is np.float64 else 2e-5

    @cached_property
    def labels(self) -> Array:
        """The class of each example, (m,)."""
        return np.random.default_rng(1).integers(0, self.sizes[-1], self.m)

    @cached_property
    def data(self) -> tuple[Array, Array]:
        """X (n_x, m), its columns of about unit length so that the steps converge, and Y one-hot (n_y, m)."""
        n_x, _, n_y = self.sizes
        X = np.random.default_rng(0).standard_normal((n_x, self.m)) / np.sqrt(n_x)
        return X.astype(self.dtype), np.eye(n_y, dtype=self.dtype)[:, self.labels]

    def parameters(self) -> list[Array]:
        """Return new arrays W1, b1, W2, b2, with the same values each time."""
        rng, (n_x, n_h, n_y) = np.random.default_rng(2), self.sizes
        W1 = rng.standard_normal((n_h, n_x)) * np.sqrt(2 / n_x)
        W2 = rng.standard_normal((n_y, n_h)) * np.sqrt(2 / n_h)
        return [p.astype(self.dtype) for p in (W1, np.zeros((n_h, 1)), W2, np.zeros((n_y, 1)))]


def numpy_two_layer(net: TwoLayer) -> Side:
    """Run the textbook's forward and backward pass, with 1/m where it costs least."""
    (X, Y), m, lr = net.data, net.m, net.lr
    W1, b1, W2, b2 = net.parameters()
    J = np.inf

    def step() -> None:
        nonlocal W1, b1, W2, b2, J
        Z1 = W1 @ X + b1
        A1 = np.maximum(Z1, 0)
        Z2 = W2 @ A1 + b2
        E = np.exp(Z2 - np.max(Z2, axis=0))
        A2 = E / np.sum(E, axis=0)
        J = -np.sum(Y * np.log(A2)) / m
        dZ2 = (A2 - Y) / m
        dW2 = dZ2 @ A1.T
        db2 = np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = W2.T @ dZ2 * (Z1 > 0)
        dW1 = dZ1 @ X.T
        db1 = np.sum(dZ1, axis=1, keepdims=True)
        W1 -= lr * dW1
        b1 -= lr * db1
        W2 -= lr * dW2
        b2 -= lr * db2

    return Side(step, lambda: [J, W1, b1, W2, b2])


@dataclass(frozen=True)
class Chain:
    """Value and gradient of y = sum(log(1 + exp(-x tanh(sqrt(1 + x²))))): nine elementwise operations and a sum."""

    n: int
    tolerance: float = 1e-12

    @cached_property
    def x(self) -> Array:
        """n standard normal numbers."""
        return np.random.default_rng(0).standard_normal(self.n)

    @staticmethod
    def y(np: Any, x: Any) -> Any:
        """Compute the chain, in any library with NumPy's function names."""
        return np.sum(np.log(1 + np.exp(-x * np.tanh(np.sqrt(1 + x * x)))))


def numpy_chain(chain: Chain) -> Side:
    """Run forward and backward by hand, computing nothing twice."""
    x = chain.x
    y, dx = np.inf, x

    def step() -> None:
        nonlocal y, dx
        r = np.sqrt(1 + x * x)
        t = np.tanh(r)
        e = np.exp(-x * t)
        u = 1 + e
        y = np.sum(np.log(u))
        dz = e / u
        dr = dz * x * (1 - t * t)
        dx = -dz * t - dr * x / r

    return Side(step, lambda: [y, dx])


def recorded_chain(x: Any, f: Callable[[Any], Any]) -> Side:
    """Run the chain in any engine whose arrays have `.data`, `.grad` and `.backward()`."""
    y: Any = None

    def step() -> None:
        nonlocal y
        y = f(x)
        x.grad = None
        y.backward()

    return Side(step, lambda: [np.asarray(y.data), np.asarray(x.grad)])


Neuron = tuple[Sequence[Any], Any]


@dataclass(frozen=True)
class ScalarNetwork:
    """Loss and gradient for one example, every number a separate node, as in micrograd's demo: ReLU layers, hinge."""

    sizes: tuple[int, ...]
    label: float = -1.0
    tolerance: float = 1e-12

    @cached_property
    def x(self) -> list[float]:
        """The example."""
        return list(np.random.default_rng(0).standard_normal(self.sizes[0]).tolist())

    @cached_property
    def parameters(self) -> list[tuple[Array, Array]]:
        """W (n_out, n_in) and b (n_out,) of each layer."""
        rng = np.random.default_rng(1)
        shapes = zip(self.sizes[1:], self.sizes, strict=False)
        return [(rng.uniform(-1, 1, shape) / 2, rng.uniform(-1, 1, shape[0]) / 2) for shape in shapes]

    def neurons(self, leaf: Callable[[float], Any]) -> list[list[Neuron]]:
        """Return the parameters as leaves: a list of layers, each a list of neurons, each its weights and its bias."""
        return [
            [([leaf(w) for w in row], leaf(bias)) for row, bias in zip(W.tolist(), b.tolist(), strict=True)]
            for W, b in self.parameters
        ]

    def loss(self, layers: Sequence[Sequence[Neuron]], relu: Callable[[Any], Any]) -> Any:
        """Compute the hinge loss of the network's score."""
        x, (*hidden, output) = self.x, layers
        for layer in hidden:
            x = [relu(weighted_sum(neuron, x)) for neuron in layer]
        return relu(1 - self.label * weighted_sum(output[0], x))


def weighted_sum(neuron: Neuron, x: Sequence[Any]) -> Any:
    """Σ wᵢ xᵢ + b"""
    weights, bias = neuron
    return sum((w * xi for w, xi in zip(weights, x, strict=True)), bias)


def numpy_scalars(net: ScalarNetwork) -> Side:
    """Run the same network on vectors, by hand: the reference for numbers; the baseline for time is micrograd."""
    x, y, ((W1, b1), (W2, b2), (W3, b3)) = np.array(net.x), net.label, net.parameters
    loss, gradient = np.inf, np.zeros(0)

    def step() -> None:
        nonlocal loss, gradient
        z1 = W1 @ x + b1
        a1 = np.maximum(z1, 0)
        z2 = W2 @ a1 + b2
        a2 = np.maximum(z2, 0)
        margin = 1 - y * (W3 @ a2 + b3)
        loss = np.maximum(margin, 0)[0]
        dz3 = -y * (margin > 0)
        dz2 = W3.T @ dz3 * (z2 > 0)
        dz1 = W2.T @ dz2 * (z1 > 0)
        layers = [(dz1, x), (dz2, a1), (dz3, a2)]
        gradient = np.concatenate([np.column_stack([np.outer(dz, a), dz]).ravel() for dz, a in layers])

    return Side(step, lambda: [loss, gradient])


def recorded_scalars(
    net: ScalarNetwork, leaf: Callable[[float], Any], relu: Callable[[Any], Any], no_gradient: object = None
) -> Side:
    """Run the scalar network in any engine whose numbers have `.data`, `.grad` and `.backward()`."""
    layers = net.neurons(leaf)
    parameters = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]
    loss: Any = None

    def step() -> None:
        nonlocal loss
        loss = net.loss(layers, relu)
        for p in parameters:
            p.grad = no_gradient
        loss.backward()

    return Side(step, lambda: [float(loss.data), [float(p.grad) for p in parameters]])

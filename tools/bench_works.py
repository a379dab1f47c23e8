"""The works that are timed: what is computed, and on which data."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

Array = np.ndarray
MANY_RELUS = 2**18


@dataclass(frozen=True)
class Network:
    """A step of gradient descent on ReLU layers with softmax and cross-entropy, m examples in columns.

    Zl = Wl A(l-1) + bl    Al = max(Zl, 0)    J = -(1/m) sum(Y * log softmax(ZL))    Wl -= lr dJ/dWl
    """

    kind: ClassVar[str] = "step"
    sizes: tuple[int, ...]
    m: int
    dtype: type = np.float32
    lr: float = 0.5

    @property
    def tolerance(self) -> float:
        """The tolerance: float32 has some seven digits, and engines sum in different orders.

        Among many ReLUs there is one whose input rounds to the other side of 0, which is an example more or less in a
        gradient.
        """
        if self.dtype is np.float64:
            return 1e-12
        return 2e-5 if sum(self.sizes[1:-1]) * self.m < MANY_RELUS else 4 / self.m

    @cached_property
    def labels(self) -> Array:
        """The class of each example, (m,)."""
        return np.random.default_rng(1).integers(0, self.sizes[-1], self.m)

    @cached_property
    def data(self) -> tuple[Array, Array]:
        """X (n_x, m), its columns of about unit length so that the steps converge, and Y one-hot (n_y, m)."""
        n_x, n_y = self.sizes[0], self.sizes[-1]
        X = np.random.default_rng(0).standard_normal((n_x, self.m)) / np.sqrt(n_x)
        return X.astype(self.dtype), np.eye(n_y, dtype=self.dtype)[:, self.labels]

    def parameters(self) -> list[Array]:
        """Return new arrays W1, b1, W2, b2, ..., with the same values each time."""
        rng, parameters = np.random.default_rng(2), list[Array]()
        for n_in, n_out in zip(self.sizes, self.sizes[1:], strict=False):
            W = rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)
            parameters += [W.astype(self.dtype), np.zeros((n_out, 1), self.dtype)]
        return parameters


def logits(parameters: Sequence[Any], X: Any, relu: Callable[[Any], Any]) -> Any:
    """Compute ZL of the network, in any library."""
    A = X
    for W, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        A = relu(W @ A + b)
    W, b = parameters[-2:]
    return W @ A + b


@dataclass(frozen=True)
class Chain:
    """Value and gradient of y = sum(log(1 + exp(-x tanh(sqrt(1 + x²))))): nine elementwise operations and a sum."""

    kind: ClassVar[str] = "function"
    n: int
    tolerance: float = 1e-12

    @cached_property
    def data(self) -> list[Array]:
        """n standard normal numbers."""
        return [np.random.default_rng(0).standard_normal(self.n)]

    @staticmethod
    def y(np: Any, x: Any) -> Any:
        """Compute the chain, in any library with NumPy's function names."""
        return np.sum(np.log(1 + np.exp(-x * np.tanh(np.sqrt(1 + x * x)))))


@dataclass(frozen=True)
class Repeated:
    """Value and gradient of sum(h), where h <- tanh(h + x) is repeated: two operations each time, on 100 entries."""

    kind: ClassVar[str] = "function"
    operations: int
    tolerance: float = 1e-12

    @cached_property
    def data(self) -> list[Array]:
        """A hundred standard normal numbers."""
        return [np.random.default_rng(0).standard_normal(100)]

    def y(self, np: Any, x: Any) -> Any:
        """Compute it, in any library with NumPy's function names."""
        h = x
        for _ in range(self.operations // 2):
            h = np.tanh(h + x)
        return np.sum(h)


@dataclass(frozen=True)
class Layers:
    """Value and gradients of sum(h), where h <- h + tanh(W h + b) / L in L layers of 8 units: five operations each."""

    kind: ClassVar[str] = "function"
    operations: int
    tolerance: float = 1e-10

    @cached_property
    def data(self) -> list[Array]:
        """h (8, 8), then W (8, 8) and b (8, 1) of each layer."""
        rng = np.random.default_rng(0)
        shapes = [(8, 8), *[(8, 8), (8, 1)] * (self.operations // 5)]
        return [rng.standard_normal(shape) for shape in shapes]

    def y(self, np: Any, h: Any, *parameters: Any) -> Any:
        """Compute it, in any library with NumPy's function names."""
        L = len(parameters) // 2
        for W, b in zip(parameters[::2], parameters[1::2], strict=True):
            h = h + np.tanh(W @ h + b) / L
        return np.sum(h)


Neuron = tuple[Sequence[Any], Any]


@dataclass(frozen=True)
class ScalarNetwork:
    """Loss and gradient for one example, every number a separate node, as in micrograd's demo: ReLU layers, hinge."""

    kind: ClassVar[str] = "scalars"
    sizes: tuple[int, ...]
    label: float = -1.0
    tolerance: float = 1e-12

    @cached_property
    def data(self) -> list[float]:
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
        x, (*hidden, output) = self.data, layers
        for layer in hidden:
            x = [relu(weighted_sum(neuron, x)) for neuron in layer]
        return relu(1 - self.label * weighted_sum(output[0], x))


def weighted_sum(neuron: Neuron, x: Sequence[Any]) -> Any:
    """Σ wᵢ xᵢ + b"""
    weights, bias = neuron
    return sum((w * xi for w, xi in zip(weights, x, strict=True)), bias)


Problem = Network | Chain | Repeated | Layers | ScalarNetwork


@dataclass(frozen=True)
class Work:
    """A column of the table, or a point of a growth curve."""

    name: str
    problem: Problem
    to_reach: dict[str, float] = field(default_factory=dict)
    """The ratio to the baseline that an engine is to reach."""
    repetition: float = 2e-3
    """The least duration of a batch, in seconds."""

    @property
    def baseline(self) -> str:
        """The engine whose time is 1."""
        return "micrograd" if self.problem.kind == "scalars" else "NumPy by hand"


def to_reach(eager: float, numpy: float, numba: float) -> dict[str, float]:
    """Return the ratios to reach, by engine."""
    return {"autotiny eager": eager, "autotiny numpy": numpy, "autotiny numba": numba}


WORKS = [
    Work("4-16-3 m=32 float64", Network((4, 16, 3), 32, np.float64), to_reach(1.8, 0.45, 0.10)),
    Work("64-32-10 m=64 float32", Network((64, 32, 10), 64), to_reach(1.7, 0.55, 0.30)),
    Work("784-128-10 m=64 float32", Network((784, 128, 10), 64), to_reach(1.15, 0.85, 0.80)),
    Work("784-128-10 m=256 float32", Network((784, 128, 10), 256), to_reach(1.05, 0.92, 0.87)),
    Work("784-1024-10 m=1024 float32", Network((784, 1024, 10), 1024), to_reach(1.02, 0.95, 0.93)),
    Work("32-64x4-10 m=128 float64", Network((32, 64, 64, 64, 64, 10), 128, np.float64), to_reach(0.9, 0.45, 0.40)),
    Work("chain 10^6 float64", Chain(10**6), to_reach(0.85, 0.35, 0.25)),
    Work("scalars 2-16-16-1", ScalarNetwork((2, 16, 16, 1)), to_reach(0.4, 0.05, 0.01), repetition=0.05),
]


def growth(largest: float) -> Iterator[tuple[str, int, Work]]:
    """Yield each curve's name, the operations or entries of a point, up to the largest, and its work."""
    curves: dict[str, tuple[Callable[[int], Problem], range]] = {
        "operations on 100 entries": (Repeated, range(1, 5)),
        "operations in layers of 8 units": (Layers, range(1, 5)),
        "entries, nine operations": (Chain, range(2, 8)),
    }
    for name, (problem, decades) in curves.items():
        for size in (10**decade for decade in decades):
            if size <= largest:
                yield name, size, Work(f"{size} {name}", problem(size))

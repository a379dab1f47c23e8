"""Measure how often a comparison finds an error, and how often it reports a false one, over random graphs.

    python tools/checking_rates.py [GRAPHS]

The operations, shapes, magnitudes (1e-6 to 1e6), precision and kinks of each graph are random.  The right closed form
is the gradient of the same program run in extended precision.  Then one of its entries, or one operation's rule, is
spoilt.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autotiny as at
from autotiny.engine.tensor import Tensor

PART = 1.0005
"""The factor by which an entry or a rule is spoilt."""


@at.operation(lambda g, y, x: g * y * PART)
def exp_spoilt(x: Any) -> Any:
    """Exponential with a rule that is off by 0.05 %."""
    return np.exp(x)


@at.operation(lambda g, y, x: g * (1 - y * y) * np.where(np.arange(x.size).reshape(x.shape) == 0, PART, 1.0))
def tanh_spoilt(x: Any) -> Any:
    """Hyperbolic tangent with a rule that is off by 0.05 % in one entry."""
    return np.tanh(x)


@at.operation(lambda g, y, x: np.flip(g))
def copy_permuted(x: Any) -> Any:
    """Copy with a rule that permutes the gradient, which leaves its sum unchanged."""
    return np.copy(x)


SMOOTH: list[Callable[[Any], Any]] = [
    np.tanh,
    np.sin,
    at.sigmoid,
    at.softplus,
    np.arctan,
    at.softmax,
    at.log_softmax,
    lambda x: np.cumsum(x, axis=0),
    lambda x: np.exp(np.tanh(x)),
    lambda x: np.sqrt(1 + x * x),
    lambda x: x / (1 + x * x),
    lambda x: np.log(2 + np.cos(x)),
    lambda x: x - np.mean(x),
    lambda x: x * np.sum(np.tanh(x), axis=0, keepdims=True),
    lambda x: x[::-1] * 0.5 + x,
]
KINKED: list[Callable[[Any], Any]] = [
    at.relu,
    np.abs,
    lambda x: np.maximum(x, 0.1 * x),
    lambda x: np.clip(x, -1.0, 1.0),
    lambda x: x - np.max(x, axis=0, keepdims=True),
    lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
]
SPOILT: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "rule off by 0.05 %": (exp_spoilt, np.exp),
    "rule off in one entry": (tanh_spoilt, np.tanh),
    "rule that permutes": (copy_permuted, np.copy),
}
NOTICEABLE = {np.float64: 1e-9, np.float32: 1e-4}
"""The smallest change of a gradient, relative to its largest entry, for a spoilt rule to count."""

ENTRY = {
    "entry off by 0.05 %": lambda value: value * PART,
    "entry of the wrong sign": lambda value: -value,
    "entry forgotten": lambda value: 0 * value,
}


class Graph(NamedTuple):
    """A random program and its input."""

    steps: list[Callable[[Any], Any]]
    weights: Any
    upstream: Any
    x: Any
    scale: float

    def loss(self, dtype: Any, spoilt: Callable[[Any], Any] | None = None) -> tuple[Any, Tensor]:
        """Record the program in a precision, optionally with a spoilt operation in its middle."""
        x = at.Tensor(self.x, dtype=dtype, name="x")
        y: Any = self.weights.astype(dtype) @ (x * dtype(1 / self.scale))
        for number, step in enumerate(self.steps):
            y = step(y)
            if spoilt is not None and number == len(self.steps) // 2:
                y = spoilt(np.tanh(y))
        return np.sum(self.upstream.astype(dtype) * y) * dtype(self.scale), x


def draw(rng: np.random.Generator) -> Graph:
    """Draw a random program of up to six steps."""
    n, m = rng.integers(2, 6, 2)
    kinked = rng.random() < 0.5
    choice = SMOOTH + KINKED if kinked else SMOOTH
    steps = [choice[i] for i in rng.integers(len(choice), size=rng.integers(2, 7))]
    scale = float(np.float32(10.0 ** rng.integers(-6, 7)))
    x = rng.normal(size=(n, m)).astype(np.float32) * np.float32(scale)
    if kinked and rng.random() < 0.5:
        x[:, 0] = 0  # on the kinks, exactly
    weights = rng.normal(size=(n, n)).astype(np.float32)
    return Graph(steps, weights, rng.normal(size=(n, m)).astype(np.float32), x, scale)


def exact(graph: Graph, dtype: Any, step: Callable[[Any], Any] | None = None) -> Any:
    """Compute the gradient in extended precision, and round it."""
    loss, x = graph.loss(np.longdouble, step)
    return np.asarray(at.gradients(loss, [x])[0].data).astype(dtype)


def trial(number: int) -> list[tuple[str, bool]]:
    """Compare one graph with a right and with spoilt gradients: the kind of error, and whether the verdict is right."""
    rng = np.random.default_rng(number)
    graph, dtype = draw(rng), (np.float64, np.float64, np.float32)[number % 3]
    right = exact(graph, dtype)
    loss, x = graph.loss(dtype)
    outcomes = [("no error", at.compare(loss, {x: right}).ok)]
    name = list(ENTRY)[number % len(ENTRY)]
    apart_from_kinks = np.where(graph.x == 0, 0, abs(right))
    large = np.argwhere(apart_from_kinks > 0.05 * abs(right).max())
    if len(large):
        index = tuple(large[rng.integers(len(large))].tolist())
        wrong = right.copy()
        wrong[index] = ENTRY[name](wrong[index])
        row = at.compare(loss, {x: wrong})["x"]
        outcomes.append((name, row.outlier == "analytic" and row.index == index))
    return outcomes + spoilt_rule(graph, dtype, list(SPOILT)[number % len(SPOILT)])


def spoilt_rule(graph: Graph, dtype: Any, name: str) -> list[tuple[str, bool]]:
    """Test whether a spoilt rule is found and blamed; empty if it hardly changes the gradient away from kinks."""
    spoilt, clean = SPOILT[name]
    right = exact(graph, dtype, clean)
    loss, x = graph.loss(dtype, spoilt)
    changed = np.where(graph.x == 0, 0, abs(at.gradients(loss, [x])[0].data - right)).max()
    if not changed > NOTICEABLE[dtype] * abs(right).max():
        return []
    report = at.compare(loss, {}, wrt=[x])
    return [(name, report["x"].outlier == "autograd"), (f"{name}: blamed", report.blame().op == spoilt.__name__)]


def rates(graphs: int, first: int = 0) -> dict[str, tuple[int, int]]:
    """Return, for each kind of error, the number of right verdicts and of trials."""
    correct, tried = Counter[str](), Counter[str]()
    for number in range(first, first + graphs):
        for name, right in trial(number):
            correct[name] += right
            tried[name] += 1
    return {name: (correct[name], tried[name]) for name in tried}


def main() -> None:
    """Print the rates."""
    graphs, start = int(sys.argv[1]) if len(sys.argv) > 1 else 3000, time.perf_counter()
    for name, (right, tried) in sorted(rates(graphs).items()):
        print(f"{name:36} right in {right:5} of {tried:5}  {right / tried:8.3%}")
    print(f"{graphs} graphs in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()

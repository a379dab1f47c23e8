"""Random programs on single numbers: layers, recurrences, sums over data, and operations at random."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autotiny as at

Step = tuple[Any, ...]


class ScalarProgram(NamedTuple):
    """What to compute from a tree of numbers, as a recipe that any arithmetic with NumPy's names can follow."""

    leaves: list[float]
    steps: list[Step]
    shape: int
    """How the leaves are nested."""

    def tree(self, leaves: list[Any]) -> Any:
        """Return the leaves as the nested argument of the program."""
        if self.shape == 0:
            return leaves
        third = len(leaves) // 3
        a, b, c = leaves[:third], leaves[third : 2 * third], leaves[2 * third :]
        return {"a": a, "b": [(x, [x_]) for x, x_ in zip(b[::2], b[1::2], strict=False)] + [b[-1:]], "c": (tuple(c),)}

    def __call__(self, tree: Any, functions: Any = np, relu: Callable[[Any], Any] = at.relu) -> Any:
        """Return the loss, and a few numbers besides."""
        values = list(flat(tree))
        for step in self.steps:
            STEPS[step[0]](functions, relu, values, *step[1:])
        return sum(values[-6:])


def flat(tree: Any) -> Any:
    """Yield the numbers in a tree."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if not isinstance(tree, list | tuple):
        yield tree
        return
    for part in tree:
        yield from flat(part)


def layer(np: Any, relu: Any, values: list[Any], inputs: list[int], weights: list[int], form: int) -> None:
    """Append sums of products of numbers with weights, each through a function."""
    activation = (np.tanh, relu, lambda z: z, lambda z: 1 / (1 + np.exp(-z)))[form]
    x = [values[i] for i in inputs]
    rows = [weights[i : i + len(x)] for i in range(0, len(weights), len(x))]
    values += [activation(sum((values[w] * xi for w, xi in zip(row, x, strict=False)), values[row[0]])) for row in rows]


def recurrence(np: Any, relu: Any, values: list[Any], i: int, j: int, turns: int, form: int) -> None:
    """Append the end of a path that depends on two numbers."""
    x, a = values[i], values[j]
    y = a * 0.5
    for _ in range(turns):
        if form == 0:
            x = x + 0.1 * (a * np.tanh(x) - x * x * 0.3)
        elif form == 1:
            x, y = x * 0.9 + np.sin(y) * a, y * 0.8 - 0.1 * x
        else:
            x = relu(x * 0.7 + 0.2) - a * 0.1
    values.append(x + y)


def fit(np: Any, relu: Any, values: list[Any], i: int, j: int, data: list[float], form: int) -> None:
    """Append a sum of squares over data."""
    a, b = values[i], values[j]
    total = 0.0
    for x in data:
        residual = a * x + b - x * x if form else np.exp(-x * np.tanh(a)) - b
        total = total + residual**2
    values.append(total * (1 / len(data)))


def operation(np: Any, relu: Any, values: list[Any], name: str, i: int, j: int, c: float) -> None:
    """Append one operation on one or two numbers."""
    x, y = values[i], values[j]
    results = {
        "add": lambda: x + y,
        "subtract": lambda: x - y,
        "multiply": lambda: x * y,
        "divide": lambda: x / (1.5 + np.sin(y)),
        "negative": lambda: -x,
        "power": lambda: (1.2 + np.cos(x)) ** c,
        "square": lambda: x**2,
        "tanh": lambda: np.tanh(x),
        "exp": lambda: np.exp(-np.tanh(x)),
        "log": lambda: np.log(2 + np.tanh(x)),
        "sqrt": lambda: np.sqrt(1 + x * x),
        "arctan2": lambda: np.arctan2(x, 1.1 + np.tanh(y)),
        "maximum": lambda: np.maximum(x, y * 0.5 + 0.1),
        "minimum": lambda: np.minimum(x, c),
        "relu": lambda: relu(x),
        "absolute": lambda: np.abs(x),
        "where": lambda: np.where(x > y + 0.05, x * c, y),
        "constant": lambda: x * c + 1.0,
    }
    values.append(results[name]())


NAMES = (
    "add", "subtract", "multiply", "divide", "negative", "power", "square", "tanh", "exp", "log", "sqrt", "arctan2",
    "maximum", "minimum", "relu", "absolute", "where", "constant",
)  # fmt: skip
STEPS: dict[str, Callable[..., None]] = {"layer": layer, "recurrence": recurrence, "fit": fit, "operation": operation}


def random_program(seed: int) -> ScalarProgram:
    """Return a program that is drawn at random."""
    rng = np.random.default_rng(seed)
    leaves = [float(x) for x in np.round(rng.normal(size=int(rng.integers(6, 60))), 3)]
    steps: list[Step] = []
    count = len(leaves)

    def draw(size: int | None = None) -> Any:
        drawn = rng.integers(0, count, size)
        return drawn.tolist() if size else int(drawn)

    for _ in range(int(rng.integers(1, 9))):
        kind = rng.choice(["layer", "recurrence", "fit", "operation", "operation", "operation"])
        if kind == "layer":
            width, height = int(rng.integers(2, 9)), int(rng.integers(1, 9))
            start = int(rng.integers(0, max(1, count - width)))
            inputs = list(range(start, min(start + width, count)))
            weights = [i % count for i in range(int(draw()), int(draw()) + count)][: len(inputs) * height]
            weights = weights if len(weights) >= len(inputs) else draw(len(inputs))
            steps.append(("layer", inputs, weights, int(rng.integers(4))))
            count += -(-len(weights) // len(inputs))
        elif kind == "recurrence":
            steps.append(("recurrence", draw(), draw(), int(rng.integers(1, 40)), int(rng.integers(3))))
            count += 1
        elif kind == "fit":
            data = np.round(rng.normal(size=int(rng.integers(1, 40))), 2).tolist()
            steps.append(("fit", draw(), draw(), data, int(rng.integers(2))))
            count += 1
        else:
            for _ in range(int(rng.integers(1, 12))):
                c = float(rng.choice([2.0, -1.0, 0.5, 3.0, 1.7]))
                steps.append(("operation", str(rng.choice(NAMES)), draw(), draw(), c))
                count += 1
    return ScalarProgram(leaves, steps, int(rng.integers(2)))

"""Programs on single numbers as loops, which numba compiles."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten
from compiler.scalar_programs import random_program

pytest.importorskip("numba")

from autotiny.compiler.loops import kernels, rolling


def as_python(text: str, signatures: Any) -> dict[str, Any]:
    """Load kernels as they are, which takes no time to compile."""
    module: dict[str, Any] = {}
    exec(text.replace("from numba import njit", "def njit(**options): return lambda f: f"), module)
    return {name: module[name] for name in signatures}


def differences(seed: int) -> int:
    """Return how many results of a random program differ from the function's, and from their types."""
    program = random_program(seed)
    f = at.value_and_grad(lambda tree: program(tree))
    step, rng = at.compile(f, backend="numba"), np.random.default_rng(seed)
    count = 0
    for leaves in (program.leaves, rng.normal(size=len(program.leaves)).tolist()):
        tree = program.tree(leaves)
        ours, theirs = flatten(step(tree))[0], flatten(f(tree))[0]
        scale = 1 + max(abs(float(x)) for x in theirs)
        count += sum(type(x) is not type(y) or abs(x - y) > 1e-10 * scale for x, y in zip(ours, theirs, strict=True))
    assert "@njit" in step.source
    return count


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_give_the_results_of_the_function(seed, monkeypatch):
    monkeypatch.setattr(kernels, "load", as_python)
    assert differences(seed) == 0


def test_a_wrong_step_is_found(monkeypatch):
    monkeypatch.setattr(kernels, "load", as_python)
    right = rolling.loop

    def wrong(*args: Any) -> Any:
        made = right(*args)
        return made._replace(steps=(*made.steps[:-1], 0))

    monkeypatch.setattr(rolling, "loop", wrong)
    found = []
    for seed in range(6):
        try:
            found.append(differences(seed) > 0)
        except (KeyError, NameError):  # two results have one place
            found.append(True)
    assert sum(found) > 3


def network(layers: Any) -> Any:
    """Compute a score of two numbers by layers of neurons, each its weights and its bias."""
    x = [0.3, -1.2]
    for layer in layers:
        x = [at.relu(sum((w * xi for w, xi in zip(weights, x, strict=True)), bias)) for weights, bias in layer]
    return x[0] * 3.0


def parameters(rng: np.random.Generator, sizes: tuple[int, ...]) -> Any:
    """Return weights and biases as nested lists of numbers."""
    return [
        [([float(w) for w in rng.normal(size=n)], float(rng.normal())) for _ in range(m)] for n, m in pairwise(sizes)
    ]


def test_layers_of_numbers_are_loops():
    rng = np.random.default_rng(0)
    f = at.value_and_grad(network)
    step = at.compile(f, backend="numba")
    for _ in range(3):
        layers = parameters(rng, (2, 12, 10, 1))
        ours, theirs = step(layers), f(layers)
        assert str(ours) == str(theirs)
        assert [type(x) for x in flatten(ours)[0]] == [type(x) for x in flatten(theirs)[0]]
    assert "total += leaves[13 * i + j + 36] * xi[j]" in step.source
    assert step.source.count("\n") < 80

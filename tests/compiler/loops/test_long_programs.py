"""Programs that are too long for one kernel."""

import re
from typing import Any

import numpy as np
import pytest

import autotiny as at

pytest.importorskip("numba")


def layers(P: Any, X: Any) -> Any:
    A = X
    for W, b in P:
        A = np.tanh(W @ A + b)
    return np.sum(A * A)


@pytest.mark.parametrize(("depth", "most_lines"), [(2, 200), (12, 120)])
def test_kernels_of_a_deep_network_stay_short(depth: int, most_lines: int) -> None:
    rng = np.random.default_rng(depth)
    P = [(rng.normal(size=(3, 3)), rng.normal(size=(3, 1))) for _ in range(depth)]
    X = rng.normal(size=(3, 4))
    step = at.compile(at.value_and_grad(layers), backend="numba")
    value, gradients = step(P, X)
    expected, expected_gradients = at.value_and_grad(layers)(P, X)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for pair, expected_pair in zip(gradients, expected_gradients, strict=True):
        for gradient, like in zip(pair, expected_pair, strict=True):
            np.testing.assert_allclose(gradient, like, rtol=1e-9, atol=1e-12)
    kernels = re.split(r"(?m)^@njit", step.source.split("def step(")[0])[1:]
    assert (len(kernels) == 1) == (depth == 2)
    assert max(len(kernel.splitlines()) for kernel in kernels) <= most_lines


def test_explain_says_what_computes() -> None:
    step = at.compile(lambda A: np.sort(np.tanh(A @ A)) + 1, backend="numba")
    step(np.eye(40))
    assert step.explain().splitlines()[0] == ("back end: numba: 2 kernels, 1 product by BLAS, 2 other calls of NumPy")

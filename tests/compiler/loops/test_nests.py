"""Programs of loops give what the function gives: fused nests, views, products, reductions, NumPy between kernels."""

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError

pytest.importorskip("numba")

RNG = np.random.default_rng(0)


def network(parameters, X, Y):
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = np.maximum(Z1, 0)
    Z2 = parameters["W2"] @ A1 + parameters["b2"]
    A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
    return -np.sum(Y * np.log(A2)) / X.shape[1]


def descend(parameters, X, Y):
    J, gradients = at.value_and_grad(network)(parameters, X, Y)
    return J, {name: p - 0.1 * gradients[name] for name, p in parameters.items()}


def everything(x, w, v):
    """Return results of every kind that a nest may have: those of rows, of columns, of views, and of products."""
    rows = x - np.max(x, axis=1, keepdims=True)
    softmax = np.exp(rows) / np.sum(np.exp(rows), axis=1, keepdims=True)
    columns = x - np.mean(x, axis=0)
    return {
        "softmax": softmax,
        "normalised": columns / np.sqrt(np.mean(columns * columns, axis=0) + 1e-3),
        "turned": x.T,
        "part": np.tanh(x[1:, ::-2]) + 1,
        "product": x @ w,
        "of transposes": w.T @ x.T + 1,
        "batched": (x[None] * v[:, None, None]) @ w,
        "of vectors": v @ v,
        "sorted": np.sort(np.tanh(x), axis=1) * 2,
        "total": np.sum(np.where(x > 0, x, 0.1 * x)),
        "extremes": (np.min(x), np.max(np.abs(x), axis=0)),
        "compared": np.maximum(x, x[:, :1]) * (x > v[0]),
    }


def arguments(dtype):
    return (
        RNG.normal(size=(6, 11)).astype(dtype),
        RNG.normal(size=(11, 5)).astype(dtype),
        RNG.normal(size=3).astype(dtype),
    )


def leaves(tree):
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, tuple) else [tree]


def assert_same(got, expected):
    for a, b in zip(leaves(got), leaves(expected), strict=True):
        assert (type(a), a.dtype, a.shape) == (type(b), b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=0, atol=1e3 * np.finfo(b.dtype).eps)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_results_of_every_kind_are_those_of_the_function(dtype):
    step = at.compile(everything, backend="numba")
    for _ in range(2):
        x, w, v = arguments(dtype)
        assert_same(step(x, w, v), everything(x, w, v))
    x[2, 3] = np.nan
    assert_same(step(np.asfortranarray(x), w[::1], v), everything(x, w, v))


def test_flagship_is_one_kernel_with_the_textbooks_names_and_donated_parameters_are_updated():
    X, Y = RNG.normal(size=(4, 32)), np.eye(3)[:, RNG.integers(0, 3, 32)]
    parameters = {
        "W1": RNG.normal(size=(16, 4)),
        "b1": np.zeros((16, 1)),
        "W2": RNG.normal(size=(3, 16)),
        "b2": np.zeros((3, 1)),
    }
    step = at.compile(descend, backend="numba", donate=0)
    for _ in range(3):
        J, expected = descend(parameters, X, Y)
        J_of_step, updated = step(parameters, X, Y)
        assert all(updated[name] is parameters[name] for name in parameters)
        assert_same((J_of_step, *updated.values()), (J, *expected.values()))
    assert step.source.count("@njit") == 1
    assert all(name in step.source for name in ("A1[i, j] = ", "dZ2[i, j] = ", "A2 = "))


def test_a_donated_array_that_is_read_only_is_refused_and_stays_as_it_is():
    def descend_along(w, x):
        return w - at.grad(lambda w: np.sum(np.log(np.sum(np.exp(w * x)))))(w)

    step, w, x = at.compile(descend_along, backend="numba", donate=0), np.ones(4), np.arange(4.0)
    expected = descend_along(w, x)
    np.testing.assert_allclose(step(w, x), expected)
    w.flags.writeable = False
    with pytest.raises(UnsupportedError, match="the array is read-only"):
        step(w, x)
    np.testing.assert_allclose(w, expected)


def test_long_sums_of_float32_lose_no_more_than_numpys():
    x = RNG.uniform(size=(20000, 10)).astype("float32")
    f = lambda x: (np.sum(np.sqrt(x)), np.sum(np.tanh(x) * x), np.mean(x))
    for got, exact in zip(at.compile(f, backend="numba")(x), f(x.astype("float64")), strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, exact, rtol=3e-7)  # one after the other, they lose 1e-5


def odd_ones(x, half, wide, single):
    """Return results that kernels have no part in, or in which one entry is written in another's line."""
    return {
        "product of one entry": (x[:1, :1] + 2) @ (3 * np.tanh(x[1:2, 1:2]) + 2) + x,
        "view of another type": (half.T, wide[::-1], np.exp(x)),
        "types of branches": np.where(single > 0, np.reciprocal(single), np.where(single < -1, single, -1)),
        "entries in two orders": np.vdot(x[:2].T, x[:2] + 1),
    }


def test_sums_are_factors_and_what_loops_cannot_do_stays_with_numpy():
    x = RNG.normal(size=(3, 3))
    step, args = at.compile(odd_ones, backend="numba"), (x, *map(x.astype, ("float16", "longdouble", "float32")))
    assert_same(step(*args), odd_ones(*args))
    assert "numba failed" not in step.explain()

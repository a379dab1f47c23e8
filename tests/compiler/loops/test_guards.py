"""What a program of loops relies on is looked at before it writes into donated arrays, and another one takes over."""

import numpy as np
import pytest

import autotiny as at

pytest.importorskip("numba")

RNG = np.random.default_rng(0)
TARGETS = np.eye(3)[:, RNG.integers(0, 3, 6)]


def loss(W, X, Y):
    Z = W @ X
    A = np.exp(Z) / np.sum(np.exp(Z), axis=0)
    return -np.sum(Y * np.log(A)) / 6


def descend(W, X, Y):
    J, dW = at.value_and_grad(loss)(W, X, Y)
    return J, W - 0.1 * dW


def exact(W, X, Y):
    """The step with the gradient by hand, in a stable form: dZ = A sum(Y) - Y."""
    Z = W @ X - np.max(W @ X, axis=0)
    A = np.exp(Z) / np.sum(np.exp(Z), axis=0)
    J = -np.sum(Y * (Z - np.log(np.sum(np.exp(Z), axis=0)))) / 6
    return J, W - 0.1 * (A * np.sum(Y, axis=0) - Y) @ X.T / 6


@pytest.fixture
def step():
    """A step with an array that is given up, compiled for targets that are one-hot, and moderate numbers."""
    step = at.compile(descend, backend="numba", donate=0)
    step(RNG.normal(size=(3, 4)), RNG.normal(size=(4, 6)), TARGETS)
    assert "FactError" in step.source
    assert "@njit" in step.source
    return step


OTHERS = {
    "moderate numbers": (1.0, TARGETS),
    "a softmax that overflows": (1e3, TARGETS),
    "targets that sum to 1, and are not one-hot": (1.0, np.full((3, 6), 1 / 3)),
    "targets that sum to 2": (1.0, 2 * TARGETS),
    "targets of any sum, and a softmax that overflows": (1e3, RNG.uniform(size=(3, 6))),
}


@pytest.mark.parametrize("name", OTHERS)
def test_later_values_of_any_kind_give_the_exact_step_in_the_donated_array(step, name):
    scale, Y = OTHERS[name]
    W, X = scale * RNG.normal(size=(3, 4)), RNG.normal(size=(4, 6))
    expected_loss, expected = exact(W, X, Y)
    J, updated = step(W, X, Y)
    assert updated is W
    np.testing.assert_allclose(J, expected_loss, rtol=1e-12)
    np.testing.assert_allclose(W, expected, rtol=1e-12)


def test_a_program_that_stops_leaves_the_donated_array_as_it_is(step, monkeypatch):
    """The next program gets W as the call had it, and nothing has been written into it before."""
    seen = []
    monkeypatch.setattr(step, "general", lambda args, kwargs: seen.append(args[0].copy()))
    for scale, Y in ((1.0, 2 * TARGETS), (np.nan, TARGETS), (1.0, np.where(TARGETS, np.nan, 0))):
        W, X = scale * RNG.normal(size=(3, 4)), RNG.normal(size=(4, 6))
        step(RNG.normal(size=(3, 4)), X, TARGETS)
        before = W.copy()
        step(W, X, Y)
        np.testing.assert_array_equal(seen.pop(), before)
        np.testing.assert_array_equal(W, before)


def test_nan_in_an_argument_is_nan_in_the_results(step):
    W, X = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 6))
    X[1, 2] = np.nan
    with np.errstate(all="ignore"):
        _, expected = descend(W, X, TARGETS)
    J, updated = step(W, X, TARGETS)
    assert np.isnan(J)
    np.testing.assert_array_equal(np.isnan(updated), np.isnan(expected))

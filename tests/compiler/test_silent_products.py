"""BLAS reports no invalid operation: what a product of matrices makes nan is seen in the results."""

import numpy as np
import pytest

import autotiny as at
from autotiny.compiler import build
from autotiny.compiler.program import Executable
from autotiny.compiler.results import keeps_nan

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def squares(W1, b1, W2, X):
    return np.sum((W2 @ np.maximum(W1 @ X + b1, 0)) ** 2)


def probabilities(W1, b1, W2, X):
    return -np.mean(np.log(at.softmax(W2 @ at.relu(W1 @ X + b1), axis=0)[0]))


def alive():
    rng = np.random.default_rng(0)
    return rng.uniform(0.1, 1, (4, 3)), np.zeros((4, 1)), rng.normal(size=(2, 4)), rng.normal(size=(3, 5))


def with_infinity(W1, b1, W2, X, place):
    """An example of infinite entries at which all units of the first layer are dead, or weights behind a dead unit."""
    if place == "example":
        X[0, 0] = -np.inf
    else:
        W1[0] = -np.inf
        X[:] = np.abs(X)
    return W1, b1, W2, X


@pytest.fixture
def silent(monkeypatch):
    """No invalid operation is reported, as BLAS does on threads of its own."""
    monkeypatch.setattr(build, "Executable", lambda source, entry, _, quiet: Executable(source, entry, (), quiet))


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("place", ["example", "weights before"])
@pytest.mark.parametrize("f", [squares, probabilities])
@pytest.mark.parametrize("of", [at.grad, at.value_and_grad])
def test_infinity_that_meets_dead_units_alone_contributes_nothing(of, f, place):
    g = of(f, (0, 1, 2))
    step = at.compile(g)
    step(*alive())
    args = with_infinity(*alive(), place)
    expected, got = g(*args), step(*args)
    expected, got = (x[1] if of is at.value_and_grad else x for x in (expected, got))
    for a, b in zip(got, expected, strict=True):
        assert np.isfinite(b).all()
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.usefixtures("silent")
def test_without_a_look_at_the_results_the_nan_is_handed_out(monkeypatch):
    monkeypatch.setattr(build, "results_of_products", lambda outputs, checked: [])
    step = at.compile(at.value_and_grad(squares, (0, 1, 2)))
    step(*alive())
    assert np.isnan(step(*with_infinity(*alive(), "example"))[1][0]).any()


def test_what_shows_in_the_loss_or_in_another_result_is_not_looked_at_again():
    step = at.compile(at.value_and_grad(squares, (0, 1, 2)))
    step(*alive())
    (line,) = [line for line in step.source.splitlines() if "for flat in" in line]
    assert line.count(".ravel()") == 2, "dW1 and dW2: db1 is of dZ1 alone, which dW1 shows"


@pytest.mark.parametrize(
    ("function", "keeps"), [(np.add, 1), (np.maximum, 1), (np.exp, 1), (np.fmax, 0), (np.greater, 0), (np.hypot, 0)]
)
def test_whether_nan_is_handed_on_is_found_by_trying(function, keeps):
    assert keeps_nan(function) == bool(keeps)


def test_a_result_is_looked_at_once():
    def momentum(q, v):
        return np.linalg.solve(q @ q.T, at.grad(lambda v: np.sum(v[0] * v[1] * np.cos(q[0] - q[1])))(v))

    step = at.compile(momentum)
    step(np.random.default_rng(0).normal(size=(2, 3)), np.ones((2, 3)))
    (line,) = [line for line in step.source.splitlines() if "for flat in" in line]
    assert line.count(",") == 1

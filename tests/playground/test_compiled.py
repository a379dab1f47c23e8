"""The compiled program, as the page shows it."""

import numpy as np
import pytest

import autotiny as at
from autotiny.playground.answers import source


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    W, X = (
        at.Tensor(rng.normal(size=(2, 3)), name="W"),
        at.Tensor(rng.normal(size=(3, 4)), requires_grad=False, name="X"),
    )
    A = np.tanh(W @ X)
    J = np.sum(A * A)
    A.name, J.name = "A", "J"
    return J, {"W": W, "X": X}


def test_the_program_uses_the_users_names(network):
    text = source(*network)
    assert "def step(W, X):" in text
    assert "A = " in text
    assert "dW = " in text


def test_a_value_that_the_loss_does_not_need_is_not_an_argument(network):
    loss, leaves = network
    assert "def step(W, X):" in source(loss, {**leaves, "unused": at.Tensor(1.0)})


def test_the_page_shows_it(client):
    told = client.ask("compiled", "y = tanh(x)", {"x": {"value": 1}})
    assert "y = tanh(x)" in told["source"]


def test_without_gradients_it_says_why(client):
    assert "has shape (2,)" in client.ask("compiled", "y = 2 * x", {"x": {"value": [1, 2]}})["error"]["message"]

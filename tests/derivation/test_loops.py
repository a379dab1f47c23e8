"""What a loop adds up is derived as one sum; what it does not is left as it is."""

import numpy as np
import pytest

import autotiny as at
from autotiny import Tensor

RNG = np.random.default_rng(0)


def test_the_sum_of_python_over_rows_is_that_of_numpy():
    m = 12
    Y, Z2 = at.one_hot(RNG.integers(0, 4, m), 4), Tensor(RNG.normal(size=(4, m)))
    A2 = np.exp(Z2) / sum(np.exp(Z2))
    J = -np.sum(Y * np.log(A2)) / m
    assert at.derive(J, "Z2").formula == "(A2 - Y) / m"


def test_a_loop_over_examples_gives_the_formula_of_matrices():
    X, y, w = RNG.normal(size=(8, 3)), RNG.normal(size=8), Tensor(RNG.normal(size=3))
    J = 0
    for i in range(8):
        error = X[i] @ w - y[i]
        J += error**2
    derived = at.derive(J, w)
    assert derived.formula == "2 * Xᵀ (X w - y)"
    assert derived.ok


def test_a_loop_that_subtracts_is_less_the_sum():
    P, y = Tensor(RNG.uniform(0.1, 1, (5, 3))), RNG.integers(0, 3, 5)
    J = 0
    for i in range(5):
        J -= np.log(P[i, y[i]])
    assert at.derive(J, P).formula == "-onehot(y) / P"


def test_a_penalty_beside_the_loop_stays():
    w, lam = Tensor(RNG.normal(size=4)), 0.3
    J = lam * np.sum(w**2)
    for j in range(4):
        J = J + np.exp(w[j])
    assert at.derive(J, w).formula == "exp(w) + 2 * lam * w"


def test_a_name_of_the_last_turn_can_still_be_derived():
    X, w = RNG.normal(size=(3, 2)), Tensor(RNG.normal(size=2))
    J = 0
    for i in range(3):
        z = X[i] @ w
        J = J + z**2
    assert at.derive(J, z).formula == "2 * z"
    assert at.derive(J, w).ok


def test_named_addends_keep_their_names():
    w = Tensor(RNG.normal(size=3))
    a, b, c = np.exp(w[0]), np.exp(w[1]), np.exp(w[2])
    J = a + b + c
    assert at.derive(J, w).formula == "[a, b, c]"


@pytest.mark.parametrize("n", [2, 3, 5])
def test_addends_that_differ_otherwise_are_derived_one_by_one(n):
    w = Tensor(RNG.normal(size=n))
    J = 0
    for j in range(n):
        J = J + np.sin(w[j]) if j % 2 else J + w[j] ** 3
    assert at.derive(J, w).ok


def test_a_loop_over_layers_is_left_as_it_is():
    W, x = Tensor(RNG.normal(size=(3, 3)) / 3), RNG.normal(size=3)
    J, h = 0, x
    for _ in range(4):
        h = np.tanh(W @ h)
        J = J + h @ h
    assert at.derive(J, W).ok


def test_a_loop_with_several_terms_in_each_turn_is_one_sum():
    X, y, w, m = RNG.normal(size=(8, 3)), np.array([0.0, 1, 1, 0, 1, 0, 0, 1]), Tensor(RNG.normal(size=3)), 8
    J = 0
    for i in range(m):
        a = at.sigmoid(w @ X[i])
        J += -y[i] * np.log(a) - (1 - y[i]) * np.log(1 - a)
    J = J / m
    assert at.derive(J, w).formula == "Xᵀ (σ(X w) - y) / m"


def test_a_loop_over_two_indices_is_a_sum_over_a_matrix():
    A = Tensor(RNG.normal(size=(3, 2)))
    J = sum(A[i, j] ** 2 for i in range(3) for j in range(2))
    assert at.derive(J, A).formula == "2 * A"


def test_labels_in_a_loop_pick_from_each_row():
    X, y, W = RNG.normal(size=(6, 4)), RNG.integers(0, 3, 6), Tensor(RNG.normal(size=(4, 3)))
    loss = 0.0
    for i in range(6):
        f = X[i] @ W
        loss += -f[y[i]] + np.log(np.sum(np.exp(f)))
    assert at.derive(loss, W).formula == "Xᵀ (softmax(X W, axis=1) - onehot(y))"

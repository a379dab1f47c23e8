"""Frequent human errors are named for what they are."""

import numpy as np
import pytest

import autotiny as at

M = 64


@pytest.fixture
def flagship():
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(5, M)), at.one_hot(rng.integers(3, size=M), 3)
    W1, b1 = at.Tensor(rng.normal(size=(5, 5)), name="W1"), at.Tensor(rng.normal(size=(5, 1)), name="b1")
    W2 = at.Tensor(rng.normal(size=(3, 5)), name="W2")
    Z1 = W1 @ X + b1
    A1 = at.relu(Z1)
    Z2 = W2 @ A1
    dZ2 = (at.softmax(Z2.data) - Y) / M
    dA1 = W2.data.T @ dZ2
    dZ1 = dA1 * (Z1.data > 0)
    stated = {"W1": dZ1 @ X.T, "b1": dZ1.sum(axis=1, keepdims=True), "Z1": dZ1, "W2": dZ2 @ A1.data.T, "Z2": dZ2}
    Z1.name, Z2.name = "Z1", "Z2"
    return at.cross_entropy(Z2, Y), stated, {"dA1": dA1, "X": X}


def notes(flagship, name, wrong):
    report = at.compare(flagship[0], {name: wrong})
    assert report[name].outlier == "analytic"
    assert report[name].notes[0] in repr(report)
    return report[name].notes


def test_right_formulas_are_called_nothing(flagship):
    loss, stated, _ = flagship
    assert all(row.ok and row.notes == () for row in at.compare(loss, stated).rows)


@pytest.mark.parametrize(
    ("factor", "named"),
    [
        (M, "analytic is exactly 64.0 x autograd: a missing 1/m?"),
        (-M, "analytic is exactly -64.0 x autograd: a missing 1/m? and the sign is wrong"),
        (1 / M, "analytic is exactly 0.015625 x autograd: one 1/m too many?"),
        (-1, "analytic is exactly -1.0 x autograd: the sign is wrong"),
        (2, "analytic is exactly 2.0 x autograd: an extra factor of 2?"),
        (0.5, "analytic is exactly 0.5 x autograd: a missing factor of 2?"),
        (1.7, "analytic is exactly 1.7 x autograd"),
    ],
)
def test_a_factor_is_named_with_its_likely_cause(flagship, factor, named):
    assert notes(flagship, "W1", factor * flagship[1]["W1"]) == (named,)


def test_a_transpose_is_named(flagship):
    assert "analytic is autograd transposed" in notes(flagship, "W1", flagship[1]["W1"].T)[0]


def test_a_forgotten_mask_is_named_at_the_hidden_units_and_at_the_parameters_below(flagship):
    _, _, parts = flagship
    for name, wrong in (("Z1", parts["dA1"]), ("W1", parts["dA1"] @ parts["X"].T)):
        assert "without relu's derivative: a forgotten activation mask?" in notes(flagship, name, wrong)[0]


def test_a_missing_sum_over_the_batch_is_named(flagship):
    loss, stated, _ = flagship
    assert "gradient of example 0 alone: a missing sum over the batch" in notes(flagship, "b1", stated["Z1"][:, :1])[0]
    with pytest.raises(at.errors.ShapeError, match="sum it over axis 1, the batch, with keepdims=True"):
        at.compare(loss, {"b1": stated["Z1"]})


def test_a_sum_over_everything_is_named(flagship):
    wrong = np.full((5, 1), flagship[1]["b1"].sum())
    assert "a sum without its axis?" in notes(flagship, "b1", wrong)[0]


def test_a_handful_of_wrong_entries_are_counted(flagship):
    wrong = flagship[1]["W2"].copy()
    wrong[0, :2] += 1
    assert notes(flagship, "W2", wrong) == ("2 of 15 entries differ",)


def test_noise_in_every_entry_is_given_no_name(flagship):
    wrong = flagship[1]["W1"] + np.random.default_rng(0).normal(size=(5, 5))
    assert notes_or_none(flagship, wrong) == ()


def notes_or_none(flagship, wrong):
    return at.compare(flagship[0], {"W1": wrong})["W1"].notes

"""Mistakes in a closed form are named from the recorded graph."""

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
        (M, "64 times the gradient: a missing 1/m?"),
        (-M, "-64 times the gradient: a missing 1/m, and the sign is wrong?"),
        (1 / M, "0.015625 times the gradient: one 1/m too many?"),
        (-1, "minus the gradient: the sign is wrong"),
        (2, "2 times the gradient: an extra factor of 2?"),
        (0.5, "0.5 times the gradient: a missing factor of 2?"),
        (1.7, "1.7 times the gradient"),
    ],
)
def test_a_factor_is_named_with_its_likely_cause(flagship, factor, named):
    assert notes(flagship, "W1", factor * flagship[1]["W1"]) == (named,)


def test_a_transpose_is_named(flagship):
    assert "the gradient transposed: a .T is missing" in notes(flagship, "W1", flagship[1]["W1"].T)[0]


def test_a_forgotten_mask_is_named_at_the_hidden_units_and_at_the_parameters_below(flagship):
    _, _, parts = flagship
    for name, wrong in (("Z1", parts["dA1"]), ("W1", parts["dA1"] @ parts["X"].T)):
        assert "the gradient without the mask 1[Z1 > 0]: forgotten?" in notes(flagship, name, wrong)[0]


def test_a_missing_sum_over_the_batch_is_named(flagship):
    loss, stated, _ = flagship
    first = notes(flagship, "b1", stated["Z1"][:, :1])[0]
    assert first == "the gradient of example 0 alone: a missing sum over axis 1, the batch?"
    with pytest.raises(at.errors.ShapeError, match="sum it over axis 1, the batch, with keepdims=True"):
        at.compare(loss, {"b1": stated["Z1"]})


def test_a_sum_over_everything_is_named(flagship):
    wrong = np.full((5, 1), flagship[1]["b1"].sum())
    assert "a sum without its axis?" in notes(flagship, "b1", wrong)[0]


def test_a_handful_of_wrong_entries_are_counted(flagship):
    wrong = flagship[1]["W2"].copy()
    wrong[0, :2] += 1
    assert notes(flagship, "W2", wrong)[0].startswith("2 of 15 entries differ, by up to 1 where")


def test_noise_in_every_entry_is_given_no_name(flagship):
    wrong = flagship[1]["W1"] + np.random.default_rng(0).normal(size=(5, 5))
    assert notes_or_none(flagship, wrong) == ()


def notes_or_none(flagship, wrong):
    return at.compare(flagship[0], {"W1": wrong})["W1"].notes


@pytest.mark.parametrize(
    ("activation", "factor"),
    [
        (np.tanh, "the factor 1 - A²"),
        (at.sigmoid, "the factor A * (1 - A)"),
        (at.leaky_relu, "the factor where(Z > 0, 1, 0.01)"),
        (lambda Z: np.maximum(0, Z), "the mask 1[Z > 0]"),
        (np.abs, "the factor sign(Z)"),
    ],
)
def test_the_derivative_of_an_activation_is_written_out(activation, factor):
    Z = at.Tensor([[0.5, -1.0], [2.0, -0.3]], name="Z")
    A = activation(Z)
    A.name = "A"
    w = np.array([[1.0, 2.0], [-3.0, 0.5]])
    note = at.compare(np.sum(A * w), {Z: w})["Z"].notes[0]
    assert note.startswith(f"the gradient without {factor}: forgotten? the derivative of ")


def test_masks_of_one_kind_that_are_all_forgotten_are_named_together():
    rng = np.random.default_rng(0)
    x, W = at.Tensor(rng.normal(size=(4, 6)), name="x"), rng.normal(size=(4, 4))
    loss = np.sum(at.relu(W @ at.relu(x)))
    note = at.compare(loss, {x: W.T @ np.ones((4, 6))})["x"].notes[0]
    assert note == "the gradient without the derivative of relu: forgotten?"


def test_a_named_number_of_the_graph_is_a_likely_factor():
    lam, W = at.Tensor(0.3, name="lam", requires_grad=False), at.Tensor([1.0, -2.0], name="W")
    loss = lam * np.sum(W**2)
    words = "3.33333 times the gradient: a missing factor lam, or one 1/lam too many?"
    assert at.compare(loss, {W: 2 * W.data})["W"].notes == (words,)


def test_an_activation_of_ones_own_is_named_though_its_rule_cannot_be_written_out():
    @at.operation(lambda g, y, x: g * (1.0 if float(np.sum(x)) > 9 else 2.0), traits="elementwise activation")
    def doubled(x):
        return 2 * x

    x, w = at.Tensor([[1.0, -2.0]], name="x"), np.array([[3.0, 4.0]])
    assert at.compare(np.sum(doubled(x) * w), {x: w})["x"].notes == ("0.5 times the gradient: a missing factor of 2?",)


def test_a_batch_without_examples_has_no_single_example():
    b, X = at.Tensor(np.ones((2, 1)), name="b"), at.Tensor(np.ones((2, 0)), name="X")
    assert at.compare(np.sum(X * b), {b: np.ones((2, 1))})["b"].outlier == "analytic"


def test_a_missing_term_is_named_also_beside_the_stable_form_of_a_logarithm():
    Z = at.Tensor([[0.3, -1.0], [0.5, 2.0], [1.0, 0.1]], name="Z")
    A = at.softmax(Z)
    A.name = "A"
    w = np.arange(6.0).reshape(3, 2)
    J = np.sum(w * np.log(A)) + np.sum(A * A)
    right = at.compare(J, {A: w / A.data + 2 * A.data})["A"]
    assert right.ok
    assert right.notes == ()
    note = at.compare(J, {A: 2 * A.data})["A"].notes[0]
    assert note.startswith("the gradient without the term through ")

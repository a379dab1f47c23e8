"""Every mistake is named, in the same words by both readers: `compare` and `matches`; a right gradient never is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autotiny as at
from autotiny.diagnosis import Context, diagnose, extent
from autotiny.diagnosis.mistakes import MISTAKES

M = 8


def network():
    """A loss with every tensor of which mistakes are made, and what a formula may name."""
    rng = np.random.default_rng(3)
    X = at.Tensor(rng.normal(size=(4, M)), name="X", requires_grad=False)
    Y = at.Tensor(rng.normal(size=(3, M)), name="Y", requires_grad=False)
    m, lam = (at.Tensor(n, name=name, requires_grad=False) for n, name in ((float(M), "m"), (0.3, "lam")))
    W1, b1 = at.Tensor(rng.normal(size=(3, 4)), name="W1"), at.Tensor(rng.normal(size=(3, 1)), name="b1")
    W2 = at.Tensor(rng.normal(size=(3, 3)), name="W2")
    Z1 = W1 @ X + b1
    A1 = at.relu(Z1)
    Z2 = W2 @ A1
    T = np.tanh(Z2)
    J = np.sum(Y * T) / m + lam * np.sum(W1 * W1)
    Z1.name, A1.name, Z2.name, T.name = "Z1", "A1", "Z2", "T"
    return J, {"X": X, "Y": Y, "W1": W1, "b1": b1, "W2": W2, "lam": lam, "Z1": Z1, "A1": A1, "Z2": Z2, "T": T, "m": m}


RIGHT = {
    "Z2": "Y / m * (1 - T**2)",
    "Z1": "W2.T @ (Y / m * (1 - T**2)) * (Z1 > 0)",
    "W2": "(Y / m * (1 - T**2)) @ A1.T",
    "b1": "np.sum(W2.T @ (Y / m * (1 - T**2)) * (Z1 > 0), axis=1, keepdims=True)",
    "W1": "(W2.T @ (Y / m * (1 - T**2)) * (Z1 > 0)) @ X.T + 2 * lam * W1",
}

WRONG = [
    ("Z2", "Y * (1 - T**2)", "8 times the gradient: a missing 1/m?"),
    ("Z2", "Y / m / m * (1 - T**2)", "0.125 times the gradient: one 1/m too many?"),
    ("Z2", "-Y / m * (1 - T**2)", "minus the gradient: the sign is wrong"),
    ("Z2", "-Y * (1 - T**2)", "-8 times the gradient: a missing 1/m, and the sign is wrong?"),
    ("Z2", "2 * Y / m * (1 - T**2)", "2 times the gradient: an extra factor of 2?"),
    ("Z2", "0.5 * Y / m * (1 - T**2)", "0.5 times the gradient: a missing factor of 2?"),
    ("Z2", "0.3 * Y / m * (1 - T**2)", "0.3 times the gradient: one factor lam too many, or a missing 1/lam?"),
    ("Z2", "Y / m * (1 - T**2) / 0.3", "3.33333 times the gradient: a missing factor lam, or one 1/lam too many?"),
    ("Z2", "1.7 * Y / m * (1 - T**2)", "1.7 times the gradient"),
    ("Z2", "1.00002 * Y / m * (1 - T**2)", "1.00002 times the gradient: a number with too few digits?"),
    ("Z2", "Y / m", "the gradient without the factor 1 - T²: forgotten?"),
    ("Z1", "W2.T @ (Y / m * (1 - T**2))", "the gradient without the mask 1[Z1 > 0]: forgotten?"),
    ("W2", "A1 @ (Y / m * (1 - T**2)).T", "the gradient transposed: a .T is missing, or is one too many"),
    (
        "b1",
        "(W2.T @ (Y / m * (1 - T**2)) * (Z1 > 0))[:, :1]",
        "the gradient of example 0 alone: a missing sum over axis 1, the batch?",
    ),
    (
        "b1",
        "0 * b1 + np.sum(W2.T @ (Y / m * (1 - T**2)) * (Z1 > 0))",
        "the sum of the whole gradient in every entry: a sum without its axis?",
    ),
    (
        "Z1",
        "W2.T @ (Y / m * (1 - T**2)) * (Z1 > 0) + (Z1 <= 0) * Z1",
        "differs where Z1 ≤ 0, where the gradient is 0: a forgotten mask?",
    ),
]


def named(name, formula):
    """What both readers say of a formula."""
    J, known = network()
    values = {key: getattr(value, "data", value) for key, value in known.items()}
    stated = np.asarray(eval(formula, {"np": np, **values}))
    note = at.compare(J, {known[name]: stated})[name].notes
    matched = at.derive(J, known[name]).matches(formula)
    return (note[0] if note else ""), matched


@pytest.mark.parametrize(("name", "formula"), RIGHT.items(), ids=RIGHT)
def test_a_right_gradient_is_never_diagnosed(name, formula):
    note, matched = named(name, formula)
    assert (note, bool(matched), matched.difference) == ("", True, "")


@pytest.mark.parametrize(("name", "formula", "sentence"), WRONG, ids=[f"{name}: {words}" for name, _, words in WRONG])
def test_a_mistake_is_named_in_the_same_words_by_compare_and_by_matches(name, formula, sentence):
    note, matched = named(name, formula)
    assert not matched
    assert note.startswith(sentence)
    assert matched.difference == note


def test_a_missing_term_is_named():
    note, matched = named("W1", "(W2.T @ (Y / m * (1 - T**2)) * (Z1 > 0)) @ X.T")
    assert note.startswith("the gradient without the term through ")
    assert matched.difference == "the gradient without the term 2 lam * W1: forgotten?"


def test_a_gradient_of_another_shape_is_told_the_way_to_the_right_one():
    J, known = network()
    matched = at.derive(J, known["b1"]).matches("W2.T @ (Y / m * (1 - T**2)) * (Z1 > 0)")
    way = "sum it over axis 1, the batch, with keepdims=True"
    assert matched.difference == f"its shape is (3, 8), the gradient's (3, 1): {way}"
    with pytest.raises(at.errors.ShapeError, match=way):
        at.compare(J, {"b1": np.ones((3, 8))})


def test_what_no_mistake_explains_is_given_no_name():
    rng = np.random.default_rng(0)
    stated, right = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    assert diagnose(stated, right, Context()) is None
    assert extent(stated, right).startswith("every entry differs, by up to ")


def test_some_wrong_entries_are_counted():
    right = np.arange(6.0)
    assert diagnose(right + np.eye(6)[1], right, Context()) == (
        "1 of 6 entries differ, by up to 1 where the largest entry is 5"
    )
    assert diagnose(right + np.eye(6)[0], right, Context()) == (
        "1 of 6 entries differ, by up to 1 where the largest entry is 5; "
        "the gradient is 0 in all of them: a forgotten mask?"
    )


SHAPES = st.sampled_from([(), (1,), (3,), (2, 2), (2, 3), (1, 3), (2, 1, 2), (0,), (0, 2)])


@given(SHAPES, st.integers(0, 1000), st.sampled_from([0.0, 1e-300, 1.0, 1e10]))
def test_no_mistake_is_seen_in_a_right_gradient(shape, seed, scale):
    right = scale * np.random.default_rng(seed).normal(size=shape)
    assert [mistake(right.copy(), right, Context()) for mistake in MISTAKES] == [None] * len(MISTAKES)


def test_zeros_and_what_is_not_finite_have_no_factor():
    for right in (np.zeros(3), np.array([np.inf, 1.0, 2.0]), np.array([np.nan, 1.0, 2.0])):
        with np.errstate(invalid="ignore"):
            assert "times" not in (diagnose(2 * right + 1, right, Context()) or "")

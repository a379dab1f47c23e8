import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import symbol
from autotiny.derivation.matching import match
from autotiny.errors import UnsupportedError
from autotiny.language import ExpressionError
from derivation.formulas import A2, W2, Z1, G, Y, m, w

MASKED = W2.T @ G * (Z1 > 0)
b = symbol("b", np.zeros((3, 1)))
x, y = symbol("x", np.array([1.0, 2.0, 3.0])), symbol("y", np.array([0.5, -1.0, 2.0, 4.0]))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("(A2 - Y) / m", (A2 - Y) / m),
        ("-(Y - A2)/m", (A2 - Y) / m),
        ("np.subtract(A2, Y) / m", (A2 - Y) / m),
        ("W2.T @ dZ2 * (Z1 > 0)", MASKED),
        ("W2^T dZ2 * 1[Z1 > 0]", MASKED),
        ("where(Z1 > 0, W2ᵀ dZ2, 0)", MASKED),
        ("A2 * sum(Y, axis=1)", A2 * np.sum(Y, axis=1, keepdims=True)),
        ("y xᵀ", y[:, None] * x),
        ("outer(y, x)", y[:, None] * x),
        ("w / ||w||", w / np.linalg.norm(w)),
        ("W2⁻ᵀ", np.linalg.inv(W2).T),
        ("1 - A2^2", 1 - A2**2),
    ],
)
def test_right_formulas_match_however_they_are_written(text, right):
    found = match(text, right, {}, [A2, W2, Z1])
    assert found, found


@pytest.mark.parametrize(
    ("text", "right", "difference"),
    [
        ("A2 - Y", (A2 - Y) / m, "8 times the gradient: a missing 1/m?"),
        ("(A2 - Y) / m / m", (A2 - Y) / m, "0.125 times the gradient: one 1/m too many?"),
        ("Y - A2", (A2 - Y) / m, "-8 times the gradient: a missing 1/m, and the sign is wrong?"),
        ("Y - A2", A2 - Y, "minus the gradient: the sign is wrong"),
        ("2 * A2", A2, "2 times the gradient: an extra factor of 2?"),
        ("(A2 - Y).T", A2 - Y, "the gradient transposed: a .T is missing, or is one too many"),
        ("y[:, None] * x", x[:, None] * y, "its shape is (4, 3), the gradient's (3, 4): transpose it"),
        ("W2.T @ dZ2", MASKED, "the gradient without the mask 1[Z1 > 0]: forgotten?"),
        ("sum(A2) + 0 * A2", A2, "the sum of the whole gradient in every entry: a sum without its axis?"),
        ("dZ2", np.sum(G, axis=1, keepdims=True), "its shape is (3, 3), the gradient's (3, 1): sum it over axis 1"),
        ("A2[0, :2]", A2 - Y, "its shape is (2,), the gradient's (3, 3)"),
        ("A2", A2 - Y, "the gradient without the term -Y: forgotten?"),
        ("A2 / Y", A2 - Y, "every entry differs, by up to"),
    ],
)  # fmt: skip
def test_wrong_formulas_are_told_how_they_differ(text, right, difference):
    found = match(text, right, {}, [A2, W2, Z1])
    assert not found
    assert found.difference.startswith(difference), found


def test_equal_by_chance_is_not_the_gradient():
    found = match("W2 + b", W2 + 2 * b, {}, [W2, b])
    assert not found
    assert found.difference.startswith("equal on the recorded values, but not on others: ")


def test_a_symmetric_matrix_stays_symmetric_and_that_is_told():
    S = symbol("S", Z1.value + Z1.value.T)
    assert repr(match("2 S w", (S + S.T) @ w, {}, [S, w])) == "2 S w: the gradient for S symmetric"
    assert repr(match("S w + S^T w", (S + S.T) @ w, {}, [S, w])) == "S w + S^T w: the gradient"
    assert not match("2 W2 w", (W2 + W2.T) @ w, {}, [W2, w])


def test_data_keep_their_values_for_facts_about_them_count():
    one_hot = symbol("Y", np.eye(3))
    assert match("A2", A2 * np.sum(one_hot, axis=0), {}, [A2])
    assert not match("A2", A2 * np.sum(one_hot, axis=0), {}, [A2, one_hot])


def test_definitions_follow_the_values_that_they_are_made_of():
    A = symbol("A", np.tanh(Z1.value))
    assert match("1 - tanh(Z1)**2", 1 - A**2, {A: np.tanh(Z1)}, [Z1, A])


def test_float32_is_held_to_its_own_precision():
    x32 = symbol("x", np.linspace(0.1, 1, 5, dtype=np.float32))
    assert match("x / 3", x32 * np.float32(1 / 3), {}, [x32])
    assert not match("x / 3.01", x32 * np.float32(1 / 3), {}, [x32])


def test_a_reading_that_says_more_than_the_text_is_told():
    found = match("A2 - sum(A2, axis=1)", A2 - np.sum(A2, axis=1, keepdims=True), {}, [A2])
    assert "read as A2 - sum(A2, axis=1, keepdims=True)" in repr(found)


@pytest.mark.parametrize("text", ["A3 - Y", "A2 -", "", "A2 )(", "import os", "'text'"])
def test_what_cannot_be_read_is_an_error(text):
    with pytest.raises(ExpressionError):
        match(text, A2 - Y, {}, [A2])


@pytest.mark.parametrize("formula", [lambda x: 2 * x, np.ones(3), None])
def test_a_formula_that_is_no_text_is_an_error(formula):
    x = at.Tensor([1.0, 2.0, 3.0])
    with pytest.raises(UnsupportedError, match=r"expected the formula as text, .*; got (function|ndarray|NoneType)"):
        at.derive(np.sum(x**2), x).matches(formula)


def gelu_written_out(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


@pytest.mark.parametrize("f", [at.gelu, gelu_written_out, lambda x: 0.1 * x**3 + x / 3 * 0.7, lambda x: 1e-7 * x**2])
def test_a_formula_with_numbers_matches_itself(f):
    x = at.Tensor([1.0, -2.0, 3.0])
    derivation = at.derive(np.sum(f(x)), x)
    assert derivation.matches(derivation.formula)


def test_a_number_is_shown_as_it_was_typed():
    x = at.Tensor([1.0, -2.0, 3.0])
    assert "0.044715" in at.derive(np.sum(np.tanh(x + 0.044715 * x**3)), x).formula

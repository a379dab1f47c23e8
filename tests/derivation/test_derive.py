import dataclasses

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import Equation, simplify
from autotiny.derivation.steps import DerivationError
from autotiny.errors import StaleError, UnsupportedError
from derivation.flagship import flagship

TEXTBOOK = {
    "Z2": "(A2 - Y) / m",
    "W2": "dZ2 A1ᵀ",
    "b2": "sum(dZ2, axis=1)",
    "Z1": "W2ᵀ dZ2 * 1[Z1 > 0]",
    "W1": "dZ1 Xᵀ",
    "b1": "sum(dZ1, axis=1)",
}


@pytest.mark.parametrize("target", TEXTBOOK)
def test_the_six_gradients_of_the_flagship_read_as_in_the_textbook(target):
    derivation = flagship(target)
    assert derivation.formula == TEXTBOOK[target]
    assert derivation.ok
    assert derivation.max_error < 1e-14


WRONG_ROWS = [
    Equation("a factor above and below cancels", lambda x: x / x, lambda x: 1.0005),
    Equation("common factor", lambda f, a, b: f * a + f * b, lambda f, a, b: f * (a + 2 * b), rest=("a", "b")),
]


@pytest.mark.parametrize("row", WRONG_ROWS, ids=lambda row: row.name)
def test_a_wrong_rule_is_an_error_that_names_it_and_not_a_result(row, monkeypatch):
    monkeypatch.setattr(simplify, "ROWS", (row, *simplify.ROWS))
    with pytest.raises(DerivationError, match=f"'{row.name}' made .* whose values differ by"):
        flagship("Z2")


def test_a_formula_that_differs_from_backprop_is_not_ok():
    derivation = flagship("Z2")
    assert not dataclasses.replace(derivation, engine=derivation.engine * 1.0005).ok


def test_every_step_stands_with_its_error_and_begins_where_the_last_one_ended():
    derivation = flagship("Z2")
    ends = [derivation.chain, *(step.after for step in derivation.steps)]
    assert [step.before for step in derivation.steps] == ends[:-1]
    assert all(0 <= step.error < 1e-14 for step in derivation.steps)
    assert len(derivation.steps) == 6


def test_saturated_logits_derive_as_others_do():
    Z, Y = at.Tensor([[800.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), at.one_hot([1, 2], 3)
    A = at.softmax(Z)
    derivation = at.derive(-np.sum(Y * np.log(A)), "Z")
    assert derivation.formula == "A - Y"
    assert derivation.ok


def test_float32_stays_float32_and_is_held_to_its_own_rounding():
    X, w = at.Tensor(np.ones((3, 4), np.float32), requires_grad=False), at.Tensor(np.ones(4, np.float32))
    derivation = at.derive(np.sum(np.tanh(X @ w) ** 2), "w")
    assert derivation.ok
    assert derivation.term.dtype == np.float32


def test_twenty_layers_are_derived_one_by_one():
    rng = np.random.default_rng(0)
    A, Y = rng.normal(size=(4, 8)), at.one_hot(rng.integers(0, 4, 8), 4)
    for l in range(1, 21):
        Z = at.Tensor(rng.normal(size=(4, 4)), name=f"W{l}") @ A + at.Tensor(np.zeros((4, 1)), name=f"b{l}")
        A = at.relu(Z) if l < 20 else at.softmax(Z)
        Z.name, A.name = f"Z{l}", f"A{l}"
    J = at.cross_entropy(Z, Y)
    derivation = at.derive(J, "Z1")
    assert derivation.formula == "W2ᵀ dZ2 * 1[Z1 > 0]"
    assert derivation.ok
    layers = 1
    while derivation.lemmas:
        (derivation,) = derivation.lemmas.values()
        layers += 1
    assert layers == 20
    assert derivation.formula == "(softmax(Z20) - Y) / 8"


def test_code_without_names_does_not_blow_up():
    x = y = at.Tensor(0.5, name="x")
    for _ in range(40):
        y = np.tanh(y) * np.tanh(y)
    assert len(at.derive(y, x).formula) < 2000


def test_tensors_without_names_are_written_out():
    x = at.Tensor([0.5, 1.0], name="x")
    assert at.derive(np.sum(np.exp(2 * x)), x).formula == "2 * exp(2 * x)"


def test_tensor_that_is_not_in_the_graph_is_told_with_those_that_are():
    x = at.Tensor([0.5, 1.0], name="x")
    with pytest.raises(UnsupportedError, match="derive: 'W' is not in the graph, whose tensors are x, t1, t2"):
        at.derive(np.sum(x * x), "W")


def test_gradient_of_a_constant_is_refused():
    x, c = at.Tensor([1.0, 2.0], name="x"), at.Tensor([3.0, 4.0], name="c", requires_grad=False)
    with pytest.raises(UnsupportedError, match="derive: c is a constant"):
        at.derive(np.sum(x * c), "c")


@pytest.mark.parametrize("loss", [3.0, np.ones(2), at.Tensor(1.0)])
def test_what_was_not_recorded_cannot_be_derived(loss):
    with pytest.raises(UnsupportedError, match="derive: expected a recorded result"):
        at.derive(loss, "x")


def test_values_that_were_changed_since_are_refused():
    x = at.Tensor([1.0, 2.0], name="x")
    J = np.sum(x * x)
    x.data = np.zeros(2)
    with pytest.raises(StaleError, match="x was assigned after it was recorded"):
        at.derive(J, x)


def test_digits_that_rounding_takes_are_not_taken_for_a_wrong_rule():
    z = at.Tensor([30.0], name="z")
    a = 1 / (1 + np.exp(-z))  # 1 - a has lost all but two digits
    derivation = at.derive(np.sum(a), "z")
    assert derivation.formula == "a * (1 - a)"
    assert derivation.max_error > 1e-6
    assert derivation.ok


def test_a_leaf_in_a_list_has_the_name_that_pictures_give_it():
    t = [at.Tensor(float(i + 1)) for i in range(3)]
    loss = t[0] * t[1] + t[2] ** 2
    derivation = at.derive(loss, t[2])
    assert (derivation.target.name, derivation.formula) == ("t[2]", "2 * t[2]")
    assert derivation.latex().splitlines()[1] == r"\frac{\partial \mathit{loss}}{\partial {t^{[2]}}} &= 2 \, {t^{[2]}}"
    assert derivation.matches("2 * t[2]")
    assert derivation.matches("dloss/dt[2] = 2 * t[2]")
    assert derivation.matches("2 * t_2")
    assert not derivation.matches("2 * t[1]")
    assert at.derive(loss, "t[2]").formula == "2 * t[2]"
    assert [card.name for card in at.draw(loss).cards if card.kind == "variable"] == ["t[0]", "t[1]", "t[2]"]


def test_an_entry_of_an_array_is_not_taken_for_a_leaf_in_a_list():
    layers, W = [{"W": at.Tensor(2.0)}, {"W": at.Tensor(5.0)}], np.array([3.0, 4.0])
    loss = layers[0]["W"] * layers[1]["W"] * W[1]
    derivation = at.derive(loss, layers[1]["W"])
    assert derivation.matches("W_0 * W[1]")
    assert not derivation.matches("W_0 * W_1")


def test_a_leaf_without_a_name_gets_a_short_one_by_which_it_can_be_asked_for():
    def loss_of(values):
        t = [at.Tensor(value) for value in values]
        return t[0] * t[1] + t[2] ** 2

    derivation = at.derive(loss_of([1.0, 2.0, 3.0]), "t3")
    assert derivation.formula == "2 * t3"
    assert derivation.matches("2 * t3")


def test_a_reshape_column_by_column_is_not_taken_for_one_row_by_row():
    x, w = at.Tensor(np.arange(6.0).reshape(2, 3), name="x"), np.arange(6.0).reshape(3, 2)
    assert at.derive(np.sum(np.reshape(np.exp(x), (3, 2), order="F") * w), x).ok
    assert at.derive(np.sum(np.reshape(np.reshape(x, (3, 2), order="F") ** 2, (2, 3)) * w.reshape(2, 3)), x).ok

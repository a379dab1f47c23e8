import numpy as np
import pytest

import autotiny as at
from autotiny import Tensor
from autotiny.algebra import symbol
from autotiny.derivation.lemmas import is_only_a_matrix_factor, occurrences, operations


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def one_line_network(layers, m=8):
    """J and the weights of a network whose layers are one line each."""
    A, Y, weights = normal(4, m), at.one_hot(np.arange(m) % 4, 4), []
    for l in range(1, layers + 1):
        W, b = Tensor(normal(4, 4), name=f"W{l}"), Tensor(np.zeros((4, 1)), name=f"b{l}")
        A = at.relu(W @ A + b) if l < layers else at.softmax(W @ A + b)
        A.name = f"A{l}"
        weights.append(W)
    return -np.sum(Y * np.log(A)) / m, weights


def test_a_layer_and_its_activation_in_one_line_cancel():
    J, weights = one_line_network(2)
    assert at.derive(J, weights[1]).formula == "(A2 - Y) A1ᵀ / m"
    assert not at.derive(J, weights[1]).lemmas


def test_ten_layers_in_one_line_each_are_derived_one_by_one():
    J, weights = one_line_network(10)
    derivation = at.derive(J, weights[0])
    assert derivation.ok
    assert derivation.formula == "(dA1 * 1[A1 > 0]) Cᵀ"
    formulas = {g.name: lemma.formula for g, lemma in derivation.named.items()}
    assert formulas == {
        **{f"dA{l}": f"W{l + 1}ᵀ (dA{l + 1} * 1[A{l + 1} > 0])" for l in range(1, 9)},
        "dA9": "W10ᵀ (A10 - Y) / m",
    }


def test_forty_layers_with_names_are_no_deeper_than_the_stack():
    J, weights = one_line_network(40)
    derivation = at.derive(J, weights[0])
    assert derivation.ok
    assert len(derivation.named) == 39
    assert len(derivation.definitions) > 79


def recurrence():
    x, h0, y = normal(3, 2), normal(4), normal(4)
    Wx, Wh = Tensor(normal(4, 3), name="Wx"), Tensor(normal(4, 4), name="Wh")
    h1 = np.tanh(Wx @ x[:, 0] + Wh @ h0)
    h2 = np.tanh(Wx @ x[:, 1] + Wh @ h1)
    J = np.sum((h2 - y) ** 2) / 2
    return at.derive(J, Wh)


def test_a_part_of_the_code_without_a_name_gets_one_where_its_gradient_is_used_often():
    derivation = recurrence()
    assert derivation.formula == "dz2 h1ᵀ + (dh1 * (1 - h1²)) h0ᵀ"
    assert "where dz2 = dJ/dz2 = dh2 * (1 - h2²), z2 = Wx x[:, 1] + Wh h1" in " ".join(repr(derivation).split())
    assert r"z_{2} &= " in derivation.latex()
    assert "<mi>z</mi>" in derivation._repr_html_()
    assert derivation.ok


def test_a_name_that_a_part_of_the_code_gets_is_not_one_of_the_users():
    x, h0 = normal(3, 2), normal(4)
    z2, dZ = 1.0, 2.0
    W = Tensor(normal(4, 4), name="W")
    h1 = np.tanh(W @ h0 + x[0, 0])
    h2 = np.tanh(W @ h1 + x[0, 1])
    derivation = at.derive(np.sum(h2**2) / 2, W)
    assert (z2, dZ) == (1, 2)
    assert "dz2" not in {g.name for g in derivation.named}


@pytest.mark.parametrize(
    ("run", "formula"),
    [
        (lambda n: np.tanh(n), "x * (1 - o²)"),
        (lambda n: np.exp(n), "x * o"),
        (lambda n: np.maximum(n, 0), "x * 1[n > 0]"),
    ],
)
def test_a_short_gradient_of_a_number_is_written_in_place(run, formula):
    w, b, x = Tensor(0.5), Tensor(0.1), 2.2
    n = w * x + b
    o = run(n)
    assert at.derive(o, w).formula == formula
    assert at.derive(o, b).formula == formula.removeprefix("x * ").strip("()")


def test_the_name_of_a_number_is_part_of_its_gradient_where_it_is_yours_and_shortens_it():
    x = Tensor(0.6)
    f = np.sqrt(1 - x**2)
    assert at.derive(f, x).formula == "-x / f"
    del f
    assert at.derive(np.sqrt(1 - x**2), x).formula == "-x / sqrt(1 - x²)"


def test_a_gradient_that_is_used_twice_is_named_and_one_that_cancels_is_not():
    Z, Y, m = Tensor(normal(3, 8)), at.one_hot(np.arange(8) % 3, 3), 8
    A = at.softmax(Z)
    squared = at.derive(np.sum((A - Y) ** 2) / (2 * m), Z)
    assert (squared.formula, [g.name for g in squared.lemmas]) == ("A * (dA - sum(A * dA, axis=0))", ["dA"])
    entropy = at.derive(-np.sum(Y * np.log(A)) / m, Z)
    assert (entropy.formula, list(entropy.lemmas)) == ("(A - Y) / m", [])


def test_the_operations_of_a_whole_count_each_named_gradient_once():
    derivation = recurrence()
    assert set(derivation.lemmas) < set(derivation.named)
    everything = [derivation, *derivation.named.values()]
    assert derivation.operations == sum(operations(each.term) for each in everything)


def test_occurrences_count_what_is_shared_as_often_as_it_is_written():
    x = symbol("x", np.ones(2))
    y = np.exp(x) + x
    assert occurrences(y * y)[x] == 4


def test_a_matrix_factor_is_one_that_only_matrix_products_use():
    W, g = symbol("W", np.ones((2, 2))), symbol("g", np.ones((2, 2)))
    assert is_only_a_matrix_factor(g, np.transpose(W) @ g)
    assert is_only_a_matrix_factor(g, W @ np.transpose(g))
    assert not is_only_a_matrix_factor(g, W @ (g * g))

"""Which rows are tried where: none that applies is passed over, in programs of any length and sums of any width."""

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import rewritten, symbol
from autotiny.compiler import table
from autotiny.compiler.candidates import WIDEST, Window, extent, features, inner, is_short
from compiler.programs import random_leaves, random_program


def operations(step):
    """The operations that are left after the last pass."""
    return int(step.explain().split("\n\n")[0].split()[-1])


def network(layers):
    """A network of layers of six units on eight examples, with softmax written out; and its arguments."""
    rng = np.random.default_rng(0)
    parameters = [(rng.normal(size=(6, 6)) / 3, np.zeros((6, 1))) for _ in range(layers)]

    def loss(parameters, X, Y):
        A = X
        for W, b in parameters[:-1]:
            A = np.maximum(W @ A + b, 0)
        W, b = parameters[-1]
        E = np.exp(W @ A + b)
        return -np.sum(Y * np.log(E / np.sum(E, axis=0, keepdims=True))) / 8

    return at.value_and_grad(loss), (parameters, rng.normal(size=(6, 8)), at.one_hot(rng.integers(0, 6, 8), 6))


def compiled(f, args):
    step = at.compile(f)
    J, gradients = step(*args)
    J0, gradients0 = f(*args)
    np.testing.assert_allclose(J, J0, rtol=1e-12)
    for a, b in zip(at.tree_map(np.ravel, gradients), at.tree_map(np.ravel, gradients0), strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-13)
    return step


def test_a_network_of_sixty_layers_gets_the_rewrites_of_a_short_one():
    counts = {layers: operations(compiled(*network(layers))) for layers in (2, 3, 60)}
    assert counts[60] == counts[2] + 58 * (counts[3] - counts[2])


def losses(count):
    """The sum of so many losses of one matrix, each with its own data."""
    rng = np.random.default_rng(0)
    data = [(rng.normal(size=(4, 5)), at.one_hot(rng.integers(0, 3, 5), 3)) for _ in range(count)]

    def loss(W, data):
        total = 0
        for X, Y in data:
            E = np.exp(W @ X)
            total = total - np.sum(Y * np.log(E / np.sum(E, axis=0, keepdims=True))) / 5
        return total

    return lambda W, data: (lambda J, dW: (J, [dW]))(*at.value_and_grad(loss)(W, data)), (rng.normal(size=(3, 4)), data)


def test_a_sum_of_forty_losses_gets_the_rewrites_of_few():
    counts = {count: operations(compiled(*losses(count))) for count in (2, 3, 40)}
    assert counts[40] == counts[2] + 38 * (counts[3] - counts[2])


def test_ten_thousand_products_within_sums_compile():
    def f(x):
        y = x
        for _ in range(2000):
            y = np.tanh(x) * y + x
        return np.sum(y)

    x = np.linspace(0.1, 0.2, 3)
    np.testing.assert_allclose(at.compile(f)(x), f(x), rtol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_row_is_passed_over_where_it_leaves_less_to_compute(monkeypatch):
    passed_over, missed = 0, []
    at_term = table.EquationSearch.at

    def at_and_without_a_look(self, term):
        nonlocal passed_over
        after = at_term(self, term)
        if any(map(inner(term).isdisjoint, self.required)) and is_short(term):
            passed_over += 1
            try:
                found = rewritten(self.equation.left, term, self.replacement)
            except (ArithmeticError, at.AutotinyError):
                found = None
            if found is not None and table.is_like(found, term) and table.work([found]) < table.work([term]):
                missed.append((self.equation.name, term))
        return after

    monkeypatch.setattr(table.EquationSearch, "at", at_and_without_a_look)
    for seed in range(12):
        at.compile(random_program(seed))(*random_leaves(seed, np.float64))
    f, args = network(3)
    at.compile(f)(*args)
    assert passed_over > 500
    assert not missed


def test_a_row_that_needs_an_operation_is_passed_over_without_it():
    x, y = symbol("x", np.ones((2, 3))), symbol("y", np.ones((2, 3)))
    (row,) = (row for row in table.STABLE if "sigmoid" in row.name)
    search = table.EquationSearch(row, set(), {})
    assert any(map(inner(x / (1 + y)).isdisjoint, search.required))
    assert not any(map(inner(np.exp(x) / (1 + np.exp(x))).isdisjoint, search.required))


def test_features_are_seen_through_products_sums_and_broadcasts_alone():
    x, row = symbol("x", np.ones((2, 3))), symbol("row", np.ones((1, 3)))
    names = lambda term: {getattr(f, "name", f) for f in features(term) if f is not None}
    assert names(x * (row + np.exp(x))) == {"multiply", "add", "broadcast", "exp"}
    assert names(np.tanh(x * row)) == {"tanh"}
    assert "square of a mask" in names((x > 0) * x * (x > row))
    assert "square of a mask" not in names((x > 0) * x)


def test_a_window_shows_a_long_sum_near_its_end_and_gives_back_the_rest():
    parts = [symbol(f"x{i}", np.array([float(i), 1.0])) for i in range(40)]
    long = sum(parts[1:], parts[0])
    assert extent(long).addends == 40
    window = Window(long)
    assert is_short(window.term)
    assert len(window.rest) == 1
    assert extent(window.term).addends <= WIDEST
    assert window.widened(window.term) is long
    assert window.widened(2 * window.term) is 2 * long

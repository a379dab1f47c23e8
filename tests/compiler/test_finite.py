"""What shows that results are finite: a look at fewer of them sees all that a look at each would see."""

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import symbol, topological_order
from autotiny.compiler.finite import showing_positions, without_implied
from compiler.programs import random_leaves


@pytest.mark.parametrize(
    ("function", "positions"),
    [(np.add, {0, 1}), (np.multiply, {0, 1}), (np.divide, {0}), (np.log, {0}), (np.exp, set()), (np.maximum, set())],
)
def test_operands_show_through_what_keeps_every_infinity_and_nan(function, positions):
    assert showing_positions(function) == positions


def test_a_loss_shows_its_targets_and_probabilities_but_nothing_behind_a_maximum():
    Y, A, Z = (symbol(name, np.ones((2, 3))) for name in "YAZ")
    loss = -np.sum(Y * np.log(A)) / 3 + np.sum(np.maximum(Z, 0))
    assert without_implied([Y, A, Z, loss]) == [Z, loss]
    assert without_implied([A, Y]) == [A, Y]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf])
def test_what_is_left_out_is_not_finite_only_where_something_that_is_kept_is_not(spoilt):
    f = lambda x, row, column: np.sum(np.log(x * row + 3) / column - np.maximum(x, column) * row) + np.exp(column)
    for seed in range(12):
        leaves = random_leaves(seed, np.float64)
        leaves[seed % 3].flat[seed % 4] = spoilt
        x, row, column = (symbol(name, leaf) for name, leaf in zip("xrc", leaves, strict=True))
        terms = [
            term for term in topological_order(f(x, row, column)) if term.dtype.kind == "f" and not term.is_constant
        ]
        kept = without_implied(terms)
        assert len(kept) < len(terms) / 2
        assert all(np.isfinite(x.value).all() for x in terms) == all(np.isfinite(x.value).all() for x in kept)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("place", range(6))
def test_a_step_gives_what_the_function_gives_wherever_an_infinity_or_nan_is(place):
    rng = np.random.default_rng(0)
    args = [rng.normal(size=s) for s in [(4, 3), (4, 1), (2, 4), (2, 1), (3, 5)]] + [at.one_hot([0, 1, 1, 0, 1], 2)]

    def loss(W1, b1, W2, b2, X, Y):
        E = np.exp(W2 @ np.maximum(W1 @ X + b1, 0) + b2)
        return -np.sum(Y * np.log(E / np.sum(E, axis=0))) / 5

    def step(*args):
        J, grads = at.value_and_grad(loss, (0, 1, 2, 3))(*args)
        return [J, *(p - 0.1 * g for p, g in zip(args, grads, strict=False))]

    compiled = at.compile(step)
    compiled(*args)
    for spoilt in (np.nan, np.inf, -np.inf):
        changed = [x.copy() for x in args]
        changed[place].flat[1] = spoilt
        for got, expected in zip(compiled(*changed), step(*changed), strict=True):
            np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
            np.testing.assert_allclose(got, expected, rtol=1e-10)
        compiled(*args)

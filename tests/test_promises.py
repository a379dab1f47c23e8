"""Promises that no other file of the core tests: one policy at kinks, one precision through a step, no silent loss."""

import re

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.graph import names, topological_order
from autotiny.errors import UnsupportedError


def slope(f, x):
    return at.grad(f)(x)


# ----- kinks: a constant wins a tie, tracked values share it -----
RELUS = {
    "relu": at.relu,
    "maximum(x, 0)": lambda x: np.maximum(x, 0),
    "maximum(0, x)": lambda x: np.maximum(0.0, x),
    "fmax": lambda x: np.fmax(x, 0.0),
    "clip": lambda x: np.clip(x, 0.0, None),
    "where": lambda x: np.where(x > 0, x, 0.0),
    "product with its mask": lambda x: x * (x > 0),
    "-minimum(-x, 0)": lambda x: -np.minimum(-x, 0.0),
    "constant tensor": lambda x: np.maximum(x, at.Tensor(0.0, requires_grad=False)),
    "array": lambda x: np.maximum(x, np.array(0.0)),
}


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
def test_every_spelling_of_relu_has_slope_0_at_0(relu):  # PyTorch 184572, JAX 37821
    for zero in (0.0, -0.0):
        assert slope(relu, zero) == 0
    assert (slope(relu, 1e-300), slope(relu, -1e-300)) == (1, 0)


@pytest.mark.parametrize("f", [np.abs, np.fabs, abs, np.linalg.norm, lambda x: np.linalg.norm(x, 1), np.sign])
def test_slopes_at_the_tip_are_0(f):
    np.testing.assert_array_equal(slope(lambda x: np.sum(f(x)), np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize(
    ("f", "slopes"),
    [
        (np.maximum, (0.5, 0.5)),
        (np.minimum, (0.5, 0.5)),
        (np.fmax, (0.5, 0.5)),
        (lambda a, b: np.max(np.stack([a, b])), (0.5, 0.5)),
        (lambda a, b: np.max(np.stack([a, b, a])), (2 / 3, 1 / 3)),
    ],
)
def test_tracked_values_share_a_tie(f, slopes):
    np.testing.assert_allclose(at.grad(f, (0, 1))(2.0, 2.0), slopes, rtol=1e-15)


@pytest.mark.parametrize("edge", [-1.0, 1.0])
def test_a_bound_wins_over_what_it_clips(edge):
    assert slope(lambda x: np.clip(x, -1.0, 1.0), edge) == 0


def test_entries_that_tie_for_an_extreme_share_it():
    np.testing.assert_array_equal(slope(np.max, np.array([1.0, 3.0, 3.0])), [0, 0.5, 0.5])


def test_norms_by_the_largest_entry_give_a_subgradient_at_ties():  # PyTorch 41779
    g = slope(lambda x: np.linalg.norm(x, np.inf), np.array([2.0, -2.0, 1.0]))
    np.testing.assert_array_equal(g, [0.5, -0.5, 0])


def test_the_spread_of_equal_values_has_slope_0():
    np.testing.assert_array_equal(slope(np.std, np.full(3, 2.0)), np.zeros(3))


# ----- dtype -----
def test_a_whole_training_step_stays_in_float32():
    rng = np.random.default_rng(0)

    def tensor(*shape):
        return at.Tensor(rng.normal(size=shape).astype(np.float32))

    W1, b1, W2, b2 = tensor(5, 4), tensor(5, 1), tensor(3, 5), tensor(3, 1)
    X, Y = rng.normal(size=(4, 8)).astype(np.float32), np.eye(3, dtype=np.float32)[:, rng.integers(3, size=8)]
    Z1 = W1 @ X + b1
    A2 = at.softmax(W2 @ at.relu(Z1) + b2)
    J = -(1 / 8) * np.sum(Y * np.log(A2)) + 0.5 * 1e-3 * np.sum(W1**2)
    J.backward()
    for t in topological_order(J):
        assert t.dtype == np.float32
        assert not t.requires_grad or t.grad.dtype == np.float32
    for p in (W1, b1, W2, b2):
        p.data -= 0.1 * p.grad
        p.data = p.data - 0.1 * p.grad
        assert p.dtype == np.float32


def test_labels_and_counts_may_be_integers_beside_a_tensor():
    x = at.Tensor([0.5, 1.5])
    np.sum(x * np.array([1, 2]) / len(x)).backward()
    assert x.grad.tolist() == [0.5, 1]


# ----- nothing is lost in silence -----
@pytest.mark.parametrize(
    "compute",
    [
        lambda x: np.packbits(x),
        lambda x: np.sort_complex(x),
        lambda x: np.add.at(x, [0], 1.0),
    ],
)
def test_what_has_no_rule_is_an_error_and_never_a_constant(compute):  # advect: interp transposed to zero
    with pytest.raises(UnsupportedError, match=r"has no gradient rule yet|add\.at changes its argument"):
        compute(at.Tensor([1.0, 2.0]))


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: np.array([x[0], x[1]]),
        lambda x: np.sum([x[0], x[1]]),
        lambda x: np.full(2, x[0]),
        lambda x: np.arange(x[0]),
        lambda x: np.ones(2) @ [x[0], x[1]],
        lambda x: np.vectorize(lambda t: t)(x),
        lambda x: np.array([1.0, 2.0]).dot(x),
        lambda x: np.ones(2).put(0, x[0]),
        lambda x: np.ones(2).searchsorted(x[0]),
        lambda x: np.random.default_rng(0).normal(x),
        lambda x: np.ma.array(x),
    ],
)
def test_where_numpy_wants_an_array_a_tensor_is_an_error(compute):
    with pytest.raises(
        UnsupportedError, match=r"is tracked, and turning it into a plain array would lose its gradient"
    ):
        compute(at.Tensor([1.0, 2.0]))


def test_pythons_own_sum_and_max_are_recorded():
    x = at.Tensor([1.0, 3.0])
    (sum(x) * max(x)).backward()
    assert x.grad.tolist() == [3, 7]


# ----- names -----
def test_nothing_that_is_shown_holds_an_address():
    x = at.Tensor([1.0, 2.0])
    y = np.sum(np.tanh(x) * np.ones(2))
    words = [repr(x), repr(y), repr(y.op), *names(topological_order(y), {}).values()]
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - its words are what is tested
        x + np.ones(3)
    for word in (*words, str(raised.value)):
        assert not re.search(r"0x[0-9a-f]{6,}|\d{9,}", word)

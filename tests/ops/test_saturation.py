"""Saturated probabilities: the loss is right and its gradient is exactly A - Y, not nan."""

import numpy as np
import pytest

import autotiny as at

WRONG = ([[800.0], [0.0], [0.0]], [[0.0], [1.0], [0.0]])
RIGHT = ([[800.0], [0.0], [0.0]], [[1.0], [0.0], [0.0]])
MIXED = ([[800.0, 0.0], [0.0, -800.0], [0.0, 800.0]], [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
LOSSES = {
    "softmax and log": lambda Z, Y: -np.sum(Y * np.log(at.softmax(Z))),
    "log_softmax": lambda Z, Y: -np.sum(Y * at.log_softmax(Z)),
    "cross_entropy": lambda Z, Y: at.cross_entropy(Z, Y) * Y.shape[1],
    "logsumexp": lambda Z, Y: np.sum(at.logsumexp(Z, axis=0)) - np.sum(Y * Z),
}
each_precision = pytest.mark.parametrize("dtype", [np.float64, np.float32])
each_loss = pytest.mark.parametrize("name", LOSSES)


def problem(pair, dtype):
    return tuple(np.array(part, dtype=dtype) for part in pair)


@each_precision
@each_loss
@pytest.mark.parametrize(("pair", "loss"), [(WRONG, 800), (RIGHT, 0), (MIXED, 1600)], ids=["wrong", "right", "mixed"])
def test_saturated_loss_and_its_gradient_are_exact(name, pair, loss, dtype):
    Z, Y = problem(pair, dtype)
    value, g = at.value_and_grad(LOSSES[name])(Z, Y)
    assert value == loss
    assert value.dtype == g.dtype == dtype
    np.testing.assert_array_equal(g, at.softmax(Z) - Y)


@each_loss
def test_second_derivatives_of_a_saturated_loss_are_zero(name):
    Z, Y = problem(WRONG, float)
    np.testing.assert_array_equal(at.hessian(LOSSES[name])(Z, Y), np.zeros((3, 1, 3, 1)))


def test_gradient_of_saturated_probabilities_themselves_holds_no_nan():
    Z, Y = at.Tensor(WRONG[0]), np.array(WRONG[1])
    A = at.softmax(Z)
    (-np.sum(Y * np.log(A))).backward()
    np.testing.assert_array_equal(A.grad, [[0], [-np.inf], [0]])  # dJ/dA = -Y / A


@each_precision
@pytest.mark.parametrize(
    ("function", "x", "value", "derivative"),
    [
        (lambda x: np.log(at.sigmoid(x)), -800, -800, 1),
        (lambda x: np.log(at.sigmoid(x)), 800, 0, 0),
        (lambda x: np.log(np.exp(x)), -800, -800, 1),
        (lambda x: np.log(np.exp(x)), 3, 3, 1),
        (lambda x: np.log(at.softmax(x * np.array([1.0, 0.0], x.dtype)))[1], 800, -800, -1),
        (lambda x: at.softplus(x), 800, 800, 1),
        (lambda x: at.logsumexp(x * np.array([1.0, 1.0], x.dtype)) - np.log(2), 80, 80, 1),
    ],
    ids=["log sigmoid -800", "log sigmoid 800", "log exp -800", "log exp 3", "log softmax", "softplus", "logsumexp"],
)
def test_logarithms_of_exponentials_neither_underflow_nor_overflow(function, x, value, derivative, dtype):
    y, g = at.value_and_grad(function)(np.array(x, dtype=dtype))
    np.testing.assert_allclose([y, g], [value, derivative], rtol=4 * np.finfo(dtype).eps)


def test_exponential_used_beside_its_logarithm_gathers_both_gradients():
    x = at.Tensor([0.3, -0.7])
    y = np.exp(x)
    np.sum(np.log(y) * [2.0, 3.0] + y * [5.0, 7.0]).backward()
    np.testing.assert_allclose(x.grad, [2 + 5 * np.exp(0.3), 3 + 7 * np.exp(-0.7)], rtol=1e-15)


def test_one_class_has_no_gradient():
    np.testing.assert_array_equal(at.grad(lambda Z: at.cross_entropy(Z, [0, 0]))(np.ones((1, 2))), np.zeros((1, 2)))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_logarithm_of_softmax_along_any_axis_is_log_softmax(axis):
    Z, u = np.random.default_rng(0).normal(size=(2, 2, 3, 4))
    value, g = at.value_and_grad(lambda Z: np.sum(u * np.log(at.softmax(Z, axis))))(Z)
    expected_value, expected = at.value_and_grad(lambda Z: np.sum(u * at.log_softmax(Z, axis)))(Z)
    np.testing.assert_allclose(value, expected_value, rtol=1e-14)
    np.testing.assert_allclose(g, expected, rtol=1e-13, atol=1e-15)

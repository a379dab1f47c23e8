"""Tests of the tests: the oracles reject a rule that is slightly wrong, and accept a right one in hard places."""

import functools

import numpy as np
import pytest

import autotiny as at
import oracles

ORACLES = {
    "complex": oracles.complex_step,
    "extended": oracles.differences,
    "double": functools.partial(oracles.differences, dtype=np.float64, step=2.0**-5),
}
each_oracle = pytest.mark.parametrize("oracle", ORACLES.values(), ids=ORACLES)


@at.operation(lambda g, y, x: g * 3 * x**2)
def cube(x):
    return x * x * x


@at.operation(lambda g, y, x: g * 3.0015 * x**2)
def nearly_cube(x):
    return x * x * x


@at.operation(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a * np.where(a == a.max(), 1.0005, 1.0))
def nearly_product(a, b):
    return a * b


def excess(function, args, oracle, dtype=np.float64):
    """The largest over the arguments, for a random upstream gradient."""
    args = [np.asarray(arg, dtype=dtype) for arg in args]
    value, pull = at.vjp(function, *args)
    u = np.random.default_rng(0).uniform(-1, 1, value.shape).astype(dtype)
    jacobians = oracle(function, [arg.astype(float) for arg in args])
    eps = np.finfo(dtype).eps
    return max(oracles.excess(g, u, jacobian, eps) for g, jacobian in zip(pull(u), jacobians, strict=True))


def slope(function, args):
    args = [np.asarray(arg, dtype=float) for arg in args]
    rng = np.random.default_rng(0)
    value, pull = at.vjp(function, *args)
    u, directions = rng.uniform(-1, 1, value.shape), [rng.uniform(-1, 1, arg.shape) for arg in args]
    return oracles.taylor_slope(function, pull(u), args, u, directions)


X = np.array([[0.3, -1.2, 2.5], [1.7, 0.01, -0.4]])


@each_oracle
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rule_wrong_by_one_part_in_two_thousand_is_caught(oracle, dtype):
    assert excess(nearly_cube, [X], oracle, dtype) > 10
    assert excess(cube, [X], oracle, dtype) <= 1


@each_oracle
def test_one_wrong_entry_is_caught(oracle):
    assert excess(nearly_product, [X, X[0]], oracle) > 10
    assert excess(np.multiply, [X, X[0]], oracle) <= 1


def test_remainder_of_a_wrong_rule_is_first_order():
    assert slope(nearly_cube, [X]) == pytest.approx(1, abs=0.1)
    assert slope(nearly_product, [X, X[0]]) == pytest.approx(1, abs=0.1)


def test_remainder_of_a_right_rule_is_second_order():
    assert slope(cube, [X]) == pytest.approx(2, abs=0.1)
    assert slope(np.multiply, [X, X[0]]) == pytest.approx(2, abs=0.1)


def test_remainder_of_a_linear_function_is_rounding():
    assert slope(np.cumsum, [X]) == np.inf


@pytest.mark.parametrize("distance", [1e-2, 1e-3, 2e-4])
@pytest.mark.parametrize("function", [at.relu, np.abs, lambda x: np.maximum(x, 0), lambda x: np.clip(x, 0, 1)])
def test_right_rule_near_a_kink_passes(function, distance):
    assert excess(function, [[distance, -distance]], oracles.differences) <= 1


def test_wrong_side_of_a_kink_is_caught():
    jacobian = oracles.differences(np.abs, [np.array([1e-3])])[0]
    assert oracles.excess(np.array([-1.0]), np.array([1.0]), jacobian, np.finfo(float).eps) > 100


@each_oracle
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", [cube, np.sqrt, np.log, np.square])
def test_right_rule_at_a_million_passes_and_a_wrong_one_does_not(oracle, dtype, function):
    x = np.array([1e6, 1.5e6])
    assert excess(function, [x], oracle, dtype) <= 1
    assert excess(nearly_cube, [x], oracle, dtype) > 10


@each_oracle
@pytest.mark.parametrize(("function", "derivative"), [(np.exp, np.exp), (np.sin, np.cos), (np.log, np.reciprocal)])
def test_oracles_know_their_own_error(oracle, function, derivative):
    x = np.linspace(0.3, 4, 40)
    (jacobian,) = oracle(function, [x])
    away = abs(jacobian.values - np.diag(derivative(x.astype(np.longdouble))))
    assert np.all(away <= jacobian.errors)
    assert np.max(jacobian.errors) < 1e-9


def test_complex_step_sees_that_a_function_is_not_analytic():
    (jacobian,) = oracles.complex_step(np.abs, [np.array([-2.0])])
    assert oracles.excess(np.array([-1.0]), np.array([1.0]), jacobian, np.finfo(float).eps) > 10


def test_functions_of_no_entries_have_an_empty_jacobian():
    for oracle in ORACLES.values():
        (jacobian,) = oracle(np.cumsum, [np.zeros(0)])
        assert jacobian.values.shape == (0, 0)
        assert oracles.excess(np.zeros(0), np.zeros(0), jacobian, 1e-16) == 0

import gc

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import ValueNeededError, apply, symbol, term, topological_order
from autotiny.engine.modes import Switch, Tracer
from autotiny.errors import ShapeError


@pytest.fixture
def x():
    return symbol("x", np.array([[1.0, -2.0], [3.0, 4.0]]))


FUNCTIONS = [
    lambda x: np.exp(x) / np.sum(np.exp(x), axis=0),
    lambda x: at.softmax(x, axis=1) @ x.T,
    lambda x: np.where(x > 0, x, 0.0) + at.relu(x),
    lambda x: np.concatenate([x, 2 * x])[1:, 0],
    lambda x: np.mean(x, axis=0, keepdims=True) - np.max(x),
    lambda x: np.array([[1.0, 2.0]]) @ x - x.reshape(4)[:2],
    lambda x: np.sort(x, axis=0),
    lambda x: (x == x.max()) & (x >= 0),
    lambda x: np.zeros_like(x) + np.argmax(x, axis=0),
]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_formula_has_the_value_of_the_code_that_built_it(x, f):
    np.testing.assert_array_equal(f(x).value, f(x.value))


def test_equal_formulas_are_one_object(x):
    assert np.exp(x) + 2.0 is np.exp(x) + 2.0
    assert x[0, 1:] is x[0, 1:]
    assert x + 2 is not x + 2.0  # they differ in the type that they give to float32


def test_two_symbols_of_one_name_and_value_are_two():
    assert symbol("x", 1.0) is not symbol("x", 1.0)


def test_arrays_that_are_equal_today_are_two_constants(x):
    one, other = np.ones((2, 2)), np.ones((2, 2))
    assert x + one is x + one
    assert x + one is not x + other


def test_dropped_formulas_leave_nothing_behind(x):
    gc.disable()
    try:
        before = len(term._terms)
        y = np.tanh(x * 3.25) + 1.5
        del y
        assert len(term._terms) == before
    finally:
        gc.enable()


def test_operands_come_before_results(x):
    y = np.exp(x) * x
    assert topological_order(y + x) == [x, np.exp(x), y, y + x]


def test_operation_on_constants_is_a_constant(x):
    assert (x * 0 + np.float64(2) * 3).args[1].is_constant


@pytest.mark.parametrize("ask", [bool, float, int, np.asarray, lambda v: [1, 2][v], lambda v: v.item()])
def test_asking_for_a_value_names_the_line(ask):
    x0 = symbol("x0", 1.0)
    with pytest.raises(ValueNeededError, match=r"value of x0 was asked for at test_term.py:\d+: "):
        ask(x0)


def test_wrong_shapes_are_told_in_the_users_words(x):
    with pytest.raises(ShapeError, match=r"matmul: x \(2, 2\) @ w \(3,\): inner sizes 2 and 3 differ"):
        x @ symbol("w", np.ones(3))


TRANSFORMS = [
    at.grad(lambda x: np.sum(np.log(at.softmax(x)) * x)),
    lambda x: at.value_and_grad(lambda x: np.sum(np.tanh(x @ x)))(x)[1],
    at.hessian(lambda x: np.sum(x**3)),
    lambda x: at.jvp(np.tanh, (x,), (x,))[1],
    lambda x: at.hvp(lambda x: np.sum(np.exp(x)))(x, x),
]


class Formulas(Tracer):
    __call__ = staticmethod(apply)


@pytest.mark.parametrize("f", TRANSFORMS)
def test_backprop_on_tensors_that_hold_formulas_gives_the_formula_of_the_gradient(x, f):
    with Switch("tracing", Formulas()):
        gradient = f(x)
    np.testing.assert_allclose(gradient.value, f(x.value), rtol=1e-14)


def test_tensor_and_formula_meet_in_a_tensor(x):
    W = at.Tensor(np.eye(2))
    for y in (W @ x, x @ W, np.exp(x) + W, np.concatenate([x, W])):
        assert isinstance(y, at.Tensor)

from functools import partial

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten
from autotiny.errors import UnsupportedError

W = np.array([1.0, 2.0])
RATE = 0.5


def scaled(x):
    return RATE * x


def test_captured_array_that_is_written_to_is_noticed():
    A = np.array([1.0, 2.0])
    f = at.compile(lambda x: A * x)
    x = np.array([3.0, 4.0])
    np.testing.assert_array_equal(f(x), [3, 8])
    A[0] = 10
    np.testing.assert_array_equal(f(x), [30, 8])


def test_large_captured_array_that_is_written_to_is_noticed():
    A = np.ones((300, 300))
    f = at.compile(lambda x: np.sum(A) * x)
    assert f(1.0) == 90000
    A[7, 11] = 2
    assert f(1.0) == 90001


def test_captured_variable_that_is_assigned_is_noticed(monkeypatch):
    f = at.compile(lambda x: W * scaled(x))
    np.testing.assert_array_equal(f(np.ones(2)), [0.5, 1])
    monkeypatch.setitem(globals(), "RATE", 2.0)
    np.testing.assert_array_equal(f(np.ones(2)), [2, 4])
    monkeypatch.setitem(globals(), "W", np.array([0.0, 1.0]))
    np.testing.assert_array_equal(f(np.ones(2)), [0, 2])


def test_cell_of_a_closure_that_is_assigned_is_noticed():
    rate = 1.0

    def set_rate(value):
        nonlocal rate
        rate = value

    f = at.compile(lambda x: rate * x)
    assert f(3.0) == 3
    set_rate(2.0)
    assert f(3.0) == 6


def test_attribute_of_an_object_is_noticed():
    class Model:
        def __init__(self):
            self.scale = 2.0
            self.layers = [np.ones(2)]

        def __call__(self, x):
            return self.scale * x + self.layers[0]

        def twice(self, x):
            return 2 * self(x)

    model = Model()
    for f, times in ((at.compile(model), 1), (at.compile(model.twice), 2)):
        model.scale, model.layers[0] = 2.0, np.ones(2)
        np.testing.assert_array_equal(f(np.ones(2)), np.full(2, 3.0) * times)
        model.scale = 5.0
        np.testing.assert_array_equal(f(np.ones(2)), np.full(2, 6.0) * times)
        model.layers[0] = np.zeros(2)
        np.testing.assert_array_equal(f(np.ones(2)), np.full(2, 5.0) * times)


def test_value_of_a_captured_tensor_is_noticed():
    V = at.Tensor([1.0, 2.0])
    f = at.compile(lambda x: at.grad(lambda x: np.sum(V.detach() * x))(x))
    np.testing.assert_array_equal(f(np.ones(2)), [1, 2])
    V.data = [3.0, 4.0]
    np.testing.assert_array_equal(f(np.ones(2)), [3, 4])


def test_backward_to_a_captured_tensor_is_refused_and_leaves_no_formula_there():
    V = at.Tensor([1.0, 2.0], name="V")

    def f(x):
        np.sum(V * x).backward()
        return V.grad

    with pytest.raises(UnsupportedError, match=r"backward\(\) would fill .grad of V from outside only once; pass its"):
        at.compile(f)(np.ones(2))
    assert V.grad is None


GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize(
    "draws",
    [
        lambda x: x + GENERATOR.normal(),
        lambda x: x + np.random.rand(),
        lambda x: x + np.random.default_rng().normal(size=2),
    ],
)
def test_random_numbers_drawn_inside_are_refused(draws):
    with pytest.raises(UnsupportedError, match=r"draws random numbers, .* draw them outside"):
        at.compile(draws)(np.ones(2))


def test_random_numbers_of_a_fixed_seed_are_constants():
    f = at.compile(lambda x: x + np.random.default_rng(3).normal(size=2))
    np.testing.assert_array_equal(f(np.zeros(2)), np.random.default_rng(3).normal(size=2))


class Settings:
    rate = 1.0


class Model:
    scale = 1.0

    def loss(self, w):
        return np.sum(w * w) * self.scale


@pytest.mark.parametrize("transform", [at.grad, at.hessian, at.value_and_grad, lambda f: partial(f)])
def test_what_is_seen_through_a_derivative_or_a_partial_is_noticed(transform):
    scale = 1.0
    f = transform(lambda w: np.sum(w * w * w) * scale)
    step, w = at.compile(f), np.array([1.0, 2.0])
    step(w)
    scale = 3.0
    for compiled, eager in zip(flatten(step(w))[0], flatten(f(w))[0], strict=True):
        np.testing.assert_array_equal(compiled, eager)


def test_attributes_of_classes_are_noticed(monkeypatch):
    step = at.compile(lambda w: w * Settings.rate)
    step(1.0)
    monkeypatch.setattr(Settings, "rate", 7.0)
    assert step(1.0) == 7.0


def test_an_attribute_that_comes_and_goes_is_noticed():
    model, w = Model(), np.array([1.0])
    step = at.compile(at.grad(model.loss))
    assert step(w) == 2.0
    model.scale = 4.0
    assert step(w) == 8.0
    del model.scale
    assert step(w) == 2.0

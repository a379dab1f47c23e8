"""What holds for every layer: its derivatives by differences, compiled as recorded, in single precision."""

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten
from nn.layers import LAYERS

each_layer = pytest.mark.parametrize("name", LAYERS)


def total(layer):
    """A number that depends on every entry of every result of a layer."""

    def loss(*arrays):
        results = flatten(layer(*arrays))[0]
        return sum(np.sum(y * np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype)) for y in results)

    return loss


def gradients(name, dtype=float):
    layer, arrays = LAYERS[name]
    arrays = [x.astype(dtype) for x in arrays]
    return at.value_and_grad(total(layer), argnums=tuple(range(len(arrays)))), arrays


@each_layer
def test_derivatives_are_those_of_differences(name):
    layer, arrays = LAYERS[name]
    at.check_gradients(total(layer), *arrays)


@pytest.mark.parametrize("name", [name for name, (_, arrays) in LAYERS.items() if sum(x.size for x in arrays) < 70])
def test_second_derivatives_are_those_of_differences(name):
    layer, arrays = LAYERS[name]
    at.check_gradients(total(layer), *arrays, order=2)


@each_layer
def test_value_on_arrays_is_that_on_tensors(name):
    layer, arrays = LAYERS[name]
    for plain, recorded in zip(flatten(layer(*arrays))[0], flatten(layer(*map(at.Tensor, arrays)))[0], strict=True):
        assert type(plain) is np.ndarray
        np.testing.assert_array_equal(plain, recorded.data, strict=True)


@each_layer
def test_compiled_gradients_are_the_recorded_ones(name):
    if name == "dropout":
        pytest.skip("it draws another mask in each call")
    both, arrays = gradients(name)
    value, expected = both(*arrays)
    step = at.compile(both)
    for _ in range(2):
        compiled_value, compiled = step(*arrays)
        np.testing.assert_allclose(compiled_value, value, rtol=1e-13)
        for g, e in zip(compiled, expected, strict=True):
            np.testing.assert_allclose(g, e, rtol=1e-11, atol=1e-13)


@each_layer
def test_single_precision_stays(name):
    single, arrays = gradients(name, np.float32)
    double, exact = gradients(name)
    value, found = single(*arrays)
    assert value.dtype == np.float32
    for g, e in zip(found, double(*exact)[1], strict=True):
        assert g.dtype == np.float32
        np.testing.assert_allclose(g, e, rtol=1e-3, atol=2e-5)


@each_layer
def test_forward_mode_is_the_transpose_of_reverse_mode(name):
    layer, arrays = LAYERS[name]
    rng = np.random.default_rng(0)
    tangents = [rng.normal(size=x.shape) for x in arrays]
    slope = at.jvp(total(layer), arrays, tangents)[1]
    _, g = gradients(name)[0](*arrays)
    np.testing.assert_allclose(slope, sum(np.sum(a * t) for a, t in zip(g, tangents, strict=True)), rtol=1e-10)

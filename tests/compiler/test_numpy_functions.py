"""Every composition of the table, compiled: the first of its calls in tools/width.txt gives the recorded numbers."""

import numpy as np
import pytest

import autotiny as at
import width
from autotiny.engine.pytree import flatten
from autotiny.errors import UnsupportedError
from autotiny.ops import COMPOSED

SETS = {name for name in width.calls() if "1d" in name.partition("_")[0] or name.startswith("unique")} - {"ediff1d"}
OPEN_TYPES = {name for name in width.calls() if name.startswith("emath.")}
"""Functions whose result is complex where values ask for it, which a program leaves open."""
OPEN_SHAPES = {"piecewise", "extract", "trim_zeros", "polymul", "polydiv"} | SETS
"""Functions whose result has a shape that depends on values, which a program leaves open."""
FIRST = {
    name: texts[0]
    for name, texts in width.calls().items()
    if width.named(name) in COMPOSED and texts[0][0] != "!" and width.function(texts[0])[0]
}


def value_and_gradients(text):
    """A call as a number with its gradients, and its arguments."""
    names, f = width.function(text)

    def loss(*args):
        parts = enumerate(width.parts(f(*args)))
        return sum(np.sum(np.cos(np.arange(np.size(y)) + k).reshape(np.shape(y)) * y) for k, y in parts)

    args = [width.TRACKED[name] for name in names]
    return at.value_and_grad(loss, tuple(range(len(args)))), args


@pytest.mark.parametrize("name", sorted(FIRST.keys() - OPEN_SHAPES - OPEN_TYPES))
@pytest.mark.filterwarnings("ignore:invalid value")
def test_compiled_function_is_the_recorded_one(name):
    f, args = value_and_gradients(FIRST[name])
    for actual, expected in zip(flatten(at.compile(f)(*args))[0], flatten(f(*args))[0], strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", sorted(OPEN_SHAPES - {"polymul", "polydiv"}))
def test_a_shape_that_depends_on_values_is_an_error_of_the_compiler(name):
    f, args = value_and_gradients(width.calls()[name][-1])
    with pytest.raises(UnsupportedError, match="how many entries it has depends on values"):
        at.compile(f)(*args)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("point", [-2.0, 0.0, 3.0])
def test_a_step_of_a_number_is_a_scalar_as_numpy_has_it(dtype, point):
    f = lambda x: np.heaviside(np.sum(x), 0.5)
    expected, got = f(np.array([point], dtype)), at.compile(f)(np.array([point], dtype))
    assert (type(got), got.dtype, got) == (type(expected), expected.dtype, expected)


NONE = np.empty((0, 2), np.float32)
LIKE_NUMPY = [
    (lambda x: np.dot(3, x), np.ones(2, np.float32)),
    (lambda x: np.inner(x, 0.5), np.ones((1, 2), np.float32)),
    (lambda x: np.copysign(x, -1.0), np.array(2.0)),
    (lambda x: np.copysign(np.sum(x), np.max(x)), np.ones(2, np.float32)),
    (lambda x: np.modf(x), np.array([1, -2])),
    (lambda x: np.interp(x, [0.0, 1.0], [3.0, 4.0]), np.float64(0.5)),
    (lambda x: np.pad(x, 2, mode="reflect", reflect_type="odd"), 0.5),
    (lambda x: np.logaddexp.reduce(x, axis=0), NONE),
    (lambda x: np.logaddexp.reduce(x, axis=None), NONE),
    (lambda x: np.unwrap(x, axis=0), NONE),
    (lambda x: np.median(x), NONE),
    *([(lambda x: np.cumulative_sum(x, axis=0, include_initial=True), NONE)] if hasattr(np, "cumulative_sum") else []),
    (lambda x: np.nanmedian(x, axis=0), NONE),
    (lambda x: np.median(x, axis=0, keepdims=True), NONE),
]
"""Functions whose result has a type of its own for numbers, or for no entries."""


@pytest.mark.parametrize(("f", "x"), LIKE_NUMPY)
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_numbers_and_empty_arrays_give_the_types_of_numpy(f, x):
    for got, expected in zip(flatten(at.compile(f)(x))[0], flatten(f(x))[0], strict=True):
        assert type(got) is type(expected)
        np.testing.assert_array_equal(got, expected, strict=True)

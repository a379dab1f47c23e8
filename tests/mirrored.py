"""Claims about calls of the mirror of SciPy: `f(module, *arrays)` with SciPy's module, and with the mirror."""

import numpy as np

import autotiny as at
import oracles
from autotiny.engine.pytree import flatten


def floating(outputs):
    """The arrays of floating point among the outputs."""
    return [y for y in flatten(outputs)[0] if getattr(y, "dtype", np.dtype(bool)).kind == "f"]


def assert_values_are_scipys(f, mirror, original, args, dtype=np.float64):
    args = [np.asarray(x, dtype) for x in args]
    recorded, expected = floating(f(mirror, *map(at.Tensor, args))), floating(f(original, *args))
    eps = np.finfo(dtype).eps
    for y, wanted in zip(recorded, expected, strict=True):
        assert (np.shape(y), y.dtype) == (np.shape(wanted), wanted.dtype)
        np.testing.assert_allclose(np.asarray(getattr(y, "data", y)), wanted, rtol=400 * eps, atol=400 * eps)
    for y, wanted in zip(floating(f(mirror, *args)), expected, strict=True):
        np.testing.assert_array_equal(y, wanted)


def total(f, module, args):
    """A function of the arguments that all entries of all outputs enter with factors of their own."""
    sizes = [(np.size(y), np.shape(y)) for y in floating(f(module, *args))]
    factors = [np.cos(1.0 + k + np.arange(size)).reshape(shape) for k, (size, shape) in enumerate(sizes)]
    return lambda *x: sum(np.sum(c * y) for c, y in zip(factors, floating(f(module, *x)), strict=True))


def gradient(f, mirror, args):
    return at.grad(total(f, mirror, args), argnums=tuple(range(len(args))))


def assert_gradients_are_those_of_differences(f, mirror, original, args):
    args = [np.asarray(x, float) for x in args]
    expected = oracles.differences(total(f, original, args), args, np.float64, 2.0**-6)
    for g, x, jacobian in zip(gradient(f, mirror, args)(*args), args, expected, strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)
        slack = 1e-9 * np.max(abs(jacobian.values), initial=1) + 4 * jacobian.errors[0]
        assert np.all(abs(np.ravel(g) - jacobian.values[0]) <= slack)


def assert_second_derivatives_are_those_of_differences(f, mirror, args):
    args = [np.asarray(x, float) for x in args]
    first = gradient(f, mirror, args)
    along = [np.sin(1.0 + k + np.arange(x.size)).reshape(x.shape) for k, x in enumerate(args)]
    second = at.jvp(first, tuple(args), tuple(along))[1]
    line = lambda t: list(first(*[x + t * v for x, v in zip(args, along, strict=True)]))
    (expected,) = oracles.differences(line, [np.zeros(())], np.float64, 2.0**-8)
    slack = 1e-8 * np.max(abs(expected.values), initial=1) + 4 * expected.errors[:, 0]
    assert np.all(abs(oracles.flat(second) - expected.values[:, 0]) <= slack)


def assert_a_program_computes_the_same(f, mirror, args):
    args = [np.asarray(x, float) for x in args]
    step = at.value_and_grad(total(f, mirror, args), argnums=tuple(range(len(args))))
    value, gradients = step(*args)
    program = at.compile(step)
    for _ in range(2):
        again, compiled = program(*args)
        np.testing.assert_allclose(again, value, rtol=1e-12, atol=1e-13)
        for g, expected in zip(compiled, gradients, strict=True):
            np.testing.assert_allclose(g, expected, rtol=1e-9, atol=1e-11)

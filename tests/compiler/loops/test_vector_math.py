"""The functions that loops call are as accurate as NumPy's, right at the limits, and become vector code."""

import re

import numpy as np
import pytest

from autotiny.compiler.loops import vector_math
from ulps import EXACT, errors, points

numba = pytest.importorskip("numba")
add_to, multiply_to, multiply_add = vector_math.add_to, vector_math.multiply_to, vector_math.multiply_add
maximum, minimum, logaddexp = vector_math.maximum, vector_math.minimum, vector_math.logaddexp

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, 0.5, -0.5]
"""Arguments at which a function may be 0, infinite or nan."""


def kernel(names):
    """Return a function compiled once, each of whose loops computes one of the functions."""
    lines = [f"    for i in range(x.shape[1]): y[{k}, i] = {name}(x[{k}, i])" for k, name in enumerate(names)]
    namespace = {name: getattr(vector_math, name) for name in names}
    exec("\n".join(["def loops(x, y):", *lines]), namespace)
    return numba.njit(error_model="numpy", nogil=True)(namespace["loops"])


@pytest.fixture(scope="module")
def loops():
    return kernel(EXACT)


def special(dtype):
    limits = np.finfo(dtype)
    sizes = [limits.max, limits.tiny, limits.smallest_subnormal]
    return np.array([*SPECIAL, *sizes, *(-size for size in sizes)], dtype)


def by_numpy(name, x):
    """Return what NumPy computes; the two functions that it lacks follow from those that it has."""
    with np.errstate(all="ignore"):
        if name == "sigmoid":
            return 1 / (1 + np.exp(-x))
        return np.logaddexp(x.dtype.type(0), x) if name == "softplus" else getattr(np, name)(x)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_functions_err_by_two_units_in_the_last_place_at_most(loops, dtype):
    x = np.ones((len(EXACT), 2000), dtype)
    for k, name in enumerate(EXACT):
        some = points(name, dtype, 280)
        x[k, : some.size] = some
    loops(x, y := np.empty_like(x))
    worst = {name: errors(EXACT[name], x[k], y[k]).max() for k, name in enumerate(EXACT)}
    assert max(worst.values()) <= 2, worst


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_functions_are_those_of_numpy_at_limits(loops, dtype):
    x = np.tile(special(dtype), (len(EXACT), 1))
    loops(x, y := np.empty_like(x))
    for k, name in enumerate(EXACT):
        expected = by_numpy(name, x[k])
        np.testing.assert_allclose(y[k], expected, rtol=4 * np.finfo(dtype).eps, atol=0, err_msg=name)
        assert (np.signbit(y[k]) == np.signbit(expected))[~np.isnan(expected)].all(), name


def test_every_function_becomes_vector_code(loops):
    loops(np.ones((len(EXACT), 1), "float32"), np.ones((len(EXACT), 1), "float32"))
    code = loops.inspect_llvm(loops.signatures[-1])
    assert len(re.findall(r"^vector\.body\d*:", code, re.MULTILINE)) == len(EXACT)


def test_errors_are_counted_in_units_in_the_last_place():
    x = np.array([0.0, 1.0, 1000.0, -1000.0])
    near = np.exp(x[:2])
    computed = np.array([near[0] + 3 * np.spacing(near[0]), near[1], np.inf, 5e-324])
    assert errors(EXACT["exp"], x, computed) == pytest.approx([3, 0, 0, 1], abs=0.5)
    assert errors(EXACT["exp"], np.array([1.0]), np.array([np.inf])) == np.inf


@numba.njit(error_model="numpy")
def folds(x, y):
    total, product, dot, least, greatest = x[0], x[0], x[0], x[0], x[0]
    for i in range(x.size):
        total = add_to(total, x[i])
        product = multiply_to(product, x[i])
        dot = multiply_add(dot, x[i], y[i])
        least = minimum(least, x[i])
        greatest = maximum(greatest, y[i])
    return total, product, dot, least, greatest


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "uint8", "bool"])
def test_sums_products_and_extremes_are_those_of_numpy(dtype):
    rng = np.random.default_rng(0)
    x, y = (rng.uniform(0.5, 2.5, 75).astype(dtype) for _ in range(2))
    with np.errstate(over="ignore"):
        dot = np.sum(x * y, dtype=dtype)
        expected = (x[0] + x.sum(dtype=dtype), x[0] * x.prod(dtype=dtype), x[0] + dot, x.min(), max(x[0], y.max()))
    np.testing.assert_allclose(folds(x, y), expected, rtol=1e-5 if dtype == "float32" else 1e-13)


def test_nan_is_the_least_and_the_greatest():
    for x in ([np.nan, 1.0], [1.0, np.nan], [-np.inf, np.nan]):
        assert np.isnan(folds(np.array(x), np.array(x))[3:]).all()


def test_logaddexp_is_that_of_numpy():
    x, y = (one.ravel() for one in np.meshgrid(*[np.append(special("float64"), np.linspace(-3, 3, 60))] * 2))
    with np.errstate(all="ignore"):
        expected = np.logaddexp(x, y)
    np.testing.assert_allclose(of_two(x, y), expected, rtol=1e-15, atol=1e-15)


@numba.njit(error_model="numpy")
def of_two(x, y):
    z = np.empty_like(x)
    for i in range(x.size):
        z[i] = logaddexp(x[i], y[i])
    return z

"""The functions that loops call are as accurate as NumPy's, right at the limits, and become vector code."""

import re

import numpy as np
import pytest

import autotiny as at
from autotiny.compiler.loops import vector_math
from ulps import EXACT, errors, points

numba = pytest.importorskip("numba")
arithmetic = pytest.importorskip("autotiny.compiler.loops.arithmetic")
logaddexp, wide_vectors = vector_math.logaddexp, vector_math.wide_vectors

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, 0.5, -0.5]
"""Arguments at which a function may be 0, infinite or nan."""


def kernel(names):
    """Return a function compiled once, each of whose loops computes one of the functions."""
    lines = [f"    for i in range(x.shape[1]): y[{k}, i] = {name}(x[{k}, i])" for k, name in enumerate(names)]
    namespace = {name: getattr(vector_math, name) for name in names}
    namespace["wide_vectors"] = wide_vectors
    exec("\n".join(["def loops(x, y):", "    wide_vectors()", *lines]), namespace)
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
    total, least, greatest = x[0], x[0], x[0]
    for i in range(x.size):
        total = arithmetic.add_to(total, x[i])
        least = arithmetic.minimum(least, x[i])
        greatest = arithmetic.maximum(greatest, y[i])
    return total, least, greatest


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_sums_and_extremes_are_those_of_numpy(dtype):
    rng = np.random.default_rng(0)
    x, y = (rng.uniform(-9, 9, 75).astype(dtype) for _ in range(2))
    expected = (x[0] + x.sum(), x.min(), max(x[0], y.max()))
    np.testing.assert_allclose(folds(x, y), expected, rtol=1e-5 if dtype == "float32" else 1e-13)
    assert "vector.body" in folds.inspect_llvm(folds.signatures[-1])


def test_nan_is_the_least_and_the_greatest():
    for x in ([np.nan, 1.0], [1.0, np.nan], [-np.inf, np.nan]):
        assert np.isnan(folds(np.array(x), np.array(x))[1:]).all()


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


# ----- functions that NumPy has and C has not, or has otherwise -----
def of_signs(x, y):
    return [np.sign(x), np.signbit(x), np.copysign(x, y), np.heaviside(x, y), np.remainder(x, y), np.fmod(x, y)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_signs_and_remainders_are_those_of_numpy_in_one_kernel(dtype):
    one = np.append(special(dtype), np.array([2.5, -2.5, 7, -7, 0.3, -0.3], dtype))
    x, y = (grid.ravel() for grid in np.meshgrid(one, one))
    step = at.compile(of_signs, backend="numba")
    with np.errstate(all="ignore"):
        pairs = zip(step(x, y), of_signs(x, y), strict=True)
    for computed, expected in pairs:
        np.testing.assert_array_equal(computed, expected, strict=True)
        if expected.dtype != bool:
            assert (np.signbit(computed) == np.signbit(expected))[~np.isnan(expected)].all()
    assert step.source.count("@njit") == 1


def test_sign_of_integers_is_an_integer():
    step, x = at.compile(lambda x: np.sign(x) * np.abs(x), backend="numba"), np.array([-3, 0, 5])
    np.testing.assert_array_equal(step(x), x, strict=True)
    assert "sign(x[" in step.source

"""Random programs, compiled, give what they give eagerly: entry for entry, type for type, nan for nan."""

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten
from compiler.programs import random_leaves, random_program

OPERATIONS = 200
"""More than a program of the generator's has, its gradient included."""


def assert_same(got, expected):
    expected, got = flatten(expected)[0], flatten(got)[0]
    scale = max(np.abs(x[np.isfinite(x)]).max(initial=1) for x in map(np.atleast_1d, expected))
    for a, b in zip(got, expected, strict=True):
        assert (type(a), a.dtype, a.shape) == (type(b), b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=0, atol=4 * OPERATIONS * np.finfo(b.dtype).eps * scale)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(300))
def test_random_program_gives_the_same_compiled(seed, dtype):
    f, leaves = random_program(seed), random_leaves(seed, dtype)
    compiled = at.compile(f)
    others = random_leaves(seed + 1, dtype)
    for values in (leaves, others, leaves):
        assert_same(compiled(*values), f(*values))


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf, 0.0])
def test_random_program_gives_the_same_on_nan_and_infinity(seed, spoilt):
    f, leaves = random_program(seed), random_leaves(seed, np.float64)
    compiled = at.compile(f)
    compiled(*leaves)
    leaves[0][1, 2] = spoilt
    expected, got = flatten(f(*leaves))[0], flatten(compiled(*leaves))[0]
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)

"""Functions of sets on Tensors: the values and places of NumPy, and gradients at the first of equal entries."""

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten
from autotiny.errors import UnsupportedError

SHAPES = [(5,), (3, 4), (0,), (2, 3, 2), (1,), (3, 0), ()]
ONE = [
    np.unique,
    lambda x: np.unique(x, True, True, True),
    lambda x: np.unique(x, True, True, True, equal_nan=False),
    np.unique_values,
    np.unique_counts,
    np.unique_all,
    np.unique_inverse,
]
TWO = [
    np.union1d,
    np.intersect1d,
    np.setdiff1d,
    np.setxor1d,
    lambda x, y: np.intersect1d(x, y, return_indices=True),
    lambda x, y: np.intersect1d(np.unique(x), np.unique(y)[::-1], assume_unique=True, return_indices=True),
    lambda x, y: np.setdiff1d(np.unique(x), y, assume_unique=True),
    lambda x, y: np.setxor1d(np.unique(x), np.unique(y), assume_unique=True),
]


def entries(shape, number, missing=False):
    """A few numbers, many of them equal; some nan if they may be `missing`."""
    rng = np.random.default_rng(number)
    x = rng.integers(0, 4, size=shape).astype(float)
    return np.where(rng.random(shape) < 0.3, np.nan, x) if missing else x


def assert_same(actual, expected):
    """Assert that results are those of NumPy, with their types and names."""
    assert type(actual).__name__ == type(expected).__name__ or not isinstance(expected, tuple)
    for a, b in zip(flatten(actual)[0], flatten(expected)[0], strict=True):
        a = a.data if isinstance(a, at.Tensor) else a
        assert (np.shape(a), a.dtype.kind) == (np.shape(b), b.dtype.kind)
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("f", ONE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("missing", [False, True])
def test_entries_of_one_array_are_those_of_numpy(f, shape, missing):
    for number in range(5):
        x = entries(shape, number, missing)
        assert_same(f(at.Tensor(x)), f(x))


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2), (3, 0), (0, 3), (4, 1)], ids=str)
def test_lines_along_an_axis_are_those_of_numpy(shape):
    for axis in range(-len(shape), len(shape)):
        x = np.minimum(entries(shape, axis + 3), 1)
        assert_same(np.unique(at.Tensor(x), True, True, True, axis), np.unique(x, True, True, True, axis))


@pytest.mark.parametrize("f", TWO)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_entries_of_two_arrays_are_those_of_numpy(f, shape):
    for number in range(5):
        x, y = entries(shape, number), entries((4,), number + 9)
        assert_same(f(at.Tensor(x), at.Tensor(y)), f(x, y))
        assert_same(f(at.Tensor(y), x), f(y, x))


def test_of_equal_entries_the_first_receives_the_gradient():
    x = np.array([2.0, 1.0, 2.0, 1.0])
    np.testing.assert_array_equal(at.grad(lambda x: np.sum(np.unique(x) * [3, 5]))(x), [5, 3, 0, 0])


def test_a_program_refuses_what_depends_on_values():
    with pytest.raises(UnsupportedError, match="how many entries it has depends on values"):
        at.compile(lambda x: np.sum(np.unique(x)))(np.ones(3))

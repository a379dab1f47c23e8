"""The options of a ufunc's call: type, casting, order, axes; what NumPy refuses is refused."""

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import ShapeError, UnsupportedError

rng = np.random.default_rng(3)
M, V = rng.normal(size=(3, 3, 3)), rng.normal(size=(3, 3))
TYPED = [
    lambda x: np.add(x, x, dtype=np.float32),
    lambda x: np.add(x, 1, dtype=np.float32),
    lambda x: np.sin(x, dtype="f4", order="F"),
    lambda x: np.add(x, 1, casting="no", subok=False),
    lambda x: np.multiply(x, [1, 2, 3], casting="safe"),
    lambda x: np.divmod(x, 2, dtype="f4")[1],
    lambda x: np.add.outer(x, x, dtype=np.float32),
    lambda x: np.maximum.accumulate(x, axis=1, dtype=np.float32),
]


@pytest.mark.parametrize("f", TYPED)
def test_result_has_the_value_and_type_of_numpy_and_the_gradient_that_of_the_operand(f):
    expected, x = f(V), at.Tensor(V)
    y = f(x)
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(y.data, expected)
    np.sum(y).backward()
    assert x.grad.dtype == np.float64


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: np.matmul(a, b, axes=[(0, 1), (0, 1), (0, 1)]),
        lambda a, b: np.matmul(a, b, axes=[(-1, -2), (0, 1), (1, 2)]),
        lambda a, b: np.matmul(a, b, axes=[(2, 0), (1, 0), (0, 2)]),
        lambda a, b: np.matmul(a[0], b[0, 0], axes=[(1, 0), 0, 0]),
        lambda a, b: np.matmul(a[0, 0], b[0, 0], axes=[0, 0, ()]),
        lambda a, b: np.vecdot(a, b, axis=0),
        lambda a, b: np.vecdot(a, b, axis=1, keepdims=True),
        lambda a, b: np.vecdot(a, b, axes=[0, 1]),
        lambda a, b: np.vecdot(a, b, axes=[0, 1, ()]),
        lambda a, b: np.vecdot(a, b, axes=[0, 1, 2], keepdims=True),
        lambda a, b: np.vecdot(a, b, axes=[0, 1], keepdims=True),
        lambda a, b: np.vecdot(a, b[0], keepdims=True, dtype=np.float64),
    ],
)
def test_axes_are_those_of_numpy(f):
    N = rng.normal(size=(3, 3, 3))
    y = f(at.Tensor(M), at.Tensor(N))
    np.testing.assert_allclose(y.data, f(M, N), rtol=1e-13)
    at.check_gradients(f, M, N)


def test_a_program_has_the_same_options():
    step = at.compile(at.grad(lambda x: np.sum(np.sin(np.vecdot(x, x, axis=0, keepdims=True, dtype=np.float32)))))
    expected = at.grad(lambda x: np.sum(np.sin(np.vecdot(x, x, axis=0, keepdims=True, dtype=np.float32))))
    np.testing.assert_allclose(step(V), expected(V), rtol=1e-6)


@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (
            lambda t: np.add(t, t, dtype=np.float32, casting="safe"),
            UnsupportedError,
            "of float64 cannot be cast to float32",
        ),
        (lambda t: np.add(t, np.float32(1), casting="no"), UnsupportedError, "of float32 cannot be cast to float64"),
        (
            lambda t: np.add(t, 1, dtype=int),
            UnsupportedError,
            "float64 cannot be cast to int64 with casting='same_kind'",
        ),
        (lambda t: np.add(t, 1, dtype=int, casting="unsafe"), UnsupportedError, "dtype=int64 has no gradient"),
        (lambda t: np.add(t, 1, order="Q"), UnsupportedError, "order one of C, F, A, K; got 'same_kind' and 'Q'"),
        (lambda t: np.matmul(t, t, axis=0), UnsupportedError, "axis= and keepdims= are for functions of vectors"),
        (lambda t: np.matmul(t, t, axes=[(0, 1), (0, 1)]), ShapeError, "axes= needs 2 and 2 axes, and 2 of the result"),
        (lambda t: np.matmul(t, t, axes=[0, 0, ()]), ShapeError, "axes= needs 2 and 2 axes, and 2 of the result"),
        (lambda t: np.vecdot(t, t, axis=7), ValueError, "axis 7 is out of bounds"),
        (lambda t: np.sqrt(t, where=[True], dtype=float), UnsupportedError, "sqrt: where= is not supported"),
    ],
)
def test_what_numpy_refuses_and_what_has_no_gradient_is_refused(f, error, words):
    with pytest.raises(error, match=words):
        f(at.Tensor(V))


def test_plain_ufuncs_take_their_options_as_they_are():
    assert np.equal(at.Tensor(V), V, dtype=object).dtype == object

"""at.index_update is the pure form of x[index] = values, and of ufunc.at."""

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import ShapeError, UnsupportedError

X = np.arange(12.0).reshape(4, 3) / 7 - 0.8
M = X > 0
rng = np.random.default_rng(1)
KEYS = {
    "row": (0, (3,)),
    "entry": ((0, 1), ()),
    "negative": ((-1, -2), ()),
    "slices": (np.s_[1:3, ::2], (2, 2)),
    "broadcast": (np.s_[1:3], (3,)),
    "leading axes": (np.s_[0], (1, 1, 3)),
    "everything": (..., ()),
    "rows that repeat": ([0, 0, 2], (3, 3)),
    "places that repeat": (([0, 1, 0], [1, 1, 1]), (3,)),
    "mask": (M, ()),
    "mask with values": (M, (int(M.sum()),)),
    "nothing": ([], (0, 3)),
    "new axis": (np.s_[None, :, 0], (4,)),
    "integers of Tensors": (at.Tensor([0, 2], requires_grad=False), (2, 3)),
}
UFUNCS = [np.add, np.subtract, np.multiply, np.maximum, np.power, np.hypot]


def key_of(name):
    return KEYS[name][0].data if isinstance(KEYS[name][0], at.Tensor) else KEYS[name][0]


def weighed(y):
    return np.sum(np.sin(y * np.arange(1, 13).reshape(4, 3)))


@pytest.mark.parametrize("name", KEYS)
def test_it_computes_what_an_assignment_computes_and_has_its_gradient(name):
    key, v, expected = KEYS[name][0], rng.uniform(0.5, 2, KEYS[name][1]), X.copy()
    expected[key_of(name)] = v
    np.testing.assert_array_equal(at.index_update(at.Tensor(X), key, v).data, expected)
    np.testing.assert_array_equal(at.index_update(X, key, v), expected)
    at.check_gradients(lambda x, v: weighed(at.index_update(x, key, v)), X, v, order=2)


@pytest.mark.parametrize("ufunc", UFUNCS)
@pytest.mark.parametrize("name", [name for name in KEYS if name != "leading axes"])
def test_with_a_ufunc_it_computes_what_its_method_at_computes(name, ufunc):
    key, v, x = KEYS[name][0], rng.uniform(0.5, 2, KEYS[name][1]), X + 2
    expected = x.copy()
    ufunc.at(expected, key_of(name), v)
    np.testing.assert_allclose(at.index_update(at.Tensor(x), key, v, ufunc).data, expected, rtol=1e-14)
    at.check_gradients(lambda x, v: weighed(at.index_update(x, key, v, ufunc)), x, v)


def test_a_ufunc_of_one_operand_is_applied_as_often_as_a_place_repeats():
    expected = X.copy()
    np.negative.at(expected, [0, 0, 1])
    np.testing.assert_array_equal(at.index_update(at.Tensor(X), [0, 0, 1], ufunc=np.negative).data, expected)


@pytest.mark.parametrize("name", ["row", "slices", "rows that repeat", "mask", "places that repeat"])
def test_it_is_compiled(name):
    key, v = KEYS[name][0], rng.uniform(0.5, 2, KEYS[name][1])
    gradient = at.value_and_grad(lambda x, v: weighed(at.index_update(x, key, v)), argnums=(0, 1))
    step = at.compile(gradient)
    for _ in range(2):
        value, (gx, gv) = step(X, v)
    expected, (hx, hv) = gradient(X, v)
    np.testing.assert_allclose(value, expected)
    np.testing.assert_allclose(gx, hx)
    np.testing.assert_allclose(gv, hv)


def test_an_index_that_is_an_argument_is_compiled():
    step = at.compile(at.grad(lambda x, i: np.sum(at.index_update(x, i, 2.0) ** 2)))
    for i in np.array([0, 2]), np.array([1, 1]), np.array([3, 0]):
        expected = 2 * X
        expected[i] = 0
        np.testing.assert_allclose(step(X, i), expected)


def test_entry_that_is_replaced_contributes_nothing_whatever_it_was():
    with np.errstate(all="ignore"):
        assert at.grad(lambda x: np.sum(at.index_update(np.sqrt(x), x == 0, 0.0)))(np.array([0.0, 4.0])).tolist() == [
            0,
            0.25,
        ]


def test_precision_is_that_of_the_array_and_an_array_of_integers_widens():
    x = np.zeros(2, np.float32)
    assert at.index_update(x, 0, at.Tensor(1.5)).dtype == np.float32
    assert at.index_update(np.zeros(2, int), 0, at.Tensor(1.5)).tolist() == [1.5, 0]
    assert at.index_update(x, 0, at.Tensor(1.5), np.multiply).dtype == np.float32


def test_formulas_and_pictures_name_it():
    x = at.Tensor([1.0, 2.0], name="x")
    y = np.sum(at.index_update(x, 0, 3.0) ** 2)
    assert "updated(x, 3, key=0)" in str(at.draw(y))
    assert at.derive(y, x).ok


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: at.index_update(x, 0), UnsupportedError, "index_update: missing argument values"),
        (lambda x: at.index_update(x, 0, 1.0, sum), UnsupportedError, "expected a ufunc such as np.add; got <built-in"),
        (lambda x: at.index_update(x, 0, 1.0, np.exp), UnsupportedError, "index_update: exp takes no values"),
        (lambda x: at.index_update(x, x, 1.0), UnsupportedError, "the index is a tracked Tensor of float64"),
        (lambda x: at.index_update(x, 0, np.ones((2, 3))), ShapeError, r"values of shape \(2, 3\) do not fit entries"),
        (lambda x: at.index_update(x, 0, np.ones(2)), ShapeError, r"updated: "),
        (lambda x: at.index_update(x, 9, np.ones(3)), Exception, "out of bounds"),
    ],
)
def test_what_does_not_fit_is_an_error(call, error, words):
    with pytest.raises(error, match=words):
        call(at.Tensor(X))

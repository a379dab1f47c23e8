"""Masked functions stay compiled: what a mask hides reaches no gradient, as when they run eagerly."""

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
MASKED = {
    "log": lambda x, w: np.where(x > 0, np.log(x), 0.0) * w,
    "log of itself": lambda x, w: np.where(x > 0, x * np.log(x), 0.0) * w,
    "sqrt": lambda x, w: np.where(x > 0, np.sqrt(x), w * x),
    "root at 0": lambda x, w: np.where(x != 0, np.sqrt(np.abs(x)), 0.0) @ w.T,
    "quotient": lambda x, w: np.where(x != 0, w / x, 1.0),
    "sine over x": lambda x, w: np.where(x == 0, 1.0, np.sin(x) / x) * w,
    "power": lambda x, w: np.where(x > 0, x**1.5 + x**w, w),
    "arcsin": lambda x, w: np.where(np.abs(x) < 1, np.arcsin(x), w),
    "norm along rows": lambda x, w: np.where(np.sum(x * x, axis=1) > 0, np.sqrt(np.sum(x * x, axis=1)), 0.0) * w[0, 0],
    "norm": lambda x, w: np.where(np.any(x != 0, axis=1), np.linalg.norm(x, axis=1), 0.0) * w[0, 0],
    "normalized rows": lambda x, w: np.where(
        np.any(x != 0, axis=1, keepdims=True), x / np.sqrt(np.sum(x * x, axis=1, keepdims=True)), w
    ),
    "a product": lambda x, w: np.where(x > 0, np.log(x) @ w.T @ w, x),
    "softmax of logarithms": lambda x, w: np.where(x > 0, at.softmax(np.log(x), axis=1), w),
    "logarithm of softmax": lambda x, w: np.where(w > 0, np.log(at.softmax(1000 * x)), 0.0),
    "two masks": lambda x, w: np.where(x > 0, np.log(x), np.where(w > 0, np.sqrt(w), x * w)),
    "under another function": lambda x, w: np.tanh(np.where(x > 0, np.log(x), w)) @ np.tanh(w).T,
    "exponential": lambda x, w: np.where(x < 0.5, np.exp(2000 * x), w),
}


def values(seed):
    """Arrays with zeros, a row of them, and negative entries."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4, 3)) * rng.integers(0, 2, (4, 3))
    x[seed % 4] = 0
    return x, rng.normal(size=(4, 3))


def same(got, expected):
    for a, b in zip(flatten(got)[0], flatten(expected)[0], strict=True):
        assert (type(a), a.dtype, a.shape) == (type(b), b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def gradients(f):
    return at.value_and_grad(lambda x, w: np.sum(f(x, w)), (0, 1))


def counted(f):
    """The function, which prints a line at each call."""

    def g(x, w):
        print("called")
        return f(x, w)

    return g


def calls(capsys):
    """The number of calls of a counted function."""
    return capsys.readouterr().out.count("called")


@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("clean_first", [True, False])
def test_masked_gradients_are_what_they_are_eagerly(name, clean_first):
    f = gradients(MASKED[name])
    compiled = at.compile(f)
    clean = tuple(0.1 + 0.8 * np.random.default_rng(9).random((2, 4, 3)))
    for args in ([clean] if clean_first else []) + [values(seed) for seed in range(12)] + [clean]:
        same(compiled(*args), f(*args))


@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_in_masked_functions_go_where_they_go_eagerly(name, spoilt):
    f = gradients(MASKED[name])
    compiled = at.compile(f)
    for seed in range(6):
        x, w = values(seed)
        (x if seed % 2 else w)[seed % 4, seed % 3] = spoilt
        same(compiled(x, w), f(x, w))


@pytest.mark.parametrize("name", ["log", "sqrt", "quotient", "norm along rows", "a product"])
def test_masked_functions_are_not_called_again(name, capsys):
    f = counted(gradients(MASKED[name]))
    compiled = at.compile(f)
    for seed in range(20):
        compiled(*values(seed))
    assert calls(capsys) <= 2  # for the program without guards, which stops, and for the one with guards


def test_a_function_without_a_selection_stays_compiled_where_it_is_invalid(capsys):
    f = counted(gradients(lambda x, w: np.sqrt(x) * 0.0 * w))
    compiled = at.compile(f)
    for seed in range(4):
        expected = gradients(lambda x, w: np.sqrt(x) * 0.0 * w)(*values(seed))
        assert np.isnan(expected[1][0]).any()
        same(compiled(*values(seed)), expected)
    assert calls(capsys) <= 2


def test_second_derivatives_of_masked_functions_are_what_they_are_eagerly():
    f = at.hessian(lambda x: np.sum(np.where(x > 0, x * np.log(x), 0.0)))
    compiled = at.compile(f)
    for x in ([1.0, 2.0, 0.5], [1.0, 0.0, -2.0], [0.0, 0.0, 3.0]):
        same(compiled(np.array(x)), f(np.array(x)))


def test_masked_numbers_are_what_they_are_eagerly():
    f = at.value_and_grad(lambda x: np.where(x > 0, np.sqrt(x), 0.0))
    compiled = at.compile(f)
    for x in (4.0, 0.0, -1.0, 9.0):
        same(compiled(x), f(x))


def test_a_guarded_program_warns_of_nothing(recwarn):
    compiled = at.compile(gradients(MASKED["log"]))
    compiled(*values(0))
    recwarn.clear()
    compiled(*values(1))
    assert not recwarn.list


def test_donated_arrays_of_a_guarded_program_are_written_into():
    def step(x, w):
        J, dx = at.value_and_grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0.0) * w))(x)
        return J, x - 0.1 * dx

    compiled = at.compile(step, donate=0)
    for seed in range(4):
        x, w = values(seed)
        same(compiled(x.copy(), w), step(x, w))


SPOILT = [
    np.log, np.sqrt, lambda t: 1 / t, np.arccos, lambda t: t**-1.5,
    lambda t: t / np.linalg.norm(t, axis=1, keepdims=True),
    lambda t: np.linalg.norm(t, axis=0) + t, lambda t: np.exp(800 * t), lambda t: t * np.log(t),
    lambda t: at.softmax(np.log(t)),
    lambda t: np.log(t) @ np.ones((3, 3)), lambda t: np.sqrt(np.sum(t, axis=1, keepdims=True)) * t,
    lambda t: np.log1p(-t),
]  # fmt: skip
AROUND = [
    np.tanh,
    np.sin,
    lambda t: t * t,
    lambda t: t / 3 + 1,
    at.sigmoid,
    lambda t: np.sum(t, axis=1, keepdims=True) * t,
]
MASKS = [
    lambda x, w: x > 0, lambda x, w: np.abs(x) < 1, lambda x, w: x != 0, lambda x, w: w > 0,
    lambda x, w: np.sum(x * x, axis=1, keepdims=True) > 0, lambda x, w: (x > 0) & (w < 1),
]  # fmt: skip


def random_masked(seed):
    """np.where(mask, f(x), other) with random functions before, within, beside and after it."""
    rng = np.random.default_rng(seed)
    f, g = (SPOILT[rng.integers(len(SPOILT))] for _ in range(2))
    before, beside, after = (AROUND[rng.integers(len(AROUND))] for _ in range(3))
    mask, inner = (MASKS[rng.integers(len(MASKS))] for _ in range(2))

    def masked(x, w):
        z = np.where(mask(x, w), f(x), beside(w))
        y = np.where(inner(x, w), g(before(x)) * w, z)
        return after(y) + z

    return masked


@pytest.mark.parametrize("seed", range(200))
def test_random_masked_program_gives_the_same_compiled(seed):
    f = gradients(random_masked(seed))
    compiled = at.compile(f)
    for args in (values(seed), values(seed + 1), np.random.default_rng(seed).random((2, 4, 3)), values(seed)):
        same(compiled(*args), f(*args))


def test_masked_singular_matrices_are_harmless_compiled():
    f = at.value_and_grad(lambda A: np.sum(np.where(np.trace(A) > 0, np.linalg.slogdet(A)[1], 0.0)))
    compiled = at.compile(f)
    for A in (np.eye(3) + 0.1, np.zeros((3, 3)), -np.eye(3), np.zeros((3, 3))):
        same(compiled(A), f(A))
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):  # taken, as eagerly
        compiled(np.ones((3, 3)))

"""What the table of derive makes of programs, and what takes over where its rows do not hold."""

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import Equation
from autotiny.compiler import table
from autotiny.engine.pytree import flatten
from autotiny.errors import UnsupportedError
from autotiny.ops import OPS
from compiler.programs import random_leaves, random_program
from compiler.test_random_programs import assert_same


def written_out(W1, b1, W2, b2, X, Y):
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
    return -np.sum(Y * np.log(A2)) / X.shape[1]


def network():
    rng = np.random.default_rng(0)
    parameters = [rng.normal(size=shape) for shape in [(5, 4), (5, 1), (3, 5), (3, 1)]]
    return [*parameters, rng.normal(size=(4, 6)), at.one_hot(np.array([0, 1, 2, 2, 1, 0]), 3)]


def close(got, expected, rtol=1e-12):
    for a, b in zip(flatten(got)[0], flatten(expected)[0], strict=True):
        assert (type(a), np.shape(a)) == (type(b), np.shape(b))
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-14)


gradients = at.value_and_grad(written_out, (0, 1, 2, 3))


def test_a2_minus_y_is_left_of_a_softmax_that_is_written_out():
    step, args = at.compile(gradients), network()
    close(step(*args), gradients(*args))
    assert "subtract(A2, Y, out=dZ2)  # A2 - Y" in step.source
    assert step.source.count("exp(") == 1
    assert step.source.count("divide(") == 1


def test_targets_that_do_not_sum_to_one_are_not_taken_for_some_that_do():
    step, args = at.compile(gradients), network()
    step(*args)
    args[-1] = args[-1] * 2
    close(step(*args), gradients(*args))


def test_logits_that_overflow_give_a2_minus_y_all_the_same():
    step, args = at.compile(gradients), network()
    step(*args)
    args[3] = np.array([[800.0], [0.0], [-800.0]])
    J, (_, _, _, db2) = step(*args)
    A2 = at.softmax(args[2] @ at.relu(args[0] @ args[4] + args[1]) + args[3])
    np.testing.assert_allclose(db2, np.mean(A2 - args[-1], axis=1, keepdims=True), rtol=1e-12)
    assert np.isfinite(J)
    assert J > 400
    args[3] = np.zeros((3, 1))
    close(step(*args), gradients(*args))


STABLE = [  # written so that it overflows or underflows; what is meant, and its gradient, at 800 and -800
    (lambda x: np.log(1 + np.exp(x)), (800.0, 1.0), (0.0, 0.0)),
    (lambda x: 1 / (1 + np.exp(-x)), (1.0, 0.0), (0.0, 0.0)),
    (lambda x: np.exp(x) / (1 + np.exp(x)), (1.0, 0.0), (0.0, 0.0)),
]


@pytest.mark.parametrize("as_array", [True, False])
@pytest.mark.parametrize(("f", "high", "low"), STABLE)
def test_stable_forms_take_over_where_what_was_written_overflows(f, high, low, as_array):
    given = (lambda v: np.array([v, 0.5])) if as_array else float
    step = at.compile(at.value_and_grad(lambda x: np.sum(f(x)) if as_array else f(x)))
    usual = step(given(1.0))
    for v, (value, slope) in ((800.0, high), (-800.0, low)):
        y, dx = step(given(v))
        np.testing.assert_allclose(y - (f(0.5) if as_array else 0), value, atol=1e-12)
        np.testing.assert_allclose(np.atleast_1d(dx)[0], slope, atol=1e-12)
    close(step(given(1.0)), usual)


@pytest.mark.parametrize("function", [at.sigmoid, at.softplus])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_fast_form_is_as_accurate_as_the_stable_one_where_nothing_overflows(function, dtype):
    x = np.linspace(-80, 80, 100001).astype(dtype)
    rtol = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(OPS[function].fast_form(x), function(x), rtol=rtol)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("length", [10, 200_000])
def test_fast_forms_of_rows_give_way_where_they_overflow(threads, length):
    step = at.compile(at.value_and_grad(lambda x: np.sum(at.softplus(2 * x))), threads=threads)
    x = np.linspace(-3, 3, length)
    step(x)
    assert "absolute" not in step.source
    x[-2] = 800
    y, dx = step(x)
    assert "absolute" in step.source
    np.testing.assert_allclose(y, np.sum(np.logaddexp(0, 2 * x)), rtol=1e-13)
    np.testing.assert_allclose(dx, 2 * at.sigmoid(2 * x), rtol=1e-13)


def test_a_class_that_is_left_out_contributes_nothing_to_a_compiled_cross_entropy():
    Y, Z = at.one_hot([0, 1], 3), np.array([[0.5, 1.0], [0.0, 0.0], [2.0, 1.0]])
    f = at.value_and_grad(lambda Z: at.cross_entropy(Z, Y))
    step = at.compile(f)
    close(step(Z), f(Z))
    assert "equal" not in step.source
    Z[2] = -np.inf
    close(step(Z), f(Z))
    assert np.isfinite(step(Z)[0])


def test_a_written_out_logarithm_of_a_sum_of_exponentials_takes_any_logits():
    step = at.compile(at.value_and_grad(lambda x: np.log(np.sum(np.exp(x)))))
    for x in (np.array([1.0, 2.0]), np.array([800.0, 800.0]), np.array([-800.0, -900.0])):
        y, dx = step(x)
        np.testing.assert_allclose(y, at.logsumexp(x), rtol=1e-14)
        np.testing.assert_allclose(dx, at.softmax(x), atol=1e-14)


def test_a_softmax_that_the_user_asked_for_stays_the_stable_one():
    step = at.compile(lambda x: at.softmax(x) + np.exp(x) / np.sum(np.exp(x), axis=0))
    step(np.array([[1.0, 2.0], [0.0, 1.0]]))
    assert "maximum" in step.source


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_may_be_zero_does_not_cancel():
    step = at.compile(lambda x, y: x * y / x)
    for x in (np.ones(2), np.array([0.0, 2.0])):
        np.testing.assert_array_equal(step(x, np.ones(2)), x * 1 / x)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_positive_cancels_only_where_it_is_finite():
    step = at.compile(lambda x, y: np.exp(x) * y / np.exp(x))
    for x in (np.ones(2), np.array([np.nan, 1.0]), np.array([np.inf, 800.0])):
        np.testing.assert_array_equal(step(x, np.arange(2.0)), step.f(x, np.arange(2.0)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_is_nan_where_a_row_would_give_an_infinity():
    def f(c, x):
        return np.sum(c * x)

    step, x = at.compile(f), np.array([0.0, 1.0, 2.0])
    np.testing.assert_allclose(step(np.float64(2.0), x), 6)
    assert np.isnan(step(np.float64(np.inf), x))
    assert np.isnan(f(np.inf, x))
    np.testing.assert_allclose(step(np.float64(2.0), x), 6)


LARGE = np.full((2, 2), 1e200)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("f", "extreme"),
    [
        (lambda f, a, b: f * a + f * b, (LARGE, LARGE, -LARGE)),
        (lambda f, a, b: f @ a + f @ b, (LARGE, LARGE, -LARGE)),
        (lambda f, a, b: (f * a) * b, (LARGE, LARGE, 1 / LARGE)),
        (lambda f, a, b: np.sum(f * 1e3) + np.sum(a * b), (LARGE * 1e106, LARGE, 0 * LARGE)),
        (lambda f, a, b: np.sum(f * 1e-3) + np.sum(a * b), (LARGE * 1e108, LARGE, 0 * LARGE)),
        (lambda f, a, b: (f * 1e-8) @ a + b, (LARGE / 1e43, LARGE / 1e43, LARGE)),
        (lambda f, a, b: np.exp(f - np.log(a)) + b, (np.full((2, 2), 750.0), LARGE * 1e100, LARGE)),
        (lambda f, a, b: 1 / f * a + b, (np.full((2, 2), 1e-310), np.full((2, 2), 1e-5), LARGE)),
        (lambda f, a, b: f * 0.5 - a * 0.5 + b, (LARGE * 1.5e108, -LARGE * 1.5e108, LARGE)),
        (lambda f, a, b: np.sum(np.broadcast_to(f[:1, :1], (4, 4)), axis=0) * np.sum(a), (LARGE * 1e108, LARGE, LARGE)),
    ],
)
def test_what_overflows_as_it_is_written_overflows_compiled_and_nothing_else(f, extreme):
    step, usual = at.compile(f), [np.ones((2, 2)), np.full((2, 2), 2.0), np.full((2, 2), 3.0)]
    for args in (usual, extreme, usual):
        np.testing.assert_allclose(step(*args), f(*args), rtol=1e-12)


def test_a_read_only_array_that_is_handed_over_is_refused_before_others_are_written_twice():
    step = at.compile(lambda W, b: (W - 1.0, b - 1.0), donate=(0, 1))
    step(np.ones(2), np.ones(2))
    W, b = np.ones(2), np.ones(2)
    b.flags.writeable = False
    with pytest.raises(UnsupportedError, match="donate=1: the array is read-only"):
        step(W, b)
    assert W.min() >= 0


def test_explain_says_what_a_program_relies_on():
    step = at.compile(gradients)
    step(*network())
    assert "facts: 1, of the arguments of the first call, checked at every call" in step.explain()
    assert "rows of the table: they hold where all is finite" in step.explain()


@pytest.mark.parametrize("f", [np.exp, lambda x: x * np.tanh(x), lambda x: np.sum(x * 3), at.softmax])
def test_a_program_to_which_no_row_applies_relies_on_nothing(f):
    step = at.compile(f)
    step(np.arange(3.0))
    assert "FactError" not in step.source


def test_a_long_sum_is_left_as_it_is():
    def f(x):
        power, total = x, x
        for _ in range(40):
            power = power * x
            total = total + power
        return total

    step = at.compile(at.value_and_grad(f))
    close(step(0.9), at.value_and_grad(f)(0.9))


def test_a_wrong_row_is_found_by_random_programs(monkeypatch):
    wrong = Equation("tanh is all but the identity", lambda a: np.tanh(a), lambda a: a, exact=True)
    monkeypatch.setattr(table, "ROWS", (*table.ROWS, wrong))

    def wrong_somewhere():
        for seed in range(30):
            f, leaves = random_program(seed), random_leaves(seed, np.float64)
            assert_same(at.compile(f)(*leaves), f(*leaves))

    with pytest.raises(AssertionError):
        wrong_somewhere()

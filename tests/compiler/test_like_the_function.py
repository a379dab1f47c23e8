"""Where programs differed from functions, as random programs showed: types, empty arrays, overflow, checks."""

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import ShapeError
from autotiny.ops import linalg, logarithms, reductions

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

EMPTY, INTS, NUMBER = np.zeros(0), np.arange(-1, 5).reshape(2, 3), -3


def require_the_same(f, *args):
    expected, got = f(*args), at.compile(f)(*args)
    assert (type(got), np.shape(got), np.asarray(got).dtype) == (
        type(expected),
        np.shape(expected),
        np.asarray(expected).dtype,
    )
    np.testing.assert_allclose(got, expected, rtol=1e-12)


# ----- types -----
@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: reductions.euclidean(x) ** 2, INTS),
        (lambda x: np.log(np.exp(x)), NUMBER),
        (lambda x: np.log(np.cosh(x)), NUMBER),
        (lambda x: np.square(x), NUMBER),
        (lambda x: (np.square(x) + 0.5) ** 1e3, NUMBER),
        (lambda x: np.clip(0.5, x, 2.0), np.zeros((2, 3), np.float16)),
        (lambda x: np.clip(x, np.zeros(3, np.float16), 2.0), 0.5),
        (lambda x: np.append(x, 0.5), np.ones(3, np.float32)),
        (lambda x: np.append(np.ones(3, np.float32), x), 0.5),
        *[(lambda x, o=o: np.linalg.norm(x, ord=o), np.eye(3)) for o in (1, -1, np.inf, -np.inf)],
        *[(lambda x, o=o: np.linalg.norm(x, ord=o, keepdims=True), np.eye(3)) for o in (1, -1, np.inf, -np.inf)],
    ],
)
def test_integers_and_numbers_of_python_give_the_type_that_numpy_gives(f, x):
    require_the_same(f, x)


# ----- empty arrays -----
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.log(np.sum(np.exp(x))),
        lambda x: np.log(np.sum(np.exp(x), axis=-1, keepdims=True)),
        lambda x: at.softplus(np.log(np.sum(np.exp(x), axis=-1))),
        lambda x: np.exp(x) / np.sum(np.exp(x), axis=0, keepdims=True),
        lambda x: np.linalg.norm(x, ord=np.inf, axis=-1),
        lambda x: np.linalg.norm(x, ord=1, axis=-1),
        lambda x: np.linalg.norm(x, ord=-1, axis=-1),
    ],
)
@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 2)])
@pytest.mark.parametrize("of", [lambda f: f, lambda f: at.grad(lambda x: np.sum(f(x)))])
def test_what_numpy_defines_of_no_entries_is_defined(of, f, shape):
    try:
        f(np.zeros(shape))
    except ValueError:
        pytest.skip("older versions of NumPy refuse it")
    require_the_same(of(f), np.zeros(shape))
    np.testing.assert_array_equal(f(at.Tensor(np.zeros(shape))).data, f(np.zeros(shape)))


@pytest.mark.parametrize("order", [1, np.inf])
@pytest.mark.parametrize("shape", [(0, 2), (2, 0), (0, 0)])
def test_a_matrix_norm_of_no_entries_is_0(order, shape):
    assert np.linalg.norm(at.Tensor(np.zeros(shape)), order).item() == 0


@pytest.mark.parametrize("f", [at.softmax, at.log_softmax, logarithms.log_one_minus_softmax])
def test_a_softmax_of_no_entries_has_none(f):
    assert f(EMPTY).shape == at.compile(f)(EMPTY).shape == (0,)


# ----- overflow -----
LARGE = np.array([2.0, 1e200, 1e300, 1e200])


@pytest.mark.parametrize("f", [np.prod, np.cumprod, lambda x: np.prod(np.reshape(x, (2, 2)).T, axis=0)])
@pytest.mark.parametrize("outer", [np.reciprocal, np.tanh])
def test_a_zero_that_comes_of_a_product_that_overflowed_is_nan_in_programs_too(f, outer):
    g = at.grad(lambda x: np.sum(outer(f(x))))
    step = at.compile(g)
    for x in (np.ones(4), LARGE, np.arange(4.0), LARGE):
        np.testing.assert_allclose(step(x), g(x), rtol=1e-12)
    assert np.isnan(g(LARGE)).any()


def test_a_formula_to_be_read_says_nothing_of_overflow():
    x = at.Tensor([1.0, 2.0, 3.0], name="x")
    assert "isinf" not in at.derive(np.sum(np.prod(x) * x), x).formula


def test_a_power_of_a_quotient_stays_one_when_its_axes_change():
    """|x|² / ‖x‖² overflows where (|x| / ‖x‖)² does not."""
    g = at.grad(lambda x: linalg.p_norm(np.sum(x, axis=1), ord=3, axis=(0,)))
    x = np.array([[-4.7e24, 4.7e24, 4.7e24]], np.float32)
    np.testing.assert_array_equal(at.compile(g)(x), g(x))


def test_zero_times_infinity_is_nan_in_a_product_of_a_single_entry():
    g = at.grad(lambda x: np.sum(np.tanh(np.inner(x, x))))
    x = np.array([[-np.inf, np.inf, np.inf]])
    np.testing.assert_array_equal(at.compile(g)(x), g(x))
    assert np.isnan(g(x)).all()


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.log(1 - np.tanh(x) ** 2), 0.0),
        (lambda x: np.log(1 - at.sigmoid(x)), -np.inf),
        (lambda x: np.log(at.sigmoid(x)), np.inf),
    ],
)
def test_a_stable_form_is_0_with_the_sign_that_numpy_gives(f, x):
    x = np.full(3, x)
    np.testing.assert_array_equal(1 / at.compile(f)(x), 1 / f(x))
    np.testing.assert_array_equal(1 / f(at.Tensor(x)).data, 1 / f(x))


# ----- checks of values -----
def mean_loss(z, y):
    return at.binary_cross_entropy(z, y)


@pytest.mark.parametrize("f", [mean_loss, at.grad(mean_loss), at.grad(mean_loss, (0, 1)), at.hessian(mean_loss)])
def test_targets_outside_0_and_1_are_refused_in_each_call(f):
    z, y = np.array([0.5, -1.0]), np.array([1.0, 0.25])
    step = at.compile(f)
    np.testing.assert_allclose(step(z, y), f(z, y))
    with pytest.raises(ShapeError, match=r"targets are probabilities and lie in \[0, 1\], got 1.5"):
        step(z, y + 0.5)
    np.testing.assert_allclose(step(z, y), f(z, y))


def test_targets_are_looked_at_where_the_result_is_a_constant():
    g = at.grad(lambda x, z, y: np.sum(0.0 * x) + at.binary_cross_entropy(z, y))
    step, z = at.compile(g), np.array([0.5, -1.0])
    step(z, z, np.array([1.0, 0.25]))
    with pytest.raises(ShapeError, match=r"got 1\.25"):
        step(z, z, np.array([1.0, 1.25]))


def test_targets_that_are_computed_are_looked_at_and_differentiated():
    g = at.grad(lambda x: at.binary_cross_entropy(x, 0.5 * x))
    step = at.compile(g)
    for x in (np.array([0.5, 1.0]), np.array([2.0, 0.0])):
        np.testing.assert_allclose(step(x), g(x))
    for f in (step, g):
        with pytest.raises(ShapeError, match=r"got -0\.25"):
            f(np.array([0.5, -0.5]))


def test_a_formula_to_be_read_has_the_targets_alone():
    z, y = at.Tensor([0.5, -1.0], name="z"), at.Tensor([1.0, 0.25], name="y")
    assert "probabilities" not in at.derive(at.binary_cross_entropy(z, y), z).formula


# ----- memory -----
def itself(x):
    return x


MAY_RETURN_AN_OPERAND = {
    "a check of targets": lambda x: logarithms.probabilities(0.5 + 0.4 * np.tanh(x)),
    "a check of labels": lambda x: at.one_hot(np.argmax(x, axis=0) + 0, 3) + 1,
    "a norm in range": lambda x: reductions.norm_in_range(np.sqrt(np.sum(x * x, axis=0)), x, axis=0),
    "a function of the user's": lambda x: at.operation(lambda g, y, x: g)(itself)(x * 2.0),
}


@pytest.mark.parametrize("name", MAY_RETURN_AN_OPERAND)
@pytest.mark.parametrize("after", [lambda y: y, lambda y: np.exp(y + 1) * y])
def test_a_result_that_may_be_an_operand_itself_has_memory_of_its_own(after, name):
    f = MAY_RETURN_AN_OPERAND[name]
    step = at.compile(lambda x: after(f(x)))
    x = np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]])
    first = step(x)
    kept = first.copy()
    np.testing.assert_allclose(step(-2 * x), after(f(-2 * x)))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("order", [1.5, 3])
def test_second_derivatives_of_norms_are_those_of_the_function(order):
    h = at.hessian(lambda x: np.sum(linalg.p_norm(x, ord=order, axis=0)))
    step = at.compile(h)
    for x in (np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([[0.1, 2.0], [-0.5, 0.3]])):
        np.testing.assert_allclose(step(x), h(x), rtol=1e-12, atol=1e-15)


# ----- precision -----
@pytest.mark.parametrize(
    "loss", [at.hinge, at.binary_cross_entropy, at.mean_squared_error, at.mean_absolute_error, at.huber]
)
@pytest.mark.parametrize("kind", [float, int])
def test_a_loss_of_single_precision_stays_so_beside_targets_of_another(loss, kind):
    predictions, targets = np.array([0.5, -3, 2], np.float32), np.array([1, 1, 1], kind)
    f = at.value_and_grad(loss)
    for compiled, recorded in zip(at.compile(f)(predictions, targets), f(predictions, targets), strict=True):
        assert compiled.dtype == recorded.dtype == np.float32
        rounding = 4 * np.finfo(np.float32).eps * np.max(np.abs(recorded))  # sigma(z) - 1 cancels
        np.testing.assert_allclose(compiled, recorded, rtol=0, atol=rounding)

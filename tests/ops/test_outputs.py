"""Operations with several outputs: one forward pass and one rule, in every use of a graph."""

import pickle
from typing import NamedTuple

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import NonFiniteError, ShapeError, StaleError, UnsupportedError

X = np.array([0.3, 1.2, -0.7])
CALLS = {"forward": 0, "rule": 0}


@at.operation(lambda g, y, x: g[0] * y[1] - g[1] * y[0])
def sine_and_cosine(x):
    return np.sin(x), np.cos(x)


def rule_counted(g, y, x, scale=1.0):
    CALLS["rule"] += 1
    return g[0] * scale + g[1] * np.ones_like(x)


@at.operation(rule_counted)
def counted(x, scale=1.0):
    CALLS["forward"] += 1
    return scale * x, np.sum(x)


class Split(NamedTuple):
    whole: np.ndarray
    fraction: np.ndarray


@at.operation(lambda g, y, x: g.fraction if hasattr(g, "fraction") else g[1])
def split(x):
    whole = np.floor(x)
    return Split(whole.astype(int), x - whole)


@at.operation(lambda g, y, a, b: g[0] * b + g[1], lambda g, y, a, b: g[0] * a - g[1])
def product_and_difference(a, b):
    return a * b, a - b


@pytest.fixture
def calls():
    CALLS.update(forward=0, rule=0)
    return CALLS


# ----- gradients -----
def both(x):
    s, c = sine_and_cosine(x)
    return np.sum(s * c**2)


def plain_both(x):
    return np.sum(np.sin(x) * np.cos(x) ** 2)


@pytest.mark.parametrize(
    ("f", "plain"),
    [
        (both, plain_both),
        (lambda x: np.sum(sine_and_cosine(x)[0] ** 2), lambda x: np.sum(np.sin(x) ** 2)),
        (lambda x: np.sum(sine_and_cosine(x)[1] ** 3), lambda x: np.sum(np.cos(x) ** 3)),
        (lambda x: np.sum(sine_and_cosine(sine_and_cosine(x)[1])[0]), lambda x: np.sum(np.sin(np.cos(x)))),
        (
            lambda x: np.sum(np.prod(np.stack(product_and_difference(x, x[::-1])), axis=0)),
            lambda x: np.sum(x * x[::-1] * (x - x[::-1])),
        ),
        (lambda x: np.sum(product_and_difference(2.0, x)[0] ** 2), lambda x: np.sum((2 * x) ** 2)),
    ],
)
def test_derivatives_are_those_of_the_same_written_in_single_operations(f, plain):
    assert at.grad(f)(X) == pytest.approx(at.grad(plain)(X), rel=1e-14, abs=1e-15)
    assert at.hessian(f)(X) == pytest.approx(at.hessian(plain)(X), rel=1e-13, abs=1e-14)
    assert at.jvp(f, (X,), (X[::-1],))[1] == pytest.approx(at.jvp(plain, (X,), (X[::-1],))[1], rel=1e-13)
    value, gradient = at.compile(at.value_and_grad(f))(X)
    assert value == pytest.approx(plain(X), rel=1e-14)
    assert gradient == pytest.approx(at.grad(plain)(X), rel=1e-14, abs=1e-15)
    at.check_gradients(f, X, order=2)


def test_a_jacobian_has_a_block_for_each_output():
    sine, cosine = at.jacobian(sine_and_cosine)(X)
    np.testing.assert_allclose(sine, np.diag(np.cos(X)), rtol=1e-15)
    np.testing.assert_allclose(cosine, np.diag(-np.sin(X)), rtol=1e-15)


def test_the_function_and_its_rule_run_once(calls):
    x = at.Tensor(X)
    y, total = counted(x, scale=3.0)
    (np.sum(y * y) * total).backward()
    assert calls == {"forward": 1, "rule": 1}
    assert x.grad == pytest.approx(2 * 9 * X * X.sum() + 9 * np.sum(X**2), rel=1e-14)


def test_an_output_that_is_not_used_has_zeros_for_its_gradient():
    seen = []

    @at.operation(lambda g, y, x: seen.append((g, y)) or g[0])
    def three(x):
        return x, np.sum(x), np.stack([x, x])

    x = at.Tensor(X)
    np.sum(three(x)[0]).backward()
    ((g, y),) = seen
    assert [part.tolist() for part in g] == [[1, 1, 1], 0, [[0, 0, 0], [0, 0, 0]]]
    assert [np.shape(part) for part in y] == [(3,), (), (2, 3)]


def test_arrays_and_constants_give_what_the_function_returns():
    assert all(type(part) is np.ndarray for part in sine_and_cosine(X))
    assert [part.requires_grad for part in sine_and_cosine(at.Tensor(X, requires_grad=False))] == [False, False]
    with at.no_grad():
        assert [part.requires_grad for part in sine_and_cosine(at.Tensor(X))] == [False, False]


def test_a_named_tuple_stays_one_and_integers_are_plain_arrays():
    x = at.Tensor(X)
    parts = split(x)
    assert isinstance(parts, Split)
    assert type(parts.whole) is np.ndarray
    assert parts.whole.tolist() == [0, 1, -1]
    np.sum(parts.fraction * parts.whole).backward()
    assert x.grad.tolist() == [0, 1, -1]


def test_single_precision_stays_single():
    x = at.Tensor(X, dtype=np.float32)
    s, c = sine_and_cosine(x)
    np.sum(s * c).backward()
    assert {s.dtype, c.dtype, x.grad.dtype} == {np.dtype(np.float32)}


# ----- the rest of the engine -----
def test_selection_lets_nothing_through_from_entries_that_were_not_taken():
    rule = lambda g, y, x: g[0] / x + g[1] * y[1]
    log_and_exp = at.operation(rule, guarded=True)(lambda x: (np.log(x), np.exp(x)))
    x = np.array([0.0, 2.0])
    with np.errstate(all="ignore"):
        g = at.grad(lambda x: np.sum(np.where(x > 0, log_and_exp(x)[0], 0)) + log_and_exp(x)[1][1])(x)
        np.testing.assert_allclose(g, [0, 0.5 + np.exp(2)])
        unguarded = at.operation(rule)(log_and_exp)
        assert np.isnan(at.grad(lambda x: np.sum(np.where(x > 0, unguarded(x)[0], 0)))(x)[0])


def test_guarded_by_a_function_gets_the_chosen_entries_of_each_output():
    seen = []

    def used(chosen, x):
        seen.append([np.asarray(mask).tolist() for mask in chosen])
        return [chosen[0] | chosen[1]]

    @at.operation(lambda g, y, x: g[0] / x + g[1] * 0, guarded=used)
    def log_and_copy(x):
        return np.log(x), x * 1

    with np.errstate(all="ignore"):
        g = at.grad(lambda x: log_and_copy(x)[0][1])(np.array([0.0, 2.0]))
    assert seen == [[[False, True], [False, False]]]
    assert g.tolist() == [0, 0.5]


def test_an_argument_that_was_changed_is_noticed():
    x = at.Tensor(X)
    y = np.sum(sine_and_cosine(x)[0])
    x.data[0] = 5
    with pytest.raises(StaleError, match=r"sine_and_cosine: x was changed in place after it was recorded"):
        y.backward()


def test_debug_names_the_operation_that_is_not_finite():
    halves = at.operation(lambda g, y, x: g[0])(lambda x: (x, np.log(x)))
    with at.debug(), pytest.raises(NonFiniteError, match=r"<lambda>\(x\) gives nan at"):
        halves(at.Tensor(X, name="x"))


def test_a_program_calls_it_once_and_can_be_pickled():
    step = at.compile(at.value_and_grad(both))
    expected = step(X)
    assert step.source.count("sine_and_cosine(") == 1
    value, gradient = pickle.loads(pickle.dumps(step))(X)
    assert value == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


def test_pictures_and_formulas_show_each_output():
    x = at.Tensor(X, name="x")
    s, c = sine_and_cosine(x)
    J = np.sum(s * c)
    J.backward()
    text = str(at.draw(J))
    assert "t1    sine_and_cosine(x)  ((3,), (3,))" in text
    assert "s     t1[0]" in text
    assert "t1 = sine_and_cosine(x)" in str(at.draw(J).steps)
    derivation = at.derive(J, x)
    assert derivation.ok
    assert derivation.formula == "c² - s²"


# ----- errors -----
@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ((1.0, X), "mine: the operation gave float as output 0, expected an array of numbers"),
        ((X, np.array("text")), "mine: the operation gave ndarray as output 1, expected an array of numbers"),
        ((X.astype(int), X > 0), "mine: the operation gave 2 outputs of integers, which have no gradient; one must"),
        ([X, X], "mine: the operation gave list, expected an array of numbers"),
    ],
)
def test_what_is_no_output_is_named(returned, words):
    def mine(x):
        return returned

    with pytest.raises(UnsupportedError, match=words):
        at.operation(lambda g, y, x: g)(mine)(at.Tensor(X))


def test_a_rule_that_returns_another_shape_is_named():
    wrong = at.operation(lambda g, y, x: np.stack([g[0], g[1]], axis=1))(lambda x: (x * 1, x * 2))
    with pytest.raises(ShapeError, match=r"<lambda>: a rule gave shape \(3, 2\), expected \(3,\)"):
        np.sum(wrong(at.Tensor(X))[0]).backward()


def test_a_rule_that_returns_the_gradients_themselves_is_named():
    wrong = at.operation(lambda g, y, x: g)(lambda x: (x * 1, x * 2))
    with pytest.raises(UnsupportedError, match=r"<lambda>: a rule gave a tuple of 2, one for each output"):
        np.sum(wrong(at.Tensor(X))[0]).backward()


def test_a_wrong_rule_is_caught_by_check_gradients():
    wrong = at.operation(lambda g, y, x: g[0] * y[1] - 1.001 * g[1] * y[0])(lambda x: (np.sin(x), np.cos(x)))
    with pytest.raises(AssertionError):
        at.check_gradients(lambda x: np.sum(wrong(x)[1]), X)


# ----- random operations -----
PIECES = (np.sin, np.tanh, lambda x: x * 3.0, np.sum, lambda x: np.exp(x) * x, lambda x: np.stack([x, -x]), np.square)


def random_operation(rng):
    """An operation with several outputs, and the same as a plain function."""
    chosen = [PIECES[i] for i in rng.choice(len(PIECES), rng.integers(1, 5))]

    def plain(x):
        return tuple(f(x) for f in chosen)

    def rule(g, y, x):
        return sum(at.vjp(f, x)[1](part)[0] for f, part in zip(chosen, g, strict=True))

    return at.operation(rule)(plain), plain


def random_loss(rng, count):
    """A function of some of the outputs, each of which may be used twice, in part, or not at all."""
    weights = rng.normal(size=(count, 2)) * (rng.random((count, 2)) < 0.6)

    def loss(parts):
        total = 0.0
        for part, (a, b) in zip(parts, weights, strict=True):
            total = total + (np.sum(part) * a if a else 0) + (np.sum(np.ravel(part)[:2] ** 2) * b if b else 0)
        return total

    return loss


@pytest.mark.parametrize("seed", range(25))
def test_random_operations_have_the_derivatives_of_their_plain_functions(seed):
    rng = np.random.default_rng(seed)
    first, plain_first = random_operation(rng)
    second, plain_second = random_operation(rng)
    loss = random_loss(rng, len(plain_first(X)) + len(plain_second(X)))

    def program(f, g):
        def run(x):
            outputs = f(x)
            return loss((*outputs, *g(x * np.sum(outputs[0])))) + 0 * np.sum(x)

        return run

    f, plain = program(first, second), program(plain_first, plain_second)
    np.testing.assert_allclose(at.grad(f)(X), at.grad(plain)(X), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(at.hessian(f)(X), at.hessian(plain)(X), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(at.compile(at.grad(f))(X), at.grad(plain)(X), rtol=1e-12, atol=1e-12)

"""The mirror of scipy.special: SciPy's on plain arrays, and recorded on Tensors."""

import inspect
import pickle

import numpy as np
import pytest

scipy = pytest.importorskip("scipy.special")

import autotiny as at
from autotiny.errors import UnsupportedError
from autotiny.scipy import special

rng = np.random.default_rng(3)
A, B = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
P = rng.uniform(2.1, 4, (2, 2))

MIRRORED = {name for name, value in vars(special).items() if hasattr(value, "__scipy__")}


@pytest.mark.parametrize("name", sorted(MIRRORED))
def test_a_mirror_has_scipys_parameters_and_words_of_its_own(name):
    mirrored, original = getattr(special, name), getattr(scipy, name)
    assert inspect.signature(mirrored) == inspect.signature(original)
    assert mirrored.__doc__


@pytest.mark.parametrize("name", sorted(MIRRORED))
def test_a_mirror_is_pickled_by_its_own_name(name):
    assert pickle.loads(pickle.dumps(getattr(special, name))) is getattr(special, name)


def test_ufuncs_are_scipys_own_and_so_is_all_that_has_no_mirror():
    assert special.erf is scipy.erf
    assert special.roots_legendre is scipy.roots_legendre
    with pytest.raises(AttributeError):
        special.no_such_function  # noqa: B018


CALLS = {
    "logsumexp": [
        (lambda s, a: s.logsumexp(a), A),
        (lambda s, a: s.logsumexp(a, axis=1, keepdims=True), A),
        (lambda s, a: s.logsumexp(a, (0, 1)), A),
        (lambda s, a: s.logsumexp(a, return_sign=True)[0], A),
        (lambda s, a, b: s.logsumexp(a, b=b, axis=0, return_sign=True)[0], A, B),
        (lambda s, a, b: s.logsumexp(a, b=b, axis=1), A, np.abs(B)),
        (lambda s, a, b: s.logsumexp(a, 1, b, True), A, np.abs(B[0])),
        (lambda s, a: s.logsumexp(a, b=2.0), A),
        (lambda s, b: s.logsumexp(A, b=b), np.abs(B)),
        (lambda s, a: s.logsumexp(a), A[0, 0]),
    ],
    "softmax": [(lambda s, x: s.softmax(x), A), (lambda s, x: s.softmax(x, axis=(1,)), A)],
    "log_softmax": [(lambda s, x: s.log_softmax(x), A), (lambda s, x: s.log_softmax(x, axis=0), A)],
    "polygamma": [(lambda s, x: s.polygamma(2, x), P), (lambda s, x: s.polygamma([[1], [0]], x), P[0])],
    "zeta": [(lambda s, q: s.zeta(3, q), P), (lambda s, q: s.zeta(2.5, q=q), P[0, 0])],
    "multigammaln": [(lambda s, a: s.multigammaln(a, 3), P)],
    "comb": [(lambda s, n, k: s.comb(n, k), P, 1.5), (lambda s, n, k: s.comb(n, k, repetition=True), P, 0.5)],
    "spherical_jn": [(lambda s, z: s.spherical_jn(2, z), P), (lambda s, z: s.spherical_jn(0, z, True), P)],
    "spherical_yn": [(lambda s, z: s.spherical_yn(2, z), P), (lambda s, z: s.spherical_yn(0, z, derivative=True), P)],
    "spherical_in": [(lambda s, z: s.spherical_in(2, z), P), (lambda s, z: s.spherical_in(0, z, derivative=True), P)],
    "spherical_kn": [(lambda s, z: s.spherical_kn(2, z), P), (lambda s, z: s.spherical_kn(0, z, derivative=True), P)],
}
each_call = pytest.mark.parametrize("call", [call for calls in CALLS.values() for call in calls])


def test_every_mirror_is_called():
    assert CALLS.keys() == MIRRORED


@each_call
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_are_scipys_in_shape_and_precision(call, dtype):
    f, *args = call
    args = [np.asarray(x, dtype) for x in args]
    recorded, expected = f(special, *map(at.Tensor, args)).data, f(scipy, *args)
    assert np.shape(recorded) == np.shape(expected)
    np.testing.assert_allclose(recorded, expected, rtol=40 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(f(special, *args), expected)


@each_call
def test_gradients_of_both_orders_are_those_of_differences(call):
    f, *args = call
    at.check_gradients(lambda *x: np.sum(np.sin(f(special, *x))), *args, order=2)


@each_call
def test_a_program_computes_the_same(call):
    f, *args = call
    step = at.value_and_grad(lambda *x: np.sum(np.sin(f(special, *x))), argnums=tuple(range(len(args))))
    value, gradients = step(*args)
    for _ in range(2):
        again, compiled = at.compile(step)(*args)
        np.testing.assert_allclose(again, value, rtol=1e-14)
        for g, expected in zip(compiled, gradients, strict=True):
            np.testing.assert_allclose(g, expected, rtol=1e-12, atol=1e-14)


# ----- edges -----
def test_a_weight_of_0_hides_an_entry_that_is_infinite():
    a, b = np.array([np.inf, 1.0]), np.array([0.0, 2.0])
    assert special.logsumexp(at.Tensor(a), b=b).item() == scipy.logsumexp(a, b=b)
    np.testing.assert_allclose(at.grad(lambda a: special.logsumexp(a, b=b))(a), [0, 1], rtol=1e-15)


def test_a_negative_sum_is_nan_unless_its_sign_is_asked_for():
    a, b = at.Tensor([0.0, 1.0]), [1.0, -1.0]
    assert np.isnan(special.logsumexp(a, b=b).data)
    size, sign = special.logsumexp(a, b=b, return_sign=True)
    np.testing.assert_allclose(size.data, np.log(np.e - 1))
    assert sign.data == -1


def test_large_exponents_do_not_overflow():
    np.testing.assert_allclose(at.grad(lambda a: special.logsumexp(a, b=[1.0, 3.0]))(np.full(2, 1e4)), [0.25, 0.75])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: special.zeta(x, 2.0), "zeta: x is tracked, and no derivative by the exponent is available"),
        (lambda x: special.polygamma(x, 2.0), "polygamma: x is tracked, and no derivative by the order"),
        (lambda x: special.comb(x, 2, exact=True), "comb: exact=True counts in whole numbers, which have no gradient"),
        (lambda x: special.multigammaln(x, 1.5), "multigammaln: d must be a positive integer"),
        (lambda x: special.softmax(x, axes=0), "softmax: axes= is not supported on a Tensor.*did you mean axis="),
        (lambda x: special.logsumexp(x, axis=3), "axis 3 is out of bounds"),
    ],
)
def test_what_is_refused_says_why(call, words):
    x = at.Tensor(3.0)
    with pytest.raises((UnsupportedError, IndexError, ValueError), match=words):
        call(x)


# ----- entropies at their edges -----
@pytest.mark.parametrize("name", ["xlogy", "rel_entr"])
def test_a_probability_of_0_contributes_nothing_to_what_it_is_compared_with(name):
    gradient = at.grad(lambda q: np.sum(getattr(scipy, name)(np.array([0.0, 1.0]), q)))(np.array([0.0, 0.5]))
    np.testing.assert_array_equal(np.abs(gradient), [0, 2])


def test_the_slope_of_the_logistic_function_is_exact_in_both_tails():
    np.testing.assert_allclose(at.grad(scipy.expit)(700.0), np.exp(-700.0), rtol=1e-14)
    np.testing.assert_allclose(at.grad(scipy.expit)(-700.0), np.exp(-700.0), rtol=1e-14)

"""The mirror of scipy.stats: densities, probabilities and quantiles by x, shapes, loc and scale; supports; refusals."""

import numpy as np
import pytest

scipy = pytest.importorskip("scipy.stats")

import autotiny as at
import mirrored as claims
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.scipy import stats

rng = np.random.default_rng(4)
LOC, SCALE = np.array(0.1), np.array(1.3)
SHAPES = {
    **dict.fromkeys(("norm", "cauchy", "laplace", "logistic", "gumbel_r", "gumbel_l", "expon", "uniform"), ()),
    **dict.fromkeys(("halfnorm", "halfcauchy", "rayleigh"), ()),
    **{"t": (3.3,), "skewnorm": (1.4,), "gamma": (2.3,), "chi2": (3.1,), "invgamma": (2.2,), "lognorm": (0.8,)},
    **{"weibull_min": (1.7,), "pareto": (2.1,), "f": (3.0, 5.0), "beta": (1.6, 2.4)},
}
"""Continuous distributions, and shape parameters."""
BY_SHAPES = {"lognorm", "weibull_min", "pareto"}
"""Those whose probabilities have a derivative by the shape parameters."""
DENSITIES, PROBABILITIES, QUANTILES = ("pdf", "logpdf"), ("cdf", "sf", "logcdf", "logsf"), ("ppf", "isf")
LACKING = {("skewnorm", m) for m in (*PROBABILITIES, *QUANTILES)} | {("f", m) for m in QUANTILES}
COUNTS = {"poisson": (2.3,), "binom": (5, 0.3), "bernoulli": (0.3,), "geom": (0.3,), "nbinom": (2.5, 0.4)}
"""Discrete distributions, and shape parameters; a whole one is constant."""
each_continuous = pytest.mark.parametrize("name", SHAPES)
each_discrete = pytest.mark.parametrize("name", COUNTS)


def call(name, method, *constants):
    """A method of a distribution, whose shape parameters may be constants."""
    return lambda m, x, *rest: getattr(getattr(m, name), method)(x, *constants, *rest)


def inside(name):
    """Points inside of the support, moved and scaled."""
    z = {"pareto": [1.2, 2.0, 3.5], "uniform": [0.1, 0.5, 0.8], "beta": [0.1, 0.5, 0.8]}.get(name, [0.3, 0.9, 2.1])
    return LOC + SCALE * np.array(z)


def calls(name):
    shapes = tuple(map(np.array, SHAPES[name]))
    for method in (*DENSITIES, *PROBABILITIES, *QUANTILES):
        if (name, method) not in LACKING:
            x = np.array([0.05, 0.4, 0.9]) if method in QUANTILES else inside(name)
            tracked = method in DENSITIES or name in BY_SHAPES
            yield (call(name, method, *(() if tracked else SHAPES[name])), x, *(shapes if tracked else ()), LOC, SCALE)


def test_the_mirror_has_these_distributions():
    assert set(stats.__all__) == {*SHAPES, *COUNTS, "dirichlet", "multivariate_normal"}


@each_continuous
def test_values_and_gradients_inside_of_the_support(name):
    for f, *args in calls(name):
        claims.assert_values_are_scipys(f, stats, scipy, args)
        claims.assert_gradients_are_those_of_differences(f, stats, scipy, args)


@each_continuous
def test_second_derivatives_and_programs(name):
    for f, *args in list(calls(name))[1:3]:
        claims.assert_second_derivatives_are_those_of_differences(f, stats, args)
        claims.assert_a_program_computes_the_same(f, stats, args)


@each_continuous
@pytest.mark.parametrize("method", [*DENSITIES, *PROBABILITIES])
def test_outside_of_the_support_is_what_scipy_says_and_contributes_nothing(name, method):
    if (name, method) in LACKING:
        return
    x = np.array([-7.0, -0.5, LOC + 0.4, LOC + 1.4, 2.7, 7.0])
    f = call(name, method)
    expected = f(scipy, x, *SHAPES[name], LOC, SCALE)
    value, pull = at.vjp(lambda x, scale: f(stats, x, *SHAPES[name], LOC, scale), x, SCALE)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14)
    by_x, by_scale = pull(np.ones(6))
    low, high = getattr(scipy, name)(*SHAPES[name], LOC, SCALE).support()
    assert np.all(by_x[(x < low) | (x > high)] == 0)
    assert np.all(np.isfinite([*by_x, by_scale]))


@each_continuous
def test_a_scale_or_shape_that_is_not_valid_gives_nan(name):
    f = call(name, "logpdf")
    assert np.all(np.isnan(f(stats, at.Tensor(inside(name)), *SHAPES[name], 0.0, -1.0).data))
    if SHAPES[name] and name != "skewnorm":
        shapes = [-1.0] * len(SHAPES[name])
        assert np.all(np.isnan(f(stats, at.Tensor(inside(name)), *shapes).data))


@each_discrete
@pytest.mark.parametrize("method", ["pmf", "logpmf", *PROBABILITIES])
def test_values_and_gradients_of_counts(name, method):
    if name == "nbinom" and method in PROBABILITIES:
        return
    k = np.array([-1, 0, 1, 3, 7, 2.5])
    whole = [p for p in COUNTS[name] if isinstance(p, int)]
    tracked = [np.array(p) for p in COUNTS[name] if not isinstance(p, int)]
    for loc in (0, 1):
        f = lambda m, *shapes, loc=loc: np.where(  # what is -inf has no differences
            np.isfinite(value := getattr(getattr(m, name), method)(k, *whole, *shapes, loc=loc)), value, 0.0
        )
        claims.assert_values_are_scipys(f, stats, scipy, tracked)
        claims.assert_gradients_are_those_of_differences(f, stats, scipy, tracked)
    plain = getattr(getattr(stats, name), method)(k, *COUNTS[name])
    np.testing.assert_array_equal(plain, getattr(getattr(scipy, name), method)(k, *COUNTS[name]))


def test_counts_may_vary_from_call_to_call_of_a_program():
    loss = lambda mu, k: np.sum(stats.poisson.logpmf(k, mu))
    step = at.compile(at.grad(loss))
    for k in (np.array([1.0, 2.0]), np.array([0.0, 5.0])):
        np.testing.assert_allclose(step(2.3, k), np.sum(k / 2.3 - 1))


# ----- vectors -----
A, mu = rng.normal(size=(3, 3)), rng.normal(size=3)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3)])
@pytest.mark.parametrize("method", DENSITIES)
def test_the_multivariate_normal_density(shape, method):
    f = lambda m, x, mean, a: getattr(m.multivariate_normal, method)(x, mean, a @ a.T + np.eye(3))
    args = rng.normal(size=shape), mu, A
    claims.assert_values_are_scipys(f, stats, scipy, args)
    claims.assert_gradients_are_those_of_differences(f, stats, scipy, args)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda m, x, mean, c: m.multivariate_normal.logpdf(x, mean, c), [rng.normal(size=(2, 3)), mu, np.array(1.7)]),
        (lambda m, x, c: m.multivariate_normal.logpdf(x, mu, cov=c), [rng.normal(size=3), np.array([1.0, 2.0, 0.5])]),
        (lambda m, x, c: m.multivariate_normal.logpdf(x, cov=c), [np.array(0.3), np.array(1.4)]),
        (lambda m, x, c: m.multivariate_normal(0.2, c).logpdf(x), [rng.normal(size=4), np.array(1.4)]),
        (lambda m, x: m.multivariate_normal(mu).logpdf(x), [rng.normal(size=(2, 3))]),
        (lambda m, a: m.dirichlet.logpdf([0.2, 0.5, 0.3], a), [np.array([1.2, 2.0, 3.0])]),
        (lambda m, a: m.dirichlet.pdf(np.full((3, 2), 1 / 3), a), [np.array([1.2, 2.0, 3.0])]),
        (lambda m, x, a: m.dirichlet.logpdf(x, a), [np.array([0.2, 0.5]), np.array([1.2, 2.0, 3.0])]),
        (lambda m, a: m.dirichlet(a).logpdf([0.2, 0.5, 0.3]), [np.array([1.2, 2.0, 3.0])]),
    ],
)
def test_other_shapes_and_parameters_of_vectors(f, args):
    claims.assert_values_are_scipys(f, stats, scipy, args)
    claims.assert_gradients_are_those_of_differences(f, stats, scipy, args)
    claims.assert_a_program_computes_the_same(f, stats, args)


def test_the_gradient_by_a_covariance_is_the_textbooks():
    cov, x = A @ A.T + np.eye(3), rng.normal(size=3)
    g = at.grad(lambda c: stats.multivariate_normal.logpdf(x, mu, c))(cov)
    inverse = np.linalg.inv(cov)
    scaled = inverse @ (x - mu)
    np.testing.assert_allclose(g, 0.5 * (np.outer(scaled, scaled) - inverse), rtol=1e-10)


def test_a_covariance_that_is_not_definite_is_an_error():
    with pytest.raises(np.linalg.LinAlgError):
        stats.multivariate_normal.logpdf(at.Tensor(mu), mu, -np.eye(3))


# ----- in use -----
def test_a_distribution_with_parameters_is_recorded_and_the_rest_of_it_is_scipys():
    m = at.Tensor(0.3)
    value = stats.norm(loc=m, scale=2.0).logpdf(1.0)
    assert value.requires_grad
    np.testing.assert_allclose(value.data, scipy.norm(0.3, 2.0).logpdf(1.0))
    assert stats.norm(0.3, 2.0).rvs(random_state=0) == scipy.norm(0.3, 2.0).rvs(random_state=0)
    assert stats.gamma.mean(2.0) == 2
    assert stats.spearmanr is scipy.spearmanr


def test_the_score_of_a_normal_sample_is_the_textbooks():
    x = rng.normal(size=50)
    by_mean, by_scale = at.grad(lambda m, s: np.sum(stats.norm.logpdf(x, m, s)), argnums=(0, 1))(0.2, 1.4)
    np.testing.assert_allclose(by_mean, np.sum(x - 0.2) / 1.4**2)
    np.testing.assert_allclose(by_scale, np.sum((x - 0.2) ** 2) / 1.4**3 - 50 / 1.4)


def test_single_precision_stays_single():
    x = at.Tensor(np.array([0.5, 1.0], np.float32))
    assert {stats.norm.logpdf(x, 0.1, 2.0).dtype, stats.gamma.cdf(x, 2.0).dtype} == {np.dtype(np.float32)}


def test_logarithms_of_probabilities_are_exact_in_the_tails():
    np.testing.assert_allclose(at.grad(stats.norm.logsf)(40.0), -40.024968847207264, rtol=1e-12)
    np.testing.assert_allclose(at.grad(stats.expon.logcdf)(1e-300), 1e300, rtol=1e-12)
    np.testing.assert_allclose(at.grad(stats.laplace.logcdf)(-800.0), 1.0)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: stats.gamma.cdf(1.0, x), "gammainc: x is tracked, and no derivative by its shape parameter"),
        (lambda x: stats.poisson.logpmf(x, 2.0), "poisson: counts are whole numbers and have no derivative"),
        (lambda x: stats.binom.logpmf(1, x, 0.5), r"binom: n is a whole number and has no derivative; give n\.data"),
        (lambda x: stats.gamma.logpdf(x), "gamma: missing shape parameter a"),
        (lambda x: stats.norm.logpdf(x, 0, 1, 2), "norm: takes at most the parameters loc, scale; got 3"),
        (lambda x: stats.norm.logpdf(x, mu=3), "norm: mu is not a parameter; the parameters are loc, scale"),
        (lambda x: stats.norm.logpdf(x, 1, loc=3), "norm: loc was given twice"),
        (lambda x: stats.skewnorm.cdf(x, 1.0), r"skewnorm\.cdf has no gradient rule yet"),
        (lambda x: stats.norm(x).rvs(), "rvs is not supported for parameters that are Tensors"),
        (
            lambda x: scipy.norm.logpdf(x),
            r"scipy\.stats\.norm\.logpdf turns x into .*autotiny\.scipy\.stats\.norm\.logpdf",
        ),
        (lambda x: stats.multivariate_normal.logpdf(np.ones(2), np.stack([x, x]), np.eye(3)), "must have the shape"),
        (lambda x: stats.dirichlet.logpdf(np.ones(4) / 4, np.stack([x, x])), "dirichlet: x has 4 probabilities"),
    ],
)
def test_what_is_refused_says_why(f, words):
    x = at.Tensor(2.0)
    with pytest.raises((UnsupportedError, ShapeError), match=words):
        f(x)

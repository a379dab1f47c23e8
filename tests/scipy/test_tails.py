"""Derivatives of first and second order over the whole domain, tails and zeros included, against mpmath."""

import mpmath as mp
import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import special

import autotiny as at

HALF = mp.mpf(1) / 2
ROOT2 = mp.sqrt(2)
REAL = (-11.0, -2.3, -1e-7, 0.0, 0.3, 1.7, 11.9, 12.1)
POSITIVE = (1e-7, 0.2, 1.0, 3.0, 40.0)
PROBABILITY = (1e-9, 0.1, 0.5, 0.99)
INSIDE = (-1.0, -0.7, 0.0, 0.2, 1.0)
LARGE = (*POSITIVE, 1e6)


def normal(x):
    return mp.erfc(-x / ROOT2) / 2


def student(df, t):
    outside = mp.betainc(df / 2, HALF, 0, df / (df + t * t), regularized=True) / 2
    return outside if t < 0 else 1 - outside


def scaled(bessel, sign):
    return lambda v, x: bessel(v, x) * mp.exp(sign * x)


ONE = {
    "erf": (mp.erf, REAL),
    "erfc": (mp.erfc, REAL),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), (-5.0, 0.0, 3.0, 11.9, 12.1, 1e6)),
    "erfi": (mp.erfi, (-5.0, 0.0, 12.1)),
    "dawsn": (lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), (*REAL, -1e5)),
    "ndtr": (normal, REAL),
    "log_ndtr": (lambda x: mp.log(normal(x)), (*REAL, -1e4)),
    "erfinv": (mp.erfinv, (-0.999, -0.3, 0.0, 0.6)),
    "ndtri": (lambda p: ROOT2 * mp.erfinv(2 * p - 1), PROBABILITY),
    "gamma": (mp.gamma, (1e-7, 0.2, 1.0, 40.0, -0.5, -20.2)),
    "gammaln": (lambda x: mp.log(abs(mp.gamma(x))), (*LARGE, -0.5, -3.3)),
    "loggamma": (lambda x: mp.re(mp.loggamma(x)), POSITIVE),
    "psi": (mp.digamma, (*LARGE, -0.5, -3.3)),
    "rgamma": (mp.rgamma, (-4.0, -3.3, -1.0, 0.0, 0.5, 40.0)),
    "expit": (lambda x: 1 / (1 + mp.exp(-x)), REAL),
    "log_expit": (lambda x: -mp.log1p(mp.exp(-x)), (*REAL, -700.0)),
    "logit": (lambda x: mp.log(x / (1 - x)), PROBABILITY),
    "entr": (lambda x: -x * mp.log(x), POSITIVE),
    "exprel": (lambda x: mp.expm1(x) / x if x else mp.mpf(1), (*REAL, 1.9, 2.1, 3.1)),
    "exp10": (lambda x: mp.power(10, x), REAL),
    "cosm1": (lambda x: mp.cos(x) - 1, REAL),
    "sindg": (lambda x: mp.sin(x * mp.pi / 180), (30.0, 90.0, 200.0)),
    "tandg": (lambda x: mp.tan(x * mp.pi / 180), (30.0, 80.0)),
    "cotdg": (lambda x: mp.cot(x * mp.pi / 180), (30.0, 80.0)),
    "expi": (mp.ei, (-20.0, -1.0, 0.3, 20.0)),
    "exp1": (mp.e1, POSITIVE),
    "spence": (lambda x: mp.re(mp.polylog(2, 1 - x)), (0.2, 1.0, 1.5, 3.0)),
    "wrightomega": (lambda x: mp.re(mp.lambertw(mp.exp(x))), REAL),
    "j0": (lambda x: mp.besselj(0, x), REAL),
    "j1": (lambda x: mp.besselj(1, x), REAL),
    "y0": (lambda x: mp.bessely(0, x), POSITIVE),
    "y1": (lambda x: mp.bessely(1, x), POSITIVE),
    "i0": (lambda x: mp.besseli(0, x), REAL),
    "i1": (lambda x: mp.besseli(1, x), REAL),
    "k0": (lambda x: mp.besselk(0, x), POSITIVE),
    "k1": (lambda x: mp.besselk(1, x), POSITIVE),
    "i0e": (lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), (-40.0, -2.0, 0.3, 29.0, 31.0, 1e4)),
    "i1e": (lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), (-40.0, -2.0, 0.3, 29.0, 32.0, 1e4)),
    "k0e": (lambda x: mp.besselk(0, x) * mp.exp(x), (*POSITIVE, 1e4)),
    "k1e": (lambda x: mp.besselk(1, x) * mp.exp(x), (*POSITIVE, 1e4)),
}
"""Functions of one argument: mpmath's, and points."""

ORDERS = (0.0, 0.5, 2.0, -1.3)
SEVERAL = {
    "jv": (mp.besselj, (1,), ORDERS, (0.2, 3.0, 40.0)),
    "yv": (mp.bessely, (1,), ORDERS, (0.2, 3.0, 40.0)),
    "iv": (mp.besseli, (1,), ORDERS, (0.2, 3.0, 40.0)),
    "kv": (mp.besselk, (1,), ORDERS, (0.2, 3.0, 40.0)),
    "ive": (scaled(mp.besseli, -1), (1,), ORDERS, (0.2, 3.0, 40.0)),
    "kve": (scaled(mp.besselk, 1), (1,), ORDERS, (0.2, 3.0, 40.0)),
    "poch": (mp.rf, (0, 1), (0.3, 2.0, 30.0), (0.5, 7.0)),
    "binom": (mp.binomial, (0, 1), (3.3, 40.2), (0.5, 2.2)),
    "betaln": (lambda a, b: mp.log(mp.beta(a, b)), (0, 1), (0.2, 3.0, 1e6), (0.001, 1.0, 1e6)),
    "gammainc": (lambda a, x: mp.gammainc(a, 0, x, regularized=True), (1,), (0.1, 1.0, 40.0), POSITIVE[1:]),
    "gammaincc": (lambda a, x: mp.gammainc(a, x, regularized=True), (1,), (0.1, 1.0, 40.0), POSITIVE[1:]),
    "betainc": (lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), (2,), (0.3, 30.0), (0.4, 8.0), (0.01, 0.9)),
    "xlogy": (lambda a, b: a * mp.log(b), (0, 1), POSITIVE, POSITIVE),
    "xlog1py": (lambda a, b: a * mp.log1p(b), (0, 1), POSITIVE, POSITIVE),
    "rel_entr": (lambda a, b: a * mp.log(a / b), (0, 1), POSITIVE, (1e-7, 3.0, 40.004)),
    "kl_div": (lambda a, b: a * mp.log(a / b) - a + b, (0,), POSITIVE, (1e-7, 3.0, 40.004)),
    "boxcox": (lambda x, p: mp.expm1(p * mp.log(x)) / p if p else mp.log(x), (0, 1), POSITIVE, (-2.0, 0.0, 1e-9, 2.0)),
    "powm1": (lambda a, b: mp.power(a, b) - 1, (0, 1), POSITIVE, (-2.0, 0.3, 2.0)),
    "inv_boxcox": (lambda y, p: mp.power(p * y + 1, 1 / mp.mpf(p)), (0,), (0.2, 1.5), (0.3, 2.0)),
    "pseudo_huber": (lambda d, r: d * d * (mp.hypot(1, r / d) - 1), (0, 1), (0.01, 1.3, 50.0), (-3.0, 1e-3, 4.0)),
    "expn": (mp.expint, (1,), (0, 1, 2, 5), (0.2, 1.0, 3.0)),
    "stdtr": (student, (1,), (1.0, 3.5, 30.0), (-4.0, 0.8, 10.0)),
    "chdtr": (lambda v, x: mp.gammainc(v / 2, 0, x / 2, regularized=True), (1,), (1.0, 4.0), (0.3, 5.0)),
    "pdtr": (lambda k, m: mp.gammainc(k + 1, m, regularized=True), (1,), (0.0, 3.0), (0.3, 5.0)),
    "hyp0f1": (mp.hyp0f1, (1,), (0.7, 2.0), (-3.0, 0.4, 5.0)),
    "hyp1f1": (mp.hyp1f1, (2,), (0.3, 2.0), (0.7, 3.0), (-4.0, 0.5, 3.0)),
    "hyp2f1": (mp.hyp2f1, (3,), (0.3, 2.0), (0.7, 3.0), (1.3,), (-4.0, 0.5, 0.8)),
    "eval_legendre": (mp.legendre, (1,), (0, 1, 2, 5), INSIDE),
    "eval_sh_legendre": (lambda n, x: mp.legendre(n, 2 * x - 1), (1,), (0, 1, 2, 5), INSIDE),
    "eval_chebyt": (mp.chebyt, (1,), (0, 1, 2, 5), INSIDE),
    "eval_chebyu": (mp.chebyu, (1,), (0, 1, 2, 5), INSIDE),
    "eval_hermite": (mp.hermite, (1,), (0, 1, 2, 5), INSIDE),
    "eval_hermitenorm": (lambda n, x: mp.power(2, -n * HALF) * mp.hermite(n, x / ROOT2), (1,), (0, 2, 5), INSIDE),
    "eval_genlaguerre": (mp.laguerre, (2,), (0, 1, 4), (0.4,), (0.2, 3.0)),
    "eval_jacobi": (mp.jacobi, (3,), (0, 1, 4), (0.4,), (0.8,), INSIDE),
}
"""Functions of several arguments: mpmath's, the positions of those to differentiate by, and the values of each."""


NEAR_A_LIMIT = ("erf", "erfc", "ndtr", "log_ndtr", "gammaincc")
"""Functions whose values differ from 0 or 1 by less than the differences of others."""


def slopes(f, x, digits):
    """First and second derivative, by central differences that are exact in so many digits."""
    with mp.workdps(digits):
        x = mp.mpf(x)
        h = (abs(x) or 1) * mp.mpf(10) ** -15
        behind, here, ahead = (mp.re(f(x + k * h)) for k in (-1, 0, 1))
        return float((ahead - behind) / (2 * h)), float((ahead - 2 * here + behind) / (h * h))


def digits_of(name):
    return 150 if name in NEAR_A_LIMIT else 60


def assert_slopes(function, reference, point, by, digits=60):
    """Both derivatives are mpmath's to 12 and 10 digits, or to rounding beside the larger one, where one crosses 0."""
    x = point[by]
    ours = at.grad(f := lambda z: function(*point[:by], z, *point[by + 1 :]))(x), at.grad(at.grad(f))(x)
    exact = [p if isinstance(p, int) else mp.mpf(p) for p in point]
    expected = slopes(lambda z: reference(*exact[:by], z, *exact[by + 1 :]), x, digits)
    rounding = 4e-15 * max(map(abs, expected)) + 1e-290
    for actual, wanted, part in zip(ours, expected, (1e-12, 1e-10), strict=True):
        assert abs(actual - wanted) <= part * abs(wanted) + rounding, (point, by, actual, wanted)


@pytest.mark.parametrize("name", ONE)
def test_derivatives_are_exact_over_the_whole_domain(name):
    reference, points = ONE[name]
    for x in points:
        assert_slopes(getattr(special, name), reference, (x,), 0, digits_of(name))


@pytest.mark.parametrize("name", SEVERAL)
def test_derivatives_by_each_argument_are_exact(name):
    reference, positions, *values = SEVERAL[name]
    for point in np.ndindex(*map(len, values)):
        arguments = tuple(column[i] for column, i in zip(values, point, strict=True))
        for by in positions:
            assert_slopes(getattr(special, name), reference, arguments, by, digits_of(name))


def test_an_inexact_derivative_is_caught():
    with pytest.raises(AssertionError):
        assert_slopes(special.erf, lambda x: mp.erf(x) * (1 + mp.mpf(10) ** -11), (0.3,), 0)

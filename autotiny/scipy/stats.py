"""`scipy.stats` on Tensors: densities, probabilities and quantiles, by x, the shape parameters, loc and scale.

Each distribution has the methods pdf (or pmf), logpdf, cdf, logcdf, sf, logsf, ppf and isf; all else of it (rvs, fit,
mean ...) is SciPy's own. Single precision stays single, where SciPy's own distributions give double.
"""

import math
from typing import Any

import numpy as np
from scipy import special, stats

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import Array, array_like
from autotiny.scipy import linalg
from autotiny.scipy.distribution import Continuous, Discrete, Frozen, log_of_rest
from autotiny.scipy.mirror import other_names, recorder

__getattr__ = other_names(stats)

LOG_2PI, LOG_2, LOG_PI = math.log(2 * math.pi), math.log(2), math.log(math.pi)


# ----- on the whole line -----
norm = Continuous(
    stats.norm,
    logpdf=lambda z: -0.5 * z * z - 0.5 * LOG_2PI,
    cdf=lambda z: special.ndtr(z),
    sf=lambda z: special.ndtr(-z),
    logcdf=lambda z: special.log_ndtr(z),
    logsf=lambda z: special.log_ndtr(-z),
    ppf=lambda q: special.ndtri(q),
    isf=lambda q: -special.ndtri(q),
)
t = Continuous(
    stats.t,
    logpdf=lambda z, df: -special.betaln(0.5 * df, 0.5) - 0.5 * np.log(df) - 0.5 * (df + 1) * np.log1p(z * z / df),
    cdf=lambda z, df: special.stdtr(df, z),
    sf=lambda z, df: special.stdtr(df, -z),
    ppf=lambda q, df: special.stdtrit(df, q),
    isf=lambda q, df: -special.stdtrit(df, q),
    valid=lambda df: df > 0,
)
cauchy = Continuous(
    stats.cauchy,
    logpdf=lambda z: -LOG_PI - np.log1p(z * z),
    cdf=lambda z: np.arctan2(1.0, -z) / np.pi,
    sf=lambda z: np.arctan2(1.0, z) / np.pi,
    ppf=lambda q: np.tan(np.pi * (q - 0.5)),
)
laplace = Continuous(
    stats.laplace,
    logpdf=lambda z: -np.abs(z) - LOG_2,
    cdf=lambda z: np.where(z > 0, 1 - 0.5 * np.exp(-np.abs(z)), 0.5 * np.exp(-np.abs(z))),
    sf=lambda z: np.where(z > 0, 0.5 * np.exp(-np.abs(z)), 1 - 0.5 * np.exp(-np.abs(z))),
    logcdf=lambda z: np.where(z > 0, np.log1p(-0.5 * np.exp(-np.abs(z))), z - LOG_2),
    logsf=lambda z: np.where(z > 0, -z - LOG_2, np.log1p(-0.5 * np.exp(-np.abs(z)))),
    ppf=lambda q: np.where(q > 0.5, -np.log(2 * (1 - q)), np.log(2 * q)),
)
logistic = Continuous(
    stats.logistic,
    logpdf=lambda z: special.log_expit(z) + special.log_expit(-z),
    cdf=lambda z: special.expit(z),
    sf=lambda z: special.expit(-z),
    logcdf=lambda z: special.log_expit(z),
    logsf=lambda z: special.log_expit(-z),
    ppf=lambda q: special.logit(q),
    isf=lambda q: -special.logit(q),
)
gumbel_r = Continuous(
    stats.gumbel_r,
    logpdf=lambda z: -z - np.exp(-z),
    cdf=lambda z: np.exp(-np.exp(-z)),
    sf=lambda z: -np.expm1(-np.exp(-z)),
    logcdf=lambda z: -np.exp(-z),
    ppf=lambda q: -np.log(-np.log(q)),
)
gumbel_l = Continuous(
    stats.gumbel_l,
    logpdf=lambda z: z - np.exp(z),
    cdf=lambda z: -np.expm1(-np.exp(z)),
    sf=lambda z: np.exp(-np.exp(z)),
    logsf=lambda z: -np.exp(z),
    ppf=lambda q: np.log(-np.log1p(-q)),
)
skewnorm = Continuous(stats.skewnorm, logpdf=lambda z, a: LOG_2 - 0.5 * z * z - 0.5 * LOG_2PI + special.log_ndtr(a * z))

# ----- on half of the line -----
expon = Continuous(
    stats.expon,
    logpdf=lambda z: -z,
    cdf=lambda z: -np.expm1(-z),
    sf=lambda z: np.exp(-z),
    logcdf=lambda z: log_of_rest(-z),
    logsf=lambda z: -z,
    ppf=lambda q: -np.log1p(-q),
    isf=lambda q: -np.log(q),
    low=0,
)
gamma = Continuous(
    stats.gamma,
    logpdf=lambda z, a: special.xlogy(a - 1, z) - z - special.gammaln(a),
    cdf=lambda z, a: special.gammainc(a, z),
    sf=lambda z, a: special.gammaincc(a, z),
    ppf=lambda q, a: special.gammaincinv(a, q),
    isf=lambda q, a: special.gammainccinv(a, q),
    low=0,
    valid=lambda a: a > 0,
)
chi2 = Continuous(
    stats.chi2,
    logpdf=lambda z, df: special.xlogy(0.5 * df - 1, z) - 0.5 * z - special.gammaln(0.5 * df) - 0.5 * LOG_2 * df,
    cdf=lambda z, df: special.chdtr(df, z),
    sf=lambda z, df: special.chdtrc(df, z),
    ppf=lambda q, df: 2 * special.gammaincinv(0.5 * df, q),
    isf=lambda q, df: 2 * special.gammainccinv(0.5 * df, q),
    low=0,
    valid=lambda df: df > 0,
)
invgamma = Continuous(
    stats.invgamma,
    logpdf=lambda z, a: -(a + 1) * np.log(z) - special.gammaln(a) - 1 / z,
    cdf=lambda z, a: special.gammaincc(a, 1 / z),
    sf=lambda z, a: special.gammainc(a, 1 / z),
    ppf=lambda q, a: 1 / special.gammainccinv(a, q),
    isf=lambda q, a: 1 / special.gammaincinv(a, q),
    low=0,
    valid=lambda a: a > 0,
    open_end=True,
)
f = Continuous(
    stats.f,
    logpdf=lambda z, dfn, dfd: (
        0.5 * dfn * np.log(dfn) + 0.5 * dfd * np.log(dfd) + special.xlogy(0.5 * dfn - 1, z)
        - 0.5 * (dfn + dfd) * np.log(dfd + dfn * z) - special.betaln(0.5 * dfn, 0.5 * dfd)
    ),
    cdf=lambda z, dfn, dfd: special.betainc(0.5 * dfn, 0.5 * dfd, dfn * z / (dfd + dfn * z)),
    sf=lambda z, dfn, dfd: special.betainc(0.5 * dfd, 0.5 * dfn, dfd / (dfd + dfn * z)),
    low=0,
    valid=lambda dfn, dfd: np.logical_and(dfn > 0, dfd > 0),
)  # fmt: skip
lognorm = Continuous(
    stats.lognorm,
    logpdf=lambda z, s: -0.5 * np.square(np.log(z) / s) - np.log(s * z) - 0.5 * LOG_2PI,
    cdf=lambda z, s: special.ndtr(np.log(z) / s),
    sf=lambda z, s: special.ndtr(-np.log(z) / s),
    logcdf=lambda z, s: special.log_ndtr(np.log(z) / s),
    logsf=lambda z, s: special.log_ndtr(-np.log(z) / s),
    ppf=lambda q, s: np.exp(s * special.ndtri(q)),
    isf=lambda q, s: np.exp(-s * special.ndtri(q)),
    low=0,
    valid=lambda s: s > 0,
    open_end=True,
)
weibull_min = Continuous(
    stats.weibull_min,
    logpdf=lambda z, c: np.log(c) + special.xlogy(c - 1, z) - z**c,
    cdf=lambda z, c: -np.expm1(-(z**c)),
    sf=lambda z, c: np.exp(-(z**c)),
    logsf=lambda z, c: -(z**c),
    ppf=lambda q, c: (-np.log1p(-q)) ** (1 / c),
    isf=lambda q, c: (-np.log(q)) ** (1 / c),
    low=0,
    valid=lambda c: c > 0,
)
pareto = Continuous(
    stats.pareto,
    logpdf=lambda z, b: np.log(b) - (b + 1) * np.log(z),
    cdf=lambda z, b: 1 - z**-b,
    sf=lambda z, b: z**-b,
    logsf=lambda z, b: -b * np.log(z),
    ppf=lambda q, b: (1 - q) ** (-1 / b),
    isf=lambda q, b: q ** (-1 / b),
    low=1,
    valid=lambda b: b > 0,
)
halfnorm = Continuous(
    stats.halfnorm,
    logpdf=lambda z: LOG_2 - 0.5 * z * z - 0.5 * LOG_2PI,
    cdf=lambda z: special.erf(z / math.sqrt(2)),
    sf=lambda z: 2 * special.ndtr(-z),
    ppf=lambda q: special.ndtri((1 + q) / 2.0),
    low=0,
)
halfcauchy = Continuous(
    stats.halfcauchy,
    logpdf=lambda z: LOG_2 - LOG_PI - np.log1p(z * z),
    cdf=lambda z: 2 / np.pi * np.arctan(z),
    sf=lambda z: 2 / np.pi * np.arctan2(1.0, z),
    ppf=lambda q: np.tan(np.pi / 2 * q),
    low=0,
)
rayleigh = Continuous(
    stats.rayleigh,
    logpdf=lambda z: np.log(z) - 0.5 * z * z,
    cdf=lambda z: -np.expm1(-0.5 * z * z),
    sf=lambda z: np.exp(-0.5 * z * z),
    logsf=lambda z: -0.5 * z * z,
    ppf=lambda q: np.sqrt(-2 * np.log1p(-q)),
    isf=lambda q: np.sqrt(-2 * np.log(q)),
    low=0,
    open_end=True,
)

# ----- on an interval -----
uniform = Continuous(
    stats.uniform,
    logpdf=lambda z: 0.0 * z,
    cdf=lambda z: z,
    sf=lambda z: 1 - z,
    ppf=lambda q: q,
    low=0,
    high=1,
)
beta = Continuous(
    stats.beta,
    logpdf=lambda z, a, b: special.xlogy(a - 1, z) + special.xlog1py(b - 1, -z) - special.betaln(a, b),
    cdf=lambda z, a, b: special.betainc(a, b, z),
    sf=lambda z, a, b: special.betaincc(a, b, z),
    ppf=lambda q, a, b: special.betaincinv(a, b, q),
    isf=lambda q, a, b: special.betainccinv(a, b, q),
    low=0,
    high=1,
    valid=lambda a, b: np.logical_and(a > 0, b > 0),
)

# ----- of counts -----
poisson = Discrete(
    stats.poisson,
    logpmf=lambda k, mu: special.xlogy(k, mu) - special.gammaln(k + 1) - mu,
    cdf=lambda k, mu: special.pdtr(k, mu),
    sf=lambda k, mu: special.pdtrc(k, mu),
    valid=lambda mu: mu >= 0,
)
binom = Discrete(
    stats.binom,
    logpmf=lambda k, n, p: (
        special.gammaln(n + 1.0) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
        + special.xlogy(k, p) + special.xlog1py(n - k, -p)
    ),
    cdf=lambda k, n, p: special.betaincc(k + 1, n - k, p),
    sf=lambda k, n, p: special.betainc(k + 1, n - k, p),
    high=lambda n, p: n,
    valid=lambda n, p: np.logical_and(p >= 0, p <= 1),
    whole="n",
)  # fmt: skip
bernoulli = Discrete(
    stats.bernoulli,
    logpmf=lambda k, p: special.xlogy(k, p) + special.xlog1py(1 - k, -p),
    cdf=lambda k, p: (1 - p) + k * p,
    sf=lambda k, p: (1 - k) * p,
    high=lambda p: 1,
    valid=lambda p: np.logical_and(p >= 0, p <= 1),
)
geom = Discrete(
    stats.geom,
    logpmf=lambda k, p: special.xlog1py(k - 1, -p) + np.log(p),
    cdf=lambda k, p: -np.expm1(special.xlog1py(k, -p)),
    sf=lambda k, p: np.exp(special.xlog1py(k, -p)),
    logsf=lambda k, p: special.xlog1py(k, -p),
    low=1,
    valid=lambda p: np.logical_and(p > 0, p <= 1),
)
nbinom = Discrete(
    stats.nbinom,
    logpmf=lambda k, n, p: (
        special.gammaln(n + k) - special.gammaln(k + 1) - special.gammaln(n) + n * np.log(p) + special.xlog1py(k, -p)
    ),
    valid=lambda n, p: np.logical_and(n > 0, np.logical_and(p > 0, p <= 1)),
)


# ----- of vectors -----
class MultivariateNormal:
    """The normal distribution of vectors, whose components lie along the last axis."""

    def logpdf(self, x: Array, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Array:
        """-½ (k log 2π + log det Σ + (x - μ)ᵀ Σ⁻¹ (x - μ)).

        Σ counts as (Σ + Σᵀ) / 2, so that its gradient is symmetric, as in the textbook; SciPy reads a triangle alone.
        """
        if recorder(x, mean, cov) is None:
            return stats.multivariate_normal.logpdf(x, mean, cov, allow_singular)
        if allow_singular:
            raise UnsupportedError("multivariate_normal: allow_singular=True is not supported on a Tensor")
        return self._logpdf(array_like(x), mean, cov)

    def pdf(self, x: Array, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Array:
        """exp(logpdf)."""
        if recorder(x, mean, cov) is None:
            return stats.multivariate_normal.pdf(x, mean, cov, allow_singular)
        return np.exp(self.logpdf(x, mean, cov, allow_singular))

    def _logpdf(self, x: Array, mean: Any, cov: Any) -> Array:
        mean, cov = array_like(0.0 if mean is None else mean), array_like(cov)
        dim = self._dimension(x, mean, cov)
        if np.ndim(x) == 0:
            x = np.reshape(x, (1,))
        elif dim == 1 and (np.ndim(x) > 1 or x.shape[0] > 1) and x.shape[-1] != 1:
            x = x[..., None]
        centred = x - np.reshape(mean, (-1,))
        if centred.shape[-1] != dim:
            raise ShapeError(f"multivariate_normal: x has {np.shape(x)[-1]} components, and the distribution {dim}")
        half = np.linalg.cholesky(self._matrix(cov, dim))
        rows = np.reshape(centred, (-1, dim))
        scaled = linalg.solve_triangular(half, rows.T, lower=True)
        squares = np.reshape(np.sum(np.square(scaled), axis=0), centred.shape[:-1])
        log_det = 2 * np.sum(np.log(np.diagonal(half)))
        return -0.5 * (dim * LOG_2PI + log_det + squares)

    @staticmethod
    def _dimension(x: Array, mean: Array, cov: Array) -> int:
        if np.ndim(cov) < 2 and np.ndim(mean) == 0:
            return 1
        return int(np.shape(mean)[0] if np.ndim(mean) else np.shape(cov)[0])

    @staticmethod
    def _matrix(cov: Array, dim: int) -> Array:
        if np.ndim(cov) == 0:
            return cov * np.eye(dim)
        if np.shape(cov) == (dim,):
            return np.diag(cov)
        if np.shape(cov) != (dim, dim):
            raise ShapeError(f"multivariate_normal: cov must have the shape {(dim, dim)}; got {np.shape(cov)}")
        return 0.5 * (cov + cov.T)

    def __call__(self, mean: Any = None, cov: Any = 1, allow_singular: bool = False, seed: Any = None) -> Any:
        """Return the distribution with these parameters."""
        if recorder(mean, cov) is None:
            return Frozen(self, (mean, cov, allow_singular), {}, stats.multivariate_normal(mean, cov, allow_singular))
        return Frozen(self, (mean, cov, allow_singular), {}, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(stats.multivariate_normal, name)


class Dirichlet:
    """The distribution of probabilities, which lie along the first axis of x."""

    def logpdf(self, x: Array, alpha: Any) -> Array:
        """Σ (α - 1) log x + log Γ(Σ α) - Σ log Γ(α), where the last probability may be left out.

        On Tensors, x is not checked to sum to 1.
        """
        if recorder(x, alpha) is None:
            return stats.dirichlet.logpdf(x, alpha)
        x, alpha = array_like(x), array_like(alpha)
        if np.shape(x)[0] == np.shape(alpha)[0] - 1:
            x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)], axis=0)
        if np.shape(x)[0] != np.shape(alpha)[0]:
            raise ShapeError(
                f"dirichlet: x has {np.shape(x)[0]} probabilities along its first axis, and alpha {np.shape(alpha)[0]}"
            )
        exponents = np.reshape(alpha - 1, (-1, *(1,) * (np.ndim(x) - 1)))
        log_b = np.sum(special.gammaln(alpha)) - special.gammaln(np.sum(alpha))
        return np.sum(special.xlogy(exponents, x), axis=0) - log_b

    def pdf(self, x: Array, alpha: Any) -> Array:
        """exp(logpdf)."""
        return stats.dirichlet.pdf(x, alpha) if recorder(x, alpha) is None else np.exp(self.logpdf(x, alpha))

    def __call__(self, alpha: Any, seed: Any = None) -> Any:
        """Return the distribution with this parameter."""
        return Frozen(self, (alpha,), {}, stats.dirichlet(alpha) if recorder(alpha) is None else None)

    def __getattr__(self, name: str) -> Any:
        return getattr(stats.dirichlet, name)


multivariate_normal, dirichlet = MultivariateNormal(), Dirichlet()
__all__ = [name for name, value in globals().items() if isinstance(value, Continuous | Discrete)] + [
    "dirichlet", "multivariate_normal",
]  # fmt: skip

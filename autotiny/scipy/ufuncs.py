"""SciPy's error, gamma and beta functions, exponential integrals, and functions of logarithms.

Formulas of derivatives are those of F. W. J. Olver et al., "NIST Digital Library of Mathematical Functions", chapters 5
to 8. Where the textbook's formula subtracts what is nearly equal, in a tail or near a zero, a form is used that does
not. Orders and shape parameters by which no derivative is known in closed form are constants.
"""

import math
from typing import Any

import numpy as np
from scipy import special
from scipy.special import _ufuncs

from autotiny.ops.elementwise import DEGREE, LN2, LN10
from autotiny.ops.table import OPS, Array, Op, Rule, complex_variant, own
from autotiny.scipy.mirror import curve

SQRT2, SQRT_PI, SQRT_2PI = math.sqrt(2), math.sqrt(math.pi), math.sqrt(2 * math.pi)


def part(function: Any, *rules: Rule | None, of: str, traits: str, **row: Any) -> Op:
    """Enter a function with a derivative by some of its arguments alone; `of` says what the others are."""
    return curve(function, *rules, traits=traits, undifferentiable=of, **row)


def where_zero(x: Array, value: Array, other: Array) -> Array:
    """Return a value where x = 0, and another elsewhere."""
    return np.where(x == 0, value, other)


# ----- error functions -----
FAR = 12.0
"""Where asymptotic series take over: ten terms of them are exact to rounding."""


def tail(x: Array, sign: float) -> Array:
    """Return Σ (2n + 1)!! (±1)ⁿ / (2x²)ⁿ⁺¹ for n = 0 ... 9, for x above FAR."""
    far = np.where(np.abs(x) > FAR, x, x.dtype.type(2 * FAR))
    t = sign / (2 * far * far)
    series: Array = 1.0
    for n in range(19, 1, -2):
        series = 1 + n * t * series
    return sign * t * series


def erfcx_slope(x: Array, y: Array) -> Array:
    """2 x erfcx(x) - 2/√π, whose terms nearly cancel for large x."""
    return np.where(x > FAR, -2 / SQRT_PI * tail(x, -1), 2 * x * np.where(x > FAR, 0.0, y) - 2 / SQRT_PI)


def dawsn_slope(x: Array, y: Array) -> Array:
    """1 - 2 x D(x), whose terms nearly cancel for large x."""
    return np.where(np.abs(x) > FAR, -tail(x, 1), 1 - 2 * x * np.where(np.abs(x) > FAR, 0.0, y))


def hazard_distance(x: Array, y: Array) -> Array:
    """x + y for y = φ(x) / Φ(x), whose terms nearly cancel for x far below 0."""
    u = np.where(x < 0, -x / SQRT2, 0.0)
    e = special.erfcx(u)
    return np.where(x < 0, -erfcx_slope(u, e) / (SQRT2 * e), x + y)


@own(lambda g, y, x: -g * y * hazard_distance(x, y), traits="elementwise smooth", words="times -y (x + y)")
def hazard(x: Array) -> Array:
    """φ(x) / Φ(x), the slope of log Φ."""
    return math.sqrt(2 / math.pi) / special.erfcx(-x / SQRT2)


# fmt: off
curve(special.erf,         lambda g, y, x: g * (2 / SQRT_PI) * np.exp(-x * x),         traits="analytic keeps_sign",
      words="error function: times 2/√π exp(-x²)")
curve(special.erfc,        lambda g, y, x: -g * (2 / SQRT_PI) * np.exp(-x * x),        traits="analytic")
curve(special.erfcx,       lambda g, y, x: g * erfcx_slope(x, y),                      traits="analytic unbounded")
curve(special.erfi,        lambda g, y, x: g * (2 / SQRT_PI) * np.exp(x * x),    traits="analytic keeps_sign unbounded")
curve(special.dawsn,       lambda g, y, x: g * dawsn_slope(x, y),                      traits="analytic keeps_sign")
curve(special.erfinv,      lambda g, y, x: g * (SQRT_PI / 2) * np.exp(y * y),    traits="smooth keeps_sign unbounded")
curve(special.erfcinv,     lambda g, y, x: -g * (SQRT_PI / 2) * np.exp(y * y),         traits="smooth unbounded")
curve(special.ndtr,        lambda g, y, x: g * np.exp(-0.5 * x * x) / SQRT_2PI,        traits="analytic",
      words="normal distribution: times its density")
curve(special.log_ndtr,    lambda g, y, x: g * hazard(x),                              traits="analytic")
curve(special.ndtri,       lambda g, y, x: g * SQRT_2PI * np.exp(0.5 * y * y),         traits="smooth unbounded")
curve(special.ndtri_exp,   lambda g, y, x: g / hazard(y),                              traits="smooth unbounded")
curve(special.owens_t,
      lambda g, y, a, b: -g * np.exp(-0.5 * a * a) * special.erf(a * b / SQRT2) / (2 * SQRT_2PI),
      lambda g, y, a, b: g * np.exp(-0.5 * a * a * (1 + b * b)) / (2 * np.pi * (1 + b * b)),         traits="smooth")


# ----- gamma and beta functions -----
def rgamma_slope(x: Array, y: Array) -> Array:
    """-ψ(x) / Γ(x); below ½ by reflection, which has no poles: 1 / Γ(x) = Γ(1 - x) sin(πx) / π."""
    low = x < 0.5
    below, above = np.where(low, x, 0.0), np.where(low, 1.0, x)
    angle = np.pi * below
    reflected = special.gamma(1 - below) * (np.cos(angle) - special.psi(1 - below) * np.sin(angle) / np.pi)
    return np.where(low, reflected, -y * special.psi(above))


def psi_rise(a: Array, b: Array) -> Array:
    """ψ(a + b) - ψ(a); for large a, where they nearly cancel, by the asymptotic series of each."""
    large = np.logical_and(a > 20, a + b > 20)
    x, step = np.where(large, a, 40.0), np.where(large, b, 0.0)
    z = x + step
    rise = np.log1p(step / x) + 0.5 * step / (x * z)
    for power, factor in ((2, 1 / 12), (4, -1 / 120), (6, 1 / 252), (8, -1 / 240), (10, 1 / 132)):
        rise = rise + factor * (x**-power - z**-power)
    return np.where(large, rise, special.psi(a + b) - special.psi(a))


@own(None, lambda g, y, s, x: -g * s * zeta(s + 1, x), undifferentiable="the exponent",
     traits="elementwise smooth unbounded keeps_sign", words="zeta: times -s ζ(s + 1, x)")
def zeta(s: Array, x: Array) -> Array:
    """The Hurwitz zeta function Σ (x + n)⁻ˢ."""
    return special.zeta(s, x)


if hasattr(_ufuncs, "_zeta"):
    OPS[_ufuncs._zeta] = OPS[zeta]  # which SciPy's zeta calls
curve(special.gamma,       lambda g, y, x: g * y * special.psi(x),                     traits="smooth unbounded",
      words="gamma function: times Γ(x) ψ(x)")
curve(special.rgamma,      lambda g, y, x: g * rgamma_slope(x, y),                     traits="analytic",
      singular=lambda y, x: x < -170)
curve(special.gammaln,     lambda g, y, x: g * special.psi(x),                         traits="smooth unbounded",
      words="log-gamma: times ψ(x)")
curve(special.loggamma,    lambda g, y, x: g * special.psi(x),                         traits="analytic unbounded",
      words="log-gamma: times ψ(x)")
curve(special.psi,         lambda g, y, x: g * zeta(2, x),                        traits="analytic unbounded real",
      words="digamma: times ζ(2, x), the trigamma function")
curve(special.gammasgn,    lambda g, y, x: np.zeros_like(g),                           traits="flat unbounded")
curve(special.poch,
      lambda g, y, a, b: g * y * psi_rise(a, b),
      lambda g, y, a, b: g * y * special.psi(a + b),                                   traits="smooth unbounded")
curve(special.binom,
      lambda g, y, a, b: g * y * psi_rise(a - b + 1, b),
      lambda g, y, a, b: g * y * (special.psi(a - b + 1) - special.psi(b + 1)),        traits="smooth unbounded")
curve(special.beta,
      lambda g, y, a, b: -g * y * psi_rise(a, b),
      lambda g, y, a, b: -g * y * psi_rise(b, a),                           traits="smooth unbounded keeps_sign")
curve(special.betaln,
      lambda g, y, a, b: -g * psi_rise(a, b),
      lambda g, y, a, b: -g * psi_rise(b, a),                                          traits="smooth unbounded")


# ----- incomplete gamma and beta functions -----
def gamma_density(a: Array, x: Array) -> Array:
    """x^(a-1) exp(-x) / Γ(a)."""
    return np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))


def beta_density(a: Array, b: Array, x: Array) -> Array:
    """x^(a-1) (1 - x)^(b-1) / B(a, b)."""
    return np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))


part(special.gammainc,     None, lambda g, y, a, x: g * gamma_density(a, x),           of="its shape parameter",
     traits="smooth")
part(special.gammaincc,    None, lambda g, y, a, x: -g * gamma_density(a, x),          of="its shape parameter",
     traits="smooth")
part(special.gammaincinv,  None, lambda g, y, a, x: g / gamma_density(a, y),           of="its shape parameter",
     traits="smooth unbounded")
part(special.gammainccinv, None, lambda g, y, a, x: -g / gamma_density(a, y),          of="its shape parameter",
     traits="smooth unbounded")
part(special.betainc,      None, None, lambda g, y, a, b, x: g * beta_density(a, b, x),
     of="its shape parameters",                                                        traits="smooth")
part(special.betaincc,     None, None, lambda g, y, a, b, x: -g * beta_density(a, b, x),
     of="its shape parameters",                                                        traits="smooth")
part(special.betaincinv,   None, None, lambda g, y, a, b, x: g / beta_density(a, b, y),
     of="its shape parameters",                                                        traits="smooth unbounded")
part(special.betainccinv,  None, None, lambda g, y, a, b, x: -g / beta_density(a, b, y),
     of="its shape parameters",                                                        traits="smooth unbounded")


# ----- distributions -----
def t_density(df: Array, t: Array) -> Array:
    """The density of Student's t with so many degrees of freedom."""
    return np.exp(-0.5 * (df + 1) * np.log1p(t * t / df) - special.betaln(0.5 * df, 0.5)) / np.sqrt(df)


part(special.stdtr,        None, lambda g, y, a, x: g * t_density(a, x),   of="the degrees of freedom", traits="smooth")
part(special.stdtrit,      None, lambda g, y, a, x: g / t_density(a, y),    of="the degrees of freedom",
     traits="smooth unbounded")
part(special.chdtr,        None, lambda g, y, a, x: 0.5 * g * gamma_density(0.5 * a, 0.5 * x),
     of="the degrees of freedom",                                                      traits="smooth")
part(special.chdtrc,       None, lambda g, y, a, x: -0.5 * g * gamma_density(0.5 * a, 0.5 * x),
     of="the degrees of freedom",                                                      traits="smooth")
part(special.pdtr,         None, lambda g, y, a, x: -g * gamma_density(np.floor(a) + 1, x),
     of="the count",                                                                   traits="smooth")
part(special.pdtrc,        None, lambda g, y, a, x: g * gamma_density(np.floor(a) + 1, x),
     of="the count",                                                                   traits="smooth")


# ----- logistic functions -----
curve(special.expit,       lambda g, y, x: g * y * special.expit(-x),                  traits="smooth positive",
      words="sigmoid: times σ(x) σ(-x)")
curve(special.log_expit,   lambda g, y, x: g * special.expit(-x),                      traits="smooth")
curve(special.logit,       lambda g, y, x: g / (x * (1 - x)),                          traits="smooth unbounded",
      words="logit: divided by x (1 - x)")


# ----- logarithms times a factor, and entropies -----
def log_quotient(a: Array, b: Array) -> Array:
    """log(a / b), from their difference where they are near each other."""
    near = np.abs(a - b) < 0.5 * b
    return np.where(near, np.log1p(np.where(near, (a - b) / b, 0.0)), np.log(np.where(near, 1.0, a / b)))


curve(special.xlogy,
      lambda g, y, a, b: g * np.log(b),
      lambda g, y, a, b: g * where_zero(a, 0.0, a / b),                                traits="analytic unbounded",
      words=("x log y: times log y", "x log y: times x / y"))
curve(special.xlog1py,
      lambda g, y, a, b: g * np.log1p(b),
      lambda g, y, a, b: g * where_zero(a, 0.0, a / (1 + b)),                          traits="smooth unbounded")
curve(special.entr,        lambda g, y, x: -g * (np.log(x) + 1),                       traits="smooth unbounded",
      words="entropy: times -(log x + 1)")
curve(special.rel_entr,
      lambda g, y, a, b: g * (1 + log_quotient(a, b)),
      lambda g, y, a, b: -g * where_zero(a, 0.0, a / b),                               traits="smooth unbounded",
      words=("relative entropy: times log(x / y) + 1", "relative entropy: times -x / y"))
curve(special.kl_div,
      lambda g, y, a, b: g * log_quotient(a, b),
      lambda g, y, a, b: g * where_zero(a, 1.0, (b - a) / b),                          traits="smooth unbounded")


# ----- exponentials, and powers of them -----
@own(lambda g, y, x, k=0: g * exponential_moment(x, k=k + 1), traits="elementwise smooth unbounded positive",
     words="moment: the next one")
def exponential_moment(x: Array, k: int = 0) -> Array:
    """The integral of tᵏ exp(x t) over t from 0 to 1: (exp(x) - 1) / x for k = 0, whose slope is that of k = 1."""
    near = np.abs(x) < 2 + k
    small, large = np.where(near, x, 0.0), np.where(near, 1.0, x)
    series: Array = np.zeros_like(x)
    for n in range(30 + 3 * k, 0, -1):
        series = (series + 1 / (n + k + 1)) * small / n
    far = np.expm1(large) / large
    for j in range(1, k + 1):
        far = (np.exp(large) - j * far) / large
    return np.where(near, series + 1 / (k + 1), far)


curve(special.exprel,      lambda g, y, x: g * exponential_moment(x, k=1),           traits="smooth unbounded positive")
curve(special.exp10,       lambda g, y, x: g * y * LN10,                             traits="smooth unbounded positive",
      words="exponential rule: times log 10")
curve(special.exp2,        lambda g, y, x: g * y * LN2,                              traits="smooth unbounded positive")
curve(special.expm1,       lambda g, y, x: g * (y + 1),                     traits="analytic unbounded keeps_sign")
curve(special.log1p,       lambda g, y, x: g / (1 + x),                     traits="analytic unbounded keeps_sign")
curve(special.cbrt,        lambda g, y, x: g / (3 * y * y),                            traits="smooth keeps_sign",
      singular=lambda y, x: y == 0)
curve(special.cosm1,       lambda g, y, x: -g * np.sin(x),                             traits="smooth")
curve(special.sindg,       lambda g, y, x: g * DEGREE * special.cosdg(x),              traits="smooth")
curve(special.cosdg,       lambda g, y, x: -g * DEGREE * special.sindg(x),             traits="smooth")
curve(special.tandg,       lambda g, y, x: g * DEGREE * (1 + y * y),                   traits="smooth")
curve(special.cotdg,       lambda g, y, x: -g * DEGREE * (1 + y * y),                  traits="smooth unbounded")
curve(special.round,       lambda g, y, x: np.zeros_like(g),                           traits="flat")
curve(special.powm1,
      lambda g, y, a, b: g * b * a ** (b - 1),
      lambda g, y, a, b: g * a**b * np.log(a),                                         traits="smooth unbounded")
curve(special.boxcox,
      lambda g, y, a, b: g * a ** (b - 1),
      lambda g, y, a, b: g * np.log(a) ** 2 * exponential_moment(b * np.log(a), k=1),         traits="smooth unbounded")
curve(special.boxcox1p,
      lambda g, y, a, b: g * (1 + a) ** (b - 1),
      lambda g, y, a, b: g * np.log1p(a) ** 2 * exponential_moment(b * np.log1p(a), k=1),     traits="smooth unbounded")
part(special.inv_boxcox,   lambda g, y, a, b: g * y ** (1 - b), None,                  of="the power",
     traits="smooth unbounded")
part(special.inv_boxcox1p, lambda g, y, a, b: g * (1 + y) ** (1 - b), None,            of="the power",
     traits="smooth unbounded")
curve(special.wrightomega, lambda g, y, x: g * y / (1 + y),                            traits="smooth positive")
curve(special.huber,
      lambda g, y, a, b: g * np.where(np.abs(b) <= a, 0.0, np.abs(b) - a),
      lambda g, y, a, b: g * np.where(np.abs(b) <= a, b, a * np.sign(b)),              traits="smooth unbounded")
curve(special.pseudo_huber,
      lambda g, y, a, b: g * a * ((b / a) ** 2 / (1 + np.hypot(1, b / a))) ** 2 / np.hypot(1, b / a),
      lambda g, y, a, b: g * b / np.hypot(1, b / a),                                   traits="smooth unbounded")

# ----- integrals -----
curve(special.expi,        lambda g, y, x: g * np.exp(x) / x,                          traits="smooth unbounded")
curve(special.exp1,        lambda g, y, x: -g * np.exp(-x) / x,                        traits="analytic unbounded")
part(special.expn,         None,
     lambda g, y, a, x: -g * where_zero(a, np.exp(-x) * (1 + 1 / x) / x, special.expn(np.where(a == 0, 1, a - 1), x)),
     of="the order",                                                                   traits="smooth unbounded")
curve(special.spence,      lambda g, y, x: -g / special.exprel(np.log(x)),                 traits="analytic unbounded")
complex_variant(special.spence, lambda g, y, x: g * np.log(x) / (1 - x),    traits="elementwise analytic unbounded")
# fmt: on

"""`scipy.special` on Tensors.

SciPy's ufuncs are the same functions here. The others turn a Tensor into a plain array in SciPy; here they record it.
"""

from typing import Any

import numpy as np
from scipy import special

from autotiny.errors import UnsupportedError
from autotiny.ops import activations, logarithms
from autotiny.ops.reductions import kept_shape
from autotiny.ops.table import Array, Function, array_like, is_complex, own
from autotiny.scipy import ufuncs
from autotiny.scipy.mirror import mirror, mirror_row, other_names

__getattr__ = other_names(special)


# ----- over an axis -----
def spread(y: Array, a: Array, axis: Any, keepdims: bool) -> Array:
    """Return a result of a reduction in the shape of its operand."""
    return np.broadcast_to(y if axis is None or keepdims else np.reshape(y, kept_shape(a, axis)), a.shape)


def shares(y: Array, a: Array, b: Array, axis: Any, keepdims: bool) -> Array:
    """exp(a) / Σ b exp(a): what an entry of b adds to the logarithm of the sum."""
    sign = sign_of_sum(a, b, axis=axis, keepdims=keepdims)
    whole, sign = (spread(x, a, axis, keepdims) for x in (y, sign))
    return sign * np.exp(a - whole)


def _by_exponent(g: Array, y: Array, a: Array, b: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """b exp(a) / Σ b exp(a), and 0 where b = 0."""
    share = np.where(b == 0, 0.0, b * shares(y, a, b, axis, keepdims))
    return spread(g, a, axis, keepdims) * share


def _by_weight(g: Array, y: Array, a: Array, b: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """exp(a) / Σ b exp(a)."""
    return spread(g, a, axis, keepdims) * shares(y, a, b, axis, keepdims)


@own(lambda g, y, a, b, axis=None, keepdims=False: np.zeros_like(a),
     lambda g, y, a, b, axis=None, keepdims=False: np.zeros_like(b), traits="reduces flat")  # fmt: skip
def sign_of_sum(a: Array, b: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The sign of Σ b exp(a)."""
    return special.logsumexp(a, b=b, axis=axis, keepdims=keepdims, return_sign=True)[1]


@own(_by_exponent, _by_weight, traits="reduces smooth unbounded",
     words=("logsumexp: times its share of the sum", "logsumexp: times exp(a) over the sum"))  # fmt: skip
def weighted_logsumexp(a: Array, b: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """log |Σ b exp(a)|, for arrays of one shape."""
    return special.logsumexp(a, b=b, axis=axis, keepdims=keepdims, return_sign=True)[0]


@mirror(special.logsumexp)
def logsumexp(a: Array, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """log Σ b exp(a), without overflow; with `return_sign`, log |Σ b exp(a)| and the sign of the sum.

    >>> import autotiny as at
    >>> at.grad(lambda a: logsumexp(a, b=np.array([1.0, -0.5])))(np.array([1000.0, 1000.0]))
    array([ 2., -1.])
    """
    if b is None:
        y = logarithms.logsumexp(a, axis=axis, keepdims=keepdims)
        return (y, np.ones_like(y)) if return_sign else y
    a, b = np.broadcast_arrays(array_like(a), array_like(b))
    if is_complex(a) or is_complex(b):
        raise UnsupportedError("logsumexp: b= is not supported for complex numbers on a Tensor; add log(b) to a")
    y, sign = (f(a, b, axis=axis, keepdims=keepdims) for f in (weighted_logsumexp, sign_of_sum))
    return (y, sign) if return_sign else np.where(sign < 0, np.nan, y)


@mirror(special.softmax)
def softmax(x: Array, axis: Any = None) -> Array:
    """exp(x) / Σ exp(x), over all entries by default."""
    return activations.softmax(x, axis=axis)


@mirror(special.log_softmax)
def log_softmax(x: Array, axis: Any = None) -> Array:
    """x - log Σ exp(x), over all entries by default."""
    return logarithms.log_softmax(x, axis=axis)


# ----- the gamma function and its relatives -----
polygamma: Function = mirror_row(
    special.polygamma,
    None,
    lambda g, y, n, x: g * polygamma(n + 1, x),
    undifferentiable="the order",
    traits="elementwise smooth unbounded",
    words="polygamma: times the next one",
)


@mirror(special.zeta)
def zeta(x: Any, q: Any = None) -> Array:
    """Σ (q + n)⁻ˣ, with a derivative by q."""
    return ufuncs.zeta(x, 1.0 if q is None else q)


@mirror(special.multigammaln)
def multigammaln(a: Array, d: int) -> Array:
    """log π^(d (d - 1) / 4) + Σ log Γ(a - j / 2) for j = 0 ... d - 1; nan unless a > (d - 1) / 2, as in a program."""
    if d != int(d):
        raise UnsupportedError(f"multigammaln: d must be a positive integer, the dimension; got {d}")
    a = np.where(a > 0.5 * (d - 1), a, np.nan)
    return sum((special.gammaln(a - 0.5 * j) for j in range(int(d))), start=0.25 * d * (d - 1) * np.log(np.pi))


@mirror(special.comb)
def comb(N: Array, k: Array, *, exact: bool = False, repetition: bool = False) -> Array:
    """N! / (k! (N - k)!), extended to real numbers by the gamma function; 0 where k > N or one of them is negative."""
    if exact:
        raise UnsupportedError("comb: exact=True counts in whole numbers, which have no gradient; use exact=False")
    if repetition:
        N = N + k - 1
    return np.where((k <= N) & (N >= 0) & (k >= 0), special.binom(N, k), 0.0)


# ----- spherical Bessel functions -----
def spherical(function: Function, sign: float) -> Function:
    """Enter a solution of z² f″ + 2 z f′ + (±z² - n (n + 1)) f = 0, with f′ as its option `derivative`."""

    def slope(g: Array, y: Array, n: Array, z: Array, derivative: bool = False) -> Array:
        """f′, or f″ by the differential equation."""
        if not derivative:
            return g * mirrored(n, z, derivative=True)
        return -g * (2 / z * y + (sign - n * (n + 1) / (z * z)) * mirrored(n, z))

    mirrored = mirror_row(
        function, None, slope, undifferentiable="the order", traits="elementwise smooth unbounded",
        words="spherical Bessel function: by its differential equation",
    )  # fmt: skip
    return mirrored


spherical_jn, spherical_yn = spherical(special.spherical_jn, 1), spherical(special.spherical_yn, 1)
spherical_in, spherical_kn = spherical(special.spherical_in, -1), spherical(special.spherical_kn, -1)

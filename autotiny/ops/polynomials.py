"""Polynomials as vectors of coefficients, that of the highest power first."""

import operator
from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.elementwise import squares
from autotiny.ops.table import Array, compose, define, floats, library, real_dtype


def coefficients(p: Any) -> Array:
    """Return coefficients as a vector."""
    return np.atleast_1d(floats(p))


def without_leading_zeros(p: Any) -> Array:
    """Return coefficients from the first that is not 0; the last is kept."""
    p = coefficients(p)
    return p[-1:] if not np.any(p) else np.trim_zeros(p, "f")


@compose(np.vander)
def vander(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    """x[i] ** (N - 1 - j)."""
    if x.ndim != 1:
        raise ShapeError(f"vander: expected a vector, got shape {x.shape}")
    powers = np.arange(len(x) if N is None else N)
    return x[:, None] ** (powers if increasing else powers[::-1])


@compose(np.polyval)
def polyval(p: Array, x: Any) -> Array:
    """p[0] xⁿ + p[1] xⁿ⁻¹ + ... + p[n], by Horner's rule."""
    p, x = floats(p), floats(x)
    y = np.zeros_like(x)
    for c in p:
        y = y * x + c
    return y


def aligned(a1: Any, a2: Any) -> tuple[Array, Array]:
    """Return two polynomials with as many coefficients."""
    a1, a2 = coefficients(a1), coefficients(a2)
    n = max(len(a1), len(a2))
    first, second = (a if len(a) == n else np.pad(a, (n - len(a), 0)) for a in (a1, a2))
    return first, second


@compose(np.polyadd)
def polyadd(a1: Array, a2: Array) -> Array:
    """The sum of two polynomials."""
    return np.add(*aligned(a1, a2))


@compose(np.polysub)
def polysub(a1: Array, a2: Array) -> Array:
    """The difference of two polynomials."""
    return np.subtract(*aligned(a1, a2))


@compose(np.polymul)
def polymul(a1: Array, a2: Array) -> Array:
    """The product of two polynomials: the convolution of their coefficients."""
    return np.convolve(without_leading_zeros(a1), without_leading_zeros(a2))


@compose(np.polydiv)
def polydiv(u: Array, v: Array) -> tuple[Array, Array]:
    """The quotient and the remainder of two polynomials, by long division."""
    u, v = coefficients(u), coefficients(v)
    rest, scale, quotient = u, 1.0 / v[0], []
    for i in range(len(u) - len(v) + 1):
        quotient.append(scale * rest[i])
        rest = np.concatenate([rest[:i], rest[i : i + len(v)] - quotient[-1] * v, rest[i + len(v) :]])
    small: list[bool] = np.asarray(np.isclose(rest, 0, rtol=1e-14)).tolist()
    leading = next((i for i, negligible in enumerate(small) if not negligible), len(rest) - 1)
    return (np.stack(quotient) if quotient else np.zeros_like(u[:1])), rest[leading:]


@compose(np.polyder)
def polyder(p: Array, m: int = 1) -> Array:
    """The derivative of a polynomial, m times."""
    if m < 0:
        raise UnsupportedError(f"polyder: m must be 0 or more, got {m}; see np.polyint")
    if p.ndim != 1:
        raise ShapeError(f"polyder: expected a vector of coefficients, got shape {p.shape}")
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@compose(np.polyint)
def polyint(p: Array, m: int = 1, k: Any = None) -> Array:
    """The integral of a polynomial, m times; k are the constants of integration."""
    constants = np.broadcast_to(np.zeros(1) if k is None else coefficients(k), (m,))
    for i in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), constants[i : i + 1]])
    return p


@compose(np.poly)
def poly(seq_of_zeros: Array) -> Array:
    """The product of x - r over the roots r, or the characteristic polynomial of a square matrix."""
    if seq_of_zeros.ndim == 2:
        return characteristic(seq_of_zeros)
    if seq_of_zeros.ndim != 1:
        raise ShapeError(f"poly: expected a vector of roots, or a square matrix; got shape {seq_of_zeros.shape}")
    result = np.ones_like(seq_of_zeros, shape=(1,))
    for root in seq_of_zeros:
        result = np.convolve(result, np.stack([np.ones_like(root), -root]))
    return result


def roots_back(g: Array, y: Array, p: Array) -> Array:
    """p̄[k] = -Σ r̄ rⁿ⁻ᵏ / p'(r) over the roots r, by the implicit function theorem; none where two roots meet."""
    powers = np.vander(y, len(p)).astype(y.dtype)
    exponents = np.arange(len(p) - 1, 0, -1, dtype=real_dtype(p), like=library(p))
    return np.matmul(-g / np.matmul(powers[:, 1:], p[:-1] * exponents), powers)


define(
    np.roots,
    roots_back,
    traits="mixes smooth unbounded resizes",
    words="roots: powers of each, divided by the slope of the polynomial there",
)


def characteristic(a: Array) -> Array:
    """The coefficients of det(x I - A), by the method of U. Le Verrier and D. K. Faddeev: c[k] = -tr(A M[k]) / k."""
    if a.shape[0] != a.shape[1] or not a.size:
        raise ShapeError(f"poly: expected a square matrix, or a vector of roots; got shape {a.shape}")
    eye = np.eye(len(a), dtype=a.dtype)
    coefficients, product = [np.ones((), a.dtype)], np.zeros_like(a)
    for k in range(1, len(a) + 1):
        product = np.matmul(a, product + coefficients[-1] * eye)
        coefficients.append(np.trace(product) / -k)
    return np.stack(coefficients)


@compose(np.polyfit)
def polyfit(
    x: Array, y: Array, deg: int, rcond: float | None = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """The coefficients that minimise sum(w² (polyval(p, x) - y)²), by the pseudoinverse of the scaled powers of x.

    With `full` also the squared residuals, the rank, the singular values and rcond; with `cov` the covariance.
    """
    x, y, order = floats(x), floats(y), operator.index(deg) + 1
    if x.ndim != 1 or not x.size or y.ndim not in (1, 2) or len(x) != len(y) or order < 1:
        raise ShapeError(f"polyfit: expected deg >= 0, a vector x, and y as long; got {deg}, {x.shape} and {y.shape}")
    powers = np.vander(x, order)
    if w is not None:
        w = floats(w)
        if w.shape != x.shape:
            raise ShapeError(f"polyfit: w {w.shape} must have the shape of x {x.shape}")
        powers, y = w[:, None] * powers, y * (w if y.ndim == 1 else w[:, None])
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    cutoff = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    scaled = powers / scale
    p = np.matmul(np.linalg.pinv(scaled, cutoff), y) / (scale if y.ndim == 1 else scale[:, None])
    if full:
        return p, *np.linalg.lstsq(scaled, y, cutoff)[1:], cutoff
    return (p, covariance(scaled, scale, y, p, cov)) if cov else p


def covariance(scaled: Array, scale: Array, y: Array, p: Array, cov: Any) -> Array:
    """The covariance of the coefficients: (XᵀX)⁻¹, times the mean of the squared residuals unless it is 'unscaled'."""
    base = np.linalg.inv(np.matmul(scaled.T, scaled)) / np.outer(scale, scale)
    if cov == "unscaled":
        return base if y.ndim == 1 else base[:, :, None]
    free = len(y) - len(scale)
    if free <= 0:
        raise ShapeError("polyfit: the covariance needs more points than coefficients; cov='unscaled' does not")
    residuals = y - np.matmul(scaled * scale, p)
    variance = np.sum(squares(residuals), axis=0) / free
    return base * variance if y.ndim == 1 else base[:, :, None] * variance

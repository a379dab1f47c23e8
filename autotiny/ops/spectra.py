"""Eigenvalues of symmetric matrices and singular values, with what is made of them.

The rules are those of M. B. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008, section 3, and, for the pseudoinverse, G. H. Golub and V. Pereyra, "The differentiation of
pseudo-inverses and nonlinear least squares problems whose variables separate", 1973.
"""

import math
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops.elementwise import squares
from autotiny.ops.plain import plain
from autotiny.ops.table import Array, compose, conj, define, floats, own

plain(np.linalg.matrix_rank)


def matrices(chosen: Array, x: Array, **_options: Any) -> list[Array]:
    """Mark the matrices of a stack that are used for the chosen entries of their results."""
    inside = np.any(chosen, axis=tuple(range(x.ndim - 2, chosen.ndim)))
    return [np.broadcast_to(inside[..., None, None], x.shape)]


# ----- symmetric matrices -----
def triangle(s: Array, UPLO: Any) -> Array:
    """Return the gradient of the triangle that NumPy reads, from that of the whole Hermitian matrix."""
    whole = (s + conj(s.mT)) * (1 - 0.5 * np.eye(s.shape[-1], dtype=s.dtype))
    return np.tril(whole) if UPLO in "lL" else np.triu(whole)


def eigenvectors_back(g: Array, y: Array, x: Array, UPLO: Any = "L") -> Array:
    """X̄ = conj(V) (F · Vᵀ V̄) Vᵀ, where F[i, j] = 1 / (λ[j] - λ[i]) off the diagonal."""
    values = np.linalg.eigvalsh(x, UPLO)
    turned = y.mT @ g
    gaps = values[..., None, :] - values[..., None] + np.eye(x.shape[-1], dtype=x.dtype)
    return triangle(conj(y) @ ((turned - conj(turned.mT)) / (2 * gaps)) @ y.mT, UPLO)


@own(eigenvectors_back, traits="mixes smooth", used=matrices, words="eigenvectors: turned by the gaps of eigenvalues")
def eigenvectors(x: Array, UPLO: Any = "L") -> Array:
    """The matrix V of orthonormal eigenvectors of a Hermitian matrix: X = V Λ Vᴴ."""
    return np.linalg.eigh(x, UPLO).eigenvectors


def eigenvalues_back(g: Array, y: Array, x: Array, UPLO: Any = "L") -> Array:
    """X̄ = conj(V) diag(λ̄) Vᵀ for X = V diag(λ) Vᴴ."""
    v = eigenvectors(x, UPLO=UPLO)
    return triangle(conj(v) * g[..., None, :] @ v.mT, UPLO)


define(
    np.linalg.eigvalsh,
    eigenvalues_back,
    traits="mixes kinked",
    used=matrices,
    words="eigenvalues: between the eigenvectors",
)


@compose(np.linalg.eigh)
def eigh(a: Array, UPLO: Any = "L") -> Any:
    """The eigenvalues in increasing order, and the eigenvectors as columns."""
    return _EIGH_RESULT(np.linalg.eigvalsh(a, UPLO), eigenvectors(a, UPLO=UPLO))


_EIGH_RESULT: Any = type(np.linalg.eigh(np.eye(1)))


# ----- singular values -----
def singular_vectors(x: Array) -> tuple[Array, Array]:
    """Return U and V of X = U diag(s) Vᴴ: the matrix [[0, X], [Xᴴ, 0]] has eigenvectors [u, v] / √2 for s."""
    m, n = x.shape[-2:]
    corner = np.zeros_like(x)
    above = np.concatenate([np.matmul(corner, corner.mT), x], axis=-1)
    below = np.concatenate([conj(x.mT), np.matmul(corner.mT, corner)], axis=-1)
    pairs = np.flip(eigenvectors(np.concatenate([above, below], axis=-2)), -1)[..., : min(m, n)] * math.sqrt(2)
    return pairs[..., :m, :], pairs[..., m:, :]


def singular_values_back(g: Array, y: Array, x: Array) -> Array:
    """X̄ = conj(U) diag(s̄) Vᵀ for X = U diag(s) Vᴴ; a value that is 0 to rounding passes nothing, as |x| at 0."""
    u, v = singular_vectors(x)
    apart = y > max(x.shape[-2:]) * np.finfo(x.dtype).eps * y[..., :1]
    return (conj(u) * np.where(apart, g, 0.0)[..., None, :]) @ v.mT


define(
    np.linalg.svdvals,
    singular_values_back,
    traits="mixes kinked",
    used=matrices,
    words="singular values: between the singular vectors",
)


@compose(np.linalg.svd)
def svd(a: Array, full_matrices: bool = True, compute_uv: bool = True) -> Array:
    """The singular values, in decreasing order."""
    if compute_uv:
        raise UnsupportedError(
            "svd: singular vectors have no gradient rule yet; svd(x, compute_uv=False) and svdvals(x) give singular "
            "values, and eigh(x @ x.T) the left singular vectors"
        )
    return np.linalg.svdvals(a)


def spectral_norm(x: Array, ord: Any, axes: tuple[int, int], keepdims: bool) -> Array:  # noqa: A002 - NumPy's name
    """The largest singular value (ord 2), the smallest (-2), or the sum of all ('nuc')."""
    s = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
    y = np.sum(s, axis=-1) if ord == "nuc" else s[..., 0] if ord == 2 else s[..., -1]
    return np.expand_dims(y, tuple(sorted(i % x.ndim for i in axes))) if keepdims else y


# ----- the pseudoinverse and least squares -----
def pinv_back(g: Array, y: Array, x: Array, rcond: Any = None) -> Array:
    """X̄ = -Yᵀ Ȳ Yᵀ + conj(I - X Y) H + K conj(I - Y X), H = Ȳᴴ conj(Y) Yᵀ, K = Yᵀ conj(Y) Ȳᴴ, for Y = X⁺.

    It is nan unless X has full rank.
    """
    left, right = conj(x @ y), conj(y @ x)
    rank = np.rint(np.trace(right, axis1=-2, axis2=-1))
    g = np.where((rank == min(x.shape[-2:]))[..., None, None], g, np.nan)
    h, k = conj(g.mT) @ conj(y) @ y.mT, y.mT @ conj(y) @ conj(g.mT)
    return h - left @ h + k - k @ right - y.mT @ g @ y.mT


@own(pinv_back, traits="mixes smooth", used=matrices, words="pseudoinverse: as the inverse, and outside of its range")
def pseudoinverse(x: Array, rcond: Any = None) -> Array:
    """X⁺ = V diag(1 / s) Uᵀ, without singular values below rcond max(s)."""
    infinite = np.any(np.isinf(x), axis=(-2, -1), keepdims=True)
    if not np.any(infinite):
        return np.linalg.pinv(x, rcond)
    return np.where(infinite, x.dtype.type(np.nan), np.linalg.pinv(np.where(infinite, 0, x), rcond))  # or it never ends


@compose(np.linalg.pinv)
def pinv(a: Array, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """X⁺ = V diag(1 / s) Uᵀ, without singular values below rcond max(s)."""
    if hermitian:
        below = np.tril(a, -1)
        a = below + conj(below.mT) + np.real(a) * np.eye(a.shape[-1], dtype=a.dtype)
    cutoff = rtol if rcond is None else rcond
    return pseudoinverse(a, rcond=max(a.shape[-2:]) * np.finfo(a.dtype).eps if cutoff is None else cutoff)


@compose(np.linalg.lstsq)
def lstsq(a: Array, b: Array, rcond: Any = None) -> tuple[Array, Array, Any, Array]:
    """The x that minimises |b - A x|, the squared residuals, A's rank and its singular values."""
    a, b = floats(a), floats(b)
    m, n = a.shape
    x = np.matmul(np.linalg.pinv(a, max(m, n) * np.finfo(a.dtype).eps if rcond is None else rcond), b)
    rank = np.linalg.matrix_rank(a, rcond)
    total = np.sum(squares(b - np.matmul(a, x)), axis=0)
    determined = m > n and not (isinstance(rank, int | np.integer) and rank < n)  # a formula's rank is open
    residuals = np.reshape(total, (-1,)) if determined else np.zeros(0, total.dtype)
    return x, residuals, rank, np.linalg.svdvals(a)


@compose(np.linalg.cond)
def cond(x: Array, p: Any = None) -> Array:
    """The largest singular value over the smallest (p None, 2; -2: the other way round), or ‖X‖ ‖X⁻¹‖."""
    if p in (None, 2, -2):
        s = np.linalg.svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, axis=(-2, -1))

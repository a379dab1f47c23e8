"""Eigenvalues and eigenvectors.

The rules are those of M. B. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008, section 3.

Where eigenvalues coincide, their eigenvectors are any basis of one subspace, and have no derivative. A function of
that subspace does, such as the projector V Vᵀ: it does not change when the basis is turned, so what would turn the
basis is 0, and contributes 0. If that is not 0, the gradient is nan; so it is where a result depends on the phase of a
complex vector, which LAPACK chooses. It is nan as well where a result depends both on
coinciding eigenvalues and on their eigenvectors, as V diag(f(λ)) Vᵀ does: its derivative needs f', which neither shows.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.ops.outputs import define_outputs
from autotiny.ops.plain import on_values
from autotiny.ops.table import Array, compose, conj, identity_like, is_complex, is_written, library

ROUNDING = 8
"""Eigenvalues coincide if they are closer than this times eps, the number of rows and the largest of them."""
CARRIED = 1000
"""What cancels is 0 if it is smaller than this times eps and what it is made of, which has been rounded as well."""


def matrices(chosen: Any, x: Array, **_options: Any) -> list[Array]:
    """Mark the matrices of a stack that are used for the chosen entries of their results."""
    used = False
    for each in chosen if isinstance(chosen, tuple) else (chosen,):
        used = np.logical_or(used, np.any(each, axis=tuple(range(x.ndim - 2, each.ndim))))
    return [np.broadcast_to(np.reshape(used, (*x.shape[:-2], 1, 1)), x.shape)]


# ----- where eigenvalues coincide -----
@on_values
def coincide(gaps: Array, values: Array) -> Array:
    """Whether two values differ by rounding alone, given their differences: also each from itself."""
    scale = np.max(np.abs(values), axis=-1, initial=0)[..., None, None]
    return np.abs(gaps) <= ROUNDING * max(gaps.shape[-2:]) * np.finfo(gaps.dtype).eps * scale


@on_values
def limit(turning: Array, parts: Array, values: Any, vectors: Any) -> Array:
    """Return what pairs of coinciding values contribute: 0 if a function of their subspace is differentiated, else nan.

    turning : what would turn the basis within the subspace; on the diagonal, the phase of a complex vector.
    parts : the inner products that it is the difference of.
    values, vectors : which values, and which vectors, the function depends on; True for all.
    """
    n = turning.shape[-1]
    taken = (np.asarray(mask, like=library(turning)) for mask in (values, vectors))
    values, vectors = (np.broadcast_to(mask, turning.shape[:-1]) for mask in taken)
    size = np.max(np.abs(parts), axis=-2, initial=0)
    fixed = np.abs(turning) <= CARRIED * n * np.finfo(turning.dtype).eps * pairs(np.add, size)
    both = pairs(np.logical_or, values) & (identity_like(turning, n) == 0)
    unknown = pairs(np.logical_or, vectors) & (~fixed | both)
    return np.where(unknown, turning.dtype.type(np.nan), turning.dtype.type(0))


def columns(taken: Any, k: int | None = None) -> Any:
    """Return which of the first k columns have an entry that was taken, given which entries were."""
    return taken if isinstance(taken, bool) else np.any(taken[..., :k], axis=-2)


def pairs(function: np.ufunc, x: Array) -> Array:
    """Return f(x[i], x[j]) for all pairs."""
    return function(x[..., :, None], x[..., None, :])


def over_gaps(turning: Array, gaps: Array, s: Array, limit: Callable[[], Array]) -> Array:
    """Return what turns the basis over the gaps between values s, and the limit where these coincide."""
    if is_written(gaps):
        return turning / (gaps + identity_like(s, s.shape[-1]))
    close = coincide(gaps, s)
    return np.where(close, limit(), turning / np.where(close, 1, gaps))


def diagonal(x: Array) -> Array:
    """Return the diagonal matrices of vectors."""
    return x[..., None, :] * identity_like(x, x.shape[-1])


def has_coinciding(y: Any, x: Array, **_options: Any) -> Any:
    """Whether two eigenvalues of a matrix coincide."""
    gaps = pairs(np.subtract, y[0])
    return coincide(gaps, y[0]) & (identity_like(gaps, gaps.shape[-1]) == 0)


# ----- Hermitian matrices -----
def triangle(s: Array, UPLO: Any) -> Array:
    """Return the gradient of the triangle that NumPy reads, from that of the whole Hermitian matrix."""
    return np.tril(s) + conj(np.triu(s, 1)).mT if UPLO in "lL" else np.triu(s) + conj(np.tril(s, -1)).mT


def eigh_back(g: Any, y: Any, x: Array, UPLO: Any = "L") -> Array:
    """X̄ = conj(V) (diag(λ̄) + F · (A - Aᴴ) / 2) Vᵀ for X = V diag(λ) Vᴴ, with A = Vᵀ V̄, F[i, j] = 1 / (λ[j] - λ[i])."""
    (values_bar, vectors_bar), (values, v) = g, y
    if g.taken[1] is False:
        return triangle(conj(v) * values_bar[..., None, :] @ v.mT, UPLO)
    inner = v.mT @ vectors_bar
    turning, gaps = (inner - conj(inner).mT) / 2, values[..., None, :] - values[..., None]
    turned = over_gaps(turning, gaps, values, lambda: limit(turning, inner, g.taken[0], columns(g.taken[1])))
    return triangle(conj(v) @ (diagonal(values_bar) + turned) @ v.mT, UPLO)


define_outputs(
    np.linalg.eigh,
    eigh_back,
    traits="mixes kinked fills",
    used=matrices,
    singular=has_coinciding,
    words="eigenvalues: between the eigenvectors; eigenvectors: turned by the gaps of eigenvalues",
)


@compose(np.linalg.eigvalsh)
def eigvalsh(a: Array, UPLO: Any = "L") -> Array:
    """The eigenvalues of a Hermitian matrix, in increasing order."""
    return np.linalg.eigh(a, UPLO)[0]


# ----- other matrices -----
def inverse(x: Array) -> Array:
    """Return the inverses, of nan for matrices that are singular, which would spoil those beside them."""
    if not isinstance(x, np.ndarray):
        return np.linalg.inv(x)
    regular = np.linalg.slogdet(x).sign[..., None, None] != 0
    return np.where(regular, np.linalg.inv(np.where(regular, x, identity_like(x, x.shape[-1]))), x.dtype.type(np.nan))


def eig_back(g: Any, y: Any, x: Array) -> Array:
    """X̄ = V⁻ᵀ (diag(λ̄) + F · (A - Vᵀ conj(V) diag(Re A))) Vᵀ for X = V diag(λ) V⁻¹, with A = Vᵀ V̄.

    The columns of V keep their length, and F[i, j] = 1 / (λ[j] - λ[i]).
    """
    (values_bar, vectors_bar), (values, v) = g, y
    middle = diagonal(values_bar)
    if g.taken[1] is not False:
        inner = v.mT @ vectors_bar
        lengths = np.diagonal(inner, axis1=-2, axis2=-1)
        turning = inner - v.mT @ conj(v) * (np.real(lengths) if is_complex(lengths) else lengths)[..., None, :]
        gaps = values[..., None, :] - values[..., None]
        middle = middle + over_gaps(
            turning, gaps, values, lambda: limit(turning, inner, g.taken[0], columns(g.taken[1]))
        )
    return inverse(v).mT @ middle @ v.mT


define_outputs(
    np.linalg.eig,
    eig_back,
    traits="mixes smooth unbounded fills",
    used=matrices,
    singular=has_coinciding,
    words="eigenvalues: between the eigenvectors; eigenvectors: turned by the gaps of eigenvalues",
)


@compose(np.linalg.eigvals)
def eigvals(a: Array) -> Array:
    """The eigenvalues, in no particular order."""
    return np.linalg.eig(a)[0]

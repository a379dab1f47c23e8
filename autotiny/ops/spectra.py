"""Eigenvalues and eigenvectors.

The rules are those of M. B. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008, section 3.

Of a Hermitian matrix NumPy reads one triangle, which bears the gradient: off the diagonal twice what PyTorch has there,
which spreads it over both, and 0 in the other.

Where eigenvalues coincide, their eigenvectors are any basis of one subspace, and have no derivative. A function of
that subspace does, such as the projector V Vᵀ: it does not change when the basis is turned, so what would turn the
basis is 0, and contributes 0. If that is not 0, the gradient is nan; so it is where a result depends on the phase of a
complex vector, which LAPACK chooses. Where a result depends both on coinciding eigenvalues and on their eigenvectors,
as the matrix function V diag(f(λ)) Vᵀ does, its derivative is a limit (`limit_along`), and its second derivative nan.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.ops.outputs import define_outputs
from autotiny.ops.plain import on_values
from autotiny.ops.reductions import max_keep
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
    scale = max_keep(np.abs(values), -1)[..., None]
    return np.abs(gaps) <= ROUNDING * max(gaps.shape[-2:]) * np.finfo(gaps.dtype).eps * scale


@on_values
def limit(turning: Array, parts: Array, values: Any, vectors: Any) -> Array:
    """Return what pairs of coinciding values contribute: 0 if a function of their subspace is differentiated, else nan.

    turning : what would turn the basis within the subspace; on the diagonal, the phase of a complex vector.
    parts : the inner products that it is the difference of.
    values, vectors : which values, and which vectors, the function depends on; True for all.
    """
    unknown = turns(turning, parts, vectors) | depend_on_both(turning, values, vectors)
    return np.where(unknown, turning.dtype.type(np.nan), turning.dtype.type(0))


@on_values
def turns(turning: Array, parts: Array, vectors: Any) -> Array:
    """Whether a function changes when the basis within a subspace is turned."""
    fixed = np.abs(turning) <= rounding(parts)
    return pairs(np.logical_or, spread(vectors, turning)) & ~fixed


def spread(taken: Any, turning: Array) -> Array:
    """Return which values or vectors were taken, one for each row, as an array of the same library."""
    return np.broadcast_to(np.asarray(taken, like=library(turning)), turning.shape[:-1])


def rounding(parts: Array) -> Array:
    """Return how far from 0 may be what cancels of these parts, in each matrix."""
    size = max_keep(np.abs(parts), (-2, -1))
    return CARRIED * max(parts.shape[-2:]) * np.finfo(parts.dtype).eps * size


@on_values
def depend_on_both(turning: Array, values: Any, vectors: Any) -> Array:
    """Whether a function depends on the values of a pair and on its vectors."""
    values, vectors = (pairs(np.logical_or, spread(x, turning)) for x in (values, vectors))
    return values & vectors & (identity_like(turning, turning.shape[-1]) == 0)


@on_values
def alike(both: Array, moving: Array, first: Array, second: Array, parts: Array) -> Array:
    """Whether pairs that a function depends on in `both` ways have limits that agree, and do not turn.

    parts : the inner products that the limits are made of.
    """
    return both & ~moving & (np.abs(first - second) <= rounding(parts))


def limit_along(g: Any, key: int, gaps: Array, s: Array, turning: Callable[..., Any], vectors: Any) -> Array:
    """Return what pairs of values contribute where they coincide, also where a function depends on both.

    Moved by t c, the values are apart, what turns the basis is t K' for K' its derivative along c, and so the limit is
    K'[i, j] / (c[j] - c[i]) (L'Hôpital). It is that of a function of the matrix alone if it is the same for each c.
    """
    here, parts = turning(g)
    known, values = limit(here, parts, g.taken[key], vectors), g.taken[key]
    both = depend_on_both(here, values, vectors)
    if g.along is None or (isinstance(both, np.ndarray) and not np.any(both & coincide(gaps, s))):
        return known
    limits = []
    for power in (1, 2):
        c = np.arange(1, s.shape[-1] + 1, like=library(s)).astype(s.dtype) ** power
        moved = [zeros if x is None else x for x, zeros in zip(g.along(key, c), map(np.zeros_like, g), strict=True)]
        turned, parts_moved = turning(moved)
        limits.append(turned / (c - c[:, None] + identity_like(s, len(c))))
    first, undefined = limits[0], np.sqrt(0 * s)[..., None, :]  # 0, of the derivative nan: that of the limit is open
    return np.where(alike(both, turns(here, parts, vectors), *limits, parts_moved), first + undefined, known)


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
    (values_bar, _), (values, v) = g, y
    if g.taken[1] is False:
        return triangle(conj(v) * values_bar[..., None, :] @ v.mT, UPLO)

    def turning(bars: Any) -> tuple[Array, Array]:
        inner = v.mT @ bars[1]
        return (inner - conj(inner).mT) / 2, inner

    gaps = values[..., None, :] - values[..., None]
    turned = over_gaps(
        turning(g)[0], gaps, values, lambda: limit_along(g, 0, gaps, values, turning, columns(g.taken[1]))
    )
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
    regular = np.linalg.slogdet(x)[0][..., None, None] != 0
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
    traits="mixes smooth unbounded fills resizes",
    used=matrices,
    singular=has_coinciding,
    words="eigenvalues: between the eigenvectors; eigenvectors: turned by the gaps of eigenvalues",
)


@compose(np.linalg.eigvals)
def eigvals(a: Array) -> Array:
    """The eigenvalues, in no particular order."""
    return np.linalg.eig(a)[0]

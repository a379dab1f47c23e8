"""Singular values and vectors, with what is made of them: norms, the pseudoinverse and least squares.

The rule of svd is that of J. Townsend, "Differentiating the singular value decomposition", 2016, with each pair of
singular values in a sum and a difference; that of the pseudoinverse is from G. H. Golub and V. Pereyra, "The
differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate", 1973. Where singular
values coincide, or are 0, what is said in `spectra` of eigenvalues holds.
"""

from typing import Any

import numpy as np

from autotiny.ops.elementwise import squares
from autotiny.ops.outputs import define_outputs
from autotiny.ops.plain import on_values, plain
from autotiny.ops.spectra import coincide, columns, diagonal, limit, limit_along, matrices, over_gaps, pairs, rounding
from autotiny.ops.table import Array, compose, conj, extend, floats, identity_like, is_written, library, own

plain(np.linalg.matrix_rank)


@on_values
def vanish(values: Array, shape: tuple[int, ...]) -> Array:
    """Whether singular values are 0 to rounding."""
    return values <= max(shape[-2:]) * np.finfo(values.dtype).eps * values[..., :1]


@on_values
def limit_at_zero(s: Array, values: Any, vectors: Any) -> Array:
    """Return the derivative by singular values that are 0: 0, as that of |x| at 0, or nan where vectors depend on it.

    values, vectors : which values, and which vectors, the function depends on; True for all.
    """
    values, vectors = (np.asarray(mask, like=library(s)) for mask in (values, vectors))
    unknown = np.broadcast_to(np.logical_and(values, vectors), s.shape)
    return np.where(unknown, s.dtype.type(np.nan), s.dtype.type(0))


@on_values
def limit_outside(outside: Array, parts: Array) -> Array:
    """Return what vectors of singular values that are 0 contribute to the rest of the space: 0 if it is 0, else nan."""
    return np.where(np.abs(outside) > rounding(parts), outside.dtype.type(np.nan), outside.dtype.type(0))


@on_values
def unless_turned(turning: Array, parts: Array) -> Array:
    """Return 1; nan for a function that changes when the basis of a null space is turned."""
    unknown = np.any(np.abs(turning) > rounding(parts), axis=(-2, -1), keepdims=True)
    return np.where(unknown, turning.dtype.type(np.nan), turning.dtype.type(1))


def first(columns: Array, k: int) -> Array:
    """Return the first k columns."""
    return columns if columns.shape[-1] == k else columns[..., :k]


def of_first(vectors_bar: Array, vectors: Array, k: int) -> tuple[Array, Array]:
    """Return the gradient of the first k vectors, and these: the others are whatever basis of the rest of the space.

    That basis moves when the first vectors do, so that its gradient is also theirs.
    """
    if vectors.shape[-1] == k:
        return vectors_bar, vectors
    kept, rest, rest_bar = vectors[..., :k], vectors[..., k:], vectors_bar[..., k:]
    inner = rest.mT @ rest_bar
    whole = unless_turned(inner - conj(inner).mT, inner)
    return (vectors_bar[..., :k] - conj(rest) @ conj(kept.mT @ rest_bar).mT) * whole, kept


def svd_back(g: Any, y: Any, x: Array, full_matrices: bool = True) -> Array:
    """X̄ = U (diag(s̄) + M) Vᵀ + (I - U Uᵀ) Ū S⁻¹ Vᵀ + U S⁻¹ V̄ᵀ (I - V Vᵀ) for a real X = U diag(s) Vᵀ.

    M[i, j] = ((A + B)[i, j] / (s[j] - s[i]) + (A - B)[i, j] / (s[j] + s[i])) / 2 with A = Uᵀ Ū - Ūᵀ U and
    B = Vᵀ V̄ - V̄ᵀ V. A value that is 0 to rounding passes nothing, as |x| at 0.
    """
    (left_bar, values_bar, right_bar), (left, s, right) = g, y
    k = s.shape[-1]
    taken_right = g.taken[2] if isinstance(g.taken[2], bool) else g.taken[2].mT
    vectors = np.logical_or(columns(g.taken[0], k), columns(taken_right, k))
    if not is_written(s):
        values_bar = np.where(vanish(s, x.shape), limit_at_zero(s, g.taken[1], vectors), values_bar)
    if g.taken[0] is False and g.taken[2] is False:
        return conj(first(left, k) * values_bar[..., None, :]) @ conj(first(right.mT, k)).mT
    (u_bar, u), (v_bar, v) = of_first(left_bar, left, k), of_first(conj(right_bar).mT, conj(right).mT, k)
    inner_u, inner_v = u.mT @ u_bar, v.mT @ v_bar
    a, b = inner_u - conj(inner_u).mT, inner_v - conj(inner_v).mT

    def turning(bars: Any) -> tuple[Array, Array]:
        by_u, by_v = u.mT @ of_first(bars[0], left, k)[0], v.mT @ of_first(conj(bars[2]).mT, conj(right).mT, k)[0]
        return (by_u - conj(by_u).mT + by_v - conj(by_v).mT) / 2, np.abs(by_u) + np.abs(by_v)

    gaps, sums = s[..., None, :] - s[..., None], s[..., None, :] + s[..., None]
    together = over_gaps((a + b) / 2, gaps, s, lambda: limit_along(g, 1, gaps, s, turning, vectors))
    size = np.abs(inner_u) + np.abs(inner_v)
    against = over_gaps((a - b) / 2, sums, s, lambda: limit((a - b) / 2, size, g.taken[1], vectors))
    middle = diagonal(values_bar) + together + against
    result = conj(u) @ middle @ v.mT
    if x.shape[-2] > k:
        result = result + outside(u, u_bar, inner_u, s) @ v.mT
    if x.shape[-1] > k:
        result = result + conj(u) @ conj(outside(v, v_bar, inner_v, s)).mT
    return result


def outside(vectors: Array, vectors_bar: Array, inner: Array, s: Array) -> Array:
    """Return (I - conj(V) Vᵀ) V̄ S⁻¹."""
    rest = vectors_bar - conj(vectors) @ inner
    if is_written(s):
        return rest / s[..., None, :]
    zero = vanish(s, (*vectors.shape[-2:], s.shape[-1]))[..., None, :]
    return np.where(zero, limit_outside(rest, vectors_bar), rest / np.where(zero, 1, s[..., None, :]))


define_outputs(
    np.linalg.svd,
    svd_back,
    traits="mixes kinked fills",
    used=matrices,
    singular=lambda y, x, **_options: is_singular(y[1], x),
    words="singular values: between the singular vectors; singular vectors: turned by the gaps of singular values",
)


def is_singular(s: Array, x: Array) -> Any:
    """Whether singular values coincide or are 0."""
    gaps = pairs(np.subtract, s)
    return np.any(coincide(gaps, s) & (identity_like(s, s.shape[-1]) == 0)) or np.any(vanish(s, x.shape))


@extend(np.linalg.svd)
def svd(a: Array, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """U, the singular values in decreasing order, and Vᵀ; the singular values alone without `compute_uv`.

    Of a `hermitian` matrix they are the eigenvalues without their signs.
    """
    if not hermitian:
        return np.linalg.svd(a, full_matrices) if compute_uv else np.linalg.svd(a, full_matrices=False)[1]
    values, v = np.linalg.eigh(a)
    s = np.abs(values)
    order = np.argsort(s, axis=-1)[..., ::-1]
    s = np.take_along_axis(s, order, axis=-1)
    if not compute_uv:
        return s
    u = np.take_along_axis(v, order[..., None, :], axis=-1)
    sign = np.take_along_axis(np.sign(values), order, axis=-1)
    return SVD_RESULT(u, s, conj(u * np.where(sign == 0, 1, sign)[..., None, :]).mT)


SVD_RESULT: Any = type(np.linalg.svd(np.eye(1)))


@compose(np.linalg.svdvals)
def svdvals(x: Array, /) -> Array:
    """The singular values, in decreasing order."""
    return np.linalg.svd(x, full_matrices=False)[1]


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
        a = below + conj(below.mT) + np.real(a) * identity_like(a, a.shape[-1])
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

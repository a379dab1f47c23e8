"""Linear algebra: determinants, inverses, linear systems, factorisations, norms.

The rules of det, inv, solve and cholesky are those of M. B. Giles, "Collected matrix derivative results for forward and
reverse mode algorithmic differentiation", 2008, section 2.2, and, for cholesky, I. Murray, "Differentiation of the
Cholesky decomposition", 2016.
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autotiny.errors import UnsupportedError
from autotiny.ops.elementwise import nonzero
from autotiny.ops.plain import plain
from autotiny.ops.reductions import broadcast_back, euclidean, in_lines, kept_shape, norm_in_range, product_of_others
from autotiny.ops.singular_values import spectral_norm
from autotiny.ops.spectra import inverse, matrices
from autotiny.ops.table import (
    Array,
    complex_variant,
    compose,
    conj,
    define,
    extend,
    floats,
    identity_like,
    mT,
    own,
)


def inv_back(g: Array, y: Array, x: Array) -> Array:
    """X̄ = -Yᵀ Ȳ Yᵀ for Y = X⁻¹."""
    return -(mT(y) @ g @ mT(y))


def solve_right(g: Array, y: Array, a: Array, b: Array) -> Array:
    """B̄ = A⁻ᵀ Ȳ for A Y = B."""
    return np.linalg.solve(mT(a), g[..., None])[..., 0] if b.ndim == 1 else np.linalg.solve(mT(a), g)


def solve_left(g: Array, y: Array, a: Array, b: Array) -> Array:
    """Ā = -B̄ Yᵀ for A Y = B."""
    b_bar = solve_right(g, y, a, b)
    return -b_bar[..., :, None] * y[..., None, :] if b.ndim == 1 else -(b_bar @ mT(y))


def equations(chosen: Array, a: Array, b: Array) -> list[Array]:
    """Mark the matrices of A and the columns of B that are used for the chosen solutions."""
    column = 1 if b.ndim == 1 else 2
    columns = np.broadcast_to(np.any(chosen, axis=-column, keepdims=True), chosen.shape)
    matrix = np.any(chosen if column == 2 else chosen[..., None], axis=(-2, -1), keepdims=True)
    return [np.broadcast_to(matrix, (*matrix.shape[:-2], *a.shape[-2:])), columns]


def lower_half(x: Array) -> Array:
    """Φ(X): the lower triangle, its diagonal halved."""
    return np.tril(x) * (1 - 0.5 * identity_like(x, x.shape[-1]))


def cholesky_back(g: Array, y: Array, x: Array) -> Array:
    """S = L⁻ᵀ Φ(Lᵀ L̄) conj(L)⁻¹ for X = L Lᴴ. NumPy reads X's lower triangle alone, which therefore bears S + Sᴴ."""
    half = np.linalg.solve(mT(y), lower_half(mT(y) @ g))
    s = np.linalg.solve(mT(conj(y)), mT(half)).mT
    return lower_half(s + conj(mT(s)))


def det_back(g: Array, y: Array, x: Array) -> Array:
    """X̄ = ȳ det(X) X⁻ᵀ, the cofactors: X may be singular."""
    return np.reshape(g, (*np.shape(g), 1, 1)) * cofactors(x)


def cofactors_back(g: Array, y: Array, x: Array) -> Array:
    """From C = det(X) X⁻ᵀ: X̄ = ((C · C̄) C - C C̄ᵀ C) / det(X)."""
    det = np.linalg.det(x)
    det = det * if_regular(det)
    inner = np.sum(y * g, axis=(-2, -1), keepdims=True)
    return (inner * y - y @ mT(g) @ y) / np.reshape(det, (*np.shape(det), 1, 1))


def if_regular(det: Array) -> Array:
    """Return 1 for each determinant; raise UnsupportedError where one is 0."""
    if hasattr(det, "__autotiny_call__"):
        return det.__autotiny_call__(if_regular, (det,), {})
    if np.any(det == 0):
        raise UnsupportedError("det: the second derivative at a singular matrix is not available; the first is")
    return np.ones_like(det)


plain(if_regular)


@own(cofactors_back, traits="mixes smooth", used=matrices)
def cofactors(x: Array) -> Array:
    """The matrix of cofactors, C = det(X) X⁻ᵀ = det(U Vᴴ) conj(U (Π_{j≠i} s[j]) Vᴴ): X = U s Vᴴ may be singular."""
    finite = np.all(np.isfinite(x), axis=(-2, -1), keepdims=True)
    u, s, vh = np.linalg.svd(x if np.all(finite) else np.where(finite, x, 0))  # which never ends on an infinity
    orientation = np.linalg.det(u) * np.linalg.det(vh)
    result = orientation[..., None, None] * conj((u * product_of_others(s, axis=-1)[..., None, :]) @ vh)
    return np.where(finite, result, x.dtype.type(np.nan))


@own(lambda g, y, x: np.zeros_like(x), traits="mixes flat", words="flat: no gradient passes")
def sign_of_det(x: Array) -> Array:
    """det(X) / |det(X)|, of real matrices flat almost everywhere."""
    return np.linalg.slogdet(x)[0]


complex_variant(
    sign_of_det,
    lambda g, y, x: np.reshape(np.imag(g * y) * 1j, (*np.shape(g), 1, 1)) * mT(inverse(x)),
    traits="mixes smooth",
    used=matrices,
    words="phase of the determinant: what turns it, times the inverse, mT",
)


@own(
    lambda g, y, x: np.reshape(g, (*np.shape(g), 1, 1)) * mT(inverse(x)),
    traits="mixes smooth unbounded",
    used=matrices,
    words="log-determinant: times the inverse, mT",
)
def log_abs_det(x: Array) -> Array:
    """log |det(X)|; X̄ = ȳ X⁻ᵀ."""
    return np.linalg.slogdet(x)[1]


# fmt: off
define(np.linalg.inv,       inv_back,                 traits="mixes analytic unbounded",         used=matrices,
       words="inverse: between two of the inverse, mT, with its sign changed")
define(np.linalg.det,       det_back,                 traits="mixes analytic",         used=matrices,
       words="determinant: times the cofactors")
define(np.linalg.solve,     solve_left, solve_right,  traits="mixes analytic unbounded",         used=equations,
       words="linear system: solved again with the mT matrix")
define(np.linalg.cholesky,  cholesky_back,            traits="mixes smooth unbounded",           used=matrices,
       words="Cholesky factor: triangular solves on both sides")
define(np.tril,             lambda g, y, x, k=0: np.tril(g, k),
       traits="moves analytic linear selects",        words="the gradient passes in the triangle")
define(np.triu,             lambda g, y, x, k=0: np.triu(g, k),
       traits="moves analytic linear selects",        words="the gradient passes in the triangle")
# fmt: on


@compose(np.linalg.slogdet)
def slogdet(a: Array) -> Any:
    """The sign and the logarithm of det(A)."""
    return _SLOGDET_RESULT(sign_of_det(a), log_abs_det(a))


_SLOGDET_RESULT: Any = type(np.linalg.slogdet(np.eye(1)))


@own(
    lambda g, y, x, ord=3, axis=None, keepdims=False: (  # noqa: A006 - NumPy's name
        broadcast_back(g, x, axis, keepdims)
        * conj(np.sign(x))
        * (
            (np.abs(x) if ord > 1 else nonzero(np.abs(x)))
            / broadcast_back(norm_in_range(y, x, ord, axis, keepdims), x, axis, keepdims)
        )
        ** (ord - 1)
    ),
    traits="reduces kinked keeps_sign",
    singular=lambda y, x, **_options: x == 0,
    words="p-norm: times sign(x) (|x| / ‖x‖)ᵖ⁻¹",
)
def p_norm(x: Array, ord: float = 3, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A002 - NumPy's name
    """‖x‖ₚ = (Σ |x|ᵖ)^(1/p); ∂‖x‖ₚ/∂x = sign(x) (|x| / ‖x‖ₚ)ᵖ⁻¹, and 0 where x = 0."""
    return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)


@compose(np.linalg.norm)
def norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A002
    """Norms of vectors by any order, of matrices by Frobenius, 1 and inf.

    At 0 the gradient is 0, while that of sqrt(sum(x**2)) is nan, the product of sqrt'(0) = inf with 0.
    """
    x = floats(x)
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    if axis is not None and (not axes or not isinstance(axis, int | np.integer | tuple)):
        raise UnsupportedError(f"norm: axis must be None, an integer or a tuple of integers; got {axis}")
    if ord is None or (len(axes), ord) in ((1, 2), (2, "fro")):
        return euclidean(x, axis=axes, keepdims=keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        return _matrix_norm(x, ord, axes, keepdims)
    if len(axes) == 2 and ord in (2, -2, "nuc"):
        return spectral_norm(x, ord, axes, keepdims)
    raise UnsupportedError(
        f"norm: ord={ord!r} over {len(axes)} axes is not supported; use None or a number over 1 axis, "
        "None, 'fro', 'nuc', 1, -1, 2, -2, inf or -inf over 2"
    )


@compose(np.linalg.matrix_norm)
def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:  # noqa: A002
    """Norms of matrices, which lie along the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


@compose(np.linalg.vector_norm)
def vector_norm(x: Array, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:  # noqa: A002
    """Norms of vectors, along one axis or over several that are flattened."""
    if not (axis is None or isinstance(axis, int | np.integer | tuple)):
        raise UnsupportedError(f"vector_norm: axis must be None, an integer or a tuple of integers; got {axis}")
    y = norm(in_lines(x, axis), ord, -1)
    return np.reshape(y, kept_shape(x, axis)) if keepdims else y


@extend(np.linalg.cholesky)
def upper_cholesky(a: Array, /, *, upper: bool = False) -> Array:
    """The factor U of A = Uᵀ U, of A's upper triangle."""
    return np.linalg.cholesky(mT(a)).mT if upper else np.linalg.cholesky(a)


def _vector_norm(x: Array, ord: Any, axis: int, keepdims: bool) -> Array:  # noqa: A002
    """Extremes of |x|, the number of entries that are not 0, the sum of |x|, or (Σ |x|ᵖ)^(1/p)."""
    if ord in (np.inf, -np.inf):
        return (_largest if ord > 0 else np.min)(np.abs(x), axis=axis, keepdims=keepdims)
    if ord in (0, 1):
        return np.sum(np.sign(np.abs(np.nan_to_num(x, nan=1))) if ord == 0 else np.abs(x), axis=axis, keepdims=keepdims)
    return p_norm(x, ord=ord, axis=axis, keepdims=keepdims)


def _matrix_norm(x: Array, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Array:  # noqa: A002
    """The largest (ord > 0) or smallest sum of |x| over columns (1, -1) or rows (inf, -inf)."""
    totals = np.sum(np.abs(x), axis=axes[0] if abs(ord) == 1 else axes[1], keepdims=True)
    return (_largest if ord > 0 else np.min)(totals, axis=axes, keepdims=keepdims)


def _largest(sizes: Array, axis: Any, keepdims: bool) -> Array:
    """max(sizes); 0 of no entries."""
    return (np.max if sizes.size else np.sum)(sizes, axis=axis, keepdims=keepdims)

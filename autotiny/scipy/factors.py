"""Triangular and banded systems, Cholesky and LU factors.

The rule of the LU factors is that of S. F. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra
functions with application in optimum experimental design", 2010, and, for matrices that are not square, of its blocks.
"""

from typing import Any

import numpy as np
from scipy import linalg

from autotiny.errors import UnsupportedError
from autotiny.ops.plain import plain
from autotiny.ops.spectra import matrices
from autotiny.ops.table import Array, Function, array_like, own
from autotiny.scipy.mirror import mirror, mirror_row


def adjoint(x: Array) -> Array:
    """Return the transposed matrices, conjugated where they are complex."""
    return x.mT if x.dtype.kind != "c" else np.conj(x.mT)


# ----- triangular systems -----
def is_transposed(trans: Any) -> bool:
    """Whether a system is that of the transposed matrix."""
    if trans in (2, "C"):
        return True
    return trans in (1, "T")


def triangle(x: Array, lower: bool, unit_diagonal: bool = False) -> Array:
    """Return the triangle that a triangular system reads."""
    return np.tril(x, -unit_diagonal) if lower else np.triu(x, int(unit_diagonal))


def triangular_right(
    g: Array,
    y: Array,
    a: Array,
    b: Array,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """B̄ = A⁻ᵀ X̄ for A X = B."""
    column = b.ndim == 1 and a.ndim > 2
    solved = solve_triangular(
        a, g[..., None] if column else g, trans=int(not is_transposed(trans)), lower=lower, unit_diagonal=unit_diagonal
    )
    return solved[..., 0] if column else solved


def triangular_left(
    g: Array,
    y: Array,
    a: Array,
    b: Array,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """Ā = -B̄ Xᵀ in the triangle that is read, or its transpose."""
    b_bar = triangular_right(g, y, a, b, trans, lower, unit_diagonal)
    if b.ndim == 1:
        y, b_bar = y[..., None], b_bar[..., None]
    return -triangle(y @ b_bar.mT if is_transposed(trans) else b_bar @ y.mT, lower, unit_diagonal)


solve_triangular: Function = mirror_row(
    linalg.solve_triangular,
    triangular_left,
    triangular_right,
    traits="mixes smooth unbounded",
    words=("triangular system: Ā = -B̄ Xᵀ in its triangle", "triangular system: solved again, transposed"),
)


# ----- Cholesky factors -----
@mirror(linalg.cholesky)
def cholesky(a: Array, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The triangular L of A = L Lᵀ or U of A = Uᵀ U, from A's triangle of that name."""
    return np.linalg.cholesky(a) if lower else adjoint(np.linalg.cholesky(adjoint(a)))


@mirror(linalg.cho_factor)
def cho_factor(a: Array, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The Cholesky factor for cho_solve, in one triangle; A itself in the other."""
    n = a.shape[-1]
    return np.where(triangle(np.ones((n, n), bool), lower), cholesky(a, lower=lower), a), lower


@mirror(linalg.cho_solve)
def cho_solve(c_and_lower: Any, b: Array, overwrite_b: bool = False, check_finite: bool = True) -> Array:
    """X of A X = B, from A's Cholesky factor."""
    c, lower = c_and_lower
    first, second = (0, 2) if lower else (2, 0)
    return solve_triangular(c, solve_triangular(c, b, trans=first, lower=lower), trans=second, lower=lower)


# ----- LU factors -----
def pivots(a: Array) -> Array:
    """Return the rows that were exchanged, of plain values."""
    if hasattr(a, "__autotiny_call__"):
        return a.__autotiny_call__(pivots, (a,), {})
    return linalg.lu_factor(a)[1]


def order_of_rows(piv: Array, rows: int = 0, undone: bool = False) -> Array:
    """Return the permutation that exchanges of rows make, or its inverse."""
    if hasattr(piv, "__autotiny_call__"):
        return piv.__autotiny_call__(order_of_rows, (piv,), {"rows": rows, "undone": undone})
    order = np.broadcast_to(np.arange(rows), (*piv.shape[:-1], rows)).copy()
    for i in range(piv.shape[-1]):
        j = piv[..., i : i + 1]
        there, here = np.take_along_axis(order, j, -1), order[..., i : i + 1].copy()
        np.put_along_axis(order, j, here, -1)
        order[..., i : i + 1] = there
    return np.argsort(order, axis=-1) if undone else order


plain(pivots, order_of_rows)


def in_order(x: Array, order: Array) -> Array:
    """Return the rows of a matrix, or of each matrix, in an order; the entries of a vector."""
    return x[order] if x.ndim <= 2 else np.take_along_axis(x, order[..., None], axis=-2)


def lower_factor(packed: Array) -> Array:
    """Return L of packed factors."""
    m, n = packed.shape[-2:]
    return np.tril(packed, -1)[..., : min(m, n)] + np.eye(m, min(m, n), dtype=packed.dtype)


def upper_factor(packed: Array) -> Array:
    """Return U of packed factors."""
    return np.triu(packed)[..., : min(packed.shape[-2:]), :]


def packed_lu_back(g: Array, y: Array, x: Array) -> Array:
    """P L⁻ᵀ (tril(Lᵀ L̄, -1) + triu(Ū Uᵀ)) U⁻ᵀ for the square part of X = P L U, and what its other rows add."""
    m, n = x.shape[-2:]
    k = min(m, n)
    corner = y[..., :k, :k]
    l_bar, u_bar = np.tril(g[..., :k, :k], -1), np.triu(g[..., :k, :k])

    def l_t_solved(z: Array) -> Array:
        return solve_triangular(corner, z, trans=1, lower=True, unit_diagonal=True)

    def times_inverse_u_t(z: Array) -> Array:
        return solve_triangular(corner, z.mT).mT

    if m > n:  # X₂ = L₂ U
        below = times_inverse_u_t(g[..., k:, :])
        u_bar = np.triu(u_bar - y[..., k:, :].mT @ below)
    if n > m:  # X₂ = L U₂
        beside = l_t_solved(g[..., :, k:])
        l_bar = np.tril(l_bar - beside @ y[..., :, k:].mT, -1)
    inner = np.tril(lower_factor(corner).mT @ l_bar, -1) + np.triu(u_bar @ upper_factor(corner).mT)
    whole = times_inverse_u_t(l_t_solved(inner))
    if m > n:
        whole = np.concatenate([whole, below], axis=-2)
    if n > m:
        whole = np.concatenate([whole, beside], axis=-1)
    return in_order(whole, order_of_rows(pivots(x), rows=m, undone=True))


@own(packed_lu_back, traits="mixes smooth unbounded", used=matrices, words="LU factors: by those of its gradient")
def packed_lu(a: Array) -> Array:
    """The factors of P L U in one matrix."""
    return linalg.lu_factor(a)[0]


@mirror(linalg.lu_factor)
def lu_factor(a: Array, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The factors of A = P L U in one matrix, and the rows that were exchanged, which are plain numbers."""
    return packed_lu(a), pivots(a)


@mirror(linalg.lu)
def lu(
    a: Array, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True, p_indices: bool = False
) -> Any:
    """P, L and U of A = P L U; P L and U with `permute_l`; the order of rows in place of P with `p_indices`."""
    packed, rows = packed_lu(a), a.shape[-2]
    undone = order_of_rows(pivots(a), rows=rows, undone=True)
    low, up = lower_factor(packed), upper_factor(packed)
    if permute_l:
        return in_order(low, undone), up
    if p_indices:
        return undone, low, up
    one, zero = a.dtype.type(1), a.dtype.type(0)
    return np.where(undone[..., None] == np.arange(rows), one, zero), low, up


@mirror(linalg.lu_solve)
def lu_solve(lu_and_piv: Any, b: Array, trans: Any = 0, overwrite_b: bool = False, check_finite: bool = True) -> Array:
    """X of A X = B, from A's LU factors; of Aᵀ X = B for trans 1 or 2."""
    packed, piv = lu_and_piv
    transposed, b = is_transposed(trans), array_like(b)
    order = order_of_rows(piv, rows=packed.shape[-1], undone=transposed)
    if packed.ndim > 2:
        columns = b[:, None] if b.ndim == 1 else b
        stack = np.broadcast_shapes(packed.shape[:-2], columns.shape[:-2])
        solved = solved_by_factors(packed, order, np.broadcast_to(columns, (*stack, *columns.shape[-2:])), transposed)
        return solved[..., 0] if b.ndim == 1 else solved
    return solved_by_factors(packed, order, b, transposed)


def solved_by_factors(packed: Array, order: Array, b: Array, transposed: bool) -> Array:
    """Return X of P L U X = B, or of (P L U)ᵀ X = B."""
    if not transposed:
        inner = solve_triangular(packed, in_order(b, order), lower=True, unit_diagonal=True)
        return solve_triangular(packed, inner)
    inner = solve_triangular(packed, b, trans=1)
    return in_order(solve_triangular(packed, inner, trans=1, lower=True, unit_diagonal=True), order)


# ----- banded systems -----
def bands(below: int, above: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows and columns of a matrix at which the entries of its bands stand, and which of them do."""
    rows = np.arange(below + above + 1)[:, None] + np.arange(n) - above
    columns = np.broadcast_to(np.arange(n), rows.shape)
    return np.clip(rows, 0, n - 1), columns, (rows >= 0) & (rows < n)


def transposed_bands(ab: Array, below: int, above: int) -> Array:
    """Return the bands of the transposed matrix, with 0 where none stands."""
    rows, columns, within = bands(above, below, ab.shape[-1])
    return np.where(within, ab[above + columns - rows, rows], 0.0)


def banded_right(g: Array, y: Array, ab: Array, b: Array, below: int = 0, above: int = 0) -> Array:
    """B̄ = A⁻ᵀ X̄ for A X = B."""
    return banded_solution(transposed_bands(ab, below, above), g, below=above, above=below)


def banded_left(g: Array, y: Array, ab: Array, b: Array, below: int = 0, above: int = 0) -> Array:
    """Ā = -B̄ Xᵀ on the bands."""
    b_bar = banded_right(g, y, ab, b, below, above)
    rows, columns, within = bands(below, above, ab.shape[-1])
    products = b_bar[rows] * y[columns]
    return -np.where(within, products if b.ndim == 1 else np.sum(products, axis=-1), 0.0)


@own(banded_left, banded_right, traits="mixes smooth unbounded",
     words=("banded system: Ā = -B̄ Xᵀ on the bands", "banded system: solved again, transposed"))  # fmt: skip
def banded_solution(ab: Array, b: Array, below: int = 0, above: int = 0) -> Array:
    """X of A X = B for a matrix of so many bands below and above its diagonal."""
    return linalg.solve_banded((below, above), ab, b)


@mirror(linalg.solve_banded)
def solve_banded(
    l_and_u: Any,
    ab: Array,
    b: Array,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """X of A X = B for a banded matrix, from its bands."""
    below, above = l_and_u
    ab, b = array_like(ab), array_like(b)
    if ab.ndim != 2:
        raise UnsupportedError(f"solve_banded: stacked bands are not supported on a Tensor, got shape {ab.shape}")
    return banded_solution(ab, b, below=int(below), above=int(above))

"""`scipy.linalg` on Tensors.

The adjoint of a function of a matrix is its Fréchet derivative at the transposed matrix, which stands in a corner of
the function of a block matrix: N. J. Higham, "Functions of Matrices", 2008, theorems 3.6 and 10.13. The rule of the LU
factors is that of S. F. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with
application in optimum experimental design", 2010, and, for matrices that are not square, of its blocks.
"""

import math
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops.plain import plain
from autotiny.ops.spectra import matrices
from autotiny.ops.table import Array, Function, array_like, own
from autotiny.scipy.mirror import mirror, mirror_row, other_names
from scipy import linalg

__getattr__ = other_names(linalg)


def blocks(*rows: tuple[Array, ...]) -> Array:
    """Return the matrix of blocks that are given row by row."""
    return np.concatenate([np.concatenate(row, axis=-1) for row in rows], axis=-2)


def adjoint(x: Array) -> Array:
    """Return the transposed matrices, conjugated where they are complex."""
    return x.mT if x.dtype.kind != "c" else np.conj(x.mT)


def in_double(x: Array) -> Array:
    """Return x in the precision that some of SciPy's functions compute in, whatever they are given."""
    return x.astype(np.float64) if x.dtype == np.float32 else x


# ----- functions of matrices -----
def magnitude(g: Array) -> Array:
    """Return a power of 2 near the largest entry of each matrix, by which a linear function may be scaled exactly."""
    if hasattr(g, "__autotiny_call__"):
        return g.__autotiny_call__(magnitude, (g,), {})
    largest = np.max(np.abs(g), axis=(-2, -1), keepdims=True, initial=0)
    scalable = (largest > 0) & np.isfinite(largest)
    return np.exp2(np.floor(np.log2(np.where(scalable, largest, 1)))).astype(largest.dtype)


plain(magnitude)


def derivative_along(function: Function, x: Array, g: Array) -> Array:
    """Return the Fréchet derivative of a function at x along g: the corner of f([[x, g], [0, x]])."""
    size, n = magnitude(g), x.shape[-1]
    return function(blocks((x, g / size), (np.zeros_like(x), x)))[..., :n, n:] * size


def without_drawing(function: Function, x: Array) -> Array:
    """Call a function that estimates a norm by random vectors, and leave NumPy's own generator as it was."""
    state = np.random.get_state()
    try:
        return function(x)
    finally:
        np.random.set_state(state)


expm: Function = mirror_row(
    linalg.expm,
    lambda g, y, x: derivative_along(expm, x.mT, g),
    traits="mixes analytic unbounded",
    used=matrices,
    words="matrix exponential: its derivative at the transposed matrix, along the gradient",
)
logm: Function = mirror_row(
    linalg.logm,
    lambda g, y, x: derivative_along(logm, x.mT, g),
    forward=lambda x: without_drawing(linalg.logm, x),
    traits="mixes smooth unbounded",
    used=matrices,
    words="matrix logarithm: its derivative at the transposed matrix, along the gradient",
)
sqrtm: Function = mirror_row(
    linalg.sqrtm,
    lambda g, y, x: solve_sylvester(y.mT, y.mT, g),
    traits="mixes smooth unbounded",
    used=matrices,
    words="matrix square root: the solution of Yᵀ X̄ + X̄ Yᵀ = Ȳ",
)


@mirror(linalg.cosm)
def cosm(A: Array) -> Array:
    """cos(A), a block of exp([[0, -A], [A, 0]])."""
    return rotation(A)[..., : A.shape[-1], : A.shape[-1]]


@mirror(linalg.sinm)
def sinm(A: Array) -> Array:
    """sin(A), a block of exp([[0, -A], [A, 0]])."""
    return rotation(A)[..., A.shape[-1] :, : A.shape[-1]]


def rotation(A: Array) -> Array:
    """Return exp([[0, -A], [A, 0]]) = [[cos(A), -sin(A)], [sin(A), cos(A)]]."""
    nothing = np.zeros_like(A)
    return expm(blocks((nothing, -A), (A, nothing)))


@mirror(linalg.tanm)
def tanm(A: Array) -> Array:
    """cos(A)⁻¹ sin(A)."""
    return np.linalg.solve(cosm(A), sinm(A))


@mirror(linalg.coshm)
def coshm(A: Array) -> Array:
    """(exp(A) + exp(-A)) / 2."""
    return 0.5 * (expm(A) + expm(-A))


@mirror(linalg.sinhm)
def sinhm(A: Array) -> Array:
    """(exp(A) - exp(-A)) / 2."""
    return 0.5 * (expm(A) - expm(-A))


@mirror(linalg.tanhm)
def tanhm(A: Array) -> Array:
    """cosh(A)⁻¹ sinh(A)."""
    return np.linalg.solve(coshm(A), sinhm(A))


@mirror(linalg.fractional_matrix_power)
def fractional_matrix_power(A: Array, t: Any) -> Array:
    """exp(t log(A)), and a product of factors A for a whole number t."""
    if isinstance(t, int | float) and t == int(t):
        return np.linalg.matrix_power(A, int(t))
    return expm(t * logm(A))


# ----- Sylvester's and Lyapunov's equations -----
def sylvester_right(g: Array, y: Array, a: Array, b: Array, q: Array) -> Array:
    """The solution Q̄ of Aᵀ Q̄ + Q̄ Bᵀ = X̄, for A X + X B = Q."""
    return solve_sylvester(a.mT, b.mT, g)


solve_sylvester: Function = mirror_row(
    linalg.solve_sylvester,
    lambda g, y, a, b, q: -sylvester_right(g, y, a, b, q) @ y.mT,
    lambda g, y, a, b, q: -y.mT @ sylvester_right(g, y, a, b, q),
    sylvester_right,
    traits="mixes smooth unbounded",
    words=("Ā = -Q̄ Xᵀ", "B̄ = -Xᵀ Q̄", "Sylvester's equation: solved again with transposed matrices"),
)


@mirror(linalg.solve_continuous_lyapunov)
def solve_continuous_lyapunov(a: Array, q: Array) -> Array:
    """X of A X + X Aᵀ = Q."""
    return solve_sylvester(a, adjoint(a), q)


@mirror(linalg.solve_discrete_lyapunov)
def solve_discrete_lyapunov(a: Array, q: Array, method: str | None = None) -> Array:
    """X of A X Aᵀ - X + Q = 0, as one linear system."""
    a, q = in_double(array_like(a)), array_like(q)
    both = np.kron(a, a if a.dtype.kind != "c" else np.conj(a))
    return np.reshape(np.linalg.solve(np.eye(len(both), dtype=both.dtype) - both, np.ravel(q)), np.shape(q))


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


# ----- systems, inverses, determinants -----
STRUCTURES = {
    "gen": "general", "sym": "symmetric", "her": "hermitian", "pos": "positive definite", None: "general",
}  # fmt: skip


def as_structured(a: Array, structure: str, lower: bool) -> Array:
    """Return the matrix that a solver takes a for, which reads a part of it alone."""
    if structure in ("symmetric", "hermitian", "positive definite"):
        part, other = triangle(a, lower), triangle(a, lower, True)
        return part + (other.mT if structure == "symmetric" else adjoint(other))
    if structure in ("diagonal", "tridiagonal"):
        width = int(structure == "tridiagonal")
        return np.triu(np.tril(a, width), -width)
    if structure in ("upper triangular", "lower triangular"):
        return triangle(a, structure[0] == "l")
    if structure in ("general", "banded"):
        return a
    raise UnsupportedError(f"assume_a={structure!r} is not supported on a Tensor; use 'gen', 'sym', 'her' or 'pos'")


@mirror(linalg.solve)
def solve(
    a: Array,
    b: Array,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Array:
    """X of A X = B, or of Aᵀ X = B; of a structured A the part that SciPy reads."""
    a, b = array_like(a), array_like(b)
    structure = STRUCTURES.get(assume_a, assume_a)
    if structure in ("upper triangular", "lower triangular"):
        return solve_triangular(a, b, trans=int(transposed), lower=structure[0] == "l")
    whole = as_structured(a, structure, lower)  # type: ignore[arg-type]
    return np.linalg.solve(whole.mT if transposed else whole, b)


@mirror(linalg.inv)
def inv(
    a: Array, overwrite_a: bool = False, check_finite: bool = True, *, assume_a: str | None = None, lower: bool = False
) -> Array:
    """A⁻¹."""
    return np.linalg.inv(as_structured(a, STRUCTURES.get(assume_a, assume_a), lower))  # type: ignore[arg-type]


@mirror(linalg.det)
def det(a: Array, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The determinant."""
    return np.linalg.det(in_double(a))


@mirror(linalg.pinv)
def pinv(a: Array, *, atol: Any = None, rtol: Any = None, return_rank: bool = False, check_finite: bool = True) -> Any:
    """V diag(1 / s) Uᵀ, without singular values of at most atol + rtol max(s)."""
    if atol:
        raise UnsupportedError("pinv: atol= is not supported on a Tensor; use rtol=, which is relative to max(s)")
    cutoff = max(a.shape[-2:]) * np.finfo(a.dtype).eps if rtol is None else rtol
    inverse = np.linalg.pinv(a, cutoff)
    return (inverse, np.linalg.matrix_rank(a, rtol=cutoff)) if return_rank else inverse


@mirror(linalg.norm)
def norm(a: Array, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Array:  # noqa: A002
    """As np.linalg.norm."""
    return np.linalg.norm(a, ord, axis, keepdims)


# ----- spectra and orthogonal factors -----
@mirror(linalg.svd)
def svd(
    a: Array,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """U, s and Vᵀ of A = U diag(s) Vᵀ, or s alone."""
    result: Any = np.linalg.svd(a, full_matrices, compute_uv)  # type: ignore[call-overload]
    return tuple(result) if compute_uv else result


@mirror(linalg.svdvals)
def svdvals(a: Array, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The singular values, in decreasing order."""
    return np.linalg.svdvals(a)


def reduced(a: Array, b: Any, lower: bool) -> tuple[Array, Any]:
    """Return A, or L⁻¹ A L⁻ᵀ for A v = λ B v with B = L Lᵀ, and L."""
    if b is None:
        return a, None
    half = np.linalg.cholesky(b if lower else adjoint(b))
    whole = as_structured(a, "hermitian", lower)
    return solve_triangular(half, adjoint(solve_triangular(half, whole, lower=True)), lower=True), half


@mirror(linalg.eigvalsh)
def eigvalsh(
    a: Array,
    b: Any = None,
    *,
    lower: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,  # noqa: A002 - SciPy's name
    check_finite: bool = True,
    driver: Any = None,
) -> Array:
    """The eigenvalues λ of A v = λ v, or of A v = λ B v, in increasing order."""
    require_first_type(type)
    uplo: Any = "L" if lower or b is not None else "U"
    return np.linalg.eigvalsh(reduced(a, b, lower)[0], uplo)


@mirror(linalg.eigh)
def eigh(
    a: Array,
    b: Any = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,  # noqa: A002 - SciPy's name
    check_finite: bool = True,
    driver: Any = None,
) -> Any:
    """The eigenvalues λ and eigenvectors v of A v = λ v, or of A v = λ B v with vᵀ B v = 1."""
    require_first_type(type)
    whole, half = reduced(a, b, lower)
    uplo: Any = "L" if lower or b is not None else "U"
    if eigvals_only:
        return np.linalg.eigvalsh(whole, uplo)
    values, vectors = np.linalg.eigh(whole, uplo)
    return values, vectors if half is None else solve_triangular(half, vectors, trans=2, lower=True)


def require_first_type(kind: int) -> None:
    """Raise UnsupportedError for eigenvalue problems other than A v = λ B v."""
    if kind != 1:
        raise UnsupportedError(f"eigh: type={kind} is not supported on a Tensor; A v = λ B v is type 1")


@mirror(linalg.qr)
def qr(
    a: Array,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """Q and R of A = Q R; R alone for the mode r."""
    if pivoting or mode == "raw":
        raise UnsupportedError("qr: pivoting=True and mode='raw' are not supported on a Tensor")
    if mode == "r":
        return (np.linalg.qr(a, mode="complete")[1],)
    names: dict[str, Any] = {"full": "complete", "economic": "reduced"}
    if mode not in names:
        raise UnsupportedError(f"qr: mode must be 'full', 'r' or 'economic'; got {mode!r}")
    return tuple(np.linalg.qr(a, mode=names[mode]))


@mirror(linalg.polar)
def polar(a: Array, side: str = "right") -> Any:
    """U and P of A = U P, or P and U of A = P U: P is the root of Aᵀ A, or of A Aᵀ."""
    if side not in ("right", "left"):
        raise UnsupportedError(f"polar: side must be 'right' or 'left'; got {side!r}")
    tall = a.shape[-2] >= a.shape[-1]
    root = sqrtm(adjoint(a) @ a if tall else a @ adjoint(a))
    u = adjoint(np.linalg.solve(adjoint(root), adjoint(a))) if tall else np.linalg.solve(root, a)
    if side == "right":
        return u, root if tall else adjoint(u) @ a
    return u, a @ adjoint(u) if tall else root


# ----- special matrices -----
@mirror(linalg.block_diag)
def block_diag(*arrs: Array) -> Array:
    """The matrix with these blocks on its diagonal, and 0 elsewhere."""
    parts = [np.atleast_2d(array_like(x)) for x in arrs]
    stack = np.broadcast_shapes(*(x.shape[:-2] for x in parts))
    parts = [x if x.shape[:-2] == stack else np.broadcast_to(x, (*stack, *x.shape[-2:])) for x in parts]
    columns, before, rows = sum(x.shape[-1] for x in parts), 0, []
    dtype = np.result_type(*parts)
    for x in parts:
        after = columns - before - x.shape[-1]
        beside = [np.zeros((*x.shape[:-1], width), dtype) for width in (before, after)]
        rows.append(np.concatenate([beside[0], x, beside[1]], axis=-1))
        before += x.shape[-1]
    return np.concatenate(rows, axis=-2)


@mirror(linalg.toeplitz)
def toeplitz(c: Array, r: Any = None) -> Array:
    """The matrix with c as its first column and r as its first row, constant along its diagonals."""
    c = np.ravel(array_like(c))
    r = (c if c.dtype.kind != "c" else np.conj(c)) if r is None else np.ravel(array_like(r))
    n, m = len(c), len(r)
    offset = np.arange(n)[:, None] - np.arange(m)
    return np.concatenate([c, r[1:]])[np.where(offset >= 0, offset, n - 1 - offset)]


@mirror(linalg.hankel)
def hankel(c: Array, r: Any = None) -> Array:
    """The matrix with c as its first column and r as its last row, constant along its antidiagonals."""
    c = np.ravel(array_like(c))
    r = np.zeros(len(c), c.dtype) if r is None else np.ravel(array_like(r))
    return np.concatenate([c, r[1:]])[np.arange(len(c))[:, None] + np.arange(len(r))]


@mirror(linalg.circulant)
def circulant(c: Array) -> Array:
    """The matrix whose columns are c, each shifted by one more."""
    n = c.shape[-1]
    return c[..., (np.arange(n)[:, None] - np.arange(n)) % n]


@mirror(linalg.companion)
def companion(a: Array) -> Array:
    """The matrix whose characteristic polynomial has these coefficients."""
    n = len(a) - 1
    return np.concatenate([np.reshape(-a[1:] / a[0], (1, n)), np.eye(n - 1, n, dtype=a.dtype)], axis=0)


@mirror(linalg.khatri_rao)
def khatri_rao(a: Array, b: Array) -> Array:
    """The Kronecker products of the columns."""
    a, b = array_like(a), array_like(b)
    columns = a[..., :, None, :] * b[..., None, :, :]
    return np.reshape(columns, (*columns.shape[:-3], math.prod(columns.shape[-3:-1]), columns.shape[-1]))


@mirror(linalg.solve_toeplitz)
def solve_toeplitz(c_or_cr: Any, b: Array, check_finite: bool = True) -> Array:
    """X of T X = B for a Toeplitz matrix T, which is built."""
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    return np.linalg.solve(in_double(toeplitz(c, r)), in_double(array_like(b)))


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

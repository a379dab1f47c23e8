"""`scipy.linalg` on Tensors: systems, inverses, spectra, and what the files beside this one hold."""

from typing import Any

import numpy as np
from scipy import linalg

from autotiny.errors import UnsupportedError
from autotiny.ops.table import Array, array_like
from autotiny.scipy.factors import (
    adjoint,
    cho_factor,
    cho_solve,
    cholesky,
    lu,
    lu_factor,
    lu_solve,
    solve_banded,
    solve_triangular,
    triangle,
)
from autotiny.scipy.matrix_functions import (
    coshm,
    cosm,
    expm,
    fractional_matrix_power,
    in_double,
    logm,
    sinhm,
    sinm,
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
    solve_lyapunov,
    solve_sylvester,
    sqrtm,
    tanhm,
    tanm,
)
from autotiny.scipy.mirror import mirror, other_names
from autotiny.scipy.special_matrices import (
    block_diag,
    circulant,
    companion,
    hankel,
    khatri_rao,
    solve_toeplitz,
    toeplitz,
)

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "companion",
    "coshm",
    "cosm",
    "det",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "fractional_matrix_power",
    "hankel",
    "inv",
    "khatri_rao",
    "logm",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_solve",
    "norm",
    "pinv",
    "polar",
    "qr",
    "sinhm",
    "sinm",
    "solve",
    "solve_banded",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "tanhm",
    "tanm",
    "toeplitz",
]
__getattr__ = other_names(linalg)


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


@mirror(linalg.lstsq)
def lstsq(
    a: Array,
    b: Array,
    cond: Any = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: str | None = None,
) -> Any:
    """The x that minimises |b - A x|, the squared residuals, A's rank and its singular values."""
    a, b = array_like(a), array_like(b)
    x, residuals, rank, values = np.linalg.lstsq(a, b, np.finfo(a.dtype).eps if cond is None else cond)
    return x, residuals[0] if b.ndim == 1 and len(residuals) else residuals, rank, values


@mirror(linalg.eigvals)
def eigvals(
    a: Array, b: Any = None, overwrite_a: bool = False, check_finite: bool = True, homogeneous_eigvals: bool = False
) -> Array:
    """The eigenvalues λ of A v = λ v, or of A v = λ B v; complex."""
    if homogeneous_eigvals:
        raise UnsupportedError("eigvals: homogeneous_eigvals=True is not supported on a Tensor")
    return np.linalg.eigvals(a if b is None else np.linalg.solve(b, a)) + 0j


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

"""Functions of matrices, and Sylvester's and Lyapunov's equations.

The adjoint of a function of a matrix is its Fréchet derivative at the transposed matrix, which stands in a corner of
the function of a block matrix: N. J. Higham, "Functions of Matrices", 2008, theorems 3.6 and 10.13.
"""

from typing import Any

import numpy as np
from scipy import linalg

from autotiny.ops.plain import plain
from autotiny.ops.spectra import matrices
from autotiny.ops.table import Array, Function, array_like
from autotiny.scipy.factors import adjoint
from autotiny.scipy.mirror import mirror, mirror_row


def in_double(x: Array) -> Array:
    """Return x in the precision that some of SciPy's functions compute in, whatever they are given."""
    return x.astype(np.float64) if x.dtype == np.float32 else x


def blocks(*rows: tuple[Array, ...]) -> Array:
    """Return the matrix of blocks that are given row by row."""
    return np.concatenate([np.concatenate(row, axis=-1) for row in rows], axis=-2)


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


solve_lyapunov = solve_continuous_lyapunov


@mirror(linalg.solve_discrete_lyapunov)
def solve_discrete_lyapunov(a: Array, q: Array, method: str | None = None) -> Array:
    """X of A X Aᵀ - X + Q = 0, as one linear system."""
    a, q = in_double(array_like(a)), array_like(q)
    both = np.kron(a, a if a.dtype.kind != "c" else np.conj(a))
    return np.reshape(np.linalg.solve(np.eye(len(both), dtype=both.dtype) - both, np.ravel(q)), np.shape(q))

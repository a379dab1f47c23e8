"""Matrices of a pattern: of blocks, Toeplitz, Hankel, circulant, companion."""

import math
from typing import Any

import numpy as np
from scipy import linalg

from autotiny.ops.table import Array, array_like
from autotiny.scipy.matrix_functions import in_double
from autotiny.scipy.mirror import mirror


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

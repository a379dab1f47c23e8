"""Products of vectors and matrices."""

import math
import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autotiny.errors import ShapeError
from autotiny.ops.table import Array, compose, conj, define, mT, own


def product(a: Array, b: Array) -> Array:
    """A B of matrices, by `dot`, which takes half the time of @ on small ones.

    Not of a single entry: `dot` takes 0 times an array for 0, whatever is in it.
    """
    by_dot = type(a) is type(b) is np.ndarray and a.ndim == b.ndim == 2 and min(a.size, b.size) > 1
    return a.dot(b) if by_dot else a @ b


def matmul_left(g: Array, y: Array, a: Array, b: Array) -> Array:
    """Ā = C̄ Bᵀ for C = A B; a vector is a row on the left and a column on the right."""
    if b.ndim == 1:
        return g * b if a.ndim == 1 else g[..., None] * b
    return (g[..., None, :] @ mT(b))[..., 0, :] if a.ndim == 1 else product(g, mT(b))


def matmul_right(g: Array, y: Array, a: Array, b: Array) -> Array:
    """B̄ = Aᵀ C̄ for C = A B; a vector is a row on the left and a column on the right."""
    if a.ndim == 1:
        return a * g if b.ndim == 1 else a[:, None] * g[..., None, :]
    return (mT(a) @ g[..., None])[..., 0] if b.ndim == 1 else product(mT(a), g)


define(
    np.matmul,
    matmul_left,
    matmul_right,
    forward=operator.matmul,
    traits="mixes analytic linear keeps_sign",
    words="matrix product: times the other factor, transposed",
)


def scaled(a: Array, b: Array) -> Array:
    """a b in the type that `dot` gives, where a number of Python's counts as an array does: float64 and float32."""
    dtype = np.result_type(*(getattr(x, "dtype", None) or np.asarray(x).dtype for x in (a, b)))
    return np.multiply(*(x.astype(dtype) if getattr(x, "dtype", dtype) != dtype else x for x in (a, b)))


@compose(np.dot)
def dot(a: Array, b: Array) -> Array:
    """a · b: a product with a number, of vectors, of matrices, or over a's last and b's last but one axis."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return scaled(a, b)
    return np.matmul(a, b) if np.ndim(b) <= 2 else np.tensordot(a, b, axes=(-1, -2))


def in_shape(x: Array, like: Array) -> Array:
    """Return the entries of x in the shape of another array."""
    return x if x.shape == like.shape else x.reshape(like.shape)


@compose(np.vdot)
@own(
    lambda g, y, a, b: in_shape(conj(g * b), a),
    lambda g, y, a, b: in_shape(g * conj(a), b),
    traits="reduces smooth linear keeps_sign",
    words="product rule: times the other factor, entry by entry",
)
def vdot(a: Array, b: Array) -> Array:
    """y = Σ conj(a) b over all entries; of real numbers ā = ȳ b, b̄ = ȳ a."""
    return np.vdot(a, b)


@own(
    lambda g, y, a, b: in_shape(g * b, a),
    lambda g, y, a, b: in_shape(g * a, b),
    kind="vdot",
    traits="reduces smooth linear keeps_sign real",
    words="product rule: times the other factor, entry by entry",
    fast_form=lambda probabilities, x: vdot(probabilities, x),
)
def expectation(probabilities: Array, x: Array) -> Array:
    """Σ p x, where p = 0 contributes 0, also beside x = log 0 = -inf."""
    total = np.vdot(probabilities, x)
    if isinstance(total, np.generic) and math.isfinite(abs(total)):
        return total
    return np.vdot(probabilities, np.where(probabilities == 0, 0, x))


@compose(np.inner)
def inner(a: Array, b: Array) -> Array:
    """The product over both last axes."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return scaled(a, b)
    return np.matmul(a, b) if np.ndim(a) == np.ndim(b) == 1 else np.tensordot(a, b, axes=(-1, -1))


@compose(np.outer)
def outer(a: Array, b: Array) -> Array:
    """a bᵀ of all entries."""
    return np.ravel(a)[:, None] * np.ravel(b)


@compose(np.tensordot)
def tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
    """The product over several axes, as one matrix product."""
    if isinstance(axes, int):
        axes = (range(-axes, 0), range(axes))
    over_a, over_b = (
        list(normalize_axis_tuple(over, np.ndim(x), allow_duplicate=True)) for x, over in zip((a, b), axes, strict=True)
    )
    free_a = [i for i in range(np.ndim(a)) if i not in over_a]
    free_b = [i for i in range(np.ndim(b)) if i not in over_b]
    shape = [np.shape(a)[i] for i in free_a] + [np.shape(b)[i] for i in free_b]
    if [np.shape(a)[i] for i in over_a] != [np.shape(b)[i] for i in over_b]:
        raise ShapeError(
            f"tensordot: axes {over_a} of a {np.shape(a)} and axes {over_b} of b {np.shape(b)} differ in size"
        )
    inside = math.prod(np.shape(a)[i] for i in over_a)
    rows = np.reshape(np.transpose(a, free_a + over_a), (math.prod(np.shape(a)[i] for i in free_a), inside))
    columns = np.reshape(np.transpose(b, over_b + free_b), (inside, math.prod(np.shape(b)[i] for i in free_b)))
    return np.reshape(np.matmul(rows, columns), shape)

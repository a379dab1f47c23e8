"""Products of vectors, matrices and arrays that are made of others."""

import functools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import Array, array_like, compose, conj, floats, newer, own


# ----- of vectors -----
@compose(np.cross)
def cross(a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    """(a₂ b₃ - a₃ b₂, a₃ b₁ - a₁ b₃, a₁ b₂ - a₂ b₁), of vectors of 2 entries a₁ b₂ - a₂ b₁ alone."""
    a, b = floats(a), floats(b)
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if not {a.shape[-1], b.shape[-1]} <= {2, 3}:
        raise ShapeError(f"cross: expected vectors of 2 or 3 entries, got {a.shape[-1]} and {b.shape[-1]}")
    if a.shape[-1] == b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (x if x.shape[-1] == 3 else np.concatenate([x, np.zeros_like(x[..., :1])], axis=-1) for x in (a, b))
    up, down = [1, 2, 0], [2, 0, 1]
    return np.moveaxis(a[..., up] * b[..., down] - a[..., down] * b[..., up], -1, axisc)


@compose(np.linalg.cross)
def linalg_cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """As np.cross, of vectors of 3 entries."""
    x1, x2 = floats(x1), floats(x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ShapeError(f"cross: expected vectors of 3 entries, got {x1.shape[axis]} and {x2.shape[axis]}")
    return cross(x1, x2, axis=axis)


@compose(np.vecdot)
def vecdot(x1: Array, x2: Array, *, axis: int = -1) -> Array:
    """sum(conj(x₁) x₂) along an axis."""
    rows, columns = np.moveaxis(conj(floats(x1)), axis, -1), np.moveaxis(floats(x2), axis, -1)
    y = np.matmul(rows[..., None, :], columns[..., None])
    return y[..., 0, 0] if y.ndim > 2 else y[0, 0]


@compose(np.linalg.vecdot)
def linalg_vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """As np.vecdot."""
    return vecdot(x1, x2, axis=axis)


@compose(*newer("matvec"))
def matvec(x1: Array, x2: Array) -> Array:
    """The matrices x₁ times the vectors x₂."""
    if np.ndim(x1) < 2 or not np.ndim(x2):
        raise ShapeError(f"matvec: expected matrices and vectors, got shapes {np.shape(x1)} and {np.shape(x2)}")
    return np.matmul(x1, floats(x2)[..., None])[..., 0]


@compose(*newer("vecmat"))
def vecmat(x1: Array, x2: Array) -> Array:
    """The vectors conj(x₁) times the matrices x₂."""
    if np.ndim(x2) < 2 or not np.ndim(x1):
        raise ShapeError(f"vecmat: expected vectors and matrices, got shapes {np.shape(x1)} and {np.shape(x2)}")
    return np.matmul(conj(floats(x1))[..., None, :], x2)[..., 0, :]


@own(
    lambda g, y, a, v: np.correlate(g, conj(v), "valid"),
    lambda g, y, a, v: np.correlate(g, conj(a), "valid"),
    traits="mixes analytic linear keeps_sign resizes",
    words="convolution: correlated with the other factor",
)
def convolution(a: Array, v: Array) -> Array:
    """y[k] = Σ a[i] v[k - i] of two vectors, for all k; ā[i] = Σ ȳ[i + j] v[j]."""
    return np.convolve(a, v)


def overlap(y: Array, n: int, m: int, mode: str, late: int) -> Array:
    """Return the part of a full convolution of n with m entries that a mode keeps; `late` rounds the middle up."""
    longer, shorter = max(n, m), min(n, m)
    if mode not in ("full", "same", "valid"):
        raise UnsupportedError(f"convolve: mode {mode!r} is not supported; use full, same or valid")
    start = {"full": 0, "same": (shorter - 1 + late) // 2, "valid": shorter - 1}[mode]
    length = {"full": n + m - 1, "same": longer, "valid": longer - shorter + 1}[mode]
    return y if mode == "full" else y[start : start + length]


@compose(np.convolve)
def convolve(a: Array, v: Array, mode: str = "full") -> Array:
    """Σ a[i] v[k - i]."""
    a, v = np.atleast_1d(floats(a)), np.atleast_1d(floats(v))
    return overlap(convolution(a, v), len(a), len(v), mode, 0)


@compose(np.correlate)
def correlate(a: Array, v: Array, mode: str = "valid") -> Array:
    """Σ a[i + k] conj(v[i]): the convolution with conj(v) reversed."""
    a, v = np.atleast_1d(floats(a)), np.atleast_1d(floats(v))
    return overlap(convolution(a, conj(np.flip(v))), len(a), len(v), mode, int(len(a) < len(v)))


# ----- of matrices -----
@compose(np.kron)
def kron(a: Array, b: Array) -> Array:
    """Every entry of a times all of b."""
    a, b = floats(a), floats(b)
    ndim = max(a.ndim, b.ndim)
    shape_a, shape_b = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    apart = np.reshape(a, [n for length in shape_a for n in (length, 1)])
    inside = np.reshape(b, [n for length in shape_b for n in (1, length)])
    return np.reshape(apart * inside, [i * j for i, j in zip(shape_a, shape_b, strict=True)])


@compose(np.linalg.matmul)
def linalg_matmul(x1: Array, x2: Array, /) -> Array:
    """As np.matmul."""
    return np.matmul(x1, x2)


@compose(np.linalg.outer)
def linalg_outer(x1: Array, x2: Array, /) -> Array:
    """As np.outer."""
    return np.outer(x1, x2)


@compose(np.linalg.tensordot)
def linalg_tensordot(x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
    """As np.tensordot."""
    return np.tensordot(x1, x2, axes=axes)


@compose(np.linalg.diagonal)
def linalg_diagonal(x: Array, /, *, offset: int = 0) -> Array:
    """The diagonals of matrices, which lie along the last two axes."""
    return np.diagonal(x, offset, -2, -1)


@compose(np.linalg.trace)
def linalg_trace(x: Array, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sums of diagonals of matrices, which lie along the last two axes."""
    return np.sum(np.diagonal(x, offset, -2, -1), axis=-1, dtype=dtype)


@compose(np.linalg.matrix_power)
def matrix_power(a: Array, n: int) -> Array:
    """A A ... A, by squaring; of the inverse for a negative n."""
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"matrix_power: expected square matrices, got shape {a.shape}")
    n = operator.index(n)
    base, left = (a, n) if n >= 0 else (np.linalg.inv(a), -n)
    result = None
    while left:
        if left % 2:
            result = base if result is None else np.matmul(result, base)
        left //= 2
        base = np.matmul(base, base) if left else base
    return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape) if result is None else result


@compose(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Array]) -> Array:
    """A B C ..., multiplied in the order that takes the fewest operations."""
    arrays = list(map(array_like, arrays))
    if len(arrays) < 2:
        raise ShapeError(f"multi_dot: expected at least 2 arrays, got {len(arrays)}")
    axes = list(map(np.ndim, arrays))
    if not {axes[0], axes[-1]} <= {1, 2} or any(n != 2 for n in axes[1:-1]):
        shapes = ", ".join(str(np.shape(x)) for x in arrays)
        raise ShapeError(f"multi_dot: expected matrices, the first and last of which may be vectors; got {shapes}")
    rows = 1 if np.ndim(arrays[0]) == 1 else np.shape(arrays[0])[0]
    sizes = [rows, *(np.shape(x)[-1] if np.ndim(x) > 1 else len(x) for x in arrays[:-1])]
    sizes.append(np.shape(arrays[-1])[1] if np.ndim(arrays[-1]) > 1 else 1)

    @functools.cache
    def cost(i: int, j: int) -> tuple[int, int]:
        """Return the operations for arrays i to j - 1, and where their last product is."""
        if j - i == 1:
            return 0, i
        return min((cost(i, k)[0] + cost(k, j)[0] + sizes[i] * sizes[k] * sizes[j], k) for k in range(i + 1, j))

    def product(i: int, j: int) -> Array:
        k = cost(i, j)[1]
        return arrays[i] if j - i == 1 else np.matmul(product(i, k), product(k, j))

    return product(0, len(arrays))


# ----- of tensors -----
def length(shape: Sequence[int]) -> int:
    """Return the number of entries of an array of a shape."""
    return functools.reduce(int.__mul__, shape, 1)


@compose(np.linalg.tensorinv)
def tensorinv(a: Array, ind: int = 2) -> Array:
    """The inverse of the matrix whose rows are the first `ind` axes."""
    if not 0 < ind < a.ndim:
        raise ShapeError(f"tensorinv: ind must be between 0 and the number of axes, {a.ndim}; got {ind}")
    front, back = a.shape[:ind], a.shape[ind:]
    return np.reshape(np.linalg.inv(np.reshape(a, (length(front), length(back)))), back + front)


@compose(np.linalg.tensorsolve)
def tensorsolve(a: Array, b: Array, axes: Any = None) -> Array:
    """The x for which tensordot(a, x, x.ndim) is b."""
    a, b = floats(a), floats(b)
    if axes is not None:
        a = np.moveaxis(a, axes, range(a.ndim - len(axes), a.ndim))
    shape = a.shape[b.ndim :]
    return np.reshape(np.linalg.solve(np.reshape(a, (b.size, length(shape))), np.ravel(b)), shape)

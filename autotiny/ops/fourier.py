"""Discrete Fourier transforms: y[k] = Σ x[j] e^(-2πi jk / n), the products of x with a symmetric matrix F.

A transform is recorded axis by axis, as NumPy computes it, in four rows: of complex numbers, of real ones, and the
inverses of both. The gradient of F x is Fᵀ ȳ = F ȳ. Transforms of real numbers keep the half k <= n / 2 of what is
conjugate symmetric; their rules count the entries that stand for two. Source: A. V. Oppenheim and R. W. Schafer,
"Discrete-Time Signal Processing", 3rd edition, 2010, chapter 8.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autotiny.errors import ShapeError
from autotiny.ops.indexing import along, index
from autotiny.ops.padding import pad_constant
from autotiny.ops.table import Array, compose, conj, define, floats, is_complex, library, real_dtype, require_real

INVERSE_NORM: dict[Any, Any] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The norm with which the inverse transform has the factor that a transform has with its own."""
Transform = Callable[..., Array]


def fitted(x: Array, length: int, axis: int) -> Array:
    """Return x with so many entries along an axis: the first ones, or zeros behind them."""
    missing = length - x.shape[axis]
    if missing <= 0:
        return x if missing == 0 else index(x, key=(*along(x, axis), slice(length)))
    return pad_constant(x, pad_width=[(0, missing if i == axis % x.ndim else 0) for i in range(x.ndim)])


def stands_for(n: int, like: Array, axis: int) -> Array:
    """Return how many entries of a transform of n real numbers each of its first half stands for: 1 or 2."""
    counts = 2 * np.asarray(np.ones(n // 2 + 1, real_dtype(like)), like=library(like))
    counts[:: n // 2 if n % 2 == 0 else n] = 1
    return np.reshape(counts, [-1 if i == axis % like.ndim else 1 for i in range(like.ndim)])


def transform_back(transform: Transform) -> Transform:
    """Return the rule of a transform of complex numbers: x̄ = Fᵀ ȳ = F ȳ."""

    def rule(g: Array, y: Array, x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
        return fitted(transform(g, axis=axis, norm=norm), x.shape[axis], axis)

    return rule


def real_back(g: Array, y: Array, x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """x̄[j] = Re Σ ȳ[k] e^(-2πi jk / n) over the half that is kept: the inverse of ȳ*, which counts most terms twice."""
    length = x.shape[axis] if n is None else n
    once = conj(g) / stands_for(length, g, axis)
    return fitted(np.fft.irfft(once, length, axis, INVERSE_NORM[norm]), x.shape[axis], axis)


def inverse_real_back(g: Array, y: Array, x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """x̄[k] = c[k] / n Σ ȳ[j] e^(2πi jk / n), where y has x[k] and its conjugate, c[k] = 2, or x[k] alone."""
    twice = conj(np.fft.rfft(g, axis=axis, norm=INVERSE_NORM[norm])) * stands_for(y.shape[axis], y, axis)
    return fitted(twice if is_complex(x) else np.real(twice), x.shape[axis], axis)


TRAITS, BACK = "mixes smooth linear resizes", "Fourier transform: transformed once more, since its matrix is symmetric"
define(np.fft.fft, transform_back(np.fft.fft), traits=TRAITS, words=BACK)
define(np.fft.ifft, transform_back(np.fft.ifft), traits=TRAITS, words=BACK)
define(
    np.fft.rfft,
    real_back,
    forward=lambda x, n=None, axis=-1, norm=None: np.fft.rfft(require_real(x, "rfft"), n, axis, norm),
    traits=TRAITS,
    words="Fourier transform of real numbers: transformed back, with half of the entries that stand for two",
)
define(
    np.fft.irfft,
    inverse_real_back,
    traits=TRAITS,
    words="inverse Fourier transform to real numbers: transformed, with twice the entries that stand for two",
)


@compose(np.fft.hfft)
def hfft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The transform of numbers that are conjugate symmetric, of which the first half is given: real numbers."""
    return np.fft.irfft(conj(floats(a)), n, axis, swapped(norm))


@compose(np.fft.ihfft)
def ihfft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The first half of the inverse transform of real numbers."""
    return conj(np.fft.rfft(require_real(floats(a), "ihfft"), n, axis, swapped(norm)))


def swapped(norm: Any) -> Any:
    """Return the norm of the other direction; NumPy says what is none."""
    return INVERSE_NORM.get(norm, norm)


# ----- along several axes -----
def lengths(name: str, a: Array, s: Any, axes: Any) -> tuple[list[Any], list[int]]:
    """Return the length to transform along each axis, by default that of the array, and the axes."""
    if axes is None:
        axes = range(a.ndim) if s is None else range(-len(s), 0)
    axes = list(axes)
    s = [-1] * len(axes) if s is None else list(s)
    if len(s) != len(axes):
        raise ShapeError(f"{name}: s and axes must have as many entries; got {len(s)} and {len(axes)}")
    return [a.shape[i] if n == -1 else n for n, i in zip(s, axes, strict=True)], axes


def over_axes(name: str, transform: Transform, a: Array, s: Any, axes: Any, norm: Any) -> Array:
    """Return a transform along several axes, the last one first."""
    a = floats(a)
    sizes, along_axes = lengths(name, a, s, axes)
    for n, axis in zip(reversed(sizes), reversed(along_axes), strict=True):
        a = transform(a, n, axis, norm)
    return a


@compose(np.fft.fftn)
def fftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    """The transform along each axis."""
    return over_axes("fftn", np.fft.fft, a, s, axes, norm)


@compose(np.fft.ifftn)
def ifftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    """The inverse transform along each axis."""
    return over_axes("ifftn", np.fft.ifft, a, s, axes, norm)


@compose(np.fft.fft2)
def fft2(a: Array, s: Any = None, axes: Sequence[int] = (-2, -1), norm: Any = None) -> Array:
    """The transform along two axes."""
    return over_axes("fft2", np.fft.fft, a, s, axes, norm)


@compose(np.fft.ifft2)
def ifft2(a: Array, s: Any = None, axes: Sequence[int] = (-2, -1), norm: Any = None) -> Array:
    """The inverse transform along two axes."""
    return over_axes("ifft2", np.fft.ifft, a, s, axes, norm)


@compose(np.fft.rfftn)
def rfftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    """The transform of real numbers along the last axis, then along each of the others."""
    a = require_real(floats(a), "rfftn")
    sizes, along_axes = lengths("rfftn", a, s, axes)
    if not along_axes:
        raise ShapeError("rfftn: expected at least one axis")
    half = np.fft.rfft(a, sizes[-1], along_axes[-1], norm)
    return over_axes("rfftn", np.fft.fft, half, sizes[:-1], along_axes[:-1], norm)


@compose(np.fft.rfft2)
def rfft2(a: Array, s: Any = None, axes: Sequence[int] = (-2, -1), norm: Any = None) -> Array:
    """The transform of real numbers along two axes."""
    return rfftn(a, s, axes, norm)


@compose(np.fft.irfftn)
def irfftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    """The inverse transform along each axis but the last, then to real numbers along that."""
    a = floats(a)
    sizes, along_axes = lengths("irfftn", a, s, axes)
    if not along_axes:
        raise ShapeError("irfftn: expected at least one axis")
    last = 2 * (sizes[-1] - 1) if s is None else sizes[-1]
    for n, axis in zip(sizes[:-1], along_axes[:-1], strict=True):
        a = np.fft.ifft(a, n, axis, norm)
    return np.fft.irfft(a, last, along_axes[-1], norm)


@compose(np.fft.irfft2)
def irfft2(a: Array, s: Any = None, axes: Sequence[int] = (-2, -1), norm: Any = None) -> Array:
    """The inverse transform to real numbers along two axes."""
    return irfftn(a, s, axes, norm)


# ----- order of frequencies -----
def shifted_axes(x: Array, axes: Any) -> tuple[int, ...]:
    """Return the axes whose halves are exchanged, all of them by default."""
    if axes is None:
        return tuple(range(x.ndim))
    return normalize_axis_tuple(axes if isinstance(axes, int) else tuple(axes), x.ndim)


@compose(np.fft.fftshift)
def fftshift(x: Array, axes: Any = None) -> Array:
    """Exchange the halves of each axis, so that entry 0 comes to the middle."""
    axes = shifted_axes(x, axes)
    return np.roll(x, [x.shape[i] // 2 for i in axes], axes)


@compose(np.fft.ifftshift)
def ifftshift(x: Array, axes: Any = None) -> Array:
    """Exchange the halves of each axis, so that the middle entry comes to 0."""
    axes = shifted_axes(x, axes)
    return np.roll(x, [-(x.shape[i] // 2) for i in axes], axes)

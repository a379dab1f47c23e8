"""`scipy.signal` on Tensors: convolutions, correlations and linear filters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import signal

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import Array, floats, own
from autotiny.scipy.mirror import mirror, other_names

__getattr__ = other_names(signal)


# ----- convolutions -----
def by_first(
    g: Array, y: Array, a: Array, b: Array, whole: bool = True, method: str = "auto", axes: Any = None
) -> Array:
    """Σ ȳ[i + j] b[j], where y is the whole convolution; the whole one where y is the part of full overlap."""
    return convolution(g, np.flip(b, axes), whole=not whole, method=method, axes=axes)


def by_second(
    g: Array, y: Array, a: Array, b: Array, whole: bool = True, method: str = "auto", axes: Any = None
) -> Array:
    """Σ ȳ[i + j] a[i], where y is the whole convolution; reversed where y is the part of full overlap."""
    if whole:
        return convolution(g, np.flip(a, axes), whole=False, method=method, axes=axes)
    return np.flip(convolution(a, np.flip(g, axes), whole=False, method=method, axes=axes), axes)


@own(by_first, by_second, traits="mixes smooth linear",
     words="convolution: with the other factor, reversed")  # fmt: skip
def convolution(a: Array, b: Array, whole: bool = True, method: str = "auto", axes: Any = None) -> Array:
    """Σ a[i] b[k - i] over some axes: the whole of it, or where b lies within a."""
    mode = "full" if whole else "valid"
    if axes is not None:
        return signal.fftconvolve(a, b, mode, axes=axes)
    return signal.convolve(a, b, mode, method)


def centred(y: Array, shape: Sequence[int], axes: Sequence[int], late: int = 0) -> Array:
    """Return the middle of a convolution, of these lengths along these axes; `late` rounds the middle up."""
    key = [slice(None)] * y.ndim
    for axis in axes:
        start = (y.shape[axis] - shape[axis] + late) // 2
        key[axis] = slice(start, start + shape[axis])
    return y[tuple(key)]


def convolved(a: Array, b: Array, mode: str, method: str, axes: Any, name: str) -> Array:
    """Return the convolution of two arrays in one of the modes."""
    a, b = floats(a, name), floats(b, name)
    if a.ndim != b.ndim:
        raise ShapeError(f"{name}: both arrays must have as many axes; got shapes {a.shape} and {b.shape}")
    if not a.ndim:
        return a * b
    if mode not in ("full", "same", "valid"):
        raise UnsupportedError(f"{name}: mode must be 'full', 'same' or 'valid'; got {mode!r}")
    over = tuple(range(a.ndim)) if axes is None else tuple(i % a.ndim for i in np.atleast_1d(axes).tolist())
    options = {"method": method, "axes": None if axes is None else over}
    if mode == "valid":
        first, second = (all(x.shape[i] >= z.shape[i] for i in over) for x, z in ((a, b), (b, a)))
        if not (first or second):
            raise ShapeError(
                f"{name}: for mode='valid' one array must be as long as the other or longer along each axis; got "
                f"shapes {a.shape} and {b.shape}"
            )
        return convolution(*((a, b) if first else (b, a)), whole=False, **options)
    y = convolution(a, b, whole=True, **options)
    return centred(y, a.shape, over) if mode == "same" else y


def reversed_in_place(x: Any) -> Array:
    """Return an array with every axis reversed, conjugated if it is complex."""
    x = floats(x, "correlate")
    return np.flip(x if x.dtype.kind != "c" else np.conj(x))


@mirror(signal.convolve)
def convolve(in1: Array, in2: Array, mode: str = "full", method: str = "auto") -> Array:
    """Σ a[i] b[k - i] over all axes.

    >>> import autotiny as at
    >>> at.grad(lambda b: np.sum(convolve(np.array([1.0, 2.0, 3.0]), b, mode="valid")))(np.array([0.5, 0.5]))
    array([5., 3.])
    """
    return convolved(in1, in2, mode, method, None, "convolve")


@mirror(signal.correlate)
def correlate(in1: Array, in2: Array, mode: str = "full", method: str = "auto") -> Array:
    """Σ a[i + k] b[i] over all axes."""
    return convolved(in1, reversed_in_place(in2), mode, method, None, "correlate")


@mirror(signal.fftconvolve)
def fftconvolve(in1: Array, in2: Array, mode: str = "full", axes: Any = None) -> Array:
    """Σ a[i] b[k - i] over some axes, by Fourier transforms; other axes are broadcast."""
    return convolved(in1, in2, mode, "fft", axes, "fftconvolve")


@mirror(signal.oaconvolve)
def oaconvolve(in1: Array, in2: Array, mode: str = "full", axes: Any = None) -> Array:
    """As fftconvolve."""
    return convolved(in1, in2, mode, "fft", axes, "oaconvolve")


# ----- images -----
BOUNDARIES: dict[str, Any] = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


def with_boundary(a: Array, b: Array, mode: str, boundary: str, fillvalue: float, late: int = 0) -> Array:
    """Return the convolution of two images, of which the first goes on beyond its edges."""
    name = "correlate2d" if late else "convolve2d"
    a, b = floats(a, name), floats(b, name)
    if a.ndim != 2 or b.ndim != 2:
        raise ShapeError(f"{name}: expected two matrices, got shapes {a.shape} and {b.shape}")
    if boundary not in BOUNDARIES:
        raise UnsupportedError(f"{name}: boundary must be 'fill', 'wrap' or 'symm'; got {boundary!r}")
    if mode == "valid":
        return convolved(a, b, mode, "direct", None, name)
    options: Any = {"constant_values": fillvalue} if boundary == "fill" else {}
    wide = np.pad(a, [(n - 1, n - 1) for n in b.shape], mode=BOUNDARIES[boundary], **options)
    y = convolved(wide, b, "valid", "direct", None, name)
    return centred(y, a.shape, (0, 1), late) if mode == "same" else y


@mirror(signal.convolve2d)
def convolve2d(in1: Array, in2: Array, mode: str = "full", boundary: str = "fill", fillvalue: float = 0) -> Array:
    """Σ a[i] b[k - i] of two images; beyond its edges the first is filled, wrapped or mirrored."""
    return with_boundary(in1, in2, mode, boundary, fillvalue)


@mirror(signal.correlate2d)
def correlate2d(in1: Array, in2: Array, mode: str = "full", boundary: str = "fill", fillvalue: float = 0) -> Array:
    """Σ a[i + k] b[i] of two images; beyond its edges the first is filled, wrapped or mirrored."""
    return with_boundary(in1, reversed_in_place(in2), mode, boundary, fillvalue, late=1)


# ----- filters -----
def backwards(a: Array, g: Array, axis: int) -> Array:
    """Return w of Aᵀ w = ȳ: the recursive part of the filter, run from the end to the beginning."""
    one = np.ones(1, g.dtype)
    return np.flip(filtered(one, a, np.flip(g, axis), axis=axis), axis)


def lags(w: Array, x: Array, count: int, axis: int) -> Array:
    """Return Σ w[n] x[n - k] for k = 0 ... count - 1."""
    w, x = np.moveaxis(w, axis, -1), np.moveaxis(x, axis, -1)
    n = x.shape[-1]
    return np.stack([np.sum(w[..., k:] * x[..., : max(n - k, 0)]) for k in range(count)])


@own(
    lambda g, y, b, a, x, axis=-1: lags(backwards(a, g, axis), x, b.shape[0], axis),
    lambda g, y, b, a, x, axis=-1: -lags(backwards(a, g, axis), y, a.shape[0], axis),
    lambda g, y, b, a, x, axis=-1: np.flip(filtered(b, a, np.flip(g, axis), axis=axis), axis),
    traits="mixes smooth unbounded",
    words=(
        "filter: lagged products with the input",
        "filter: lagged products with the output",
        "filter: run backwards",
    ),
)
def filtered(b: Array, a: Array, x: Array, axis: int = -1) -> Array:
    """y of Σ a[k] y[n - k] = Σ b[k] x[n - k]."""
    return signal.lfilter(b, a, x, axis=axis)


@mirror(signal.lfilter)
def lfilter(b: Array, a: Array, x: Array, axis: int = -1, zi: Any = None) -> Array:
    """y of Σ a[k] y[n - k] = Σ b[k] x[n - k], from rest."""
    if zi is not None:
        raise UnsupportedError("lfilter: zi= is not supported on a Tensor; the filter starts from rest")
    b, a, x = (np.atleast_1d(floats(v, "lfilter")) for v in (b, a, x))
    return filtered(b, a, x, axis=axis)

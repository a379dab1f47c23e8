"""Windows that slide over an array, and the sum of what lies in them, each the gradient of the other.

A window has lengths[j] places along the axis axes[j], `dilations[j]` apart; the next window begins strides[j] further.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autotiny.ops.table import Array, library, own

Counts = Sequence[int]


def windows_along(n: int, length: int, stride: int, dilation: int) -> int:
    """Return how many windows fit along an axis of n entries."""
    return max(0, (n - dilation * (length - 1) - 1) // stride + 1)


def whole(counts: Counts) -> tuple[int, ...]:
    """Return counts as Python's integers: those of NumPy's short types overflow where lengths in bytes are computed."""
    return tuple(map(int, counts))


@own(
    lambda g, y, x, lengths=(), axes=(), strides=(), dilations=(): overlap_add(
        g, shape=x.shape, axes=axes, strides=strides, dilations=dilations
    ),
    traits="moves analytic linear keeps_sign selects rearranges resizes",
    words="each entry receives the gradients of all windows that it is in",
)
def patches(x: Array, lengths: Counts = (), axes: Counts = (), strides: Counts = (), dilations: Counts = ()) -> Array:
    """y[a, ..., i, ...] = x[..., stride i + dilation a, ...]: first the places within a window, then the windows."""
    lengths, axes, strides, dilations = map(whole, (lengths, axes, strides, dilations))
    shape, steps = list(x.shape), list(x.strides)
    within = []
    for axis, length, stride, dilation in zip(axes, lengths, strides, dilations, strict=True):
        within.append(dilation * x.strides[axis])
        shape[axis] = windows_along(x.shape[axis], length, stride, dilation)
        steps[axis] = stride * x.strides[axis]
    return np.lib.stride_tricks.as_strided(x, (*lengths, *shape), (*within, *steps), writeable=False)


@own(
    lambda g, y, x, shape=(), axes=(), strides=(), dilations=(): patches(
        g, lengths=x.shape[: len(axes)], axes=axes, strides=strides, dilations=dilations
    ),
    traits="mixes analytic linear fills resizes",
    words="each entry receives the gradient of the place that it was added to",
)
def overlap_add(x: Array, shape: Counts = (), axes: Counts = (), strides: Counts = (), dilations: Counts = ()) -> Array:
    """y[..., stride i + dilation a, ...] = Σ x[a, ..., i, ...], in zeros of this shape."""
    shape, axes, strides, dilations = map(whole, (shape, axes, strides, dilations))
    out = np.zeros(shape, x.dtype, like=library(x))
    for place in np.ndindex(x.shape[: len(axes)]):
        out[*_windows_at(place, x, axes, strides, dilations)] += x[place]
    return out


def _windows_at(place: Counts, x: Array, axes: Counts, strides: Counts, dilations: Counts) -> Iterator[Any]:
    """Yield the key of the entries that lie in this place of their windows."""
    starts = [a * dilation for a, dilation in zip(place, dilations, strict=True)]
    by_axis = dict(zip(axes, zip(starts, strides, strict=True), strict=True))
    for axis, count in enumerate(x.shape[len(axes) :]):
        start, stride = by_axis.get(axis, (0, 1))
        yield slice(start, start + stride * count, stride)

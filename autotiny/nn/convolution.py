"""Convolution and pooling.

The layout is the flagship's: the first axis holds the channels, the last counts the examples, and what slides lies
between, so that X (C, H, W, m) of images is X (n, m) of vectors for H = W = 1, and a convolution is Z = W X + b at
every place. `examples=0` is the layout of PyTorch, (m, C, H, W), in and out. An array without the axis of examples is
a single example. Kernels are (F, C, H, W) in both.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.nn.shapes import Value, along, axis_of, described, for_each_axis, is_whole, real
from autotiny.ops.patches import overlap_add, patches, windows_along

PerAxis = int | Sequence[int]
Pairs = list[tuple[int, int]]


# ----- the layout -----
def _examples_last(layer: str, X: Value, n: int, examples: Any) -> Value:
    """Return X with n axes to slide along between the channels and the examples; raise ShapeError for another ndim."""
    if X.ndim == n + 1:
        return np.expand_dims(X, -1)
    if X.ndim != n + 2:
        axes = ("channels", *("height", "width")[-n:], "m") if n < 3 else ("channels", f"{n} axes", "m")
        raise ShapeError(
            f"{layer}: expected X with {n + 2} axes, ({', '.join(axes)}), or {n + 1} for one example; got "
            f"{described('X', X)}"
        )
    axis = axis_of(layer, "examples", examples, X)
    return X if axis == X.ndim - 1 else np.moveaxis(X, axis, -1)


def _as_given(Z: Value, X: Value, examples: int) -> Value:
    """Return a result with its examples where X has them."""
    if X.ndim == Z.ndim - 1:
        return np.squeeze(Z, -1)
    return Z if examples % X.ndim == X.ndim - 1 else np.moveaxis(Z, -1, examples)


def _margins(layer: str, padding: Any, lengths: Sequence[int], spans: Sequence[int], strides: Sequence[int]) -> Pairs:
    """Return how many zeros go before and behind each axis; raise UnsupportedError for another padding."""
    if padding == "valid":
        return [(0, 0)] * len(lengths)
    if padding == "same":  # ceil(n / stride) windows, the odd zero behind
        totals = [max(-(-n // s) * s - s + k - n, 0) for n, k, s in zip(lengths, spans, strides, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    if isinstance(padding, Sequence) and not isinstance(padding, str):
        pairs = [pair if isinstance(pair, Sequence) else (pair, pair) for pair in padding]
    else:
        pairs = [(padding, padding)] * len(lengths)
    if len(pairs) == len(lengths) and all(len(pair) == 2 and all(is_whole(k, 0) for k in pair) for pair in pairs):
        return [(int(before), int(behind)) for before, behind in pairs]
    raise UnsupportedError(
        f"{layer}: padding must be a whole number of at least 0, one or a pair (before, behind) for each axis, "
        f"'same' or 'valid'; got {padding!r}"
    )


def _padded(x: Value, margins: Pairs, constant: float = 0.0) -> Value:
    if not any(map(any, margins)):
        return x
    return np.pad(x, [(0, 0), *margins, (0, 0)], constant_values=constant)


def _sliding(layer: str, x: Value, lengths: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> Value:
    """Return the windows over x, places within a window first; raise ShapeError where not one fits."""
    n = len(lengths)
    if not all(map(windows_along, x.shape[1:-1], lengths, strides, dilations)):
        dilated = tuple(d * (k - 1) + 1 for k, d in zip(lengths, dilations, strict=True))
        raise ShapeError(f"{layer}: a window of {dilated} does not fit into {x.shape[1:-1]}, padding included")
    return patches(x, lengths=tuple(lengths), axes=tuple(range(1, n + 1)), strides=strides, dilations=dilations)


# ----- convolution -----
def conv1d(
    X: Any,
    W: Any,
    b: Any = None,
    *,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
    examples: int = -1,
) -> Value:
    """Z[f, i] = Σ W[f, c, a] X[c, stride i + dilation a] + b[f], over channels c and places a of the kernel.

    X (C, n, m), W (F, C / groups, k), b (F,); Z (F, n', m), where n' = (n + padding - dilation (k - 1) - 1) // stride
    + 1. As in `conv2d`, in one dimension.

    >>> conv1d([[1.0, 2.0, 4.0, 8.0]], [[[-1.0, 1.0]]])
    array([[1., 2., 4.]])
    """
    return _convolved("conv1d", 1, X, W, b, stride, padding, dilation, groups, examples)


def conv2d(
    X: Any,
    W: Any,
    b: Any = None,
    *,
    stride: PerAxis = 1,
    padding: Any = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    examples: int = -1,
) -> Value:
    """Z[f, i, j] = Σ W[f, c, a, e] X[c, s i + d a, s j + d e] + b[f] for stride s and dilation d.

    X (C, H, W, m), a single image (C, H, W), or with examples=0 PyTorch's (m, C, H, W); W (F, C / groups, k, l), b
    (F,); Z (F, H', W', m). It is the cross-correlation that learners call convolution (Goodfellow, Bengio and
    Courville, 2016, eq. 9.6), computed as one product of matrices, W times the windows as columns: dW = dZ windowsᵀ,
    and dX adds up Wᵀ dZ where windows overlap.

    padding : zeros around, a number, one or a pair (before, behind) for each axis, or 'same' for ceil(H / stride).
    groups : so many parts of the channels are convolved apart; with groups = C, channel by channel.

    Raises ShapeError where the channels or the windows do not fit, UnsupportedError for another option.

    >>> conv2d(np.arange(9.0).reshape(1, 3, 3), np.ones((1, 1, 2, 2)))
    array([[[ 8., 12.],
            [20., 24.]]])
    """
    return _convolved("conv2d", 2, X, W, b, stride, padding, dilation, groups, examples)


def _convolved(
    layer: str,
    n: int,
    X: Any,
    W: Any,
    b: Any,
    stride: PerAxis,
    padding: Any,
    dilation: PerAxis,
    groups: int,
    examples: int,
) -> Value:
    X, W = real(layer, X=X, W=W)
    x = _examples_last(layer, X, n, examples)
    _require_kernel(layer, W, n, groups)
    if x.shape[0] != W.shape[1] * groups:
        of_groups = f" in each of {groups} groups" if groups > 1 else ""
        raise ShapeError(
            f"{layer}: {described('W', W)} takes {W.shape[1]} channels{of_groups}, and {described('X', X)} has "
            f"{x.shape[0]}"
        )
    kernel = W.shape[2:]
    strides = for_each_axis(layer, "stride", stride, n)
    dilations = for_each_axis(layer, "dilation", dilation, n)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    x = _padded(x, _margins(layer, padding, x.shape[1:-1], spans, strides))
    windows = np.moveaxis(_sliding(layer, x, kernel, strides, dilations), n, 0)  # (C, kernel, places, m)
    Z = _in_groups(W, groups) @ np.reshape(windows, _columns(W, windows.shape[n + 1 :], groups))
    Z = np.reshape(Z, (W.shape[0], *windows.shape[n + 1 :]))
    return _as_given(Z if b is None else Z + along(layer, "b", b, Z, (0,)), X, examples)


def _in_groups(W: Value, groups: int) -> Value:
    """Return the kernels as a matrix, or as one for each group."""
    rows = (W.shape[0] // groups, -1)
    return np.reshape(W, rows if groups == 1 else (groups, *rows))


def _columns(W: Value, places: Sequence[int], groups: int) -> tuple[int, ...]:
    """Return the shape of the windows as columns of a matrix, or of one for each group."""
    shape = (int(np.prod(W.shape[1:])), int(np.prod(places)))
    return shape if groups == 1 else (groups, *shape)


def _require_kernel(layer: str, W: Value, n: int, groups: Any) -> None:
    if W.ndim != n + 2 or 0 in W.shape:
        raise ShapeError(f"{layer}: expected W with {n + 2} axes, (filters, channels, ...kernel); got {W.shape}")
    if not is_whole(groups, 1):
        raise UnsupportedError(f"{layer}: groups must be a whole number of at least 1; got {groups!r}")
    if W.shape[0] % groups:
        raise ShapeError(f"{layer}: {W.shape[0]} filters of {described('W', W)} do not divide into {groups} groups")


def conv_transpose(
    Z: Any,
    W: Any,
    b: Any = None,
    *,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    examples: int = -1,
) -> Value:
    """X[c, s i + d a] = Σ W[f, c, a] Z[f, i] + b[c], the transpose of the convolution with W: from small to large.

    Z (F, H, W, m), W (F, C / groups, k, l), b (C,); X (C, H', W', m) with H' = s (H - 1) + d (k - 1) + 1 - 2 padding +
    output_padding (Dumoulin and Visin, 2016, section 4). The number of axes is that of the kernels. Σ conv(X, W) Z =
    Σ X conv_transpose(Z, W) for every X and Z, so it is what backpropagation of `conv2d` computes.

    >>> conv_transpose([[1.0, 10.0]], [[[1.0, 2.0, 3.0]]], stride=2)
    array([[ 1.,  2., 13., 20., 30.]])
    """
    layer = "conv_transpose"
    Z, W = real(layer, Z=Z, W=W)
    n = max(W.ndim - 2, 1)
    z = _examples_last(layer, Z, n, examples)
    _require_kernel(layer, W, n, groups)
    if z.shape[0] != W.shape[0]:
        raise ShapeError(f"{layer}: {described('W', W)} has {W.shape[0]} filters, and {described('Z', Z)} {z.shape[0]}")
    strides = for_each_axis(layer, "stride", stride, n)
    dilations = for_each_axis(layer, "dilation", dilation, n)
    margins = for_each_axis(layer, "padding", padding, n, least=0)
    extra = for_each_axis(layer, "output_padding", output_padding, n, least=0)
    kernel, places, channels = W.shape[2:], z.shape[1:], W.shape[1] * groups
    whole = [s * (i - 1) + d * (k - 1) + 1 for s, i, d, k in zip(strides, places[:-1], dilations, kernel, strict=True)]
    lengths = [n + e - 2 * p for n, e, p in zip(whole, extra, margins, strict=True)]
    if min(lengths) < 1:
        raise ShapeError(f"{layer}: padding {padding} leaves nothing of the {tuple(whole)} places of a result")
    rows = (W.shape[0] // groups, int(np.prod(places)))
    columns = _in_groups(W, groups).mT @ np.reshape(z, rows if groups == 1 else (groups, *rows))
    windows = np.moveaxis(np.reshape(columns, (channels, *kernel, *places)), 0, n)
    canvas = (channels, *(max(w, p + l) for w, p, l in zip(whole, margins, lengths, strict=True)), places[-1])
    x = overlap_add(windows, shape=canvas, axes=tuple(range(1, n + 1)), strides=strides, dilations=dilations)
    x = x[(slice(None), *(slice(p, p + l) for p, l in zip(margins, lengths, strict=True)))]
    return _as_given(x if b is None else x + along(layer, "b", b, x, (0,)), Z, examples)


# ----- pooling -----
def max_pool(X: Any, size: PerAxis, *, stride: PerAxis | None = None, padding: Any = 0, examples: int = -1) -> Value:
    """Y[c, i, j] = max X[c, stride i + a, stride j + e] over the places (a, e) of a window of this size.

    X (C, H, W, m), or with any number of axes to slide along; Y (C, H', W', m). The stride is the size by default, so
    that windows do not overlap. A size for each axis, such as (2, 2), also takes a single example (C, H, W). Padding
    is -inf. dX is dY where the largest entry was; entries that tie for it share, where PyTorch takes the first.

    Raises ShapeError where no window fits, UnsupportedError for padding of a window or more.

    >>> max_pool(np.arange(16.0).reshape(1, 4, 4), (2, 2))
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    return _pooled("max_pool", np.max, -np.inf, X, size, stride, padding, examples)


def avg_pool(X: Any, size: PerAxis, *, stride: PerAxis | None = None, padding: Any = 0, examples: int = -1) -> Value:
    """Y[c, i, j] = the mean of X[c, stride i + a, stride j + e] over the places (a, e) of a window of this size.

    As `max_pool`; padding is zeros, which count as entries. Over whole images, np.mean(X, axis=(1, 2)).

    >>> avg_pool(np.arange(16.0).reshape(1, 4, 4), (2, 2))
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    return _pooled("avg_pool", np.mean, 0.0, X, size, stride, padding, examples)


def _pooled(
    layer: str, reduction: Any, outside: float, X: Any, size: Any, stride: Any, padding: Any, examples: int
) -> Value:
    (X,) = real(layer, X=X)
    n = len(size) if isinstance(size, Sequence) else max(X.ndim - 2, 1)
    x = _examples_last(layer, X, n, examples)
    lengths = for_each_axis(layer, "size", size, n)
    strides = lengths if stride is None else for_each_axis(layer, "stride", stride, n)
    margins = _margins(layer, padding, x.shape[1:-1], lengths, strides)
    if any(max(pair) >= length for pair, length in zip(margins, lengths, strict=True)):
        raise UnsupportedError(f"{layer}: padding {padding!r} makes windows of size {lengths} that hold nothing else")
    windows = _sliding(layer, _padded(x, margins, outside), lengths, strides, (1,) * n)
    return _as_given(reduction(windows, axis=tuple(range(n))), X, examples)

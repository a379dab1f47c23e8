"""Normalisation: entries less their mean, over their standard deviation, then scaled by gamma and moved by beta.

The features or channels lie along axis 0 by default, and gamma and beta have an entry for each.
"""

from typing import Any, NamedTuple

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.nn.shapes import Value, along, axes_of, axis_of, described, is_whole, real, require_number
from autotiny.ops.normalising import standardised


class Running(NamedTuple):
    """Running averages of the mean and the variance of each feature: plain arrays."""

    mean: Any
    variance: Any


def batch_norm(
    X: Any,
    gamma: Any = None,
    beta: Any = None,
    running: Any = None,
    *,
    training: bool = True,
    momentum: float = 0.1,
    axis: int = 0,
    epsilon: float = 1e-5,
) -> tuple[Value, Running]:
    """Y = gamma (X - μ) / √(σ² + ε) + beta, and the running averages (Ioffe and Szegedy, 2015, algorithms 1 and 2).

    X (n, m) or (C, H, W, m): `axis` is that of the features, each of which has its mean μ and variance σ² over all
    other axes. In training they are the batch's, and the running averages are `running` moved towards them,
    (1 - momentum) running + momentum batch, with the variance unbiased; without `running`, from mean 0 and variance 1.
    With training=False they are the running ones, which return unchanged. As PyTorch's batch_norm.

    dX = gamma / √(σ² + ε) (dY - mean(dY) - X̂ mean(dY X̂)), where X̂ is X standardised: section 3.

    Raises ShapeError where gamma, beta or `running` do not fit, UnsupportedError without `running` where it is needed.

    >>> Y, running = batch_norm([[1.0, 3.0], [0.0, 4.0]], momentum=1)
    >>> Y.round(3), running.mean, running.variance
    (array([[-1.,  1.],
           [-1.,  1.]]), array([2., 2.]), array([2., 8.]))
    """
    layer = "batch_norm"
    (X,) = real(layer, X=X)
    require_number(layer, "epsilon", epsilon)
    require_number(layer, "momentum", momentum, most=1)
    axis = axis_of(layer, "axis", axis, X)
    over = tuple(i for i in range(X.ndim) if i != axis)
    if training:
        if np.prod([X.shape[i] for i in over]) < 2:
            raise ShapeError(f"{layer}: {described('X', X)} has one entry per feature, and so no variance")
        X_hat = standardised(X, axis=over, epsilon=epsilon)
        running = _moved(_averages(running, X, axis), value_of(X), over, momentum)
    elif running is None:
        raise UnsupportedError(f"{layer}: with training=False, give the running averages that training returned")
    else:
        running = _averages(running, X, axis)
        mean, variance = (along(layer, name, x, X, (axis,)) for name, x in zip(running._fields, running, strict=True))
        X_hat = (X - mean) / np.sqrt(variance + epsilon)
    return _scaled(layer, X_hat, gamma, beta, (axis,)), running


def _averages(running: Any, X: Value, axis: int) -> Running:
    """Return given running averages, or those to begin with; raise ShapeError for others than a pair of vectors."""
    shape = (X.shape[axis],)
    if running is None:
        return Running(np.zeros(shape, X.dtype), np.ones(shape, X.dtype))
    if not isinstance(running, tuple | list) or len(running) != 2:
        raise ShapeError(f"batch_norm: running must be a pair (mean, variance); got {type(running).__name__}")
    mean, variance = map(value_of, real("batch_norm", **dict(zip(Running._fields, running, strict=True))))
    if mean.shape != shape or variance.shape != shape:
        raise ShapeError(f"batch_norm: running {mean.shape} and {variance.shape} must be of shape {shape}")
    return Running(mean.astype(X.dtype), variance.astype(X.dtype))


def _moved(running: Running, X: Any, over: tuple[int, ...], momentum: float) -> Running:
    """Return the running averages moved towards those of a batch."""
    batch = Running(np.mean(X, axis=over), np.var(X, axis=over, ddof=1))
    return Running(*((1 - momentum) * old + momentum * new for old, new in zip(running, batch, strict=True)))


def _scaled(layer: str, X_hat: Value, gamma: Any, beta: Any, axes: tuple[int, ...]) -> Value:
    """gamma X̂ + beta."""
    Y = X_hat if gamma is None else along(layer, "gamma", gamma, X_hat, axes) * X_hat
    return Y if beta is None else Y + along(layer, "beta", beta, X_hat, axes)


def _to_normalise(layer: str, X: Any, axis: Any, epsilon: Any) -> tuple[Value, tuple[int, ...]]:
    """Return X and the axes that are normalised; raise ShapeError where they hold no entries."""
    (X,) = real(layer, X=X)
    require_number(layer, "epsilon", epsilon)
    axes = axes_of(layer, axis, X)
    if not all(X.shape[i] for i in axes):
        raise ShapeError(f"{layer}: {described('X', X)} has no entries along axis {axis}")
    return X, axes


def layer_norm(X: Any, gamma: Any = None, beta: Any = None, *, axis: Any = 0, epsilon: float = 1e-5) -> Value:
    """Y = gamma (X - μ) / √(σ² + ε) + beta, with μ and σ² of each example (Ba, Kiros and Hinton, 2016, eq. 4).

    X (n, m): the mean and the variance are over `axis`, that of the features, or several axes; gamma and beta have an
    entry for each feature. In Transformers, whose features lie along the last axis, axis=-1.

    dX = (dX̂ - mean(dX̂) - X̂ mean(dX̂ X̂)) / √(σ² + ε), where dX̂ = gamma dY.

    >>> layer_norm(np.array([1.0, 2.0, 3.0])).round(3)
    array([-1.225,  0.   ,  1.225])
    """
    X, axes = _to_normalise("layer_norm", X, axis, epsilon)
    return _scaled("layer_norm", standardised(X, axis=axes, epsilon=epsilon), gamma, beta, axes)


def rms_norm(X: Any, gamma: Any = None, *, axis: Any = 0, epsilon: float = 1e-5) -> Value:
    """Y = gamma X / √(mean(X²) + ε), the mean over the features (Zhang and Sennrich, 2019, eq. 4).

    As `layer_norm`, without the mean and without beta.

    >>> rms_norm(np.array([3.0, 4.0]), epsilon=0).round(3)
    array([0.849, 1.131])
    """
    X, axes = _to_normalise("rms_norm", X, axis, epsilon)
    scale = np.sqrt(np.mean(np.square(X), axis=axes, keepdims=True) + epsilon)
    return _scaled("rms_norm", X / scale, gamma, None, axes)


def group_norm(
    X: Any, groups: int, gamma: Any = None, beta: Any = None, *, examples: int = -1, epsilon: float = 1e-5
) -> Value:
    """Y = gamma (X - μ) / √(σ² + ε) + beta, with μ and σ² of each group of channels of each example (Wu and He, 2018).

    X (C, H, W, m), or (m, C, H, W) with examples=0; the first C / groups channels are the first group. With groups = C
    it is instance normalisation. gamma and beta (C,).

    >>> group_norm(np.array([[1.0], [3.0], [10.0], [30.0]]), 2).round(3).T
    array([[-1.,  1., -1.,  1.]])
    """
    layer = "group_norm"
    (X,) = real(layer, X=X)
    require_number(layer, "epsilon", epsilon)
    if X.ndim < 2:
        raise ShapeError(f"{layer}: expected X with axes of channels and examples; got {described('X', X)}")
    x = np.moveaxis(X, axis_of(layer, "examples", examples, X), -1)
    if not is_whole(groups, 1) or x.shape[0] % groups:
        raise ShapeError(f"{layer}: {x.shape[0]} channels of {described('X', X)} do not divide into {groups!r} groups")
    parts = np.reshape(x, (groups, x.shape[0] // groups, *x.shape[1:]))
    X_hat = np.reshape(standardised(parts, axis=tuple(range(1, parts.ndim - 1)), epsilon=epsilon), x.shape)
    return np.moveaxis(_scaled(layer, X_hat, gamma, beta, (0,)), -1, examples)

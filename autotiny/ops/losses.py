"""Losses of neural networks, from logits, and the labels that they take."""

import functools
import math
from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.activations import sigmoid
from autotiny.ops.logarithms import log_softmax, logistic_loss, probabilities
from autotiny.ops.matmul import expectation
from autotiny.ops.plain import plain
from autotiny.ops.table import Array, floats

MOST_CLASSES = 2**24
"""More are a number taken for a label, whose column would fill the memory."""


def one_hot(labels: Any, classes: int | None = None) -> Array:
    """Y with Y[k, i] = 1 where example i has label k, of shape (classes, *labels.shape): one example per column.

    >>> one_hot([0, 2], 3)
    array([[1., 0.],
           [0., 0.],
           [0., 1.]])
    """
    if not hasattr(labels, "__autotiny_call__"):
        try:
            labels = np.asarray(labels)
        except (ValueError, TypeError) as error:
            raise ShapeError(f"one_hot: the labels do not form an array ({error})") from None
    if classes is None and not labels.size:
        raise ShapeError("one_hot: there are no labels to count the classes of; give their number, classes=...")
    if classes is not None and (not isinstance(classes, int | np.integer) or isinstance(classes, bool) or classes < 1):
        raise ShapeError(f"one_hot: classes must be a whole number of at least 1, got {classes!r}")
    if getattr(labels, "requires_grad", False):
        raise ShapeError("one_hot: labels are data: make their Tensor with requires_grad=False, so that integers stay")
    if labels.dtype.kind not in "iu":
        raise ShapeError(
            f"one_hot: labels must be integers, got {labels.dtype}; use np.unique(..., return_inverse=True)"
        )
    classes = int(labels.max()) + 1 if classes is None else classes
    if classes > MOST_CLASSES:
        raise ShapeError(f"one_hot: {classes:,} classes; at most {MOST_CLASSES:,} are possible: are these labels?")
    if isinstance(labels, np.ndarray):
        labels = _labels_below(labels, classes)
    else:  # a formula: its labels are checked when it is computed
        labels = labels.__autotiny_call__(_labels_below, (labels, classes), {})
    return (np.arange(classes).reshape(-1, *[1] * labels.ndim) == labels).astype(float)


def _labels_below(labels: Any, classes: int) -> Array:
    """Return the labels; raise ShapeError unless they lie in 0..classes - 1."""
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise ShapeError(f"one_hot: labels must lie in 0..{classes - 1}, got {labels.min()}..{labels.max()}")
    return labels


plain(_labels_below)


def cross_entropy(logits: Array, targets: Any, axis: int = 0) -> Array:
    """J = -(1/m) sum(Y * log_softmax(Z)), the mean over m examples, straight from the logits Z.

    targets are one-hot or other probabilities Y of Z's shape, or integer labels (Z's shape without the class axis).
    dJ/dZ = (softmax(Z) - Y) / m where each column of Y sums to 1. A logit of -inf leaves its class out.

    >>> Z = np.zeros((3, 2))
    >>> float(cross_entropy(Z, [0, 2]))  # log(3)
    1.0986122886681098
    """
    logits = floats(logits, "cross_entropy", complex_too=True)
    shape = logits.shape
    scale = _scale(shape, axis) if type(axis) is int else _scale.__wrapped__(shape, axis)
    Y = targets if getattr(targets, "shape", None) == shape else _as_probabilities(targets, shape, axis, logits.dtype)
    return scale * expectation(Y, log_softmax(logits, axis=axis))


@functools.lru_cache
def _scale(shape: tuple[int, ...], axis: int) -> float:
    """Return -1/m for logits of this shape; raise ShapeError if they hold no examples, or the axis is not one."""
    if not shape:
        raise ShapeError("cross_entropy: expected logits with an axis of classes; got a single number")
    if not isinstance(axis, (int, np.integer)) or not -len(shape) <= axis < len(shape):
        raise ShapeError(f"cross_entropy: axis {axis!r} is not one of logits of shape {shape}")
    if 0 in shape:
        raise ShapeError(f"cross_entropy: logits of shape {shape} hold no examples, or no classes")
    return -shape[axis] / math.prod(shape)


def _as_probabilities(labels: Any, shape: tuple[int, ...], axis: int, dtype: Any) -> Array:
    if isinstance(labels, list | tuple | dict | set):
        try:
            labels = np.asarray(labels)
        except ValueError as error:
            raise ShapeError(f"cross_entropy: the targets do not form an array ({error})") from None
    Y = (
        np.moveaxis(one_hot(labels, shape[axis]), 0, axis).astype(dtype)
        if np.ndim(labels) == len(shape) - 1
        else labels
    )
    if np.shape(Y) != shape:
        raise ShapeError(
            f"cross_entropy: targets {np.shape(labels)} do not fit logits {shape}; "
            f"expected probabilities of the same shape, or integer labels without axis {axis}"
        )
    return Y


def binary_cross_entropy(logits: Array, targets: Any) -> Array:
    """J = -(1/m) sum(Y * log(A) + (1 - Y) * log(1 - A)) for A = σ(Z), the mean over m entries, from the logits Z.

    targets are the probabilities Y of class 1, such as labels 0 and 1, in Z's shape: every entry is an example.
    dJ/dZ = (A - Y) / m, also where A rounds to 0 or 1.

    Raises ShapeError for targets of another shape or outside [0, 1], UnsupportedError for a sigmoid in place of logits.

    >>> binary_cross_entropy([0.0, 40.0], [1, 0]).round(3)  # the mean of log(2) and 40
    np.float64(20.347)
    """
    made_by = getattr(logits, "op", None)
    if made_by is not None and made_by.function is sigmoid.__wrapped__:  # type: ignore[attr-defined]
        raise UnsupportedError(
            "binary_cross_entropy: expected logits Z, got probabilities, the result of a sigmoid, which it takes "
            "itself; give what the sigmoid is taken of"
        )
    logits = floats(logits, "binary_cross_entropy")
    targets = targets if hasattr(targets, "__autotiny_call__") else np.asarray(targets)
    if np.shape(targets) != np.shape(logits):
        raise ShapeError(
            f"binary_cross_entropy: targets {np.shape(targets)} do not fit logits {np.shape(logits)}; expected a "
            "target for each logit"
        )
    targets = probabilities(targets)
    targets = targets if hasattr(targets, "__autotiny_call__") else targets.astype(logits.dtype)
    return np.mean(logistic_loss(logits, targets))

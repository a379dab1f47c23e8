"""Losses of neural networks, and the labels that they take.

Every loss is a mean over examples. Predictions come first, then targets of their shape, which are converted to their
precision; a shape that only broadcasts is an error, since (m,) beside (m, 1) compares all with all.
"""

import functools
import math
from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.activations import sigmoid
from autotiny.ops.array_functions import array_function
from autotiny.ops.logarithms import log_softmax, logistic_loss, probabilities
from autotiny.ops.matmul import expectation
from autotiny.ops.penalties import huber_penalty
from autotiny.ops.plain import plain
from autotiny.ops.reductions import direction
from autotiny.ops.table import Array, floats, library, reals, require_real, somewhere, type_name

MOST_CLASSES = 2**24
"""More are a number taken for a label, whose column would fill the memory."""


def one_hot(labels: Any, classes: int | None = None) -> Array:
    """Y with Y[k, i] = 1 where example i has label k, of shape (classes, *labels.shape): one example per column.

    >>> one_hot([0, 2], 3)
    array([[1., 0.],
           [0., 0.],
           [0., 1.]])
    """
    if not hasattr(labels, "__array_function__"):
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
    if hasattr(labels, "__autotiny_call__"):  # a formula: its labels are checked when it is computed
        labels = labels.__autotiny_call__(_labels_below, (labels, classes), {})
    else:
        labels = _labels_below(labels, classes)
    return (np.arange(classes, like=library(labels)).reshape(-1, *[1] * labels.ndim) == labels).astype(float)


def _labels_below(labels: Any, classes: int) -> Array:
    """Return the labels; raise ShapeError unless they lie in 0..classes - 1."""
    if labels.size and somewhere((labels < 0) | (labels >= classes)):
        raise ShapeError(f"one_hot: labels must lie in 0..{classes - 1}, got {labels.min()}..{labels.max()}")
    return labels


plain(_labels_below)


@array_function
def cross_entropy(logits: Array, targets: Any, axis: int = 0) -> Array:
    """J = -(1/m) sum(Y * log_softmax(Z)), the mean over m examples, straight from the logits Z.

    targets are one-hot or other probabilities Y of Z's shape, or integer labels (Z's shape without the class axis).
    Smoothed labels are such probabilities: `0.9 * one_hot(labels, k) + 0.1 / k`.
    dJ/dZ = (softmax(Z) - Y) / m where each column of Y sums to 1. A logit of -inf leaves its class out.

    >>> Z = np.zeros((3, 2))
    >>> float(cross_entropy(Z, [0, 2]))  # log(3)
    1.0986122886681098
    """
    logits = floats(logits, "cross_entropy")
    shape = logits.shape
    find = _examples if type(axis) is int else _examples.__wrapped__  # what has no hash is wrong, and is said to be
    m = find("cross_entropy", "logits", shape, axis)
    Y = targets if getattr(targets, "shape", None) == shape else _as_probabilities(targets, logits, axis)
    return (-1 / m) * expectation(Y, log_softmax(logits, axis=axis))


def _as_probabilities(labels: Any, logits: Array, axis: int) -> Array:
    shape = logits.shape
    if isinstance(labels, int | list | tuple | dict | set):
        try:
            labels = np.asarray(labels, like=library(logits))
        except ValueError as error:
            raise ShapeError(f"cross_entropy: the targets do not form an array ({error})") from None
    Y = (
        np.moveaxis(one_hot(labels, shape[axis]), 0, axis).astype(logits.dtype)
        if np.ndim(labels) == len(shape) - 1
        else labels
    )
    if np.shape(Y) != shape:
        raise ShapeError(
            f"cross_entropy: targets {np.shape(labels)} do not fit logits {shape}; "
            f"expected probabilities of the same shape, or integer labels without axis {axis}"
        )
    return Y


@array_function
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
    logits, targets = _paired("binary_cross_entropy", "logits", logits, targets)
    return np.mean(logistic_loss(logits, probabilities(targets)))


@array_function
def kl_divergence(P: Array, Q: Array, axis: int = 0) -> Array:
    """(1/m) sum(P * log(P / Q)), the mean over m pairs of distributions along an axis (Kullback and Leibler, 1951).

    P and Q are probabilities of one shape. dJ/dQ = -P / Q / m. An outcome with P = 0 contributes nothing to the value
    or a gradient; one with Q = 0 alone makes it infinite. Beside Q = softmax(Z) it is exact where Q underflows, and
    dJ/dZ = (Q - P) / m.

    >>> float(kl_divergence([0.5, 0.5], [0.25, 0.75]))  # log(2) - log(3) / 2
    0.14384103622589045
    """
    P, Q = reals(P, "kl_divergence"), reals(Q, "kl_divergence")
    _require_same_shape("kl_divergence", "P", P, "Q", Q)
    m = _examples("kl_divergence", "P", P.shape, axis)
    with np.errstate(divide="ignore", invalid="ignore"):  # of log(0), which is not taken
        return np.sum(np.where(P == 0, 0, P * (np.log(P) - np.log(Q)))) / m


# ----- of real numbers -----
@array_function
def mean_squared_error(predictions: Array, targets: Any) -> Array:
    """J = (1/n) sum((Y - T)²), the mean over all n entries; dJ/dY = 2 (Y - T) / n.

    >>> float(mean_squared_error([1.0, 2.0], [0, 4]))
    2.5
    """
    predictions, targets = _paired("mean_squared_error", "predictions", predictions, targets)
    return np.mean(np.square(predictions - targets))


@array_function
def mean_absolute_error(predictions: Array, targets: Any) -> Array:
    """J = (1/n) sum(|Y - T|), the mean over all n entries; dJ/dY = sign(Y - T) / n, so 0 where they are equal.

    >>> float(mean_absolute_error([1.0, 2.0], [0, 4]))
    1.5
    """
    predictions, targets = _paired("mean_absolute_error", "predictions", predictions, targets)
    return np.mean(np.abs(predictions - targets))


@array_function
def huber(predictions: Array, targets: Any, delta: float = 1.0) -> Array:
    """J = (1/n) sum(ρ(Y - T)), where ρ(r) = r² / 2 for |r| <= δ and δ (|r| - δ / 2) beyond (Huber, 1964).

    dJ/dY = clip(Y - T, -δ, δ) / n: an outlier pulls with δ at most. Its mean is over all n entries. PyTorch's
    smooth_l1_loss is this divided by δ.

    >>> float(huber([1.0, 5.0], [0, 0]))  # the mean of 1/2 and 4.5
    2.5
    """
    if not isinstance(delta, int | float | np.number) or isinstance(delta, bool) or not delta > 0:
        raise UnsupportedError(f"huber: delta must be a number above 0, got {delta!r}")
    predictions, targets = _paired("huber", "predictions", predictions, targets)
    return np.mean(huber_penalty(predictions - targets, delta=float(delta)))


@array_function
def hinge(scores: Array, targets: Any) -> Array:
    """J = (1/m) sum(max(0, 1 - T * S)), of targets -1 and 1, the mean over m entries (Cortes and Vapnik, 1995).

    dJ/dS = -T 1[T S < 1] / m, so 0 where the margin T S is just 1. The square of each term, which is smooth there, is
    `np.mean(np.maximum(0, 1 - T * S) ** 2)`.

    >>> float(hinge([0.5, -3.0, 2.0], [1, -1, -1]))  # (0.5 + 0 + 3) / 3
    1.1666666666666667
    """
    scores, targets = _paired("hinge", "scores", scores, targets)
    if getattr(targets, "requires_grad", False):
        raise UnsupportedError("hinge: targets are data, not learnt: make their Tensor with requires_grad=False")
    recorded = hasattr(targets, "__autotiny_call__")  # those of a formula are checked when it is computed
    targets = targets.__autotiny_call__(_signs, (targets,), {}) if recorded else _signs(targets)
    return np.mean(np.maximum(0, 1 - targets * scores))


def _signs(targets: Array) -> Array:
    """Return the targets; raise ShapeError unless they are -1 or 1."""
    others = abs(targets) != 1
    if somewhere(others):
        raise ShapeError(
            f"hinge: targets are the signs -1 and 1, got {targets[others][0]}; for labels 0 and 1, give 2 * labels - 1"
        )
    return targets


plain(_signs)


@array_function
def cosine_similarity(a: Array, b: Array, axis: int = 0) -> Array:
    """a · b / (‖a‖ ‖b‖) of the vectors along an axis; as a loss, `1 - np.mean(cosine_similarity(a, b))`.

    Beside a zero vector it is 0, and its derivative nan. Lengths are those of scaled entries where squares overflow.

    >>> cosine_similarity(np.array([[3.0, 1.0], [4.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 1.0]])).round(3)
    array([0.6, 1. ])
    """
    a, b = reals(a, "cosine_similarity"), reals(b, "cosine_similarity")
    _require_same_shape("cosine_similarity", "a", a, "b", b)
    _require_axis("cosine_similarity", "a", a.shape, axis)
    return np.sum(direction(a, axis=axis) * direction(b, axis=axis), axis=axis)


# ----- checks -----
def _paired(loss: str, name: str, predictions: Array, targets: Any) -> tuple[Array, Array]:
    """Return predictions in floating point, and targets of their shape and precision; raise ShapeError for others."""
    predictions = reals(predictions, loss)
    if not hasattr(targets, "__array_function__"):
        targets = np.asarray(targets, like=library(predictions))
    require_real(targets, loss)
    if np.shape(targets) != np.shape(predictions):
        fits = np.size(targets) == np.size(predictions)
        raise ShapeError(
            f"{loss}: targets {np.shape(targets)} do not fit {name} {np.shape(predictions)}; expected a target for "
            f"each {name.removesuffix('s')}" + (f"; targets.reshape({np.shape(predictions)}) fits" if fits else "")
        )
    if not predictions.size:
        raise ShapeError(f"{loss}: {name} of shape {np.shape(predictions)} hold no examples")
    if targets.dtype.kind not in "fbiu":
        raise UnsupportedError(f"{loss}: expected targets that are real numbers, got {type_name(targets)}")
    same = targets.dtype == predictions.dtype
    return predictions, targets if same else targets.astype(predictions.dtype)


def _require_same_shape(loss: str, first: str, a: Array, second: str, b: Array) -> None:
    if a.shape != b.shape:
        raise ShapeError(f"{loss}: {first} {a.shape} and {second} {b.shape} must have the same shape")


def _require_axis(loss: str, name: str, shape: tuple[int, ...], axis: Any) -> None:
    if not shape:
        raise ShapeError(f"{loss}: expected {name} with an axis; got a single number")
    if not isinstance(axis, (int, np.integer)) or not -len(shape) <= axis < len(shape):
        raise ShapeError(f"{loss}: axis {axis!r} is not one of {name} of shape {shape}")


@functools.lru_cache
def _examples(loss: str, name: str, shape: tuple[int, ...], axis: Any) -> int:
    """Return m, the number of lines along the axis of classes; raise ShapeError for a wrong axis or no examples."""
    _require_axis(loss, name, shape, axis)
    if 0 in shape:
        raise ShapeError(f"{loss}: {name} of shape {shape} hold no examples, or no classes")
    return math.prod(shape) // shape[axis]

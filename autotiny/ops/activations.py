"""Activations and losses of neural networks, which NumPy lacks.

One example per column: the classes lie along axis 0, as in the textbook's Z2 = W2 A1 + b2. relu has derivative 0 at 0.
"""

from typing import Any

import numpy as np

from autotiny.errors import ShapeError
from autotiny.ops.elementwise import LN2, curve
from autotiny.ops.linalg import vdot
from autotiny.ops.plain import plain
from autotiny.ops.reductions import axis_lines, broadcast_back, max_keep, sum_keep
from autotiny.ops.table import Array, StableLog, floats, own

LEAKY = "the gradient passes where x > 0, and a small part of it elsewhere"


@own(
    lambda g, y, x: g * (x > 0),
    takes_numbers=True,
    traits="elementwise kinked keeps_sign selects activation",
    words="relu: the gradient passes where x > 0, and stops elsewhere",
)
def relu(x: Array) -> Array:
    """max(x, 0), entry by entry; its derivative is the mask 1[x > 0], so 0 at 0.

    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.maximum(x, 0)


@own(
    lambda g, y, x, slope=0.01: np.where(x > 0, g, slope * g),
    takes_numbers=True,
    traits="elementwise kinked keeps_sign selects activation",
    words=LEAKY,
)
def leaky_relu(x: Array, slope: float = 0.01) -> Array:
    """x where x > 0, slope * x elsewhere; its derivative at 0 is slope.

    >>> leaky_relu(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    return np.where(x > 0, x, slope * x)


@own(
    lambda g, y, x, alpha=1.0: g * np.where(x > 0, 1.0, y + alpha),
    takes_numbers=True,
    traits="elementwise kinked keeps_sign activation",
    words=LEAKY,
)
def elu(x: Array, alpha: float = 1.0) -> Array:
    """x where x > 0, alpha (exp(x) - 1) elsewhere (Clevert, Unterthiner and Hochreiter, 2016).

    >>> elu(np.array([-1.0, 2.0])).round(3)
    array([-0.632,  2.   ])
    """
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def softplus(x: Array) -> Array:
    """log(1 + exp(x)), without overflow; its derivative is the sigmoid.

    >>> softplus(np.array([0.0, 5.0])).round(3)
    array([0.693, 5.007])
    """
    return np.logaddexp(floats(x, "softplus"), 0)


@own(
    lambda g, y, x: g * y * (1 - y),
    takes_numbers=True,
    traits="elementwise smooth positive activation",
    words="sigmoid: times σ (1 - σ)",
    log=StableLog(lambda y, x: -np.logaddexp(0, -x), lambda h, y, x: h * (1 - y)),
)
def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + exp(-x)), without overflow; dσ/dx = σ (1 - σ).

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    e = np.exp(-abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


# fmt: off
curve(np.logaddexp,                                                # σ(a - b), exact where y has lost digits
      lambda g, y, a, b: g * sigmoid(a - b),
      lambda g, y, a, b: g * sigmoid(b - a),                 traits="smooth keeps_sign activation")
curve(np.logaddexp2,
      lambda g, y, a, b: g * sigmoid((a - b) * LN2),
      lambda g, y, a, b: g * sigmoid((b - a) * LN2),         traits="smooth keeps_sign")
# fmt: on


def silu(x: Array) -> Array:
    """x σ(x), also known as swish (Elfwing, Uchibe and Doya, 2018).

    >>> silu(np.array([0.0, 1.0])).round(3)
    array([0.   , 0.731])
    """
    x = floats(x, "silu")
    return x * sigmoid(x)


def gelu(x: Array) -> Array:
    """x Φ(x), by the approximation 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks and Gimpel, 2016, section 2).

    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(3)
    array([-0.159,  0.   ,  0.841])
    """
    x = floats(x, "gelu", complex_too=True)
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


def _log_of_softmax(y: Array, x: Array, axis: int = 0) -> Array:
    """Return log(y) for y = softmax(x), computed from x where y nearly underflows."""
    return np.log(y) if type(y) is np.ndarray and y.size and y.min() > 1e-30 else log_softmax(x, axis)


@own(
    lambda g, y, x, axis=0: y * (g - sum_keep(y * g, axis)),
    takes_numbers=True,
    traits="mixes analytic positive",
    used=axis_lines,
    words="softmax: less its mean, weighted by the probabilities",
    log=StableLog(_log_of_softmax, lambda h, y, x, axis=0: h - y * sum_keep(h, axis)),
)
def softmax(x: Array, axis: int = 0) -> Array:
    """A[k] = exp(x[k]) / sum(exp(x)) along an axis, without overflow.

    dA[k]/dx[j] = A[k] (1[k = j] - A[j]). Its logarithm is taken as log_softmax, so that `-sum(Y * log(softmax(Z)))` is
    exact where A underflows.

    >>> softmax(np.array([800.0, 800.0]))
    array([0.5, 0.5])
    """
    e = np.exp(x - max_keep(x, axis))
    e /= sum_keep(e, axis)
    return e


@own(
    lambda g, y, x, axis=0: g - np.exp(y) * sum_keep(g, axis),
    takes_numbers=True,
    traits="mixes analytic",
    used=axis_lines,
    words="log-softmax: less the probabilities times its sum",
)
def log_softmax(x: Array, axis: int = 0) -> Array:
    """x - log(sum(exp(x))) along an axis, without overflow or underflow.

    >>> log_softmax(np.array([800.0, 0.0]))
    array([   0., -800.])
    """
    shifted = x - max_keep(x, axis)
    shifted -= np.log(sum_keep(np.exp(shifted), axis))
    return shifted


@own(
    lambda g, y, x, axis=None, keepdims=False: broadcast_back(g, x, axis, keepdims) * softmax(x, axis=axis),
    takes_numbers=True,
    traits="reduces analytic keeps_sign",
    words="logsumexp: times the softmax",
)
def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """log(sum(exp(x))) over axes (all of them by default), without overflow; its gradient is softmax(x).

    >>> logsumexp(np.array([1000.0, 1000.0])).round(3)
    np.float64(1000.693)
    """
    top = max_keep(x, axis)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    result = np.log(sum_keep(np.exp(x - top), axis)) + top
    return result if keepdims else np.squeeze(result, axis=axis)


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
    dJ/dZ = (softmax(Z) - Y) / m where each column of Y sums to 1.

    >>> Z = np.zeros((3, 2))
    >>> float(cross_entropy(Z, [0, 2]))  # log(3)
    1.0986122886681098
    """
    logits = floats(logits, "cross_entropy", complex_too=True)
    shape = logits.shape
    if not shape:
        raise ShapeError("cross_entropy: expected logits with an axis of classes; got a single number")
    if not isinstance(axis, int | np.integer) or not -len(shape) <= axis < len(shape):
        raise ShapeError(f"cross_entropy: axis {axis!r} is not one of logits of shape {shape}")
    if 0 in shape:
        raise ShapeError(f"cross_entropy: logits of shape {shape} hold no examples, or no classes")
    Y = targets if getattr(targets, "shape", None) == shape else _as_probabilities(targets, shape, axis, logits.dtype)
    return (-shape[axis] / logits.size) * vdot(Y, log_softmax(logits, axis=axis))


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

"""Logarithms of exponentials and of what is made of them: exact where the exponential overflows or underflows.

All of them are stable forms: `stands_for` says of which expressions. Their gradients are exact in both tails, those of
higher order too, so they use a sigmoid and a tanh whose own derivatives are.
"""

import math
from typing import Any

import numpy as np

from autotiny.errors import ShapeError
from autotiny.ops.activations import sigmoid, softmax
from autotiny.ops.array_functions import array_function
from autotiny.ops.reductions import axis_lines, broadcast_back, max_keep, sum_keep
from autotiny.ops.table import (
    Array,
    Function,
    define,
    floats,
    is_computed_later,
    is_formula,
    library,
    own,
    public,
    reals,
    somewhere,
    variant,
)

exact_sigmoid: Function = variant(sigmoid, lambda g, y, x: g * y * exact_sigmoid(-x))
exact_tanh = variant(np.tanh, lambda g, y, x: 4 * g * exact_sigmoid(2 * x) * exact_sigmoid(-2 * x))


# ----- of sums of exponentials -----
define(
    np.logaddexp,
    lambda g, y, a, b: g * exact_sigmoid(a - b),
    lambda g, y, a, b: g * exact_sigmoid(b - a),
    traits="elementwise smooth keeps_sign activation",
    stands_for=(lambda a, b: np.log(np.exp(a) + np.exp(b)),),
)
define(
    np.logaddexp2,
    lambda g, y, a, b: g * exact_sigmoid((a - b) * math.log(2)),
    lambda g, y, a, b: g * exact_sigmoid((b - a) * math.log(2)),
    traits="elementwise smooth keeps_sign",
)


def _sigmoid_of(x: Array, y: Array) -> Array:
    """σ(x) = 1 - exp(-y) for y = log(1 + exp(x)), which takes a third of the time on arrays."""
    return -np.expm1(-y) if type(y) is np.ndarray else exact_sigmoid(x)


@public(
    lambda g, y, x: g * _sigmoid_of(x, y),
    traits="elementwise smooth positive activation real",
    words="softplus: times σ(x)",
    from_operand=lambda e: np.log1p(e) if type(e) is np.ndarray and e.size and e.max() < np.inf else None,
    stands_for=(lambda x: np.log(1 + np.exp(x)), lambda x: np.log1p(np.exp(x))),
    fast_form=lambda x: np.log1p(np.exp(x)),
)
def softplus(x: Array) -> Array:
    """log(1 + exp(x)), without overflow; its derivative is the sigmoid.

    >>> softplus(np.array([0.0, 5.0])).round(3)
    array([0.693, 5.007])
    """
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))  # in a third of the time of np.logaddexp


@array_function
def mish(x: Array) -> Array:
    """x tanh(softplus(x)) (Misra, 2020).

    >>> mish(np.array([-1.0, 0.0, 1.0])).round(3)
    array([-0.303,  0.   ,  0.865])
    """
    x = floats(x, "mish")
    return x * np.tanh(softplus(x))


@public(
    lambda g, y, x, axis=None, keepdims=False: broadcast_back(g, x, axis, keepdims) * softmax(x, axis=axis),
    traits="reduces analytic keeps_sign",
    words="logsumexp: times the softmax",
    stands_for=(lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),),
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


# ----- of sigmoids -----
@public(
    lambda g, y, x: g * exact_sigmoid(-x),
    traits="elementwise smooth real activation",
    words="log-sigmoid: times 1 - σ(x)",
    stands_for=(lambda x: np.log(sigmoid(x)), lambda x: np.log(1 / (1 + np.exp(-x)))),
)
def log_sigmoid(x: Array) -> Array:
    """log(σ(x)) = -log(1 + exp(-x)), without underflow; its derivative is 1 - σ(x).

    >>> log_sigmoid(np.array([-800.0, 800.0]))
    array([-800.,    0.])
    """
    return 0.0 - softplus(-x)


@own(
    lambda g, y, x: -g * exact_sigmoid(x),
    traits="elementwise smooth real",
    words="log of 1 - σ(x): times -σ(x)",
    stands_for=(
        lambda x: np.log(1 - sigmoid(x)),
        lambda x: np.log1p(-sigmoid(x)),
        lambda x: np.log(1 - 1 / (1 + np.exp(-x))),
    ),
)
def log_one_minus_sigmoid(x: Array) -> Array:
    """log(1 - σ(x)) = -log(1 + exp(x))."""
    return 0.0 - softplus(x)


@own(
    lambda g, y, z, targets: g * (exact_sigmoid(floats(z)) - targets),
    lambda g, y, z, targets: -g * z,
    traits="elementwise smooth real",
    words=("binary cross-entropy: times σ(z) - y", "binary cross-entropy: times -z"),
)
def logistic_loss(z: Array, targets: Array) -> Array:
    """-(y log σ(z) + (1 - y) log(1 - σ(z))): log(1 + exp(-|z|)), and |z| times the probability of the other class."""
    z, targets = reals(z, "logistic_loss"), reals(targets, "logistic_loss")
    wrong = np.where(z > 0, 1 - targets, targets)
    return np.log1p(np.exp(-abs(z))) + np.where(wrong == 0, 0, wrong * abs(z))


@own(
    lambda g, y, targets: g,
    traits="moves analytic keeps_sign checks real",
    words="the gradient passes as it is",
)
def probabilities(targets: Array) -> Array:
    """Return the targets; raise ShapeError unless they lie in [0, 1]. A program looks in each call."""
    outside = ~((targets >= 0) & (targets <= 1))
    if somewhere(outside):
        raise ShapeError(
            f"binary_cross_entropy: targets are probabilities and lie in [0, 1], got {targets[outside][0]}; "
            "for labels -1 and 1, give (labels + 1) / 2"
        )
    return targets


# ----- of softmaxes -----
@public(
    lambda g, y, x, axis=0: g - (softmax(x, axis=axis) if is_formula(x) else np.exp(y)) * sum_keep(g, axis),
    traits="mixes analytic",
    used=axis_lines,
    words="log-softmax: less the probabilities times its sum",
    stands_for=(lambda x, axis: np.log(softmax(x, axis=axis)),),
    from_operand=lambda a: np.log(a) if a.size and not is_computed_later(a) and a.min() > 1e-30 else None,
)
def log_softmax(x: Array, axis: int = 0) -> Array:
    """x - log(sum(exp(x))) along an axis, without overflow or underflow.

    >>> log_softmax(np.array([800.0, 0.0]))
    array([   0., -800.])
    """
    shifted = x - max_keep(x, axis)
    shifted -= np.log(sum_keep(np.exp(shifted), axis))
    return shifted


def _top_entry(x: Array, axis: int) -> Array:
    """Mark the largest entry along an axis, the first one of several."""
    if not x.size:
        return np.isnan(x)
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    return np.reshape(np.arange(x.shape[axis], like=library(x)), shape) == np.expand_dims(np.argmax(x, axis=axis), axis)


def _log_one_minus_softmax_back(g: Array, y: Array, x: Array, axis: int = 0) -> Array:
    """x̄[j] = Σ_{k≠j} ȳ[k] A[k] A[j] / (1 - A[k]) - ȳ[j] A[j]; only for the largest A[k] may 1 - A[k] round to 0."""
    top, log_a = _top_entry(x, axis), log_softmax(x, axis=axis)
    a = np.exp(log_a)
    rest = np.where(top, 0.0, g * a / (1 - np.where(top, 0.0, a)))
    of_top = sum_keep(np.where(top, g * a, 0.0), axis) * np.exp(log_a - sum_keep(np.where(top, y, 0.0), axis))
    return a * (sum_keep(rest, axis) - rest - g) + np.where(top, 0.0, of_top)


@own(
    _log_one_minus_softmax_back,
    traits="mixes smooth real",
    used=axis_lines,
    words="log of 1 - softmax: to the others by their share, less its own probability",
    stands_for=(
        lambda x, axis: np.log(1 - softmax(x, axis=axis)),
        lambda x, axis: np.log1p(-softmax(x, axis=axis)),
    ),
)
def log_one_minus_softmax(x: Array, axis: int = 0) -> Array:
    """log(1 - A[k]): for the largest A[k], log of the sum of the others, each without leaving the logarithm."""
    top, log_a = _top_entry(x, axis), log_softmax(x, axis=axis)
    of_top = logsumexp(np.where(top, -np.inf, log_a), axis=axis, keepdims=True)
    return np.where(top, of_top, np.log1p(-np.exp(np.where(top, -1.0, log_a))))


# ----- of hyperbolic functions -----
@own(
    lambda g, y, x: g * exact_tanh(x),
    traits="elementwise smooth keeps_sign real",
    words="log cosh: times tanh(x)",
    stands_for=(lambda x: np.log(np.cosh(x)),),
)
def log_cosh(x: Array) -> Array:
    """log(cosh(x)) = |x| + log(1 + exp(-2 |x|)) - log 2, and log(1 + 2 sinh²(x / 2)) near 0."""
    size = abs(x)
    near = np.sinh(np.minimum(size, 1) / 2)
    return np.where(size < 1, np.log1p(2 * near * near), size + np.log1p(np.exp(-2 * size)) - math.log(2))


@own(
    lambda g, y, x: -2 * g * exact_tanh(x),
    traits="elementwise smooth real",
    words="log of 1 - tanh²: times -2 tanh(x)",
    stands_for=(
        lambda x: np.log(1 - np.square(np.tanh(x))),
        lambda x: np.log1p(-np.square(np.tanh(x))),
    ),
)
def log_one_minus_tanh_squared(x: Array) -> Array:
    """log(1 - tanh(x)²) = -2 log(cosh(x))."""
    return 0.0 - 2 * log_cosh(x)

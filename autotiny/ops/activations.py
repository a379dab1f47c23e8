"""Activations of neural networks, which NumPy lacks.

One example per column: the classes lie along axis 0, as in the textbook's Z2 = W2 A1 + b2. At a kink that joins a
constant the derivative is the constant's: 0 for relu at 0, and for the hard functions at both ends.
"""

import numpy as np

from autotiny.ops.array_functions import array_function
from autotiny.ops.reductions import axis_lines, max_keep, sum_keep
from autotiny.ops.table import Array, floats, is_complex, public

LEAKY = "the gradient passes where x > 0, and a small part of it elsewhere"


@public(
    lambda g, y, x: g * (x > 0),
    traits="elementwise kinked keeps_sign selects activation real",
    words="relu: the gradient passes where x > 0, and stops elsewhere",
)
def relu(x: Array) -> Array:
    """max(x, 0), entry by entry; its derivative is the mask 1[x > 0], so 0 at 0.

    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.maximum(x, 0.0)  # which costs less than 0


@public(
    lambda g, y, x, slope=0.01: np.where(x > 0, g, slope * g),
    traits="elementwise kinked keeps_sign selects activation real",
    words=LEAKY,
)
def leaky_relu(x: Array, slope: float = 0.01) -> Array:
    """x where x > 0, slope * x elsewhere; its derivative at 0 is slope.

    >>> leaky_relu(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    return np.where(x > 0, x, slope * x)


@public(
    lambda g, y, x, alpha=1.0: g * np.where(x > 0, 1.0, y + alpha),
    traits="elementwise kinked keeps_sign activation real",
    words=LEAKY,
)
def elu(x: Array, alpha: float = 1.0) -> Array:
    """x where x > 0, alpha (exp(x) - 1) elsewhere (Clevert, Unterthiner and Hochreiter, 2016).

    >>> elu(np.array([-1.0, 2.0])).round(3)
    array([-0.632,  2.   ])
    """
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@array_function
def selu(x: Array) -> Array:
    """λ elu(x, α), whose λ = 1.0507 and α = 1.6733 keep mean 0 and variance 1 (Klambauer et al., 2017, eq. 2).

    Its derivative at 0 is λ α, as elu's is α.

    >>> selu(np.array([-1.0, 2.0])).round(3)
    array([-1.111,  2.101])
    """
    return 1.0507009873554805 * elu(floats(x, "selu"), alpha=1.6732632423543772)


@public(
    lambda g, y, x, alpha=1.0: g * np.where(x > 0, 1.0, y / alpha + 1),
    traits="elementwise kinked keeps_sign activation real",
    words=LEAKY,
)
def celu(x: Array, alpha: float = 1.0) -> Array:
    """x where x > 0, alpha (exp(x / alpha) - 1) elsewhere, whose derivative at 0 is 1 for every alpha (Barron, 2017).

    >>> celu(np.array([-1.0, 2.0]), alpha=2).round(3)
    array([-0.787,  2.   ])
    """
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


@public(
    lambda g, y, x: g * (abs(x) < 1),
    traits="elementwise kinked keeps_sign selects activation real",
    words="hard tanh: the gradient passes where |x| < 1, and stops elsewhere",
)
def hard_tanh(x: Array) -> Array:
    """min(max(x, -1), 1), whose derivative is the mask 1[|x| < 1], so 0 at -1 and 1 (Collobert, 2004).

    >>> hard_tanh(np.array([-3.0, 0.5, 3.0]))
    array([-1. ,  0.5,  1. ])
    """
    return np.minimum(np.maximum(x, -1), 1)


@public(
    lambda g, y, x: g / 6 * (abs(x) < 3),
    traits="elementwise kinked keeps_sign selects activation real",
    words="hard sigmoid: a sixth of the gradient passes where |x| < 3, and it stops elsewhere",
)
def hard_sigmoid(x: Array) -> Array:
    """min(max(x + 3, 0), 6) / 6, whose derivative at -3 and 3 is 0 (Howard et al., 2019, section 5.2).

    >>> hard_sigmoid(np.array([-4.0, 0.0, 1.5, 4.0]))
    array([0.  , 0.5 , 0.75, 1.  ])
    """
    return np.minimum(np.maximum(x + 3, 0), 6) / 6


@public(
    lambda g, y, x: g / (1 + abs(x)) / (1 + abs(x)),
    traits="elementwise smooth keeps_sign activation real",
    words="softsign: over (1 + |x|)²",
)
def softsign(x: Array) -> Array:
    """x / (1 + |x|), whose derivative is 1 / (1 + |x|)² (Glorot and Bengio, 2010).

    >>> softsign(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 ,  0.  ,  0.75])
    """
    largest = np.finfo(x.dtype).max
    x = np.clip(x, -largest, largest)  # inf / inf is nan
    return x / (1 + abs(x))


@public(
    lambda g, y, x: g * y * (1 - y),
    traits="elementwise smooth positive activation",
    words="sigmoid: times σ (1 - σ)",
    fast_form=lambda x: np.exp(x) / (1 + np.exp(x)),
)
def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + exp(-x)), without overflow; dσ/dx = σ (1 - σ).

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    if is_complex(x):
        right = np.real(x) >= 0
        e = np.exp(np.where(right, -x, x))
        return np.where(right, 1, e) / (1 + e)
    e = np.exp(-abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


@array_function
def silu(x: Array) -> Array:
    """x σ(x), also known as swish (Elfwing, Uchibe and Doya, 2018).

    >>> silu(np.array([0.0, 1.0])).round(3)
    array([0.   , 0.731])
    """
    x = floats(x, "silu")
    return x * sigmoid(x)


@array_function
def gelu(x: Array) -> Array:
    """x Φ(x), by the approximation 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks and Gimpel, 2016, section 2).

    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(3)
    array([-0.159,  0.   ,  0.841])
    """
    x = floats(x, "gelu")
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


@public(
    lambda g, y, x, axis=0: y * (g - sum_keep(y * g, axis)),
    traits="mixes analytic positive",
    used=axis_lines,
    words="softmax: less its mean, weighted by the probabilities",
)
def softmax(x: Array, axis: int = 0) -> Array:
    """A[k] = exp(x[k]) / sum(exp(x)) along an axis, without overflow.

    dA[k]/dx[j] = A[k] (1[k = j] - A[j]). Its logarithm has a stable form, log_softmax, so that
    `-sum(Y * log(softmax(Z)))` is exact where A underflows.

    >>> softmax(np.array([800.0, 800.0]))
    array([0.5, 0.5])
    """
    e = np.exp(x - max_keep(x, axis))
    e /= sum_keep(e, axis)
    return e

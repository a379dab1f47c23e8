"""Rows that only programs need: forms that neither overflow nor underflow where what was written does.

A derivation reads better without them.
"""

import numpy as np

from autotiny.algebra.rewrites import Row
from autotiny.ops.activations import log_softmax, logsumexp, sigmoid, softmax

# fmt: off
STABLE = (
    Row("exp(x) / (1 + exp(x)) is the sigmoid",
        lambda x: np.exp(x) / (1 + np.exp(x)),      lambda x: sigmoid(x),           stable=True),
    Row("logarithm of softmax",
        lambda x: np.log(softmax(x)),               lambda x: log_softmax(x),
        lambda x: np.ndim(x) > 0, stable=True),
    Row("logarithm of softmax",
        lambda x, axis: np.log(softmax(x, axis=axis)),
        lambda x, axis: log_softmax(x, axis=axis),
        lambda x, axis: isinstance(axis, int), stable=True),
    Row("logarithm of a sum of exponentials",
        lambda x, axis: np.log(np.sum(np.exp(x), axis=axis, keepdims=True)),
        lambda x, axis: logsumexp(x, axis=axis, keepdims=True), stable=True),
    Row("logarithm of a sum of exponentials",
        lambda x: np.log(np.sum(np.exp(x))),        lambda x: logsumexp(x),
        lambda x: np.ndim(x) > 0, stable=True),
    Row("log(1 + exp(x)) is softplus",
        lambda x: np.log(1 + np.exp(x)),            lambda x: np.logaddexp(x, 0),   stable=True),
)
# fmt: on

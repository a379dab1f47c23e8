"""The table of rewrites for programs alone: stable forms, and shorter operations."""

from typing import Any

import numpy as np

from autotiny.algebra.equation import Equation, as_written
from autotiny.algebra.term import Term
from autotiny.ops.activations import sigmoid
from autotiny.ops.matmul import vdot

Array = Any


# ----- side conditions -----
def is_float(x: Array) -> bool:
    """Whether x has a floating-point type."""
    return np.asarray(x.prototype if isinstance(x, Term) else x).dtype.kind == "f"


def is_array(x: Array) -> bool:
    """Whether x is an array, possibly without axes, rather than a number."""
    return isinstance(x.prototype if isinstance(x, Term) else x, np.ndarray)


def less_maximum(x: Array, axis: Any) -> Array:
    """x - max(x), along axes: exp of it lies in [0, 1], and sums to 1 at least."""
    return x - np.max(x, axis=axis, keepdims=True)


def sum_of_exponentials(x: Array, axis: Any) -> Array:
    """The sum of exp(x - max(x)) along axes."""
    return np.sum(np.exp(less_maximum(x, axis)), axis=axis, keepdims=True)


LONGEST_SUM = 1024
"""The largest number of entries of a dot product in single precision; NumPy's pairwise sum is more accurate beyond."""


def can_be_dotted(a: Array, b: Array) -> bool:
    """Whether their dot product is as accurate as the sum of the entries of a * b."""
    if np.ndim(a) == 0 or np.shape(a) != np.shape(b) or a.dtype != b.dtype:
        return False
    return a.dtype == np.float64 or (a.dtype == np.float32 and a.size <= LONGEST_SUM)


# fmt: off
STABLE = (
    Equation("exp(x) / (1 + exp(x)) is the sigmoid",
        lambda x: np.exp(x) / (1 + np.exp(x)),      lambda x: sigmoid(x),           stable=True),
)
"""Quotients of exponentials, for programs: stable beside those of `autotiny.ops.stable_forms`, which rows state.

A derivation reads better without them.
"""

VECTORS = as_written(
    Equation("a matrix times a column is a matrix times a vector",
        lambda a, v, s: a @ np.reshape(v, s),       lambda a, v, s: np.reshape(a @ v, (-1, 1)),
        lambda a, v, s: np.ndim(a) == 2 and np.ndim(v) == 1 and s == (*np.shape(v), 1), exact=True,
        among="vector"),
    Equation("a row times a matrix is a vector times a matrix",
        lambda a, v, s: np.reshape(v, s) @ a,       lambda a, v, s: np.reshape(v @ a, (1, -1)),
        lambda a, v, s: np.ndim(a) == 2 and np.ndim(v) == 1 and s == (1, *np.shape(v)), exact=True,
        among="vector"),
    Equation("x Aᵀ is A x",
        lambda a, v: v @ np.transpose(a),           lambda a, v: a @ v,
        lambda a, v: np.ndim(v) == 1 and np.ndim(a) == 2, exact=True, among="vector"),
    Equation("x A is Aᵀ x",
        lambda a, v: v @ a,                         lambda a, v: np.transpose(a) @ v,
        lambda a, v: np.ndim(v) == 1 and np.ndim(a) == 2, exact=True, among="vector"),
    Equation("transpose of a transpose",
        lambda a: np.transpose(np.transpose(a)),    lambda a: a,                                        exact=True),
)
"""Rows for products with vectors and for transposes, which the normal form of a formula has built in."""

PROGRAMS = as_written(
    Equation("x to the power of 0 is 1",
        lambda x: x ** 0,                           lambda x: 1,            is_float,       exact=True),
    Equation("a power is a product",
        lambda x: x ** 1,                           lambda x: x,            is_float,       exact=True),
    Equation("a power is a product",
        lambda x: x ** 2,                           lambda x: x * x,        is_float,       exact=True),
    Equation("a power is a product",
        lambda x: x ** 3,                           lambda x: x * x * x,    is_float,       exact=True),
    Equation("a square is a product",
        lambda x: np.square(x),                     lambda x: x * x,                        exact=True),
    Equation("1 x is x",
        lambda x: 1 * x,                            lambda x: x,                            exact=True),
    Equation("1 x is x",
        lambda x: x * 1,                            lambda x: x,                            exact=True),
    Equation("x / 1 is x",
        lambda x: x / 1,                            lambda x: x,                            exact=True),
    Equation("exponential of the logarithm of a softmax",
        lambda x, axis: np.exp(less_maximum(x, axis) - np.log(sum_of_exponentials(x, axis))),
        lambda x, axis: np.exp(less_maximum(x, axis)) / sum_of_exponentials(x, axis),   exact=True),
    Equation("a sum of products is a dot product",
        lambda a, b: np.sum(a * b),                 lambda a, b: vdot(a, b),
        can_be_dotted, exact=True),
    Equation("no other shape",
        lambda x, shape: np.reshape(x, shape),      lambda x, shape: x,
        lambda x, shape: np.shape(x) == shape, exact=True),
    Equation("no other shape",
        lambda x, shape: np.broadcast_to(x, shape), lambda x, shape: x,
        lambda x, shape: np.shape(x) == shape, exact=True),
    Equation("no other shape",
        lambda x: np.ravel(x),                      lambda x: x,
        lambda x: np.ndim(x) == 1, exact=True),
    Equation("axes swapped twice",
        lambda x, first, second: np.swapaxes(np.swapaxes(x, first, second), first, second),
        lambda x, first, second: x, exact=True),
    Equation("results are new arrays anyway",
        lambda x: np.copy(x),                       lambda x: x,            is_array,       exact=True),
    Equation("+x is x",
        lambda x: np.positive(x),                   lambda x: x,                            exact=True),
)
"""Rows for single operations of a program, matched operation by operation."""
# fmt: on

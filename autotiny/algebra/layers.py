"""Rows for the layers of networks: masks, slopes of activations, softmax, normalisation, attention."""

import math
from typing import Any

import numpy as np

from autotiny.algebra.conditions import across, constant_along, copies, scalar
from autotiny.algebra.equation import Equation, measure
from autotiny.algebra.normal import ONE, number, times
from autotiny.algebra.normalise import normalise
from autotiny.algebra.term import Term, apply, plain
from autotiny.ops.activations import relu, softmax
from autotiny.ops.plain import NEGATION
from autotiny.ops.reductions import euclidean

Array = Any

MIRROR = {
    np.greater: np.less, np.less: np.greater, np.greater_equal: np.less_equal, np.less_equal: np.greater_equal,
}  # fmt: skip
"""The comparison of -x and -y that says what this one says of x and y."""
EITHER_WAY = {f: NEGATION[f] for f in (np.greater, np.less, np.not_equal)}
"""Comparisons of one branch, and those of the other branch."""


# ----- side conditions -----
def in_order(a: Array, b: Array) -> bool:
    """Whether a and b are numbers, of which a is the smaller one."""
    first, second = (number(x) if isinstance(x, Term) else x if np.ndim(x) == 0 else None for x in (a, b))
    return first is not None and second is not None and bool(first < second)


def has_no_sign(x: Array) -> bool:
    """Whether a formula is smaller than its negative."""
    return not isinstance(x, Term) or measure(x) < measure(normalise(times(-ONE, x)))


def has_shape_of(x: Array, y: Array) -> bool:
    """Whether x and y together have the shape of x."""
    return np.broadcast_shapes(np.shape(x), np.shape(y)) == np.shape(x)


def is_share(n: Array, x: Array, axis: Any) -> bool:
    """Whether n is the number 1 over that of the entries that a sum adds up."""
    value = number(n) if isinstance(n, Term) else n if np.ndim(n) == 0 else None
    return value is not None and np.ndim(x) > 0 and share_of(float(value), x, axis)


def share_of(value: float, x: Array, axis: Any) -> bool:
    """Whether a value is 1 over the number of entries of x along an axis, or of all."""
    along = tuple(range(np.ndim(x))) if axis is None else axis
    return math.isclose(value * copies(x, np.shape(x), along), 1, rel_tol=1e-14)


def standard_deviation(x: Array, **options: Any) -> Array:
    """Return the standard deviation: of a formula, a formula without a gradient."""
    return apply(plain(np.std), (x,), options) if isinstance(x, Term) else np.std(x, **options)


def kept_axes(kept: bool) -> dict[str, bool]:
    """Return the option of a reduction that keeps its axes, if it does."""
    return {"keepdims": True} if kept else {}


def variance(x: Array, **options: Any) -> Array:
    """Return the variance: of a formula, a formula without a gradient."""
    return apply(plain(np.var), (x,), options) if isinstance(x, Term) else np.var(x, **options)


# fmt: off
MASKS = (
    *(Equation("a sign turns a comparison round",
        lambda x, *, f=f: f(-x, 0),                    lambda x, *, f=f: MIRROR[f](x, 0),
        has_no_sign, rest=("x",)) for f in MIRROR),
    Equation("relu(x) is 0 where its mask is",
        lambda x: np.maximum(x, 0) * (x > 0),       lambda x: np.maximum(x, 0)),
    Equation("relu(x) is 0 where its mask is",
        lambda x: np.maximum(0, x) * (x > 0),       lambda x: np.maximum(0, x)),
    Equation("relu(x) is 0 where its mask is",
        lambda x: relu(x) * (x > 0),                lambda x: relu(x)),
    Equation("min(x, 0) is 0 where its mask is",
        lambda x: np.minimum(x, 0) * (x < 0),       lambda x: np.minimum(x, 0)),
    Equation("min(x, 0) is 0 where its mask is",
        lambda x: np.minimum(0, x) * (x < 0),       lambda x: np.minimum(0, x)),
    Equation("max(x, a) < b is x < b, for a < b",
        lambda x, a, b: np.maximum(x, a) < b,       lambda x, a, b: x < b,
        lambda x, a, b: in_order(a, b)),
    Equation("max(x, a) < b is x < b, for a < b",
        lambda x, a, b: np.maximum(a, x) < b,       lambda x, a, b: x < b,
        lambda x, a, b: in_order(a, b)),
    Equation("min(x, b) > a is x > a, for a < b",
        lambda x, a, b: np.minimum(x, b) > a,       lambda x, a, b: x > a,
        lambda x, a, b: in_order(a, b)),
    Equation("min(x, b) > a is x > a, for a < b",
        lambda x, a, b: np.minimum(b, x) > a,       lambda x, a, b: x > a,
        lambda x, a, b: in_order(a, b)),
    Equation("one of two branches",
        lambda mask, a, b: b * (1 - mask) + a * mask,  lambda mask, a, b: np.where(mask, a, b),
        rest=("a", "b")),
    *(Equation("one of two branches",
        lambda x, y, a, b, *, f=f, g=g: a * f(x, y) + b * g(x, y),  lambda x, y, a, b, *, f=f: np.where(f(x, y), a, b),
        rest=("a", "b")) for f, g in EITHER_WAY.items()),
    *(Equation("1 less a mask is the mask of the opposite",
        lambda x, y, *, f=f: 1 - f(x, y),              lambda x, y, *, f=f: NEGATION[f](x, y)) for f in NEGATION),
)

SOFTMAX = (
    Equation("a shift does not change a softmax",
        lambda x, c: softmax(c + x),                lambda x, c: softmax(x),
        lambda x, c: constant_along(c, 0, x), rest=("x",)),
    Equation("a shift does not change a softmax",
        lambda x, c, axis: softmax(c + x, axis=axis),  lambda x, c, axis: softmax(x, axis=axis),
        lambda x, c, axis: constant_along(c, axis, x), rest=("x",)),
    Equation("what a softmax passes back sums to 0",
        lambda a, g, axis: np.sum(a * (g - np.sum(a * g, axis=axis, keepdims=True)), axis=axis, keepdims=True),
        lambda a, g, axis: np.sum(a * g, axis=axis, keepdims=True) * (1 - np.sum(a, axis=axis, keepdims=True)),
        lambda a, g, axis: has_shape_of(a, g), rest=("g",)),
)

DEVIATIONS = (
    *(Equation("the length of the deviations is √n times the standard deviation",
        lambda x, share, axis, *, kept=kept: euclidean(
            x - share * np.sum(x, axis=axis, keepdims=True), axis=axis, keepdims=kept),
        lambda x, share, axis, *, kept=kept: standard_deviation(x, axis=axis, **kept_axes(kept)) * np.sqrt(1 / share),
        lambda x, share, axis: is_share(share, x, axis), rest=("x", "share")) for kept in (False, True)),
    Equation("the length of the deviations is √n times the standard deviation",
        lambda x, share: euclidean(x - share * np.sum(x), axis=None, keepdims=False),
        lambda x, share: standard_deviation(x) * np.sqrt(1 / share),
        lambda x, share: is_share(share, x, None), rest=("x", "share")),
    Equation("squared deviations add up to n times the variance",
        lambda x, share, axis: np.sum(
            (x - share * np.sum(x, axis=axis, keepdims=True)) ** 2, axis=axis, keepdims=True),
        lambda x, share, axis: variance(x, axis=axis, keepdims=True) * (1 / share),
        lambda x, share, axis: is_share(share, x, axis), rest=("x", "share")),
    Equation("squared deviations add up to n times the variance",
        lambda x, share: np.sum((x - share * np.sum(x)) ** 2),  lambda x, share: variance(x) * (1 / share),
        lambda x, share: is_share(share, x, None), rest=("x", "share")),
)

MEANS = (
    Equation("deviations from the mean add up to 0",
        lambda x, n, axis: np.sum(x - n * np.sum(x, axis=axis, keepdims=True), axis=axis, keepdims=True),
        lambda x, n, axis: np.sum(x, axis=axis, keepdims=True) * (1 - copies(x, np.shape(x), axis) * n),
        lambda x, n, axis: constant_along(n, axis, x) and has_shape_of(x, n), rest=("x", "n")),
    Equation("deviations from the mean add up to 0",
        lambda x, n: np.sum(x - n * np.sum(x)),     lambda x, n: np.sum(x) * (1 - np.size(x) * n),
        lambda x, n: scalar(n) and not scalar(x), rest=("x", "n")),
    Equation("x · Aᵀ (b / (A x)) is the sum of b",
        lambda a, x, b: np.sum(x * (np.transpose(a) @ (b / (a @ x)))),  lambda a, x, b: np.sum(across(b, a @ x)),
        lambda a, x, b: np.ndim(x) == 1 and np.ndim(a) == 2 and has_shape_of(a @ x, b), rest=("b",)),
)

LAYERS: tuple[Equation, ...] = (*MASKS, *SOFTMAX, *DEVIATIONS, *MEANS)
# fmt: on

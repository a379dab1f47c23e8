"""The table of rewrites for derivations and programs, in groups; `programs` has those for programs alone.

Every row makes a formula smaller by `measure`, unless it is marked `expands`, so that rewriting terminates.
"""

import math

import numpy as np

from autotiny.algebra.conditions import (
    across,
    can_multiply,
    constant_along,
    copies,
    is_identity,
    matrices,
    matrices_or_scalars,
    scalar,
    uniform,
)
from autotiny.algebra.equation import Equation
from autotiny.algebra.identities import IDENTITIES
from autotiny.algebra.layers import LAYERS
from autotiny.algebra.matrices import MATRICES
from autotiny.ops.activations import softmax
from autotiny.ops.linalg import cofactors
from autotiny.ops.logarithms import log_softmax, logsumexp

# fmt: off
ROWS = (
    # ----- rows whose sides differ where the left side divides by 0, overflows or multiplies 0 by inf -----
    Equation("a factor above and below cancels",
        lambda x: x / x,                            lambda x: 1,                    divides=("x",)),
    Equation("quotient of exponentials is softmax",
        lambda x, axis: np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True),
        lambda x, axis: softmax(x, axis=axis),
        lambda x, axis: isinstance(axis, int), stable=True),
    Equation("quotient of exponentials is softmax",
        lambda x: np.exp(x) / np.sum(np.exp(x)),    lambda x: softmax(x, axis=0),
        lambda x: np.ndim(x) == 1, stable=True),
    Equation("exponential of log_softmax is softmax",
        lambda x: np.exp(log_softmax(x)),           lambda x: softmax(x),                               exact=True),
    Equation("exponential of log_softmax is softmax",
        lambda x, axis: np.exp(log_softmax(x, axis=axis)),  lambda x, axis: softmax(x, axis=axis),      exact=True),
    Equation("exponential less its log-sum-exp is softmax",
        lambda x: np.exp(x - logsumexp(x)),         lambda x: softmax(x, axis=0),
        lambda x: np.ndim(x) == 1),
    Equation("softmax sums to 1",
        lambda x: np.sum(softmax(x)),               lambda x: 1,
        lambda x: np.ndim(x) == 1),
    Equation("softmax sums to 1",
        lambda x, axis: np.sum(softmax(x, axis=axis), axis=axis, keepdims=True),  lambda x, axis: 1),
    Equation("softmax sums to 1",
        lambda x: np.sum(softmax(x), axis=0, keepdims=True),  lambda x: 1),
    *IDENTITIES,
    Equation("cofactors over the determinant are the inverse, transposed",
        lambda x: cofactors(x) / np.linalg.det(x),  lambda x: np.transpose(np.linalg.inv(x))),
    Equation("where with 0 is a product with the mask",
        lambda mask, x: np.where(mask, x, 0),       lambda mask, x: x * mask),
    Equation("where with 0 is a product with the mask",
        lambda mask, x: np.where(mask, 0, x),       lambda mask, x: x * (1 - mask)),
    Equation("common factor of both branches",
        lambda mask, f, a, b: np.where(mask, f * a, f * b),
        lambda mask, f, a, b: f * np.where(mask, a, b),
        rest=("a", "b")),
    Equation("multiply out, and a factor cancels",
        lambda f, a, b: f * (a / f + b),            lambda f, a, b: a + f * b,
        rest=("a", "b"), divides=("f",)),
    Equation("multiply out, and a factor cancels",
        lambda f, a, b: (a * f + b) / f,            lambda f, a, b: a + b / f,
        rest=("a", "b"), divides=("f",)),

    # ----- rows whose sides are equal up to rounding, unless something overflows -----
    Equation("transpose of a product",
        lambda a, b: np.transpose(a @ b),           lambda a, b: b.T @ a.T,
        matrices, exact=True),
    Equation("transpose factor by factor",
        lambda a, b: np.transpose(a * b),           lambda a, b: np.transpose(a) * np.transpose(b),
        matrices_or_scalars, rest=("b",), moderate=True),
    Equation("transpose term by term",
        lambda a, b: np.transpose(a + b),           lambda a, b: np.transpose(a) + np.transpose(b),
        matrices, rest=("b",), moderate=True),
    Equation("product with the identity",
        lambda i, a: i @ a,                         lambda i, a: a,     lambda i, a: is_identity(i),    moderate=True,
        among="constant"),
    Equation("product with the identity",
        lambda a, i: a @ i,                         lambda a, i: a,     lambda a, i: is_identity(i),    moderate=True,
        among="constant"),
    Equation("a number moves out of a matrix product",
        lambda c, a, b: (c * a) @ b,                lambda c, a, b: c * (a @ b),
        lambda c, a, b: scalar(c) and not scalar(a) and can_multiply(a, b), rest=("a",), moderate=True,
        among="number"),
    Equation("a number moves out of a matrix product",
        lambda a, c, b: a @ (c * b),                lambda a, c, b: c * (a @ b),
        lambda a, c, b: scalar(c) and not scalar(b) and can_multiply(a, b), rest=("b",), moderate=True,
        among="number"),
    Equation("equal columns times a matrix add up its rows",
        lambda x, shape, b: np.broadcast_to(x, shape) @ b,
        lambda x, shape, b: np.broadcast_to(x, (shape[0], 1)) * np.sum(b, axis=0, keepdims=True),
        lambda x, shape, b: len(shape) == 2 and np.ndim(b) == 2 and constant_along(x, 1, np.empty(shape)),
        moderate=True, among="broadcast"),
    Equation("a matrix times equal rows adds up its columns",
        lambda a, x, shape: a @ np.broadcast_to(x, shape),
        lambda a, x, shape: np.sum(a, axis=1, keepdims=True) * np.broadcast_to(x, (1, shape[1])),
        lambda a, x, shape: len(shape) == 2 and np.ndim(a) == 2 and constant_along(x, 0, np.empty(shape)),
        moderate=True, among="broadcast"),
    Equation("equal columns times a matrix add up its rows",
        lambda c, b: c @ b,                         lambda c, b: c[:, :1] * np.sum(b, axis=0, keepdims=True),
        lambda c, b: matrices(c, b) and uniform(c), moderate=True, among="constant"),
    Equation("a matrix times equal rows adds up its columns",
        lambda a, c: a @ c,                         lambda a, c: np.sum(a, axis=1, keepdims=True) * c[:1],
        lambda a, c: matrices(a, c) and uniform(c), moderate=True, among="constant"),
    Equation("sum of n equal terms",
        lambda x, shape, axis: np.sum(np.broadcast_to(x, shape), axis=axis, keepdims=True),
        lambda x, shape, axis: copies(x, shape, axis) * x,
        lambda x, shape, axis: constant_along(x, axis, np.empty(shape)) and copies(x, shape, axis) > 0, exact=True),
    Equation("sum of n equal terms",
        lambda x, shape: np.sum(np.broadcast_to(x, shape)),
        lambda x, shape: math.prod(shape) // max(np.size(x), 1) * np.sum(x),
        lambda x, shape: math.prod(shape) > 0, moderate=True),
    Equation("constant factor moves out of the sum",
        lambda c, x, axis: np.sum(c * x, axis=axis, keepdims=True),
        lambda c, x, axis: c * np.sum(x, axis=axis, keepdims=True),
        lambda c, x, axis: constant_along(c, axis, x), rest=("x",), moderate=True, among="broadcast"),
    Equation("constant factor moves out of the sum",
        lambda c, x: np.sum(c * x),                 lambda c, x: c * np.sum(x),
        lambda c, x: scalar(c) and not scalar(x), rest=("x",), moderate=True, among="number"),
    Equation("a mask is 0 or 1, so its square is itself",
        lambda mask: mask ** 2,                     lambda mask: mask,          moderate=True,
        among="square of a mask"),

    Equation("common matrix factor",
        lambda a, b, x: a @ x + b @ x,              lambda a, b, x: (a + b) @ x,
        lambda a, b, x: np.shape(a) == np.shape(b), moderate=True),
    Equation("common matrix factor",
        lambda a, b, x: x @ a + x @ b,              lambda a, b, x: x @ (a + b),
        lambda a, b, x: np.shape(a) == np.shape(b), moderate=True),
    Equation("common factor",
        lambda f, a, b: f * a + f * b,              lambda f, a, b: f * (a + b),
        rest=("a", "b"), moderate=True),

    *LAYERS,
    *MATRICES,
)

EXPANSIONS = (
    Equation("multiply out",
        lambda f, a, b: f * (a + b),                lambda f, a, b: f * a + f * b,
        rest=("b",), expands=True),
    Equation("sum term by term",
        lambda a, b, axis: np.sum(a + b, axis=axis, keepdims=True),
        lambda a, b, axis: np.sum(across(a, b), axis=axis, keepdims=True)
        + np.sum(across(b, a), axis=axis, keepdims=True),
        rest=("b",), expands=True),
    Equation("sum term by term",
        lambda a, b: np.sum(a + b),                 lambda a, b: np.sum(across(a, b)) + np.sum(across(b, a)),
        rest=("b",), expands=True),
)
"""Rows that make a formula longer, so that terms cancel afterwards."""
# fmt: on

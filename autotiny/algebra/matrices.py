"""Rows for vectors and matrices: outer products, inverses, determinants, traces."""

from typing import Any

import numpy as np

from autotiny.algebra.contractions import contraction, is_contraction
from autotiny.algebra.equation import Equation

Array = Any


def weighs(v: Array, a: Array, axis: int) -> bool:
    """Whether v is a vector with a number for each line of a matrix along an axis, and the matrix has several."""
    return np.ndim(a) == 2 and 1 not in np.shape(a) and np.shape(v) == (np.shape(a)[axis],)


def gets_axes(x: Array, shape: tuple[int, ...]) -> bool:
    """Whether a shape differs from that of an array by axes of length 1 that the array has not."""
    return tuple(n for n in shape if n > 1) == np.shape(x)


def square(*parts: Array) -> bool:
    """Whether each is a square matrix."""
    return all(np.ndim(x) == 2 and np.shape(x)[0] == np.shape(x)[1] for x in parts)


# fmt: off
MATRICES: tuple[Equation, ...] = (
    Equation("a weighted sum of columns is a matrix times a vector",
        lambda a, v: np.sum(a * v, axis=1, keepdims=True),
        lambda a, v: np.reshape(a @ v, (-1, 1)),
        lambda a, v: weighs(v, a, 1)),
    Equation("a weighted sum of rows is a transposed matrix times a vector",
        lambda a, v, s: np.sum(a * np.reshape(v, s), axis=0, keepdims=True),
        lambda a, v, s: np.reshape(np.transpose(a) @ v, (1, -1)),
        lambda a, v, s: weighs(v, a, 0) and s == (*np.shape(v), 1)),
    Equation("a sum of products over one index is a matrix product",
        lambda a, s, b, t, axis: np.sum(np.reshape(a, s) * np.reshape(b, t), axis=axis, keepdims=True),
        lambda a, s, b, t, axis: contraction(np.reshape(a, s), np.reshape(b, t), axis),
        lambda a, s, b, t, axis: gets_axes(a, s) and gets_axes(b, t)
        and is_contraction(np.reshape(a, s), np.reshape(b, t), axis)),
    Equation("a sum of products over one index is a matrix product",
        lambda a, s, b, axis: np.sum(np.reshape(a, s) * b, axis=axis, keepdims=True),
        lambda a, s, b, axis: contraction(np.reshape(a, s), b, axis),
        lambda a, s, b, axis: gets_axes(a, s) and 1 not in np.shape(b) and is_contraction(np.reshape(a, s), b, axis)),
    Equation("a matrix times its inverse is the identity",
        lambda a: a @ np.linalg.inv(a),             lambda a: np.eye(np.shape(a)[0]), square),
    Equation("a matrix times its inverse is the identity",
        lambda a: np.linalg.inv(a) @ a,             lambda a: np.eye(np.shape(a)[0]), square),
    Equation("a factor of an inverse cancels",
        lambda a, b: a @ np.linalg.inv(b @ a),      lambda a, b: np.linalg.inv(b), square),
    Equation("a factor of an inverse cancels",
        lambda a, b: np.linalg.inv(a @ b) @ a,      lambda a, b: np.linalg.inv(b), square),
    Equation("inverse of an inverse",
        lambda a: np.linalg.inv(np.linalg.inv(a)),  lambda a: a),
    Equation("sign(x) / |x| is 1 / x",
        lambda x: np.sign(x) / np.abs(x),           lambda x: 1 / x),
    Equation("determinant of an inverse",
        lambda a: np.linalg.det(np.linalg.inv(a)),  lambda a: 1 / np.linalg.det(a)),
)
# fmt: on

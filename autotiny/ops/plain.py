"""Functions whose result has no gradient: they are called on a Tensor's value and return plain values."""

import functools
from typing import Any

import numpy as np

from autotiny.ops.table import Function

PLAIN: set[Function] = set()
"""Functions whose result has no gradient."""


SHAPED_BY_VALUES: set[Function] = set()
"""Functions whose result is a count, or has a shape, that depends on values."""


def plain(*functions: Function) -> tuple[Function, ...]:
    """Enter functions without a gradient, and return them."""
    PLAIN.update(functions)
    return functions


def by_values(*functions: Function) -> None:
    """Enter functions without a gradient that give a count, or a shape, that depends on values."""
    SHAPED_BY_VALUES.update(plain(*functions))


# fmt: off
TRUTH_VALUES = plain(
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.isnan, np.isinf, np.isfinite, np.signbit)
"""Ufuncs that compare or test entries."""

plain(np.isneginf, np.isposinf, np.isclose, np.allclose, np.array_equal, np.array_equiv,
      np.all, np.any, np.isreal, np.iscomplex, np.isin)

by_values(np.argwhere, np.nonzero, np.flatnonzero)

plain(np.argmax, np.argmin, np.argsort, np.count_nonzero, np.searchsorted, np.nanargmax, np.nanargmin, np.digitize)

ABOUT_SHAPES = set(plain(
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.broadcast_shapes, np.iscomplexobj, np.isrealobj,
    np.isscalar, np.zeros_like, np.ones_like, np.empty_like, np.common_type, np.einsum_path,
    np.tril_indices_from, np.triu_indices_from, np.diag_indices_from, np.shares_memory, np.may_share_memory,
    np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.arange))  # by like=
"""Functions of shapes and types alone, not of values."""

plain(np.floor_divide)
plain(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift)
plain(np.array_repr, np.array_str, np.array2string, np.save, np.savez, np.savetxt)  # as text

SIZE = {np.size: lambda a, axis=None: a.size if axis is None else np.prod([a.shape[i] for i in np.atleast_1d(axis)])}
"""np.size of an array of another library, which NumPy would convert: all of it would be computed, or moved."""

NEGATION = {
    np.greater: np.less_equal, np.greater_equal: np.less, np.less: np.greater_equal, np.less_equal: np.greater,
    np.equal: np.not_equal, np.not_equal: np.equal,
}
"""The negation of each comparison."""
# fmt: on


def on_values(function: Function) -> Function:
    """Enter a function of the package without a gradient: on Tensors and formulas it is called on their values."""

    @functools.wraps(function)
    def dispatched(*args: Any, **options: Any) -> Any:
        call = next((call for arg in args if (call := getattr(type(arg), "__autotiny_call__", None))), None)
        return function(*args, **options) if call is None else call(dispatched, args, options)

    PLAIN.add(dispatched)
    return dispatched

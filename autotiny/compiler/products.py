"""Sums and spreads of small arrays as matrix products, which cost less to start than a reduction or a broadcast.

    sum(A, axis=1) = A 1        sum(A, axis=0) = 1ᵀ A        b + 0 = b 1ᵀ, spread over the columns

They are products with ones: exact but for the order of a sum, and nan stays in its row or column.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant
from autotiny.compiler.naming import Names
from autotiny.compiler.rewriting import VDOT, Kind, kind, rewrite, users, with_operands
from autotiny.compiler.shortcuts import LONGEST, made_by
from autotiny.ops import OPS

COPY = OPS[np.copy]
FULL = 2**16
"""Entries of an array up to which it is compared with an array rather than with a number, which NumPy is slow at."""
SMALL = 4096
"""Entries of an array that is spread: beyond, the array itself costs more than the start."""
FEW_ROWS = 3
"""So many rows are faster compared one by one than reduced."""


def as_products(outputs: Sequence[Term], names: Names) -> list[Term]:
    """The outputs, with products where they are faster."""
    summed = rewrite(outputs, sum_as_product, names)
    return rewrite(summed, spread_as_product, names)


def beside_each_other(outputs: Sequence[Term], names: Names) -> list[Term]:
    """The outputs, with a copy of each small argument that does not lie row by row, and is used more than once: NumPy
    takes longer over such an array each time than over the copy.
    """
    used = users(outputs)
    small = [x for x in used if x.name is not None and x.ndim > 1 and x.size <= SMALL]
    often = [x for x in small if sum(kind(user) is Kind.ELEMENTWISE or user.op is VDOT for user in used[x]) > 1]
    scattered = [x for x in often if not x.value.flags.c_contiguous]
    copies = {x: apply(COPY, (x,), {}) for x in scattered}

    def visit(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
        return with_operands(term, tuple([copies.get(arg, arg) for arg in args]), kwargs)

    return rewrite(outputs, visit, names) if copies else list(outputs)


@lru_cache(maxsize=64)
def ones(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """The array of ones of a shape, the same each time."""
    return np.ones(shape, dtype)


def sum_as_product(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """A sum over one axis of a matrix."""
    (x, *_), function = args, term.op and term.op.function
    axis = kwargs.get("axis")
    if is_short_total(term, args, kwargs):
        return apply(VDOT, (x, constant(ones(x.shape, x.dtype))), {})
    if not (x.ndim == 2 and x.dtype in (np.float32, np.float64) and x.size and function in (np.sum, np.max)):
        return with_operands(term, args, kwargs)
    if axis not in (0, 1, (0,), (1,), -1, (-1,)) or not kwargs.get("keepdims"):
        return with_operands(term, args, kwargs)
    (along,) = (axis,) if isinstance(axis, int) else axis
    if function is np.max:
        return largest_row(x) if along == 0 and 1 < len(x) <= FEW_ROWS else with_operands(term, args, kwargs)
    if x.shape[along] > LONGEST:
        return with_operands(term, args, kwargs)
    rows, columns = x.shape
    return constant(ones((1, rows), x.dtype)) @ x if along == 0 else x @ constant(ones((columns, 1), x.dtype))


def is_short_total(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether it sums all entries of a small array."""
    x = args[0]
    if not made_by(term, np.sum) or not x.ndim or x.dtype not in (np.float32, np.float64) or kwargs.get("keepdims"):
        return False
    return 0 < x.size <= LONGEST and kwargs.get("axis") in (None, *((0,) if x.ndim == 1 else ()))


def largest_row(x: Term) -> Any:
    """The maximum over few rows."""
    top: Any = x[0:1]
    for i in range(1, len(x)):
        top = np.maximum(top, x[i : i + 1])
    return top


def spread_as_product(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """A row or column beside a small matrix."""
    function = term.op and term.op.function
    if isinstance(function, np.ufunc) and function is not np.matmul and len(args) == 2:
        shape = np.broadcast_shapes(*(arg.shape for arg in args))
        if len(shape) == 2 and 1 not in shape and np.prod(shape) <= SMALL and any(arg.shape == shape for arg in args):
            args = tuple([spread(arg, shape) for arg in args])
        if function in (np.maximum, np.minimum) and 0 < math.prod(shape) <= FULL:
            args = compared_entry_by_entry(args, shape)
    return with_operands(term, args, kwargs)


def compared_entry_by_entry(args: tuple[Term, ...], shape: tuple[int, ...]) -> tuple[Term, ...]:
    """An array of floating-point numbers beside a number: beside an array that repeats it."""
    for x, other in (args, args[::-1]):
        if x.shape == shape != () and x.dtype.kind == "f" and other.is_constant and type(other.value) in (int, float):
            numbers = repeated(other.value, shape, x.dtype)
            return (x, numbers) if x is args[0] else (numbers, x)
    return args


@lru_cache(maxsize=64)
def repeated(value: float, shape: tuple[int, ...], dtype: Any) -> Any:
    """The array that holds one number everywhere, the same each time."""
    return constant(np.full(shape, value, dtype))


def spread(x: Term, shape: tuple[int, ...]) -> Any:
    """A row or column, repeated."""
    (rows, columns), dtype = shape, x.dtype
    if x.ndim != 2 or x.shape == shape or dtype not in (np.float32, np.float64):
        return x
    if x.is_constant:
        return constant(np.ascontiguousarray(np.broadcast_to(x.value, shape)))
    if made_by(x, np.log):
        return np.log(spread(x.args[0], shape))
    if x.shape == (rows, 1):
        return x @ constant(ones((1, columns), dtype))
    if made_by(x, np.matmul) and is_ones(x.args[0]) and x.shape == (1, columns):
        return constant(ones((rows, x.args[1].shape[0]), dtype)) @ x.args[1]
    return constant(ones((rows, 1), dtype)) @ x


def is_ones(x: Term) -> bool:
    """Whether it is one of our constants of ones."""
    return x.is_constant and isinstance(x.value, np.ndarray) and x.value is ones(x.shape, x.dtype)

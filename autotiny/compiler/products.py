"""Forms in which NumPy is fastest, such as sums and broadcasts of small arrays as matrix products, which start sooner.

    sum(A, axis=1) = A 1        sum(A, axis=0) = 1ᵀ A        b in every column of a matrix = b 1ᵀ

The products are with ones: exact but for the order of a sum, and nan stays in its row or column.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, topological_order, with_args
from autotiny.algebra.programs import LONGEST_SUM
from autotiny.algebra.term import plain
from autotiny.compiler.backend import Pass
from autotiny.compiler.naming import FormulaNames
from autotiny.compiler.rewriting import VDOT, TermKind, is_number, kind, made_by, rewrite, users
from autotiny.compiler.table import shorten
from autotiny.ops import OPS

COPY, GREATER, MULTIPLY = OPS[np.copy], plain(np.greater), OPS[np.multiply]
FULL = 2**16
"""Entries of an array up to which it is compared with another array: NumPy is slow at comparing with a number."""
SMALL = 4096
"""Entries up to which arrays are small: starting an operation takes longer than the work."""
SMALLEST = 1024
"""Entries up to which a product repeats a row or a column faster than a broadcast starts; in double precision alone."""
OFTEN = 16
"""Times up to which a product repeats sums: it is faster than a sum and a broadcast."""
FEW_ROWS = 3
"""Rows up to which comparing them one by one is faster than a reduction."""


def as_products(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """Return the outputs with products where these are faster."""
    return rewrite(outputs, lambda term: spread_as_product(sum_as_product(term)), names)


def masks_as_numbers(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """Return the outputs with masks converted before they are multiplied: NumPy is slow to do so on the way."""
    return rewrite(outputs, mask_as_numbers, names, {MULTIPLY})


def mask_as_numbers(term: Term) -> Any:
    """Convert the mask of a product."""
    for x, mask in (term.args, term.args[::-1]):
        if mask.dtype == bool and mask.ndim and x.dtype.kind == "f" and mask.shape == x.shape:
            return x * mask.astype(x.dtype)
    return term


def share_sign(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """1[x > 0] = 1[max(x, 0) > 0], if max(x, 0) is computed anyway: then x need not be kept."""
    order = topological_order(*outputs)
    there = {x.args[0]: x for x in order if made_by(x, np.maximum) and is_number(x.args[1], 0)}

    def visit(term: Term) -> Term:
        x, zero = term.args
        return with_args(term, (there[x], zero)) if is_number(zero, 0) and x in there else term

    return rewrite(outputs, visit, names, {GREATER}) if there else list(outputs)


def beside_each_other(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """Return the outputs with a contiguous copy of each small argument that is used more than once and not contiguous:
    NumPy takes longer over such an array each time than over the copy.
    """
    used = users(outputs)
    small = [x for x in used if x.name is not None and x.ndim > 1 and x.size <= SMALL]
    often = [x for x in small if sum(kind(user) is TermKind.ELEMENTWISE or user.op is VDOT for user in used[x]) > 1]
    scattered = [x for x in often if not x.value.flags.c_contiguous]
    copies = {x: apply(COPY, (x,), {}) for x in scattered}

    def visit(term: Term) -> Term:
        return with_args(term, tuple([copies.get(arg, arg) for arg in term.args]))

    return rewrite(outputs, visit, names) if copies else list(outputs)


@lru_cache(maxsize=64)
def ones(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return the array of ones of a shape, the same object each time."""
    return np.ones(shape, dtype)


def sum_as_product(term: Term) -> Any:
    """Write a sum over one axis of a matrix as a product."""
    function = term.op and term.op.function
    if function is not np.sum and function is not np.max:
        return term
    (x, *_), axis = term.args, term.kwargs.get("axis")
    if is_short_total(term):
        return apply(VDOT, (x, constant(ones(x.shape, x.dtype))), {})
    if not (x.ndim == 2 and x.dtype in (np.float32, np.float64) and x.size):
        return term
    if axis not in (0, 1, (0,), (1,), -1, (-1,)) or not term.kwargs.get("keepdims"):
        return term
    (along,) = (axis,) if isinstance(axis, int) else axis
    if function is np.max:
        return largest_row(x) if along == 0 and 1 < len(x) <= FEW_ROWS else term
    if x.shape[along] > LONGEST_SUM:
        return term
    rows, columns = x.shape
    return of_ones(1, rows, x.dtype) @ x if along == 0 else x @ of_ones(columns, 1, x.dtype)


def is_short_total(term: Term) -> bool:
    """Whether it sums all entries of a small array."""
    x, options = term.args[0], term.kwargs
    if not made_by(term, np.sum) or not x.ndim or x.dtype not in (np.float32, np.float64) or options.get("keepdims"):
        return False
    return 0 < x.size <= LONGEST_SUM and options.get("axis") in (None, *((0,) if x.ndim == 1 else ()))


def largest_row(x: Term) -> Any:
    """Return the maximum over few rows."""
    top: Any = x[0:1]
    for i in range(1, len(x)):
        top = np.maximum(top, x[i : i + 1])
    return top


def spread_as_product(term: Term) -> Term:
    """Repeat a row or column that meets a small matrix; compare with a number entry by entry."""
    function, args, shape = term.op and term.op.function, term.args, term.shape
    if len(args) != 2 or not isinstance(function, np.ufunc) or function.signature is not None:
        return term
    if len(shape) == 2 and term.size <= SMALL and any(arg.shape == shape for arg in args):
        args = tuple([repeated(arg, shape) for arg in args])
    if function in (np.maximum, np.minimum) and 0 < term.size <= FULL:
        args = compared_entry_by_entry(args, shape)
    return with_args(term, args)


def compared_entry_by_entry(args: tuple[Term, ...], shape: tuple[int, ...]) -> tuple[Term, ...]:
    """Return the operands of a comparison with a number as a comparison with an array that repeats it."""
    for x, other in (args, args[::-1]):
        if x.shape == shape != () and x.dtype.kind == "f" and other.is_constant and type(other.value) in (int, float):
            numbers = filled(other.value, shape, x.dtype)
            return (x, numbers) if x is args[0] else (numbers, x)
    return args


@lru_cache(maxsize=64)
def filled(value: float, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return the array of equal entries, the same object each time."""
    return constant(np.full(shape, value, dtype))


def repeated(x: Term, shape: tuple[int, int]) -> Any:
    """Return a row or a column as a matrix of this shape that repeats it, where a product with ones is fast at that."""
    rows, columns = shape
    if x.shape not in ((1, columns), (rows, 1)) or x.shape == shape or x.dtype not in (np.float32, np.float64):
        return x
    along = x.shape.index(1)
    if made_by(x, np.matmul) and is_ones(x.args[along]):  # sums, which are a product with ones
        if shape[along] > OFTEN:
            return x
        a, b = x.args
        return of_ones(rows, len(b), x.dtype) @ b if along == 0 else a @ of_ones(len(b), columns, x.dtype)
    if x.dtype != np.float64 or rows * columns > SMALLEST or x.is_constant:
        return x
    return of_ones(rows, 1, x.dtype) @ x if along == 0 else x @ of_ones(1, columns, x.dtype)


def of_ones(rows: int, columns: int, dtype: Any) -> Term:
    """Return a matrix of ones."""
    return constant(ones((rows, columns), dtype))


def is_ones(x: Term) -> bool:
    """Whether it is one of the constants that `ones` returns."""
    return x.is_constant and isinstance(x.prototype, np.ndarray) and x.value is ones(x.shape, x.dtype)


FORMS_FOR_NUMPY: tuple[Pass, ...] = (shorten, masks_as_numbers, share_sign, beside_each_other, as_products)
"""The passes for programs of NumPy calls, in this order."""

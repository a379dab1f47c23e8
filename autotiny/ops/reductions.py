"""Operations that reduce axes, and their running forms.

Kinks: the entries that tie for a maximum or minimum share its gradient equally; the gradient of a norm at 0 is 0, and
so is that of the standard deviation of equal values.
"""

import functools
import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autotiny.ops.elementwise import at_zero, squares
from autotiny.ops.table import (
    Array,
    Function,
    compose,
    conj,
    define,
    everywhere,
    is_complex,
    is_computed_later,
    is_formula,
    library,
    own,
)

Axis = Any
_sum: Any = np.add.reduce
_max: Any = np.maximum.reduce


def reduced_axes(x: Array, axis: Axis) -> tuple[int, ...]:
    """Return the axes that are reduced: none of a number, for which NumPy's reductions take axis=0 and -1 too."""
    return tuple(range(x.ndim)) if axis is None or not x.ndim else tuple(normalize_axis_tuple(axis, x.ndim))


def kept_shape(x: Array, axis: Axis) -> tuple[int, ...]:
    """Return the shape of x with the reduced axes kept, of length 1."""
    reduced = reduced_axes(x, axis)
    return tuple(1 if i in reduced else n for i, n in enumerate(x.shape))


def broadcast_back(g: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """x̄[i] = ȳ for every entry i that went into the sum y."""
    if axis is None and type(x) is np.ndarray:  # faster than np.broadcast_to: every stride is 0
        return np.ndarray(x.shape, g.dtype, np.asarray(g), 0, (0,) * x.ndim)
    return np.broadcast_to(g if axis is None or keepdims else np.reshape(g, kept_shape(x, axis)), x.shape)


def in_lines(x: Array, axis: Axis) -> Array:
    """Return x with the axes that are reduced as its last one."""
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    moved = np.moveaxis(x, axes, tuple(range(x.ndim - len(axes), x.ndim)))
    return np.reshape(moved, (*moved.shape[: x.ndim - len(axes)], math.prod(x.shape[i] for i in axes)))


def sum_keep(x: Array, axis: Axis) -> Array:
    """sum(x) with the axes kept. Calls `np.add.reduce` directly; `ndarray.sum` costs twice as much on small arrays."""
    return _sum(x, axis, None, None, True) if type(x) is np.ndarray else x.sum(axis=axis, keepdims=True)


def max_keep(x: Array, axis: Axis) -> Array:
    """max(x) with the axes kept, by `np.maximum.reduce`, for the same reason; -inf of no entries."""
    if not x.size:
        return np.zeros(kept_shape(x, axis), x.dtype, like=library(x)) - np.inf
    return _max(x, axis, None, None, True) if type(x) is np.ndarray else x.max(axis=axis, keepdims=True)


def axis_lines(chosen: Array, x: Array, axis: Axis = 0) -> list[Array]:
    """Mark the lines of x along an axis that have a chosen entry."""
    return [np.broadcast_to(np.any(chosen, axis=axis, keepdims=True), x.shape)]


def count(x: Array, axis: Axis) -> int:
    """Return n, the number of entries of x that are reduced to one."""
    size: int = math.prod(x.shape)
    return size // max(math.prod(kept_shape(x, axis)), 1)


def argmax_gradient(g: Array, y: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """x̄[i] = ȳ 1[x[i] = y] / n, where n entries tie for the extreme y."""
    shape = kept_shape(x, axis)
    ties = x == np.reshape(y, shape)
    return np.reshape(g, shape) * (ties / np.sum(ties, axis=axis, keepdims=True)).astype(x.dtype)


def product_of_others(x: Array, axis: Axis) -> Array:
    """∂y/∂x[i] = x[0] ... x[i-1] x[i+1] ... x[n-1] for a product y; no division, so zeros are exact."""
    axes = reduced_axes(x, axis)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x, axes, last)
    rows = np.reshape(moved, (*moved.shape[: last[0]], math.prod(moved.shape[last[0] :]))) if last else x[None]
    one = np.ones_like(rows[..., :1])
    before = np.cumprod(np.concatenate([one, rows[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([one, np.flip(rows[..., 1:], axis=-1)], axis=-1), axis=-1)
    return np.moveaxis(np.reshape(before * np.flip(after, axis=-1), moved.shape), last, axes)


def unless_overflowed(g: Array, y: Array, x: Array) -> Array:
    """Return g, with nan for 0 where a product y of finite x has overflowed: that 0 may come of the overflow.

    A formula that is to be read leaves it out.
    """
    overflowed = np.isinf(y)
    if not overflowed.is_traced if is_formula(overflowed) else everywhere(np.logical_not(overflowed)):
        return g
    return np.where(np.logical_and(np.logical_and(overflowed, g == 0), np.all(np.isfinite(x))), np.nan, g)


def running_sum_back(g: Array, x: Array, axis: Axis) -> Array:
    """x̄[i] = ȳ[i] + ȳ[i+1] + ..., since x[i] is in all sums from y[i] on."""
    along = 0 if axis is None else axis
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis=along), axis=along), axis=along), x.shape)


def running_product_back(g: Array, x: Array, axis: Axis) -> Array:
    """dJ/dx[i] = (x[0] ... x[i-1]) s[i], where s[i] = g[i] + x[i+1] s[i+1]; no division, so zeros are exact."""
    rows = np.reshape(x, (-1,)) if axis is None else np.moveaxis(x, axis, 0)
    upstream = g if axis is None else np.moveaxis(g, axis, 0)
    if not len(rows):
        return np.zeros_like(x)
    sums = [upstream[-1]]
    for i in range(len(rows) - 2, -1, -1):
        sums.append(upstream[i] + rows[i + 1] * sums[-1])
    before = np.cumprod(np.concatenate([np.ones_like(rows[:1]), rows[:-1]], axis=0), axis=0)
    result = before * np.stack(sums[::-1])
    return np.reshape(result, x.shape) if axis is None else np.moveaxis(result, 0, axis)


EXTREME = "extreme: the entry that won receives the gradient; those that tie share it"

# fmt: off
define(np.sum,      lambda g, y, x, axis=None, keepdims=False: broadcast_back(g, x, axis, keepdims),
       traits="reduces analytic linear keeps_sign",                   reduction_of=np.add,
       words="sum: every entry that was added receives the gradient",
       forward=lambda x, axis=None, keepdims=False: x.sum(axis=axis, keepdims=keepdims))        # its wrapper costs more
define(np.prod,
       lambda g, y, x, axis=None, keepdims=False: (
           broadcast_back(unless_overflowed(g, y, x), x, axis, keepdims) * product_of_others(x, axis)
       ),
       traits="reduces analytic keeps_sign",                          reduction_of=np.multiply,
       words="product: times all the other entries")
define(np.max,      lambda g, y, x, axis=None, keepdims=False: argmax_gradient(g, y, x, axis, keepdims),
       traits="reduces kinked keeps_sign selects",                    reduction_of=np.maximum,
       words=EXTREME)
define(np.min,      lambda g, y, x, axis=None, keepdims=False: argmax_gradient(g, y, x, axis, keepdims),
       traits="reduces kinked keeps_sign selects",                    reduction_of=np.minimum,
       words=EXTREME)
define(np.cumsum,   lambda g, y, x, axis=None: running_sum_back(g, x, axis),
       traits="mixes analytic linear keeps_sign",
       words="running sum: each entry receives the gradients of all sums that it is in")
define(np.cumprod,  lambda g, y, x, axis=None: running_product_back(unless_overflowed(g, y, x), x, axis),
       traits="mixes analytic keeps_sign",
       used=lambda chosen, x, axis=None: [running_sum_back(chosen, x, axis) > 0],
       words="running product: each entry receives the gradients of all products that it is in")
# fmt: on


def in_single(statistic: Function) -> Function:
    """Decorate a statistic: it adds up numbers of half precision in single precision, as NumPy's does."""

    @functools.wraps(statistic)
    def of_half(a: Array, *args: Any, **options: Any) -> Array:
        if a.dtype != np.float16 or options.get("dtype", args[1] if len(args) > 1 else None) is not None:
            return statistic(a, *args, **options)
        return statistic(a.astype(np.float32), *args, **options).astype(np.float16)

    return of_half


@compose(np.mean)
@in_single
def mean(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """sum(a) / n."""
    return np.sum(a, axis=axis, keepdims=keepdims) / count(a, axis)


@compose(np.var)
@in_single
def var(a: Array, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Array:
    """sum((a - mean(a))²) / (n - ddof)."""
    deviation = a - np.mean(a, axis=axis, keepdims=True)
    return np.sum(squares(deviation), axis=axis, keepdims=keepdims) / max(count(a, axis) - ddof, 0)


def entries_of_norms(chosen: Array, norm: Array, x: Array, ord: float = 2, **reduced: Any) -> Any:  # noqa: A002
    """Mark the chosen norms and their entries."""
    return [chosen, broadcast_back(chosen, x, reduced.get("axis"), reduced.get("keepdims", False))]


@own(
    lambda g, y, norm, x, ord=2, axis=None, keepdims=False: np.where((y == norm) & (norm != 0), g, np.nan),  # noqa: A006
    None,
    traits="mixes smooth",
    used=entries_of_norms,
    words="divisor: the gradient passes where the norm is in range",
)
def norm_in_range(norm: Array, x: Array, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A002
    """‖x‖ to divide by: by scaled entries where their powers overflow or underflow, and 1 for the zero vector.

    Its derivative is nan where that differs from ‖x‖: there is none at 0, and it is not known at the ends of the range.
    """
    tiny = np.finfo(norm.dtype).tiny
    with np.errstate(over="ignore"):
        end = max(tiny ** (1 / ord), tiny)
    in_range = (norm >= end) & (norm < np.inf) if ord > 0 else (norm > 0) & (norm <= end)
    if is_computed_later(norm):
        return np.where(norm == 0, norm.dtype.type(1), norm)
    if np.all(in_range):
        return norm
    size = np.abs(x)
    largest = np.max(size, axis=axis, keepdims=True, initial=0)
    unit = largest if ord > 0 else np.min(size, axis=axis, keepdims=True, initial=np.inf)
    unit = np.where((unit > 0) & (unit < np.inf), unit, norm.dtype.type(1))
    with np.errstate(all="ignore"):
        total = np.sum((size / unit) ** ord, axis=axis, keepdims=True) ** (1 / ord) * unit
    total = np.where(np.isinf(total) & (largest < np.inf), np.nan, total + (ord > 0) * (total == 0))
    result = np.where(in_range, norm, np.reshape(total, norm.shape)).astype(norm.dtype)
    return result[()] if isinstance(norm, np.generic) else result


@own(
    lambda g, y, x, axis=None, keepdims=False: (
        broadcast_back(g, x, axis, keepdims)
        * (conj(x) / broadcast_back(norm_in_range(y, x, axis=axis, keepdims=keepdims), x, axis, keepdims))
    ),
    traits="reduces kinked keeps_sign",
    singular=at_zero,
    words="length of a vector: times x / ‖x‖",
)
def euclidean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """‖x‖ = √(sum(|x|²)); ∂‖x‖/∂x = x / ‖x‖, and 0 at 0."""
    return np.sqrt(np.sum(squares(x), axis=axis, keepdims=keepdims))


def real_of(x: Array) -> Array:
    """Return the real part; what is real is returned as it is."""
    return np.real(x) if is_complex(x) else x


def length_to_divide_by(x: Array, axis: Axis) -> Array:
    """‖x‖, also where squares overflow; nan for the zero vector, which a formula that is to be read leaves out."""
    length = norm_in_range(euclidean(x, axis=axis, keepdims=True), x, axis=axis, keepdims=True)
    if is_formula(length) and not length.is_traced:
        return length
    return np.where(np.any(x != 0, axis=axis, keepdims=True), length, np.nan)


@own(
    lambda g, y, x, axis=None: (g - conj(y) * real_of(sum_keep(g * y, axis))) / length_to_divide_by(x, axis),
    traits="mixes smooth keeps_sign",
    used=axis_lines,
    words="direction: what is across x, over ‖x‖",
)
def direction(x: Array, axis: Axis = None) -> Array:
    """x / ‖x‖ along an axis, 0 for the zero vector, where its derivative is nan."""
    return x / norm_in_range(euclidean(x, axis=axis, keepdims=True), x, axis=axis, keepdims=True)


def over_square(x: Array, divisor: float | None) -> Array:
    """x / divisor², or x without a divisor."""
    return x if divisor is None else x / (divisor * divisor)


@own(
    lambda g, y, x, axis=None, keepdims=False, divisor=None: (
        broadcast_back(over_square(2 * g, divisor), x, axis, keepdims) * x
    ),
    traits="reduces analytic keeps_sign",
    words="squared length: times 2 x",
    stands_for=(
        lambda x, axis, keepdims: np.square(euclidean(x, axis=axis, keepdims=keepdims)),
        lambda x, axis, keepdims, divisor: np.square(euclidean(x, axis=axis, keepdims=keepdims) / divisor),
    ),
)
def squared_norm(x: Array, axis: Axis = None, keepdims: bool = False, divisor: float | None = None) -> Array:
    """‖x‖² = sum(x²), or (‖x‖ / divisor)², which the square of a standard deviation is."""
    return over_square(np.sum(np.square(x), axis=axis, keepdims=keepdims), divisor)


@compose(np.std)
@in_single
def std(a: Array, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Array:
    """|a - mean(a)| / √(n - ddof), a norm, so that its gradient at equal values is 0."""
    deviation = a - np.mean(a, axis=axis, keepdims=True)
    if count(a, axis) == 1 and ddof == 0:  # 0, and flat
        return np.sum(np.abs(deviation), axis=axis, keepdims=keepdims)
    return euclidean(deviation, axis=axis, keepdims=keepdims) / math.sqrt(max(count(a, axis) - ddof, 0))


compose(np.amax)(np.max)
compose(np.amin)(np.min)


@compose(np.ptp)
def ptp(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """max(a) - min(a)."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)

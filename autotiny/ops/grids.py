"""Grids, differences and integrals over them, and interpolation."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.folding import cast
from autotiny.ops.indexing import along, index, pick
from autotiny.ops.table import Array, array_like, compose, floats, is_complex, reals, require_real


# ----- grids -----
def fractions(start: Array, stop: Array, num: int, endpoint: bool) -> Array:
    """Return num numbers from 0 to 1, along an axis before those of start and stop, in their precision."""
    dtype = np.result_type(start, stop, 1.0)
    ndim = max(np.ndim(start), np.ndim(stop))
    return np.linspace(0, 1, num, endpoint=endpoint, dtype=dtype).reshape(-1, *(1,) * ndim)


def moved(grid: Array, dtype: Any, axis: int) -> Array:
    """Return a grid in the type that was asked for, along an axis; whole numbers are rounded down."""
    if dtype is not None:
        grid = (np.floor(grid) if np.dtype(dtype).kind in "iu" else grid).astype(dtype)
    return np.moveaxis(grid, 0, axis)


@compose(np.linspace)
def linspace(
    start: Array,
    stop: Array,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """start + k h for k = 0 ... num - 1, where h = (stop - start) / (num - 1); the last is stop."""
    start, stop = array_like(start), array_like(stop)
    difference = stop - start
    k = np.arange(num, dtype=np.result_type(start, stop, 1.0)).reshape(-1, *(1,) * np.ndim(difference))
    intervals = num - 1 if endpoint else num
    grid = start + k * (difference / max(intervals, 1))
    if endpoint and num > 1:
        grid = np.concatenate([grid[:-1], np.broadcast_to(stop, np.shape(difference))[None].astype(grid.dtype)])
    grid = moved(grid, dtype, axis)
    return (grid, difference / intervals if intervals > 0 else np.nan) if retstep else grid


@compose(np.logspace)
def logspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Array:
    """Powers of the base, with exponents evenly from start to stop."""
    start, stop, base = array_like(start), array_like(stop), array_like(base)
    if np.ndim(base):
        start, stop, base = np.broadcast_arrays(start, stop, base)
    grid = np.power(base, linspace(start, stop, num, endpoint))
    return moved(grid, dtype, axis)


@compose(np.geomspace)
def geomspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Array:
    """start^(1 - t) stop^t for num values of t, evenly from 0 to 1, along a spiral if they are complex.

    Real numbers start and stop have the same sign.
    """
    double = np.complex128 if is_complex(start) or is_complex(stop) else np.float64
    start, stop = cast(floats(start), double), cast(floats(stop), double)
    t = fractions(start, stop, num, endpoint)
    sign = np.sign(start)
    rest = stop / sign if double is np.complex128 else np.abs(stop)
    grid = sign * np.abs(start) ** (1 - t) * rest**t
    return moved(grid, dtype, axis)


@compose(np.meshgrid)
def meshgrid(*xi: Array, sparse: bool = False, indexing: str = "xy") -> tuple[Array, ...]:
    """Return each vector along an axis of its own, repeated along the others unless sparse."""
    axes = list(range(len(xi)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    lines = [np.reshape(x, [-1 if i == axis else 1 for i in range(len(xi))]) for x, axis in zip(xi, axes, strict=True)]
    return tuple(lines) if sparse else tuple(np.copy(grid) for grid in np.broadcast_arrays(*lines))


# ----- differences and integrals -----
@compose(np.ediff1d)
def ediff1d(ary: Array, to_end: Any = None, to_begin: Any = None) -> Array:
    """a[i + 1] - a[i] of the flattened array, between what is given for its ends."""
    between = np.diff(np.ravel(floats(ary)))
    given = [x for x in (to_begin, between, to_end) if x is not None]
    parts = [x if x is between else np.ravel(cast(floats(x), between.dtype)) for x in given]
    return np.concatenate(parts) if len(parts) > 1 else between


def spacings(name: str, lengths: Any, given: tuple[Any, ...]) -> list[Any]:
    """Return for each axis the distance of its points, one number or a vector."""
    if len(given) not in (0, 1, len(lengths)) or (len(given) == 1 and np.ndim(given[0]) and len(lengths) > 1):
        raise ShapeError(f"{name}: expected one spacing, or one for each of {len(lengths)} axes; got {len(given)}")
    spaced = list(given or (1.0,)) * (len(lengths) if len(given) < 2 else 1)
    for length, h in zip(lengths, spaced, strict=True):
        if np.ndim(h) and np.shape(h) != (length,):
            raise ShapeError(f"{name}: coordinates {np.shape(h)} must have as many entries as their axis, {length}")
    return [np.diff(floats(h)) if np.ndim(h) else h for h in spaced]


def slopes(f: Array, h: Any, edge_order: int) -> Array:
    """Return ∂f along the first axis: central differences, one-sided at the ends."""
    if len(f) < edge_order + 1:
        raise ShapeError(f"gradient: an axis needs at least {edge_order + 1} points, got {len(f)}")
    if isinstance(h, np.ndarray) and h.ndim and np.all(h == h[0]):
        h = h[0]
    even = np.ndim(h) == 0
    if even:
        inner = (f[2:] - f[:-2]) / (2 * h)
        first, last, second, last_but_one = h, h, h, h
    else:
        h = np.reshape(h, (-1, *(1,) * (f.ndim - 1)))
        before, after = h[:-1], h[1:]
        weights = -after / (before * (before + after)), (after - before) / (before * after)
        inner = weights[0] * f[:-2] + weights[1] * f[1:-1] + before / (after * (before + after)) * f[2:]
        first, last = h[:1], h[-1:]
        second, last_but_one = h[1:2], h[-2:-1]
    if edge_order == 1:
        return np.concatenate([(f[1:2] - f[:1]) / first, inner, (f[-1:] - f[-2:-1]) / last])
    at_start = one_sided(f[:1], f[1:2], f[2:3], first, second)
    return np.concatenate([at_start, inner, one_sided(f[-1:], f[-2:-1], f[-3:-2], -last, -last_but_one)])


def one_sided(end: Array, near: Array, far: Array, h: Any, k: Any) -> Array:
    """Return the slope at the end of the parabola through f(0), f(h) and f(h + k)."""
    return -(2 * h + k) / (h * (h + k)) * end + (h + k) / (h * k) * near - h / (k * (h + k)) * far


@compose(np.gradient)
def gradient(f: Array, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Differences of second order inside; of order `edge_order` at the ends; for each axis."""
    f = floats(f)
    if edge_order not in (1, 2):
        raise UnsupportedError(f"gradient: edge_order must be 1 or 2, got {edge_order}")
    axes = tuple(range(f.ndim)) if axis is None else normalize_axis_tuple(axis, f.ndim)
    spaced = spacings("gradient", [f.shape[i] for i in axes], varargs)
    along_axes = [slopes(np.moveaxis(f, i, 0), h, edge_order) for i, h in zip(axes, spaced, strict=True)]
    results = [np.moveaxis(cast(slope, f.dtype), 0, i) for slope, i in zip(along_axes, axes, strict=True)]
    return results[0] if len(axes) == 1 else tuple(results)


@compose(np.trapezoid)
def trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """sum(h[i] (y[i] + y[i + 1]) / 2), where h[i] = x[i + 1] - x[i] or dx."""
    y, x = floats(y), x if x is None else floats(x)
    width = dx if x is None else np.diff(x, axis=axis if x.ndim > 1 else -1)
    if np.ndim(width) == 1:
        width = np.reshape(width, [-1 if i == axis % y.ndim else 1 for i in range(y.ndim)])
    before = along(y, axis)
    return np.sum(width * (index(y, key=(*before, slice(1, None))) + index(y, key=(*before, slice(-1)))) / 2, axis=axis)


@compose(np.unwrap)
def unwrap(p: Array, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi) -> Array:
    """p plus whole periods, so that neighbours differ by at most half a period."""
    p = floats(p)
    if not p.shape[axis]:
        return np.copy(p)
    jumps, half = np.diff(p, axis=axis), period / 2
    turns = np.floor_divide(jumps + half, period)
    turns = turns - np.logical_and(jumps + half == turns * period, jumps > 0)
    if discont is not None:
        turns = np.where(np.abs(jumps) < discont, 0, turns)
    total = np.cumsum(turns, axis=axis) * -period
    return p + np.concatenate([np.zeros_like(np.take(p, [0], axis=axis)), total], axis=axis)


# ----- interpolation -----
def periodic(x: Array, xp: Array, fp: Array, period: float) -> tuple[Array, Array, Array]:
    """Return x and the points within one period, with the last point before the first and the first behind the last."""
    period = abs(period)
    x, xp = x % period, xp % period
    order = np.argsort(xp)
    xp, fp = np.take(xp, order), np.take(fp, order)
    return x, np.concatenate([xp[-1:] - period, xp, xp[:1] + period]), np.concatenate([fp[-1:], fp, fp[:1]])


@compose(np.interp)
def interp(x: Array, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Array:
    """fp[i] + (x - xp[i]) (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i]) for xp[i] <= x < xp[i + 1]; constant outside."""
    x, xp = (cast(reals(values, "interp"), np.float64) for values in (x, xp))
    fp = cast(floats(fp), np.complex128 if is_complex(fp) else np.float64)
    left, right = (x if is_complex(fp) else require_real(x, "interp") for x in (left, right))
    if period is not None:
        x, xp, fp = periodic(x, xp, fp, period)
    i = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, max(len(xp) - 2, 0))
    after = np.minimum(i + 1, len(xp) - 1)
    low, start = pick(xp, i), pick(fp, i)
    width = pick(xp, after) - low
    inside = start + (x - low) * ((pick(fp, after) - start) / np.where(width == 0, 1, width))
    below, above = fp[0] if left is None else left, fp[-1] if right is None else right
    y = np.where(x < xp[0], below, np.where(x > xp[-1], above, inside))
    return y if np.ndim(y) else y[()]  # a scalar, as NumPy's

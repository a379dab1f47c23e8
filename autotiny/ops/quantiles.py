"""Quantiles: an entry of the sorted array, or a mean of two neighbouring ones.

The methods are those of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American Statistician
50, 1996. The order of the entries is a selection: entries that are not picked contribute nothing. Where an entry is
nan, so is the quantile; the nan-functions leave such entries out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops.reductions import Axis, in_lines, kept_shape
from autotiny.ops.table import Array, compose, floats, real_dtype, reals


def closest(v: Array) -> Array:
    """Return the next whole number, and an odd one itself."""
    return np.floor(v) + 1 - np.equal(v % 2, 1)


Step = Callable[[Array], Array] | None
METHODS: dict[str, tuple[float, float, Step]] = {
    "linear": (1, 1, None),
    "lower": (1, 1, np.floor),
    "higher": (1, 1, np.ceil),
    "midpoint": (1, 1, lambda v: (np.floor(v) + np.ceil(v)) / 2),
    "nearest": (1, 1, np.rint),
    "inverted_cdf": (0, 1, np.ceil),
    "averaged_inverted_cdf": (0, 1, lambda v: (np.floor(v + 1) + np.ceil(v)) / 2),
    "closest_observation": (-0.5, 1.5, closest),
    "interpolated_inverted_cdf": (0, 1, None),
    "hazen": (0.5, 0.5, None),
    "weibull": (0, 0, None),
    "median_unbiased": (1 / 3, 1 / 3, None),
    "normal_unbiased": (3 / 8, 3 / 8, None),
}
"""α and β of the place v = nq + α + q (1 - α - β) - 1 in the sorted array, and how v is rounded if it is."""
WHOLE = (np.floor, np.ceil, np.rint, closest)
"""Steps that give whole numbers: one entry is taken."""


def sorted_entries(lines: Array, order: Array, ranks: Array) -> Array:
    """Return the entries of these ranks in each line; `order` is that of the line's entries."""
    ranks = np.broadcast_to(ranks.astype(int), (*lines.shape[:-1], ranks.shape[-1]))
    return np.take_along_axis(lines, np.take_along_axis(order, ranks, axis=-1), axis=-1)


def places(name: str, n: Array, q: Array, method: str) -> Array:
    """Return the places of quantiles in sorted arrays of n entries, in 0 ... n - 1."""
    if method not in METHODS:
        raise UnsupportedError(f"{name}: method {method!r} is not supported; use one of {', '.join(METHODS)}")
    alpha, beta, step = METHODS[method]
    v = (n - 1) * q if alpha == beta == 1 else n * q + (alpha + q * (1 - alpha - beta)) - 1
    return np.clip(v if step is None else step(v), 0, max(n - 1, 0) if isinstance(n, int) else np.maximum(n - 1, 0))


def of_lines(name: str, a: Array, q: Any, axis: Axis, method: str, keepdims: bool, spare_nan: bool) -> Array:
    """Return quantiles of a; the axes of q come first."""
    q, lines = np.asarray(q, real_dtype(a)) if isinstance(q, float | int) else floats(q), in_lines(a, axis)
    order, missing = np.argsort(lines, axis=-1, kind="stable"), np.isnan(lines)
    if spare_nan:
        n: Any = np.sum(np.logical_not(missing), axis=-1, keepdims=True).astype(q.dtype)
    else:
        n = lines.shape[-1]
        order = np.where(np.any(missing, axis=-1, keepdims=True), order[..., -1:], order)
    v = places(name, n, np.reshape(q, (-1,)), method)
    low = np.floor_divide(v, 1)
    share = v - low
    result = sorted_entries(lines, order, low)
    exact = isinstance(share, np.ndarray) and not np.any(share) and share.dtype == a.dtype
    if not (exact or METHODS[method][2] in WHOLE):
        result = result + (sorted_entries(lines, order, low + (share > 0)) - result) * share
    rest = kept_shape(a, axis) if keepdims else lines.shape[:-1]
    return np.reshape(np.moveaxis(result, -1, 0), (*np.shape(q), *rest))


@compose(np.quantile)
def quantile(a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """The entry at place v of the sorted array: (1 - v + ⌊v⌋) a[⌊v⌋] + (v - ⌊v⌋) a[⌊v⌋ + 1], with v = (n - 1) q."""
    return of_lines("quantile", reals(a, "quantile"), q, axis, method, keepdims, spare_nan=False)


def percent(q: Any) -> Any:
    """Return q / 100, a number as a number."""
    return q / 100 if isinstance(q, float | int) else floats(q) / 100


@compose(np.percentile)
def percentile(a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """The quantile q / 100."""
    return of_lines("percentile", reals(a, "percentile"), percent(q), axis, method, keepdims, spare_nan=False)


@compose(np.median)
def median(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The middle entry of the sorted array, or the mean of the two in the middle."""
    return of_lines("median", a, 0.5, axis, "linear", keepdims, spare_nan=False)


@compose(np.nanquantile)
def nanquantile(a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """The quantile of the entries that are not nan."""
    return of_lines("nanquantile", reals(a, "nanquantile"), q, axis, method, keepdims, spare_nan=True)


@compose(np.nanpercentile)
def nanpercentile(a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """The quantile q / 100 of the entries that are not nan."""
    return of_lines("nanpercentile", reals(a, "nanpercentile"), percent(q), axis, method, keepdims, spare_nan=True)


@compose(np.nanmedian)
def nanmedian(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The median of the entries that are not nan."""
    return of_lines("nanmedian", a, 0.5, axis, "linear", keepdims, spare_nan=True)

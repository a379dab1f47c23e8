"""Quantiles: an entry of the sorted array, or a mean of two neighbouring ones.

The methods are those of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American Statistician
50, 1996. The order of the entries is a selection: entries that are not picked contribute nothing. Where an entry is
nan, so is the quantile; the nan-functions leave such entries out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.reductions import Axis, in_lines, kept_shape
from autotiny.ops.statistics import weights_like
from autotiny.ops.table import Array, compose, floats, own, real_dtype, reals, somewhere


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


def weighted_places(name: str, weights: Array, order: Array, q: Array, method: str) -> Array:
    """Return the first place at which the weights of the sorted entries sum up to q of their total."""
    if method != "inverted_cdf":
        raise UnsupportedError(f"{name}: method {method!r} has no weights; 'inverted_cdf' has")
    if isinstance(weights, np.ndarray) and (np.any(weights < 0) or not np.all(np.isfinite(weights))):
        raise UnsupportedError(f"{name}: weights must be finite, and not negative")
    sums = np.cumsum(np.take_along_axis(weights, order, axis=-1), axis=-1)
    shares = np.where(np.equal(sums, 0), -1, sums / sums[..., -1:])
    before = np.sum(np.less(shares[..., None], q), axis=-2)
    return np.minimum(before, weights.shape[-1] - 1)


@own(lambda g, y, q: g, traits="moves analytic keeps_sign checks", words="the gradient passes as it is")
def levels(q: Array) -> Array:
    """Return q; raise ShapeError unless it lies in [0, 1]. A program looks in each call."""
    if somewhere(~((q >= 0) & (q <= 1))):
        raise ShapeError(f"quantile: q must lie in [0, 1], and percentiles in [0, 100]; got q = {q}")
    return q


def of_lines(
    name: str, a: Array, q: Any, axis: Axis, method: str, keepdims: bool, spare_nan: bool, weights: Any = None
) -> Array:
    """Return quantiles of a; the axes of q come first."""
    q = levels(np.asarray(q, real_dtype(a)) if type(q) in (float, int) else floats(q))
    lines = in_lines(a, axis)
    if name in ("median", "nanmedian") and not lines.shape[-1]:
        lines = np.mean(lines, axis=-1, keepdims=True)  # nan, with NumPy's warning
    order, missing = np.argsort(lines, axis=-1, kind="stable"), np.isnan(lines)
    if weights is None:
        n = np.sum(np.logical_not(missing), axis=-1, keepdims=True).astype(q.dtype) if spare_nan else lines.shape[-1]
        v = places(name, n, np.reshape(q, (-1,)), method)
    else:
        w = in_lines(np.broadcast_to(weights_like(name, a, weights, axis), a.shape), axis)
        v = weighted_places(name, np.where(missing, 0, w) if spare_nan else w, order, np.reshape(q, (-1,)), method)
    if not spare_nan:
        order = np.where(np.any(missing, axis=-1, keepdims=True), order[..., -1:], order)
    low = np.floor_divide(v, 1)
    share = v - low
    result = sorted_entries(lines, order, low)
    exact = isinstance(share, np.ndarray) and not np.any(share) and share.dtype == a.dtype
    if not (exact or METHODS[method][2] in WHOLE):
        result = result + (sorted_entries(lines, order, low + (share > 0)) - result) * share
    rest = kept_shape(a, axis) if keepdims else lines.shape[:-1]
    if not rest and not np.ndim(q):
        return result[0]  # a number, as NumPy's
    return np.reshape(np.moveaxis(result, -1, 0), (*np.shape(q), *rest))


@compose(np.quantile)
def quantile(
    a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None
) -> Array:
    """The entry at place v of the sorted array: (1 - v + ⌊v⌋) a[⌊v⌋] + (v - ⌊v⌋) a[⌊v⌋ + 1], with v = (n - 1) q."""
    return of_lines("quantile", reals(a, "quantile"), q, axis, method, keepdims, False, weights)


def percent(q: Any) -> Any:
    """Return q / 100, a number as a number."""
    return q / 100 if type(q) in (float, int) else floats(q) / 100


@compose(np.percentile)
def percentile(
    a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None
) -> Array:
    """The quantile q / 100."""
    return of_lines("percentile", reals(a, "percentile"), percent(q), axis, method, keepdims, False, weights)


@compose(np.median)
def median(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The middle entry of the sorted array, or the mean of the two in the middle; nan of none."""
    return of_lines("median", floats(a), 0.5, axis, "linear", keepdims, False)


@compose(np.nanquantile)
def nanquantile(
    a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None
) -> Array:
    """The quantile of the entries that are not nan."""
    return of_lines("nanquantile", reals(a, "nanquantile"), q, axis, method, keepdims, True, weights)


@compose(np.nanpercentile)
def nanpercentile(
    a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None
) -> Array:
    """The quantile q / 100 of the entries that are not nan."""
    return of_lines("nanpercentile", reals(a, "nanpercentile"), percent(q), axis, method, keepdims, True, weights)


@compose(np.nanmedian)
def nanmedian(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The median of the entries that are not nan."""
    return of_lines("nanmedian", floats(a), 0.5, axis, "linear", keepdims, True)

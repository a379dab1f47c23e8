"""Averages, covariances and counts with weights; reductions that leave out nan, which contributes nothing."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.folding import cast
from autotiny.ops.indexing import index, scatter
from autotiny.ops.plain import by_values
from autotiny.ops.reductions import Axis
from autotiny.ops.table import Array, array_like, compose, conj, floats, is_complex, real_dtype, reals, require_real


# ----- averages and covariances -----
def weights_like(name: str, x: Array, weights: Any, axis: Axis) -> Array:
    """Return weights that broadcast against x: of its shape, or of the axes that are reduced."""
    weights = floats(weights)
    if weights.shape == x.shape:
        return weights
    axes = () if axis is None else normalize_axis_tuple(axis, x.ndim)
    if weights.shape != tuple(x.shape[i] for i in axes):
        raise ShapeError(
            f"{name}: weights {weights.shape} must have the shape of a {x.shape}, or of the axes that are reduced"
        )
    return np.reshape(
        np.transpose(weights, tuple(np.argsort(axes).tolist())), [n if i in axes else 1 for i, n in enumerate(x.shape)]
    )


@compose(np.average)
def average(a: Array, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """sum(w a) / sum(w), or the mean; also sum(w) if it is to be returned."""
    a = floats(a)
    if not (np.size(a) or weights is None):
        raise ShapeError(f"average: expected entries, got shape {a.shape}")
    if weights is None and not returned:
        return np.mean(a, axis=axis, keepdims=keepdims)
    w = np.ones_like(a) if weights is None else np.broadcast_to(weights_like("average", a, weights, axis), a.shape)
    total = np.sum(w, axis=axis, keepdims=keepdims)
    weighted = np.mean(a, axis=axis, keepdims=keepdims) if weights is None else None
    result = np.sum(a * w, axis=axis, keepdims=keepdims) / total if weighted is None else weighted
    return (result, cast(total, result.dtype)) if returned else result


def variables(m: Any, rowvar: bool, dtype: Any) -> Array:
    """Return the observations of each variable as a row."""
    m = floats(m)
    m = cast(m, np.result_type(m, np.float64) if dtype is None else dtype)
    return np.atleast_2d(m if rowvar or m.ndim == 1 else np.matrix_transpose(m))


@compose(np.cov)
def cov(
    m: Array,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Array:
    """(X - x̄) W (X - x̄)ᵀ / (sum(w) - ddof), a variable in each row of X; with aweights a, ddof sum(w a) / sum(w)."""
    parts = [variables(x, rowvar, dtype) for x in (m, y) if x is not None]
    rows = np.concatenate(parts) if len(parts) > 1 else parts[0]
    ddof = int(not bias) if ddof is None else ddof
    if np.ndim(ddof) or ddof != int(ddof):
        raise UnsupportedError(f"cov: ddof must be an integer; got {ddof}")
    w = np.ones(rows.shape[1], real_dtype(rows)) if fweights is None else floats(fweights)
    w = w if aweights is None else w * floats(aweights)
    n = np.sum(w)
    scale = ddof if aweights is None else ddof * np.sum(w * floats(aweights)) / n
    apart = rows - np.sum(rows * w, axis=1, keepdims=True) / n
    return np.squeeze(np.matmul(apart, conj(np.matrix_transpose(apart * w))) / np.maximum(n - scale, 0))


@compose(np.corrcoef)
def corrcoef(x: Array, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    """C[i, j] / √(C[i, i] C[j, j]) for the covariances C, real and imaginary parts within [-1, 1]."""
    c = np.cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(np.real(np.diagonal(c)) if is_complex(c) else np.diagonal(c))
    result = c / deviation[:, None] / deviation
    if is_complex(result):
        return np.clip(np.real(result), -1, 1) + np.clip(np.imag(result), -1, 1) * 1j
    return np.clip(result, -1, 1)


# ----- counts -----
@compose(np.bincount)
def bincount(x: Array, /, weights: Any = None, minlength: int = 0) -> Array:
    """The sum of the weights of each whole number in x."""
    n = max(int(np.max(x, initial=-1)) + 1, minlength)
    return scatter(cast(reals(weights, "bincount"), np.float64), key=x, shape=(n,))


def outer_edges(a: Array, range: Any) -> tuple[Any, Any]:  # noqa: A002 - NumPy's name
    """Return the ends of the bins: those that were given, or the extremes; half apart on both sides if they agree."""
    low, high = range if range is not None else (np.min(a), np.max(a)) if np.size(a) else (0, 1)
    require_real(low, "histogram")
    require_real(high, "histogram")
    margin = np.where(np.equal(low, high), a.dtype.type(0.5), a.dtype.type(0))
    return low - margin, high + margin


def number_of_bins(bins: str, a: Array, *ends: Any) -> int:
    """Return how many bins a rule of NumPy's, such as "auto", has for these values."""
    if hasattr(a, "__autotiny_call__"):
        return int(a.__autotiny_call__(number_of_bins, (bins, a, *ends), {}))
    return len(np.histogram_bin_edges(a, bins, ends or None)) - 1


by_values(number_of_bins)


@compose(np.histogram_bin_edges)
def histogram_bin_edges(a: Array, bins: Any = 10, range: Any = None, weights: Any = None) -> Array:  # noqa: A002
    """The edges of bins of equal width, from the smallest entry to the largest or over a range; or those given."""
    a = reals(a, "histogram")
    if np.ndim(array_like(bins)):
        return require_real(array_like(bins), "histogram")
    if isinstance(bins, str):
        if weights is not None:
            raise UnsupportedError(f"histogram: bins={bins!r} counts values without weights; give the number of bins")
        bins = number_of_bins(bins, a, *(range or ()))
    low, high = outer_edges(a, range)
    return np.linspace(low, high, bins + 1)


def bin_numbers(x: Array, edges: Array) -> Array:
    """Return the number of each entry's bin, from 1; 0 below them, and one more above."""
    inside = np.searchsorted(edges[1:-1], x, side="right") + 1
    return np.ravel(np.where(x < edges[0], 0, np.where(x > edges[-1], len(edges), inside)))


@compose(np.histogram)
def histogram(a: Array, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None) -> Any:  # noqa: A002
    """The sum of the weights in each bin, which is flat in a, and the edges."""
    a = reals(a, "histogram")
    edges = histogram_bin_edges(a, bins, range, weights)
    bin_of = bin_numbers(a, edges)
    w = np.ones_like(bin_of) if weights is None else np.ravel(floats(weights))
    sums = scatter(w, key=bin_of, shape=(len(edges) + 1,))[1:-1]
    return (sums / np.diff(edges).astype(float) / np.sum(sums) if density else sums), edges


@compose(np.histogramdd)
def histogramdd(
    sample: Any,
    bins: Any = 10,
    range: Any = None,  # noqa: A002
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Array, list[Array]]:
    """The sum of the weights in each cell of a grid of bins, which is flat in the sample, and the edges."""
    columns = list(np.atleast_2d(floats(sample).T if hasattr(sample, "T") else np.stack([floats(x) for x in sample])))
    require_real(columns[0], "histogramdd")
    counts = list(bins) if hasattr(bins, "__len__") else [bins] * len(columns)
    ranges = [None] * len(columns) if range is None else list(range)
    if not len(columns) == len(counts) == len(ranges):
        raise ShapeError(
            f"histogramdd: expected bins and ranges for each of {len(columns)} dimensions; got {len(counts)} and "
            f"{len(ranges)}"
        )
    edges = [histogram_bin_edges(*parts) for parts in zip(columns, counts, ranges, strict=True)]
    cells = tuple(bin_numbers(x, edge) for x, edge in zip(columns, edges, strict=True))
    w = np.ones(len(columns[0])) if weights is None else cast(np.ravel(reals(weights, "histogramdd")), np.float64)
    inside = (slice(1, -1),) * len(columns)
    sums = index(scatter(w, key=cells, shape=tuple(len(edge) + 1 for edge in edges)), key=inside)
    if density:
        total = np.sum(sums)
        for axis, edge in enumerate(edges):
            sums = sums / np.reshape(np.diff(edge), [-1 if i == axis else 1 for i, _ in enumerate(edges)])
        sums = sums / total
    return sums, edges


@compose(np.histogram2d)
def histogram2d(
    x: Array,
    y: Array,
    bins: Any = 10,
    range: Any = None,  # noqa: A002
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Array, ...]:
    """The sum of the weights in each rectangle of a grid, and the edges along both axes."""
    one_for_both = hasattr(bins, "__len__") and len(bins) > 2
    sums, edges = histogramdd([x, y], [bins, bins] if one_for_both else bins, range, density, weights)
    return sums, *edges


# ----- reductions that leave out nan -----
def numbers(a: Array, where: Any = True) -> Array:
    """Return which entries are not nan, and not left out."""
    return np.logical_and(np.logical_not(np.isnan(a)), where)


@compose(np.nansum)
def nansum(
    a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = 0, where: Any = True
) -> Array:
    """The sum of the entries that are not nan."""
    return np.sum(a, axis, dtype, keepdims=keepdims, initial=initial, where=numbers(a, where))


@compose(np.nanprod)
def nanprod(
    a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = 1, where: Any = True
) -> Array:
    """The product of the entries that are not nan."""
    return np.prod(a, axis, dtype, keepdims=keepdims, initial=initial, where=numbers(a, where))


@compose(np.nancumsum)
def nancumsum(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Running sums, nan taken as 0."""
    return np.cumsum(np.where(np.isnan(a), a.dtype.type(0), a), axis, dtype)


@compose(np.nancumprod)
def nancumprod(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Running products, nan taken as 1."""
    return np.cumprod(np.where(np.isnan(a), a.dtype.type(1), a), axis, dtype)


@compose(np.nanmax)
def nanmax(a: Array, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """The largest entry that is not nan; nan if there is none."""
    return extreme(np.max, -np.inf, a, axis, keepdims, initial, where)


@compose(np.nanmin)
def nanmin(a: Array, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """The smallest entry that is not nan; nan if there is none."""
    return extreme(np.min, np.inf, a, axis, keepdims, initial, where)


def extreme(function: Any, neutral: float, a: Array, axis: Axis, keepdims: bool, initial: Any, where: Any) -> Array:
    """Return the extreme of the entries that are not nan."""
    if initial is None and where is not True:
        raise UnsupportedError(f"nan{function.__name__}: where= needs initial=, the result where nothing is left")
    there, start = numbers(a, where), neutral if initial is None else initial
    result = function(a, axis, keepdims=keepdims, initial=start, where=there)
    return result if initial is not None else number(np.where(np.any(there, axis, keepdims=keepdims), result, np.nan))


@compose(np.nanmean)
def nanmean(a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True) -> Array:
    """sum(a) / n over the entries that are not nan."""
    return np.mean(a, axis, dtype, keepdims=keepdims, where=numbers(a, where))


@compose(np.nanvar)
def nanvar(
    a: Array,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Array:
    """sum((a - mean)²) / (n - ddof) over the entries that are not nan."""
    free, counted = ddof if correction is None else correction, numbers(a, where)
    variance = np.var(a, axis, dtype, ddof=free, keepdims=keepdims, where=counted, mean=mean)
    return where_known(variance, np.sum(counted, axis=axis, keepdims=keepdims) > free)


def where_known(spread: Array, known: Array) -> Array:
    """Return the spread of the entries, nan where they are too few."""
    return number(np.where(known, spread, spread.dtype.type(np.nan)))


def number(y: Array) -> Array:
    """Return an array without axes as a number, as NumPy's reductions have it."""
    return y if y.ndim else y[()]


@compose(np.nanstd)
def nanstd(
    a: Array,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Array:
    """|a - mean| / √(n - ddof) over the entries that are not nan."""
    free, counted = ddof if correction is None else correction, numbers(a, where)
    deviation = np.std(a, axis, dtype, ddof=free, keepdims=keepdims, where=counted, mean=mean)
    return where_known(deviation, np.sum(counted, axis=axis, keepdims=keepdims) > free)

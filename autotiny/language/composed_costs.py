"""Upper bounds on the cost of functions that are composed of others, as `costs` has them of the others.

Where a composition records arrays that are many times its result, they are counted besides.
"""

import math

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.language.costs import (
    PIECE,
    ROUND,
    Shape,
    Value,
    along,
    common_shape,
    entrywise,
    even,
    factored,
    filled,
    matmul,
    running_product,
    shape_of,
    size_of,
)
from autotiny.language.limits import Cost, product


def many_steps(*args: Value, **options: Value) -> Cost:
    """A result of at most the arguments' common shape, by tens of steps per entry, some of them recorded."""
    entries = entrywise(*args, **options).entries
    return Cost(entries, 50 * entries, 10 * entries)


def two_results(*args: Value) -> Cost:
    """Two results of the arguments' common shape."""
    return even(2 * entrywise(*args).entries)


def flat_diagonal(v: Value, k: int = 0) -> Cost:
    """A square matrix with all entries along a diagonal."""
    return even(product([size_of(v) + abs(k)] * 2))


def without(shape: Shape, axis: int) -> Shape:
    """The lengths of the other axes."""
    return tuple(n for i, n in enumerate(shape) if i != axis % max(len(shape), 1))


def rounds(count: float, entries: float, recorded: float) -> Cost:
    """So many rounds of a loop in Python, each of which records some entries."""
    on_the_way = product([int(count), int(recorded) + PIECE])
    return Cost(entries, on_the_way + product([int(count), 10 * ROUND]), on_the_way)


# ----- grids -----
def grid(start: Value, stop: Value, num: int = 50, base: Value = 10.0, **_options: Value) -> Cost:
    """num numbers for each pair of bounds, and base; and the step."""
    return even(product([num + 1, *common_shape(shape_of(start), shape_of(stop), shape_of(base))]))


def meshgrid(*xi: Value, sparse: bool = False, indexing: str = "xy") -> Cost:
    """For each vector an array over all of them."""
    return even(size_of(xi) if sparse else product([len(xi), *map(size_of, xi)]))


def gradient(f: Value, *spacing: Value, axis: Value = None, edge_order: int = 1) -> Cost:
    """The entries for each axis."""
    axes = len(shape_of(f)) if axis is None else size_of(axis)
    entries = product([size_of(f), max(axes, 1)])
    return Cost(entries, 20 * (entries + size_of(spacing)), 10 * (entries + size_of(spacing)))


def trapezoid(y: Value, x: Value = None, dx: Value = 1.0, axis: int = -1) -> Cost:
    """The entries of y, beside those of x or of the spacing."""
    given = [z for z in (x, dx) if z is not None]
    wide = common_shape(shape_of(y), *(shape_of(z) for z in given if len(shape_of(z)) > 1))
    apart = [size_of(z) for z in given if len(shape_of(z)) == 1 and abs(size_of(z) - along(y, axis)[0]) > 1]
    return even(product([*wide, *apart]))


def interp(x: Value, xp: Value, fp: Value, **_options: Value) -> Cost:
    """For each x a search among the points."""
    entries = size_of([x, xp, fp])
    return Cost(size_of(x), 50 * entries, 10 * entries)


def between_ends(x: Value, **ends: Value) -> Cost:
    """The entries, and those that are put at the ends."""
    return even(size_of(x) + size_of(list(ends.values())))


# ----- selecting and arranging -----
def choose(a: Value, choices: Value, mode: str = "raise") -> Cost:
    """A step for each choice, of the common shape."""
    listed = isinstance(choices, list | tuple)
    count = len(choices) if listed else along(choices, 0)[0]
    entries = product(common_shape(shape_of(a), *(map(shape_of, choices) if listed else [shape_of(choices)[1:]])))
    return Cost(entries, product([10, count, entries + ROUND]), product([2, count, entries + PIECE]))


def select(condlist: Value, choicelist: Value, default: Value = 0) -> Cost:
    """A step for each choice, of the common shape."""
    shapes = [shape_of(x) for parts in (condlist, choicelist) for x in parts]
    entries = product(common_shape(*shapes, shape_of(default)))
    return Cost(entries, product([10, len(shapes), entries]), product([len(shapes), entries]))


def full_like(a: Value, fill_value: Value, shape: Value = None) -> Cost:
    """A result of the shape of a, or of another."""
    return even(size_of(a)) if shape is None else filled(shape)


def resize(a: Value, new_shape: Value) -> Cost:
    """A result of this shape."""
    return filled(new_shape)


def insert(arr: Value, obj: Value, values: Value, axis: int | None = None) -> Cost:
    """The entries, and for each place or value a slice beside the axis."""
    return even(size_of(arr) + product([size_of(obj) + size_of(values), along(arr, axis)[1]]))


def in_order(x: Value, *args: Value, **_options: Value) -> Cost:
    """The entries, in n log n steps."""
    n = size_of(x) + size_of(args)
    return Cost(n, 4 * n * max(math.log2(max(n, 2)), 1))


def quantile(x: Value, q: Value = 0.5, axis: Value = None, **_options: Value) -> Cost:
    """A mean of entries of each sorted line, for each quantile."""
    lengths = shape_of(x)
    axes = range(len(lengths)) if axis is None else np.ravel(axis).tolist()
    lines = size_of(x) // product(lengths[i] for i in axes)
    entries = product([size_of(q), max(lines, 1)])
    return Cost(entries, 100 * (entries + size_of(x)), 4 * (entries + size_of(x)))


def unstack(x: Value, axis: int = 0) -> Cost:
    """The entries, in an array for each index of an axis."""
    length = along(x, axis)[0]
    return Cost(size_of(x), size_of(x) + ROUND * length, PIECE * length)


def broadcast_arrays(*args: Value) -> Cost:
    """For each array one of the common shape."""
    return even(product([max(len(args), 1), *common_shape(*map(shape_of, args))]))


def running_total(x: Value, axis: int | None = None, include_initial: bool = False) -> Cost:
    """The entries, and the one before the first."""
    return even(size_of(x) + along(x, axis)[1])


def running_factor(x: Value, axis: int | None = None, include_initial: bool = False) -> Cost:
    """As a running product, and the entry before the first."""
    cost = running_product(x, axis)
    return Cost(cost.entries + along(x, axis)[1], cost.work)


def nested(arrays: Value) -> Cost:
    """The entries of nested lists, joined at each level, and a round for each array."""
    entries = size_of(arrays)
    return Cost(entries, 10 * entries + ROUND * _count(arrays), 4 * entries + PIECE * _count(arrays))


def _count(arrays: Value) -> int:
    return sum(map(_count, arrays)) if isinstance(arrays, list | tuple) else 1


# ----- statistics -----
def bincount(x: Value, weights: Value = None, minlength: int = 0) -> Cost:
    """A count for each number up to the largest."""
    largest = float(np.max(np.asarray(value_of(x)), initial=0))
    return even(max(largest + 1, float(minlength)) + size_of(x))


def histogram(a: Value, bins: Value = 10, **_options: Value) -> Cost:
    """The bins and their edges, and a search for each entry."""
    entries = 2 * ((size_of(bins) if shape_of(bins) else float(bins)) + 1)
    return Cost(entries, 50 * (entries + size_of(a)), 10 * (entries + size_of(a)))


def histogramdd(sample: Value, bins: Value = 10, **_options: Value) -> Cost:
    """A grid of bins, and the edges along each axis."""
    axes = len(sample) if isinstance(sample, list | tuple) else max((1, *shape_of(sample)[1:]))
    of_each = list(value_of(bins)) if shape_of(bins) else [bins] * min(axes, 64)
    counts = [size_of(edges) if shape_of(edges) else float(edges) for edges in of_each]
    entries = product([int(min(count, 2.0**63)) + 1 for count in counts]) + 2 * sum(counts)
    return Cost(entries, 50 * (entries + size_of(sample)), 10 * (entries + size_of(sample)))


def histogram2d(x: Value, y: Value, bins: Value = 10, **options: Value) -> Cost:
    """A grid of bins, and the edges along both axes."""
    one_for_both = bool(shape_of(bins)) and len(bins) > 2
    return histogramdd([x, y], [bins, bins] if one_for_both else bins, **options)


def cov(m: Value, y: Value = None, rowvar: bool = True, **_options: Value) -> Cost:
    """An entry for each pair of variables, by a product of their observations."""
    shapes = [shape_of(x) for x in (m, y) if x is not None]
    rows = sum((1 if len(shape) < 2 else shape[0] if rowvar else shape[-1]) for shape in shapes)
    observations = max((1, *(n for shape in shapes for n in shape)))
    entries = product([rows, rows])
    return Cost(entries, product([10, entries, observations]), 10 * (entries + size_of([m, y])))


def average(a: Value, axis: Value = None, weights: Value = None, **_options: Value) -> Cost:
    """Several steps for each entry, and weight."""
    entries = size_of(a) + size_of(weights)
    return Cost(2 * entries, 10 * entries, 3 * entries)


# ----- polynomials -----
def convolve(a: Value, v: Value, mode: str = "full") -> Cost:
    """Every entry of a times every entry of v, in a loop that is slow beside a matrix product."""
    return Cost(size_of(a) + size_of(v), product([16, size_of(a), size_of(v)]))


def added(a: Value, b: Value) -> Cost:
    """As many coefficients as the longer has."""
    return even(size_of(a) + size_of(b))


def polyval(p: Value, x: Value) -> Cost:
    """A round for each coefficient."""
    return rounds(size_of(p), size_of(x), 2 * size_of(x))


def poly(seq_of_zeros: Value) -> Cost:
    """A round for each root."""
    n = size_of(seq_of_zeros)
    return rounds(n, n + 1, 3 * n)


def polydiv(u: Value, v: Value) -> Cost:
    """A round for each coefficient of the quotient."""
    n = size_of(u) + size_of(v)
    return rounds(size_of(u) + 1, n, 5 * n)


def polyder(p: Value, m: int = 1) -> Cost:
    """m rounds over the coefficients."""
    return rounds(max(int(m), 0), size_of(p), 2 * size_of(p))


def polyint(p: Value, m: int = 1, k: Value = None) -> Cost:
    """m rounds over the coefficients, of which there is one more after each."""
    n = size_of(p) + max(int(m), 0)
    return rounds(max(int(m), 0), n, 3 * n)


def vander(x: Value, N: int | None = None, increasing: bool = False) -> Cost:
    """N powers of each entry."""
    entries = product([size_of(x), size_of(x) if N is None else N])
    return Cost(entries, 50 * entries)


def polyfit(x: Value, y: Value, deg: int, rcond: Value = None, w: Value = None) -> Cost:
    """The pseudoinverse of deg + 1 powers of each entry."""
    columns, points = max(int(deg), 0) + 1, size_of(x) + size_of(w) + 1
    powers = product([points, columns])
    results = product([columns, size_of(y)]) // max(points, 1) + columns
    return Cost(results, 50 * product([powers, columns]) + product([columns, size_of(y)]), 6 * powers + size_of(y))


# ----- products and decompositions -----
def cross(a: Value, b: Value, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Cost:
    """Vectors of three entries, of the other axes' common shape."""
    axes = (axisa, axisb) if axis is None else (axis, axis)
    rest = product(common_shape(*(without(shape_of(x), i) for x, i in zip((a, b), axes, strict=True))))
    return Cost(3 * rest, 30 * rest, 15 * rest)


def vecdot(a: Value, b: Value, axis: int = -1) -> Cost:
    """A sum along an axis, of the other axes' common shape."""
    rest = product(common_shape(without(shape_of(a), axis), without(shape_of(b), axis)))
    return Cost(rest, product([rest, along(a, axis)[0]]))


def matvec(a: Value, v: Value) -> Cost:
    """(..., m, k) times (..., k)."""
    return matmul(a, np.broadcast_to(0.0, (*shape_of(v), 1)))


def vecmat(v: Value, a: Value) -> Cost:
    """(..., k) times (..., k, n)."""
    return matmul(np.broadcast_to(0.0, (*shape_of(v)[:-1], 1, *shape_of(v)[-1:])), a)


def matrix_power(a: Value, n: int) -> Cost:
    """Two products for each bit of n, and an inverse."""
    products = 2 * max(int(abs(n)).bit_length(), 1)
    return Cost(size_of(a), products * factored(a).work, product([products, size_of(a)]))


def multi_dot(arrays: Value) -> Cost:
    """A product of the longest sides for each array, and a search for the order."""
    count, longest = len(arrays), max((1, *(n for x in arrays for n in shape_of(x))))
    entries = product([longest, longest])
    return Cost(entries, product([count, entries, longest]) + ROUND * count**3, product([count, entries]))


def unfolded(a: Value, *_: Value, **_options: Value) -> Cost:
    """A factorisation of the matrix that an array is reshaped to."""
    n = size_of(a)
    return Cost(n, 10 * n * max(math.isqrt(n), 1), 2 * n)


def decomposed(a: Value, *args: Value, **_options: Value) -> Cost:
    """Matrices m by n, as others of up to m + n by m + n in (m + n)³ steps each."""
    shape = shape_of(a)
    side, stack = sum(shape[-2:]), product(shape[:-2])
    entries = product([stack, side, side]) + size_of(args)
    return Cost(entries, product([4, entries, side]))


def norm(x: Value, ord: Value = None, axis: Value = None, keepdims: bool = False) -> Cost:  # noqa: A002 - NumPy's name
    """A step for each entry; singular values for a few norms of matrices."""
    if ord in ("nuc", 2, -2) and len(shape_of(x)) > 1 and (axis is None or size_of(axis) == 2):
        return Cost(size_of(x), product([8, size_of(x), sum(shape_of(x))]))
    return even(size_of(x))


def i0(x: Value) -> Cost:
    """128 points for each entry."""
    on_the_way = product([256, size_of(x)])
    return Cost(size_of(x), 50 * on_the_way, on_the_way)

"""Upper bounds on the cost of a function, computed from shapes and options before it is called.

They are the only bound where nothing can kill the computation: on the command line, in a notebook and in a browser
without processes. The playground's workers have a deadline and a memory limit besides.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.language.limits import Cost, product
from autotiny.ops.einsum import explicit

Value = Any
Shape = tuple[int, ...]

Estimate = Callable[..., Cost]

ROUND = 1000
"""Steps of work that one round of a loop in Python counts as."""
PIECE = 100
"""Entries that take as much memory as a recorded array does beside its own."""


# ----- shapes and sizes -----
def shape_of(x: Value) -> Shape:
    """The lengths of the axes; a list counts as a vector of all its entries."""
    return (size_of(x),) if isinstance(x, list | tuple) else getattr(x, "shape", ())


def size_of(x: Value) -> int:
    """The number of entries, those of nested lists included."""
    return sum(map(size_of, x)) if isinstance(x, list | tuple) else product(shape_of(x))


def common_shape(*shapes: Shape) -> Shape:
    """The shape that they broadcast to; where they do not, one for all entries: the call itself explains the error."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return (sum(map(product, shapes)),)


def even(entries: float) -> Cost:
    """One step for each entry of the result."""
    return Cost(entries, entries)


def entrywise(*args: Value, **options: Value) -> Cost:
    """A result of at most the arguments' common shape."""
    return even(product(common_shape(*(shape_of(x) for x in (*args, *options.values())))))


def along(x: Value, axis: int | None) -> tuple[int, int]:
    """The length of an axis and the number of entries per index of it; without an axis, of the flattened array."""
    if axis is None or not shape_of(x):
        return size_of(x), 1
    length = shape_of(x)[axis]
    return length, size_of(x) // max(length, 1)


# ----- products and linear algebra -----
def matmul(a: Value, b: Value) -> Cost:
    """(..., m, k) @ (..., k, n): m n entries of k steps each, per matrix of a stack."""
    left, right = shape_of(a), shape_of(b)
    if not left or not right:
        return entrywise(a, b)
    rows, columns = left[-2:-1], right[-1:] if len(right) > 1 else ()
    entries = product((*common_shape(left[:-2], right[:-2]), *rows, *columns))
    return Cost(entries, entries * max(left[-1], 1))


def _contraction(a: Value, over_a: list[int], b: Value, over_b: list[int]) -> Cost:
    left, right = shape_of(a), shape_of(b)
    over_a, over_b = [i % len(left) for i in over_a], [i % len(right) for i in over_b]
    free = [n for i, n in enumerate(left) if i not in over_a] + [n for i, n in enumerate(right) if i not in over_b]
    inside = max(1, product(left[i] for i in over_a))
    return Cost(product(free) + size_of(a) + size_of(b), product(free) * inside)


def inner(a: Value, b: Value) -> Cost:
    """A sum over both last axes."""
    return _contraction(a, [-1], b, [-1]) if shape_of(a) and shape_of(b) else entrywise(a, b)


def dot(a: Value, b: Value) -> Cost:
    """A sum over a's last axis and b's last but one."""
    return (
        _contraction(a, [-1], b, [-2 if len(shape_of(b)) > 1 else -1])
        if shape_of(a) and shape_of(b)
        else entrywise(a, b)
    )


def outer(a: Value, b: Value) -> Cost:
    """Every entry of a times every entry of b."""
    return even(product([size_of(a), size_of(b)]))


def tensordot(a: Value, b: Value, axes: Value = 2) -> Cost:
    """A sum over several axes."""
    if isinstance(axes, int):
        over_a, over_b = list(range(-axes, 0)), list(range(axes))
    else:
        over_a, over_b = (np.ravel(over).tolist() for over in axes)
    if not all(-len(shape_of(x)) <= i < len(shape_of(x)) for x, over in ((a, over_a), (b, over_b)) for i in over):
        raise ValueError(f"axes {axes} do not all exist: a has {len(shape_of(a))} axes, and b {len(shape_of(b))}")
    return _contraction(a, over_a, b, over_b)


def einsum(subscripts: str, *operands: Value, optimize: Value = False) -> Cost:
    """One product for each combination of labels."""
    if not isinstance(subscripts, str):
        raise UnsupportedError("einsum: write the subscripts as text, as in einsum('ij,jk->ik', A, B)")
    terms, output = explicit(subscripts, [len(shape_of(x)) for x in operands])
    lengths: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for label, n in zip(term, shape_of(x), strict=False):
            lengths[label] = max(n, lengths.get(label, 0))
    rounds = product(lengths.values())
    # With three operands or more, an intermediate product may be larger than the output.
    entries = product(lengths.get(label, 1) for label in output) if len(operands) < 3 else rounds
    return Cost(entries, 8 * rounds * len(operands))


def factored(x: Value) -> Cost:
    """A factorisation of n by n matrices, n³ steps each; slogdet gives two results."""
    n = size_of(x)
    return Cost(n + 1, 10 * n * max((1, *shape_of(x)[-2:])))


def solve(a: Value, b: Value) -> Cost:
    """A result of the shape of a @ b, and n³ steps per matrix."""
    solution = matmul(a, b)
    return Cost(solution.entries, solution.work + factored(a).work)


# ----- results that grow, and loops -----
def joined(*args: Value, **options: Value) -> Cost:
    """A result with all entries of the arguments."""
    return even(size_of(args))


def _counts(lengths: Value) -> list[int]:
    """The length of each axis; raises ShapeError for more axes than NumPy allows."""
    counts = np.ravel(value_of(lengths))
    if counts.size > 64:
        raise ShapeError(f"{counts.size} axes are more than the 64 that an array may have")
    return [int(n) for n in counts]


def filled(shape: Value, *_: Value, **options: Value) -> Cost:
    """A result of this shape."""
    return even(product(_counts(shape)))


def broadcast_to(x: Value, shape: Value = None) -> Cost:
    """A result with x's entries, repeated to a shape."""
    return filled(shape)


def eye(n: int, m: int | None = None, k: int = 0) -> Cost:
    """An n by m matrix."""
    return even(product([n, n if m is None else m]))


def arange(start: float, stop: float | None = None, step: float = 1) -> Cost:
    """One number per step between the bounds."""
    low, high = (0, start) if stop is None else (start, stop)
    return even(max(0.0, (float(high) - float(low)) / float(step)) + 1)


def linspace(start: Value, stop: Value, num: int = 50) -> Cost:
    """num numbers for each pair of bounds."""
    return even(product([num, *common_shape(shape_of(start), shape_of(stop))]))


def take(x: Value, indices: Value, axis: int | None = None, mode: str = "raise") -> Cost:
    """The entries beside the axis, for each index."""
    return even(product([size_of(indices), along(x, axis)[1]]))


def take_along_axis(x: Value, indices: Value, axis: int | None = -1) -> Cost:
    """One entry for each index."""
    beside = (
        (1,) if axis is None else tuple(1 if i == axis % len(shape_of(x)) else n for i, n in enumerate(shape_of(x)))
    )
    return even(product(common_shape(beside, shape_of(indices))))


def repeat(x: Value, repeats: Value, axis: int | None = None) -> Cost:
    """Each entry as often as it is repeated."""
    length, beside = along(x, axis)
    counts = np.asarray(value_of(repeats), float)
    return even(float(counts.sum()) * (length if counts.size == 1 else 1) * beside)


def tile(x: Value, reps: Value) -> Cost:
    """The entries times the number of copies."""
    return even(product([size_of(x), *_counts(reps)]))


def pad(x: Value, pad_width: Value, mode: str = "constant", **_options: Value) -> Cost:
    """Each axis longer by its two widths."""
    lengths = shape_of(x)
    widths = np.broadcast_to(np.asarray(pad_width), (len(lengths), 2)).sum(axis=1).tolist()
    entries = product(n + width for n, width in zip(lengths, widths, strict=True))
    # Reflections are placed one after the other, so a short axis takes many rounds.
    rounds = sum(width / max(n - 1, 1) for n, width in zip(lengths, widths, strict=True))
    return Cost(entries, entries + ROUND * rounds)


def diag(x: Value, k: int = 0) -> Cost:
    """A square matrix from a vector; a diagonal from a matrix."""
    n = size_of(x)
    return even(product([n + abs(k)] * 2) if len(shape_of(x)) == 1 else n)


def diff(x: Value, n: int = 1, axis: int = -1, prepend: Value = None, append: Value = None) -> Cost:
    """n rounds over the entries, and what is put before and behind them."""
    ends = sum(max(size_of(end), along(x, axis)[1]) for end in (prepend, append) if end is not None)
    return Cost(size_of(x) + ends, product([n, size_of(x) + ends + ROUND]), product([n, size_of(x) + ends]))


def running_product(x: Value, axis: int | None = None) -> Cost:
    """The entries, and for the gradient a round per index of the axis."""
    return Cost(size_of(x), size_of(x) + ROUND * along(x, axis)[0])


def roll(x: Value, shift: Value = 0, axis: Value = None) -> Cost:
    """The entries, and a round per shift."""
    return Cost(size_of(x), size_of(x) + ROUND * size_of(shift))


def split(x: Value, indices_or_sections: Value, axis: int = 0) -> Cost:
    """The entries, and a round per piece; pieces may overlap where the indices are out of order."""
    at = value_of(indices_or_sections)
    pieces = size_of(at) + 1 if shape_of(at) else int(at)
    ordered = not shape_of(at) or (np.min(at, initial=0) >= 0 and bool(np.all(np.diff(at) >= 0)))
    entries = pieces + (size_of(x) if ordered else product([size_of(x), pieces]))
    return Cost(entries, entries + ROUND * pieces, PIECE * pieces)


def one_hot(labels: Value, classes: int | None = None) -> Cost:
    """One row per class."""
    values = np.asarray(value_of(labels))
    rows = classes if classes is not None else float(values.max(initial=0)) + 1
    return even(float(rows) * values.size)


def cross_entropy(logits: Value, targets: Value, axis: int = 0) -> Cost:
    """Three times the logits, and the one-hot columns of labels."""
    if shape_of(targets) == shape_of(logits):
        return even(3 * size_of(logits))
    return even(3 * (size_of(logits) + size_of(targets) * along(logits, axis)[0]))


def indexed(x: Value, key: Value) -> Cost:
    """x[key]: the common shape of the index arrays, times the axes that are kept."""
    lengths, parts = list(shape_of(x)), key if isinstance(key, tuple) else (key,)
    spare = len(lengths) - sum(map(_consumed, parts))
    kept, picked = list[int](), list[Shape]()
    for part in parts:
        n = spare if part is ... else _consumed(part)
        if part is ... or isinstance(part, slice):
            kept += lengths[:n]
        if isinstance(part, np.ndarray):
            picked.append((int(np.count_nonzero(part)),) if part.dtype == bool else part.shape)
        lengths = lengths[n:]
    return even(product([*common_shape(*picked), *kept, *lengths]))


def _consumed(part: Value) -> int:
    """The number of axes that a part of a key indexes."""
    if part is None or part is ...:
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1

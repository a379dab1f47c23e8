"""What a function would cost, told from shapes and options before it is called: upper bounds, never below the truth."""

from collections.abc import Callable

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.errors import ShapeError
from autotiny.language.limits import Cost, product
from autotiny.language.sizes import (
    Shape,
    Value,
    along,
    common_shape,
    dot,
    einsum,
    even,
    factored,
    inner,
    matmul,
    outer,
    shape_of,
    size_of,
    solve,
    tensordot,
)

# Steps of work that one round of a loop in Python stands for.
ROUND = 1000


def joined(*args: Value, **options: Value) -> Cost:
    """A result with all entries of the arguments."""
    return even(size_of(args))


def _counts(lengths: Value) -> list[int]:
    """A length for each axis; raises ShapeError for more than NumPy has."""
    counts = np.ravel(value_of(lengths))
    if counts.size > 64:
        raise ShapeError(f"{counts.size} axes are more than the 64 that an array may have")
    return [int(n) for n in counts]


def filled(shape: Value, *_: Value, **options: Value) -> Cost:
    """A result of a given shape."""
    return even(product(_counts(shape)))


def broadcast_to(x: Value, shape: Value = None) -> Cost:
    """x in a given shape."""
    return filled(shape)


def eye(n: int, m: int | None = None, k: int = 0) -> Cost:
    """An n by m matrix."""
    return even(product([n, n if m is None else m]))


def arange(start: float, stop: float | None = None, step: float = 1) -> Cost:
    """As many numbers as steps fit between the bounds."""
    low, high = (0, start) if stop is None else (start, stop)
    return even(max(0.0, (float(high) - float(low)) / float(step)) + 1)


def linspace(start: Value, stop: Value, num: int = 50) -> Cost:
    """num numbers for each pair of bounds."""
    return even(product([num, *common_shape(shape_of(start), shape_of(stop))]))


def take(x: Value, indices: Value, axis: int | None = None, mode: str = "raise") -> Cost:
    """What lies beside the axis, for each index."""
    return even(product([size_of(indices), along(x, axis)[1]]))


def take_along_axis(x: Value, indices: Value, axis: int | None = -1) -> Cost:
    """An entry for each index."""
    beside = (
        (1,) if axis is None else tuple(1 if i == axis % len(shape_of(x)) else n for i, n in enumerate(shape_of(x)))
    )
    return even(product(common_shape(beside, shape_of(indices))))


def repeat(x: Value, repeats: Value, axis: int | None = None) -> Cost:
    """The entries, each as often as it is repeated."""
    length, beside = along(x, axis)
    counts = np.asarray(value_of(repeats), float)
    return even(float(counts.sum()) * (length if counts.size == 1 else 1) * beside)


def tile(x: Value, reps: Value) -> Cost:
    """The entries, as often as there are copies."""
    return even(product([size_of(x), *_counts(reps)]))


def pad(x: Value, pad_width: Value, mode: str = "constant", constant_values: Value = 0) -> Cost:
    """Each axis longer by its two widths."""
    lengths = shape_of(x)
    widths = np.broadcast_to(np.asarray(pad_width), (len(lengths), 2)).sum(axis=1).tolist()
    entries = product(n + width for n, width in zip(lengths, widths, strict=True))
    # Reflections are laid one beside the other, so a short axis takes many.
    rounds = sum(width / max(n - 1, 1) for n, width in zip(lengths, widths, strict=True))
    return Cost(entries, entries + ROUND * rounds)


def diag(x: Value, k: int = 0) -> Cost:
    """A square matrix of a vector; part of a matrix."""
    n = size_of(x)
    return even(product([n + abs(k)] * 2) if len(shape_of(x)) == 1 else n)


def diff(x: Value, n: int = 1, axis: int = -1) -> Cost:
    """n rounds."""
    return even(product([n, size_of(x) + ROUND]))


def running_product(x: Value, axis: int | None = None) -> Cost:
    """The entries, and a round for each along the axis when it is differentiated."""
    return Cost(size_of(x), size_of(x) + ROUND * along(x, axis)[0])


def roll(x: Value, shift: Value = 0, axis: Value = None) -> Cost:
    """The entries, and a round for each shift."""
    return Cost(size_of(x), size_of(x) + ROUND * size_of(shift))


def split(x: Value, indices_or_sections: Value, axis: int = 0) -> Cost:
    """The entries, and a round for each piece; pieces between places out of order may overlap."""
    at = value_of(indices_or_sections)
    pieces = size_of(at) + 1 if shape_of(at) else int(at)
    ordered = not shape_of(at) or (np.min(at, initial=0) >= 0 and bool(np.all(np.diff(at) >= 0)))
    entries = pieces + (size_of(x) if ordered else product([size_of(x), pieces]))
    return Cost(entries, entries + ROUND * pieces)


def one_hot(labels: Value, classes: int | None = None) -> Cost:
    """A row for each class."""
    values = np.asarray(value_of(labels))
    rows = classes if classes is not None else float(values.max(initial=0)) + 1
    return even(float(rows) * values.size)


def cross_entropy(logits: Value, targets: Value, axis: int = 0) -> Cost:
    """The logits a few times over, and the one-hot columns of labels."""
    if shape_of(targets) == shape_of(logits):
        return even(3 * size_of(logits))
    return even(3 * (size_of(logits) + size_of(targets) * along(logits, axis)[0]))


def indexed(x: Value, key: Value) -> Cost:
    """x[key]: the common shape of what is picked, times the axes that are kept."""
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
    """How many axes a part of a key speaks of."""
    if part is None or part is ...:
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1


Estimate = Callable[..., Cost]

# Those whose result may be larger than their arguments, or whose work is more than a step for each entry.
ESTIMATES: dict[str, Estimate] = {
    **dict.fromkeys(("array", "append", "column_stack", "concatenate", "hstack", "stack", "vstack"), joined),
    "cumprod": running_product,
    **dict.fromkeys(("zeros", "ones", "full"), filled),
    **dict.fromkeys(("cholesky", "det", "inv", "slogdet"), factored),
    **dict.fromkeys(("split", "array_split", "hsplit", "vsplit"), split),
    **{
        f.__name__: f
        for f in (arange, broadcast_to, cross_entropy, diag, diff, dot, einsum, eye, inner, linspace, matmul, one_hot)
    },
    **{f.__name__: f for f in (outer, pad, repeat, roll, solve, take, take_along_axis, tensordot, tile)},
}

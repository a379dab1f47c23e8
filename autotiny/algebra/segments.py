"""Rows for gradients whose parts go to different places of a vector: one beside the other, shifted, or convolved.

[dh * b, dh * a] for two halves, [0, x[:-1]] for a shift. Shifts by all the places of a kernel are a convolution, a
shift less the other one is a difference.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra.loops import rolled, rolled_table
from autotiny.algebra.normal import (
    ONE,
    SHORT,
    SUMS,
    Addend,
    Factor,
    addends,
    factors,
    fitted,
    is_sum,
    product,
    times,
    total,
)
from autotiny.algebra.picks import BACKWARDS, INDEX, SCATTER, WHOLE, Placement, axes_of, is_backwards, unit, unit_factor
from autotiny.algebra.term import Term, apply, constant, plain, shown
from autotiny.ops import OPS
from autotiny.ops.padding import pad_constant
from autotiny.ops.products import convolution
from autotiny.ops.shaping import join, stack

PAD, JOIN, STACK, CONVOLUTION = OPS[pad_constant], OPS[join], OPS[stack], OPS[convolution]
DIFF, CONVOLVE, CORRELATE, KRON = plain(np.diff), plain(np.convolve), plain(np.correlate), plain(np.kron)


# ----- shifts -----
def by_slices(term: Term) -> Term | None:
    """Return a vector with zeros beside it, or backwards, that a scatter by slices is."""
    if term.op is not SCATTER or (axes := axes_of(term.kwargs["key"], term.shape)) is None:
        return None
    if not all(isinstance(part, slice) for part in axes):
        return None
    (g,) = term.args
    ranges = [range(n)[part] for part, n in zip(axes, term.shape, strict=True)]
    turned = [r.step == -1 and len(r) == n > 1 for r, n in zip(ranges, term.shape, strict=True)]
    if any(turned):
        whole = all(len(r) == n for r, n in zip(ranges, term.shape, strict=True))
        return apply(INDEX, (g,), {"key": tuple(BACKWARDS if t else WHOLE for t in turned)}) if whole else None
    if not all(map(len, ranges)):
        return None
    if not all(r.step == 1 or len(r) == 1 for r in ranges):
        return _every_few(g, ranges[0], term.size) if term.ndim == 1 else None
    widths = tuple((r[0], n - r[-1] - 1) for r, n in zip(ranges, term.shape, strict=True))
    coefficient, powers = factors(g)
    outside = [f for f in powers if f[0].size == 1]
    inside = product(ONE, [f for f in powers if f[0].size > 1], g.shape)
    padded = apply(PAD, (inside,), {"pad_width": widths})
    return product(coefficient, [*((constant(np.reshape(x, ())), p) for x, p in outside), (padded, ONE)], term.shape)


def _every_few(g: Term, places: range, n: int) -> Term | None:
    """Return the Kronecker product g ⊗ e_i, whose entries i, i + step and so on are those of g; None of part of one."""
    step = places.step
    if step < 0 or places[0] >= step or len(places) * step != n:
        return None
    inside, outside = _split(g)
    made = apply(KRON, (inside, unit(places[0], step, g.dtype)), {})
    return product(ONE, [*outside, (made, ONE)], (n,)) if inside.ndim else None


class Segment(NamedTuple):
    """A part of a gradient that lies at some places along an axis."""

    shape: tuple[int, ...]
    axis: int
    start: int
    stop: int
    value: Term


def segment_of(coefficient: Fraction, term: Term) -> Segment | None:
    """Return where an addend lies: a unit vector or a vector beside zeros, times numbers; None of any other."""
    c, powers = factors(term)
    for x, p in powers:
        others = [f for f in powers if f[0] is not x]
        if p != 1:
            continue
        if (found := unit_factor(x)) is not None and term.ndim + found[1] >= 0:
            i, axis = found[0], term.ndim + found[1]
            shape = tuple(1 if j == axis else n for j, n in enumerate(term.shape))
            if all(unit_factor(y) is None and _is_constant_along(y, axis - term.ndim) for y, _ in others):
                value = product(c * coefficient, others, shape if term.ndim > 1 else ())
                return Segment(term.shape, axis, i, i + 1, value)
        if x.op is PAD and not x.kwargs.get("constant_values") and all(y.ndim == 0 for y, _ in others):
            widths = x.kwargs["pad_width"]
            padded = [i for i, width in enumerate(widths) if width != (0, 0)]
            if len(padded) == 1:
                (axis,) = padded
                inside = product(c * coefficient, [*others, (x.args[0], ONE)], x.args[0].shape)
                before, after = widths[axis]
                return Segment(term.shape, axis, before, term.shape[axis] - after, inside)
    return None


def _is_constant_along(x: Term, axis: int) -> bool:
    """Whether a factor is the same all along an axis, counted from the last one."""
    return x.ndim < -axis or x.shape[axis] == 1


# ----- parts beside each other -----
def parts_together(term: Term) -> Term | None:
    """Return the vector of the parts of a sum that lie at different places."""
    if term.op not in SUMS:
        return None
    placed, rest = _segments(term)
    for (shape, axis), segments in placed.items():
        segments = _merged(segments)
        apart = all(a.stop <= b.start for a, b in pairwise(segments))
        covered = sum(s.stop - s.start for s in segments)
        if len(segments) > 1 and apart and 2 * covered >= shape[axis] and not _in_proportion(segments, shape[axis]):
            joined = _joined(segments, shape, axis)
            others = [addend for key, group in placed.items() if key != (shape, axis) for addend in _addends(group)]
            return total([*rest, *others, (ONE, joined)], term.shape)
    return None


def _in_proportion(segments: list[Segment], n: int) -> bool:
    """Whether entries at some of the places differ in a number alone: a (e_0 - e_2) is shorter than their vector."""
    if len(segments) == n or any(s.stop - s.start > 1 for s in segments):
        return False
    return len({frozenset((id(x), p) for x, p in factors(s.value)[1]) for s in segments}) == 1


def _segments(term: Term) -> tuple[dict[Any, list[Segment]], list[Addend]]:
    placed: dict[Any, list[Segment]] = {}
    rest: list[Addend] = []
    for c, x in addends(term):
        segment = segment_of(c, x) if x.shape == term.shape else None
        if segment is None:
            rest.append((c, x))
        else:
            placed.setdefault((segment.shape, segment.axis), []).append(segment)
    if placed and term.ndim == 1:
        numbers = [(c, x) for c, x in rest if x.is_constant and x.shape == term.shape]
        rest = [(c, x) for c, x in rest if not (x.is_constant and x.shape == term.shape)]
        placed[term.shape, 0] = [*placed.get((term.shape, 0), []), *(s for c, x in numbers for s in _entries(c, x))]
    return placed, rest


def _entries(c: Fraction, x: Term) -> list[Segment]:
    """Return the entries of a constant vector that are not 0."""
    values = [times(c, constant(value)) for value in x.value]
    return [Segment(x.shape, 0, i, i + 1, value) for i, value in enumerate(values) if value.value]


def _addends(segments: Iterable[Segment]) -> list[Addend]:
    return [(ONE, _alone(s)) for s in segments]


def _alone(s: Segment) -> Term:
    widths = tuple((s.start, n - s.stop) if i == s.axis else (0, 0) for i, n in enumerate(s.shape))
    inside = tuple(s.stop - s.start if i == s.axis else n for i, n in enumerate(s.shape))
    return apply(PAD, (fitted(s.value, inside),), {"pad_width": widths})


def _merged(segments: Iterable[Segment]) -> list[Segment]:
    """Return segments in order, with those of the same places added up."""
    by_place: dict[tuple[int, int], list[Segment]] = {}
    for segment in segments:
        by_place.setdefault((segment.start, segment.stop), []).append(segment)
    return [
        same[0]._replace(value=total([(ONE, s.value) for s in same], same[0].value.shape)) if len(same) > 1 else same[0]
        for _, same in sorted(by_place.items())
    ]


def _joined(segments: list[Segment], shape: tuple[int, ...], axis: int) -> Term:
    if len(shape) == 1 and all(s.value.ndim == 0 for s in segments):
        entries = {s.start: s.value for s in segments}
        zero = constant(segments[0].value.dtype.type(0))
        return vector([entries.get(i, zero) for i in range(shape[0])])
    pieces, at = list[Term](), 0
    for s in (*segments, None):
        start = shape[axis] if s is None else s.start
        if start > at:
            gap = tuple(start - at if i == axis else n for i, n in enumerate(shape))
            pieces.append(constant(np.zeros(gap, segments[0].value.dtype)))
        if s is not None:
            inside = tuple(s.stop - s.start if i == axis else n for i, n in enumerate(shape))
            pieces.append(fitted(s.value, inside) if s.value.ndim else constant(np.reshape(s.value, inside)))
            at = s.stop
    return apply(JOIN, pieces, {"axis": axis})


def vector(entries: Sequence[Term]) -> Term:
    """Return the vector of these entries: the formula of whole vectors that has them, where there is one."""
    correlated = correlation(entries)
    if correlated is not None:
        return correlated
    whole = rolled(entries)
    return apply(STACK, entries, {"axis": 0}) if whole is None or whole.shape != (len(entries),) else whole


def matrix_of_entries(term: Term) -> Term | None:
    """Return the matrix of a sum of numbers times e_i e_jᵀ for most of its places."""
    if term.op not in SUMS or term.ndim != 2:
        return None
    entries: dict[tuple[int, ...], list[Addend]] = {}
    rest: list[Addend] = []
    for c, x in addends(term):
        k, powers = factors(x)
        spots = [unit_factor(f) for f, _ in powers]
        units = {spot[1]: spot[0] for spot in spots if spot is not None}
        scalars = [f for f, spot in zip(powers, spots, strict=True) if spot is None]
        if len(units) == 2 and all(f.ndim == 0 for f, _ in scalars):
            entries.setdefault((units[-2], units[-1]), []).append((c * k, product(ONE, scalars, ())))
        else:
            rest.append((c, x))
    if len(entries) < 2 or 2 * len(entries) < term.size:
        return None
    zero = constant(term.dtype.type(0))
    values = [total(entries[place], ()) if place in entries else zero for place in np.ndindex(*term.shape)]
    whole = rolled_table(values, term.shape)
    matrix = constant(np.reshape(apply(STACK, values, {"axis": 0}), term.shape)) if whole is None else whole
    return total([*rest, (ONE, matrix)], term.shape)


# ----- convolutions -----
class Window(NamedTuple):
    """The sum of the products of a vector with part of another one: a * x[i : i + n]."""

    coefficient: Fraction
    x: Term
    start: int
    other: Term


def window_of(entry: Term) -> Window | None:
    """Return the window that an entry sums over; None of any other formula."""
    coefficient, powers = factors(entry)
    if len(powers) != 1 or not is_sum(powers[0][0]) or powers[0][1] != 1 or powers[0][0].args[0].ndim != 1:
        return None
    inner, summed = factors(powers[0][0].args[0])
    for x, p in summed:
        if p == 1 and x.op is INDEX and x.args[0].ndim == 1 and isinstance(part := x.kwargs["key"], slice):
            others = [f for f in summed if f[0] is not x]
            if others and range(x.args[0].size)[part].step == 1:
                start = range(x.args[0].size)[part].start
                return Window(coefficient * inner, x.args[0], start, product(ONE, others, x.shape))
    return None


def correlation(entries: Sequence[Term]) -> Term | None:
    """Return correlate(x, a), whose entry i is sum(a * x[i:i + n])."""
    windows = [window_of(entry) for entry in entries]
    first = windows[0]
    if first is None or len(entries) != first.x.size - first.other.size + 1:
        return None
    for i, w in enumerate(windows):
        if w is None or w.x is not first.x or w.other is not first.other:
            return None
        if (w.coefficient, w.start) != (first.coefficient, i):
            return None
    return product(first.coefficient, [(apply(CORRELATE, (first.x, first.other), {}), ONE)], (len(entries),))


class Shift(NamedTuple):
    """A vector beside zeros along an axis, times a number."""

    inside: Term
    axis: int
    before: int
    width: int
    coefficient: Fraction
    scalars: Term


def shifts_of(coefficient: Fraction, term: Term) -> list[Shift]:
    """Return the vector that an addend shifts, with every number that multiplies it; none of any other addend."""
    c, powers = factors(term)
    padded = [x for x, p in powers if p == 1 and x.op is PAD and not x.kwargs.get("constant_values")]
    if len(padded) != 1 or any(x.ndim for x, _ in powers if x is not padded[0]):
        return []
    widths = padded[0].kwargs["pad_width"]
    axes = [axis for axis, width in enumerate(widths) if width != (0, 0)]
    if len(axes) != 1:
        return []
    before, after = widths[axes[0]]
    outside = [f for f in powers if f[0] is not padded[0]]
    (inside,) = padded[0].args
    parts = [(c * coefficient * k, *_split(x)) for k, x in (addends(inside) if inside.op in SUMS else [(ONE, inside)])]
    if any(x is not parts[0][1] for _, x, _ in parts):
        parts = [(c * coefficient, inside, [])]
    return [
        Shift(x, axes[0], before, before + after, k, product(ONE, [*outside, *scalars], ())) for k, x, scalars in parts
    ]


def _split(term: Term) -> tuple[Term, list[Factor]]:
    """Return a product without the numbers in it, and these."""
    c, powers = factors(term)
    return product(c, [f for f in powers if f[0].ndim], term.shape), [f for f in powers if not f[0].ndim]


def shifts_together(term: Term) -> Term | None:
    """Return the convolution, or the difference, that a sum of shifts of one vector is."""
    if term.op not in SUMS:
        return None
    groups: dict[Any, list[tuple[list[Shift], Addend]]] = {}
    rest: list[Addend] = []
    for c, x in addends(term):
        shifts = shifts_of(c, x)
        if shifts:
            first = shifts[0]
            groups.setdefault((id(first.inside), first.axis, first.width), []).append((shifts, (c, x)))
        else:
            rest.append((c, x))
    for key, group in groups.items():
        by_place: dict[int, list[Shift]] = {}
        for shift in (shift for shifts, _ in group for shift in shifts):
            by_place.setdefault(shift.before, []).append(shift)
        together = None if len(by_place) < 2 else convolved(list(map(added, by_place.values())))
        if together is not None:
            others = [addend for other, g in groups.items() if other != key for _, addend in g]
            return total([*rest, *others, (ONE, together)], term.shape)
    return None


def added(shifts: Sequence[Shift]) -> Shift:
    """Return shifts to one place as one."""
    if len(shifts) == 1:
        return shifts[0]
    scalars = total([(s.coefficient, s.scalars) for s in shifts], ())
    return shifts[0]._replace(coefficient=ONE, scalars=scalars)


def convolved(shifts: Sequence[Shift]) -> Term | None:
    """Return the sum of shifts: diff([0, d, 0]) for one less the other, else a convolution; None with more axes."""
    first = shifts[0]
    kernel = {s.before: s for s in shifts}
    shape = tuple(n + first.width if i == first.axis else n for i, n in enumerate(first.inside.shape))
    alike = all(s.scalars is first.scalars for s in shifts)
    if alike and first.width == 1 and kernel[0].coefficient == -kernel[1].coefficient:
        widths = tuple((1, 1) if i == first.axis else (0, 0) for i in range(len(shape)))
        padded = apply(PAD, (first.inside,), {"pad_width": widths})
        return product(kernel[0].coefficient, [(first.scalars, ONE), (difference(padded, first.axis), ONE)], shape)
    if len(shape) > 1:
        return None
    if not alike:
        zero = constant(first.inside.dtype.type(0))
        entries = [
            product(kernel[b].coefficient, [(kernel[b].scalars, ONE)], ()) if b in kernel else zero
            for b in range(first.width + 1)
        ]
        return apply(CONVOLVE, (first.inside, vector(entries)), {})
    smallest = min(abs(s.coefficient) for s in shifts)
    if all(len(repr(float(s.coefficient))) <= SHORT for s in shifts):
        smallest = ONE
    taps = [kernel[b].coefficient / smallest if b in kernel else Fraction(0) for b in range(first.width + 1)]
    weights = shown(STACK, tuple(constant(first.inside.dtype.type(t)) for t in taps), {"axis": 0})
    result = apply(CONVOLVE, (first.inside, weights), {})
    return product(smallest, [(first.scalars, ONE), (result, ONE)], shape)


def difference(x: Term, axis: int) -> Term:
    """Return np.diff along an axis."""
    return apply(DIFF, (x,), {"axis": axis} if axis < x.ndim - 1 else {})


def windows_together(term: Term) -> Term | None:
    """Return correlate(x, w) for w[0] * x[:-2] + w[1] * x[1:-1] + w[2] * x[2:]."""
    if term.op not in SUMS or term.ndim != 1:
        return None
    windows: dict[Any, dict[int, Term]] = {}
    rest: list[Addend] = []
    for c, x in addends(term):
        k, powers = factors(x)
        sliced = [f for f, p in powers if p == 1 and is_slice(f)]
        if len(sliced) != 1 or len(powers) == 1 or any(f.ndim for f, _ in powers if f is not sliced[0]):
            rest.append((c, x))
            continue
        whole = sliced[0].args[0]
        places = range(whole.size)[sliced[0].kwargs["key"]]
        weight = product(c * k, [f for f in powers if f[0] is not sliced[0]], ())
        windows.setdefault(whole, {})[places.start] = weight
    for whole, weights in windows.items():
        if len(weights) > 1 and sorted(weights) == list(range(whole.size - term.size + 1)) and len(windows) == 1:
            entries = vector([weights[i] for i in sorted(weights)])
            return total([*rest, (ONE, apply(CORRELATE, (whole, entries), {}))], term.shape)
    return None


def is_slice(x: Term) -> bool:
    """Whether a term is some neighbours of a vector."""
    if x.op is not INDEX or x.args[0].ndim != 1 or not isinstance(key := x.kwargs["key"], slice):
        return False
    return range(x.args[0].size)[key].step == 1


def correlated(term: Term) -> Term | None:
    """Return correlate(a, b), or a convolution, for the middle of the convolution of a with b backwards, or with b."""
    if term.op is not INDEX or term.args[0].op is not CONVOLUTION or not isinstance(key := term.kwargs["key"], slice):
        return None
    a, b = term.args[0].args
    if range(term.args[0].size)[key] != range(b.size - 1, a.size):
        return None
    if is_backwards(b):
        return apply(CORRELATE, (a, b.args[0]), {})
    if a.op is PAD and a.kwargs["pad_width"] == ((b.size - 1, b.size - 1),):
        return apply(CONVOLVE, (a.args[0], b), {})
    return None


def correlated_with_zeros(term: Term) -> Term | None:
    """Return the convolution, or the correlation backwards, that one with a vector between zeros is."""
    if term.op is not CORRELATE or term.kwargs or term.args[0].op is not PAD:
        return None
    padded, x = term.args
    ((before, after),), (inside,) = padded.kwargs["pad_width"], padded.args
    if before != after:
        return None
    if before == x.size - 1:
        return apply(CONVOLVE, (inside, apply(INDEX, (x,), {"key": BACKWARDS})), {})
    if before == x.size - inside.size:
        return apply(INDEX, (apply(CORRELATE, (x, inside), {}),), {"key": BACKWARDS})
    return None


# ----- interleaved -----
def interleaved(term: Term) -> Term | None:
    """Return d ⊗ w for w[0] * (d ⊗ e_0) + w[1] * (d ⊗ e_1)."""
    if term.op not in SUMS or term.ndim != 1:
        return None
    weights: dict[Term, dict[int, Term]] = {}
    rest: list[Addend] = []
    for c, x in addends(term):
        k, powers = factors(x)
        spread = [f for f, p in powers if p == 1 and f.op is KRON and unit_factor(f.args[1]) is not None]
        if len(spread) != 1 or any(f.ndim for f, _ in powers if f is not spread[0]):
            rest.append((c, x))
            continue
        d, vector_of_place = spread[0].args
        place = unit_factor(vector_of_place)
        assert place is not None
        weights.setdefault(d, {})[place[0]] = product(c * k, [f for f in powers if f[0] is not spread[0]], ())
    for d, by_place in weights.items():
        step = term.size // d.size
        if len(by_place) > 1 and len(weights) == 1:
            zero = constant(d.dtype.type(0))
            entries = [by_place.get(i, zero) for i in range(step)]
            numbers = all(entry.is_constant for entry in entries)
            kernel = shown(STACK, tuple(entries), {"axis": 0}) if numbers else vector(entries)
            return total([*rest, (ONE, apply(KRON, (d, kernel), {}))], term.shape)
    return None


# ----- differences -----
def difference_of_neighbours(term: Term) -> Term | None:
    """Return diff(x) for x[1:] - x[:-1]."""
    if term.op not in SUMS:
        return None
    parts = addends(term)
    for c, later in parts:
        for k, earlier in parts:
            if c == -k and later is not earlier and (axis := neighbours(later, earlier)) is not None:
                rest = [(a, x) for a, x in parts if x is not later and x is not earlier]
                return total([*rest, (c, difference(later.args[0], axis))], term.shape)
    return None


def neighbours(later: Term, earlier: Term) -> int | None:
    """Return the axis along which two terms are x[1:] and x[:-1]; None of any others."""
    if later.op is not INDEX or earlier.op is not INDEX or later.args[0] is not earlier.args[0]:
        return None
    shape = later.args[0].shape
    keys = [axes_of(part.kwargs["key"], shape) for part in (later, earlier)]
    if any(key is None or not all(isinstance(part, slice) for part in key) for key in keys):
        return None
    a, b = ([range(n)[part] for part, n in zip(key or (), shape, strict=True)] for key in keys)
    axes = [i for i in range(len(shape)) if a[i] != b[i]]
    if len(axes) != 1 or any(len(r) != n for i, (r, n) in enumerate(zip(a, shape, strict=True)) if i not in axes):
        return None
    n = shape[axes[0]]
    return axes[0] if (a[axes[0]], b[axes[0]]) == (range(1, n), range(n - 1)) and n > 1 else None


def padded_difference(term: Term) -> Term | None:
    """Return diff([0, 0, d, 0, 0]) for the differences of [0, d, 0] between zeros."""
    if term.op is not PAD or term.ndim != 1 or term.args[0].op is not DIFF or term.args[0].args[0].op is not PAD:
        return None
    inside = term.args[0].args[0]
    (outer,), (inner,) = term.kwargs["pad_width"], inside.kwargs["pad_width"]
    if not all(inner) or term.args[0].kwargs:
        return None
    widths = (tuple(a + b for a, b in zip(outer, inner, strict=True)),)
    return apply(DIFF, (apply(PAD, inside.args, {"pad_width": widths}),), {})


SHIFTS = (Placement("a slice is put between zeros", by_slices, frozenset({SCATTER})),)
"""Rows that write the gradient of slices without `scatter`."""

SEGMENTS = (
    Placement("sums of a moving window are a correlation", windows_together, frozenset({INDEX}), True),
    Placement("shifts of one vector are a convolution", shifts_together, frozenset({PAD}), True),
    Placement("interleaved parts are a Kronecker product", interleaved, frozenset({KRON}), True),
    Placement("entries of a matrix", matrix_of_entries, frozenset({INDEX}), True),
    Placement("parts beside each other are a vector", parts_together, frozenset(), True),
    Placement("the middle of a convolution is a correlation", correlated, frozenset({INDEX, CONVOLUTION})),
    Placement("correlation with a vector between zeros", correlated_with_zeros, frozenset({PAD, CORRELATE})),
    Placement("differences of neighbours", difference_of_neighbours, frozenset({INDEX}), True),
    Placement("differences between zeros", padded_difference, frozenset({PAD, DIFF})),
)

"""Which entry of which array a statement reads: views are maps of indices, and need no memory of their own.

Z.T[i, j] is Z[j, i]; X[:, ::2][i, j] is X[i, 2 j].
"""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.rewriting import TermKind, kind

LARGEST = 2**62
"""Product of lengths up to which a view can be analysed."""


class Index(NamedTuple):
    """An index along one axis: `scale` times the index of a loop, plus `offset`; a fixed one without a loop."""

    loop: int | None
    """The position of the loop among those of the statement."""
    scale: int = 1
    offset: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether it is the index of a loop itself."""
        return self.loop is not None and self.scale == 1 and self.offset == 0


FIRST = Index(None, 0, 0)
"""The index along an axis of length 1."""


class Access(NamedTuple):
    """Entries of an array that has memory, or of an argument."""

    root: Term
    indices: tuple[Index, ...]


class AxisOfView(NamedTuple):
    """An axis of a view: the axis of the array that it runs along, or None, and its step."""

    axis: int | None
    step: int


class ViewMap(NamedTuple):
    """A view as a map of indices."""

    axes: tuple[AxisOfView, ...]
    offsets: tuple[int, ...]
    """The entry of the array where the view starts."""


def access(term: Term, indices: tuple[Index, ...]) -> Access:
    """Return what is read where a statement reads an entry of a term: views are looked through."""
    while term.op is not None and kind(term) is TermKind.VIEW and (view := view_map(term)) is not None:
        source = [Index(None, 0, offset) for offset in view.offsets]
        for (axis, step), index in zip(view.axes, indices, strict=True):
            if axis is not None:
                offset = source[axis].offset + step * index.offset
                source[axis] = Index(index.loop, step * index.scale if index.loop is not None else 0, offset)
        term, indices = term.args[0], tuple(source)
    return Access(term, indices)


def view_map(term: Term) -> ViewMap | None:
    """Return a view as a map of indices; None if it has none, as where axes are merged or a diagonal is taken."""
    term.notes = term.notes or {}
    if view_map not in term.notes:
        assert term.op is not None
        find = _of_reshape if term.op.has("reshapes") else _of_strides
        term.notes[view_map] = find(term)
    found: ViewMap | None = term.notes[view_map]
    return found


def _of_reshape(term: Term) -> ViewMap | None:
    """Match the axes that are longer than 1."""
    before, after = term.args[0].shape, term.shape
    long = [axis for axis, n in enumerate(before) if n != 1]
    if [before[axis] for axis in long] != [n for n in after if n != 1]:
        return None
    rest = iter(long)
    return ViewMap(tuple(AxisOfView(next(rest) if n != 1 else None, 1) for n in after), (0,) * len(before))


def _of_strides(term: Term) -> ViewMap | None:
    """Make the view of an array whose strides tell its axes apart, and look at the view's."""
    lengths = term.args[0].shape
    sizes = [2 * n + 1 for n in lengths]
    strides = [prod(sizes[axis + 1 :]) for axis in range(len(sizes))]
    if prod(sizes) > LARGEST or 0 in lengths or 0 in term.shape:
        return None
    array: Any = np.lib.stride_tricks.as_strided(np.zeros(1, "uint8"), lengths, strides, writeable=False)
    assert term.op is not None
    view = term.op.forward(array, **term.kwargs)  # no entry is read
    rest, offsets = _address(view) - _address(array), []
    for stride in strides:
        offset, rest = divmod(rest, stride)
        offsets.append(offset)
    axes = [_axis(stride if n > 1 else 0, strides) for n, stride in zip(view.shape, view.strides, strict=True)]
    return None if None in axes else ViewMap(tuple(axis for axis in axes if axis is not None), tuple(offsets))


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def _axis(stride: int, strides: list[int]) -> AxisOfView | None:
    """Return the axis that a stride runs along; None for several at once."""
    if stride == 0:
        return AxisOfView(None, 0)
    axis = next(axis for axis, unit in enumerate(strides) if unit <= abs(stride))
    return AxisOfView(axis, stride // strides[axis]) if stride % strides[axis] == 0 else None

"""Views are maps of indices: what a statement reads is what the view shows."""

import numpy as np
import pytest

from autotiny.algebra import constant, symbol
from autotiny.compiler.loops.accesses import Index, access, view_map

X = np.arange(2 * 5 * 4.0).reshape(2, 5, 4)
VIEWS = {
    "transposed": lambda x: np.transpose(x, (2, 0, 1)),
    "reversed": lambda x: x[:, ::-1],
    "every second, from the end": lambda x: x[1, 4:0:-2],
    "flipped": lambda x: np.flip(x, (0, 2)),
    "with new axes": lambda x: x[:, None, 1, ..., None],
    "repeated": lambda x: np.broadcast_to(x[:, :1, :], (2, 5, 4)),
    "one after another": lambda x: np.swapaxes(x[:, 1:4:2], 0, 2)[1:, ::-1],
    "without axes of length 1": lambda x: np.reshape(x[:1], (5, 4)),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_view_reads_the_entries_that_it_shows(view):
    term, shown = constant(view(symbol("x", X))), view(X)
    root, indices = access(term, tuple(map(Index, range(term.ndim))), frozenset())
    for place in np.ndindex(shown.shape):
        read = tuple(0 if i.loop is None else i.scale * place[i.loop] for i in indices)
        assert root.value[tuple(r + i.offset for r, i in zip(read, indices, strict=True))] == shown[place]


@pytest.mark.parametrize("view", [lambda x: np.reshape(x, (10, 4)), lambda x: np.ravel(x[:, ::2])])
def test_axes_that_are_merged_have_no_map(view):
    assert view_map(constant(view(symbol("x", X)))) is None

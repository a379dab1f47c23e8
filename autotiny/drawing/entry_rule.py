"""The chain rule of single entries: dJ/dx[k] = the sum over uses y of x and entries j of y of dJ/dy[j] dy[j]/dx[k].

The slopes dy[j]/dx[k] come from the gradient rule of the operation, which is linear in the gradient that arrives: they
are what it makes of a gradient that is 1 at one entry and 0 elsewhere.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.drawing.edge import used_by
from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.drawing.groups import Group
from autotiny.drawing.lines import results_within
from autotiny.engine.backward import Sweep, run_sweep
from autotiny.engine.broadcasting import fit
from autotiny.engine.gradients import sweep
from autotiny.engine.modes import Switch
from autotiny.engine.mutation import verified_order
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops.table import is_complex

Array = Any
ROUNDING = 1e3
"""The difference, in units of rounding, up to which terms add up to the contribution of the sweep."""


class Terms(NamedTuple):
    """The terms of one entry's contribution: at the entries `places` of y, in C order, `arriving` times `slopes`."""

    places: Array
    arriving: Array
    slopes: Array

    @property
    def products(self) -> Array:
        """The terms themselves."""
        return self.arriving * self.slopes


class Passage(NamedTuple):
    """How a gradient passes from a result y back to x, through an operation or through all operations of a line."""

    arriving: Any
    """dJ/dy."""
    contribution: Any
    """The amount that it adds to dJ/dx."""
    pull: Callable[[Any], Any]
    """A function that is linear in its argument, and makes the contribution of what arrives."""
    elementwise: bool = False
    """Whether what `pull` returns has the shape of y, each entry made of the one at its place."""
    operations: int = 1


def through_operation(graph: GraphView, use: tuple[NodeId, int]) -> Passage:
    """Return the passage from a result to its operand at a position."""
    node, position = use
    result, c = graph.values[node], graph.contributions[use]
    form, place = used_by(result, position)
    rule, x = next(itertools.islice(form.op.rules, place, None)), np.asarray(value_of(form.args[place]))
    y, args, elementwise = value_of(result), tuple(map(value_of, form.args)), form.op.has("elementwise")

    def pull(g: Any) -> Any:
        passed = rule(g, y, *args, **form.kwargs)
        return passed if elementwise else fit(passed if isinstance(passed, Tensor) else np.asarray(passed), x, form.op)

    return Passage(c.pulled, c.value, pull, elementwise)


def through_line(graph: GraphView, line: Group, node: NodeId, uses: Sequence[tuple[NodeId, int]]) -> Passage:
    """Return the passage from the result of a line to a value that its operations use."""
    assert line.result is not None
    x, y = graph.values[node], graph.values[line.result]
    within = [graph.values[each] for each in reversed(results_within(graph, line))]
    values = [graph.contributions[use].value for use in uses]
    alike = all(each.op.has("elementwise") and each.shape == x.shape for each in within)

    def pull(g: Any) -> Any:
        path, record = {x, *within}, isinstance(g, Tensor)
        done = run_sweep(within, lambda selection: Sweep({y: g}, path, record=record, selection=selection))
        return done.grads.get(x, np.zeros_like(x.value))

    total = sum(values[1:], values[0])
    return Passage(graph.gradients[line.result], total, pull, alike, len(within))


def entry_terms(passage: Passage, entries: Sequence[int]) -> list[Terms | None]:
    """Return, for each of these entries of x, in C order, the terms that its contribution is the sum of.

    Entries of the result at which no gradient arrives have no term. None for an entry that is no such sum: of complex
    numbers, of several outputs, and where a selection or a limit decides.
    """
    ends = passage.arriving, passage.contribution
    if any(is_complex(x) or not isinstance(x, np.ndarray | np.generic) for x in ends):
        return [None] * len(entries)
    g, contribution = map(np.ravel, ends)
    with np.errstate(all="ignore"):
        try:
            terms = [_arriving(g, *column) for column in _columns(passage, entries)]
        except Exception:  # a user's rule may do what cannot be recorded
            return [None] * len(entries)
        return [
            t if adds_up else None
            for t, adds_up in zip(terms, _add_up(terms, contribution[list(entries)]), strict=True)
        ]


def _arriving(g: Array, places: Array, slopes: Array) -> Terms:
    some = (g[places] != 0) & (slopes != 0)
    return Terms(places[some], g[places[some]], slopes[some])


def _add_up(terms: Sequence[Terms], contributions: Array) -> Array:
    """Return which sums are the contributions, up to rounding on the scale of the largest: slopes may cancel."""
    sums = np.array([np.sum(t.products, dtype=float) for t in terms])
    largest = max((float(np.sum(np.abs(t.products))) for t in terms), default=0.0)
    rounding = ROUNDING * float(np.finfo(contributions.dtype).eps) * largest
    return abs(sums - contributions) <= rounding + float(np.finfo(contributions.dtype).tiny)


# ----- the slopes, entry by entry -----
def _columns(passage: Passage, entries: Sequence[int]) -> Iterator[tuple[Array, Array]]:
    """Yield, for each entry k of x, the entries of the result that may depend on it, and their slopes."""
    shape, repeated = np.shape(passage.contribution), np.shape(passage.arriving)
    ones = np.ones(repeated, passage.contribution.dtype)
    if passage.elementwise:
        slopes = np.ravel(np.broadcast_to(passage.pull(ones), repeated))
        for k in entries:
            places = _repetitions(k, shape, repeated)
            yield places, slopes[places]
    elif not ones.size:
        yield from ((np.array([], int), ones.ravel()) for _ in entries)
    elif ones.size <= len(entries):
        rows = np.stack([np.ravel(passage.pull(g)) for g in _units(ones)])
        for k in entries:
            yield np.arange(ones.size), rows[:, k]
    else:
        yield from _transposed(passage.pull, ones, shape, entries)


def _repetitions(k: int, shape: tuple[int, ...], repeated: tuple[int, ...]) -> Array:
    """Return the entries of an array that broadcasting makes of entry k of another.

    >>> _repetitions(1, (2, 1), (2, 3)).tolist()
    [3, 4, 5]
    """
    if shape == repeated:
        return np.array([k])
    place = (0,) * (len(repeated) - len(shape)) + np.unravel_index(k, shape)
    lengths = (1,) * (len(repeated) - len(shape)) + shape
    along = [np.arange(n) if n != m else np.array([i]) for i, n, m in zip(place, repeated, lengths, strict=True)]
    return np.ravel_multi_index(np.ix_(*along), repeated).ravel() if repeated else np.array([0])


def _units(like: Array) -> Iterator[Array]:
    for j in range(like.size):
        unit = np.zeros_like(like)
        unit.flat[j] = 1
        yield unit


def _transposed(
    pull: Callable[[Any], Any], ones: Array, shape: tuple[int, ...], entries: Sequence[int]
) -> Iterator[tuple[Array, Array]]:
    """Yield the slopes of each entry from one record of the rule: the gradient of its entry k by what arrives."""
    places = np.arange(ones.size)
    with Switch("recording", True):
        g = Tensor(ones)
        recorded = pull(g)
    if not isinstance(recorded, Tensor) or not recorded.requires_grad:  # nothing passes
        yield from ((places, np.zeros(ones.size)) for _ in entries)
        return
    order = verified_order(recorded)
    for k in entries:
        unit = np.zeros(shape, recorded.dtype)
        unit.flat[k] = 1
        yield places, np.ravel(sweep(order, {recorded: unit}, [g]).get(g, np.zeros_like(ones)))

"""The chain rule of single entries: dJ/dx[k] = the sum over uses y of x and entries j of y of dJ/dy[j] dy[j]/dx[k].

The slopes dy[j]/dx[k] come from the gradient rule of the operation, which is linear in the gradient that arrives: they
are what it makes of a gradient that is 1 at one entry and 0 elsewhere.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.drawing.edge import used_by
from autotiny.drawing.graph_view import GraphView, NodeId
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


def entry_terms(graph: GraphView, use: tuple[NodeId, int], entries: Sequence[int]) -> list[Terms | None]:
    """Return, for each of these entries of an operand, in C order, the terms that its contribution is the sum of.

    Entries of the result at which no gradient arrives have no term. None for an entry that is no such sum: of complex
    numbers, of several outputs, and where a selection or a limit decides.
    """
    c = graph.contributions[use]
    if any(is_complex(x) or not isinstance(x, np.ndarray | np.generic) for x in (c.value, c.pulled)):
        return [None] * len(entries)
    g, contribution = np.ravel(c.pulled), np.ravel(c.value)
    with np.errstate(all="ignore"):
        try:
            terms = [_arriving(g, *column) for column in _columns(graph, use, entries)]
        except Exception:  # a user's rule may do what cannot be recorded
            return [None] * len(entries)
        return [t if _adds_up(t, contribution[k]) else None for k, t in zip(entries, terms, strict=True)]


def _arriving(g: Array, places: Array, slopes: Array) -> Terms:
    some = (g[places] != 0) & (slopes != 0)
    return Terms(places[some], g[places[some]], slopes[some])


def _adds_up(terms: Terms, contribution: Any) -> bool:
    products = terms.products.astype(float)
    rounding = ROUNDING * float(np.finfo(contribution.dtype).eps) * float(np.sum(np.abs(products)))
    tiny = float(np.finfo(contribution.dtype).tiny)
    return bool(abs(np.sum(products) - contribution) <= rounding + tiny)


# ----- the slopes, entry by entry -----
def _columns(graph: GraphView, use: tuple[NodeId, int], entries: Sequence[int]) -> Iterator[tuple[Array, Array]]:
    """Yield, for each entry k of the operand, the entries of the result that may depend on it, and their slopes."""
    node, position = use
    result: Tensor = graph.values[node]
    form, place = used_by(result, position)
    rule = next(itertools.islice(form.op.rules, place, None))
    x, shape = np.asarray(value_of(form.args[place])), result.shape
    y, args = value_of(result), tuple(map(value_of, form.args))

    def pull(g: Any) -> Any:
        return rule(g, y, *args, **form.kwargs)

    ones = np.ones(shape, graph.contributions[use].value.dtype)
    if form.op.has("elementwise"):
        slopes = np.ravel(np.broadcast_to(pull(ones), shape))
        for k in entries:
            places = _repetitions(k, x.shape, shape)
            yield places, slopes[places]
    elif ones.size <= len(entries):
        rows = np.stack([np.ravel(fit(np.asarray(pull(g)), x, form.op)) for g in _units(ones)])
        for k in entries:
            yield np.arange(ones.size), rows[:, k]
    else:
        yield from _transposed(lambda g: fit(pull(g), x, form.op), ones, x, entries)


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


def _transposed(pull: Any, ones: Array, x: Array, entries: Sequence[int]) -> Iterator[tuple[Array, Array]]:
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
        unit = np.zeros(x.shape, recorded.dtype)
        unit.flat[k] = 1
        yield places, np.ravel(sweep(order, {recorded: unit}, [g]).get(g, np.zeros_like(ones)))

"""The scopes and calls that the values of a graph were recorded in."""

import math
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import numpy as np

from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.engine.modes import CallMark, GradientMark, Mark
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor

OF_RESULTS = CallMark, GradientMark
"""The marks of results alone: parameters and the user's arrays are outside of them."""


def marks_of(graph: GraphView, shown: set[NodeId]) -> dict[NodeId, tuple[Mark, ...]]:
    """Return the scopes and calls around each value, outermost first.

    They are those that a result was recorded in; for a parameter the scopes, for a number all that its uses have in
    common.
    """
    paths: dict[NodeId, tuple[Mark, ...]] = {}
    for node in sorted(shown, reverse=True):
        value = graph.values[node]
        around = _common([paths[consumer] for consumer in graph.consumers[node] if consumer in paths])
        if isinstance(value, Tensor) and value.op is not None:
            paths[node] = _own_path(graph, value, around)
        elif _is_made_inside(graph, value, around):
            paths[node] = around
        elif np.ndim(value_of(value)) and not getattr(value, "requires_grad", False):
            paths[node] = ()  # data comes from outside
        else:
            paths[node] = tuple(takewhile(lambda mark: not isinstance(mark, OF_RESULTS), around))
    return paths


def _own_path(graph: GraphView, value: Tensor, around: tuple[Mark, ...]) -> tuple[Mark, ...]:
    own: tuple[Mark, ...] = getattr(value, "_scope", ())
    entered = tuple(mark for mark in own if mark.since == math.inf)
    later = takewhile(lambda mark: mark.since < value.number, around[len(entered) :])
    sweeps = (mark for mark in graph.sweeps if mark.since < value.number < mark.until)
    return entered + tuple(sorted({*own[len(entered) :], *later, *sweeps}, key=lambda mark: mark.since))


def _is_made_inside(graph: GraphView, value: Any, around: tuple[Mark, ...]) -> bool:
    """Whether a number or an array was made within a call or a sweep, or given to it without a name."""
    if isinstance(value, Tensor) or not any(isinstance(mark, OF_RESULTS) for mark in around):
        return False
    return np.size(value) == 1 or graph.names.users_name(value) is None


def _common(paths: Sequence[tuple[Mark, ...]]) -> tuple[Mark, ...]:
    shared: list[Mark] = []
    for marks in zip(*paths, strict=False):
        if any(mark is not marks[0] for mark in marks):
            break
        shared.append(marks[0])
    return tuple(shared)

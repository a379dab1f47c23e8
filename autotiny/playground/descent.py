"""Gradient descent on a page: the loss along one or two values, steps with momentum, and the decision boundary."""

import math
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from autotiny.engine import graph
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.language import Limits
from autotiny.nn.optimisers import Momentum
from autotiny.playground.charts import Run, chart, finite, kept_spans, numbers
from autotiny.playground.program import ProgramRun, recorded
from autotiny.playground.state import Array, PageState, PageValue, StateError, page_array, plain
from autotiny.plotting.section import Entry

Json = dict[str, Any]
MOST_STEPS, ENOUGH = 1000, 0.4
"""The largest number of steps of one answer, and the seconds after which an answer comes with the steps so far."""
DIGITS = 8
"""The digits of a value after a step: it becomes a part of the page's address."""
NO_LOSS = "there is nothing to descend yet: end with a single number that depends on a variable, such as sum(…)"
GRID, MOST_POINTS, SHADES = 36, 600, 9
FEWEST_EXAMPLES = 8


def descent(state: PageState, question: Json, limits: Limits) -> Json:
    """Take the steps that a question asks for, and show the loss around where they led.

    along : one or two numbers, [{"name", "place"}]; by default the first variable's entry of the largest gradient
    spans : the ranges to keep, as an earlier answer gave them
    steps, rate, momentum, velocity : v := momentum v + dJ/dW, W := W - rate v for every variable W
    """
    steps = _steps(question)
    walk = _walked(state, steps, limits) if steps.number else Walk(state, {}, [], [], "")
    run = recorded(walk.state, limits)
    if run.loss is None:
        return {"error": {"message": NO_LOSS}}
    entries = _entries(run, question.get("along"))
    again = _again(walk.state, entries, limits)
    return {
        "along": [{"name": entry.tensor.name, "place": list(entry.place)} for entry in entries],
        "chart": chart(run.loss, str(run.session.output), entries, kept_spans(question.get("spans"), entries), again),
        "loss": finite(float(run.loss.value.reshape(()))),
        "values": {name: plain(each.array) for name, each in walk.state.values.items() if not each.data},
        "velocity": walk.velocity,
        "losses": walk.losses,
        "trail": _trail(walk, entries),
        "stopped": walk.stopped,
        "boundary": boundary(run, walk.state),
    }


# ----- steps -----
class Steps(NamedTuple):
    """What a question asks for."""

    number: int
    optimiser: Momentum


def _steps(question: Json) -> Steps:
    count = question.get("steps", 0)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MOST_STEPS:
        raise StateError(f"steps: expected a whole number from 0 to {MOST_STEPS}; got {count!r:.40}")
    rate, momentum = _number(question.get("rate", 0.1), "rate"), _number(question.get("momentum", 0), "momentum")
    if not rate > 0:
        raise StateError(f"rate: expected a number above 0, such as 0.1; got {rate:g}")
    if not 0 <= momentum < 1:
        raise StateError(f"momentum: expected a number from 0 to below 1, such as 0.9; got {momentum:g}")
    optimiser, velocity = Momentum(rate, momentum), question.get("velocity") or {}
    if not isinstance(velocity, dict):
        raise StateError(f"velocity: expected an object; got {type(velocity).__name__}")
    optimiser.state.update({f"v.{name}": page_array(f"velocity of {name}", value) for name, value in velocity.items()})
    return Steps(count, optimiser)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise StateError(f"{name}: expected a number; got {value!r:.40}")
    return float(value)


class Walk(NamedTuple):
    """Steps that were taken: where they led, and the values and losses before each."""

    state: PageState
    velocity: Json
    losses: list[float | None]
    trail: list[Mapping[str, Array]]
    stopped: str


def _walked(state: PageState, steps: Steps, limits: Limits) -> Walk:
    """Take steps until there are enough, or the time is up, or the loss is no number any more."""
    end, losses, trail, stopped = time.monotonic() + ENOUGH, list[float | None](), list[Mapping[str, Array]](), ""
    optimiser = steps.optimiser
    for _ in range(steps.number):
        run = recorded(state, limits)
        if run.loss is None:
            break
        loss = finite(float(run.loss.value.reshape(())))
        moved = {
            name: _stepped(state.values[name], run.scope[name], optimiser, name) for name in _variables(state, run)
        }
        if loss is None or not all(np.isfinite(each.array).all() for each in moved.values()):
            stopped = f"stopped: the loss became too large after {len(losses)} steps; try a smaller rate"
            break
        losses.append(loss)
        trail.append({name: each.array for name, each in state.values.items()})
        state = state._replace(values={**state.values, **moved})
        if time.monotonic() > end:
            break
    velocity = {key.removeprefix("v."): plain(np.asarray(v)) for key, v in optimiser.state.items()}
    return Walk(state, velocity, losses, trail, stopped)


def _trail(walk: Walk, entries: list[Entry]) -> list[list[float | None]]:
    """What the numbers that vary were before each step; nothing where one is a result."""
    if not all(entry.tensor.name in walk.state.values for entry in entries):
        return []
    return [numbers(float(values[str(e.tensor.name)][e.place]) for e in entries) for values in walk.trail]


def _variables(state: PageState, run: ProgramRun) -> list[str]:
    return [name for name, each in state.values.items() if not each.data and name in run.tracked]


def _stepped(value: PageValue, x: Tensor, optimiser: Momentum, name: str) -> PageValue:
    before = optimiser.state.get(f"v.{name}")
    if before is not None and before.shape != value.array.shape:  # the shape was changed since
        del optimiser.state[f"v.{name}"]
    with np.errstate(all="ignore"):
        moved = value.array - optimiser.step(name, np.asarray(x.grad))
    return value._replace(array=_rounded(moved))


def _rounded(array: Array) -> Array:
    with np.errstate(all="ignore"):
        magnitude = np.floor(np.log10(np.where(array == 0, 1.0, np.abs(array))))
        scale = 10.0 ** np.clip(DIGITS - 1 - magnitude, -290, 290)
        return np.asarray(np.round(array * scale) / scale)


# ----- what varies -----
def _again(state: PageState, entries: list[Entry], limits: Limits) -> Run | None:
    """How to run the program at other values; None where a result varies, which the program computes itself."""
    if not all(entry.tensor.name in state.values for entry in entries):
        return None

    def run(numbers: tuple[float, ...]) -> tuple[float, tuple[float, ...]]:
        values = dict(state.values)
        for entry, number in zip(entries, numbers, strict=True):
            name = str(entry.tensor.name)
            values[name] = values[name]._replace(array=values[name].array.copy())
            values[name].array[entry.place] = number
        ran = recorded(state._replace(values=values), limits)
        if ran.loss is None:
            return math.nan, (math.nan,) * len(entries)
        slopes = (np.asarray(ran.scope[str(e.tensor.name)].grad, float)[e.place] for e in entries)
        return float(ran.loss.value.reshape(())), tuple(map(float, slopes))

    return run


def _entries(run: ProgramRun, along: Any) -> list[Entry]:
    if along is None or along == []:
        along = [_steepest(run, run.tracked[0])]
    if not isinstance(along, list) or not 1 <= len(along) <= 2:
        raise StateError("along: expected one or two numbers")
    entries = [_entry(run, each) for each in along]
    return entries[:1] if len(entries) == 2 and entries[0].name == entries[1].name else entries


def _steepest(run: ProgramRun, name: str) -> Json:
    """The entry of a value with the largest gradient, as what varies where a page chooses nothing."""
    sizes = np.nan_to_num(np.abs(np.asarray(run.scope[name].grad)))
    return {"name": name, "place": [int(i) for i in np.unravel_index(np.argmax(sizes), sizes.shape)]}


def _entry(run: ProgramRun, along: Any) -> Entry:
    name, place = (along.get(key) for key in ("name", "place")) if isinstance(along, dict) else (None, None)
    if not isinstance(place, list) or not all(isinstance(i, int) and i >= 0 for i in place):
        raise StateError("along: expected the name of a value and the place of an entry")
    tensor = run.scope.get(name) if isinstance(name, str) else None
    if not isinstance(tensor, Tensor) or name not in run.tracked or tensor is run.loss:
        raise StateError(f"along: {run.session.output} has no gradient by {name!r:.40}")
    if len(place) != tensor.ndim or any(i >= n for i, n in zip(place, tensor.shape, strict=True)):
        raise StateError(f"along: {name} has shape {tensor.shape}, and no entry {place}")
    return Entry(tensor, tuple(place), f"{name}[{', '.join(map(str, place))}]" if place else str(name))


# ----- the decision boundary -----
def boundary(run: ProgramRun, state: PageState) -> Json | None:
    """The class that the program gives every point of the plane, where its inputs are two numbers; else None.

    Inputs are data of two rows, a column per example; labels data with as many columns, and the prediction is the last
    value of the labels' shape that depends on the inputs and not on the labels.
    """
    found = next(_predictions(run, state), None)
    if found is None:
        return None
    X, Y, A = found
    points, labels = np.asarray(X.value), _classes(np.asarray(value_of(Y)))
    low, high = points.min(axis=1), points.max(axis=1)
    room = 0.1 * np.where(high > low, high - low, 1.0)
    across, up = (np.linspace(a, b, GRID) for a, b in zip(low - room, high + room, strict=True))
    grid = np.stack([np.tile(across, GRID), np.repeat(up, GRID)])
    try:
        scores = value_of(graph.replay(graph.topological_order(A), {X: grid})[A])
    except Exception:  # a program that only fits this number of examples
        return None
    scores = np.asarray(scores)
    if scores.shape[-1] != GRID**2 or not np.isfinite(scores).all():
        return None
    shown = slice(0, MOST_POINTS)
    return {
        "spans": [[float(across[0]), float(across[-1])], [float(up[0]), float(up[-1])]],
        "size": GRID,
        "classes": _classes(scores).tolist(),
        "shades": _certainty(scores).tolist(),
        "points": np.round(points.T[shown], 4).tolist(),
        "labels": labels[shown].tolist(),
        "right": finite(float(np.mean(_classes(np.asarray(A.value)) == labels))),
        "names": [f"{X.name}[0]", f"{X.name}[1]"],
    }


def _predictions(run: ProgramRun, state: PageState) -> Any:
    data = {name: run.scope[name] for name, each in state.values.items() if each.data}
    for X in data.values():
        shape = np.shape(value_of(X))
        if not isinstance(X, Tensor) or len(shape) != 2 or shape[0] != 2 or shape[1] < FEWEST_EXAMPLES:
            continue
        for Y in data.values():
            if Y is X or np.shape(value_of(Y))[-1:] != shape[1:] or not _are_labels(np.asarray(value_of(Y))):
                continue
            for A in reversed(list(run.scope.values())):
                if isinstance(A, Tensor) and A.shape == np.shape(value_of(Y)) and A.op is not None:
                    leaves = set(graph.topological_order(A))
                    if X in leaves and Y not in leaves:
                        yield X, Y, A


def _are_labels(Y: Any) -> bool:
    return bool(np.isin(Y, (-1, 0, 1)).all())


def _classes(scores: Any) -> Any:
    """The class of each column: of the largest score, or whether a single one is beyond the middle."""
    rows = scores.reshape(-1, scores.shape[-1])
    return np.argmax(rows, axis=0) if len(rows) > 1 else (rows[0] > _middle(rows[0])).astype(int)


def _certainty(scores: Any) -> Any:
    """How clear each column's class is, from 0 to SHADES."""
    rows = scores.reshape(-1, scores.shape[-1])
    if len(rows) > 1:
        best = np.sort(rows, axis=0)
        margin = best[-1] - best[-2]
    else:
        margin = np.abs(rows[0] - _middle(rows[0])) * (2 if _middle(rows[0]) else 1)
    return np.minimum(np.round(SHADES * np.minimum(margin, 1.0)), SHADES).astype(int)


def _middle(row: Any) -> float:
    return 0.5 if row.min() >= 0 and row.max() <= 1 else 0.0

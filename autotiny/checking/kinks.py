"""The gradients beside a kink, and the directions in which what is tied stays tied.

A point is moved along a direction v, and the recorded graph is differentiated there. `hull` uses the result if the
numeric derivative along v confirms it: f'(x; v) = <g, v>.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.checking.replaying import Replay
from autotiny.diagnosis.graph import with_value
from autotiny.engine.gradients import sweep
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import made_by
from autotiny.engine.recording import new_node, value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops import Op
from autotiny.ops.table import SMOOTHNESS

Array = NDArray[Any]

DISTANCE = 2.0**-24
"""How far the point is moved, relative to its entries: far above rounding, far below anything that matters."""

JUMP = DISTANCE**0.5
"""The smallest change of an operation's derivative that counts as a jump."""


# ----- gradients beside the point -----
class Beside:
    """The graph of a replay, differentiated at points beside that of x."""

    def __init__(self, replay: Replay) -> None:
        self.replay, self.point = replay, np.asarray(replay.x.value, float)
        output = replay.output
        self.seed = np.broadcast_to(replay.weights, output.shape).astype(output.dtype)[()]

    def gradient(self, direction: Array) -> Array:
        """Return the gradient at x + a little of the direction."""
        values = self.replay.values(self.point.astype(self.replay.real) + DISTANCE * direction)
        x = self.replay.x
        copies = {x: Tensor(x.value)}
        with np.errstate(all="ignore"):
            for node in self.replay.nodes:
                copies[node] = self._copy(node, copies, values)
            output = copies[self.replay.output]
            swept = sweep(verified_order(output), {output: self.seed}, [copies[x]])
        return np.asarray(swept.get(copies[x], np.zeros(x.shape)), float)

    def _copy(self, node: Tensor, copies: dict[Tensor, Tensor], values: dict[Tensor, Any]) -> Tensor:
        """Copy an operation; one that has a kink is differentiated where its operands have moved."""
        op, args = made_by(node), tuple(copies.get(arg, arg) if type(arg) is Tensor else arg for arg in node.args)
        order = self.replay.sorts.get(node)
        if order is not None:
            key = order.key_at(values.get(node.args[0], node.args[0]))
            return new_node(Tensor, op, args, {"key": key}, node.value)
        moved = moved_operands(node, values) if may_jump(op) else None
        if moved is None:
            return new_node(Tensor, op, args, node.kwargs, node.value)
        seen = tuple(
            with_value(new, value) if type(new) is Tensor else new for new, value in zip(args, moved, strict=True)
        )
        y = op.forward(*moved, **node.kwargs)
        return with_value(new_node(Tensor, op, seen, node.kwargs, y), node.value)


def may_jump(op: Op) -> bool:
    """Whether the derivative of an operation may jump: it is known to, or nothing is known."""
    return op.has("kinked") or op.traits.isdisjoint(SMOOTHNESS)


def moved_operands(node: Tensor, values: Mapping[Tensor, Any]) -> list[Any] | None:
    """Return the operands of an operation, moved where that changes its derivative by a jump; None if nowhere."""
    here = [value_of(arg) for arg in node.args]
    there = [np.asarray(values.get(arg, value_of(arg)), float)[()] if type(arg) is Tensor else arg for arg in node.args]
    y = made_by(node).forward(*there, **node.kwargs)
    jumps = np.zeros(node.shape, bool)
    for i, arg in enumerate(node.args):
        if type(arg) is Tensor and arg in values:
            change = abs(slope(node, i, y, there) - slope(node, i, node.value, here))
            jumps = jumps | ~(change <= JUMP) if change.shape == node.shape else ~(change <= JUMP)
    if not np.any(jumps):
        return None
    return [b if np.shape(b) != jumps.shape else np.where(jumps, b, a) for a, b in zip(here, there, strict=True)]


def slope(node: Tensor, position: int, y: Any, args: Sequence[Any]) -> Array:
    """Return what an operand receives where 1 arrives at each entry of the result."""
    rule = rules_of(node)[position]
    return np.asarray(rule(np.ones(np.shape(y)), y, *args, **node.kwargs))


def rules_of(node: Tensor) -> list[Any]:
    """Return a rule for each operand."""
    return [rule for rule, _ in zip(made_by(node).rules, node.args, strict=False)]


def shares_of(node: Tensor, position: int) -> Array:
    """Return the share of its result's gradient that each entry of an operand receives."""
    return slope(node, position, node.value, [value_of(arg) for arg in node.args])


# ----- directions in which ties move together -----
def tie_directions(replay: Replay, rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """Yield, for each operation that ties, a direction in which its ties move together, and a number for each tie.

    With the weight w of each tie and the slope c of its entries by those of x, the direction is w / c.
    """
    for node in replay.nodes:
        seeds = list(_tied(node, replay, rng))
        if seeds:
            weighed, slopes = (sum(_pulled(operand, seed[i], replay.x) for operand, *seed in seeds) for i in (0, 1))
            with np.errstate(all="ignore"):
                ties = np.where(slopes != 0, weighed / slopes, 0.0)
                direction = np.where(slopes != 0, ties / slopes, 0.0)
            if np.all(np.isfinite(direction)) and np.any(direction):
                yield direction, np.round(ties, 9)


def _tied(node: Tensor, replay: Replay, rng: np.random.Generator) -> Iterator[tuple[Tensor, Array, Array]]:
    """Yield the operands of an operation that ties, with the weight of its tie for each entry, and 1."""
    order = replay.sorts.get(node)
    if order is not None:
        (operand,) = node.args
        weights = np.zeros(operand.shape)
        weights[order.key] = _line_weights(order.groups, order.axis, rng)
        yield operand, weights, np.ones(operand.shape)
    elif may_jump(made_by(node)):
        weights = rng.uniform(1, 2, node.shape)
        shares = {i: shares_of(node, i) for i, arg in enumerate(node.args) if type(arg) is Tensor and arg.requires_grad}
        if not any(np.any((share > 0) & (share < 1)) for share in shares.values()):
            return
        for i, share in shares.items():
            operand, rule = node.args[i], rules_of(node)[i]
            if operand.shape == share.shape:
                weighed = rule(weights, node.value, *map(value_of, node.args), **node.kwargs)
                taken = share > 0
                yield operand, np.where(taken, weighed / np.where(taken, share, 1), 0.0), taken.astype(float)


def _line_weights(groups: Array, axis: int, rng: np.random.Generator) -> Array:
    """Draw a number for each tie of each line along an axis."""
    table = rng.uniform(1, 2, groups.shape)
    return np.asarray(np.take_along_axis(table, groups, axis=axis))


def _pulled(operand: Tensor, seed: Array, x: Tensor) -> Array:
    with np.errstate(all="ignore"):
        swept = sweep(verified_order(operand), {operand: seed.astype(operand.dtype)}, [x]) if operand is not x else {}
    return np.asarray(seed if operand is x else swept.get(x, np.zeros(x.shape)), float)

"""How far rounding may move a gradient: every value of the graph is moved by part of its last place, several times.

What such a graph's gradient differs by from the recorded one is what a right formula, evaluated in another order, may
differ by (D. Parker, "Monte Carlo arithmetic", 1997).  Operations with kinks see the values that were recorded, so that
nothing changes sides.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.diagnosis.copies import with_value
from autotiny.engine.gradients import sweep
from autotiny.engine.graph import topological_order
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import made_by
from autotiny.engine.recording import evaluate, new_node, value_of
from autotiny.engine.tensor import Tensor

SAMPLES = 4


def moved_gradients(
    output: Tensor, tensors: Sequence[Tensor], seed: Any, samples: int = SAMPLES
) -> dict[Tensor, list[Any]]:
    """For each tensor, the gradients that it has in graphs whose every value is moved by up to one rounding."""
    order = topological_order(output)
    drawn = []
    for number in range(samples):
        copies = moved(order, np.random.default_rng(number))
        copy = copies[output]
        found = sweep(verified_order(copy), {copy: seed}, [copies[x] for x in tensors])
        drawn.append([found.get(copies[x], np.zeros_like(x.value)) for x in tensors])
    return {x: [np.asarray(sample[i]) for sample in drawn] for i, x in enumerate(tensors)}


def moved(order: Sequence[Tensor], rng: np.random.Generator) -> dict[Tensor, Tensor]:
    """A copy of a graph on moved values."""
    copies: dict[Tensor, Tensor] = {}
    with np.errstate(all="ignore"):
        for node in order:
            copies[node] = _leaf(node, rng) if node.op is None else _result(node, copies, rng)
    return copies


def jitter(value: Any, rng: np.random.Generator) -> Any:
    """Floating-point values, each moved by up to one rounding; anything else as it is."""
    dtype = getattr(value, "dtype", None)
    if dtype is None or dtype.kind != "f":
        return value
    moved = value * (1 + np.finfo(dtype).eps * rng.uniform(-1, 1, np.shape(value)))
    return np.asarray(moved).astype(dtype)[()]


def _leaf(node: Tensor, rng: np.random.Generator) -> Tensor:
    return Tensor(jitter(node.value, rng), requires_grad=node.requires_grad)


def _result(node: Tensor, copies: Mapping[Tensor, Tensor], rng: np.random.Generator) -> Tensor:
    op = made_by(node)
    args = tuple(copies[arg] if type(arg) is Tensor else jitter(arg, rng) for arg in node.args)
    value = evaluate(op, args, node.kwargs, value_of)
    if not op.has("kinked"):
        return new_node(Tensor, op, args, node.kwargs, jitter(value, rng))
    seen = tuple(
        with_value(new, arg.value) if type(arg) is Tensor else arg for arg, new in zip(node.args, args, strict=True)
    )
    return with_value(new_node(Tensor, op, seen, node.kwargs, node.value), value)

"""Sums that are means, missing, or over the wrong axis."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autotiny.diagnosis.hypotheses import Hypothesis, Subject, is_elementwise
from autotiny.diagnosis.slips import Pull
from autotiny.diagnosis.values import Array
from autotiny.engine.node import made_by
from autotiny.engine.tensor import Tensor


def wrong_sum(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Average where a gradient is summed, take one entry of a sum, or sum over other axes."""
    operand = node.args[i]
    if made_by(node).name == "matmul" and not subject.example_axes(operand):
        for axis in subject.example_axes(node):
            for index in (0, node.shape[axis] - 1):
                yield _of_example(node, i, axis, index)
    axes = _broadcast_axes(node, operand)
    if axes:
        yield from _of_broadcast(subject, node, i, axes)


def mean_for_sum(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Average where the loss sums."""
    if made_by(node).name == "sum" and node.args[i].size > node.size:
        yield _averaged(subject, node, i)


def _averaged(subject: Subject, node: Tensor, i: int) -> Hypothesis:
    operand, axis = node.args[i], node.kwargs.get("axis")
    n, over = operand.size / node.size, "" if axis is None else f" over axis {axis}"
    return Hypothesis(
        {(node, i): lambda pull: pull.rule() / n},
        lambda: (f"with the mean{over} of {subject.labels.name(operand)} in place of the sum", "do not divide"),
    )


def _of_example(node: Tensor, i: int, axis: int, index: int) -> Hypothesis:
    """Let one example alone contribute to a product that sums over the examples."""
    chosen = np.zeros(node.shape)
    chosen[(slice(None),) * axis + (index,)] = 1
    text = f"of example {index} alone"
    return Hypothesis(
        {(node, i): lambda pull: pull.rule(pull.g * chosen)}, lambda: (text, "a missing sum over the examples?")
    )


def _broadcast_axes(node: Tensor, operand: Tensor) -> tuple[int, ...]:
    """Return the axes that an operand is repeated along."""
    if not is_elementwise(node) or operand.shape == node.shape:
        return ()
    lead = node.ndim - operand.ndim
    return tuple([k for k in range(node.ndim) if k < lead or operand.shape[k - lead] < node.shape[k]])


def _of_broadcast(subject: Subject, node: Tensor, i: int, axes: tuple[int, ...]) -> Iterator[Hypothesis]:
    """The gradient of what was repeated is a sum."""
    operand, where = node.args[i], f"axis {', '.join(map(str, axes))}"

    def slip(reduce: Callable[[Array], Any]) -> Callable[[Pull], Any]:
        return lambda pull: reduce(np.broadcast_to(np.asarray(pull.rule()), node.shape)).reshape(operand.shape)

    def d() -> str:
        return f"d{subject.labels.name(node)}"

    yield Hypothesis(
        {(node, i): slip(lambda raw: np.mean(raw, axis=axes))},
        lambda: (f"with the mean over {where} of {d()} in place of the sum", "do not divide"),
    )
    if operand.size > 1:
        yield Hypothesis(
            {(node, i): slip(lambda raw: np.full(operand.shape, np.sum(raw)))},
            lambda: (f"with the sum of all of {d()} in every entry", f"sum over {where} alone"),
        )
    if len(axes) == 1:
        for k in range(node.ndim):
            if k not in axes and node.size // node.shape[k] == operand.size:
                yield _over_axis(subject, node, i, k, slip(partial(np.sum, axis=k)), where)
        last = node.shape[axes[0]] - 1
        for index in (0, last) if last else ():
            one = slip(partial(np.take, indices=index, axis=axes[0]))
            yield _of_one(subject, node, i, axes[0], index, one)


def _over_axis(subject: Subject, node: Tensor, i: int, k: int, slip: Callable[[Pull], Any], where: str) -> Hypothesis:
    def words() -> tuple[str, str]:
        return f"with the sum over axis {k} of d{subject.labels.name(node)} in place of {where}", f"sum over {where}"

    return Hypothesis({(node, i): slip}, words)


def _of_one(subject: Subject, node: Tensor, i: int, axis: int, index: int, slip: Callable[[Pull], Any]) -> Hypothesis:
    is_batch = axis in subject.example_axes(node) or node.args[i] is subject.sweep.x
    text = f"of example {index} alone" if is_batch else f"of entry {index} along axis {axis} alone"
    batch = ", the batch" if is_batch else ""
    return Hypothesis({(node, i): slip}, lambda: (text, f"a missing sum over axis {axis}{batch}?"))

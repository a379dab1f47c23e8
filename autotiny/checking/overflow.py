"""Values that overflowed on the way from a tensor to the loss: a gradient through one is never verified."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from autotiny.checking.subject import Subject
from autotiny.engine.graph import leading_to, topological_order
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.selection import Selection
from autotiny.engine.tensor import Tensor
from autotiny.notation.numbers import short_number

MEND = "at.log_softmax, at.logsumexp and at.cross_entropy keep to finite numbers, as do smaller operands"


def overflow(subject: Subject, x: Tensor) -> str | None:
    """Return in words what overflowed on the way from x to the output; None if nothing did."""
    order = topological_order(subject.output)
    dependent = leading_to(order, [x])
    lost = bool(np.any(np.isinf(subject.output.value)))
    overflowed = [node for node in order if node.op is not None and node in dependent and _overflowed(node)]
    if not overflowed:
        return None
    taken = Selection(verified_order(subject.output), {subject.output: None}).taken
    return next((_in_words(node, subject, lost) for node in overflowed if lost or _is_taken(node, taken)), None)


def _overflowed(node: Tensor) -> bool:
    """Whether an operation made infinity of finite operands."""
    value = np.asarray(node.value)
    if value.dtype.kind not in "fc" or np.all(np.isfinite(value)):
        return False
    infinite = np.isinf(value)
    operands = [np.asarray(value_of(arg)) for arg in node.args]
    if made_by(node).has("elementwise"):
        for operand in operands:
            if operand.dtype.kind in "fc":
                infinite = infinite & np.isfinite(operand)
        return bool(np.any(infinite))
    return bool(np.any(infinite)) and all(np.all(np.isfinite(operand)) for operand in operands)


def _is_taken(node: Tensor, taken: Mapping[Any, Any]) -> bool:
    """Whether the output depends on an entry that overflowed, neither left out by a selection nor by a stable form."""
    if node not in taken:
        return False
    infinite, mask = np.isinf(node.value), taken[node]
    return bool(np.any(infinite if mask is None else infinite & mask))


def _in_words(node: Tensor, subject: Subject, lost: bool) -> str:
    value, output = np.asarray(node.value), np.asarray(subject.output.value)
    index = tuple(int(i) for i in np.argwhere(np.isinf(value))[0])
    place = f" at {list(index)}" if index else ""
    where = f"{made_by(node).name} gave {short_number(value[index], 3)}{place}"
    if lost:
        loss = f"{subject.names_of_all[subject.output]} = {short_number(output[np.isinf(output)][0], 3)}"
        return f"the loss overflowed: {loss}, where {where}; nothing can be verified here: {MEND}"
    return f"{where}, on the way to the loss; a gradient through it cannot be verified: {MEND}"

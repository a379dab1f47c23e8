"""Steps of a loop that are left out, or mixed up: the truncation of backpropagation through time.

A tensor that is used in the same way several times, such as the weights of a recurrent network, has a gradient that is
a sum over the steps.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autotiny.diagnosis.hypotheses import Hypothesis, Subject, words
from autotiny.diagnosis.rows.operands import with_operand
from autotiny.diagnosis.rows.paths import nothing
from autotiny.diagnosis.slips import Edge, Slip
from autotiny.engine.graph import topological_order
from autotiny.engine.node import made_by
from autotiny.engine.tensor import Tensor


def some_steps(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Sum over some of the steps, or with the other operand of a neighbouring step."""
    steps = _steps(subject, node, i)
    if not _is_loop(steps) or steps[-1][0] is not node:
        return
    n = len(steps)
    mend = f"sum over all {n} steps"
    yield _without(steps[1:], "of the first step alone", mend)
    yield _without(steps[:-1], "of the last step alone", mend)
    for last in range(2, n):
        yield _without(steps[:-last], f"of the last {last} of {n} steps alone", mend)
    if made_by(node).name == "matmul":
        for shift, name in ((1, "before"), (-1, "after")):
            yield from _shifted(subject, steps, shift, name)


def _steps(subject: Subject, node: Tensor, i: int) -> list[Edge]:
    """Return the edges to x that are like this one, in the order of the steps."""
    if node.args[i] is not subject.sweep.x:
        return []
    op, shape = made_by(node), node.shape
    alike = [(u, j) for u, j in subject.sweep.users[node.args[i]] if j == i and made_by(u) is op and u.shape == shape]
    return sorted(alike, key=lambda edge: edge[0].number)


def _is_loop(steps: list[Edge]) -> bool:
    """Whether operations are three or more sums or products of matrices, or two of which one needs the other."""
    if len(steps) == 2 and made_by(steps[0][0]).name == "matmul":
        return steps[0][0] in set(topological_order(steps[1][0]))
    return len(steps) > 2 and made_by(steps[0][0]).name in ("matmul", "add")


def _without(steps: list[Edge], clause: str, mend: str) -> Hypothesis:
    return Hypothesis(dict.fromkeys(steps, nothing), words(clause, mend), kind="steps")


def _shifted(subject: Subject, steps: list[Edge], shift: int, name: str) -> Iterator[Hypothesis]:
    """Pair what arrives at each step with the operand of the step before or after; at the end, with none or in turn."""
    n, i = len(steps), steps[0][1]
    others: list[Any] = [step.args[1 - i] for step, _ in steps]
    if any(np.shape(other) != np.shape(others[0]) for other in others):
        return
    clause = words(f"with the operand of the step {name} in each step", "off by one?")
    turned: dict[Edge, Slip] = {
        edge: partial(with_operand, 1 - i, others[(k - shift) % n]) for k, edge in enumerate(steps)
    }
    end, following = steps[0 if shift > 0 else -1], _following(subject, steps, others)
    yield Hypothesis(turned, clause, kind="steps")
    yield Hypothesis({**turned, end: nothing}, clause, kind="steps")
    if shift < 0 and following is not None and following.shape == np.shape(others[0]):
        yield Hypothesis({**turned, end: partial(with_operand, 1 - i, following)}, clause, kind="steps")


def _following(subject: Subject, steps: list[Edge], others: list[Any]) -> Tensor | None:
    """Return what a step after the last one would have as its operand, in a recurrence."""
    node, last = steps[0][0], steps[-1][0]
    while node is not others[1]:
        users, last_users = (subject.sweep.users.get(each, []) for each in (node, last))
        if len(users) != 1 or not last_users:
            return None
        node, last = users[0][0], min(last_users, key=lambda edge: edge[0].number)[0]
    return last

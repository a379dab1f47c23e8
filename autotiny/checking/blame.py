"""Each operation of a graph by itself: its rule, with a random gradient arriving, against numbers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autotiny.checking.report import Report
from autotiny.checking.subject import Subject
from autotiny.engine.graph import leading_to, names, topological_order
from autotiny.engine.node import NO_OPTIONS, Node, made_by
from autotiny.engine.recording import evaluate, is_stable_log, new_node, value_of
from autotiny.engine.tensor import Tensor


@dataclass(frozen=True, eq=False, repr=False)
class Blame:
    """The first operation whose rule is wrong, or none.

    op : its name, None where every rule is right
    name : the tensor that it made
    operand : which of its operands' gradients is wrong
    line : the user's line that recorded it, known under at.debug()
    report : the operation by itself, its operands by position
    checked : how many operations were looked at
    """

    op: str | None
    name: str | None
    operand: int | None
    line: str | None
    report: Report | None
    checked: int

    def __bool__(self) -> bool:
        return self.op is not None

    def __repr__(self) -> str:
        if self.op is None:
            return f"every rule is right: {self.checked} operations were checked by themselves"
        where = f", at {self.line}" if self.line else "; record it under at.debug() to know the line"
        return f"the rule of {self.op} for operand {self.operand} is wrong: it made {self.name}{where}\n{self.report!r}"


def blame(subject: Subject) -> Blame:
    """Check the operations that the gradients in question passed through, operands first, on their recorded values."""
    order = topological_order(subject.output)
    called = subject.called or names(order, {known: x for x, known in subject.names.items()})
    dependent = leading_to(order, subject.names)
    checked = 0
    for node in order:
        if node.op is None or node not in dependent:
            continue
        checked += 1
        for report in _reports(node, checked):
            wrong = next(row for row in report.rows if not row.ok)
            line = (node._notes or {}).get("line")
            return Blame(made_by(node).name, called[node], int(wrong.name.split()[1]), line, report, checked)
    return Blame(None, None, None, None, None, checked)


def _reports(node: Tensor, seed: int) -> Iterator[Report]:
    """The report on an operation, if a rule of it is wrong."""
    from autotiny.checking.comparison import examine

    copy, operands = alone(node)
    u = np.random.default_rng(seed).uniform(0.5, 1.5, copy.shape) * np.random.default_rng(seed).choice(
        [-1, 1], copy.shape
    )
    subject = Subject(copy, {x: f"operand {i}" for i, x in operands.items()}, u.astype(copy.dtype))
    report = examine(subject, dict.fromkeys(operands.values()))
    if any(row.outlier == "autograd" for row in report.rows):
        yield report


def alone(node: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
    """The same operation on leaves of its operands' values, and those of them that are tracked, by position.

    The logarithm of an exponential keeps the exponential, since its rule passes it by.
    """
    op = made_by(node)
    if is_stable_log(op, node.args):
        inner, operands = alone(node.args[0])
        return new_node(Tensor, op, (inner,), NO_OPTIONS, node.value), operands
    args = tuple(
        Tensor(arg.value, requires_grad=arg.requires_grad) if isinstance(arg, Node) else arg for arg in node.args
    )
    copy = new_node(Tensor, op, args, node.kwargs, evaluate(op, args, node.kwargs, value_of))
    return copy, {i: arg for i, arg in enumerate(args) if isinstance(arg, Tensor) and arg.requires_grad}

"""Paths of the chain rule that are missing, counted twice, or of the wrong sign."""

from collections.abc import Iterator

import numpy as np

from autotiny.diagnosis.hypotheses import SUMS, Hypothesis, Subject
from autotiny.diagnosis.slips import Pull
from autotiny.engine.node import made_by
from autotiny.engine.tensor import Tensor


def nothing(pull: Pull) -> np.ndarray:
    """Pass no gradient on."""
    return np.zeros_like(pull.operand.value)


def path(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Leave out the contribution of one operation to one operand, or scale it."""
    yield Hypothesis(
        {(node, i): nothing},
        lambda: (path_name(subject, node, i), ""),
        scales=True,
        named=subject.labels.is_named(_place(subject, node, i)),
    )


def _place(subject: Subject, node: Tensor, i: int) -> Tensor:
    """Return the tensor that a path is named by: the operand, but the operation where the operand has other uses."""
    operand: Tensor = node.args[i]
    is_addend = operand is subject.sweep.x and made_by(node).name in SUMS
    return operand if is_addend or (len(subject.sweep.users[operand]) == 1 and operand is not subject.sweep.x) else node


def path_name(subject: Subject, node: Tensor, i: int) -> str:
    """Return the name of the path from an operation to an operand: a term of the product rule, an addend."""
    labels, op, operand = subject.labels, made_by(node).name, node.args[i]
    dependent = [arg for arg in node.args if isinstance(arg, Tensor) and arg in subject.sweep.users]
    name = labels.name(operand)
    if len(dependent) > 1 and op in ("multiply", "matmul"):
        return f"the term of the product rule in {labels.name(node)} that differentiates {name}"
    if len(dependent) > 1 and op == "divide":
        part = "numerator" if i == 0 else "denominator"
        return f"the term of the quotient rule in {labels.name(node)} that differentiates the {part} {name}"
    if operand is subject.sweep.x and op in ("add", "subtract"):
        return f"the path through {'-' if op == 'subtract' and i == 1 else '+'} {name}"
    return f"the term through {labels.name(_place(subject, node, i))}"

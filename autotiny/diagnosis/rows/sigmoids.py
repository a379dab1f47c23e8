"""Softmax and the sigmoid, as operations and written out: their derivatives forgotten, repeated, or in part."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autotiny.algebra.writing import as_text
from autotiny.diagnosis.hypotheses import Hypothesis, Subject
from autotiny.diagnosis.rows.derivatives import WRONG_DERIVATIVES, Derivative, arrives
from autotiny.diagnosis.slips import Pull
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops.activations import sigmoid

ALL_CLASSES = "each entry depends on all: subtract the sum over the classes"


# ----- softmax -----
def diagonal_softmax(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Take the diagonal s (1 - s) of softmax's Jacobian alone, or multiply by it once more, or leave a term out."""
    op = made_by(node).name
    if op == "softmax":
        s = node.value

        def name() -> str:
            return subject.labels.name(node)

        yield Hypothesis({(node, i): lambda pull: pull.g * s * (1 - s)}, lambda: _diagonal(name()))
        yield Hypothesis(
            {(node, i): lambda pull: pull.g * s},
            lambda: (f"without the sum over the classes in softmax's derivative at {name()}", "subtract it"),
        )
        yield Hypothesis({(node, i): arrives}, lambda: (f"without the derivative of softmax at {name()}", "forgotten?"))
    elif op == "log_softmax":
        s = np.exp(node.value)

        def name() -> str:
            return f"softmax({subject.labels.name(node.args[i])})"

        yield Hypothesis({(node, i): lambda pull: pull.g * (1 - s)}, lambda: _diagonal(name()))
    else:
        return
    yield Hypothesis({(node, i): lambda pull: pull.rule() * s * (1 - s)}, lambda: _once_more(name()))


def _diagonal(name: str) -> tuple[str, str]:
    return f"with {name} * (1 - {name}), the diagonal of softmax's Jacobian, alone", ALL_CLASSES


def _once_more(name: str) -> tuple[str, str]:
    return f"times {name} * (1 - {name})", "softmax's derivative is in it already"


def written_softmax(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """The same for a softmax that is written out as E / sum(E)."""
    a = _quotient_by_own_sum(subject, node)
    if a is None:
        return
    e, s, total = a.args[0], a.value, a.value / value_of(a.args[0])

    def alone(pull: Pull) -> Any:
        return -pull.gradients[a] * s * total

    yield Hypothesis({(node, i): alone}, lambda: _diagonal(subject.labels.name(a)))
    if e.op is not None and made_by(e).name == "exp":
        edges = subject.sweep.users.get(e.args[0], [])
        yield Hypothesis(
            dict.fromkeys(edges, lambda pull: pull.rule() * s * (1 - s)), lambda: _once_more(subject.labels.name(a))
        )


def _quotient_by_own_sum(subject: Subject, node: Tensor) -> Tensor | None:
    """Return E / sum(E) for the sum."""
    users = subject.sweep.users.get(node, [])
    if made_by(node).name != "sum" or len(users) != 1:
        return None
    quotient, position = users[0]
    is_own = made_by(quotient).name == "divide" and position == 1 and _is_same(quotient.args[0], node.args[0])
    return quotient if is_own else None


def _is_same(e: Any, other: Any) -> bool:
    """Whether two tensors are one, or the exponentials of one."""
    exponentials = all(isinstance(x, Tensor) and x.op is not None and made_by(x).name == "exp" for x in (e, other))
    return e is other or (exponentials and e.args[0] is other.args[0])


# ----- sigmoids -----
def sigmoid_loss(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Multiply the gradient of a loss at its logits by the derivative of the sigmoid, which is in it already."""
    if made_by(node).name == "logistic_loss" and i == 0:
        s = sigmoid(np.asarray(value_of(node.args[0])))
        yield Hypothesis({(node, i): lambda pull: pull.rule() * s * (1 - s)}, lambda: _sigmoid_again(subject, node))


def _sigmoid_again(subject: Subject, node: Tensor) -> tuple[str, str]:
    name = f"sigmoid({subject.labels.name(node.args[0])})"
    return f"times {name} * (1 - {name})", "the sigmoid's derivative is in it already"


def written_sigmoid(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Forget or repeat the derivative of 1 / (1 + exp(-z)), or misremember it."""
    a = _sigmoid_of(subject, node)
    if a is None:
        return
    y = a.value

    def right() -> str:
        name = subject.labels.name(a)
        return f"{name} * (1 - {name})"

    def instead_of(wrong: Derivative) -> tuple[str, str]:
        term = subject.labels.term(a)
        return f"with {as_text(wrong(term, term))} in place of {right()}", "the derivative of the sigmoid"

    yield Hypothesis(
        {(node, i): lambda pull: pull.gradients[a]},
        lambda: (
            f"without the factor {right()}",
            "forgotten? the derivative of the sigmoid is missing, multiply by it",
        ),
    )
    yield Hypothesis(
        {(node, i): lambda pull: pull.rule() * y * (1 - y)},
        lambda: (
            f"with the factor {right()} twice",
            "multiply by it once: the derivative of the sigmoid is in it already",
        ),
    )
    for wrong in WRONG_DERIVATIVES["sigmoid"]:
        yield Hypothesis({(node, i): _of_sigmoid(a, wrong)}, partial(instead_of, wrong))


def _of_sigmoid(a: Tensor, wrong: Derivative) -> Callable[[Pull], Any]:
    return lambda pull: pull.gradients[a] * wrong(a.value, a.value)


def _sigmoid_of(subject: Subject, node: Tensor) -> Tensor | None:
    """Return 1 / (1 + exp(-z)) for the operation that makes -z, if that is all that it is used for."""
    if made_by(node).name != "negative":
        return None
    for name in ("exp", "add", "divide"):
        users = subject.sweep.users.get(node, [])
        if len(users) != 1 or made_by(users[0][0]).name != name:
            return None
        node, position = users[0]
        others = [arg for k, arg in enumerate(node.args) if k != position]
        is_one = all(np.ndim(arg) == 0 and value_of(arg) == 1 for arg in others)
        if not is_one or (name == "divide" and position != 1):
            return None
    return node

"""Derivatives of elementwise operations that are forgotten, inverted, applied twice or misremembered."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autotiny.algebra.normalise import normalise
from autotiny.algebra.term import Term, constant
from autotiny.algebra.writing import as_text
from autotiny.diagnosis.formula import described, stop_condition
from autotiny.diagnosis.hypotheses import (
    SUMS,
    Hypothesis,
    Subject,
    activation_name,
    factor_text,
    is_curve,
    is_elementwise,
    is_multiple,
    is_product,
)
from autotiny.diagnosis.slips import Pull
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor


def arrives(pull: Pull) -> Any:
    """Pass on what arrives, without the derivative."""
    return pull.g


def missing_derivative(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Forget the derivative of an elementwise operation: g for g f'(x)."""
    if is_elementwise(node) and made_by(node).name not in SUMS and not is_multiple(node):
        yield Hypothesis({(node, i): arrives}, lambda: _without_derivative(subject, node, i))


def missing_number(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Forget a number that an operation multiplies or divides by."""
    if is_multiple(node):
        yield Hypothesis({(node, i): arrives}, lambda: _without_derivative(subject, node, i))


def missing_inner(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Forget the inner derivative of f(u(x)), where u takes several steps: f'(u) for f'(u) u'(x)."""
    operand, inner = node.args[i], node
    if operand is not subject.sweep.x and not subject.labels.is_named(operand):
        return
    while True:
        users = subject.sweep.users.get(inner, [])
        if len(users) != 1 or not is_elementwise(users[0][0]) or users[0][0].shape != operand.shape:
            return
        if inner is not node and is_curve(users[0][0]):
            yield Hypothesis({(node, i): partial(_of, inner)}, partial(_without_inner, subject, inner, operand))
        if subject.labels.is_named(inner):
            return
        inner = users[0][0]


def _of(node: Tensor, pull: Pull) -> Any:
    return pull.gradients[node]


def _without_inner(subject: Subject, inner: Tensor, operand: Tensor) -> tuple[str, str]:
    name = f"{subject.labels.name(inner)} by {subject.labels.name(operand)}"
    return f"without the inner derivative, that of {name}", "forgotten? the chain rule multiplies by it"


def _without_derivative(subject: Subject, node: Tensor, i: int) -> tuple[str, str]:
    labels, derivative = subject.labels, subject.labels.derivative(node, i)
    what = f"the derivative of {activation_name(node)}"
    if derivative is None:
        return f"without {what}", f"forgotten? multiply by it, at {labels.name(node)}"
    if is_product(node):
        return f"without {described(derivative)}", "forgotten? multiply by it"
    at = f" at {labels.name(node)}" if labels.is_named(node) else ""
    return f"without {described(derivative)}", f"forgotten? {what}{at} is missing, multiply by it"


def inverted_mask(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Let through what a mask stops, and stop what it lets through."""
    if made_by(node).has("selects") and is_elementwise(node):
        yield Hypothesis({(node, i): lambda pull: pull.g - pull.rule()}, lambda: _inverted(subject, node, i))


def _inverted(subject: Subject, node: Tensor, i: int) -> tuple[str, str]:
    mask = subject.labels.derivative(node, i)
    if mask is None:
        return f"with the mask of {activation_name(node)} inverted", "let through what it stops"
    stop = stop_condition(mask)
    wrong = f"1[{stop[0]}]" if stop else f"1 - {factor_text(mask)}"
    return f"with the mask {wrong} in place of {factor_text(mask)}", "it is inverted"


def twice(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Multiply by a derivative twice."""
    if is_elementwise(node) and made_by(node).name not in SUMS:
        yield Hypothesis({(node, i): lambda pull: pull.rule(pull.rule())}, lambda: _twice(subject, node, i))


def _twice(subject: Subject, node: Tensor, i: int) -> tuple[str, str]:
    derivative = subject.labels.derivative(node, i)
    what = f"the derivative of {activation_name(node)}" if derivative is None else described(derivative)
    return f"with {what} twice", "multiply by it once"


# ----- derivatives that are misremembered -----
Derivative = Callable[[Any, Any], Any]
WRONG_DERIVATIVES: dict[str, tuple[Derivative, ...]] = {
    "tanh": (
        lambda y, x: 1 - y,
        lambda y, x: 1 + y**2,
        lambda y, x: y * (1 - y),
        lambda y, x: y**2 - 1,
        lambda y, x: y,
    ),
    "sigmoid": (
        lambda y, x: 1 - y,
        lambda y, x: y,
        lambda y, x: y * (1 + y),
        lambda y, x: 1 - y**2,
        lambda y, x: y * (y - 1),
    ),
    "exp": (lambda y, x: x * y, lambda y, x: x),
    "log": (lambda y, x: x, lambda y, x: y, lambda y, x: 1 / x**2),
    "log2": (lambda y, x: 1 / x,),
    "log10": (lambda y, x: 1 / x,),
    "log1p": (lambda y, x: 1 / x,),
    "sqrt": (lambda y, x: 1 / y, lambda y, x: y / 2, lambda y, x: 2 / y),
    "sin": (lambda y, x: -np.cos(x), lambda y, x: y, lambda y, x: -y),
    "cos": (lambda y, x: np.sin(x), lambda y, x: y, lambda y, x: -y),
    "tan": (lambda y, x: 1 + y, lambda y, x: np.cos(x) ** 2),
    "sinh": (lambda y, x: -np.cosh(x), lambda y, x: y),
    "cosh": (lambda y, x: -np.sinh(x), lambda y, x: y),
    "arctan": (lambda y, x: 1 / (1 + x), lambda y, x: 1 / (1 - x**2)),
    "square": (lambda y, x: x, lambda y, x: y, lambda y, x: 2 * y),
}
"""Derivatives f'(x) of y = f(x) that are often stated, and are wrong."""

WRONG_POWERS: tuple[Callable[[Any, Any], Any], ...] = (
    lambda x, n: x ** (n - 1),
    lambda x, n: n * x**n,
    lambda x, n: n * x ** (n + 1),
    lambda x, n: n * x ** (n - 2),
    lambda x, n: x**n,
    lambda x, n: (n - 1) * x ** (n - 1),
    lambda x, n: (n + 1) * x ** (n - 1),
)
"""The same of xⁿ."""

WRONG_QUOTIENTS: tuple[Callable[[Any, Any], Any], ...] = (
    lambda a, b: a / b**2,
    lambda a, b: -a / b,
    lambda a, b: -1 / b**2,
    lambda a, b: a / b,
)
"""The same of a / b by b."""


def wrong_derivative(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Misremember a derivative."""
    name = made_by(node).name
    for curve in WRONG_DERIVATIVES.get(name, ()):
        yield _misremembered(subject, node, i, curve)
    if name == "power" and i == 0 and np.ndim(node.args[1]) == 0:
        for power in WRONG_POWERS:
            yield _misremembered(subject, node, i, partial(_of_power, power, value_of(node.args[1])))
    if name == "divide" and i == 1:
        for quotient in WRONG_QUOTIENTS:
            yield _misremembered(subject, node, i, partial(_of_quotient, quotient, subject, node.args[0]))


def _of_power(power: Callable[[Any, Any], Any], n: Any, y: Any, x: Any) -> Any:
    return power(x, n)


def _of_quotient(quotient: Callable[[Any, Any], Any], subject: Subject, a: Any, y: Any, x: Any) -> Any:
    return quotient(subject.labels.term(a) if isinstance(x, Term) else value_of(a), x)


def _misremembered(subject: Subject, node: Tensor, i: int, wrong: Derivative) -> Hypothesis:
    def slip(pull: Pull) -> Any:
        return pull.g * wrong(pull.node.value, value_of(pull.operand))

    def words() -> tuple[str, str]:
        labels = subject.labels
        text = as_text(normalise(constant(wrong(labels.term(node), labels.term(node.args[i])))))
        right = labels.derivative(node, i)
        if right is None:
            return f"with {text} in place of the derivative of {labels.name(node)}", ""
        return (
            f"with {text} in place of {factor_text(right)}",
            f"the derivative of {activation_name(node)} at {labels.name(node)} is {factor_text(right)}",
        )

    return Hypothesis(
        {(node, i): slip}, words, kind="factor" if made_by(node).name in ("sqrt", "log2", "log10") else ""
    )


def derivative_in_place(
    subject: Subject, node: Tensor, i: int, operands: dict[int, Any], y: Any
) -> tuple[str, str] | None:
    """Return the words for a derivative at other values; None if it cannot be written."""
    if not is_curve(node):
        return None
    labels = subject.labels
    wrong, right = labels.derivative(node, i, operands, y), labels.derivative(node, i)
    if wrong is None or right is None:
        return None
    mend = f"the derivative of {activation_name(node)} at {labels.name(node)} is {factor_text(right)}"
    return f"with {described(wrong)} in place of {factor_text(right)}", mend

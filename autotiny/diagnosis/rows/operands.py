"""Derivatives with another tensor, or with a transpose, in the place of an operand."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autotiny.diagnosis.hypotheses import SUMS, Hypothesis, Subject, is_curve, is_elementwise, words
from autotiny.diagnosis.rows.derivatives import derivative_in_place
from autotiny.diagnosis.slips import Pull
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor

TRANSPOSE = "a .T is missing, or is one too many"


def other_operand(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Compute a derivative with another tensor of the same shape, or with the transpose, in place of an operand."""
    if made_by(node).name in SUMS:
        return
    for q, arg in enumerate(node.args):
        shape = np.shape(arg)
        if len(shape) >= 2 and shape[-1] == shape[-2] and not is_elementwise(node):
            yield _with_transpose(subject, node, i, q)
        for other in subject.alike.get(shape, []):
            if other is not arg and other is not node:
                yield Hypothesis(
                    {(node, i): partial(with_operand, q, other)},
                    partial(_in_place, subject, node, i, q, other),
                    named=subject.labels.is_named(other),
                )
    for other in subject.alike.get(node.shape, []) if is_curve(node) else ():
        if other is not node:
            yield Hypothesis(
                {(node, i): partial(_with_result, other)},
                partial(_in_place, subject, node, i, None, other),
                named=subject.labels.is_named(other),
            )


def with_operand(q: int, other: Any, pull: Pull) -> Any:
    """Return what the rule gives with another value for the operand at a position."""
    args = pull.args
    args[q] = value_of(other)
    return pull.rule(args=args)


def _with_result(other: Any, pull: Pull) -> Any:
    return pull.rule(y=value_of(other))


def _in_place(subject: Subject, node: Tensor, i: int, q: int | None, other: Any) -> tuple[str, str]:
    operands, y = ({}, other) if q is None else ({q: other}, None)
    place = node if q is None else node.args[q]
    name, right = subject.labels.name(other), subject.labels.name(place)
    known = derivative_in_place(subject, node, i, operands, y) if made_by(node).has("activation") else None
    return (f"with {name} in place of {right}", "") if known is None else known


def _with_transpose(subject: Subject, node: Tensor, i: int, q: int) -> Hypothesis:
    def slip(pull: Pull) -> Any:
        args = pull.args
        args[q] = np.swapaxes(args[q], -1, -2)
        return pull.rule(args=args)

    name = subject.labels.name(node.args[q])
    if made_by(node).name == "matmul" and q != i:
        return Hypothesis({(node, i): slip}, words(f"with {name} in place of {name}ᵀ", "a .T is missing"))
    return Hypothesis({(node, i): slip}, words(f"with {name} transposed", TRANSPOSE))


# ----- products of matrices -----
def transposed_product(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Transpose what arrives at a product of matrices, or what it passes on; or swap the factors."""
    if made_by(node).name != "matmul" or node.ndim < 2:
        return
    other, operand, labels = node.args[1 - i], np.shape(node.args[i]), subject.labels
    if node.shape[-1] == node.shape[-2]:
        yield Hypothesis(
            {(node, i): lambda pull: pull.rule(np.swapaxes(pull.g, -1, -2))},
            lambda: (f"with d{labels.name(node)} transposed", TRANSPOSE),
        )
    if len(operand) >= 2 and operand[-1] == operand[-2]:
        yield Hypothesis(
            {(node, i): lambda pull: np.swapaxes(pull.rule(), -1, -2)},
            lambda: (f"with d{labels.name(node.args[i])} transposed", TRANSPOSE),
        )
    if np.ndim(other) >= 2 and np.shape(other) == operand == node.shape and operand[-1] == operand[-2]:
        yield Hypothesis({(node, i): _swapped}, lambda: _swapped_words(subject, node, i))


def _swapped(pull: Pull) -> Any:
    b = np.swapaxes(value_of(pull.node.args[1 - pull.position]), -1, -2)
    return b @ pull.g if pull.position == 0 else pull.g @ b


def _swapped_words(subject: Subject, node: Tensor, i: int) -> tuple[str, str]:
    d, name = f"d{subject.labels.name(node)}", f"{subject.labels.name(node.args[1 - i])}ᵀ"
    wrong, right = (f"{name} {d}", f"{d} {name}") if i == 0 else (f"{d} {name}", f"{name} {d}")
    return f"with {wrong} in place of {right}", "the factors are swapped"

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
        if isinstance(arg, Tensor) and arg.op is not None and made_by(arg).name == "matmul" and q != i:
            yield from _with_factor_transposed(subject, node, i, q)
        for other in subject.alike.get(shape, []):
            if other is not arg and other is not node and not _is_transpose(arg, other):
                yield Hypothesis(
                    {(node, i): partial(with_operand, q, other)},
                    partial(_in_place, subject, node, i, q, other),
                    named=subject.labels.is_named(other),
                    kind="operand",
                )
    for other in subject.alike.get(node.shape, []) if is_curve(node) else ():
        if other is not node:
            yield Hypothesis(
                {(node, i): partial(_with_result, other)},
                partial(_in_place, subject, node, i, None, other),
                named=subject.labels.is_named(other),
                kind="operand",
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

    def words() -> tuple[str, str]:
        name = subject.labels.name(node.args[q])
        wrong, right = (name, f"{name}ᵀ") if not name.endswith("ᵀ") else (name, name[:-1])
        is_factor = made_by(node).name == "matmul" and q != i
        return (f"with {wrong} in place of {right}" if is_factor else f"with {name} transposed"), TRANSPOSE

    return Hypothesis({(node, i): slip}, words)


def _is_transpose(a: Any, b: Any) -> bool:
    """Whether one of two tensors is recorded as the transpose of the other."""
    return any(
        isinstance(x, Tensor) and x.op is not None and made_by(x).name == "transpose" and x.args[0] is y
        for x, y in ((a, b), (b, a))
    )


def _with_factor_transposed(subject: Subject, node: Tensor, i: int, q: int) -> Iterator[Hypothesis]:
    """Read A x for Aᵀ x where an operand is a product with a square matrix: right for a symmetric one alone."""
    product = node.args[q]
    for k, factor in enumerate(product.args):
        value = value_of(factor)
        if np.ndim(value) == 2 and value.shape[0] == value.shape[1] and not np.array_equal(value, value.T):
            args = [value.T if j == k else value_of(arg) for j, arg in enumerate(product.args)]
            name = subject.labels.name(factor)
            yield Hypothesis(
                {(node, i): partial(with_operand, q, made_by(product).forward(*args))},
                words(
                    f"with {name} and {name}ᵀ confused in {subject.labels.name(product)}", f"{name} is not symmetric"
                ),
            )


# ----- products of matrices -----
def transposed_product(subject: Subject, node: Tensor, i: int) -> Iterator[Hypothesis]:
    """Transpose what arrives at a product of matrices, or what it passes on; or swap the factors."""
    if made_by(node).name != "matmul" or node.ndim < 2:
        return
    other, operand, labels = node.args[1 - i], np.shape(node.args[i]), subject.labels
    if node.shape[-1] == node.shape[-2]:
        yield Hypothesis(
            {(node, i): lambda pull: pull.rule(np.swapaxes(pull.g, -1, -2))},
            lambda: (f"with d({labels.name(node)}) transposed", TRANSPOSE),
        )
    if len(operand) >= 2 and operand[-1] == operand[-2]:
        yield Hypothesis(
            {(node, i): lambda pull: np.swapaxes(pull.rule(), -1, -2)},
            lambda: (f"with d({labels.name(node.args[i])}) transposed", TRANSPOSE),
        )
    if np.ndim(other) >= 2 and np.shape(other) == operand == node.shape and operand[-1] == operand[-2]:
        yield Hypothesis({(node, i): _swapped}, lambda: _swapped_words(subject, node, i))


def _swapped(pull: Pull) -> Any:
    b = np.swapaxes(value_of(pull.node.args[1 - pull.position]), -1, -2)
    return b @ pull.g if pull.position == 0 else pull.g @ b


def _swapped_words(subject: Subject, node: Tensor, i: int) -> tuple[str, str]:
    d, name = f"d({subject.labels.name(node)})", f"{subject.labels.name(node.args[1 - i])}ᵀ"
    wrong, right = (f"{name} {d}", f"{d} {name}") if i == 0 else (f"{d} {name}", f"{name} {d}")
    return f"with {wrong} in place of {right}", "the factors are swapped"

"""Mistakes with whole parameters: the gradient of another one, decay that the loss lacks, updates that come early."""

from collections.abc import Mapping
from functools import partial
from typing import Protocol

import numpy as np

from autotiny.diagnosis.hypotheses import Subject, sentence
from autotiny.diagnosis.rows.operands import with_operand
from autotiny.diagnosis.slips import Edge, Slip, SlipSweep
from autotiny.diagnosis.values import Array, factor, same
from autotiny.engine.node import made_by
from autotiny.engine.tensor import Tensor
from autotiny.notation.numbers import short_number


class Trial(Protocol):
    """A stated gradient that is to be explained."""

    subject: Subject
    sweep: SlipSweep
    stated: Array
    right: Array

    @property
    def parameters(self) -> set[Tensor]:
        """The tracked leaves of the graph."""

    def explains(self, candidate: Array) -> bool:
        """Whether a gradient is the stated one."""

    def confirmed(self, slips: Mapping[Edge, Slip]) -> bool:
        """Whether slips reproduce the stated gradient."""

    def proportional(self, slips: Mapping[Edge, Slip]) -> float | None:
        """Return the number t for which t times the change by these slips explains the gradient."""


def of_another(search: Trial) -> list[str]:
    """Return the sentence of the gradient of another tensor."""
    x, labels = search.sweep.x, search.subject.labels
    for other in search.subject.alike.get(x.shape, []) if x.size > 1 else ():
        is_other = isinstance(other, Tensor) and other.requires_grad and other is not x and labels.is_named(other)
        if is_other and same(search.stated, search.sweep.gradient_of(other)):
            return [f"the gradient of {labels.name(other)}, not that of {labels.name(x)}"]
    return []


def decay(search: Trial) -> list[str]:
    """Return the sentence of a multiple of a parameter that is added, as by the decay of a weight."""
    x, labels = search.sweep.x, search.subject.labels
    alike = search.subject.alike.get(x.shape, [])
    tensors = [each for each in alike if isinstance(each, Tensor) and each in search.parameters]
    for each in (x, *tensors) if x.size > 1 else ():
        c = factor(search.stated - search.right, np.asarray(each.value))
        if c is not None and is_chosen(search, abs(c)) and search.explains(search.right + c * each.value):
            name, sign = labels.name(each), "plus" if c > 0 else "minus"
            amount = search.subject.number_text(abs(c))
            return [sentence(f"{sign} {amount} {name}", f"weight decay of {name}, which the loss does not have")]
    return []


def is_chosen(search: Trial, c: float) -> bool:
    """Whether a number is made of named ones, or has few digits: one that somebody chose."""
    return not search.subject.number_text(c)[0].isdigit() or abs(float(f"{c:.2g}") / c - 1) < 1e-9


def updated(search: Trial) -> list[str]:
    """Return the sentence of a parameter, or of all, that was updated before it was used."""
    labels, reading = search.subject.labels, readers(search) if search.stated.size > 2 else {}
    early: dict[Tensor, Array] = {tensor: search.sweep.gradient_of(tensor) for tensor in reading}
    for tensor, edges in reading.items():
        slips = {(node, i): partial(with_operand, q, tensor.value - early[tensor]) for node, i, q in edges}
        rate = search.proportional(slips)
        if rate is not None and rate > 0:
            name, step = labels.name(tensor), short_number(rate, 6)
            text = f"with {name} - {step} d{name} in place of {name}"
            return [sentence(text, f"{name} was updated too early: compute all gradients first")]
    for rate in rates(search) if len(reading) > 1 else ():
        slips = {
            (node, i): partial(with_operand, q, tensor.value - rate * early[tensor])
            for tensor, edges in reading.items()
            for node, i, q in edges
        }
        if search.confirmed(slips):
            names = " and ".join(labels.name(tensor) for tensor in reading)
            mend = "compute all gradients before any update"
            return [sentence(f"with {names} updated by {short_number(rate, 6)} times their gradients", mend)]
    return []


def rates(search: Trial) -> list[float]:
    """Rates of learning: the small numbers that have a name, and common ones."""
    named = [v for v in search.subject.labels.scope.values() if isinstance(v, float) and 0 < v <= 1]
    return list(dict.fromkeys([*named, 1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.01, 0.001]))


def without_eps(search: Trial) -> list[str]:
    """Return the sentence of a small number, such as eps, that is added and left out in the gradient."""
    for node in search.sweep.order:
        if node.op is None or made_by(node).name != "add":
            continue
        small = [arg for arg in node.args if np.ndim(arg) == 0 and not isinstance(arg, Tensor) and 0 < abs(arg) < 0.1]
        rest = [arg for arg in node.args if isinstance(arg, Tensor) and arg in search.sweep.users]
        if small and rest and search.explains(search.sweep.gradient_with(node, rest[0])):
            labels = search.subject.labels
            eps = labels.name(small[0])
            return [sentence(f"with {labels.name(rest[0])} in place of {labels.name(node)}", f"{eps} is missing")]
    return []


def readers(search: Trial) -> dict[Tensor, list[tuple[Tensor, int, int]]]:
    """Return the edges whose rule reads a parameter, with its position among the operands, by the parameter."""
    readers: dict[Tensor, list[tuple[Tensor, int, int]]] = {}
    for node, i in search.sweep.edges:
        for q, arg in enumerate(node.args):
            if (
                isinstance(arg, Tensor)
                and arg.op is None
                and arg.requires_grad
                and q != i
                and arg is not search.sweep.x
            ):
                readers.setdefault(arg, []).append((node, i, q))
    return readers

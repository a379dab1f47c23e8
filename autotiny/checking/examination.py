"""The examination of a subject: for each of its tensors, three gradients, a verdict, and what the error looks like."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.checking.numeric import Array, Calling, Numeric, gather
from autotiny.checking.replaying import Replay
from autotiny.checking.row import Row
from autotiny.checking.subject import Subject
from autotiny.checking.verdict import apart, eps_of, judge, rounding_spread, tolerance
from autotiny.diagnosis import GraphContext, diagnose, same, way_to_shape
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import ShapeError, UnsupportedError


def examine(
    subject: Subject, stated: Mapping[Tensor, Any], numbers: Mapping[Tensor, Calling] | None = None
) -> list[Row]:
    """Return a row for each tensor of a subject, with a closed form for some of them, None for others.

    `numbers` are used in place of the replay where they are given.
    """
    moved = subject.moved_gradients()
    rows = []
    for x, autograd in subject.gradients().items():
        analytic, moved_by = _stated(subject.names[x], stated[x], autograd), rounding_spread(autograd, moved[x])
        numeric = numbers[x] if numbers else _replayed(subject, x, moved_by / eps_of(autograd))
        doubts = np.zeros(autograd.shape) if analytic is None else apart(analytic, autograd)
        if analytic is not None:
            doubts = np.where(doubts > tolerance(analytic, moved_by, eps_of(autograd)), doubts, 0)
        row = judge(subject.names[x], analytic, autograd, gather(numeric, autograd, doubts, moved[x]), moved_by)
        rows.append(replace(row, notes=tuple(_notes(subject, x, row))))
    return rows


def _replayed(subject: Subject, x: Tensor, conditioning: float) -> Numeric:
    return Numeric(Replay(x, subject.output, 1.0 if subject.weights is None else subject.weights), conditioning)


def _stated(name: str, stated: Any, autograd: Array) -> Array | None:
    """Return a closed form as an array of floating-point numbers; raise where it cannot be the gradient."""
    if stated is None:
        return None
    analytic = np.asarray(value_of(stated))
    if analytic.dtype.kind not in "biuf":
        raise UnsupportedError(f"compare: expected the closed form of {name} as numbers; got {analytic.dtype}")
    if analytic.shape != autograd.shape:
        mend = way_to_shape(analytic.shape, autograd.shape)
        raise ShapeError(f"compare: {name} is {autograd.shape}, and its closed form is {analytic.shape}{mend}")
    return analytic if analytic.dtype.kind == "f" else analytic.astype(float)


def _notes(subject: Subject, x: Tensor, row: Row) -> Iterator[str]:
    """Yield sentences that say what the error of a row looks like."""
    if row.at_kink:
        assert row.sides is not None
        left, right = float(row.sides.left), float(row.sides.right)
        place = f"a kink at {list(row.index)}"
        yield f"{place}: {left:.6g} to its left, {right:.6g} to its right, and any value between them is right"
    if row.outlier == "analytic" and row.analytic is not None:
        context = GraphContext(subject.output, subject.seed, x, subject.names_of_all)
        mistake = diagnose(row.analytic, row.autograd, context)
        if mistake:
            yield mistake
    if row.outlier == "autograd":
        if row.analytic is not None and same(row.analytic, row.autograd):
            yield "the closed form shares autograd's error"
        yield "report.blame() looks for the operation whose rule is wrong"
    if row.outlier == "undecided":
        reason = "the difference is below its noise" if row.explained_by_noise else "it has no precise number there"
        yield f"the numeric side cannot tell: {reason}"

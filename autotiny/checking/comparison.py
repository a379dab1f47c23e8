"""A gradient derived by hand, held against autograd's, and both against the numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.checking.evidence import Array, gather
from autotiny.checking.mistakes import recognised
from autotiny.checking.numeric import Calling, Numeric
from autotiny.checking.replaying import Replay
from autotiny.checking.report import Report
from autotiny.checking.subject import Finder, Subject
from autotiny.checking.verdict import apart, eps_of, judge, spread, tolerance
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import ShapeError, UnsupportedError

ClosedForm = Mapping[str, Any] | Mapping[Tensor, Any] | Mapping[str | Tensor, Any]


def compare(loss: Tensor, closed_form: ClosedForm, *, wrt: Iterable[Tensor | str] = ()) -> Report:
    """Hold gradients derived by hand against those that autograd finds, and both against numeric ones.

    error = max |analytic - autograd| / max(|analytic|, |autograd|)

    `loss` is a recorded number. `closed_form` gives dJ/dx, an array of x's shape, by the tensor x or its name; x may be
    a result on the way, such as Z2. `wrt` adds tensors without a closed form. The numbers come from replaying the graph
    from x on; masks, as in np.where(x > 0, ...), are constants of it. Nobody's `.grad` is touched. A textbook that
    keeps 1/m out of dZ states m dJ/dZ.

    The report says for each tensor which side is wrong, if one is: further from the numeric derivative than its noise
    and rounding explain (see `verdict`). At a kink any value between the left and the right derivative is right.

    Raises UnknownTensorError for a name that the graph does not have, ShapeError where shapes do not fit and
    UnsupportedError for what has no gradient.

    >>> import autotiny as at
    >>> W, x = at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), np.array([1.0, 0.5])
    >>> y = np.sum((W @ x) ** 2)
    >>> at.compare(y, {W: 2 * np.outer(W.data @ x, x)})["W"].error
    0.0
    >>> at.compare(y, {W: np.outer(W.data @ x, x)})["W"].notes
    ('analytic is exactly 0.5 x autograd: a missing factor of 2?',)
    """
    _expect_number(loss)
    wrt = [wrt] if isinstance(wrt, str | Tensor) else list(wrt)
    if not closed_form and not wrt:
        raise UnsupportedError("compare: there is no closed form to compare; give some, as in {'W1': dW1}")
    finder = Finder(loss)
    stated: dict[Tensor, Any] = {}
    names: dict[Tensor, str] = {}
    for key, value in [*closed_form.items(), *((key, None) for key in wrt)]:
        x = finder.find(key)
        if x in stated and value is not None:
            raise UnsupportedError(f"compare: {finder.names[x]} has two closed forms, under its name and as a tensor")
        stated.setdefault(x, value)
        names.setdefault(x, key if isinstance(key, str) else finder.names[x])
    return examine(Subject(loss, names, called=finder.names), stated)


def examine(subject: Subject, stated: Mapping[Tensor, Any], numbers: Mapping[Tensor, Calling] | None = None) -> Report:
    """The report on a subject, with a closed form for some of its tensors, None for others.

    `numbers` stand in for the replay where there are any.
    """
    gradients, moved, rows = subject.gradients(), subject.moved(), []
    for x, autograd in gradients.items():
        analytic, moved_by = _stated(subject.names[x], stated[x], autograd), spread(autograd, moved[x])
        numeric = numbers[x] if numbers else _replayed(subject, x, moved_by / eps_of(autograd))
        doubts = np.zeros(autograd.shape) if analytic is None else apart(analytic, autograd)
        if analytic is not None:
            doubts = np.where(doubts > tolerance(analytic, moved_by, eps_of(autograd)), doubts, 0)
        row = judge(subject.names[x], analytic, autograd, gather(numeric, autograd, doubts, moved[x]), moved_by)
        rows.append(replace(row, notes=tuple(recognised(subject, x, row))))
    return Report(rows, subject)


def _replayed(subject: Subject, x: Tensor, conditioning: float) -> Numeric:
    return Numeric(Replay(x, subject.output, 1.0 if subject.weights is None else subject.weights), conditioning)


def _expect_number(loss: Any) -> None:
    if not isinstance(loss, Tensor):
        raise UnsupportedError(f"compare: expected the loss as a Tensor; got {type(loss).__name__}, which has no graph")
    if loss.size != 1:
        raise ShapeError(f"compare: the loss must be a single number; it has shape {loss.shape}: take its sum or mean")


def _stated(name: str, stated: Any, autograd: Array) -> Array | None:
    if stated is None:
        return None
    analytic = np.asarray(value_of(stated))
    if analytic.dtype.kind not in "biuf":
        raise UnsupportedError(f"compare: expected the closed form of {name} as numbers; got {analytic.dtype}")
    if analytic.shape != autograd.shape:
        mend = _mend(analytic.shape, autograd.shape)
        raise ShapeError(f"compare: {name} is {autograd.shape}, and its closed form is {analytic.shape}{mend}")
    return analytic if analytic.dtype.kind == "f" else analytic.astype(float)


def _mend(stated: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if stated == expected[::-1]:
        return ": transpose it"
    if [n for n in stated if n != 1] == [n for n in expected if n != 1]:
        return ": reshape it, or sum with keepdims=True"
    if len(stated) == len(expected) and all(n in (1, m) for n, m in zip(expected, stated, strict=True)):
        axes = [i for i, (n, m) in enumerate(zip(expected, stated, strict=True)) if n != m]
        return f": sum it over axis {', '.join(map(str, axes))}, the batch, with keepdims=True"
    return ""

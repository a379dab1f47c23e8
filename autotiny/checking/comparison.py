"""A gradient derived by hand, held against autograd's."""

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from autotiny import describe, graph
from autotiny.backprop import seed, sweep
from autotiny.checking.report import Array, Report, Row
from autotiny.errors import AutotinyError, ShapeError, UnsupportedError
from autotiny.recording import value_of
from autotiny.stale import checked_order
from autotiny.tensor import Tensor

ClosedForm = Mapping[str, Any] | Mapping[Tensor, Any] | Mapping[str | Tensor, Any]


class UnknownTensorError(AutotinyError, LookupError):
    """A name or a tensor that the graph of the loss does not have."""


def compare(loss: Tensor, closed_form: ClosedForm) -> Report:
    """Hold gradients derived by hand against those that autograd finds.

    error = max |analytic - autograd| / max(|analytic|, |autograd|)

    `loss` is a recorded number. `closed_form` gives dJ/dx, an array of x's shape, by the tensor x or its name; x may be
    a result on the way, such as Z2. Nobody's `.grad` is touched. A textbook that keeps 1/m out of dZ states m dJ/dZ.

    Raises UnknownTensorError for a name that the graph does not have, ShapeError where shapes do not fit and
    UnsupportedError for what has no gradient.

    >>> import autotiny as at
    >>> W, x = at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), np.array([1.0, 0.5])
    >>> y = np.sum((W @ x) ** 2)
    >>> at.compare(y, {W: 2 * np.outer(W.data @ x, x)})["W"].error
    0.0
    """
    _expect_number(loss)
    if not closed_form:
        raise UnsupportedError("compare: there is no closed form to compare; give some, as in {'W1': dW1}")
    finder = _Finder(loss)
    tensors = [finder.find(key) for key in closed_form]
    found = sweep(checked_order(loss), {loss: seed(loss, None)}, tensors)
    rows = []
    for x, (key, stated) in zip(tensors, closed_form.items(), strict=True):
        name = key if isinstance(key, str) else finder.names[x]
        rows.append(_row(name, stated, found.get(x, np.zeros(x.shape, x.dtype))))
    return Report(rows)


def _expect_number(loss: Any) -> None:
    if not isinstance(loss, Tensor):
        raise UnsupportedError(f"compare: expected the loss as a Tensor; got {type(loss).__name__}, which has no graph")
    if loss.size != 1:
        raise ShapeError(f"compare: the loss must be a single number; it has shape {loss.shape}: take its sum or mean")


class _Finder:
    """The tensors of a graph by name."""

    def __init__(self, loss: Tensor) -> None:
        self.scope = graph.caller_scope()
        self.names = graph.names(graph.topological_order(loss), self.scope)

    def find(self, key: Tensor | str) -> Tensor:
        tensor = self._named(key) if isinstance(key, str) else key
        if not isinstance(tensor, Tensor):
            raise UnsupportedError(f"compare: expected a Tensor or its name as key; got {type(key).__name__}")
        if tensor not in self.names:
            label = describe.label(tensor, self.scope)
            raise UnknownTensorError(f"compare: {label} does not lead to the loss; was it computed anew since?")
        if not tensor.requires_grad:
            name = self.names[tensor]
            raise UnsupportedError(f"compare: {name} is data and has no gradient; make it with requires_grad=True")
        return tensor

    def _named(self, name: str) -> Any:
        for tensor, known in self.names.items():
            if known == name:
                return tensor
        held = self.scope.get(name)
        if isinstance(held, Tensor):
            return held
        if isinstance(held, np.ndarray):
            raise UnsupportedError(
                f"compare: {name} is a plain array, a constant; make it an at.Tensor for its gradient"
            )
        raise UnknownTensorError(f"compare: no tensor named {name!r} leads to the loss; {self._known(name)}")

    def _known(self, name: str) -> str:
        named = [known for tensor, known in self.names.items() if tensor.requires_grad and self._is_given(tensor)]
        close = difflib.get_close_matches(name, named, n=1)
        return f"it has {', '.join(named)}" + (f"; did you mean {close[0]}?" if close else "")

    def _is_given(self, tensor: Tensor) -> bool:
        return bool(tensor.name or describe.variable_name(tensor, self.scope))


def _row(name: str, stated: Any, autograd: Array) -> Row:
    analytic, autograd = np.asarray(value_of(stated)), np.asarray(autograd)
    if analytic.dtype.kind not in "biuf":
        raise UnsupportedError(f"compare: expected the closed form of {name} as numbers; got {analytic.dtype}")
    if analytic.shape != autograd.shape:
        mend = _mend(analytic.shape, autograd.shape)
        raise ShapeError(f"compare: {name} is {autograd.shape}, and its closed form is {analytic.shape}{mend}")
    return Row(name, analytic, autograd, *_largest_error(analytic, autograd))


def _mend(stated: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if stated == expected[::-1]:
        return ": transpose it"
    if [n for n in stated if n != 1] == [n for n in expected if n != 1]:
        return ": reshape it, or sum with keepdims=True"
    return ""


def _largest_error(analytic: Array, autograd: Array) -> tuple[float, tuple[int, ...]]:
    if analytic.size == 0:
        return 0.0, ()
    a, b = analytic.astype(np.longdouble), autograd.astype(np.longdouble)
    with np.errstate(invalid="ignore"):
        difference = np.where(a == b, 0, np.abs(a - b))
    difference = np.where(np.isnan(difference), np.inf, difference)
    index = np.unravel_index(int(np.argmax(difference)), difference.shape)
    finite = [np.abs(x[np.isfinite(x)]).max(initial=0) for x in (a, b)]
    error = float(difference[index] / max(finite)) if difference[index] else 0.0
    return error, tuple(int(i) for i in index)

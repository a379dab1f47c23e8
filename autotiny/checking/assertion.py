"""`check_gradients`, the assertion for tests that autograd's gradients are the derivatives."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.checking.comparison import Report
from autotiny.checking.examination import examine
from autotiny.checking.numeric import Calling, agrees, random_direction
from autotiny.checking.subject import Subject
from autotiny.engine.gradients import gradients
from autotiny.engine.modes import Switch
from autotiny.engine.pytree import flatten, tree_map
from autotiny.engine.tensor import Tensor, as_tensor
from autotiny.errors import AutotinyError, UnsupportedError


class GradientError(AutotinyError, AssertionError):
    """A gradient that is not the derivative; `report` holds the comparison."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def check_gradients(f: Callable[..., Any], *args: Any, order: int = 1) -> None:
    """Assert that autograd's gradients of f are its derivatives, by numbers alone.

    args are arrays, numbers or nested lists, tuples and dicts of them; f may return any of these. Where it returns more
    than one number, random sums of them are differentiated. With order=2, so are random sums of the gradients.

    Raises GradientError, an AssertionError, with the report of `compare`.

    >>> check_gradients(lambda x: np.sum(np.tanh(x) ** 2), np.array([0.5, -1.0]), order=2)
    """
    if order not in (1, 2):
        raise UnsupportedError(f"check_gradients: order is 1 or 2; got {order}")
    with Switch("recording", True):
        variables = [tree_map(lambda value: Tensor(_plain(value)), arg) for arg in args]
        names = dict(_named(f, variables))
        leaves, rebuild = flatten(variables)

        def number(tensors: list[Tensor]) -> Tensor:
            return _random_sum(flatten(f(*rebuild(tensors)))[0])

        def slope(tensors: list[Tensor]) -> Tensor:
            return _random_sum(gradients(number(tensors), tensors))

        loss = number(leaves)
        if not loss.requires_grad:
            raise UnsupportedError("check_gradients: f's result does not depend on any argument through Tensors")
        _require_derivative(loss, names, number)
        if order == 2:
            _require_derivative(slope(leaves), names, slope, "second derivative")


def _require_derivative(
    output: Tensor, names: dict[Tensor, str], call: Callable[[list[Tensor]], Tensor], what: str = "gradient"
) -> None:
    """Compare the gradient with the replay of its graph, and with new calls of f, as values may have left the graph."""
    nothing, values = dict.fromkeys(names), [np.asarray(x.value) for x in names]

    def plain(tensors: list[Tensor]) -> Any:
        return call(tensors).value

    if output.requires_grad:
        subject = Subject(output, names)
        report = Report(examine(subject, nothing), subject)
        tolerance = max(row.tolerance for row in report.rows)
        if report.ok and not agrees(plain, values, list(subject.gradients().values()), tolerance):
            numbers = {x: Calling(plain, values, i) for i, x in enumerate(names)}
            report = Report(examine(subject, nothing, numbers), subject)
        if not report.ok:
            wrong = any(row.outlier != "undecided" for row in report.rows if not row.ok)
            message = f"the {what} is not the derivative" if wrong else f"no number confirms the {what}"
            raise GradientError(f"{message}\n{report!r}", report)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Tensor) else value


def _named(f: Callable[..., Any], variables: list[Any]) -> Any:
    """Yield each variable with the name of f's parameter, numbered where that has several."""
    try:
        parameters = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        parameters = []
    for i, variable in enumerate(variables):
        leaves = flatten(variable)[0]
        name = parameters[i] if i < len(parameters) else f"argument {i}"
        for j, leaf in enumerate(leaves):
            yield leaf, name if len(leaves) == 1 else f"{name} {j}"


def _random_sum(outputs: list[Any]) -> Tensor:
    """Return a single number as it is, else the sum of all entries with random weights, which notices a permutation."""
    tracked, rng = [as_tensor(out) for out in outputs], np.random.default_rng(0)
    if len(tracked) == 1 and tracked[0].size == 1:
        return np.sum(tracked[0])
    weighed = [np.sum(out * random_direction(out.shape, rng).astype(out.dtype)) for out in tracked]
    return as_tensor(sum(weighed[1:], start=weighed[0]))

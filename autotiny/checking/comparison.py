"""A gradient derived by hand, autograd's, and the numeric one: `compare` reports on them, `check_gradients` asserts.

`blame` checks the rule of each operation of a graph by itself, against numbers, with a random gradient arriving.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autotiny.checking.numeric import Calling, agrees, random_direction
from autotiny.checking.page import StepCurve, page, step_curve
from autotiny.checking.row import Row, shown
from autotiny.checking.subject import Finder, Subject
from autotiny.checking.verdict import examine
from autotiny.diagnosis.graph import alone, form_of
from autotiny.engine.gradients import gradients
from autotiny.engine.graph import leading_to, topological_order
from autotiny.engine.modes import Switch
from autotiny.engine.pytree import flatten, tree_map
from autotiny.engine.tensor import Tensor, as_tensor
from autotiny.errors import AutotinyError, ShapeError, UnsupportedError

# ----- blame -----


@dataclass(frozen=True, eq=False, repr=False)
class Blame:
    """The first operation whose rule is wrong, or none.

    op : the name of the operation, None if every rule is right
    name : the name of its result
    operand : the position of the operand whose gradient is wrong
    line : the user's line that recorded it, known under at.debug()
    rows : the comparison for the operation by itself, its operands by position
    checked : the number of operations that were checked
    """

    op: str | None
    name: str | None
    operand: int | None
    line: str | None
    rows: Sequence[Row]
    checked: int

    def __bool__(self) -> bool:
        return self.op is not None

    def __repr__(self) -> str:
        if self.op is None:
            return f"every rule is right: {self.checked} operations were checked by themselves"
        where = f", at {self.line}" if self.line else "; record it under at.debug() to know the line"
        return (
            f"the rule of {self.op} for operand {self.operand} is wrong: it made {self.name}{where}\n{shown(self.rows)}"
        )


def blame(subject: Subject) -> Blame:
    """Check the operations that the compared gradients passed through, operands first, on their recorded values."""
    order = topological_order(subject.output)
    dependent = leading_to(order, subject.names)
    checked = 0
    for node in order:
        if node.op is None or node not in dependent:
            continue
        checked += 1
        rows = _alone(node, checked)
        if any(row.outlier == "autograd" for row in rows):
            wrong = next(row for row in rows if not row.ok)
            line = (node._notes or {}).get("line")
            operand = int(wrong.name.split()[1])
            return Blame(form_of(node).op.name, subject.names_of_all[node], operand, line, rows, checked)
    return Blame(None, None, None, None, (), checked)


def _alone(node: Tensor, seed: int) -> list[Row]:
    """Return the rows of an operation by itself, with a random gradient arriving."""
    copy, operands = alone(node)
    rng = np.random.default_rng(seed)
    signs = np.random.default_rng(seed).choice([-1, 1], copy.shape)
    u = rng.uniform(0.5, 1.5, copy.shape) * signs
    subject = Subject(copy, {x: f"operand {i}" for i, x in operands.items()}, u.astype(copy.dtype))
    return examine(subject, dict.fromkeys(operands.values()))


ClosedForm = Mapping[str, Any] | Mapping[Tensor, Any] | Mapping[str | Tensor, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The rows of a comparison, by name or in order; `ok` where no side of any row is wrong."""

    rows: Sequence[Row]
    subject: Subject = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether every formula agrees with autograd, and both with the numbers."""
        return all(row.ok for row in self.rows)

    def __getitem__(self, name: str) -> Row:
        """The row of the tensor of that name; raises KeyError where it was not compared."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"{name!r} was not compared; there are {', '.join(row.name for row in self.rows)}")

    def blame(self) -> Blame:
        """Check the rule of each operation by itself; return the first wrong one, with its line under at.debug()."""
        return blame(self.subject)

    def step_curve(self, name: str) -> StepCurve:
        """Plot the error of plain differences against their step, at the entry of that row's index."""
        return step_curve(self.subject, self[name])

    def __repr__(self) -> str:
        return shown(self.rows)

    def _repr_html_(self) -> str:
        return page(self.rows)


def compare(loss: Tensor, closed_form: ClosedForm, *, wrt: Iterable[Tensor | str] = ()) -> Report:
    """Compare gradients derived by hand with autograd's, and both with numeric ones.

    error = max |analytic - autograd| / max(|analytic|, |autograd|)

    `loss` is a recorded number. `closed_form` gives dJ/dx, an array of x's shape, by the tensor x or its name; x may be
    a result on the way, such as Z2. `wrt` adds tensors without a closed form. The numbers come from replaying the graph
    from x on; masks, as in np.where(x > 0, ...), are constants of it. Nobody's `.grad` is touched. A textbook that
    keeps 1/m out of dZ states m dJ/dZ.

    The report says for each tensor which side is wrong, if one is: further from the numeric derivative than its noise
    and rounding explain (see `verdict`). At a kink any value between the left and the right derivative is right.

    Raises UnknownTensorError for a name that the graph does not have, ShapeError where shapes do not fit and
    UnsupportedError for what has no gradient.

    >>> import numpy as np
    >>> import autotiny as at
    >>> W, x = at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), np.array([1.0, 0.5])
    >>> y = np.sum((W @ x) ** 2)
    >>> at.compare(y, {W: 2 * np.outer(W.data @ x, x)})["W"].error
    0.0
    >>> at.compare(y, {W: np.outer(W.data @ x, x)})["W"].notes
    ('0.5 times the gradient: a missing factor of 2?',)
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
    subject = Subject(loss, names, called=finder.names)
    return Report(examine(subject, stated), subject)


def _expect_number(loss: Any) -> None:
    if not isinstance(loss, Tensor):
        raise UnsupportedError(f"compare: expected the loss as a Tensor; got {type(loss).__name__}, which has no graph")
    if loss.size != 1:
        raise ShapeError(f"compare: the loss must be a single number; it has shape {loss.shape}: take its sum or mean")


# ----- for tests -----


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
    """Compare the gradient with the replay of its graph, and with new calls of f.

    New calls also show the effect of values that left the graph by .data.
    """
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

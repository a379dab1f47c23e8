"""A gradient derived by hand, compared with autograd's, and both with the numbers: `compare`, and what it reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotiny.checking.blame import Blame, blame
from autotiny.checking.examination import examine
from autotiny.checking.page import page
from autotiny.checking.row import Row, shown
from autotiny.checking.step_curve import StepCurve, step_curve
from autotiny.checking.subject import Finder, Subject
from autotiny.engine.tensor import Tensor
from autotiny.errors import ShapeError, UnsupportedError

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

"""Backpropagation, step by step: the contributions of each operation to its operands, in the order of the sweep.

The sweep is that of `backward`, with an observer; nothing is published to `.grad`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from autotiny.engine.backward import Gradients, Sweep, run_sweep
from autotiny.engine.gradients import seed
from autotiny.engine.mutation import verified_order
from autotiny.engine.recording import is_stable_log
from autotiny.engine.selection import Selection
from autotiny.engine.tensor import Tensor


class Contribution(NamedTuple):
    """The amount that one operation adds to the gradient of one operand."""

    position: int
    """The position of the operand among `node.args`; x * x contributes twice to x."""
    operand: Tensor
    value: Any
    """dJ/dy dy/dx, in the operand's shape and precision."""
    total: Any
    """The operand's gradient so far, this contribution included."""
    pulled: Any
    """The gradient that was pulled back: that of the visit, or dJ/dlog(y) if through_log."""
    through_log: bool = False
    """Whether dJ/dlog(y) was pulled back, without dividing by y: y is an exponential whose logarithm is taken."""


class Visit(NamedTuple):
    """The visit of one operation in the sweep."""

    node: Tensor
    gradient: Any
    """dJ/d(node). All uses of the node have contributed to it."""
    contributions: tuple[Contribution, ...]


class Backprop(NamedTuple):
    """A sweep from an output back to the leaves."""

    visits: list[Visit]
    """The operations that a gradient reached, in the order of the sweep; leaves have nothing to pull back."""
    gradients: dict[Tensor, Any]
    """dJ/dx of every tensor on the way, leaves included."""


def contributions(output: Tensor, grad: Any = None) -> Backprop:
    """Return every visit of the sweep from an output, with its contribution to each operand.

        dJ/dx = the sum over every use y of x of  dJ/dy dy/dx

    grad is dJ/d(output), 1 by default. A logarithm of an exponential y, such as log(softmax(Z)), is pulled back in one
    go: its own visit contributes h / y to y, for y's gradient to be seen, and y's visit passes on what h = dJ/dlog(y)
    comes to, `through_log`.

    Raises what backward raises: ShapeError for a missing or misshapen grad, UnsupportedError for a constant,
    StaleError when a value was changed after it was recorded.

    >>> import autotiny as at
    >>> x = at.Tensor(3.0, name="x")
    >>> product, total = contributions(x * x + x).visits[::-1]
    >>> [(c.position, float(c.value), float(c.total)) for c in total.contributions]
    [(0, 1.0, 1.0), (1, 1.0, 1.0)]
    >>> [(c.position, float(c.value), float(c.total)) for c in product.contributions]
    [(0, 3.0, 4.0), (1, 3.0, 7.0)]
    """
    seeds = {output: seed(output, grad)}
    observed = run_sweep(verified_order(output), lambda selection: _Observed(seeds, selection=selection))
    return Backprop(observed.visits, observed.grads)


class _Observed(Sweep):
    """A sweep that stores the contributions of each visit."""

    def __init__(self, seeds: Gradients, *, selection: Selection | None) -> None:
        super().__init__(seeds, selection=selection)
        self.visits: list[Visit] = []
        self.passed: list[Contribution] = []

    def visit(self, node: Any) -> None:
        """Visit an operation, and store its contributions."""
        self.passed = []
        super().visit(node)
        if node not in self.grads:
            return
        g = self.grads[node]
        if is_stable_log(node.op, node.args):
            (y,) = node.args
            self.passed.append(Contribution(0, y, self.out_of_logarithm(y, g), self.total(y), g))
        self.visits.append(Visit(node, g, tuple(self.passed)))

    def pull(self, node: Any, g: Any, *, through_log: bool = False) -> Iterator[tuple[int, Any]]:
        """Pull g back through one operation, and keep each contribution once the sweep has added it."""
        for position, c in super().pull(node, g, through_log=through_log):
            yield position, c
            operand = node.args[position]
            self.passed.append(Contribution(position, operand, c, self.total(operand), g, through_log))

    def total(self, operand: Tensor) -> Any:
        """Return the gradient so far, including the part that waits as dJ/dlog(y)."""
        g, h = self.grads.get(operand), self.log_grads.get(operand)
        if h is None:
            return g
        via_log = self.out_of_logarithm(operand, h)
        return via_log if g is None else g + via_log

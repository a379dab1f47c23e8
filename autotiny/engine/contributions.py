"""Backpropagation, step by step: the contributions of each operation to its operands, in the order of the sweep.

The sweep is that of `backward`, with an observer; nothing is published to `.grad`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from autotiny.engine.backward import Gradients, Sweep, add, run_sweep
from autotiny.engine.gradients import published, seed
from autotiny.engine.graph import by_number
from autotiny.engine.mutation import verified_order
from autotiny.engine.selection import Selection
from autotiny.engine.tensor import Tensor
from autotiny.ops.table import conj


class Contribution(NamedTuple):
    """The amount that one operation adds to the gradient of one operand."""

    position: int
    """The position of the operand among `operands_of(node)`; x * x contributes twice to x."""
    operand: Tensor
    value: Any
    """dJ/dy dy/dx, in the operand's shape and precision."""
    total: Any
    """The operand's gradient so far, this contribution included."""
    pulled: Any
    """The gradient that was pulled back: that of the visit, or the part of it that no stable form has taken past y."""


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

    grad is dJ/d(output), 1 by default. An expression that has a stable form, such as log(A) with A = softmax(Z), is
    pulled back to Z in one go. What it would contribute to A is there for A's gradient to be seen, and ends there.

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
    return observed.backprop()


def operands_of(node: Tensor) -> tuple[Any, ...]:
    """Return the operands of an operation, and of its stable form if it has one: those of log(A), then Z."""
    return (*node.args, *node._stable.args) if node._stable else node.args


class _Observed(Sweep):
    """A sweep that stores the contributions of each visit."""

    def __init__(self, seeds: Gradients, *, selection: Selection | None) -> None:
        super().__init__(seeds, selection=selection)
        self.passed: dict[Any, dict[int, Any]] = {}

    def pull(self, node: Any, g: Any, form: Any) -> Iterator[tuple[int, Any]]:
        """Pull g back through one operation, and keep its contributions."""
        first = 0 if form is node else len(node.args)
        kept = self.passed.setdefault(node, {})
        for position, c in super().pull(node, g, form):
            kept[first + position] = c
            yield position, c

    def backprop(self) -> Backprop:
        """Return the visits, with the contributions that end within stable forms among the others."""
        pulled = dict(self.grads)
        gradients = self.all_gradients()
        for node, position, c in self.within or ():
            kept = self.passed.setdefault(node, {})
            kept[position] = kept[position] + c if position in kept else c
            pulled[node] = gradients[node]
        totals: Gradients = {}
        visits = []
        for node in sorted((x for x in gradients if x.op is not None), key=by_number, reverse=True):
            contributions = []
            for position, c in sorted(self.passed.get(node, {}).items()):
                operand = operands_of(node)[position]
                add(totals, operand, c)
                shown = map(conj, (c, totals[operand], pulled[node]))
                contributions.append(Contribution(position, operand, *shown))
            visits.append(Visit(node, conj(gradients[node]), tuple(contributions)))
        return Backprop(visits, published(gradients))

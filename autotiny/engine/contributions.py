"""Backprop, observed: what each operation of a graph passes on to its operands, in the order of the engine's own sweep.

It is the sweep of `backward` that runs, and says what it does; nothing is published to `.grad`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from autotiny.engine.backward import Gradients, Sweep, seed, swept
from autotiny.engine.mutation import verified_order
from autotiny.engine.recording import is_stable_log
from autotiny.engine.tensor import Tensor


class Contribution(NamedTuple):
    """What one operation adds to the gradient of one operand."""

    position: int
    """Of the operand among `node.args`: x * x contributes twice to x."""
    operand: Tensor
    value: Any
    """dJ/dy dy/dx, in the operand's shape and precision."""
    total: Any
    """The operand's gradient so far, this contribution included."""
    pulled: Any
    """The gradient that it was made from: the visit's, or what stands for it where through_log."""
    through_log: bool = False
    """Whether dJ/dlog(y) was pulled back, without dividing by y: y is an exponential whose logarithm is taken."""


class Visit(NamedTuple):
    """One operation's turn in the sweep."""

    node: Tensor
    gradient: Any
    """dJ/d(node), complete, for all of its uses have contributed."""
    contributions: tuple[Contribution, ...]


class Backprop(NamedTuple):
    """A sweep from an output back to the leaves."""

    visits: list[Visit]
    """The operations that a gradient reached, in the order of the sweep; leaves have nothing to pull back."""
    gradients: dict[Tensor, Any]
    """dJ/dx of every tensor on the way, leaves included."""


def contributions(output: Tensor, grad: Any = None) -> Backprop:
    """The way that backward takes from an output: every visit, with what it passes on to each operand.

        dJ/dx = the sum over every use y of x of  dJ/dy dy/dx

    grad is dJ/d(output), 1 by default. A logarithm of an exponential y, such as log(softmax(Z)), is pulled back in one
    go: its own visit contributes h / y to y, for y's gradient to be seen, and y's visit passes on what h = dJ/dlog(y)
    comes to, `through_log`.

    Raises what backward raises: ShapeError for a missing or misshapen grad, UnsupportedError for a constant,
    StaleError when a value was changed after it was recorded.

    >>> x = Tensor(3.0, name="x")
    >>> product, total = contributions(x * x + x).visits[::-1]
    >>> [(c.position, float(c.value), float(c.total)) for c in total.contributions]
    [(0, 1.0, 1.0), (1, 1.0, 1.0)]
    >>> [(c.position, float(c.value), float(c.total)) for c in product.contributions]
    [(0, 3.0, 4.0), (1, 3.0, 7.0)]
    """
    seeds = {output: seed(output, grad)}
    observed = swept(verified_order(output), lambda guard: _Observed(seeds, guard))
    return Backprop(observed.visits, observed.grads)


class _Observed(Sweep):
    """A sweep that keeps what passes."""

    def __init__(self, seeds: Gradients, guard: bool) -> None:
        super().__init__(seeds, None, record=False, guard=guard)
        self.visits: list[Visit] = []
        self.passed: list[Contribution] = []
        self.pulled: Any = None
        self.pulling_log = False

    def run(self, order: Iterable[Tensor]) -> None:
        """Visit the operations, results before operands."""
        super().run(self._watched(order))

    def _watched(self, order: Iterable[Tensor]) -> Iterator[Tensor]:
        for node in order:
            self.passed = []
            yield node  # and the engine pulls back through it
            if node in self.grads:
                if is_stable_log(node.op, node.args):
                    self._hand_on(node)
                self.visits.append(Visit(node, self.grads[node], tuple(self.passed)))

    def _hand_on(self, log: Tensor) -> None:
        (y,) = log.args
        self.pulled = self.grads[log]
        self._note(0, y, self.out_of_logarithm(y, self.pulled))

    def pull(self, node: Tensor, rules: Any, g: Any) -> None:
        """Pull g back through one operation, by the way that receives every contribution."""
        self.pulled = g
        self.places = (place for place, arg in enumerate(node.args) if type(arg) is Tensor and arg.requires_grad)
        self.pull_each(node, rules, g)

    def pull_logarithm(self, node: Tensor, g: Any, h: Any) -> None:
        """Pull back h = dJ/dlog(y) of an exponential y."""
        self.pulling_log = True
        super().pull_logarithm(node, g, h)
        self.pulling_log = False

    def receive(self, node: Tensor, arg: Tensor, g: Any, c: Any) -> None:
        """Add the contribution c of one operation to an argument's gradient, and keep it."""
        before = self.grads.pop(arg, None)
        super().receive(node, arg, g, c)
        value = self.grads[arg]
        if before is not None:
            self.grads[arg] = before + value
        self._note(next(self.places), arg, value)

    def _note(self, position: int, operand: Tensor, value: Any) -> None:
        total = self._total(operand)
        self.passed.append(Contribution(position, operand, value, total, self.pulled, self.pulling_log))

    def _total(self, operand: Tensor) -> Any:
        """The gradient so far, with what waits in a logarithm."""
        g, h = self.grads.get(operand), self.log_grads.get(operand)
        if h is None:
            return g
        via_log = self.out_of_logarithm(operand, h)
        return via_log if g is None else g + via_log

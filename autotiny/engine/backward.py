"""Backpropagation: the reverse sweep over a recorded graph.

    dJ/dx = the sum over every use y of x of  dJ/dy dy/dx

`Sweep` is the whole algorithm. It runs when gradients are recorded to be differentiated again, under debug, while a
tracer records formulas, when each step is to be shown, and with a `Selection`, which says what was not taken. A plain
`backward` runs `fast_sweep.FastSweep`, which does the same in less time; a test over random graphs holds the two equal
bit for bit.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from autotiny.engine.broadcasting import fit
from autotiny.engine.modes import modes
from autotiny.engine.node import Node, made_by
from autotiny.engine.recording import is_stable_log, require_finite, value_of
from autotiny.engine.selection import Mask, Selection, has_nan, may_be_unbounded, selects
from autotiny.errors import UnsupportedError

Gradients = dict[Any, Any]
"""A map from each tensor x to dJ/dx."""

AnySweep = TypeVar("AnySweep", bound="Sweep")
ALL: Mapping[Node, Mask] = {}


class Sweep:
    """One reverse sweep. It starts from dJ/d(outputs) and keeps its gradients to itself.

    Attributes
    ----------
    grads : dJ/dy of every tensor that the sweep has reached.
    log_grads : dJ/dlog(y) of the exponentials y whose logarithm was taken.
    masked : whether the sweep met an operation that selects among its operands or their entries.
    path : the tensors that want a gradient; None for all.
    record : whether the rules run on Tensors, so that the gradients can be differentiated again.
    selection : which entries were taken; None if the sweep does not look.
    wanted : the tensors whose gradient is kept once it has been pulled back; None for all.
    """

    grads: Gradients
    log_grads: Gradients
    masked: bool

    def run(self, order: Iterable[Node]) -> None:
        """Visit the operations, results before operands: at the turn of y, all uses of y have contributed to dJ/dy."""
        for node in order:
            self.visit(node)

    def visit(self, node: Node) -> None:
        """Pull dJ/dy back through the operation that made y, and add the contributions to its operands' gradients."""
        g, h = self.grads.get(node), self.log_grads.get(node)
        if h is not None:
            self.visit_exponential(node, g, h)
        if g is None:
            return  # no other use of y has contributed
        if is_stable_log(node.op, node.args):
            add(self.log_grads, node.args[0], g)
        else:
            self.masked = self.masked or made_by(node).has("selects")
            for position, c in self.pull(node, g):
                add(self.grads, node.args[position], c)
        if self.wanted is not None and node not in self.wanted:
            del self.grads[node]

    def pull(self, node: Node, g: Any, *, through_log: bool = False) -> Iterator[tuple[int, Any]]:
        """Yield dJ/dy dy/dx for each operand x of y that wants a gradient, with its position among the operands.

        g is dJ/dy, or dJ/dlog(y) if the pull goes through the logarithm.
        """
        y, args = (node, node.args) if self.record else (node.value, tuple(map(value_of, node.args)))
        rules = rules_of(node, through_log)
        at_once = getattr(rules, "at_once", None) if self.selection is None else None
        contributions = at_once and at_once(g, y, args, **node.kwargs)
        for position, (x, rule) in enumerate(zip(node.args, rules, strict=False)):
            if isinstance(x, Node) and x._tracked and (self.path is None or x in self.path):
                if contributions:
                    c = contributions[position]
                elif self.selection is None:
                    c = rule(g, y, *args, **node.kwargs)
                else:
                    c = self.selection.pull(rule, position, node, g, y, args)
                yield position, self.contribution(node, x, g, c)

    def __init__(
        self,
        grads: Gradients,
        path: set[Node] | None = None,
        *,
        record: bool = False,
        selection: Selection | None = None,
        wanted: Collection[Node] | None = None,
    ) -> None:
        self.grads, self.log_grads, self.masked = dict(grads), {}, False
        self.path, self.record, self.selection, self.wanted = path, record, selection, wanted

    def is_spoilt(self) -> bool:
        """Whether a gradient is nan behind an operation that selects: what was not taken may be the reason."""
        return self.masked and any(map(has_nan, self.grads.values()))

    def visit_exponential(self, node: Node, g: Any, h: Any) -> None:
        """Pull h = dJ/dlog(y) back through the exponential y without dividing by y, which may be 0.

        The gradient of y gains h / y, so that users see it; only g, from the other uses of y, is left to pull back.
        """
        for position, c in self.pull(node, h, through_log=True):
            add(self.grads, node.args[position], c)
        via_log = self.out_of_logarithm(node, h)
        self.grads[node] = via_log if g is None else g + via_log

    def out_of_logarithm(self, node: Node, h: Any) -> Any:
        """Return dJ/dy = h / y for h = dJ/dlog(y)."""
        g = h / (node if self.record else node.value)
        undefined = np.logical_and(value_of(h) == 0, value_of(node) == 0)
        known = isinstance(undefined, np.ndarray | np.bool)
        return np.where(undefined, 0.0, g) if (np.any(undefined) if known else self.selection) else g

    def contribution(self, node: Node, x: Node, g: Any, c: Any) -> Any:
        """Return the contribution c of a rule in the shape and precision of x."""
        op = made_by(node)
        c = fit(c, x.value, op)
        if modes.debugging:
            require_finite(value_of(c), f"backward: {op.name} passes on a gradient of", node)
        return c.copy() if c is g and x.op is None else c  # a leaf's gradient is its own, to be clipped in place


def rules_of(node: Node, through_log: bool) -> Any:
    """Return the gradient rules of the operation that made y, or of its logarithm: one for each operand."""
    op: Any = made_by(node)
    return (op.log.rule,) if through_log else op.rules


def add(grads: Gradients, x: Node, c: Any) -> None:
    """Add a contribution to the gradient of x."""
    grads[x] = grads[x] + c if x in grads else c


@np.errstate(all="ignore")  # a decorator costs less than a with
def run_sweep(
    order: Sequence[Node], start: Callable[[Selection | None], AnySweep], chosen: Mapping[Node, Mask] = ALL
) -> AnySweep:
    """Run the sweep `start(selection)` over the order and return it; with a selection only if it has to look.

    An entry that was not taken has g = 0. Where its derivative is infinite, their product is nan, and where nothing is
    nan, all is right without a look at the selection; a matrix that was not taken may be singular. A recorded sweep
    looks at once, for 0 times a finite derivative may have a derivative that is nan.

    `chosen` marks the entries of the outputs that were taken, where not all of them were.
    """
    tracer, sweep = modes.tracing, start(None)
    outputs, sweep.masked = list(sweep.grads), bool(chosen)
    looks = tracer.guards if tracer is not None else sweep.record and (sweep.masked or selects(order))
    if looks or modes.debugging or not _succeeds(sweep, order):
        if tracer is not None:
            tracer.require_guard()
        sweep = start(Selection(order, {x: chosen.get(x) for x in outputs}, record=sweep.record))
        sweep.masked = bool(chosen)
        sweep.run(order)
    if tracer is not None:
        tracer.observe(sweep.grads, sweep.masked, sweep.masked and may_be_unbounded(order, every=bool(chosen)))
    return sweep


def _succeeds(sweep: Sweep, order: Sequence[Node]) -> bool:
    """Run a sweep that does not look at the selection, and return whether it did not have to."""
    try:
        sweep.run(order)
    except (np.linalg.LinAlgError, UnsupportedError):
        if sweep.masked:
            return False
        raise
    return not sweep.is_spoilt()

"""Backpropagation: the reverse sweep over a recorded graph.

    dJ/dx = the sum over every use y of x of  dJ/dy dy/dx

`Sweep` is the whole algorithm. It runs when gradients are recorded to be differentiated again, under debug, while a
tracer records formulas, and when each step is to be shown. A plain `backward` runs
`fast_sweep.FastSweep`, which does the same in less time; a test over random graphs holds the two equal bit for bit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, TypeVar

import numpy as np

from autotiny.engine.broadcasting import fit, require_array
from autotiny.engine.masking import finite_unless, guard
from autotiny.engine.modes import modes
from autotiny.engine.node import Node, made_by
from autotiny.engine.recording import is_stable_log, require_finite, value_of

Gradients = dict[Any, Any]
"""A map from each tensor x to dJ/dx."""

AnySweep = TypeVar("AnySweep", bound="Sweep")


class Sweep:
    """One reverse sweep. It starts from dJ/d(outputs) and keeps its gradients to itself.

    Attributes
    ----------
    grads : dJ/dy of every tensor that the sweep has reached.
    log_grads : dJ/dlog(y) of the exponentials y whose logarithm was taken.
    masked : whether the sweep met an operation that selects among its operands or their entries.
    path : the tensors that want a gradient; None for all.
    record : whether the rules run on Tensors, so that the gradients can be differentiated again.
    guarded : whether entries that were not selected are kept from contributing nan and infinity.
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
            self.masked = self.masked or made_by(node).selects
            for position, c in self.pull(node, g):
                add(self.grads, node.args[position], c)

    def pull(self, node: Node, g: Any, *, through_log: bool = False) -> Iterator[tuple[int, Any]]:
        """Yield dJ/dy dy/dx for each operand x of y that wants a gradient, with its position among the operands.

        g is dJ/dy, or dJ/dlog(y) if the pull goes through the logarithm.
        """
        rules = rules_of(node, through_log)
        y, args, needed = self.seen_by_rules(node, g)
        for position, (x, rule, where) in enumerate(zip(node.args, rules, needed, strict=False)):
            if isinstance(x, Node) and x._tracked and (self.path is None or x in self.path):
                yield position, self.contribution(node, x, g, rule(g, y, *args, **node.kwargs), where)

    def __init__(
        self, grads: Gradients, path: set[Node] | None = None, *, record: bool = False, guarded: bool = False
    ) -> None:
        self.grads, self.log_grads, self.masked = dict(grads), {}, False
        self.path, self.record, self.guarded = path, record, guarded

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
        return finite_unless(value_of(h) != 0, g) if self.guarded else g

    def seen_by_rules(self, node: Node, g: Any) -> tuple[Any, tuple[Any, ...], Iterable[Any]]:
        """Return y and its operands, as Tensors if the sweep is recorded, and where each operand was needed."""
        y, args = (node, node.args) if self.record else (node.value, tuple(map(value_of, node.args)))
        return guard(made_by(node), g, y, args, node.kwargs) if self.guarded else (y, args, repeat(True))

    def contribution(self, node: Node, x: Node, g: Any, c: Any, needed: Any) -> Any:
        """Return the contribution c of a rule in the shape and precision of x, and finite where x was not needed."""
        op = made_by(node)
        if self.guarded:
            c = finite_unless(needed, require_array(c, x.value, op))
            if modes.debugging:
                require_finite(c, f"backward: {op.name} passes on a gradient of", node)
        c = fit(c, x.value, op)
        return c.copy() if c is g and x.op is None else c  # a leaf's gradient is its own, to be clipped in place


def rules_of(node: Node, through_log: bool) -> Any:
    """Return the gradient rules of the operation that made y, or of its logarithm: one for each operand."""
    op: Any = made_by(node)
    return (op.log.rule,) if through_log else op.rules


def add(grads: Gradients, x: Node, c: Any) -> None:
    """Add a contribution to the gradient of x."""
    grads[x] = grads[x] + c if x in grads else c


def run_sweep(order: Sequence[Node], start: Callable[[bool], AnySweep]) -> AnySweep:
    """Run the sweep `start(guarded)` over the order and return it; guarded only if it has to be.

    Where an entry was masked (g = 0) and its derivative is infinite, their product is nan, which floating point
    reports as invalid; a masked matrix may be singular. Such a graph is swept again with a guard: where no gradient
    arrives, neither nan nor infinity leaves. See `masking`.
    """
    tracer = modes.tracing
    sweep = None
    if not (modes.debugging or (tracer is not None and tracer.guards)):
        sweep = _unguarded(order, start)
    if sweep is None:
        if tracer is not None:
            tracer.require_guard()
        with np.errstate(all="ignore"):
            sweep = start(True)
            sweep.run(order)
    if tracer is not None:
        tracer.observe(sweep.grads, sweep.masked)
    return sweep


@np.errstate(divide="ignore", over="ignore", under="ignore", invalid="raise")  # a decorator costs less than a with
def _unguarded(order: Sequence[Node], start: Callable[[bool], AnySweep]) -> AnySweep | None:
    """Run a sweep without a guard; return None if it turns out to need one."""
    sweep = start(False)
    try:
        sweep.run(order)
    except (FloatingPointError, np.linalg.LinAlgError):
        return None
    return None if sweep.masked and any(map(_has_nan, sweep.grads.values())) else sweep


def _has_nan(g: Any) -> bool:
    value = value_of(g)
    return bool(np.isnan(getattr(value, "value", value)).any())  # a formula's value is that of this call

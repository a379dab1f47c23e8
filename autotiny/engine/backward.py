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
from autotiny.engine.node import Node
from autotiny.engine.recording import require_finite, value_of
from autotiny.ops import Op

Gradients = dict[Any, Any]
"""A map from each tensor x to dJ/dx."""

AnySweep = TypeVar("AnySweep", bound="Sweep")


class Sweep:
    """One reverse sweep. It starts from dJ/d(outputs) and keeps its gradients to itself.

    Attributes
    ----------
    grads : dJ/dy of every tensor that the sweep has reached.
    passed_by : the operations that were pulled back through their stable form, past the results within it.
    masked : whether the sweep met an operation that selects among its operands or their entries.
    path : the tensors that want a gradient; None for all.
    record : whether the rules run on Tensors, so that the gradients can be differentiated again.
    guarded : whether entries that were not selected are kept from contributing nan and infinity.
    """

    grads: Gradients
    passed_by: list[Node]
    masked: bool

    def run(self, order: Iterable[Node]) -> None:
        """Visit the operations, results before operands: at the turn of y, all uses of y have contributed to dJ/dy."""
        for node in order:
            self.visit(node)

    def visit(self, node: Node) -> None:
        """Pull dJ/dy back through the operation that made y, and add the contributions to its operands' gradients.

        An expression that has a stable form, such as log(softmax(Z)), is pulled back through that in one go.
        """
        g = self.grads.get(node)
        if g is None:
            return
        form: Any = node._stable or node
        if form is not node:
            self.passed_by.append(node)
        self.masked = self.masked or form.op.selects
        for position, c in self.pull(node, g, form):
            add(self.grads, form.args[position], c)

    def pull(self, node: Node, g: Any, form: Any) -> Iterator[tuple[int, Any]]:
        """Yield dJ/dy dy/dx for each operand x of y that wants a gradient, with its position among the operands.

        g is dJ/dy. `form` has the operation and its operands: y itself, or its stable form.
        """
        y, args, needed = self.seen_by_rules(node, form, g)
        for position, (x, rule, where) in enumerate(zip(form.args, form.op.rules, needed, strict=False)):
            if isinstance(x, Node) and x.requires_grad and (self.path is None or x in self.path):
                yield position, self.contribution(form.op, node, x, g, rule(g, y, *args, **form.kwargs), where)

    def within_forms(self) -> Iterator[tuple[Node, int, Any]]:
        """Yield what the results within the stable forms, passed by in the sweep, receive by the rules as written.

        They are operation, position of the operand and contribution, and end within the expression: together with the
        sweep's own contributions they make the gradient of such a result, that of A in log(A).
        """
        plain = Sweep({}, self.path, record=self.record)
        for node in self.passed_by:
            grads = {node: self.grads[node]}
            for user, position in node._stable.uses if node._stable else ():
                y = node if user is None else user
                for at, c in plain.pull(y, grads[y], y) if y in grads else ():
                    if at == position:
                        c = c if user is not None else zero_where_nothing_arrives(grads[y], c)
                        add(grads, y.args[position], c)
                        yield y, position, c

    def all_gradients(self) -> Gradients:
        """Return the gradients, with those of the results within stable forms."""
        if not self.passed_by:
            return self.grads
        grads = dict(self.grads)
        with np.errstate(all="ignore"):
            for node, position, c in self.within_forms():
                add(grads, node.args[position], c)
        return grads

    def __init__(
        self, grads: Gradients, path: set[Node] | None = None, *, record: bool = False, guarded: bool = False
    ) -> None:
        self.grads, self.passed_by, self.masked = dict(grads), [], False
        self.path, self.record, self.guarded = path, record, guarded

    def seen_by_rules(self, node: Node, form: Any, g: Any) -> tuple[Any, tuple[Any, ...], Iterable[Any]]:
        """Return y and its operands, as Tensors if the sweep is recorded, and where each operand was needed."""
        y, args = (node, form.args) if self.record else (node.value, tuple(map(value_of, form.args)))
        return guard(form.op, g, y, args, form.kwargs) if self.guarded else (y, args, repeat(True))

    def contribution(self, op: Op, node: Node, x: Node, g: Any, c: Any, needed: Any) -> Any:
        """Return the contribution c of a rule in the shape and precision of x, and finite where x was not needed."""
        if self.guarded:
            c = finite_unless(needed, require_array(c, x.value, op))
            if modes.debugging:
                require_finite(c, f"backward: {op.name} passes on a gradient of", node)
        c = fit(c, x.value, op)
        return c.copy() if c is g and x.op is None else c  # a leaf's gradient is its own, to be clipped in place


def add(grads: Gradients, x: Node, c: Any) -> None:
    """Add a contribution to the gradient of x."""
    grads[x] = grads[x] + c if x in grads else c


def zero_where_nothing_arrives(g: Any, c: Any) -> Any:
    """Return the contribution of g by an elementwise rule, 0 where g = 0 meets an infinite slope: 0 log(A) at A = 0."""
    arrives, value = value_of(g) != 0, value_of(c)
    if not isinstance(arrives, np.ndarray | np.bool) or np.all(kept := np.logical_or(arrives, np.isfinite(value))):
        return c
    return np.where(kept, c, 0.0)


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

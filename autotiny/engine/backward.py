"""Backpropagation: the reverse sweep over a recorded graph.

    dJ/dx = the sum over every use y of x of  dJ/dy dy/dx

`Sweep` is the whole algorithm. It runs when gradients are recorded to be differentiated again, under debug, while a
tracer records formulas, when each step is to be shown, and with a `Selection`, which says what was not taken. A plain
`backward` runs `fast_sweep.FastSweep`, which does the same in less time; a test over random graphs holds the two equal
bit for bit.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from autotiny.engine.broadcasting import fit
from autotiny.engine.modes import Switch, modes
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import Node, form_of
from autotiny.engine.recording import require_finite, value_of
from autotiny.engine.selection import Mask, Selection, has_nan, is_finite, may_be_unbounded, selects
from autotiny.errors import UnsupportedError
from autotiny.ops import Op
from autotiny.ops.outputs import OutputGradients

Gradients = dict[Any, Any]
"""A map from each tensor x to dJ/dx."""

AnySweep = TypeVar("AnySweep", bound="Sweep")
ALL: Mapping[Node, Mask] = {}


class Sweep:
    """One reverse sweep. It starts from dJ/d(outputs) and keeps its gradients to itself.

    Attributes
    ----------
    grads : dJ/dy of every tensor that the sweep has reached.
    may_be_complex : whether a gradient may be complex; False where none is.
    passed_by : the operations that were pulled back through their stable form, past the results within it.
    masked : whether the sweep met an operation that selects among its operands or their entries.
    path : the tensors that want a gradient; None for all.
    record : whether the rules run on Tensors, so that the gradients can be differentiated again.
    selection : which entries were taken; None if the sweep does not look.
    wanted : the tensors whose gradient is kept once it has been pulled back; None for all.
    """

    grads: Gradients
    may_be_complex = True
    passed_by: list[Node]
    within: list[tuple[Node, int, Any]] | None = None
    """What `within_forms` yields, once it is known."""
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
        form = form_of(node)
        self.masked = self.masked or form.op.has("selects")
        for position, c in self.pull(node, g, form):
            add(self.grads, form.args[position], c)
        if self.wanted is not None and node not in self.wanted:
            del self.grads[node]
        elif form is not node:
            self.passed_by.append(node)

    def pull(self, node: Node, g: Any, form: Any) -> Iterator[tuple[int, Any]]:
        """Yield dJ/dy dy/dx for each operand x of y that wants a gradient, with its position among the operands.

        g is dJ/dy. `form` has the operation and its operands: y itself, or its stable form.
        """
        y, args = (node, form.args) if self.record else (node.value, tuple(map(value_of, form.args)))
        rules = form.op.rules
        at_once = getattr(rules, "at_once", None) if self.selection is None else None
        contributions = at_once and at_once(g, y, args, **form.kwargs)
        for position, (x, rule) in enumerate(zip(form.args, rules, strict=False)):
            if isinstance(x, Node) and x._tracked and (self.path is None or x in self.path):
                if contributions:
                    c = contributions[position]
                elif self.selection is None:
                    c = rule(g, y, *args, **form.kwargs)
                else:
                    c = self.selection.pull(rule, position, node, g, y, args)
                yield position, self.contribution(form.op, node, x, g, c)

    def within_forms(self) -> Iterator[tuple[Node, int, Any]]:
        """Yield what the results within the stable forms, passed by in the sweep, receive by the rules as written.

        They are operation, position of the operand and contribution, and end within the expression: together with the
        sweep's own contributions they make the gradient of such a result, that of A in log(A).
        """
        for node in self.passed_by:
            grads = {node: self.grads[node]}
            for user, position in node._stable.uses if node._stable else ():
                y: Any = node if user is None else user
                x = y.args[position]
                if y in grads and (self.path is None or x in self.path):
                    g, seen = grads[y], (y, *y.args) if self.record else (y.value, *map(value_of, y.args))
                    c = fit(y.op.rules[position](g, *seen, **y.kwargs), x.value, y.op)
                    c = c if user is not None else zero_where_nothing_arrives(g, c)
                    add(grads, x, c)
                    yield y, position, c

    def all_gradients(self) -> Gradients:
        """Return the gradients, with those of the results within stable forms; called once."""
        if self.within is None:
            with np.errstate(all="ignore"):
                self.within = list(self.within_forms())
        for node, position, c in self.within:
            add(self.grads, node.args[position], c)
        return self.grads

    def __init__(
        self,
        grads: Gradients,
        path: set[Node] | None = None,
        *,
        record: bool = False,
        selection: Selection | None = None,
        wanted: Collection[Node] | None = None,
    ) -> None:
        self.grads, self.passed_by, self.masked = dict(grads), [], False
        self.path, self.record, self.selection, self.wanted = path, record, selection, wanted

    @property
    def leaves(self) -> list[Node]:
        """The leaves that the sweep has reached."""
        return [x for x in self.grads if x.op is None]

    def is_spoilt(self) -> bool:
        """Whether a gradient is nan behind an operation that selects: what was not taken may be the reason."""
        return self.masked and any(map(has_nan, self.grads.values()))

    def contribution(self, op: Op, node: Node, x: Node, g: Any, c: Any) -> Any:
        """Return the contribution c of a rule in the shape and precision of x."""
        c = fit(c, x.value, op)
        if modes.debugging and not isinstance(c, OutputGradients):
            require_finite(value_of(c), f"backward: {op.name} passes on a gradient of", node)
        return c.copy() if c is g and x.op is None else c  # a leaf's gradient is its own, to be clipped in place


def zero_where_nothing_arrives(g: Any, c: Any) -> Any:
    """Return the contribution of g by an elementwise rule, 0 where g = 0 meets an infinite slope: 0 log(A) at A = 0."""
    value = value_of(c)
    if type(value) is np.ndarray and is_finite(value):
        return c
    finite = np.isfinite(value)
    if not isinstance(finite, np.ndarray | np.bool) or finite.all():
        return c
    return np.where(np.logical_or(finite, value_of(g) != 0), c, 0.0)


def add(grads: Gradients, x: Node, c: Any) -> None:
    """Add a contribution to the gradient of x."""
    grads[x] = grads[x] + c if x in grads else c


def run_sweep(
    order: Sequence[Node],
    start: Callable[[Selection | None], AnySweep],
    chosen: Mapping[Node, Mask] = ALL,
    *,
    looks: bool = False,
) -> AnySweep:
    """Run the sweep `start(selection)` over the order and return it; with a selection if it `looks` or has to.

    An entry that was not taken has g = 0. Where its derivative is infinite, their product is nan, and where nothing is
    nan, all is right without a look at the selection; a matrix that was not taken may be singular. A recorded sweep
    looks at once, for 0 times a finite derivative may have a derivative that is nan.

    `chosen` marks the entries of the outputs that were taken, where not all of them were.
    """
    tracer, sweep = modes.tracing, start(None)
    outputs, sweep.masked = list(sweep.grads), bool(chosen)
    looks = looks or modes.debugging
    looks = looks or (tracer.guards if tracer is not None else sweep.record and (sweep.masked or selects(order)))
    if looks or not succeeds(sweep, order):
        if tracer is not None:
            tracer.require_guard()
        with np.errstate(all="ignore"):
            selection = Selection(order, {x: chosen.get(x) for x in outputs}, record=sweep.record)
            sweep = start(selection)
            selection.along = functools.partial(gradients_along, order, dict(sweep.grads), sweep.record)
            sweep.masked = bool(chosen)
            sweep.run(order)
    if tracer is not None:
        tracer.observe(sweep.grads, sweep.masked, sweep.masked and may_be_unbounded(order, every=bool(chosen)))
    return sweep


def gradients_along(
    order: Sequence[Node], seeds: Gradients, record: bool, node: Node, i: int, c: Any
) -> tuple[Any, ...]:
    """Return the gradients, of the outputs of an operation, of Σ c · (the gradient of its output number i).

    They are derivatives of second order of what comes after the operation: of it, where its own derivative is a limit.
    """
    with Switch("recording", True):
        first = Sweep(seeds, record=True)
        first.run([each for each in order if each.number > node.number])
        g = first.grads[node].parts[i]
        total = None if g is None else np.sum(g * c)
        if not isinstance(total, Node) or not total._tracked:
            return tuple([None for _ in first.grads[node].parts])
        second = Sweep({total: np.ones_like(value_of(total))}, record=record)
        second.run([each for each in verified_order(total) if each.number > node.number])
    gradients = second.grads.get(node)
    return tuple([None for _ in first.grads[node].parts]) if gradients is None else gradients.parts


@np.errstate(all="ignore")  # a decorator costs less than a with
def succeeds(sweep: Sweep, order: Sequence[Node]) -> bool:
    """Run a sweep that does not look at the selection, and return whether it did not have to."""
    try:
        sweep.run(order)
    except (np.linalg.LinAlgError, UnsupportedError):
        if sweep.masked:
            return False
        raise
    tracer = modes.tracing
    return (tracer is not None and not tracer.knows(sweep.grads.values())) or not sweep.is_spoilt()

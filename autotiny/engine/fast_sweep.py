"""The sweep of `backward`, tuned: same gradients, bit for bit, in about half the time on small graphs.

It leaves out what a plain `backward` does not need (recording, selection, hooks for observers), and differs in three
ways: operations of one and two operands, the most frequent ones, have code of their own; an array that a rule has just
made is added to in place; and nan is looked for only in gradients that end there, at leaves and where operations stop
them.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from autotiny.engine.backward import Gradients, Sweep
from autotiny.engine.broadcasting import fit
from autotiny.engine.node import Node
from autotiny.engine.selection import has_nan
from autotiny.ops import Op

SCALARS = frozenset({np.float64, np.float32, np.float16})


class FastSweep(Sweep):
    """A sweep over the whole graph, not recorded, that does not look at the selection."""

    stopped_nan = False
    """Whether nan has arrived at an operation that may not pass it on."""
    before: Gradients = {}  # noqa: RUF012 - never written to
    """The gradients before the first operation that selects, which it cannot have spoilt."""

    def run(self, order: Iterable[Node]) -> None:
        """Visit the operations, results before operands."""
        grads = self.grads
        find = grads.get if self.wanted is None else grads.pop  # what was used up is not kept
        for node in order:
            g = find(node, None)
            if g is None:
                continue
            form: Any = node
            if node._stable is not None:
                form = node._stable
                if self.wanted is None:
                    self.passed_by.append(node)
            op, args = form.op, form.args
            if op.stops:
                if self.masked:
                    self.stopped_nan = self.stopped_nan or has_nan(g)
                elif op.has("selects"):
                    self.masked, self.before = True, dict(grads)
            rules = op.rules
            if len(args) == 2 and not form.kwargs and type(rules) is tuple:
                _pull_two(grads, node, form, g)
            elif len(args) == 1 and type(rules) is tuple:
                (x,), (rule,) = args, rules
                _receive(grads, op, x, g, rule(g, node._value, x._value, **form.kwargs))
            else:
                _pull_each(grads, node, form, g)
        self.within = list(self.within_forms()) if self.passed_by else []

    def is_spoilt(self) -> bool:
        """Whether a gradient is nan behind an operation that selects."""
        if not self.masked or self.stopped_nan:
            return self.stopped_nan
        before = self.before
        for x, g in self.grads.items():  # noqa: SIM110 - a loop costs less than any()
            if x.op is None and before.get(x) is not g and has_nan(g):
                return True
        return False


def _pull_two(grads: Gradients, node: Node, form: Any, g: Any) -> None:
    """Pull g back through an operation of two operands; a number of the right precision needs no care."""
    (a, b), (left, right), y = form.args, form.op.rules, node._value
    kind = type(node)  # isinstance takes long to say no
    u = a._value if type(a) is kind else a
    v = b._value if type(b) is kind else b
    if type(a) is kind and a._tracked:
        c = left(g, y, u, v)
        if type(c) in SCALARS and type(c) is type(u):
            grads[a] = grads[a] + c if a in grads else c
        else:
            _receive(grads, form.op, a, g, c)
    if type(b) is kind and b._tracked:
        c = right(g, y, u, v)
        if type(c) in SCALARS and type(c) is type(v):
            grads[b] = grads[b] + c if b in grads else c
        else:
            _receive(grads, form.op, b, g, c)


def _pull_each(grads: Gradients, node: Node, form: Any, g: Any) -> None:
    """Pull g back through one operation, to its operands one by one."""
    args, kwargs, kind = form.args, form.kwargs, type(node)
    values = [arg._value if type(arg) is kind else arg for arg in args]
    rules = form.op.rules
    at_once = getattr(rules, "at_once", None)
    if at_once is not None:
        for arg, c in zip(args, at_once(g, node._value, values, **kwargs), strict=True):
            if type(arg) is kind and arg._tracked:
                _receive(grads, form.op, arg, g, c)
        return
    for arg, rule in zip(args, rules, strict=False):
        if type(arg) is kind and arg._tracked:
            _receive(grads, form.op, arg, g, rule(g, node._value, *values, **kwargs))


def _receive(grads: Gradients, op: Op, arg: Node, g: Any, c: Any) -> None:
    """Add the contribution c of one operation to an operand's gradient."""
    x = arg._value
    if getattr(c, "shape", None) != x.shape or c.dtype is not x.dtype:
        c = fit(c, x, op)
    if c is g and arg.op is None:  # a leaf's gradient is its own, to be clipped in place
        c = c.copy()
    before = grads.get(arg)
    if before is None:
        grads[arg] = c
    elif (
        type(c) is type(before) is np.ndarray
        and c.base is None
        and c is not g  # so c is new, and this is the only reference to it
        and c.strides == before.strides  # or else the sum would lie in memory in another order than `before + c` does
    ):
        grads[arg] = np.add(before, c, out=c)
    else:
        grads[arg] = before + c

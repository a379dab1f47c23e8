"""The sweep of `backward`, tuned: same gradients, bit for bit, in about half the time on small graphs.

It leaves out what a plain `backward` does not need (recording, guard, hooks for observers), and differs in two ways:
operations of one and two operands, the most frequent ones, have code of their own; and an array that a rule has just
made is added to in place.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from autotiny.engine.backward import Gradients, Sweep
from autotiny.engine.broadcasting import fit
from autotiny.engine.node import Node
from autotiny.ops import Op

SCALARS = frozenset({np.float64, np.float32, np.float16})


class FastSweep(Sweep):
    """A sweep over the whole graph, neither recorded nor guarded."""

    def run(self, order: Iterable[Node]) -> None:
        """Visit the operations, results before operands."""
        grads = self.grads
        for node in order:
            g = grads.get(node)
            if g is None:
                continue
            form: Any = node._stable or node
            if form is not node:
                self.passed_by.append(node)
            op, args = form.op, form.args
            if op.selects:
                self.masked = True
            rules = op.rules
            if len(args) == 2 and not form.kwargs and type(rules) is tuple:
                _pull_two(grads, node, form, g)
            elif len(args) == 1 and type(rules) is tuple:
                (x,), (rule,) = args, rules
                _receive(grads, op, x, g, rule(g, node._data, x._data, **form.kwargs))
            else:
                _pull_each(grads, node, form, g)


def _pull_two(grads: Gradients, node: Node, form: Any, g: Any) -> None:
    """Pull g back through an operation of two operands; a number of the right precision needs no care."""
    (a, b), (left, right), y = form.args, form.op.rules, node._data
    kind = type(node)  # isinstance takes long to say no
    u = a._data if type(a) is kind else a
    v = b._data if type(b) is kind else b
    if type(a) is kind and a.requires_grad:
        c = left(g, y, u, v)
        if type(c) in SCALARS and type(c) is type(u):
            grads[a] = grads[a] + c if a in grads else c
        else:
            _receive(grads, form.op, a, g, c)
    if type(b) is kind and b.requires_grad:
        c = right(g, y, u, v)
        if type(c) in SCALARS and type(c) is type(v):
            grads[b] = grads[b] + c if b in grads else c
        else:
            _receive(grads, form.op, b, g, c)


def _pull_each(grads: Gradients, node: Node, form: Any, g: Any) -> None:
    """Pull g back through one operation, to its operands one by one."""
    args, kwargs, kind = form.args, form.kwargs, type(node)
    values = [arg._data if type(arg) is kind else arg for arg in args]
    for arg, rule in zip(args, form.op.rules, strict=False):
        if type(arg) is kind and arg.requires_grad:
            _receive(grads, form.op, arg, g, rule(g, node._data, *values, **kwargs))


def _receive(grads: Gradients, op: Op, arg: Node, g: Any, c: Any) -> None:
    """Add the contribution c of one operation to an operand's gradient."""
    x = arg._data
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

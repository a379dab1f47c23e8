"""Backprop: the reverse sweep over a recorded graph.

    dJ/dx = the sum over every use y of x of  dJ/dy dy/dx

Results come before their operands in the sweep, so that all uses of a tensor have contributed when its own turn
comes. Gradients gather in a dict of the sweep's own, and are published when it is over: nothing that an earlier sweep
left can disturb it.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, TypeVar

import numpy as np

from autotiny.engine import call_site, messages
from autotiny.engine.broadcasting import fitted, require_array
from autotiny.engine.graph import leading_to
from autotiny.engine.masking import finite_unless, guard
from autotiny.engine.modes import modes
from autotiny.engine.mutation import checked_order
from autotiny.engine.node import made_by
from autotiny.engine.recording import LOG, require_finite, stays_in_logarithm, value_of
from autotiny.engine.tensor import Tensor
from autotiny.engine.values import own
from autotiny.errors import ShapeError, UnsupportedError

Gradients = dict[Tensor, Any]
AnySweep = TypeVar("AnySweep", bound="Sweep")
SCALARS = frozenset({np.float64, np.float32, np.float16})


def backward(output: Tensor, grad: Any = None) -> None:
    """Add to `.grad` of the leaves that lead to output, and set it on every other tensor on the way."""
    for node, g in sweep(checked_order(output), {output: seed(output, value_of(grad))}).items():
        if node.op is not None:
            node._grad = g
        elif node._grad is not None:
            node._grad = node._grad + g
        else:
            node._grad = g.copy() if getattr(g, "base", None) is not None else g


def gradients(output: Tensor, tensors: Sequence[Tensor], grad: Any = None) -> list[Tensor]:
    """dJ/dx of a recorded output J for each x, as Tensors: to be drawn, derived, or differentiated again.

    Nothing is published to `.grad`. x may be a result in the graph, such as Z2. It is zero where J does not depend on
    x.

    >>> x = Tensor(3.0)
    >>> (dy,) = gradients(x * x * x, [x])
    >>> (ddy,) = gradients(dy, [x])
    >>> dy.item(), ddy.item()
    (27.0, 18.0)
    """
    if isinstance(tensors, Tensor):
        name = messages.label(tensors, call_site.caller_scope())
        raise UnsupportedError(f"gradients: give the tensors as a list, [{name}]")
    for x in tensors:
        if not isinstance(x, Tensor) or not x.requires_grad:
            raise UnsupportedError(
                f"gradients: {messages.label(x, call_site.caller_scope())} is a constant; only tracked Tensors have one"
            )
    found = sweep(checked_order(output), {output: seed(output, grad)}, tensors, record=True)
    return [as_tensor(found[x]) if x in found else Tensor(np.zeros_like(x._data), requires_grad=False) for x in tensors]


def as_tensor(value: Any) -> Tensor:
    """A value as a Tensor, a constant one if it was not recorded."""
    return value if isinstance(value, Tensor) else Tensor(value, requires_grad=False)


def seed(output: Tensor, grad: Any) -> Any:
    """dJ/d(output), 1 by default."""
    if not output.requires_grad:
        raise UnsupportedError(
            f"backward: {messages.label(output, call_site.caller_scope())} does not depend on any tracked Tensor, "
            "or was made under no_grad"
        )
    if grad is None:
        if output.size != 1:
            raise ShapeError(
                f"backward: an output of shape {output.shape} needs grad of that shape; or take its sum or mean first"
            )
        return np.ones_like(output._data) if output.ndim else output.dtype.type(1)
    given = grad if isinstance(grad, Tensor) else own(grad, True, output.dtype, "backward")
    if given.shape != output.shape:
        raise ShapeError(f"backward: grad must have the shape of the output, {output.shape}; got {given.shape}")
    return given


def sweep(
    order: Sequence[Tensor], seeds: Gradients, wanted: Iterable[Tensor] | None = None, record: bool = False
) -> Gradients:
    """From dJ/d(outputs), the gradient of every tracked tensor, or of those on the way to the wanted ones; recorded
    on request.

    Where an entry was masked (g = 0) and its derivative is infinite, their product is nan, which floating point
    reports as invalid; a masked matrix may be singular. Such a graph is swept again with a guard: where no gradient
    arrives, neither nan nor infinity leaves.
    """
    among = None if wanted is None else leading_to(reversed(order), wanted)
    return swept(order, lambda guard: Sweep(seeds, among, record, guard)).grads


def swept(order: Sequence[Tensor], start: Callable[[bool], "AnySweep"]) -> "AnySweep":
    """A sweep that has run over the order: `start(guard)`, without the guard unless it is needed."""
    if not (modes.debugging or getattr(modes.tracing, "guards", False)):
        try:
            first = _run_until_invalid(start(False), order)
            if not (first.masked and any(map(_has_nan, first.grads.values()))):
                return observed(first)
        except (FloatingPointError, np.linalg.LinAlgError):
            pass
    if hasattr(modes.tracing, "require_guard"):
        modes.tracing.require_guard()
    return observed(_run(start(True), order))


@np.errstate(divide="ignore", over="ignore", under="ignore", invalid="raise")  # a decorator costs less than a with
def _run_until_invalid(sweep: "AnySweep", order: Sequence[Tensor]) -> "AnySweep":
    sweep.run(order)
    return sweep


@np.errstate(all="ignore")
def _run(sweep: "AnySweep", order: Sequence[Tensor]) -> "AnySweep":
    sweep.run(order)
    return sweep


def observed(sweep: "AnySweep") -> "AnySweep":
    """The sweep, shown to who traces it."""
    if modes.tracing is not None and hasattr(modes.tracing, "observe"):
        modes.tracing.observe(sweep)
    return sweep


def _has_nan(g: Any) -> bool:
    value = value_of(g)
    return bool(np.isnan(getattr(value, "value", value)).any())  # of a traced one, its value now


class Sweep:
    """One way back through a graph. `log_grads` holds dJ/dlog(y) of exponentials y, `masked` whether a mask was met."""

    __slots__ = ("among", "careful", "grads", "guard", "log_grads", "masked", "record")

    def __init__(self, seeds: Gradients, among: set[Tensor] | None, record: bool, guard: bool) -> None:
        self.grads, self.among, self.record, self.guard = dict(seeds), among, record, guard
        self.careful = record or guard or among is not None
        self.log_grads: Gradients = {}
        self.masked = False

    def run(self, order: Iterable[Tensor]) -> None:
        """Visit the operations, results before operands."""
        grads, log_grads = self.grads, self.log_grads
        for node in order:
            op: Any = node.op
            g = grads.get(node)
            if log_grads and node in log_grads:
                self.pull_logarithm(node, g, log_grads[node])
            if g is None:
                continue
            if op.selects:
                self.masked = True
            if op is LOG and stays_in_logarithm(node.args):
                (x,) = node.args
                log_grads[x] = log_grads[x] + g if x in log_grads else g
            else:
                self.pull(node, op.rules, g)

    def pull(self, node: Tensor, rules: Any, g: Any) -> None:
        """Pull g back through one operation, to those of its arguments that want a gradient."""
        args, kwargs = node.args, node.kwargs
        if self.careful or type(rules) is not tuple:
            self.pull_each(node, rules, g)
        elif len(args) == 2 and not kwargs:
            # the usual case spelt out, for this is the inner loop; a number needs none of the care that receive takes
            (a, b), (left, right), y, grads = args, rules, node._data, self.grads
            u = a._data if type(a) is Tensor else a
            v = b._data if type(b) is Tensor else b
            if type(a) is Tensor and a.requires_grad:
                c = left(g, y, u, v)
                if type(c) not in SCALARS or type(c) is not type(u):
                    self.receive(node, a, g, c)
                else:
                    grads[a] = grads[a] + c if a in grads else c
            if type(b) is Tensor and b.requires_grad:
                c = right(g, y, u, v)
                if type(c) not in SCALARS or type(c) is not type(v):
                    self.receive(node, b, g, c)
                else:
                    grads[b] = grads[b] + c if b in grads else c
        elif len(args) == 1:
            (a,), (rule,) = args, rules
            self.receive(node, a, g, rule(g, node._data, a._data, **kwargs))
        else:
            self.pull_each(node, rules, g)

    def pull_each(self, node: Tensor, rules: Any, g: Any) -> None:
        """Pull g back to the arguments one by one, whatever they are."""
        args, kwargs = node.args, node.kwargs
        y, values = (node, args) if self.record else (node._data, tuple(map(value_of, args)))
        needed: Iterable[Any] = repeat(True)
        if self.guard:
            needed, y, values = guard(made_by(node), g, y, values, kwargs)
        for arg, rule, where in zip(args, rules, needed, strict=False):
            if type(arg) is Tensor and arg.requires_grad and (self.among is None or arg in self.among):
                c = rule(g, y, *values, **kwargs)
                self.receive(node, arg, g, self.guarded(node, arg, c, where) if self.guard else c)

    def guarded(self, node: Tensor, arg: Tensor, c: Any, where: Any) -> Any:
        """A contribution, finite where the argument was not needed for what was taken."""
        c = finite_unless(where, require_array(c, arg._data, made_by(node)))
        if modes.debugging:
            require_finite(c, f"backward: {made_by(node).name} passes on a gradient of", node)
        return c

    def pull_logarithm(self, node: Tensor, g: Any, h: Any) -> None:
        """Pull back h = dJ/dlog(y) of an exponential y without dividing by y; y's own gradient gains h / y."""
        log: Any = made_by(node).log
        self.pull(node, (log.rule,), h)
        via_log = self.out_of_logarithm(node, h)
        self.grads[node] = via_log if g is None else g + via_log

    def out_of_logarithm(self, node: Tensor, h: Any) -> Any:
        """dJ/dy from h = dJ/dlog(y)."""
        via_log = h / (node if self.record else node._data)
        return finite_unless(value_of(h) != 0, via_log) if self.guard else via_log

    def receive(self, node: Tensor, arg: Tensor, g: Any, c: Any) -> None:
        """Add the contribution c of one operation to an argument's gradient."""
        x, grads = arg._data, self.grads
        if getattr(c, "shape", None) != x.shape or c.dtype is not x.dtype:
            c = fitted(c, x, made_by(node))
        if c is g and arg.op is None:  # a leaf's gradient is its own, to be clipped or scaled in place
            c = c.copy()
        before = grads.get(arg)
        if before is None:
            grads[arg] = c
        elif type(c) is type(before) is np.ndarray and c.base is None and c is not g:  # new: nobody else holds it
            grads[arg] = np.add(before, c, out=c)
        else:
            grads[arg] = before + c

"""Backprop: the reverse sweep over a recorded graph.

    dJ/dx = the sum over every use y of x of  dJ/dy dy/dx

Results come before their operands in the sweep, so that all uses of a tensor have contributed when its own turn comes. Gradients gather
in a dict of the sweep's own, and are published when it is over: nothing that an earlier sweep left can disturb it.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autotiny import describe
from autotiny.errors import ShapeError, StaleError, UnsupportedError
from autotiny.graph import by_number, leading_to
from autotiny.modes import modes
from autotiny.ops import Op
from autotiny.ops.table import Rule
from autotiny.recording import LOG, require_finite, stays_in_logarithm, value_of
from autotiny.seals import fingerprint
from autotiny.tensor import Tensor

Gradients = dict[Tensor, Any]


def backward(output: Tensor, grad: Any = None) -> None:
    """Add to `.grad` of the leaves that lead to output, and set it on every other tensor on the way."""
    for node, g in sweep(checked_order(output), {output: seed(output, grad)}).items():
        if node.op is not None:
            node._grad = g
        elif node._grad is not None:
            node._grad = node._grad + g
        else:
            node._grad = g.copy() if g.base is not None else g


def gradients(output: Tensor, tensors: Sequence[Tensor], grad: Any = None) -> list[Tensor]:
    """dJ/dx of a recorded output J for each x, as Tensors: to be drawn, derived, or differentiated again.

    Nothing is published to `.grad`. x may be a result in the graph, such as Z2. It is zero where J does not depend on x.

    >>> x = Tensor(3.0)
    >>> (dy,) = gradients(x * x * x, [x])
    >>> (ddy,) = gradients(dy, [x])
    >>> dy.item(), ddy.item()
    (27.0, 18.0)
    """
    for x in tensors:
        if not isinstance(x, Tensor) or not x.requires_grad:
            raise UnsupportedError(
                f"gradients: {describe.label(x, describe.caller_scope())} is a constant; only tracked Tensors have one"
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
            f"backward: {describe.label(output, describe.caller_scope())} does not depend on any tracked Tensor, or was made under no_grad"
        )
    if grad is None:
        if output.size != 1:
            raise ShapeError(
                f"backward: an output of shape {output.shape} needs grad of that shape; or take a sum or mean of it first"
            )
        return np.ones_like(output._data) if output.ndim else output.dtype.type(1)
    given = grad if isinstance(grad, Tensor) else np.array(grad, dtype=output.dtype)
    if given.shape != output.shape:
        raise ShapeError(f"backward: grad must have the shape of the output, {output.shape}; got {given.shape}")
    return given


def checked_order(*outputs: Tensor) -> list[Tensor]:
    """The operations that lead to the outputs, results before operands, once it is certain that no value was changed since.

    The same walk as graph.topological_order, without the leaves, which have nothing to pull back through.
    """
    found = {output for output in outputs if output.op is not None}
    order, doubtful = list(found), False
    for node in order:  # grows while it is walked
        doubtful = doubtful or node._notes is not None
        for arg in node.args:
            if type(arg) is Tensor:
                if arg.op is None:
                    doubtful = doubtful or arg._shared or arg._assigned > node._number
                elif arg not in found:
                    found.add(arg)
                    order.append(arg)
    order.sort(key=by_number, reverse=True)
    if doubtful:
        for node in order:
            require_unchanged(node)
    return order


def require_unchanged(node: Tensor) -> None:
    """Raise StaleError if a value that the node was computed from, or its own, is not what it was."""
    notes = node._notes or {}
    if "value" in notes and fingerprint(node._data) != notes["value"]:
        _raise_stale(node, node, "was changed in place")
    for place, arg in enumerate(node.args):
        if type(arg) is Tensor and arg.op is None and arg._assigned > node._number:
            _raise_stale(node, arg, "was assigned")
        shared = type(arg) is Tensor and arg.op is None and arg._shared
        seal = notes.get(place, arg._notes["value"] if shared else None)
        if seal is not None and fingerprint(value_of(arg)) != seal:
            _raise_stale(node, arg, "was changed in place")


def _raise_stale(node: Tensor, held: Any, what: str) -> None:
    name, line = describe.label(held, describe.caller_scope()), (node._notes or {}).get("line")
    raise StaleError(
        f"{node.op.name}: {name} {what} after it was recorded"
        + (f" at {line}" if line else "")
        + "; compute the output anew before backward, or pass a copy"
    )


def sweep(
    order: list[Tensor], seeds: Gradients, wanted: Iterable[Tensor] | None = None, record: bool = False
) -> Gradients:
    """From dJ/d(outputs), the gradient of every tracked tensor, or of those on the way to the wanted ones; recorded on request.

    Where an entry was masked (g = 0) and its derivative is infinite, their product is nan, which floating point reports as invalid.
    Such a graph is swept again with a guard: where no gradient arrives, none leaves.
    """
    among = None if wanted is None else leading_to(reversed(order), wanted)
    if not modes.debugging:
        try:
            with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="raise"):
                found, masked = _sweep(order, seeds, among, record, guard=False)
            if not (masked and any(map(_has_nan, found.values()))):
                return found
        except FloatingPointError:
            pass
    with np.errstate(all="ignore"):
        return _sweep(order, seeds, among, record, guard=True)[0]


def _has_nan(g: Any) -> bool:
    return bool(np.isnan(value_of(g)).any())


def _sweep(
    order: list[Tensor], seeds: Gradients, among: set[Tensor] | None, record: bool, guard: bool
) -> tuple[Gradients, bool]:
    """The gradients, and whether a mask was met on the way."""
    grads, log_grads, masked = dict(seeds), {}, False
    for node in order:
        op, g = node.op, grads.get(node)
        if log_grads and node in log_grads:
            _through_logarithm(node, g, log_grads[node], grads, among, record, guard)
        if g is None:
            continue
        args, kwargs = node.args, node.kwargs
        masked = masked or op.masks
        if op.arity == 2 and not (record or kwargs):  # the usual case, spelt out: this is the inner loop
            (a, b), (left, right), y = args, op.rules, node._data
            a_value = a._data if type(a) is Tensor else a
            b_value = b._data if type(b) is Tensor else b
            if type(a) is Tensor and a.requires_grad and (among is None or a in among):
                _receive(grads, a, left(g, y, a_value, b_value), g, op, guard)
            if type(b) is Tensor and b.requires_grad and (among is None or b in among):
                _receive(grads, b, right(g, y, a_value, b_value), g, op, guard)
        elif op is LOG and stays_in_logarithm(args):
            log_grads[args[0]] = log_grads[args[0]] + g if args[0] in log_grads else g
        else:
            _pull(op.rules, g, node, grads, among, record, guard)
    return grads, masked


def _pull(
    rules: Iterable[Rule | None], g: Any, node: Tensor, grads: Gradients, among: set[Tensor] | None, record: bool, guard: bool
) -> None:
    """Pull g back through one operation, to those of its arguments that want a gradient."""
    args, kwargs = node.args, node.kwargs
    y, values = (node, args) if record else (node._data, list(map(value_of, args)))
    for arg, rule in zip(args, rules, strict=False):
        if rule is not None and type(arg) is Tensor and arg.requires_grad and (among is None or arg in among):
            _receive(grads, arg, rule(g, y, *values, **kwargs), g, node.op, guard)


def _through_logarithm(
    node: Tensor, g: Any, h: Any, grads: Gradients, among: set[Tensor] | None, record: bool, guard: bool
) -> None:
    """Pull back h = dJ/dlog(y) of an exponential y without dividing by y; to y's own gradient it adds h / y."""
    _pull((node.op.log.rule,), h, node, grads, among, record, guard)
    via_log = h / (node if record else node._data)
    grads[node] = via_log if g is None else g + via_log


def _receive(grads: Gradients, arg: Tensor, c: Any, g: Any, op: Op, guard: bool) -> None:
    """Add a contribution to an argument's gradient."""
    if guard and op.guarded:
        c = np.where(g == 0, 0.0, c)
    x = arg._data
    if c.shape != x.shape or c.dtype is not x.dtype:
        c = fitted(c, x, op)
    if c is g and arg.op is None:  # a leaf's gradient is its own, to be clipped or scaled in place
        c = c.copy()
    grads[arg] = grads[arg] + c if arg in grads else c  # never in place: gradients may be shared


def fitted(c: Any, x: Any, op: Op) -> Any:
    """A contribution in the shape and precision of the argument's value x: what broadcasting repeated is summed."""
    if c.shape != x.shape:
        axes = repeated_axes(c.shape, x.shape)
        if axes is None:
            raise ShapeError(f"{op.name}: a rule gave shape {c.shape}, expected {x.shape}")
        c = c.sum(axes, keepdims=True)
        if c.ndim != x.ndim:
            c = c.reshape(x.shape)
    return c if c.dtype == x.dtype else c.astype(x.dtype)


@functools.lru_cache
def repeated_axes(shape: tuple[int, ...], original: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes along which broadcasting repeated an array to give it this shape; None if it could not have."""
    extra = len(shape) - len(original)
    if extra < 0 or any(n not in (1, m) for n, m in zip(original, shape[extra:], strict=True)):
        return None
    return (*range(extra), *(extra + i for i, n in enumerate(original) if n != shape[extra + i]))

"""Backprop: the reverse sweep over a recorded graph.

    dJ/dx = the sum over every use y of x of  dJ/dy dy/dx

Results come before their operands in the sweep, so that all uses of a tensor have contributed when its own turn comes. Gradients gather
in a dict of the sweep's own, and are published when it is over: nothing that an earlier sweep left can disturb it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autotiny import describe
from autotiny.errors import ShapeError, StaleError, UnsupportedError
from autotiny.graph import leading_to, topological_order
from autotiny.modes import modes
from autotiny.ops import Op
from autotiny.recording import LOG, require_finite, value_of
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
        return np.ones_like(output._data)
    given = grad if isinstance(grad, Tensor) else np.array(grad, dtype=output.dtype)
    if given.shape != output.shape:
        raise ShapeError(f"backward: grad must have the shape of the output, {output.shape}; got {given.shape}")
    return given


def checked_order(*outputs: Tensor) -> list[Tensor]:
    """The graph in topological order, once it is certain that no value in it was changed since it was recorded."""
    order = topological_order(*outputs)
    for node in order:
        if node._notes is not None:
            _check_seals(node, node._notes)
        for arg in node.args:
            if type(arg) is Tensor and arg.op is None and arg._assigned > node._number:
                _raise_stale(node, arg, "was assigned")
    return order


def _check_seals(node: Tensor, notes: dict[Any, Any]) -> None:
    for place, seal in notes.items():
        held = node if place == "value" else node.args[place] if isinstance(place, int) else None
        if held is not None and fingerprint(value_of(held)) != seal:
            _raise_stale(node, held, "was changed in place")


def _raise_stale(node: Tensor, held: Any, what: str) -> None:
    name, line = describe.label(held, describe.caller_scope()), (node._notes or {}).get("line")
    raise StaleError(
        f"{node.op.name if node.op else 'leaf'}: {name} {what} after it was recorded"
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
    among = None if wanted is None else leading_to(order, wanted)
    if not modes.debugging:
        try:
            with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="raise"):
                found = _sweep(order, seeds, among, record, guard=False)
            if not (_masks(order) and any(map(_has_nan, found.values()))):
                return found
        except FloatingPointError:
            pass
    with np.errstate(all="ignore"):
        return _sweep(order, seeds, among, record, guard=True)


def _masks(order: list[Tensor]) -> bool:
    return any(node.op is not None and node.op.masks for node in order)


def _has_nan(g: Any) -> bool:
    return bool(np.isnan(value_of(g)).any())


def _sweep(order: list[Tensor], seeds: Gradients, among: set[Tensor] | None, record: bool, guard: bool) -> Gradients:
    grads = dict(seeds)
    log_grads: Gradients = {}
    for node in reversed(order):
        op, args = node.op, node.args
        if op is None:
            continue
        y, values = (
            (node, args) if record else (node._data, [arg._data if type(arg) is Tensor else arg for arg in args])
        )
        pulls = []
        g = grads.get(node)
        if g is not None:
            if op is LOG and isinstance(args[0], Tensor) and args[0].op is not None and args[0].op.log is not None:
                accumulate(log_grads, args[0], g)
            else:
                pulls.append((g, op.rules))
        if node in log_grads:
            h = log_grads[node]
            pulls.append((h, (op.log.rule,)))
            accumulate(grads, node, h / y)
        for g, rules in pulls:
            for arg, rule in zip(args, rules, strict=False):
                if type(arg) is Tensor and arg.requires_grad and (among is None or arg in among):
                    c = rule(g, y, *values, **node.kwargs)
                    if guard and op.guarded:
                        c = np.where(g == 0, 0.0, c)
                    if c is g and arg.op is None:  # a leaf's gradient is its own, to be clipped or scaled in place
                        c = c.copy()
                    accumulate(grads, arg, fitted(c, arg, op))
    return grads


def accumulate(grads: Gradients, node: Tensor, c: Any) -> None:
    """Add a contribution; never in place, for gradients may be shared."""
    before = grads.get(node)
    grads[node] = c if before is None else before + c


def fitted(c: Any, arg: Tensor, op: Op) -> Any:
    """A contribution in the shape and precision of the argument: what broadcasting repeated is summed."""
    try:
        same = c.shape == arg.shape
    except AttributeError:
        raise UnsupportedError(
            f"{op.name}: the rule for {describe.label(arg, {})} gave {c!r}, expected an array of shape {arg.shape}"
        ) from None
    if not same:
        c = unbroadcast(c, arg, op)
    return c if c.dtype == arg.dtype else c.astype(arg.dtype)


def unbroadcast(c: Any, arg: Tensor, op: Op) -> Any:
    """Sum over the axes along which the argument was repeated."""
    extra = c.ndim - arg.ndim
    kept = c.shape[extra:]
    if extra < 0 or any(n not in (1, m) for n, m in zip(arg.shape, kept, strict=True)):
        raise ShapeError(
            f"{op.name}: the rule for {describe.label(arg, {})} gave shape {c.shape}, expected {arg.shape}"
        )
    axes = (*range(extra), *(extra + i for i, n in enumerate(arg.shape) if n != kept[i]))
    return np.reshape(c.sum(axis=axes, keepdims=True), arg.shape)

"""Gradients of a recorded output, for users: fill `.grad` of the tensors behind it, or return them as Tensors.

Of a complex tensor, users give and see dJ/dRe + i dJ/dIm, the direction in which J grows fastest. A sweep computes with
its conjugate, by which rules need none (`ops/table.py`): `seed` and `published` are the way in and out.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar
from weakref import ref

import numpy as np

from autotiny.engine import call_site, messages
from autotiny.engine.backward import ALL, Gradients, Sweep, run_sweep, succeeds
from autotiny.engine.fast_sweep import FastSweep
from autotiny.engine.graph import leading_to
from autotiny.engine.modes import GradientMark, in_use, modes
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import Node, next_number
from autotiny.engine.recording import value_of
from autotiny.engine.selection import Mask, Selection
from autotiny.engine.values import SCALARS, private_copy
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import conj, is_complex, require_real_place

AnyNode = TypeVar("AnyNode", bound=Node)
set_gradient: Callable[[Node, Any], None] = vars(Node)["_grad"].__set__


def published(grads: Gradients) -> Gradients:
    """Return the gradients of a sweep as users see them."""
    for x, g in grads.items():
        if g.dtype.kind == "c":
            grads[x] = np.conjugate(g)
    return grads


def backward(output: Node, grad: Any = None) -> None:
    """Add to `.grad` of the leaves that lead to output, and set it on every other tensor on the way."""
    sweep = run(verified_order(output), {output: seed(output, value_of(grad))}, None, False, keep=True)
    grads = sweep.all_gradients()
    if sweep.may_be_complex:
        published(grads)
    for x in sweep.leaves:
        g, before = grads[x], x._grad
        if before is not None:
            grads[x] = before + g
        elif type(g) not in SCALARS and getattr(g, "base", None) is not None:
            grads[x] = g.copy()
    any(map(set_gradient, grads, grads.values()))  # in one call, which an interrupt (Ctrl-C) cannot stop half way


def gradients(output: Node, tensors: Sequence[AnyNode], grad: Any = None) -> list[AnyNode]:
    """dJ/dx of a recorded output J for each x, as Tensors: to be drawn, derived, or differentiated again.

    Nothing is published to `.grad`. x may be a result in the graph, such as Z2. It is zero where J does not depend on
    x, and for a complex x it is dJ/dRe(x) + i dJ/dIm(x).

    >>> import autotiny as at
    >>> x = at.Tensor(3.0)
    >>> (dy,) = at.gradients(x * x * x, [x])
    >>> (ddy,) = at.gradients(dy, [x])
    >>> dy.item(), ddy.item()
    (27.0, 18.0)
    """
    if isinstance(tensors, Node):
        name = messages.label(tensors, call_site.caller_scope())
        raise UnsupportedError(f"gradients: give the tensors as a list, [{name}]")
    if not isinstance(output, Node):
        raise UnsupportedError(f"gradients: expected a recorded Tensor, got {type(output).__name__}")
    if not isinstance(tensors, list | tuple):
        raise UnsupportedError(f"gradients: give the tensors as a list; got {type(tensors).__name__}")
    for x in tensors:
        if not isinstance(x, Node) or not x.requires_grad:
            raise UnsupportedError(
                f"gradients: {messages.label(x, call_site.caller_scope())} is a constant; only tracked Tensors have one"
            )
    start = next_number()
    grads = with_forms(verified_order(output), {output: seed(output, grad)}, tensors, record=True)
    _note_gradients(output, grads, start)
    values = [conj(grads[x]) if x in grads else np.zeros_like(x.value) for x in tensors]
    kind: Any = type(output)
    return [g if isinstance(g, kind) else kind(g, requires_grad=False) for g in values]


def _note_gradients(output: Node, grads: Gradients, start: int) -> None:
    """Note of which value each recorded gradient is that of, for pictures, without keeping these values alive."""
    mark = GradientMark(output, start, next_number())
    for x, g in grads.items():
        if isinstance(g, Node) and g._number > start and g.op is not None:
            g._notes = {"gradient": (ref(x), mark), **(g._notes or {})}


def seed(output: Node, grad: Any) -> Any:
    """Return dJ/d(output) as a sweep starts with it, from what a user gives; 1 by default."""
    if grad is None and output._tracked and type(output._value) in SCALARS:
        return type(output._value)(1)
    if not output.requires_grad:
        raise UnsupportedError(
            f"backward: {messages.label(output, call_site.caller_scope())} does not depend on any tracked Tensor, "
            "or was made under no_grad"
        )
    if grad is None:
        value = output._value
        if type(value) in SCALARS:
            return type(value)(1)
        if is_complex(output):
            raise UnsupportedError(
                f"backward: {messages.label(output, call_site.caller_scope())} is complex, and a gradient is that of a "
                "real number: take np.real, np.imag or np.abs of it first, or give grad, dJ/dRe + i dJ/dIm"
            )
        if output.size != 1:
            raise ShapeError(
                f"backward: an output of shape {output.shape} needs grad of that shape; or take its sum or mean first"
            )
        scalar = isinstance(output._value, np.generic)
        return output.dtype.type(1) if scalar else np.ones_like(output._value)
    start = grad if isinstance(grad, Node) else private_copy(grad, True, output.dtype, "backward")
    if start.shape != output.shape:
        raise ShapeError(f"backward: grad must have the shape of the output, {output.shape}; got {start.shape}")
    if isinstance(start, Node):
        require_real_place(start.dtype, output.dtype, "backward")
    return conj(start)


def sweep(
    order: Sequence[Node],
    seeds: Gradients,
    wanted: Collection[Node] | None = None,
    record: bool = False,
    *,
    whole: bool = False,
    chosen: Mapping[Node, Mask] = ALL,
) -> Gradients:
    """Return the gradient of every tracked tensor, or of the wanted ones, from dJ/d(outputs), as rules take them.

    `order` holds the operations, results before operands. The gradients are recorded on request. `whole` says that all
    leaves are wanted. `chosen` marks the entries of the outputs that were taken, where not all of them were. Those of
    results within a stable form are what other uses contribute; `with_forms` gives them whole.
    """
    return run(order, seeds, wanted, record, whole=whole, chosen=chosen).grads


def with_forms(
    order: Sequence[Node], seeds: Gradients, wanted: Collection[Node] | None = None, record: bool = False
) -> Gradients:
    """Return the gradients, those of results within a stable form as what is written gives them: dJ/dA of log(A)."""
    return run(order, seeds, wanted, record, keep=True).all_gradients()


def run(
    order: Sequence[Node],
    seeds: Gradients,
    wanted: Collection[Node] | None,
    record: bool,
    *,
    whole: bool = False,
    keep: bool = False,
    chosen: Mapping[Node, Mask] = ALL,
) -> Sweep:
    """Return the sweep that finds the gradients, and keeps them all on request."""
    tracing, debugging = (modes.tracing is not None, modes.debugging) if in_use else (False, False)
    kept = None if wanted is None or keep or record or tracing else frozenset(wanted)
    path, looks = None, False
    if (wanted is None or whole) and not (record or tracing or debugging):
        fast = FastSweep(seeds, wanted=kept)
        fast.masked = bool(chosen)
        if succeeds(fast, order):
            return fast
        looks = True
    elif wanted is not None and not whole:
        path = leading_to(reversed(order), wanted)

    def start(selection: Selection | None) -> Sweep:
        return Sweep(seeds, path, record=record, selection=selection, wanted=kept)

    return run_sweep(order, start, chosen, looks=looks)

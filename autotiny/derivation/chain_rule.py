"""The chain rule in formulas: gradients pulled back by the rules of the operations."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant, topological_order
from autotiny.algebra.normalise import conjugated
from autotiny.engine.broadcasting import repeated_axes
from autotiny.ops.table import is_complex


def pull(made: Term, output: Term, g: Any, wanted: Iterable[Term]) -> dict[Term, Term]:
    """dJ/dx for each wanted symbol x that an output is made of, from g = dJ/d(output).

    Of complex numbers they are dJ/dRe + i dJ/dIm; rules take and give the conjugates (`ops/table.py`).
    """
    order = topological_order(made)
    wanted = set(wanted)
    leading: set[Term] = set()
    for part in order:
        if part in wanted or not leading.isdisjoint(part.args):
            leading.add(part)
    grads: dict[Term, Any] = {
        made: constant(output.dtype.type(g.value)) if g.is_constant and g.ndim == 0 else conjugate(g)
    }
    for part in reversed(order):
        if part.op is None or part not in leading or part not in grads:
            continue
        for arg, rule in zip(part.args, part.op.rules, strict=False):
            if arg in leading and rule is not None:
                c = rule(grads[part], output if part is made else part, *part.args, **part.kwargs)
                c = unbroadcast(np.real(conjugated(c)) if is_complex(c) and not is_complex(arg) else c, arg.shape)
                grads[arg] = grads[arg] + c if arg in grads else c
    return {x: conjugate(constant(g)) for x, g in grads.items() if x in wanted}


def conjugate(g: Term) -> Term:
    """The conjugate of a complex gradient; a real one unchanged."""
    return conjugated(g) if is_complex(g) else g


def unbroadcast(c: Any, shape: tuple[int, ...]) -> Any:
    """A contribution in the shape of the operand: what broadcasting repeated is summed."""
    if np.shape(c) == shape:
        return c
    axes = repeated_axes(np.shape(c), shape)
    assert axes is not None
    c = np.sum(c, axis=axes, keepdims=True)
    return c if np.shape(c) == shape else np.reshape(c, shape)

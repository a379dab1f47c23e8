"""The chain rule in formulas: gradients pulled back by the rules of the operations."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from autotiny.algebra.normalise import conjugated
from autotiny.algebra.simplify import rebuilt
from autotiny.algebra.term import Term, constant, topological_order
from autotiny.engine.broadcasting import repeated_axes
from autotiny.ops.table import is_complex


def pull(made: Term, output: Term, g: Any, wanted: Iterable[Term]) -> dict[Term, Term]:
    """dJ/dx for each wanted symbol x that an output is made of, from g = dJ/d(output).

    Of complex numbers they are dJ/dRe + i dJ/dIm; rules take and give the conjugates (`ops/table.py`).
    """
    wanted = set(wanted)
    leading = leading_to(made, wanted)
    grads: dict[Term, Any] = {
        made: constant(output.dtype.type(g.value)) if g.is_constant and g.ndim == 0 else conjugate(g)
    }
    for part in reversed(leading):
        if part.op is None or part not in grads:
            continue
        for arg, rule in zip(part.args, part.op.rules, strict=False):
            if arg in leading and rule is not None:
                c = rule(grads[part], output if part is made else part, *part.args, **part.kwargs)
                c = unbroadcast(np.real(conjugated(c)) if is_complex(c) and not is_complex(arg) else c, arg.shape)
                grads[arg] = grads[arg] + c if arg in grads else c
    return {x: conjugate(constant(g)) for x, g in grads.items() if x in wanted}


def bottlenecks(made: Term, wanted: Collection[Term]) -> list[Term]:
    """The results through each of which alone a term depends on the wanted symbols: softmax(Z), then Z = W A + b."""
    leading = leading_to(made, wanted)
    waiting, found = {made}, list[Term]()
    for part in reversed(leading):
        if part in wanted:
            break
        if waiting == {part}:
            found.append(part)
        waiting.discard(part)
        waiting.update(arg for arg in part.args if arg in leading)
    return found


def conjugate(g: Term) -> Term:
    """The conjugate of a complex gradient; a real one unchanged."""
    return conjugated(g) if is_complex(g) else g


def leading_to(made: Term, wanted: Collection[Term]) -> dict[Term, None]:
    """The parts of a term that depend on wanted symbols, and these, operands before results."""
    leading: dict[Term, None] = {}
    for part in topological_order(made):
        if part in wanted or any(arg in leading for arg in part.args):
            leading[part] = None
    return leading


def replaced(term: Term, by: Mapping[Term, Term]) -> Term:
    """Return a formula with others in place of some of its parts."""
    done = dict(by)
    for part in topological_order(term):
        if part not in done:
            done[part] = rebuilt(part, tuple(done[arg] for arg in part.args))
    return done[term]


def unbroadcast(c: Any, shape: tuple[int, ...]) -> Any:
    """A contribution in the shape of the operand: what broadcasting repeated is summed."""
    if np.shape(c) == shape:
        return c
    axes = repeated_axes(np.shape(c), shape)
    assert axes is not None
    c = np.sum(c, axis=axes, keepdims=True)
    return c if np.shape(c) == shape else np.reshape(c, shape)

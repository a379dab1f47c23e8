"""Whether a function may be compiled: every call must leave what it has captured as it is, and record the same."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.algebra import Term, on_others, topological_order
from autotiny.compiler.captured import Captured, changed_inside, drawn_inside
from autotiny.compiler.table import alike
from autotiny.compiler.trace import Trace
from autotiny.compiler.watching import State


def pure_trace(f: Callable[..., Any], call: Callable[[], Trace], draws: bool) -> tuple[Trace, State]:
    """Return a trace and the state that f reads, if a call leaves that as it is, or changes it at the first call only.

    Where an argument is a generator, the function `draws` random numbers, perhaps in code that is not followed.

    Raises UnsupportedError where every call would change it, or give other results.
    """
    before = Captured(f)
    try:
        traced = call()
        before.require_same_after_trace()
        after = Captured(f)
        changed = before.state.difference(after.state)
        if changed or draws or before.may_vary:
            again, traced = traced, call()
            latest = Captured(f)
            if latest.formulas or after.state.difference(latest.state):
                raise changed_inside(changed or "what it has captured")
            if not same_formulas(again, traced) and bits(again) != bits(traced):
                raise drawn_inside()
            again.values.forget()
    except BaseException:
        before.state.restore(Captured(f).state)
        raise
    return traced, after.state


def bits(traced: Trace) -> list[bytes]:
    """Return the bytes of the results of a call."""
    return [np.asarray(out.value if isinstance(out, Term) else out).tobytes() for out in traced.outputs]


def same_formulas(traced: Trace, other: Trace) -> bool:
    """Whether two calls have recorded the same formulas, so that no value need be computed to compare the results."""
    formulas = [[out for out in each.outputs if isinstance(out, Term)] for each in (traced, other)]
    if not len(traced.outputs) == len(formulas[0]) == len(formulas[1]):
        return False
    constants = {bytes_of(term): term for term in topological_order(*formulas[1]) if term.is_constant}
    new = dict(zip(traced.symbols, other.symbols, strict=True))
    for term in topological_order(*formulas[0]):
        if term.is_constant:
            new[term] = constants.get(bytes_of(term), term)
        elif term.op is not None:
            new[term] = on_others(term, new)
    return alike([new[out] for out in formulas[0]], formulas[1])


def bytes_of(term: Term) -> Any:
    """Return what a constant is known by."""
    return type(term.value), term.shape, term.dtype, np.asarray(term.value).tobytes()

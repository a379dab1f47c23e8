"""Lower operations to the functions of NumPy that they consist of: softmax to exp, sum and divide."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, topological_order
from autotiny.algebra.facts import sums_to_one
from autotiny.compiler.naming import FormulaNames
from autotiny.compiler.rewriting import VDOT, made_by, rewrite, with_operands
from autotiny.errors import AutotinyError
from autotiny.ops import OPS
from autotiny.ops.einsum import summation
from autotiny.ops.indexing import index, scatter
from autotiny.ops.linalg import cofactors, log_abs_det, sign_of_det, vdot
from autotiny.ops.shaping import astype, join, pad_constant

# ----- facts -----
# Facts about data, found on the values of the first call and checked at every call: the targets of each example sum to
# 1. What is left of softmax's gradient is then A2 - Y, where else it would be A2 sum(Y) - Y.


def assume_facts(outputs: Sequence[Term], names: FormulaNames) -> tuple[list[Term], list[Term]]:
    """Return the outputs with ones for sums of targets that are all 1; and those sums, to be checked."""
    order = topological_order(*outputs)
    arguments = {term for term in order if term.op is None}
    facts = {term.args[0]: term for term in order if sums_to_one(term, arguments) and is_worth_a_check(term)}

    def visit(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
        if facts.get(args[0]) is with_operands(term, args, kwargs):
            return constant(np.ones(facts[args[0]].shape, facts[args[0]].dtype))
        if term.op is VDOT and args[0] in facts and made_by(args[1], np.subtract):
            return mean_of_difference(facts[args[0]], *args, *args[1].args)
        return lowered(term, args, kwargs)

    return rewrite(outputs, visit, names), list(facts.values())


def is_worth_a_check(term: Term) -> bool:
    """Whether sums are of several examples, and keep the axis of the classes."""
    return term.size > 1 and bool(term.kwargs.get("keepdims"))


def mean_of_difference(total: Term, Y: Term, difference: Term, a: Term, b: Term) -> Any:
    """Y · (a - b) = Y · a - sum(b), if b has one entry for each sum of Y, which is 1."""
    if b.shape != total.shape or a.shape != Y.shape:
        return apply(VDOT, (Y, difference), {})
    return apply(VDOT, (Y, a), {}) - np.sum(b)


OWN = (summation, index, scatter, cofactors, log_abs_det, sign_of_det, vdot, astype, join, pad_constant)
WHOLE = {OPS[function] for function in OWN}
"""Operations of ours that are one call of NumPy, or would be slower in parts."""


def lower(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """Return the outputs in functions of NumPy; an operation that cannot be taken apart stays whole."""
    return rewrite(outputs, lowered, names)


def lowered(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """Lower one operation."""
    op = term.op
    assert op is not None
    if op in WHOLE or getattr(op.function, "__module__", "").startswith("numpy") or isinstance(op.function, np.ufunc):
        return without_uniform_arrays(term, args, kwargs)
    try:
        result = op.forward(*args, **kwargs)
    except (AutotinyError, TypeError, AttributeError):  # it asks for values
        return with_operands(term, args, kwargs)
    return result if isinstance(result, Term) else constant(result)


def without_uniform_arrays(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """Replace an array of equal numbers by the number, where the other operand has the shape of the result."""
    function = term.op and term.op.function
    if isinstance(function, np.ufunc) and function.signature is None and len(args) == 2:
        a, b = args
        if is_uniform(a.value) and a.is_constant and np.broadcast_shapes(a.shape, b.shape) == b.shape:
            args = (constant(a.value.flat[0]), b)
        elif b.is_constant and is_uniform(b.value) and np.broadcast_shapes(a.shape, b.shape) == a.shape:
            args = (a, constant(b.value.flat[0]))
    return with_operands(term, args, kwargs)


def is_uniform(value: Any) -> bool:
    """Whether an array has entries, and all are equal."""
    if not isinstance(value, np.ndarray) or not value.size:
        return False
    first = value.flat[0]  # 0 and -0 are equal, and not the same
    return not any(value.strides) or bool(value.dtype.kind == "f" and first != 0 and (value == first).all())

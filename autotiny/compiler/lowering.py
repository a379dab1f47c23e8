"""Operations as the functions of NumPy that they are made of: softmax as exp, sum and divide."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, topological_order
from autotiny.compiler.naming import Names
from autotiny.compiler.rewriting import VDOT, rewrite, with_operands
from autotiny.compiler.shortcuts import made_by
from autotiny.errors import AutotinyError
from autotiny.ops import OPS
from autotiny.ops.einsum import summation
from autotiny.ops.indexing import index, scatter
from autotiny.ops.linalg import cofactors, log_abs_det, sign_of_det, vdot
from autotiny.ops.shaping import astype, join, pad_constant

# ----- facts -----
# Facts about data, found on the values of the first call and checked at every other: the targets of each example sum
# to 1. What is left of softmax's gradient is then A2 - Y, where else it would be A2 sum(Y) - Y.


class FactError(Exception):
    """What held on the values of the first call does not hold on these."""


def assume_facts(outputs: Sequence[Term], names: Names) -> tuple[list[Term], list[Term]]:
    """The outputs where sums that are all 1 are 1; and those sums."""
    facts = {term.args[0]: term for term in topological_order(*outputs) if is_sum_of_ones(term)}

    def visit(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
        if facts.get(args[0]) is with_operands(term, args, kwargs):
            return constant(np.ones(facts[args[0]].shape, facts[args[0]].dtype))
        if term.op is VDOT and args[0] in facts and made_by(args[1], np.subtract):
            return mean_of_difference(facts[args[0]], *args, *args[1].args)
        return lowered(term, args, kwargs)

    return rewrite(outputs, visit, names), list(facts.values())


def is_sum_of_ones(term: Term) -> bool:
    """Whether it is a sum over an argument's entries, and comes to 1 everywhere."""
    if not made_by(term, np.sum) or not term.kwargs.get("keepdims") or term.args[0].op is not None:
        return False
    return term.ndim > 0 and term.size > 1 and bool(np.all(term.value == 1))


def mean_of_difference(total: Term, Y: Term, difference: Term, a: Term, b: Term) -> Any:
    """Y · (a - b) = Y · a - sum(b) where b has one entry for each sum of Y that is 1."""
    if b.shape != total.shape or a.shape != Y.shape:
        return apply(VDOT, (Y, difference), {})
    return apply(VDOT, (Y, a), {}) - np.sum(b)


OWN = (summation, index, scatter, cofactors, log_abs_det, sign_of_det, vdot, astype, join, pad_constant)
WHOLE = {OPS[function] for function in OWN}
"""Operations of ours that are one call of NumPy, or more of Python than of NumPy."""


def lower(outputs: Sequence[Term], names: Names) -> list[Term]:
    """The outputs in functions of NumPy; an operation that cannot be taken apart stays whole."""
    return rewrite(outputs, lowered, names)


def lowered(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """One operation, taken apart."""
    op = term.op
    assert op is not None
    if op.function is np.power:
        return power(term, args, kwargs)
    if op.function is np.square:
        return args[0] * args[0]
    if op.function is np.positive:
        return args[0]
    if op in WHOLE or getattr(op.function, "__module__", "").startswith("numpy") or isinstance(op.function, np.ufunc):
        return without_uniform_arrays(term, args, kwargs)
    try:
        result = op.forward(*args, **kwargs)
    except (AutotinyError, TypeError, AttributeError):  # it asks for values
        return with_operands(term, args, kwargs)
    return result if isinstance(result, Term) else constant(result)


def power(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """Small whole powers as products; NumPy's own is many times slower."""
    base, exponent = args
    if exponent.is_constant and base.dtype.kind == "f" and np.ndim(exponent.value) == 0:
        b = exponent.value
        if b == 1 and result_keeps_type(base, exponent):
            return base
        if b == 2 and result_keeps_type(base, exponent):
            return base * base
        if b == 3 and result_keeps_type(base, exponent):
            return base * base * base
    return with_operands(term, args, kwargs)


def result_keeps_type(base: Term, other: Term) -> bool:
    """Whether base op other has base's type."""
    return np.result_type(base.value, other.value) == base.dtype


def without_uniform_arrays(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """The operation, with a single number for an array of equal ones where broadcasting makes up for it."""
    function = term.op and term.op.function
    if isinstance(function, np.ufunc) and function.signature is None and len(args) == 2:
        a, b = args
        if is_uniform(a.value) and a.is_constant and np.broadcast_shapes(a.shape, b.shape) == b.shape:
            args = (constant(a.value.flat[0]), b)
        elif b.is_constant and is_uniform(b.value) and np.broadcast_shapes(a.shape, b.shape) == a.shape:
            args = (a, constant(b.value.flat[0]))
    return with_operands(term, args, kwargs)


def is_uniform(value: Any) -> bool:
    """Whether an array has entries, all of them the same."""
    if not isinstance(value, np.ndarray) or not value.size:
        return False
    first = value.flat[0]  # 0 and -0 are equal, and not the same
    return not any(value.strides) or bool(value.dtype.kind == "f" and first != 0 and (value == first).all())

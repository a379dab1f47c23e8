"""Passes over formulas: rebuild them, operands before results; and lower operations to what NumPy computes them by."""

from collections.abc import Callable, Container, Mapping, Sequence
from enum import Enum, auto
from functools import cache
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, topological_order, with_args
from autotiny.algebra.facts import sums_to_one
from autotiny.algebra.normal import remembered
from autotiny.compiler.naming import FormulaNames, hand_on
from autotiny.engine.pytree import tree_map
from autotiny.errors import AutotinyError
from autotiny.ops import OPS, Op, stable_form
from autotiny.ops.einsum import summation
from autotiny.ops.indexing import index, is_basic, scatter
from autotiny.ops.linalg import cofactors, log_abs_det, sign_of_det
from autotiny.ops.matmul import vdot
from autotiny.ops.outputs import Outputs
from autotiny.ops.padding import pad_constant
from autotiny.ops.patches import overlap_add, patches
from autotiny.ops.shaping import astype, join

# ----- kinds of terms, by how NumPy computes them -----


INDEX, CAST, VDOT, SUMMATION = OPS[index], OPS[astype], OPS[vdot], OPS[summation]


class TermKind(Enum):
    """The way in which a program computes a term."""

    INPUT = auto()
    CONSTANT = auto()
    NUMBER = auto()
    """A result without axes, which NumPy gives as a scalar."""
    VIEW = auto()
    """The entries of another array, in another arrangement."""
    ELEMENTWISE = auto()
    CAST = auto()
    REDUCTION = auto()
    PRODUCT = auto()
    """A matrix product."""
    CALL = auto()
    """Any other function, which allocates its result."""


@remembered
def kind(term: Term) -> TermKind:
    """Return the kind of a term."""
    if term.op is None:
        return TermKind.CONSTANT if term.is_constant else TermKind.INPUT
    function = term.op.function
    if is_view(term):
        return TermKind.VIEW
    if term.ndim == 0:
        return TermKind.NUMBER
    if isinstance(function, np.ufunc):
        return TermKind.PRODUCT if function is np.matmul else TermKind.ELEMENTWISE
    if term.op is CAST or function is np.copy:
        return TermKind.CAST
    return TermKind.REDUCTION if term.op.reduction_of else TermKind.CALL


def is_view(term: Term) -> bool:
    """Whether NumPy returns a view of the operand."""
    assert term.op is not None
    if not isinstance(term.args[0].prototype, np.ndarray):
        return False
    if term.op is INDEX:
        return is_basic(term.kwargs.get("key")) and term.ndim > 0
    return term.op.has("rearranges") or (term.op.has("reshapes") and term.kwargs.get("order", "C") == "C")


def allocates(term: Term) -> bool:
    """Whether its function returns memory of its own, whatever its operands are and wherever they lie.

    A function of the user's, or of ours that is not taken apart, may return an operand, for some values at least.
    """
    op = term.op
    assert op is not None
    if is_output(term):
        return not term.args[0].op.has("moves") and allocates(term.args[0])  # type: ignore[union-attr]
    if not (isinstance(op.function, np.ufunc) or op.function.__module__.startswith("numpy") or op in WHOLE):
        return False
    if op is INDEX:
        return not is_basic(term.kwargs.get("key"))
    return not (op.has("reshapes") or op.has("rearranges") or (op is SUMMATION and len(term.args) == 1))


def is_output(term: Term) -> bool:
    """Whether a term is one of several outputs of an operation."""
    return term.op is not None and isinstance(term.args[0].prototype, Outputs)


def folded(op: Op) -> str:
    """Return the name of the ufunc that a reduction folds over the entries."""
    assert op.reduction_of is not None
    return op.reduction_of.__name__


Visit = Callable[[Term], Any]
"""`visit(term)`: the replacement of an operation, whose operands have been rewritten."""


def rewrite(
    outputs: Sequence[Term], visit: Visit, names: FormulaNames, of: Container[Op | None] | None = None
) -> list[Term]:
    """Return the outputs with `visit(term)` in place of every operation, or of those `of` some kinds.

    Names move to the new terms.
    """
    new: dict[Term, Term] = {}
    for term in topological_order(*outputs):
        if term.op is None:
            continue
        made = with_new_operands(term, new)
        if made.op is not None and (of is None or made.op in of):
            made = constant(visit(made))
        if made is not term:
            new[term] = made
            if term in names:
                hand_on(names, names[term], made)
    return [new.get(output, output) for output in outputs]


def with_new_operands(term: Term, new: Mapping[Term, Term]) -> Term:
    """Return the operation of a term on the operands that replace its own; the term itself where none does."""
    for part in term.parents:
        if part in new:
            break
    else:
        return term
    assert term.op is not None
    args = tuple([new.get(arg, arg) for arg in term.args])
    if len(term.parents) == len(args):
        return with_args(term, args)
    options = tree_map(lambda part: new.get(part, part) if isinstance(part, Term) else part, dict(term.kwargs))
    return constant(apply(term.op, args, options, term))


def made_by(term: Term, function: Any) -> bool:
    """Whether a term is the result of a function of NumPy."""
    return term.op is not None and term.op.function is function


def is_number(term: Term, value: float) -> bool:
    """Whether a term is this very number."""
    return term.is_constant and np.ndim(term.prototype) == 0 and bool(term.value == value)


def users(outputs: Sequence[Term]) -> dict[Term, list[Term]]:
    """Return the users of each term; an output counts as a user of itself."""
    users_of: dict[Term, list[Term]] = {term: [] for term in topological_order(*outputs)}
    for term in users_of:
        for part in term.parents:
            users_of[part].append(term)
    for output in outputs:
        users_of[output].append(output)
    return users_of


# ----- stable forms -----


def with_stable_forms(
    outputs: Sequence[Term], names: FormulaNames, written: dict[Term, Term] | None = None
) -> list[Term]:
    """Return the outputs with the stable form of every expression that a row stands for.

    What is differentiated has been recorded with them; this is for the rest. What stood there goes into `written`.
    """

    def visit(term: Term) -> Term:
        assert term.op is not None
        form = stable_form(term.op, term.args)
        if form is None:
            return term
        stable = constant(apply(form.op, form.args, form.kwargs))
        if (stable.shape, stable.dtype) != (term.shape, term.dtype):  # of integers, which only a formula has
            return term
        if written is not None:
            written.setdefault(stable, term)
        return stable

    return rewrite(outputs, visit, names)


# ----- facts about data, assumed at the first call and checked at every call -----


def assume_facts(outputs: Sequence[Term], names: FormulaNames) -> tuple[list[Term], list[Term]]:
    """Return the outputs with ones for sums of targets that are all 1; and those sums, to be checked."""
    order = topological_order(*outputs)
    arguments = {term for term in order if term.op is None}
    totals = [total for _, total in map(scaled_total, order) if total is not None]
    facts = {total.args[0]: total for total in totals if sums_to_one(total, arguments) and is_worth_a_check(total)}

    def visit(term: Term) -> Any:
        c, total = scaled_total(term)
        if total is not None and facts.get(total.args[0]) is total:
            return np.full(total.shape, c, total.dtype)
        if term.op is VDOT and term.args[0] in facts and made_by(term.args[1], np.subtract):
            return mean_of_difference(facts[term.args[0]], *term.args, *term.args[1].args)
        return lowered(term)

    return rewrite(outputs, visit, names), list(facts.values())


def scaled_total(term: Term) -> tuple[Any, Term | None]:
    """Return 1 and the term for a sum; c and sum(Y) for sum(c Y) with a number c."""
    if not made_by(term, np.sum):
        return 1, None
    c, Y = 1.0, term.args[0]
    while (scaled := scaled_once(Y)) is not None:
        c, Y = c * scaled[0], scaled[1]
    return (
        (c, apply(OPS[np.sum], (Y,), term.kwargs))
        if (Y.shape, Y.dtype) == (term.args[0].shape, term.dtype)
        else (1, term)
    )


def scaled_once(x: Term) -> tuple[float, Term] | None:
    """Return c and Y for c Y, Y / (1 / c) and -Y; None for anything else."""
    if made_by(x, np.negative):
        return -1.0, x.args[0]
    if made_by(x, np.multiply) or made_by(x, np.divide):
        for Y, c in (x.args, x.args[::-1]) if made_by(x, np.multiply) else (x.args,):
            if c.is_constant and not c.ndim and c.value:
                return float(c.value if made_by(x, np.multiply) else 1 / c.value), Y
    return None


def is_worth_a_check(term: Term) -> bool:
    """Whether sums are of several examples, and keep the axis of the classes."""
    return term.size > 1 and bool(term.kwargs.get("keepdims"))


def mean_of_difference(total: Term, Y: Term, difference: Term, a: Term, b: Term) -> Any:
    """Y · (a - b) = Y · a - sum(b), if b has one entry for each sum of Y, which is 1."""
    if b.shape != total.shape or a.shape != Y.shape:
        return apply(VDOT, (Y, difference), {})
    return apply(VDOT, (Y, a), {}) - np.sum(b)


# ----- lowering: softmax to exp, sum and divide -----
OWN = (
    *(summation, index, scatter, patches, overlap_add, cofactors, log_abs_det, sign_of_det, vdot, astype, join),
    pad_constant,
)
WHOLE = {OPS[function] for function in OWN}
"""Operations of autotiny that are one call of NumPy, or would be slower in parts."""


def lower(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """Return the outputs in functions of NumPy; an operation that cannot be taken apart stays whole."""
    return rewrite(outputs, lowered, names)


def lowered(term: Term) -> Term:
    """Lower one operation."""
    op = term.op
    assert op is not None
    if is_whole(op) or isinstance(term.prototype, Outputs):
        return without_uniform_arrays(term)
    try:
        result = constant(op.forward(*term.args, **term.kwargs))
    except (AutotinyError, TypeError, ValueError, AttributeError):  # it asks for values
        return term
    return result if (result.shape, result.dtype) == (term.shape, term.dtype) else term


@cache
def is_whole(op: Op) -> bool:
    """Whether an operation is a function of NumPy's, or one of ours that is not taken apart."""
    function = op.function
    return op in WHOLE or isinstance(function, np.ufunc) or getattr(function, "__module__", "").startswith("numpy")


def without_uniform_arrays(term: Term) -> Term:
    """Replace an array of equal numbers by the number, where the other operand has the shape of the result."""
    assert term.op is not None
    function, args = term.op.function, term.args
    if len(args) != 2 or not isinstance(function, np.ufunc) or function.signature is not None:
        return term
    a, b = args
    if a.is_constant and is_uniform(a.value) and np.broadcast_shapes(a.shape, b.shape) == b.shape:
        return with_args(term, (constant(a.value.flat[0]), b))
    if b.is_constant and is_uniform(b.value) and np.broadcast_shapes(a.shape, b.shape) == a.shape:
        return with_args(term, (a, constant(b.value.flat[0])))
    return term


def is_uniform(value: Any) -> bool:
    """Whether an array has entries, and all are equal."""
    if not isinstance(value, np.ndarray) or not value.size:
        return False
    first = value.flat[0]  # 0 and -0 are equal, and not the same
    return not any(value.strides) or bool(value.dtype.kind == "f" and first != 0 and (value == first).all())

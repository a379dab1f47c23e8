"""Passes over formulas: rebuild them, operands before results, with each operation replaced by a function."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from operator import is_
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, topological_order
from autotiny.compiler.naming import FormulaNames, hand_on
from autotiny.engine.pytree import tree_map
from autotiny.ops import OPS, Op
from autotiny.ops.indexing import index, is_basic
from autotiny.ops.linalg import vdot
from autotiny.ops.shaping import astype

# ----- kinds -----
# How NumPy computes a term: as a number, a view, or an array that is written entry by entry, summed, multiplied.


INDEX, CAST, VDOT = OPS[index], OPS[astype], OPS[vdot]


class TermKind(Enum):
    """How a term gets its value."""

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
    if not isinstance(term.args[0].value, np.ndarray):
        return False
    if term.op is INDEX:
        return is_basic(term.kwargs["key"]) and term.ndim > 0
    return term.op.has("rearranges") or (term.op.has("reshapes") and term.kwargs.get("order", "C") == "C")


def folded(op: Op) -> str:
    """Return the name of the ufunc that a reduction folds over the entries."""
    assert op.reduction_of is not None
    return op.reduction_of.__name__


Visit = Callable[[Term, tuple[Term, ...], Mapping[str, Any]], Any]
"""What takes the place of a term, given its operands and options as they have been rewritten."""


def rewrite(outputs: Sequence[Term], visit: Visit, names: FormulaNames) -> list[Term]:
    """Return the outputs with `visit(term, args, kwargs)` in place of every operation; names move to the new terms."""
    new: dict[Term, Term] = {}
    for term in topological_order(*outputs):
        new[term] = made = term if term.op is None else visit(term, *operands(term, new))
        if term in names:
            hand_on(names, names[term], made)
    return [new[output] for output in outputs]


def operands(term: Term, new: Mapping[Term, Term]) -> tuple[tuple[Term, ...], Mapping[str, Any]]:
    """Return operands and options after the pass."""
    args = tuple([new[arg] for arg in term.args])
    if not term.kwargs or len(term.parents) == len(term.args):
        return args, term.kwargs
    return args, tree_map(lambda part: new[part] if isinstance(part, Term) else part, dict(term.kwargs))


def made_by(term: Term, function: Any) -> bool:
    """Whether a term is the result of a function of NumPy."""
    return term.op is not None and term.op.function is function


def is_number(term: Term, value: float) -> bool:
    """Whether a term is this very number."""
    return term.is_constant and np.ndim(term.value) == 0 and bool(term.value == value)


def users(outputs: Sequence[Term]) -> dict[Term, list[Term]]:
    """Return the users of each term; an output counts as a user of itself."""
    users_of: dict[Term, list[Term]] = {term: [] for term in topological_order(*outputs)}
    for term in users_of:
        for part in term.parents:
            users_of[part].append(term)
    for output in outputs:
        users_of[output].append(output)
    return users_of


def with_operands(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the operation of a term on operands whose values are those of its own, so that its value is known."""
    assert term.op is not None
    if kwargs is term.kwargs and all(map(is_, args, term.args)):
        return term
    return apply(term.op, args, kwargs, term.value)

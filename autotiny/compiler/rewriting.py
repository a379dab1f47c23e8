"""Build a formula anew, operands before results, by what a rule makes of each operation."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from operator import is_
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, topological_order
from autotiny.compiler.naming import Names, hand_on
from autotiny.engine.pytree import tree_map
from autotiny.ops import OPS, Op
from autotiny.ops.indexing import index, is_basic
from autotiny.ops.linalg import vdot
from autotiny.ops.shaping import astype

# ----- kinds -----
# What a term is to the machine: a number, a view, or an array that is written entry by entry, summed, multiplied.


INDEX, CAST, VDOT = OPS[index], OPS[astype], OPS[vdot]


class Kind(Enum):
    """How a term comes by its value."""

    INPUT = auto()
    CONSTANT = auto()
    NUMBER = auto()
    """A result without axes, which NumPy gives as a scalar."""
    VIEW = auto()
    """Another array's entries, in another arrangement."""
    ELEMENTWISE = auto()
    CAST = auto()
    REDUCTION = auto()
    PRODUCT = auto()
    """A matrix product."""
    CALL = auto()
    """Any other function, which makes its own array."""


def kind(term: Term) -> Kind:
    """The kind of a term."""
    if term.op is None:
        return Kind.CONSTANT if term.is_constant else Kind.INPUT
    function = term.op.function
    if is_view(term):
        return Kind.VIEW
    if term.ndim == 0:
        return Kind.NUMBER
    if isinstance(function, np.ufunc):
        return Kind.PRODUCT if function is np.matmul else Kind.ELEMENTWISE
    if term.op is CAST or function is np.copy:
        return Kind.CAST
    return Kind.REDUCTION if term.op.reduction_of else Kind.CALL


def is_view(term: Term) -> bool:
    """Whether NumPy gives an array of the operand's entries, rather than new ones."""
    assert term.op is not None
    if not isinstance(term.args[0].value, np.ndarray):
        return False
    if term.op is INDEX:
        return is_basic(term.kwargs["key"]) and term.ndim > 0
    return term.op.has("rearranges") or (term.op.has("reshapes") and term.kwargs.get("order", "C") == "C")


def folded(op: Op) -> str:
    """The name of the ufunc that a reduction folds over the entries."""
    assert op.reduction_of is not None
    return op.reduction_of.__name__


Visit = Callable[[Term, tuple[Term, ...], Mapping[str, Any]], Any]
"""What takes the place of a term, given its operands and options as they have been rewritten."""


def rewrite(outputs: Sequence[Term], visit: Visit, names: Names) -> list[Term]:
    """The outputs, with `visit(term, args, kwargs)` in place of every operation; names move to what replaces them."""
    new: dict[Term, Term] = {}
    for term in topological_order(*outputs):
        new[term] = made = term if term.op is None else visit(term, *operands(term, new))
        if term in names:
            hand_on(names, names[term], made)
    return [new[output] for output in outputs]


def operands(term: Term, new: Mapping[Term, Term]) -> tuple[tuple[Term, ...], Mapping[str, Any]]:
    """Arguments and options, as they are by now."""
    args = tuple([new[arg] for arg in term.args])
    if not term.kwargs or len(term.parents) == len(term.args):
        return args, term.kwargs
    return args, tree_map(lambda part: new[part] if isinstance(part, Term) else part, dict(term.kwargs))


def users(outputs: Sequence[Term]) -> dict[Term, list[Term]]:
    """Who uses each term; an output counts as one more user, itself."""
    found: dict[Term, list[Term]] = {term: [] for term in topological_order(*outputs)}
    for term in found:
        for part in term.parents:
            found[part].append(term)
    for output in outputs:
        found[output].append(output)
    return found


def with_operands(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """The operation of a term on operands that are equal to its own: its value is known."""
    assert term.op is not None
    if kwargs is term.kwargs and all(map(is_, args, term.args)):
        return term
    return apply(term.op, args, kwargs, term.value)

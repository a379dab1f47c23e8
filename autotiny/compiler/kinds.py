"""What a term is to the machine: a number, a view, or an array that is written entry by entry, summed, multiplied."""

from enum import Enum, auto

import numpy as np

from autotiny.algebra import Term
from autotiny.ops import OPS
from autotiny.ops.indexing import index, is_basic
from autotiny.ops.linalg import vdot
from autotiny.ops.shaping import astype

RESHAPES = {np.reshape, np.ravel, np.expand_dims, np.squeeze}
TURNS = {np.transpose, np.swapaxes, np.moveaxis, np.broadcast_to, np.flip}
REDUCTIONS = {np.sum: "add", np.prod: "multiply", np.max: "maximum", np.min: "minimum"}
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
    return Kind.REDUCTION if function in REDUCTIONS else Kind.CALL


def is_view(term: Term) -> bool:
    """Whether NumPy gives an array of the operand's entries, rather than new ones."""
    assert term.op is not None
    if not isinstance(term.args[0].value, np.ndarray):
        return False
    if term.op is INDEX:
        return is_basic(term.options["key"]) and term.ndim > 0
    return term.op.function in RESHAPES | TURNS

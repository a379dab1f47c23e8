"""The cost of a formula: what paper shows of it."""

from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra.equation import measure
from autotiny.algebra.normal import SUMS, addends, counts_a_mask, factors, is_reshape, remembered
from autotiny.algebra.term import Term, topological_order
from autotiny.ops import OPS
from autotiny.ops.shaping import astype

FREE = frozenset(
    OPS[f]
    for f in (np.transpose, np.negative, np.positive, np.broadcast_to, np.reshape, np.expand_dims, np.squeeze,
              astype.__wrapped__)  # type: ignore[attr-defined]
)  # fmt: skip
"""Operations that paper does not count: signs, transposes, shapes."""


THIRD_AXIS = 3
"""The operations that a matrix costs as an array of three axes, which paper does not write: more than to do without."""


class Cost(NamedTuple):
    """The numbers of operations and of symbols on paper, repetitions included, then the weight.

    A fraction in a fraction counts as one operation more.
    """

    operations: int
    symbols: int
    weight: Any


def cost(term: Term) -> Cost:
    """Return the cost of a formula. It is cached with each term, and computed without recursion."""
    if not term.notes or _counts not in term.notes:
        for part in topological_order(term):
            _counts(part)
    operations, symbols = _counts(term)
    return Cost(operations, symbols, measure(term).weight)


@remembered
def _counts(term: Term) -> tuple[int, int]:
    inner = [_counts(arg) for arg in term.args]
    own = term.op is not None and term.op not in FREE and not counts_a_mask(term)
    operations = own + _is_nested_fraction(term) + THIRD_AXIS * _gets_a_third_axis(term) + sum(n for n, _ in inner)
    return operations, (term.name is not None) + sum(n for _, n in inner)


def _is_nested_fraction(term: Term) -> bool:
    """Whether a term is a fraction of sums in which there are others."""
    if term.op is None or term.op.function is not np.divide:
        return False
    parts = [part for arg in term.args if arg.op in SUMS for _, part in addends(arg)]
    return any(power < 0 for part in parts for _, power in factors(part)[1])


def _gets_a_third_axis(term: Term) -> bool:
    """Whether a matrix is reshaped so that it broadcasts along a third axis."""
    return is_reshape(term) and term.args[0].ndim <= 2 < term.ndim

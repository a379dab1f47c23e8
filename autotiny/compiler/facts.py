"""Facts about data, found on the values of the first call and checked at every other: the targets of each example sum
to 1. What is left of softmax's gradient is then A2 - Y, where else it would be A2 sum(Y) - Y.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, topological_order
from autotiny.compiler.kinds import VDOT
from autotiny.compiler.lowering import lowered
from autotiny.compiler.naming import Names
from autotiny.compiler.rewriting import rewrite, same
from autotiny.compiler.shortcuts import made_by
from autotiny.ops import Op


class FactError(Exception):
    """What held on the values of the first call does not hold on these."""


def assume_facts(outputs: Sequence[Term], names: Names) -> tuple[list[Term], list[Term]]:
    """The outputs where sums that are all 1 are 1; and those sums."""
    facts = {term.args[0]: term for term in topological_order(*outputs) if is_sum_of_ones(term)}

    def visit(op: Op, args: tuple[Term, ...], options: Mapping[str, Any]) -> Any:
        if facts.get(args[0]) is same(op, args, options):
            return constant(np.ones(facts[args[0]].shape, facts[args[0]].dtype))
        if op is VDOT and args[0] in facts and made_by(args[1], np.subtract):
            return mean_of_difference(facts[args[0]], *args, *args[1].args)
        return lowered(op, args, options)

    return rewrite(outputs, visit, names), list(facts.values())


def is_sum_of_ones(term: Term) -> bool:
    """Whether it is a sum over an argument's entries, and comes to 1 everywhere."""
    if not made_by(term, np.sum) or not term.options.get("keepdims") or term.args[0].op is not None:
        return False
    return term.ndim > 0 and term.size > 1 and bool(np.all(term.value == 1))


def mean_of_difference(total: Term, Y: Term, difference: Term, a: Term, b: Term) -> Any:
    """Y · (a - b) = Y · a - sum(b) where b has one entry for each sum of Y that is 1."""
    if b.shape != total.shape or a.shape != Y.shape:
        return apply(VDOT, (Y, difference), {})
    return apply(VDOT, (Y, a), {}) - np.sum(b)

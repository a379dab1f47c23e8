"""Quotients as they are typeset: one fraction bar for a / b / c."""

from collections.abc import Container
from functools import reduce
from operator import mul

import numpy as np

from autotiny.algebra.term import Term, apply, topological_order


def one_bar(term: Term, whole: Container[Term] = ()) -> Term:
    """The formula with a / (b c) in place of a / b / c, numbers first below the bar; what is `whole` stays as it is.

    >>> from autotiny.algebra import symbol
    >>> a, b, m = symbol("a", np.ones(2)), symbol("b", np.ones(2)), symbol("m", 2)
    >>> one_bar(a / b / m)
    divide(a, multiply(m, b))
    """
    done: dict[Term, Term] = {}
    with np.errstate(all="ignore"):
        for part in topological_order(term):
            done[part] = part if part.op is None or part in whole else _rebuilt(part, done)
    return done[term]


def _rebuilt(part: Term, done: dict[Term, Term]) -> Term:
    assert part.op is not None
    args = [done[arg] for arg in part.args]
    if not _is_quotient(part):
        return part if all(a is b for a, b in zip(args, part.args, strict=True)) else apply(part.op, args, part.kwargs)
    above, below = args[0], [args[1]]
    while _is_quotient(above):
        above, divisor = above.args
        below.insert(0, divisor)
    return apply(part.op, [above, reduce(mul, sorted(below, key=lambda term: term.ndim > 0))], {})


def _is_quotient(term: Term) -> bool:
    return term.op is not None and term.op.function is np.divide

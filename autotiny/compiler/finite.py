"""What a program looks at to know that its results are finite: as few of them as show what is not.

Where an operand is not finite, so is the result of a sum, a product, a logarithm or a dot product: a look at the
result is enough. It is finite all the same where 0 = exp(-inf) or max(-inf, 0) hides that.
"""

import itertools
from collections.abc import Iterable
from functools import cache

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.rewriting import VDOT, made_by

NOT_FINITE = (np.nan, np.inf, -np.inf)
NUMBERS = (*NOT_FINITE, 0.0, -0.0, 1.0, -1.0, 0.5, -3.0)
"""One number of each kind."""


def without_implied(terms: Iterable[Term]) -> list[Term]:
    """Return those of some terms that are to be finite of which no other one shows that."""
    kept: list[Term] = []
    seen: set[Term] = set()
    terms = list(dict.fromkeys(terms))
    for term in sorted(terms, key=lambda term: -term.number):
        if term in seen:
            continue
        kept.append(term)
        seen.add(term)
        shown = [term]
        for part in shown:  # grows while it is walked
            new = [arg for arg in showing_operands(part) if arg not in seen]
            seen.update(new)
            shown += new
    return [term for term in terms if term in set(kept)]


def showing_operands(term: Term) -> tuple[Term, ...]:
    """Return the operands of which each entry that is not finite leaves one in the result."""
    op = term.op
    if op is None or not term.size or term.dtype.kind not in "fc":
        return ()
    if op is VDOT or made_by(term, np.copy):
        return term.args
    if op.has("moves"):
        whole = (op.has("reshapes") or op.has("rearranges")) and not op.has("selects")
        return term.args[:1] if whole else ()
    if op.reduction_of is not None:
        return term.args if {0, 1} <= showing_positions(op.reduction_of) else ()
    if isinstance(op.function, np.ufunc):
        return tuple([term.args[i] for i in sorted(showing_positions(op.function))])
    return ()


@cache
def showing_positions(function: np.ufunc) -> frozenset[int]:
    """Return the arguments of a ufunc for which it gives no finite number where they are none, whatever others are."""
    if function.signature is not None or function.nout > 1 or function.nin > 2:
        return frozenset()
    cases = np.array(list(itertools.product(NUMBERS, repeat=function.nin))).T
    try:
        with np.errstate(all="ignore"):
            finite = np.isfinite(function(*cases))
    except TypeError:  # it takes whole numbers or truth values
        return frozenset()
    return frozenset(i for i, case in enumerate(cases) if not finite[~np.isfinite(case)].any())

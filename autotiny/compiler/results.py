"""The results that a program looks at before they are used, and those that show the nan of others."""

from functools import cache

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.compiler.rewriting import made_by

NUMBERS = np.array([np.nan, 0.0, 1.0, -1.0, 2.0, np.inf, -np.inf])
"""One number of each kind."""


def results_to_check(outputs: list[Term]) -> list[Term]:
    """Return the results that are checked to be finite: the numbers, since these are sums of the rest, or all."""
    results = numbers_in(outputs)
    return [out for out in results if not out.ndim] or results


def numbers_in(outputs: list[Term]) -> list[Term]:
    """Return the results that may have nan."""
    return [out for out in dict.fromkeys(outputs) if out.dtype.kind in "fc" and not out.is_constant]


def results_of_products(outputs: list[Term], checked: list[Term]) -> list[Term]:
    """Return the results, beside those that are checked, in which nan may come from a product of matrices.

    BLAS reports no invalid operation. A result is left out if what it is made of leaves its nan in the others.
    """
    sources: dict[Term, frozenset[Term]] = {}
    shown: dict[Term, frozenset[Term]] = {}
    for term in topological_order(*outputs):
        own = {term} if is_silent(term) else set[Term]()
        sources[term] = frozenset(own).union(*(sources[part] for part in term.parents))
        shown[term] = frozenset(own).union(*(shown[part] for part in term.args if hands_on_nan(term)))
    seen = frozenset[Term]().union(*(shown.get(x, frozenset()) for x in checked))
    results = [out for out in numbers_in(outputs) if out not in set(checked)]
    unseen: list[Term] = []
    for out in sorted(results, key=lambda out: len(shown[out]), reverse=True):
        if not sources[out] <= seen:
            unseen.append(out)
            seen |= shown[out]
    return unseen


def is_silent(term: Term) -> bool:
    """Whether a term may be nan for finite and infinite operands without a report; not where all of one is finite."""
    op = term.op
    if op is None or op.has("moves") or op.reduction_of or any(_is_finite_constant(arg) for arg in term.args):
        return False
    return not isinstance(op.function, np.ufunc) or op.function.signature is not None


def _is_finite_constant(x: Term) -> bool:
    return x.is_constant and bool(np.all(np.isfinite(x.value)))


def hands_on_nan(term: Term) -> bool:
    """Whether each nan in an operand leaves one in the result."""
    op = term.op
    if op is None:
        return False
    if op.has("moves"):
        whole = (op.has("reshapes") or op.has("rearranges")) and not op.has("selects")
        return whole or made_by(term, np.copy)
    function = op.reduction_of or op.function
    return op.has("linear") or (isinstance(function, np.ufunc) and keeps_nan(function))


@cache
def keeps_nan(function: np.ufunc) -> bool:
    """Whether a ufunc of nan and any other number is nan."""
    if function.signature is not None or function.nout > 1:
        return False
    columns = np.meshgrid(*[NUMBERS] * function.nin)
    with np.errstate(all="ignore"):
        result = function(*columns)
    return result.dtype.kind == "f" and bool(np.isnan(result[np.isnan(columns).any(axis=0)]).all())

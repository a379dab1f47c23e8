"""Move small numbers that arrays are multiplied by towards the results, where they are multiplied once.

    c A - c B = c (A - B)        (c A) * B = c (A * B)        sum(c A) = c sum(A)

So 1/m of the textbook's dZ2 = (1/m) (A2 - Y) multiplies a difference that has a name, and no intermediate result. A
factor moves only where that is exact but for rounding, or is noticed:

- |c| <= 1, so that no intermediate result is smaller than the function's own: where the function overflows, the program
  does too, which stops it ("over" is watched), and another program takes over;
- c > 0 in sums: a sum of c A that cancels to 0 is +0;
- not out of products of matrices or long sums, which BLAS may compute on threads that report no overflow.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from autotiny.algebra import Term, apply, topological_order
from autotiny.algebra.programs import LONGEST_SUM
from autotiny.compiler.naming import FormulaNames, hand_on
from autotiny.compiler.rewriting import with_new_operands

SMALLEST = 2.0**-30
"""A smaller factor stays where it is."""
PRECISIONS = (np.float32, np.float64)
Scaled = tuple[float, Term]


def pull_factors(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """Return the outputs with every factor moved as far towards them as it goes."""
    new: dict[Term, Scaled] = {}
    plain: dict[Term, Term] = {}
    moved: dict[Term, Term] = {}
    for term in topological_order(*outputs):
        if term.op is None:
            new[term], plain[term] = (1.0, term), term
            continue
        pulled = _pulled(term, [new[arg] for arg in term.args], [plain[arg] for arg in term.args])
        if pulled is None:
            pulled = (1.0, with_new_operands(term, moved))
        c, core = new[term] = pulled
        plain[term] = core if c == 1 else core * c
        if plain[term] is not term:
            moved[term] = plain[term]
        if term in names and core.op is not None:
            hand_on(names, names[term], plain[term])
            hand_on(names, names[term].times(1 / c), core)
    return [plain[output] for output in outputs]


def _pulled(term: Term, args: Sequence[Scaled], plain: Sequence[Term]) -> Scaled | None:
    """Return a term as a number times another; None where the factors of its operands have to stay."""
    if term.dtype not in PRECISIONS or term.op is None or not all(arg.ndim for arg in term.args if arg.op is not None):
        return None
    function = term.op.function
    if function in (np.multiply, np.divide):
        return _quotient(term, args, plain)
    if function is np.negative:
        ((c, x),) = args
        return -c, x
    if function in (np.add, np.subtract):
        return _combination(term, args)
    if all(c == 1 for c, _ in args):
        return None
    if len(args) == 1 and term.op.has("linear"):
        ((c, x),) = args
        summed = function is np.sum and not term.ndim and x.size <= LONGEST_SUM and c > 0
        moved = term.op.has("moves") and function is not np.copy  # a copy stays, as it is made for the caller
        return _kept(c, term, [x]) if summed or moved else None
    return None


def _kept(c: float, term: Term, args: Iterable[Term]) -> Scaled | None:
    assert term.op is not None
    return (c, apply(term.op, args, term.kwargs)) if SMALLEST <= abs(c) <= 1 else None


def _quotient(term: Term, args: Sequence[Scaled], plain: Sequence[Term]) -> Scaled | None:
    """Split a product or quotient; a number among its operands is a factor."""
    (c, a), (d, b) = args
    divide = term.op is not None and term.op.function is np.divide
    for x, e, other in ((a, c, b), (b, d, a)):
        if is_factor(other) and (x.dtype, x.shape) == (term.dtype, term.shape) and not (divide and x is b):
            e = e / float(other.value) if divide else e * float(other.value)
            return (e, x) if SMALLEST <= abs(e) <= 1 else None
    if divide:  # a divisor may be 0 where d B underflows, and B is not
        return None if c == 1 else _kept(c, term, [a, plain[1]])
    return None if c == d == 1 else _kept(c * d, term, [a, b])


def _combination(term: Term, args: Sequence[Scaled]) -> Scaled | None:
    """c A ± c B = c (A ± B);  c A ∓ c B for a factor of the other sign."""
    (c, a), (d, b) = args
    d = -d if term.op is not None and term.op.function is np.subtract else d
    if abs(c) != abs(d) or (c == 1 and abs(d) == 1) or (c < 0 and d < 0):
        return None
    if c == d:
        return c, a + b
    return (c, a - b) if c > 0 else (d, b - a)


def is_factor(x: Term) -> bool:
    """Whether a term is a finite number other than 0."""
    return x.is_constant and np.ndim(x.prototype) == 0 and type(x.value) is not bool and 0 < abs(x.value) < np.inf

"""Move numbers that arrays are multiplied by to where there is least to multiply.

    (c A) B = c (A B)        sum(c A) = c sum(A)        c A - c B = c (A - B)

So 1/m and the learning rate, of the textbook's dW1 = (1/m) dZ1 X^T and W1 - α dW1, become one number that multiplies
dZ2 = A2 - Y, the smallest of the arrays that lead to them. The equations are rows of the table, too; which side of them
is better depends on the whole program here, and the names of gradients keep account of the factors.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, topological_order
from autotiny.compiler.naming import FormulaNames, hand_on
from autotiny.compiler.rewriting import VDOT, operands, users
from autotiny.ops import OPS

LARGEST = 2.0**30
"""A factor beyond this, or below its inverse, stays where it is: elsewhere it might overflow."""
CANDIDATES = 64
MULTIPLY = OPS[np.multiply]
Scaled = tuple[float, Term]


def pull_factors(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """Return the outputs with every factor moved as far towards them as it goes."""
    new: dict[Term, Scaled] = {}
    plain: dict[Term, Term] = {}
    for term in topological_order(*outputs):
        if term.op is None:
            new[term], plain[term] = (1.0, term), term
            continue
        pulled = _pulled(term, [new[arg] for arg in term.args])
        if pulled is None:
            args, options = operands(term, plain)
            pulled = (1.0, apply(term.op, args, options))
        c, core = new[term] = pulled
        plain[term] = times(c, core)
        if term in names and core.op is not None:
            hand_on(names, names[term], plain[term])
            hand_on(names, names[term].times(1 / c), core)
    return [plain[output] for output in outputs]


def times(c: float, x: Term) -> Any:
    """c x"""
    return x if c == 1 else x * c


def _pulled(term: Term, args: Sequence[Scaled]) -> Scaled | None:
    """Return a term as a number times another; None where the factors of its operands have to stay."""
    if term.dtype.kind != "f" or term.op is None:
        return None
    function = term.op.function
    if function in (np.multiply, np.divide):
        return _quotient(term, args)
    if function is np.negative:
        ((c, x),) = args
        return -c, x
    if function in (np.add, np.subtract) and len(args) == 2:
        return _combination(term, args)
    if all(c == 1 for c, _ in args):
        return None
    if function is np.matmul or term.op is VDOT:
        (c, a), (d, b) = args
        return _kept(c * d, term, [a, b])
    if _scales(term):
        ((c, x),) = args
        return _kept(c, term, [x])
    return None


def _kept(c: float, term: Term, args: Iterable[Term]) -> Scaled | None:
    assert term.op is not None
    if not 1 / LARGEST < abs(c) < LARGEST:
        return None
    return c, apply(term.op, args, term.kwargs)


def _quotient(term: Term, args: Sequence[Scaled]) -> Scaled | None:
    """Split a product or quotient; a number among its operands is a factor."""
    assert term.op is not None
    (c, a), (d, b) = args
    divide = term.op.function is np.divide
    if is_factor(b) and a.dtype == term.dtype and a.shape == term.shape:
        e = c * d * float(b.value) if not divide else c / (d * float(b.value))
        return (e, a) if 1 / LARGEST < abs(e) < LARGEST else None
    if is_factor(a) and not divide and b.dtype == term.dtype and b.shape == term.shape:
        e = c * d * float(a.value)
        return (e, b) if 1 / LARGEST < abs(e) < LARGEST else None
    return None if c == d == 1 else _kept(c / d if divide else c * d, term, [a, b])


def _combination(term: Term, args: Sequence[Scaled]) -> Scaled | None:
    """c A ± c B = c (A ± B);  c A ∓ c B for a factor of the other sign."""
    (c, a), (d, b) = args
    minus = term.op is not None and term.op.function is np.subtract
    d = -d if minus else d
    if a is b and c + d not in (0, 1) and abs(c + d) < LARGEST:
        return c + d, a
    if abs(c) != abs(d) or (c == 1 and d in (1, -1)):
        return None
    if c == d:
        return c, a + b
    return (c, a - b) if c > 0 else (d, b - a)


def is_factor(x: Term) -> bool:
    """Whether a term is a finite number other than 0."""
    return x.is_constant and np.ndim(x.value) == 0 and type(x.value) is not bool and 0 < abs(x.value) < np.inf


def push_factors(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """Return the outputs with a factor of several of them multiplied once, in an array that they all depend on."""
    for _ in range(CANDIDATES):
        pushed = _push_one(outputs, names)
        if pushed is None:
            break
        outputs = pushed
    return list(outputs)


def _push_one(outputs: Sequence[Term], names: FormulaNames) -> list[Term] | None:
    used = users(outputs)
    groups: dict[Any, list[Term]] = {}
    for term in used:
        if term.ndim and is_scaling(term):
            groups.setdefault(term.args[1], []).append(term)
    for factor, scalings in groups.items():
        root = _best_root(scalings, used)
        if root is not None:
            return _moved(outputs, names, factor, set(scalings), root)
    return None


def is_scaling(term: Term) -> bool:
    """Whether it is x * c for a number c, of x's type."""
    return (
        term.op is MULTIPLY and is_factor(term.args[1]) and term.args[0].dtype == term.dtype and bool(term.args[0].ndim)
    )


def _best_root(scalings: list[Term], used: Mapping[Term, list[Term]]) -> Term | None:
    """Return the smallest array that can be scaled in place of all of these scalings."""
    total = sum(term.size for term in scalings)
    below = [x for x in topological_order(*[s.args[0] for s in scalings]) if x.op is not None and x.size < total]
    for root in sorted(below[-CANDIDATES:], key=lambda x: (x.size, x.number)):
        if root.ndim and root.dtype.kind == "f" and _is_linear_in(root, set(scalings), used):
            return root
    return None


def _is_linear_in(root: Term, scalings: set[Term], used: Mapping[Term, list[Term]]) -> bool:
    """Whether all that depends on the root is linear in it and leads to the scalings, to all of them."""
    reached, dependent, queue = set(), {root}, [root]
    for x in queue:
        for user in used[x]:
            if user in scalings:
                reached.add(user)
            elif user is x or not _is_linear(user):
                return False
            elif user not in dependent:
                dependent.add(user)
                queue.append(user)
    return reached == scalings and all(_bears_once(x, dependent) for x in dependent if x is not root)


def _is_linear(term: Term) -> bool:
    assert term.op is not None
    by_both = term.op.function in (np.add, np.subtract, np.multiply, np.matmul)
    return term.dtype.kind == "f" and (by_both or _scales(term))


def _scales(term: Term) -> bool:
    """Whether f(c x) = c f(x) for its only argument x; a copy stays, as it is made for the caller."""
    assert term.op is not None
    return len(term.args) == 1 and term.op.has("linear") and term.op.function is not np.copy


def _bears_once(term: Term, dependent: set[Term]) -> bool:
    """Whether scaling the dependent operands scales the term as much: both of a sum, one of a product."""
    assert term.op is not None
    count = sum(arg in dependent for arg in term.args)
    return count == (len(term.args) if term.op.function in (np.add, np.subtract) else 1)


def _moved(outputs: Sequence[Term], names: FormulaNames, factor: Term, scalings: set[Term], root: Term) -> list[Term]:
    """Return the outputs with the root scaled in place of the scalings."""
    new: dict[Term, Term] = {}
    grown, c = {root}, float(factor.value)
    for term in topological_order(*outputs):
        if term.op is None:
            new[term] = term
            continue
        args, options = operands(term, new)
        made = args[0] if term in scalings else apply(term.op, args, options)
        new[term] = made * factor if term is root else made
        if term not in scalings and not grown.isdisjoint(term.args):
            grown.add(term)
        if term in names:
            hand_on(names, names[term].times(c if term in grown and term is not root else 1), made)
            hand_on(names, names[term].times(c if term in grown else 1), new[term])
    return [new[output] for output in outputs]

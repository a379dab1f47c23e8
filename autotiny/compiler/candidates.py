"""Where equations may apply: which terms a look at the operations near their roots leaves, and what of a long one.

Products, sums and broadcasts within each other are seen through, as factors and addends are matched in any order; so
are products and transposes of matrices within a product of matrices. Matching pairs any two of them: of a product or a
sum that is long, or of many within each other, only a window near the root is matched.
"""

from collections.abc import Hashable
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Equation, Term, symbol, with_args
from autotiny.algebra.normal import MATMUL, PRODUCTS, SPREADS, SUMS, remembered
from autotiny.algebra.pattern import Pattern
from autotiny.ops import OPS

Features = frozenset[Hashable]
"""Operations, and what the field `among` of an equation may say."""
SEEN_THROUGH = PRODUCTS | SUMS | SPREADS
IN_CHAINS = {MATMUL, OPS[np.transpose]}
DIVISIONS: Features = frozenset(OPS[f] for f in (np.divide, np.reciprocal, np.power))
POWERS = {OPS[np.power], OPS[np.square]}
TWO_PRODUCTS = "two products of matrices that are added"


@remembered
def features(term: Term) -> Features:
    """Return the operations of a term's factors and addends, or its own, and what else is special about them."""
    if term.op in SEEN_THROUGH:
        parts = [features(arg) for arg in term.args]
        own: set[Hashable] = {term.op}
        if term.op in SUMS and all(MATMUL in part for part in parts):
            own.add(TWO_PRODUCTS)
        if all("mask" in part for part in parts) or ("mask" in parts[0] and term.op in POWERS):
            own.add("square of a mask")
        if any(arg.shape != term.shape and not is_number(arg) for arg in term.args):
            own.add("broadcast")
        return frozenset(own.union(*parts))
    special = (
        ("number", term.ndim == 0 and not term.is_constant),
        ("constant", term.ndim > 0 and term.is_constant),
        ("vector", term.ndim == 1),
        ("mask", term.dtype == bool),
    )
    return frozenset([term.op, *(feature for feature, is_there in special if is_there)])


def is_number(term: Term) -> bool:
    """Whether a term is a constant without axes."""
    return term.is_constant and not term.ndim


@remembered
def in_chain(term: Term) -> Features:
    """Return the features of the factors of a product of matrices."""
    if term.op not in IN_CHAINS:
        return features(term)
    return frozenset({term.op}).union(*map(in_chain, term.args))


@remembered
def inner(term: Term) -> Features:
    """Return the features of what a term's operation is applied to."""
    if term.op in SEEN_THROUGH:
        return features(term)
    seen = in_chain if term.op is MATMUL else features
    return frozenset[Hashable]().union(*map(seen, term.args))


@cache
def required(equation: Equation) -> list[Features]:
    """Return sets of features of which each has one that the operands of a term must have for an equation to apply."""
    pattern = equation.left
    needed = [wanted for part in pattern.args for wanted in _wanted(part)]
    if pattern.op in SUMS and all(part.op is MATMUL for part in pattern.args):
        needed.append(frozenset({TWO_PRODUCTS}))
    return [*needed, *_divisions(pattern), *([frozenset[Hashable]({equation.among})] if equation.among else [])]


def _divisions(part: Pattern) -> list[Features]:
    divides = part.op in PRODUCTS and any(power < 0 for _, power in part.factors[1])
    return [DIVISIONS] if divides else []


def _wanted(part: Any) -> list[Features]:
    """Return the same for an operand in a pattern."""
    if not isinstance(part, Pattern):
        return []
    if part.op is None:
        return [frozenset({"mask"})] if part.name == "mask" else []
    if part.op in PRODUCTS | SUMS:
        others = SEEN_THROUGH if part.op in SUMS else PRODUCTS | SPREADS
        inside = [wanted for arg in part.args for wanted in _wanted(arg)]
        return [frozenset[Hashable](others), *_divisions(part), *inside]
    return [frozenset({part.op})]


# ----- windows -----
WIDEST = 12
"""Factors or addends up to which a term is matched as a whole."""
DEEPEST = 8
"""Products of sums of products up to which it is."""


class Extent(NamedTuple):
    """How many factors and addends a term has, and how deep these lie within each other."""

    factors: int
    addends: int
    levels: int


SINGLE = Extent(1, 1, 0)


@remembered
def extent(term: Term) -> Extent:
    """Return the extent of a term."""
    if term.op not in PRODUCTS and term.op not in SUMS:
        return SINGLE
    multiplied = term.op in PRODUCTS
    inside = [extent(arg) for arg in term.args]
    alternates = max(part.levels + (arg.op not in (PRODUCTS if multiplied else SUMS))
                     for arg, part in zip(term.args, inside, strict=True))  # fmt: skip
    factors = sum(part.factors for part in inside) if multiplied else 1
    return Extent(factors, 1 if multiplied else sum(part.addends for part in inside), alternates)


def is_short(term: Term) -> bool:
    """Whether a term is matched as a whole."""
    extents = [extent(term), *map(extent, term.args)]
    return all(x.factors <= WIDEST and x.addends <= WIDEST and x.levels <= DEEPEST for x in extents)


class Window:
    """A term near its root, with symbols in place of what lies deeper.

    term : the same operations on these symbols.
    """

    def __init__(self, term: Term) -> None:
        shown, leaves = [term], 1
        deeper = dict[Term, Term]()
        self.start = symbol("rest", 0).number
        for part in shown:  # grows while it is walked, level by level
            if part.op not in SEEN_THROUGH or part in deeper:
                continue
            leaves += len(part.args) - 1
            if leaves <= WIDEST:
                shown += part.args
            else:
                deeper[part] = symbol("rest", part.value)
        self.rest = {x: part for part, x in deeper.items()}
        new = deeper
        for part in sorted(set(shown) - new.keys(), key=attrgetter("number")):
            if part.op in SEEN_THROUGH:
                new[part] = with_args(part, tuple([new.get(arg, arg) for arg in part.args]))
        self.term = new[term]

    def widened(self, term: Term) -> Term:
        """Return a term that was made of the window's, with the rest in its place."""
        if term in self.rest:
            return self.rest[term]
        if term.op is None or term.number < self.start:
            return term
        return with_args(term, tuple(map(self.widened, term.args)))

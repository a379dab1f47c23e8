"""The parts of a program: what one kernel computes, and the lines of NumPy between kernels."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.loops.accesses import view_map
from autotiny.compiler.loops.forms import has_loop, is_loaded
from autotiny.compiler.loops.threads import parts_of
from autotiny.compiler.rewriting import TermKind, kind, made_by

LARGEST_PRODUCT = 2**15
"""Multiplications from which BLAS is faster than a loop."""


MANY = 16
"""Operations that a loop may have which threads share."""


LONGEST, PART = 90, 40
"""Results up to which a kernel is one function, and those in each where it is several: numba's time grows faster than
a function, and every call takes time, too."""


def in_loops(term: Term) -> bool:
    """Whether a kernel computes a term, or looks through it if it is a view."""
    if kind(term) is TermKind.VIEW:
        return view_map(term) is not None and is_loaded(term.dtype)
    small = not made_by(term, np.matmul) or term.size * term.args[0].shape[-1] <= LARGEST_PRODUCT
    return small and has_loop(term)


@dataclass
class Stage:
    """A part of the program: terms that one kernel computes, or lines of NumPy."""

    is_kernel: bool
    terms: list[Term]


def stages(order: Sequence[Term], last: Iterable[Term], totals: Iterable[Term] = ()) -> list[Stage]:
    """Return the parts of the program in order, with as few kernels as there can be."""
    number: dict[Term, int] = {}
    loops = {term: in_loops(term) for term in order}
    for term in order:
        before = max((number[part] for part in term.parents if part in number), default=0)
        number[term] = before if before % 2 != loops[term] else before + 1
    final = max(number.values(), default=0)
    for term in last:
        number[term] = final if final % 2 != loops[term] else final + 1
    postpone(order, number, loops, totals)
    found: dict[int, list[Term]] = {}
    for term in order:
        found.setdefault(number[term], []).append(term)
    return [Stage(i % 2 == 0, terms) for i, terms in sorted(found.items())]


def postpone(
    order: Sequence[Term], number: dict[Term, int], loops: Mapping[Term, bool], totals: Iterable[Term]
) -> None:
    """Move what kernels compute of arguments alone to the kernel that needs it first, so that it need not be stored.

    Anything else stays where its operands are: these would have to be stored instead.
    """
    of_arguments = set[Term]()
    for term in order:
        if loops[term] and all(part.op is None or part in of_arguments for part in term.parents):
            of_arguments.add(term)
    limit = dict.fromkeys(totals, max(number.values(), default=0))
    for term in reversed(order):
        if term in of_arguments and term in limit:
            number[term] = limit[term] - limit[term] % 2
        for part in term.parents:
            limit[part] = min(number[term], limit.get(part, number[term]))


def divided(stage: Stage, looks: Set[Term], last: Set[Term], threads: int) -> list[Stage]:
    """Return a stage in parts that numba compiles in time, and that threads can share if they are long."""
    parts = by_length(stage, last) if threads > 1 and stage.is_kernel else [stage]
    return [piece for part in parts for piece in in_short_functions(part, last, looks)]


def by_length(stage: Stage, last: Set[Term]) -> list[Stage]:
    """Return a stage with what threads can share in parts of its own; donated arrays are modified in the last ones."""
    number: dict[Term, int] = {}
    for term in stage.terms:
        before = max((number[part] for part in term.parents if part in number), default=0)
        if term in last:
            before = max([before, *number.values()])
        number[term] = before if before % 2 == is_long(term) else before + 1
    found: dict[int, list[Term]] = {}
    for term in stage.terms:
        found.setdefault(number[term], []).append(term)
    return [Stage(True, terms) for _, terms in sorted(found.items())]


def is_long(term: Term) -> bool:
    """Whether it pays to share the computation of a result among threads."""
    return parts_of(MANY * max(x.size for x in (term, *term.args)), 2) > 1


def in_short_functions(stage: Stage, last: Iterable[Term], looks: Set[Term]) -> list[Stage]:
    """Return a stage in parts that numba compiles in time."""
    if not stage.is_kernel or len(stage.terms) <= LONGEST:
        return [stage]
    terms = by_use(stage.terms, last, looks)
    size = -(-len(terms) // -(-len(terms) // PART))
    return [Stage(True, terms[i : i + size]) for i in range(0, len(terms), size)]


def by_use(terms: Sequence[Term], last: Iterable[Term], looks: Set[Term]) -> list[Term]:
    """Return terms in an order in which less is handed from part to part.

    What is only looked at is computed beside its operands, and elementwise operations before their first user where
    their operands are kept anyway: 1 - A**2 of a layer.
    """
    index = {term: i for i, term in enumerate(terms)}
    users: dict[Term, list[Term]] = {term: [] for term in terms}
    for term in terms:
        if term not in looks and kind(term) is not TermKind.VIEW:
            for x in {y for part in term.parents for y in (part, through_views(part)) if y in index}:
                users[x].append(term)
    place, end = dict(index), min((index[x] for x in last if x in index), default=len(terms))
    for term in reversed(terms):
        first = min((place[user] for user in users[term]), default=end)
        roots = [x for x in map(through_views, term.parents) if x in index]
        others = [[place[user] for user in users[x] if user is not term] for x in roots]
        is_kept = all(max(uses, default=first) > index[term] for uses in others)
        if first < end and (kind(term) is TermKind.VIEW or (kind(term) is TermKind.ELEMENTWISE and is_kept)):
            place[term] = first
    for term in terms:
        if term in looks:
            place[term] = max((place[x] for x in term.parents if x in index), default=0)
    return sorted(terms, key=lambda term: (place[term], index[term]))


def through_views(x: Term) -> Term:
    """Return the term whose entries a view shows."""
    while x.op is not None and kind(x) is TermKind.VIEW and view_map(x) is not None:
        x = x.args[0]
    return x

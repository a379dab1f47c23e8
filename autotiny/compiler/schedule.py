"""The order in which a program computes, what of it runs block by block, and the memory of each result.

A schedule does not depend on the back end that emits its program.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.compiler.naming import FormulaNames
from autotiny.compiler.rewriting import VDOT, TermKind, kind

LONG = 2**16
"""Entries from which an array is computed in blocks."""
WORTHWHILE = 3
"""Operations from which blocks pay."""


@dataclass(eq=False)
class Storage:
    """Memory that the program keeps from one call to the next."""

    number: int
    nbytes: int
    tenants: list[Term] = field(default_factory=list)
    """The results that are stored there, one after another."""


class BlockGroup(NamedTuple):
    """Operations on arrays of one shape that run together, block by block."""

    terms: list[Term]


@dataclass
class Schedule:
    """What to compute, in order, and where the results are stored."""

    inputs: list[Term]
    outputs: list[Term]
    order: list[Term]
    """Every operation, operands before results."""
    place: dict[Term, Storage | Term]
    """The memory of each stored result: the program's own, or a donated input's."""
    storages: list[Storage]
    group: dict[Term, BlockGroup]
    """The group of each operation that runs block by block."""
    checks: list[Term]
    """Sums that must be 1 for the rest to hold; they are computed first."""
    finite: list[Term]
    """Results that must be finite, and their squares, else the program raises `stop`."""
    not_nan: list[Term]
    """Results without nan, else the program raises `stop`."""
    names: FormulaNames
    """The user's names of formulas."""
    threads: int
    """How many threads may share the work."""
    stop: type[Exception] | None
    """What is raised, before donated arrays are written, where results must not be used."""
    stops_at_invalid: bool
    """Whether an operation that NumPy reports as invalid raises it."""
    swept: bool
    """Whether gradients are computed: then nan may be a sign that a mask was to hide something."""
    may_fail: bool
    """Whether another program takes over where this one raises FactError."""

    @property
    def nbytes(self) -> int:
        """The bytes that the program keeps."""
        return sum(storage.nbytes for storage in self.storages)


def schedule(
    inputs: Sequence[Term],
    outputs: Sequence[Term],
    donated: Iterable[Term] = (),
    checks: Sequence[Term] = (),
    finite: Sequence[Term] = (),
    not_nan: Sequence[Term] = (),
    *,
    names: FormulaNames,
    threads: int = 1,
    stop: type[Exception] | None = None,
    stops_at_invalid: bool = False,
    swept: bool = False,
    may_fail: bool = False,
) -> Schedule:
    """Assign memory to every result: that of an operand, where it is safe, else memory that is free by then."""
    donated, needed = set(donated), [*outputs, *finite]
    terms = dict.fromkeys([*topological_order(*checks), *topological_order(*needed)])
    order, group = groups([term for term in terms if term.op is not None])
    order = updates_last(order, donated, group)
    inner = inner_results(order, needed, group)
    plan = Plan(order, outputs, donated, inner, group, kept=finite, stops=stop is not None)
    for term in order:
        plan.settle(term)
    written_last = {term for term, place in plan.place.items() if isinstance(place, Term) and term is not place}
    added = [part for x in (*finite, *not_nan) if x in written_last for part in x.args if part.op is not None]
    return Schedule(
        list(inputs),
        list(outputs),
        order,
        plan.place,
        plan.storages,
        group,
        list(checks),
        [*(x for x in finite if x not in written_last), *dict.fromkeys(added)],
        [x for x in not_nan if x not in written_last],
        names,
        threads,
        stop,
        stops_at_invalid,
        swept,
        may_fail,
    )


def updates_last(order: list[Term], donated: set[Term], group: Mapping[Term, BlockGroup]) -> list[Term]:
    """Move operations that may write into donated arrays to the end, where nothing stops the program any more.

    Those of a group stay together.
    """
    used = {part for term in order for part in term.parents}
    last = {term for term in order if term not in used and term not in group and not donated.isdisjoint(term.args)}
    return [*(term for term in order if term not in last), *(term for term in order if term in last)]


def inner_results(order: Sequence[Term], outputs: Sequence[Term], group: Mapping[Term, BlockGroup]) -> set[Term]:
    """Return the results that no operation outside their group needs: they are never stored as a whole."""
    needed = set(outputs)
    for term in order:
        needed.update(part for part in term.parents if group.get(part) is not group.get(term))
    return {term for term in group if term not in needed}


class Plan:
    """The state of the memory after each operation of an order."""

    def __init__(
        self,
        order: list[Term],
        outputs: Sequence[Term],
        donated: set[Term],
        inner: Set[Term] = frozenset(),
        group: Mapping[Term, BlockGroup] = {},
        *,
        kept: Sequence[Term] = (),
        stops: bool = False,
    ) -> None:
        self.inner, self.group, self.stops = inner, group, stops
        self.root: dict[Term, Term] = {}
        """The array whose entries a view shows."""
        self.place: dict[Term, Any] = {term: term for term in donated}
        self.storages: list[Storage] = []
        self.free: list[Storage] = []
        self.outputs = set(outputs)
        self.kept = {term for term in kept if term.op is not None} - self.outputs
        """What is needed when all is done, in the program's own memory."""
        self.last_use = self._last_uses(order)
        self.dying: dict[Term, list[Term]] = {}
        for root, user in self.last_use.items():
            self.dying.setdefault(user, []).append(root)
        self.taken: set[Term] = set()
        self.in_use: list[Storage] = []
        """Memory that operations of the group that is being settled have used, in all of their blocks."""

    def _last_uses(self, order: list[Term]) -> dict[Term, Term]:
        uses: dict[Term, Term] = {}
        for term in order:
            for part in term.parents:
                uses[self.root.get(part, part)] = term
            shown = shown_by(term)
            if shown is not None:
                self.root[term] = self.root.get(shown, shown)
        for shown in (self.outputs | self.kept) & self.root.keys():  # what is handed out is copied when all is done
            self.kept.add(self.root[shown])
        for term in self.kept:
            uses.pop(term, None)
        return uses

    def settle(self, term: Term) -> None:
        """Assign memory to a result, and free the memory of results that are used for the last time."""
        if term not in self.inner and kind(term) in (
            TermKind.ELEMENTWISE,
            TermKind.CAST,
            TermKind.REDUCTION,
            TermKind.PRODUCT,
        ):
            place = self.in_place(term)
            if place is None and term not in self.outputs:
                place = self.fresh(term)
            if place is not None:
                self.place[term] = place
                if isinstance(place, Storage):
                    place.tenants.append(term)
        for root in self.dying.get(term, ()):
            place = self.place.get(root)
            if isinstance(place, Storage) and place is not self.place.get(term):
                self.in_use.append(place)
        place = self.place.get(term)
        if term not in self.last_use and term not in self.outputs | self.kept and isinstance(place, Storage):
            self.in_use.append(place)
        if term not in self.group or term is self.group[term].terms[-1]:
            self.free += self.in_use
            self.in_use = []

    def in_place(self, term: Term) -> Any:
        """Return the memory of an operand of the same shape and type that is used for the last time."""
        if kind(term) is not TermKind.ELEMENTWISE:
            return None
        for arg in term.args:
            place, alike = self.place.get(arg), (arg.shape, arg.dtype) == (term.shape, term.dtype)
            if place is None or not alike or self.last_use.get(arg) is not term or self.is_seen_otherwise(arg, term):
                continue
            if isinstance(place, Storage) and term not in self.outputs:
                return place
            final = term in self.outputs and term not in self.last_use
            early = self.stops and term in self.group  # the program may stop after a block was written
            if isinstance(place, Term) and final and place not in self.taken and not early:
                self.taken.add(place)
                return place
        return None

    def is_seen_otherwise(self, arg: Term, term: Term) -> bool:
        """Whether other blocks of the same group may use entries of an array through a view."""
        terms = self.group[term].terms if term in self.group else ()
        return any(self.root.get(part) is arg for other in terms for part in other.args)

    def fresh(self, term: Term) -> Storage:
        """Return the smallest free memory that is large enough; else the largest, enlarged; else new memory."""
        nbytes = term.size * term.dtype.itemsize
        if not self.free:
            storage = Storage(len(self.storages), nbytes)
            self.storages.append(storage)
            return storage
        fitting = [storage for storage in self.free if storage.nbytes >= nbytes]
        size = attrgetter("nbytes")
        storage = min(fitting, key=size) if fitting else max(self.free, key=size)
        self.free.remove(storage)
        storage.nbytes = max(storage.nbytes, nbytes)
        return storage


def shown_by(term: Term) -> Term | None:
    """Return the operand that a term is a view of, if it is one."""
    return term.args[0] if kind(term) is TermKind.VIEW else None


def nbytes(term: Term) -> int:
    """Return the size of a result in bytes."""
    return int(np.prod(term.shape, dtype=int)) * term.dtype.itemsize


# ----- blocks -----
# A long array that passes through ten operations goes to memory and back ten times; a block of a few thousand entries
# stays in the cache, and only what the rest of the program needs is ever stored as a whole.


def groups(order: Sequence[Term]) -> tuple[list[Term], dict[Term, BlockGroup]]:
    """Return the order with the members of each group one after another, and the group of each member."""
    shapes = {term: shape_of(term) for term in order if is_member(term)}
    if not shapes:
        return list(order), {}

    def crosses(arg: Term, term: Term) -> bool:
        """Whether a result enters a group or leaves it, so that all of it must be computed first."""
        inside = arg in shapes and term in shapes and not is_total(arg) and shapes[arg] == shapes[term]
        return not inside and (arg in shapes or term in shapes)

    stages: dict[Term, int] = {}
    for term in order:
        stages[term] = max((stages[arg] + crosses(arg, term) for arg in term.parents if arg in stages), default=0)
    members: dict[Any, list[Term]] = {}
    for term, shape in shapes.items():
        members.setdefault((stages[term], shape), []).append(term)
    worthwhile = {key: BlockGroup(terms) for key, terms in members.items() if len(terms) >= WORTHWHILE}
    of = {term: group for group in worthwhile.values() for term in group.terms}

    def place(term: Term) -> Any:
        return stages[term], of[term].terms[0].number if term in of else -1, term.number

    return sorted(order, key=place), of


def is_total(term: Term) -> bool:
    """Whether it is a sum or an extreme of all entries of long arrays of one shape."""
    if term.op is None or term.ndim or not (term.op is VDOT or term.op.reduction_of):
        return False
    return term.args[0].size >= LONG and all(arg.shape == term.args[0].shape for arg in term.args)


def is_member(term: Term) -> bool:
    """Whether it can be computed block by block."""
    if is_total(term):
        return term.op is VDOT or not term.kwargs.get("keepdims")
    if term.size < LONG or not (kind(term) is TermKind.ELEMENTWISE or is_choice(term)):
        return False
    return all(arg.shape in ((), term.shape) for arg in term.args)


def is_choice(term: Term) -> bool:
    """Whether it takes each entry from one of two arrays; NumPy allocates its result."""
    return term.op is not None and term.op.function is np.where


def shape_of(term: Term) -> tuple[int, ...]:
    """Return the shape of the arrays that it works on."""
    return term.args[0].shape if is_total(term) else term.shape

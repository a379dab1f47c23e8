"""The order in which a program computes, and the memory that each result lives in.

Nothing here knows how a program is written: another back end could take a schedule as it is.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.compiler.blocks import Group, groups
from autotiny.compiler.rewriting import Kind, kind


@dataclass(eq=False)
class Storage:
    """Memory that the program keeps from one call to the next."""

    number: int
    nbytes: int
    tenants: list[Term] = field(default_factory=list)
    """The results that live there, one after another."""


@dataclass
class Schedule:
    """What to compute, in order, and where the results live."""

    inputs: list[Term]
    outputs: list[Term]
    order: list[Term]
    """Every operation, operands before results."""
    place: dict[Term, Storage | Term]
    """The memory of each result that is written into: the program's own, or a donated input's."""
    storages: list[Storage]
    group: dict[Term, Group]
    """Of each operation that runs block by block."""
    checks: list[Term]
    """Sums that must be 1, else the rest does not hold; they come first."""
    finite: list[Term]
    """Results that must be finite, else the rest does not hold."""

    @property
    def nbytes(self) -> int:
        """What the program keeps."""
        return sum(storage.nbytes for storage in self.storages)


def schedule(
    inputs: Sequence[Term],
    outputs: Sequence[Term],
    donated: Iterable[Term] = (),
    checks: Sequence[Term] = (),
    finite: Sequence[Term] = (),
) -> Schedule:
    """Place every result, each in memory whose tenants are dead by then, in place of an operand where that is safe."""
    donated = set(donated)
    first = topological_order(*checks)
    rest = (term for term in topological_order(*outputs) if term not in set(first))
    order = updates_last([term for term in (*first, *rest) if term.op is not None], donated)
    order, group = groups(order)
    plan = Plan(order, outputs, donated, inner_results(order, outputs, group))
    for term in order:
        plan.settle(term)
    return Schedule(list(inputs), list(outputs), order, plan.place, plan.storages, group, list(checks), list(finite))


def updates_last(order: list[Term], donated: set[Term]) -> list[Term]:
    """The order with what may be written into donated arrays at its end, where nothing stops the program any more."""
    used = {part for term in order for part in term.parents}
    last = {term for term in order if term not in used and not donated.isdisjoint(term.args)}
    return [*(term for term in order if term not in last), *(term for term in order if term in last)]


def inner_results(order: Sequence[Term], outputs: Sequence[Term], group: Mapping[Term, Group]) -> set[Term]:
    """What no operation outside its group needs: it is never written out."""
    needed = set(outputs)
    for term in order:
        needed.update(part for part in term.parents if group.get(part) is not group.get(term))
    return {term for term in group if term not in needed}


class Plan:
    """The state of the memory while the order is walked."""

    def __init__(
        self, order: list[Term], outputs: Sequence[Term], donated: set[Term], inner: Set[Term] = frozenset()
    ) -> None:
        self.inner = inner
        self.root: dict[Term, Term] = {}
        """Whose entries a view shows."""
        self.place: dict[Term, Any] = {term: term for term in donated}
        self.storages: list[Storage] = []
        self.free: list[Storage] = []
        self.outputs = set(outputs)
        self.kept: set[Term] = set()
        self.last_use = self._last_uses(order)
        self.dying: dict[Term, list[Term]] = {}
        for root, user in self.last_use.items():
            self.dying.setdefault(user, []).append(root)
        self.taken: set[Term] = set()

    def _last_uses(self, order: list[Term]) -> dict[Term, Term]:
        found: dict[Term, Term] = {}
        for term in order:
            for part in term.parents:
                found[self.root.get(part, part)] = term
            shown = shown_by(term)
            if shown is not None:
                self.root[term] = self.root.get(shown, shown)
        for output in self.outputs & self.root.keys():  # a view that is handed out is copied when all is done
            self.kept.add(self.root[output])
            found.pop(self.root[output], None)
        return found

    def settle(self, term: Term) -> None:
        """Find the result a place, and give back those that nobody needs any more."""
        if term not in self.inner and kind(term) in (Kind.ELEMENTWISE, Kind.CAST, Kind.REDUCTION, Kind.PRODUCT):
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
                self.free.append(place)
        place = self.place.get(term)
        if term not in self.last_use and term not in self.outputs | self.kept and isinstance(place, Storage):
            self.free.append(place)

    def in_place(self, term: Term) -> Any:
        """The place of an operand of the same shape and type that dies here."""
        if kind(term) is not Kind.ELEMENTWISE:
            return None
        for arg in term.args:
            place, alike = self.place.get(arg), (arg.shape, arg.dtype) == (term.shape, term.dtype)
            if place is None or not alike or self.last_use.get(arg) is not term:
                continue
            if isinstance(place, Storage) and term not in self.outputs:
                return place
            final = term in self.outputs and term not in self.last_use
            if isinstance(place, Term) and final and place not in self.taken:
                self.taken.add(place)
                return place
        return None

    def fresh(self, term: Term) -> Storage:
        """The smallest free memory that is large enough, or the largest, grown; else new."""
        nbytes = term.size * term.dtype.itemsize
        self.free.sort(key=lambda storage: storage.nbytes)
        fitting = [storage for storage in self.free if storage.nbytes >= nbytes]
        if not self.free:
            storage = Storage(len(self.storages), nbytes)
            self.storages.append(storage)
            return storage
        storage = fitting[0] if fitting else self.free[-1]
        self.free.remove(storage)
        storage.nbytes = max(storage.nbytes, nbytes)
        return storage


def shown_by(term: Term) -> Term | None:
    """The operand whose entries a term shows, if it has none of its own."""
    if kind(term) is Kind.CALL:
        return next((arg for arg in term.args if np.may_share_memory(arg.value, term.value)), None)
    return term.args[0] if kind(term) is Kind.VIEW else None


def nbytes(term: Term) -> int:
    """The size of a result."""
    return int(np.prod(term.shape, dtype=int)) * term.dtype.itemsize

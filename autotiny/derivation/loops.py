"""Sums that a loop adds up, lifted as one: J += (w @ X[i] - y[i]) ** 2 is sum((X w - y)²).

Python's sum(A) over the rows of an array is one of them.
"""

import heapq
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from autotiny.algebra import Term, constant, topological_order
from autotiny.algebra.loops import sum_of_rows
from autotiny.algebra.picks import INDEX
from autotiny.algebra.simplify import rebuilt
from autotiny.engine.tensor import Tensor
from autotiny.notation.expression import operands_first

SIGNS: dict[Any, tuple[int, int]] = {np.add: (1, 1), np.subtract: (1, -1)}


class Lifting(Protocol):
    """What rolling asks of the run so far: terms of operands, and names of arrays."""

    terms: dict[Tensor, Term]
    result: Any

    def operand(self, x: Tensor, position: int) -> Term:
        """Return the term of an operand of a result."""
        ...

    def known(self, value: Any) -> Term | None:
        """Return the term of an array by the name of a variable; None if it has none."""
        ...


class Loops:
    """The sums of a run that loops add up."""

    def __init__(self, order: Iterable[Tensor], named: set[Tensor], always: Container[Tensor]) -> None:
        self.named, self.always = named, always
        self.users: dict[Tensor, list[Tensor]] = {}
        self.place: dict[Tensor, int] = {}
        for x in order:
            self.place[x] = len(self.place)
            for arg in x.args:
                if isinstance(arg, Tensor):
                    self.users.setdefault(arg, []).append(x)

    def adds(self, x: Any) -> bool:
        """Whether a value is the sum or difference of two others."""
        return isinstance(x, Tensor) and x.op is not None and x.op.function in SIGNS

    def goes_on(self, x: Tensor) -> bool:
        """Whether a sum is an addend of one other and of nothing else."""
        users = self.users.get(x, [])
        return x not in self.named and len(users) == 1 and self.adds(users[0]) and users[0].shape == x.shape

    def ends(self, x: Tensor) -> bool:
        """Whether a tensor is the last sum of a chain of three or more addends."""
        return self.adds(x) and not self.goes_on(x) and any(self.adds(a) and self.goes_on(a) for a in x.args)

    def rolled(self, x: Tensor, run: Lifting) -> Term | None:
        """Return the sum with the addends that differ in an index alone as one; None where there are none."""
        leaves, chain = self.leaves(x)
        inside, terms = self.last_turn(leaves, chain | {x}, run)
        total = added(terms, run)
        if total is not None:
            for tensor in (inside | chain) & run.result.symbols.keys():
                sign = run.result.symbols.pop(tensor)
                run.result.definitions.pop(sign, None)
                run.result.tracked.discard(sign)
        return total

    def last_turn(
        self, leaves: list[tuple[int, Tensor, int]], chain: set[Tensor], run: Lifting
    ) -> tuple[set[Tensor], list[tuple[int, Term]]]:
        """Return the tensors whose names are those of the last turn of a loop, and the addends without these names."""
        blocked = set[Tensor]()
        addends = [(sign, run.operand(user, i), user.args[i]) for sign, user, i in leaves]
        while True:
            inside = self.inside([leaf for _, _, leaf in addends], chain, blocked, run)
            made = {run.terms[t]: run.result.definitions[run.terms[t]] for t in inside}
            parts = [all_parts(term, made) for _, term, _ in addends]
            other = {t for t in inside & self.named if not self.is_last(t, addends, parts, run)}
            if not other:
                return inside, [(sign, expanded(term, made)) for sign, term, _ in addends]
            blocked |= other

    def is_last(self, t: Tensor, addends: list[tuple[int, Term, Any]], parts: list[set[Term]], run: Lifting) -> bool:
        """Whether a tensor was recorded after the addends that are made without it."""
        symbol = run.terms[t]
        others = [
            self.place[leaf]
            for (_, _, leaf), within in zip(addends, parts, strict=True)
            if isinstance(leaf, Tensor) and symbol not in within
        ]
        return bool(others) and max(others) < self.place[t]

    def leaves(self, x: Tensor) -> tuple[list[tuple[int, Tensor, int]], set[Tensor]]:
        """Return the addends, each with its sign as an operand of a sum, and the sums on the way."""
        leaves, chain, stack = list[tuple[int, Tensor, int]](), set[Tensor](), [(1, x)]
        while stack:
            sign, part = stack.pop()
            chain.add(part)
            for i, own in enumerate(SIGNS[part.op.function]):  # type: ignore[union-attr]
                arg = part.args[i]
                if self.adds(arg) and self.goes_on(arg):
                    stack.append((sign * own, arg))
                else:
                    leaves.append((sign * own, part, i))
        return leaves[::-1], chain - {x}

    def inside(self, leaves: Iterable[Any], chain: set[Tensor], blocked: set[Tensor], run: Lifting) -> set[Tensor]:
        """Return the tensors with symbols that are used in these addends alone, above those that are blocked."""
        below = chain | {leaf for leaf in leaves if isinstance(leaf, Tensor)}
        own: set[Tensor] = set()
        queue = [(-self.place[part], part) for part in below - chain]
        heapq.heapify(queue)
        while queue:  # users before what they use
            _, part = heapq.heappop(queue)
            if part in run.result.symbols:
                if (
                    part.op is None
                    or part in blocked
                    or part in self.always
                    or not below.issuperset(self.users.get(part, []))
                ):
                    continue
                own.add(part)
            for arg in part.args:
                if isinstance(arg, Tensor) and arg not in below:
                    below.add(arg)
                    heapq.heappush(queue, (-self.place[arg], arg))
        return own


def all_parts(term: Term, definitions: Mapping[Term, Term]) -> set[Term]:
    """Return what a term is made of, through the definitions of some symbols."""
    return set(operands_first([term], lambda t: (definitions[t],) if t in definitions else t.args))


def expanded(term: Term, definitions: Mapping[Term, Term]) -> Term:
    """Return a term with the definitions of some symbols in their place."""
    done: dict[Term, Term] = {}
    for part in operands_first([term], lambda t: (definitions[t],) if t in definitions else t.args):
        made = definitions.get(part)
        done[part] = rebuilt(part, tuple(done[arg] for arg in part.args)) if made is None else done[made]
    return done[term]


def added(terms: list[tuple[int, Term]], run: Lifting) -> Term | None:
    """Return the sum of some addends, of which those that differ in an index alone are one; None if there are none."""

    def free(term: Term) -> bool:
        return run.result.tracked.isdisjoint(topological_order(term))

    kinds: dict[Any, list[Term]] = {}
    for sign, term in terms:
        if not (term.is_constant and not np.any(term.value)):
            kinds.setdefault((sign, kind(term, free)), []).append(term)
    sums = [(sign, alike, sum_of_rows(alike, run.known, free)) for (sign, _), alike in kinds.items()]
    if all(whole is None for _, _, whole in sums):
        return None
    result: Any = 0
    for sign, alike, whole in sums:
        for term in alike if whole is None else [whole]:
            result = result + term if sign > 0 else result - term
    return constant(result)


def kind(term: Term, free: Callable[[Term], bool]) -> Any:
    """Return what addends of one kind have in common: the operations, with data and indices left out."""
    if term.op is None or (term.op is INDEX and term.args[0].op is None) or free(term):
        return (term.shape, free(term) or id(term.args[0] if term.args else term))
    return (term.op, term.shape, *(kind(arg, free) for arg in term.args))

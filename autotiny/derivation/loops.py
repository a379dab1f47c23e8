"""Sums that a loop adds up, lifted as one: J += (w @ X[i] - y[i]) ** 2 is sum((X w - y)²).

Python's sum(A) over the rows of an array is one of them.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from autotiny.algebra import Term, constant
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

    def __init__(self, order: Iterable[Tensor], named: Container[Tensor], always: Container[Tensor]) -> None:
        self.named, self.always = named, always
        self.users: dict[Tensor, list[Tensor]] = {}
        for x in order:
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
        within = {x: self.inside(x, run) for x in (user.args[i] for _, user, i in leaves) if isinstance(x, Tensor)}
        inside = set().union(*within.values())
        if sum(any(t in self.named for t in own) for own in within.values()) > 1:
            return None  # they are not those of the last turn, but have names of their own
        definitions = {run.terms[t]: run.result.definitions[run.terms[t]] for t in inside}
        terms = [(sign, expanded(run.operand(user, i), definitions)) for sign, user, i in leaves]
        total = added(terms, run)
        if total is not None:
            for tensor in (inside | chain) & run.result.symbols.keys():
                sign = run.result.symbols.pop(tensor)
                run.result.definitions.pop(sign, None)
                run.result.tracked.discard(sign)
        return total

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

    def inside(self, leaf: Tensor, run: Lifting) -> set[Tensor]:
        """Return the named tensors that are used in one addend alone, as those of the last turn of a loop are."""
        below: set[Tensor] = {leaf}
        own: set[Tensor] = set()
        stack = [leaf]
        while stack:
            part = stack.pop()
            if part in run.result.symbols:
                alone = part.op is not None and part not in self.always
                if not alone or (part is not leaf and not below.issuperset(self.users.get(part, []))):
                    continue
                own.add(part)
            new = [a for a in part.args if isinstance(a, Tensor) and a not in below]
            below.update(new)
            stack += new
        return own


def expanded(term: Term, definitions: Mapping[Term, Term]) -> Term:
    """Return a term with the definitions of some symbols in their place."""
    done: dict[Term, Term] = {}
    for part in operands_first([term], lambda t: (definitions[t],) if t in definitions else t.args):
        made = definitions.get(part)
        done[part] = rebuilt(part, tuple(done[arg] for arg in part.args)) if made is None else done[made]
    return done[term]


def added(terms: list[tuple[int, Term]], run: Lifting) -> Term | None:
    """Return the sum of some addends, of which those that differ in an index alone are one; None if there are none."""
    kinds: dict[Any, list[Term]] = {}
    for sign, term in terms:
        if not (term.is_constant and not np.any(term.value)):
            kinds.setdefault((sign, kind(term)), []).append(term)
    sums = [(sign, alike, sum_of_rows(alike, run.known)) for (sign, _), alike in kinds.items()]
    if all(whole is None for _, _, whole in sums):
        return None
    result: Any = 0
    for sign, alike, whole in sums:
        for term in alike if whole is None else [whole]:
            result = result + term if sign > 0 else result - term
    return constant(result)


def kind(term: Term) -> Any:
    """Return what addends of one kind have in common: the operations, with constants and indices left out."""
    if term.is_constant or (term.op is INDEX and term.args[0].op is None):
        return ("entry", term.shape)
    return (term.op or id(term), term.shape, *map(kind, term.args))

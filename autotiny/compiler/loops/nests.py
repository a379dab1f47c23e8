"""Loop nests: which statements share a loop, and where each result is kept.

A statement computes one entry of a result; the loops around it run over all entries, and over those that are summed.
Statements are put into loops one after another, each as deep as the order of computation allows: what it reads must be
complete by then, at least the entries at the same indices of the loops that are shared.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autotiny.algebra import Term
from autotiny.compiler.loops.accesses import FIRST, Access, Index, access
from autotiny.compiler.rewriting import VDOT, made_by

NAMES = "ijklmnpqr"
"""Names of loops, where the usual one is taken."""


@dataclass(eq=False)
class Loop:
    """A loop over 0, 1, ..., extent - 1; the top of a tree if it has no parent."""

    extent: int
    body: list[Any] = field(default_factory=list)
    """Statements and loops, in order."""
    parent: "Loop | None" = None
    name: str = ""
    closed: bool = False
    """Whether no other statement may be put into it: its turns are written out in groups."""

    @property
    def path(self) -> list["Loop"]:
        """The loops around its body, the outermost first."""
        return [*(self.parent.path if self.parent else ()), self]


@dataclass(eq=False)
class Statement:
    """The computation of the entries of a result."""

    term: Term
    extents: list[int]
    """The lengths of the loops around it, from the outermost."""
    target: tuple[Index, ...]
    """The entry that it computes."""
    reads: list[Access]
    """The entry that it reads of each operand."""
    reduced: frozenset[int] = frozenset()
    """The loops over which it sums, or takes the maximum."""
    letters: str = ""
    """Names for the loops."""
    terms: int = 0
    """How many products are added in one expression; 0 where a statement adds none."""
    beside: int = 1
    """How many neighbouring entries are computed in one loop over products: what they share is loaded once."""
    path: list[Loop] = field(default_factory=list)

    @property
    def folds(self) -> bool:
        """Whether it is complete only after a loop."""
        return bool(self.reduced)

    @property
    def level(self) -> int:
        """The number of loops around the place where it is complete."""
        return min(self.reduced, default=len(self.extents))

    @property
    def open_loops(self) -> int:
        """The number of its loops, from the outermost, that other statements may share."""
        if not (self.terms and self.folds):
            return len(self.extents)
        return self.level - (self.beside > 1)


@dataclass(eq=False)
class Guard:
    """A condition that stops the program, on totals."""

    totals: list[Term]
    stop: Any
    """The exception."""
    limit: float | None = None
    """The largest value; None where any finite one is allowed."""


class Nests:
    """The loops of one kernel.

    results : those that other parts of the program need.
    last : those whose memory is that of an argument, which is modified when nothing can stop the program any more.
    taken : names that no loop may have.
    """

    def __init__(self, results: Set[Term], last: Mapping[Term, Term], taken: Set[str]) -> None:
        self.results, self.last, self.taken = results, last, taken
        self.body: list[Any] = []
        """Loops, statements and guards, in order."""
        self.made: dict[Term, Statement] = {}
        self.users: dict[Term, list[tuple[Statement, Access]]] = {}

    # ----- placing -----
    def add(self, statement: Statement) -> None:
        """Put a statement into loops that are there, or into new ones."""
        parent = self.best(statement)
        path = [] if parent is None else parent.path
        for extent in statement.extents[len(path) :]:
            loop = Loop(extent, parent=parent, closed=len(path) >= statement.open_loops)
            loop.name = self.name_of_loop(statement.letters[len(path)], path)
            (self.body if parent is None else parent.body).append(loop)
            path, parent = [*path, loop], loop
        statement.path = path
        (self.body if parent is None else parent.body).append(statement)
        self.made[statement.term] = statement
        for read in statement.reads:
            self.users.setdefault(read.root, []).append((statement, read))

    def name_of_loop(self, letter: str, path: Sequence[Loop]) -> str:
        """Return the letter, or another name if it is taken."""
        taken = {*self.taken, *(loop.name for loop in path)}
        names = itertools.chain([letter], NAMES, (f"{letter}{n}" for n in itertools.count(1)))
        return next(name for name in names if name not in taken)

    def best(self, statement: Statement) -> Loop | None:
        """Return the innermost loop that a statement can share; None for none."""
        found: Loop | None = None
        for position in range(len(self.body) - 1, self.earliest(statement) - 1, -1):
            top = self.body[position]
            if isinstance(top, Loop):
                for path in paths(top, statement.extents[: statement.open_loops]):
                    if (found is None or len(path) > len(found.path)) and self.allows(path, statement):
                        found = path[-1]
        return found

    def earliest(self, statement: Statement) -> int:
        """Return the position of the first tree that a statement may be in."""
        needed = [self.made[read.root] for read in statement.reads if read.root in self.made]
        tops = [self.body.index(x.path[0] if x.path else x) + (0 if x.path else 1) for x in needed]
        if statement.term in self.last:
            overwritten = self.last[statement.term]
            tops += [self.body.index(x.path[0]) for x, _ in self.users.get(overwritten, ()) if x.path]
            tops += [i + 1 for i, x in enumerate(self.body) if isinstance(x, Guard)]
        return max(tops, default=0)

    def allows(self, path: list[Loop], statement: Statement) -> bool:
        """Whether all that a statement reads is there at the end of the body of the innermost of these loops."""
        related = 0
        for read in statement.reads:
            if (other := self.made.get(read.root)) is not None:
                shared = common(path, other.path)
                related = max(related, shared)
                if shared and not (
                    self.precedes(other, path, shared) and matches(other.target, read.indices, shared, other)
                ):
                    return False
        overwritten = self.last.get(statement.term)
        for other, read in self.users.get(overwritten, ()) if overwritten is not None else ():
            shared = common(path, other.path)
            if shared and not (self.precedes(other, path, shared) and matches(read.indices, statement.target, shared)):
                return False
        innermost = not any(isinstance(part, Loop) for part in path[-1].body)
        deeper = len(statement.extents) > len(path)
        return related >= len(path) or (innermost != deeper)

    @staticmethod
    def precedes(statement: Statement, path: Sequence[Loop], shared: int) -> bool:
        """Whether a statement comes before the end of the body of a loop, within the loops that they share."""
        if shared == len(path):
            return True
        body = path[shared - 1].body
        branch = statement.path[shared] if len(statement.path) > shared else statement
        return body.index(branch) < body.index(path[shared])

    def shared_extent(self) -> int:
        """Return the length of the loop that threads may share: the only one, whose turns have results of their own.

        Beside these there may be sums over all turns. 0 where there is no such loop.
        """
        if len(self.body) != 1 or not isinstance(self.body[0], Loop):
            return 0
        sums = [x for x in self.made.values() if 0 in x.reduced]
        added = all(not x.target and (x.term.op is VDOT or made_by(x.term, np.sum)) for x in sums)
        return self.body[0].extent if added else 0

    # ----- results -----
    def is_scalar(self, statement: Statement) -> bool:
        """Whether a result needs no memory: a variable of the loop holds the entry for as long as it is used."""
        path, level = statement.path, statement.level
        if statement.term in self.results:
            return not statement.target
        if statement.beside > 1:
            return False
        if any(loop not in statement.reduced for loop in range(level, len(path))):
            return False
        around = path[:level]
        return all(user.path[:level] == around for user, _ in self.users.get(statement.term, ()))


def paths(loop: Loop, extents: Sequence[int]) -> Iterator[list[Loop]]:
    """Yield the chains of loops, from a loop at the top, that have the extents with which a list begins."""
    if extents and loop.extent == extents[0] and not loop.closed:
        yield [loop]
        for part in loop.body:
            if isinstance(part, Loop):
                for path in paths(part, extents[1:]):
                    yield [loop, *path]


def common(path: Sequence[Loop], other: Sequence[Loop]) -> int:
    """Return how many loops two paths share."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] is pair[1], zip(path, other, strict=False)))


def matches(
    target: tuple[Index, ...], indices: tuple[Index, ...], shared: int, statement: Statement | None = None
) -> bool:
    """Whether each of the shared loops runs along the same axis of what one statement writes and another one reads."""
    for loop in range(shared):
        if statement is not None and loop in statement.reduced:
            return False
        axes = [axis for axis, index in enumerate(target) if index.loop == loop]
        if len(axes) != 1 or not (target[axes[0]].is_plain and indices[axes[0]] == target[axes[0]]):
            return False
    return True


# ----- statements -----
LETTERS = "abcdefghij"
"""Names of loops along axes, from the last axis back: j along the rows of a matrix, i along its columns."""
SHORT = 8
"""Length up to which a sum over k is one expression."""
TOGETHER = 4
"""Products that are added at once in a longer one: a row of the result is loaded and stored as often."""
BESIDE = 4
"""Entries that are computed in one loop over products of rows; two take longer than one."""


def statement_of(term: Term, turned: Set[Term]) -> Statement:
    """Return the statement that computes a term."""
    assert term.op is not None
    if made_by(term, np.matmul):
        return product(term, turned)
    if term.op is VDOT or term.op.reduction_of is not None:
        return fold(term, turned)
    extents, target, letters = over(term.shape)
    return Statement(term, extents, target, [access(x, aligned(x, target), turned) for x in term.args], letters=letters)


def copy_of_view(term: Term, turned: Set[Term]) -> Statement:
    """Return the statement that copies the entries of a view."""
    extents, target, letters = over(term.shape)
    return Statement(term, extents, target, [access(term, target, turned)], letters=letters)


def over(shape: Sequence[int]) -> tuple[list[int], tuple[Index, ...], str]:
    """Return loops over all entries of a shape, the index along each axis, and names for the loops."""
    extents, indices, letters = list[int](), list[Index](), ""
    names = LETTERS[-max(len(shape), 2) :]
    for n, letter in zip(shape, names, strict=False):
        indices.append(FIRST if n == 1 else Index(len(extents)))
        if n != 1:
            extents.append(n)
            letters += letter
    return extents, tuple(indices), letters


def aligned(x: Term, indices: Sequence[Index]) -> tuple[Index, ...]:
    """Return the entry of an operand that goes with an entry of the result: axes of length 1 are repeated."""
    return tuple(map(repeated, x.shape, indices[len(indices) - x.ndim :]))


def repeated(n: int, index: Index) -> Index:
    """Return the index along an axis, which is repeated if its length is 1."""
    return FIRST if n == 1 else index


def fold(term: Term, turned: Set[Term]) -> Statement:
    """Return the statement of a reduction, or of a sum of products."""
    x = term.args[0]
    extents, indices, letters = over(x.shape)
    axis = term.kwargs.get("axis")
    along = set(range(x.ndim) if axis is None or not x.ndim else normalize_axis_tuple(axis, x.ndim))
    target = [
        FIRST if i in along else indices[i] for i in range(x.ndim) if i not in along or term.kwargs.get("keepdims")
    ]
    reduced = frozenset(index.loop for i in along if (index := indices[i]).loop is not None)
    return Statement(
        term, extents, tuple(target), [access(arg, indices, turned) for arg in term.args], reduced, letters
    )


def product(term: Term, turned: Set[Term]) -> Statement:
    """Return the statement of a matrix product: a sum over k, in the order in which the inner loop is contiguous."""
    a, b = term.args
    rows, columns, length = a.ndim > 1, b.ndim > 1, a.shape[-1]
    batch = term.ndim - rows - columns
    extents, target, letters = over(term.shape)
    in_one_row = is_contiguous_along(b, b.ndim - 1 - columns, turned) or not columns or term.shape[-1] == 1
    short = length <= (TOGETHER if in_one_row else SHORT)
    place = len(extents) if in_one_row else len(extents) - 1
    k = Index(place)
    if not short:
        target = tuple([x if x.loop is None or x.loop < place else x._replace(loop=x.loop + 1) for x in target])
        extents, letters = [*extents[:place], length, *extents[place:]], f"{letters[:place]}k{letters[place:]}"
    stack, i, j = target[:batch], target[batch : batch + rows], target[batch + rows :]
    first = tuple(map(repeated, a.shape[:-2], stack[batch - max(a.ndim - 2, 0) :]))
    second = tuple(map(repeated, b.shape[:-2], stack[batch - max(b.ndim - 2, 0) :]))
    places = [Index(None, 0, n) for n in range(length)] if short else [k]
    reads = [
        read
        for place_of_k in places
        for read in (access(a, (*first, *i, place_of_k), turned), access(b, (*second, place_of_k, *j), turned))
    ]
    together = length if short else 1 if in_one_row else TOGETHER
    reduced = frozenset[int]() if short else frozenset({place})
    grouped = in_one_row and not short and columns and term.shape[-1] % BESIDE == 0
    return Statement(term, extents, target, reads, reduced, letters, together, BESIDE if grouped else 1)


def is_contiguous_along(x: Term, axis: int, turned: Set[Term]) -> bool:
    """Whether entries that are neighbours along an axis are neighbours in memory."""
    last = access(x, tuple(map(Index, range(x.ndim))), turned).indices[-1:]
    return bool(last) and last[0].loop == axis and last[0].scale == 1

"""The text of one kernel: a function of arrays and numbers that numba compiles."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant
from autotiny.compiler.loops.accesses import Access, Index
from autotiny.compiler.loops.entries import entry, neighbour
from autotiny.compiler.loops.expressions import ExpressionWriter
from autotiny.compiler.loops.forms import (
    NEUTRAL,
    TWICE,
    VECTOR_MATH,
)
from autotiny.compiler.loops.nests import Guard, Loop, Nests, Statement
from autotiny.compiler.rewriting import VDOT, made_by
from autotiny.notation.expression import Expression, symbol

ON_STACK, STACK = 2**14, 2**16
"""Bytes of an array, and of all together, up to which they are on the stack."""
LONG = 256
"""Turns of an inner loop from which vectors of 512 bits are faster."""
STRIP = 4096
"""Entries that are added one after another. Longer sums are of such sums, in double precision, so that they are as
accurate as NumPy's, which adds pairs of halves."""
DEEPEST = 6
"""Depth from which an expression gets a line of its own."""


class KernelText(ExpressionWriter):
    """Writes a kernel.

    numbers : the results that it returns.
    in_parts : whether it runs over a range of the turns of its loop, which it is given.
    """

    def __init__(
        self, name: str, nests: Nests, names: dict[Term, str], named: Iterable[Term], in_parts: bool = False
    ) -> None:
        super().__init__(nests, names, named)
        self.name, self.in_parts = name, in_parts
        self.bounds = [self.untaken(bound) for bound in ("start", "stop")] if in_parts else []
        self.uses = Counter(read.root for statement in nests.made.values() for read in statement.reads)
        self.uses.update(term for term in nests.results if term in nests.made)
        self.uses.update(total for part in nests.body if isinstance(part, Guard) for total in part.totals)
        self.depths: dict[Term, int] = {}
        self.starts: dict[Loop, list[Statement]] = {}
        for statement in nests.made.values():
            if statement.folds:
                self.starts.setdefault(statement.path[statement.level], []).append(statement)
        self.strips: dict[Loop, list[Statement]] = {}
        """The long sums that a loop adds to, which are added up strip by strip."""
        for statement in filter(self.is_long_sum, nests.made.values()):
            self.strips.setdefault(statement.path[-1], []).append(statement)
        self.grouped = {x.path[x.level - 1]: x for x in nests.made.values() if x.beside > 1}
        """The products of rows that are computed several at a time, by the loop over them."""
        self.body = self.block(nests.body, [])
        self.numbers = [term for term in nests.made if term in nests.results and term in self.scalars]
        memory = [term for term in nests.made if term not in self.scalars and term not in self.again]
        self.written = [term for term in memory if term in nests.results]
        self.memory = [term for term in memory if term not in nests.results]
        self.stacked = self.on_stack()
        self.lines = self.function()

    # ----- the function -----
    @property
    def arguments(self) -> list[Term]:
        """What the kernel takes: what it reads, what it writes, and memory."""
        made = self.nests.made
        read = [term for term in self.arrays if term not in made]
        arrays = [*read, *(x for x in self.written if self.nests.last.get(x) not in self.arrays)]
        return [*arrays, *(x for x in self.memory if x not in self.stacked)]

    def on_stack(self) -> set[Term]:
        """Return the results that are kept on the stack."""
        found, total = set[Term](), 0
        for term in self.memory:
            size = term.size * term.dtype.itemsize
            if size <= ON_STACK and total + size <= STACK:
                found.add(term)
                total += size
        return found

    def function(self) -> list[str]:
        """Return the lines of the function."""
        arguments = self.arguments
        lines = ['@njit(nogil=True, error_model="numpy")']
        lines.append(f"def {self.name}({', '.join([*self.bounds, *(self.names[x] for x in arguments)])}):")
        if VECTOR_MATH in self.imports and any(x.extents[-1:] >= [LONG] for x in self.nests.made.values()):
            lines.append(f"    {self.call('wide_vectors')}()")
        for term in self.memory:
            if term in self.stacked:
                dtype = self.scalar_type(term.dtype)
                self.take("numba", dtype)
                shape = ", ".join(map(str, term.shape))
                lines.append(f"    {self.names[term]} = {self.call('scratch')}({dtype}, {shape})")
        lines += [f"    {line}" for line in self.body]
        if self.numbers:
            lines.append(f"    return {', '.join(self.names[x] for x in self.numbers)}")
        return lines

    def writes(self, x: Term) -> bool:
        """Whether the kernel writes into an argument."""
        return x in self.nests.made or x in set(self.nests.last.values())

    # ----- loops -----
    def block(self, body: Sequence[Any], path: list[Loop]) -> list[str]:
        """Return the lines of the body of a loop."""
        lines: list[str] = []
        for part in body:
            if isinstance(part, Guard):
                lines += self.guard(part)
            elif isinstance(part, Statement):
                lines += self.statement(part)
            elif (statement := self.grouped.get(part)) is not None:
                lines += self.side_by_side(statement)
            else:
                first = ""
                for statement in self.starts.get(part, ()):
                    lines += self.start(statement)
                    first = self.first_turn(statement) or first
                inner = self.block(part.body, [*path, part])
                bounds = self.bounds if not path else []
                if part in self.strips:
                    lines += self.in_strips(part, inner, bounds)
                elif bounds:
                    lines += self.in_range(part, inner, bounds[0], f"{bounds[1]} - {bounds[0]}")
                else:
                    turns = filter(None, [first, f"{part.extent}{self.step(part)}"])
                    lines.append(f"for {part.name} in range({', '.join(turns)}):")
                    lines += [f"    {line}" for line in inner or ["pass"]]
                lines += [self.end(x) for x in self.starts.get(part, ()) if self.is_in_double(x)]
        return lines

    def is_long_sum(self, statement: Statement) -> bool:
        """Whether so many floating-point numbers are added that the order matters."""
        term = statement.term
        sums = term.op is VDOT or (term.op is not None and term.op.reduction_of is np.add)
        length = math.prod(statement.extents[loop] for loop in statement.reduced)
        innermost = bool(statement.path) and len(statement.path) - 1 in statement.reduced
        return sums and innermost and length > STRIP and term.dtype.kind == "f"

    def is_in_double(self, statement: Statement) -> bool:
        """Whether strips are added up in a variable: of one entry of the result after the other."""
        complete = statement.reduced == set(range(statement.level, len(statement.path)))
        return complete and self.is_long_sum(statement)

    def strip_of(self, statement: Statement) -> str:
        """Return the variable for the sum of a strip."""
        name = self.names[statement.term]
        return name if statement.term in self.scalars else self.untaken(f"strip_of_{name}")

    def sum_of(self, statement: Statement) -> str:
        """Return the variable in which the sums of strips are added up."""
        return self.untaken(f"sum_for_{self.names[statement.term]}")

    def end(self, statement: Statement) -> str:
        """Return the line after the loop of a long sum."""
        dtype = self.scalar_type(statement.term.dtype)
        self.take("numba", dtype)
        return f"{self.place(statement)} = {dtype}({self.sum_of(statement)})"

    def in_strips(self, loop: Loop, inner: list[str], bounds: Sequence[str]) -> list[str]:
        """Return the lines of a loop that adds up long sums: each strip by itself, then its sum to the others."""
        start, stop = bounds or ["0", str(loop.extent)]
        sums = self.strips[loop]
        before = [f"{self.strip_of(x)} = {self.neutral(x)}" for x in sums]
        after = [f"{self.sum_of(x) if self.is_in_double(x) else self.place(x)} += {self.strip_of(x)}" for x in sums]
        if loop.extent <= STRIP and not bounds:
            return [*before, f"for {loop.name} in range({stop}):", *(f"    {line}" for line in inner), *after]
        first = self.untaken(f"first_{loop.name}")
        strip = self.in_range(loop, inner, first, f"min({STRIP}, {stop} - {first})")
        lines = [*before, *strip, *after]
        return [f"for {first} in range({start}, {stop}, {STRIP}):", *(f"    {line}" for line in lines)]

    def in_range(self, loop: Loop, inner: list[str], first: str, turns: str) -> list[str]:
        """Return the lines of some turns of a loop, from one that is computed.

        If LLVM did not see that indices are not negative, it would collect entries one by one: numba adds the length to
        those below 0.
        """
        n = self.untaken(f"next_{loop.name}")
        index = f"{loop.name} = max({first}, 0) + {n}"
        return [f"for {n} in range({turns}):", *(f"    {line}" for line in [index, *inner])]

    def first_turn(self, statement: Statement) -> str:
        """Return the turn from which a loop runs whose first turns have been written out."""
        return f"{first_products(statement)}" if is_written_out(statement) else ""

    def step(self, loop: Loop) -> str:
        """Return the step of a loop whose turns are written out in groups."""
        return next((f", {x.terms}" for x in self.starts.get(loop, ()) if x.terms > 1), "")

    def start(self, statement: Statement) -> list[str]:
        """Return the lines before the loop of a reduction."""
        if self.is_in_double(statement):
            return [f"{self.sum_of(statement)} = 0.0"]
        first = self.neutral(statement)
        if is_written_out(statement):
            first = self.products(statement, range(first_products(statement)), None)
        inner = [
            (loop, i) for i, loop in enumerate(statement.path) if i > statement.level and i not in statement.reduced
        ]
        lines = [f"{self.place(statement)} = {first}"]
        for loop, _ in reversed(inner):
            lines = [f"for {loop.name} in range({loop.extent}):", *(f"    {line}" for line in lines)]
        return lines

    def side_by_side(self, statement: Statement) -> list[str]:
        """Return the loop over products of rows, several in each turn: dW_1, dW_2, ..."""
        (k,), turns = statement.reduced, range(statement.beside)
        loop, inner, name = statement.path[k - 1], statement.path[k], self.names[statement.term]
        prefix = next(x for n in count(1) if not any((x := name + n * "_") + str(i) in self.called for i in turns))
        totals = [f"{prefix}{turn}" for turn in turns]
        zero = self.neutral(statement)
        reads = [[neighbour(read, k - 1, turn) for read in statement.reads] for turn in turns]
        factors = [", ".join(self.write(self.operand(read, statement)) for read in pair) for pair in reads]
        places = [neighbour(Access(statement.term, statement.target), k - 1, turn).indices for turn in turns]
        add = self.call("add_products")
        return [
            f"for {loop.name} in range(0, {loop.extent}, {statement.beside}):",
            f"    {' = '.join(totals)} = {zero}",
            f"    for {inner.name} in range({inner.extent}):",
            *(f"        {x} = {add}({x}, {pair})" for x, pair in zip(totals, factors, strict=True)),
            *(f"    {entry(name, place, statement)} = {x}" for x, place in zip(totals, places, strict=True)),
        ]

    def neutral(self, statement: Statement) -> str:
        """Return the value that a reduction starts from."""
        term = statement.term
        assert term.op is not None
        function = term.op.reduction_of or np.add
        if term.dtype.kind == "f" or function in (np.add, np.multiply):
            return self.write(self.number(constant(NEUTRAL[function]), term.dtype))
        limits = np.iinfo(term.dtype)
        return str(limits.min if function is np.maximum else limits.max)

    def guard(self, guard: Guard) -> list[str]:
        """Return the lines that stop the program."""
        self.arrays.update(dict.fromkeys(x for x in guard.totals if x not in self.nests.made))
        names = [self.names[x] for x in guard.totals]
        condition = f"{self.call('isfinite')}({' + '.join(names)})"
        if guard.limit is not None:
            condition = f"({' + '.join(names)} <= {guard.limit!r})"
        self.take(guard.stop.__module__, guard.stop.__name__)
        return [f"if not {condition}:", f"    raise {guard.stop.__name__}"]

    # ----- statements -----
    def statement(self, statement: Statement) -> list[str]:
        """Return the lines of a statement; none if it is written within the line of its only user."""
        term, place = statement.term, self.place(statement)
        if term in self.again:
            return []
        if self.is_long_sum(statement):
            place = self.strip_of(statement)
        if made_by(term, np.matmul) and statement.terms:
            return [f"{place} = {self.products(statement, range(statement.terms), place if statement.folds else None)}"]
        if term.op is VDOT and statement.folds:
            factors = [self.write(x) for x in self.operands(statement)]
            return [f"{place} = {self.call('add_products')}({place}, {', '.join(factors)})"]
        if statement.folds:
            return [f"{place} = {self.folded(statement, place)}"]
        expression = self.expression(statement)
        if self.is_inner(statement):
            self.inner[term] = expression
            return []
        return [f"{place} = {self.write(expression)}"]

    def is_inner(self, statement: Statement) -> bool:
        """Whether a result is written within the line of its only user, which is in the same loop."""
        term = statement.term
        self.depths[term] = 1 + max(
            (self.depths.get(x.root, 0) for x in statement.reads if x.root in self.inner), default=0
        )
        users = self.nests.users.get(term, [])
        if term not in self.scalars or self.uses[term] != 1 or len(users) != 1 or self.depths[term] > DEEPEST:
            return False
        user = users[0][0]
        repeats = user.term.op is not None and user.term.op.kind in TWICE
        return user.path == statement.path and term not in self.named and not repeats

    def place(self, statement: Statement) -> str:
        """Return the variable or the entry that a statement computes."""
        name = self.names[statement.term]
        return name if statement.term in self.scalars else entry(name, statement.target, statement)

    def folded(self, statement: Statement, place: str) -> str:
        """Return the text of one step of a reduction."""
        term, (x,) = statement.term, self.operands(statement)
        assert term.op is not None
        x = self.as_type(x, statement.reads[0].root, term.dtype)
        function = term.op.reduction_of
        if function is np.multiply:
            return self.write(Expression("multiply", [symbol(place), x]))
        name = self.call("add_to" if function is np.add else "maximum" if function is np.maximum else "minimum")
        return f"{name}({place}, {self.write(x)})"

    def products(self, statement: Statement, turns: range, total: str | None) -> str:
        """Return a total and some products; without a total, the first product starts the sum."""
        pairs = []
        for turn in turns:
            if statement.folds:
                (k,) = statement.reduced
                start: Any = statement.path[k].name if total is not None else None
                reads = [self.shifted(read, k, turn, start, statement) for read in statement.reads]
            else:
                reads = [self.operand(read, statement) for read in statement.reads[2 * turn : 2 * turn + 2]]
            pairs.append(reads)
        if total is None:
            first, *pairs = pairs
            total = self.write(Expression("multiply", first))
        if not pairs:
            return total
        factors = ", ".join(self.write(x) for pair in pairs for x in pair)
        return f"{self.call('add_products')}({total}, {factors})"

    def shifted(self, read: Access, k: int, turn: int, start: str | None, statement: Statement) -> Expression:
        """Return a factor of the product that is `turn` turns of a loop ahead, or that of this very turn."""
        indices = []
        for index in read.indices:
            if index.loop == k:
                ahead = index.scale * turn + index.offset
                index = Index(None, 0, ahead) if start is None else index._replace(offset=ahead)
            indices.append(index)
        return self.operand(Access(read.root, tuple(indices)), statement)


def is_written_out(statement: Statement) -> bool:
    """Whether the first turns of a loop over products start the sum."""
    return statement.folds and statement.terms > 1


def first_products(statement: Statement) -> int:
    """Return how many products start the sum, so that those left come in groups."""
    (k,) = statement.reduced
    return statement.extents[k] % statement.terms or statement.terms

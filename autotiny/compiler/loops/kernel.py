"""The text of one kernel: a function of arrays and numbers that numba compiles."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant
from autotiny.compiler.loops.accesses import Access, Index
from autotiny.compiler.loops.forms import (
    BOOL,
    FUNCTIONS,
    NEUTRAL,
    TWICE,
    VECTOR_MATH,
    LoopCode,
    converted,
    entry_form,
    literal,
    operand_types,
)
from autotiny.compiler.loops.nests import Guard, Loop, Nests, Statement
from autotiny.compiler.rewriting import VDOT, is_uniform, made_by
from autotiny.notation.expression import Expression, symbol
from autotiny.notation.forms import Call

ON_STACK, STACK = 2**14, 2**16
"""Bytes of an array, and of all together, up to which they are on the stack."""
LONG = 256
"""Turns of an inner loop from which vectors of 512 bits are faster."""
STRIP = 4096
"""Entries that are added one after another. Longer sums are of such sums, in double precision, so that they are as
accurate as NumPy's, which adds pairs of halves."""
DEEPEST = 6
"""Depth from which an expression gets a line of its own."""
CHEAP = ("add", "subtract", "multiply", "negative", "greater", "greater_equal", "less", "less_equal", "equal")
"""Kinds that take less time than to store their results and to load them again."""


class KernelText:
    """Writes a kernel.

    names : the names of terms.
    numbers : the results that it returns.
    in_parts : whether it runs over a range of the turns of its loop, which it is given.
    """

    def __init__(
        self, name: str, nests: Nests, names: dict[Term, str], named: Iterable[Term], in_parts: bool = False
    ) -> None:
        self.name, self.nests, self.names, self.named, self.in_parts = name, nests, names, set(named), in_parts
        self.bounds = [self.untaken(bound) for bound in ("start", "stop")] if in_parts else []
        self.code = LoopCode()
        self.imports: dict[str, set[str]] = {}
        self.scalars = {term for term, statement in nests.made.items() if nests.is_scalar(statement)}
        self.again = self.computed_again()
        self.uses = Counter(read.root for statement in nests.made.values() for read in statement.reads)
        self.uses.update(term for term in nests.results if term in nests.made)
        self.uses.update(total for part in nests.body if isinstance(part, Guard) for total in part.totals)
        self.inner: dict[Term, Expression] = {}
        """The expressions of results that are written within the line of their user."""
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
        self.arrays: dict[Term, None] = {}
        """The arrays and numbers that are arguments."""
        self.body = self.block(nests.body, [])
        self.numbers = [term for term in nests.made if term in nests.results and term in self.scalars]
        memory = [term for term in nests.made if term not in self.scalars and term not in self.again]
        self.written = [term for term in memory if term in nests.results]
        self.memory = [term for term in memory if term not in nests.results]
        self.stacked = self.on_stack()
        self.lines = self.function()

    def computed_again(self) -> set[Term]:
        """Return the results that are computed where they are used, from an array that is kept anyway."""
        found, made = set[Term](), self.nests.made
        changed = set(self.nests.last.values())
        for term, statement in made.items():
            if term in self.scalars or term in self.nests.results or term in self.named or statement.folds:
                continue
            roots = [read.root for read in statement.reads if not is_number(read.root)]
            if not (is_cheap(term) and len(roots) == 1 and roots[0] not in changed and roots[0] not in found):
                continue
            if roots[0].ndim and (roots[0] not in made or roots[0] not in self.scalars):
                found.add(term)
        return found

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

    @staticmethod
    def scalar_type(dtype: np.dtype) -> str:
        """Return numba's name of a type."""
        return "boolean" if dtype == BOOL else str(dtype)

    def call(self, name: str) -> str:
        """Import a function, and return its name."""
        self.take(FUNCTIONS[name], name)
        return name

    def untaken(self, base: str) -> str:
        """Return a name that no term has."""
        return next(name for i in count(1) if (name := base if i == 1 else f"{base}_{i}") not in self.called)

    @property
    def called(self) -> set[str]:
        """The names that terms have."""
        return set(self.names.values())

    def take(self, module: str, name: str) -> None:
        """Import a name from a module."""
        self.imports.setdefault(module, set()).add(name)

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

    def expression(
        self, statement: Statement, indices: Sequence[Index] | None = None, user: Statement | None = None
    ) -> Expression:
        """Return the expression of one entry of an elementwise operation: for a user, of the entry that this reads."""
        term = statement.term
        operands = self.operands(statement)
        if indices is not None and user is not None:
            operands = [self.operand(moved(read, statement, indices), user) for read in statement.reads]
        if is_copy(term):
            return self.as_type(operands[0], statement.reads[0].root, term.dtype)
        if term.op is VDOT:
            return Expression("multiply", operands)
        form, types = entry_form(term), operand_types(term)
        assert types is not None
        pairs = zip(operands, statement.reads, types, strict=True)
        return self.applied(form, [self.as_type(x, read.root, dtype) for x, read, dtype in pairs])

    def applied(self, form: str, operands: list[Expression]) -> Expression:
        """Return an operation, and import its function."""
        row = LoopCode.forms[form]
        if isinstance(row, Call):
            self.call(row.name) if row.name in FUNCTIONS else None
        return Expression(form, operands)

    def as_type(self, x: Expression, root: Term, dtype: np.dtype) -> Expression:
        """Return an operand in the type in which it is used."""
        if is_number(root):
            return self.number(root, dtype)
        if root.dtype != dtype and dtype != BOOL:
            self.take("numba", str(dtype))
        return converted(x, root.dtype, dtype)

    def number(self, x: Term, dtype: np.dtype) -> Expression:
        """Return a constant in a type."""
        if dtype == np.float32:
            self.take("numba", "float32")
        return literal(np.asarray(x.value).flat[0], dtype)

    def operands(self, statement: Statement) -> list[Expression]:
        """Return the operands of a statement."""
        return [self.operand(read, statement) for read in statement.reads]

    def operand(self, read: Access, statement: Statement) -> Expression:
        """Return what a statement reads: an expression, a variable, or an entry of an array."""
        root, indices = read
        if root in self.again:
            return self.expression(self.nests.made[root], indices, statement)
        if root in self.inner:
            return self.inner[root]
        if is_number(root):
            return self.number(root, root.dtype)
        if root in self.scalars:
            return symbol(self.names[root])
        if root.is_constant and root not in self.names:
            self.names[root] = self.untaken("constant")
        self.arrays[root] = None
        return symbol(entry(self.names[root], indices, statement) if root.ndim else self.names[root])

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

    def write(self, x: Expression) -> str:
        """Return the text of an expression."""
        return self.code(x)


def is_number(x: Term) -> bool:
    """Whether it is a constant that is written as a number."""
    return x.is_constant and (not x.ndim or is_uniform(x.value))


def is_cheap(term: Term) -> bool:
    """Whether it takes less to compute it again than to store it."""
    return term.op is not None and (is_copy(term) or entry_form(term) in CHEAP)


def moved(read: Access, statement: Statement, indices: Sequence[Index]) -> Access:
    """Return what a statement would read, did it compute another entry."""
    loops = {
        index.loop: other for index, other in zip(statement.target, indices, strict=True) if index.loop is not None
    }
    return Access(
        read.root, tuple(index if index.loop is None else through(index, loops[index.loop]) for index in read.indices)
    )


def neighbour(read: Access, loop: int, turns: int) -> Access:
    """Return what is read some turns of a loop ahead."""
    ahead = [index._replace(offset=index.offset + turns * index.scale) for index in read.indices]
    pairs = zip(read.indices, ahead, strict=True)
    return Access(read.root, tuple(other if index.loop == loop else index for index, other in pairs))


def through(index: Index, other: Index) -> Index:
    """Return an index after that of its loop has been replaced."""
    return Index(other.loop, index.scale * other.scale, index.scale * other.offset + index.offset)


def is_copy(term: Term) -> bool:
    """Whether a statement copies what it reads, perhaps into another type."""
    assert term.op is not None
    return term.op.has("moves") or term.op.reduction_of is not None or entry_form(term) == "copy"


def entry(name: str, indices: Sequence[Index], statement: Statement) -> str:
    """Return an entry of an array: W1[i, 2 * k + 1]."""
    return f"{name}[{', '.join(index_text(index, statement) for index in indices)}]" if indices else name


def index_text(index: Index, statement: Statement) -> str:
    """Return the text of an index."""
    if index.loop is None:
        return str(index.offset)
    name = statement.path[index.loop].name
    if index.scale == 1:
        return f"{name} + {index.offset}" if index.offset > 0 else f"{name} - {-index.offset}" if index.offset else name
    if index.scale == -1 and index.offset:
        return f"{index.offset} - {name}"
    text = f"{index.scale} * {name}"
    return f"{text} + {index.offset}" if index.offset else text


def is_written_out(statement: Statement) -> bool:
    """Whether the first turns of a loop over products start the sum."""
    return statement.folds and statement.terms > 1


def first_products(statement: Statement) -> int:
    """Return how many products start the sum, so that those left come in groups."""
    (k,) = statement.reduced
    return statement.extents[k] % statement.terms or statement.terms

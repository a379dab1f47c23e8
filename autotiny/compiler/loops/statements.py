"""The statements of a program on single numbers: each computes one of them, operands before results.

An operation whose result is used once is a part of its user's statement, and a long sum is one statement. Statements
that are alike come one after another, and so do the places of their results, so that they can be rolled into loops.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from autotiny.algebra import Term
from autotiny.compiler.loops.rolling import Keys, Line, Nest, rolled
from autotiny.compiler.operands import is_copied_number
from autotiny.compiler.scalars import kind_of, original, times_written

LARGEST = 12
"""Operations in one expression."""
LONG = 4
"""Parts from which a sum is a statement of its own."""
CHEAP = 3
"""Operations up to which a mask is computed wherever it is used."""

LEAVES, RESULTS, VALUES, CONSTANTS = "leaves", "results", "values", "constants"
"""The spaces in which numbers have places."""


class Place(NamedTuple):
    """The place of a number."""

    space: str
    number: int


class Value(NamedTuple):
    """An expression: its shape, which is a kind and the shapes of the operands or a space; and the places in it."""

    shape: Any
    places: tuple[int, ...]


class Assign(NamedTuple):
    """A place gets the value of an expression."""

    space: str
    shape: Any
    parts: tuple[Nest, ...] = ()
    """Of a sum: what is added to the expression, in this order."""

    @property
    def spaces(self) -> list[str]:
        """The space of each place, but for those of the parts."""
        return [self.space, *spaces(self.shape)]


class Part(NamedTuple):
    """What is added to a sum, or subtracted from it."""

    sign: str
    shape: Any

    @property
    def spaces(self) -> list[str]:
        """The space of each place."""
        return spaces(self.shape)


class Statements:
    """The statements of a schedule's operations, and the places of their numbers.

    Attributes
    ----------
    lines : the statements in order.
    places : the place of each number that has one.
    constants : the numbers in the statements; each occurrence has a place, so that these follow one another.
    values : what is at each place of VALUES: the result of an operation, or something with that name.
    """

    def __init__(
        self, inputs: Sequence[Term], order: Sequence[Term], results: Mapping[Term, int], kept: Iterable[Term]
    ) -> None:
        self.order = [term for term in order if not is_copied_number(term)]
        self.results = results
        self.kept = {*results, *kept}
        self.keys = Keys()
        self.places = {term: Place(LEAVES, i) for i, term in enumerate(inputs)}
        self.constants: list[float] = []
        self.values: list[Term | str] = []
        self.lines: list[Nest] = []
        self.uses = self.count_uses()
        self.links = self.find_sums()
        for level in self.levels():
            self.settle(level)

    # ----- what is a statement -----
    def count_uses(self) -> Counter[Term]:
        """Return how often each number is written."""
        uses = Counter[Term]()
        for term in self.order:
            for part in set(term.args):
                uses[original(part)] += times_written(term, part)
        return uses

    def find_sums(self) -> dict[Term, Term]:
        """Return the sum within each sum of a long one: the parts that are added before."""
        inner: dict[Term, Term] = {}
        length = Counter[Term]()
        for term in filter(is_sum, self.order):
            for part in term.args[: 2 if kind_of(term) == "add" else 1]:
                link = original(part)
                if length[link] and self.uses[link] == 1 and link not in self.kept:
                    inner[term] = link
                    break
            length[term] = length[inner[term]] + 1 if term in inner else 2
        links, linked = dict[Term, Term](), set[Term]()
        for term in reversed(self.order):
            if length[term] >= LONG or term in linked:
                if term not in linked:
                    self.kept.add(term)
                if term in inner:
                    links[term] = inner[term]
                    linked.add(inner[term])
        return links

    def levels(self) -> list[list[Term]]:
        """Return the operations that are statements of their own, by the number of statements before them."""
        linked, size, depth = set(self.links.values()), Counter[Term](), Counter[Term]()
        for term in self.order:
            parts = [part for part in map(original, term.args) if part.op is not None]
            own = [part for part in parts if not self.is_statement(part)]
            if term not in self.links and term not in linked:
                while sum(size[part] for part in own) >= LARGEST:
                    largest = max(own, key=lambda part: size[part] if self.uses[part] == 1 else 0)
                    self.kept.add(largest)
                    own = [part for part in own if part is not largest]
                size[term] = 1 + sum(size[part] for part in own)
            if self.uses[term] > 1 and not (term.dtype == bool and size[term] <= CHEAP):
                self.kept.add(term)
            depth[term] = max((depth[part] + self.is_statement(part) for part in parts), default=0)
        levels: dict[int, list[Term]] = {}
        for term in self.order:
            if self.is_statement(term):
                levels.setdefault(depth[term], []).append(term)
        return [levels[key] for key in sorted(levels)]

    def is_statement(self, term: Term) -> bool:
        """Whether an operation is a statement of its own."""
        return term in self.kept

    # ----- lines -----
    def settle(self, level: Sequence[Term]) -> None:
        """Append the lines of operations that do not depend on one another, and give their results places."""
        alike: dict[int, list[tuple[Line, Term]]] = {}
        for term in level:
            line = self.line(term)
            alike.setdefault(line.key, []).append((line, term))
        for lines in alike.values():
            for line, term in sorted(lines, key=lambda pair: (self.results.get(pair[1], 0), pair[0].places)):
                if term in self.results:
                    place = Place(RESULTS, self.results[term])
                else:
                    place = Place(VALUES, len(self.values))
                    self.values.append(term)
                self.places[term] = place
                self.lines.append(line._replace(places=(place.number, *line.places)))

    def append(self, statement: Assign, places: tuple[int, ...]) -> None:
        """Append a statement with its places."""
        self.lines.append(Line(self.keys[statement], statement, places))

    def add_up(self, name: str, kind: str, terms: Iterable[Term]) -> None:
        """Append the sum of an operation on each of some numbers, under a name."""
        parts: list[tuple[str, Value]] = []
        for term in map(original, terms):
            value = self.value(term)
            parts.append(("+", Value((kind, value.shape), value.places)))
        line = self.sum(VALUES, Value(0.0, ()), parts)
        self.lines.append(line._replace(places=(len(self.values), *line.places)))
        self.values.append(name)

    def line(self, term: Term) -> Line:
        """Return the line of an operation, without the place of its result."""
        space = RESULTS if term in self.results else VALUES
        if term in self.links:
            return self.sum(space, *self.parts(term))
        value = self.operation(term)
        return Line(self.keys["assign", space, value.shape], Assign(space, value.shape), value.places)

    def sum(self, space: str, first: Value, parts: Sequence[tuple[str, Value]]) -> Line:
        """Return the line of a sum."""
        lines = [Line(self.keys[sign, part.shape], Part(sign, part.shape), part.places) for sign, part in parts]
        nests = rolled(lines, self.keys)
        return Line(
            self.keys["sum", space, first.shape, tuple([nest.key for nest in nests])],
            Assign(space, first.shape, tuple(nests)),
            (*first.places, *(place for nest in nests for place in nest.places)),
            sum(nest.cost for nest in nests),
        )

    def parts(self, term: Term) -> tuple[Value, list[tuple[str, Value]]]:
        """Return the first part of a long sum, and the others with their signs, in the order of addition."""
        parts: list[tuple[str, Term]] = []
        while term in self.links:
            link = self.links[term]
            first, second = term.args
            parts.append((SIGNS[kind_of(term)], second if original(first) is link else first))
            term = link
        first, second = term.args
        parts.append((SIGNS[kind_of(term)], second))
        return self.value(first), [(sign, self.value(x)) for sign, x in reversed(parts)]

    def value(self, x: Term) -> Value:
        """Return a number as an expression."""
        x = original(x)
        if x.is_constant:
            self.constants.append(float(x.value))
            return Value(CONSTANTS, (len(self.constants) - 1,))
        if x not in self.places:
            return self.operation(x)
        space, index = self.places[x]
        return Value(("not_equal", space, 0.0) if x.dtype == bool else space, (index,))

    def operation(self, term: Term) -> Value:
        """Return an operation on its operands as an expression."""
        shapes: list[Any] = [kind_of(term)]
        places: list[int] = []
        for arg in term.args:
            if arg.is_constant and shapes[0] == "power":
                shapes.append(float(arg.value))
            else:
                value = self.value(arg)
                shapes.append(value.shape)
                places += value.places
        return Value(tuple(shapes), tuple(places))


SIGNS = {"add": "+", "subtract": "-"}


def is_sum(term: Term) -> bool:
    """Whether an operation is a sum or difference of two."""
    return kind_of(term) in SIGNS


def spaces(shape: Any) -> list[str]:
    """Return the space of each place in an expression."""
    if isinstance(shape, str):
        return [shape]
    if isinstance(shape, float):
        return []
    return [space for operand in shape[1:] for space in spaces(operand)]

"""A graph as a film: the forward pass value by value, then backprop contribution by contribution, told in words.

Every step tells what arrives, the rule of the operation, what it passes on and the sum so far, in the order in which
the engine does it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autotiny.drawing.groups import places
from autotiny.drawing.heat import Heat, number, show
from autotiny.drawing.reading import Place, Reading
from autotiny.drawing.rule import LocalDerivative, local_derivative, rule_in_words
from autotiny.drawing.view import card_id, visible
from autotiny.engine.contributions import Backprop, Contribution
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.notation.expression import Expression
from autotiny.ops.expression import typed

if TYPE_CHECKING:
    from autotiny.drawing.picture import Picture

# ----- lines -----
# The lines of a step: a value or a gradient in words, and a product in numbers or symbols.


class Line(NamedTuple):
    """One thing that a step tells: in words, and entry by entry where it is an array."""

    what: str
    text: str
    rows: tuple[tuple[str, ...], ...] = ()
    heat: Heat | None = None


def computed(tensor: Tensor) -> Line:
    """The value of a result, of numbers with the computation."""
    told = line("value", value_of(tensor))
    if tensor.size == 1 and not tensor.kwargs and all(np.size(value_of(arg)) == 1 for arg in tensor.args):
        return told._replace(text=f"{_with_numbers(tensor)} = {told.text}")
    return told


def _with_numbers(tensor: Tensor) -> str:
    """The operation on the numbers themselves."""
    operands = [Expression("number", value=value_of(arg)) for arg in tensor.args]
    return _typeset(typed(made_by(tensor), operands, {}, ndim=0))


def slope(local: LocalDerivative | None) -> str:
    """dy/dx alone, where the rule is a product with the gradient, entry by entry."""
    factor = local and local.factor
    if not factor or "·" in factor:
        return ""
    bare = re.fullmatch(r"\(([^()]*)\)", factor := factor.removeprefix("× "))
    return bare[1] if bare else factor


def product(local: LocalDerivative | None, c: Contribution) -> str:
    """What the contribution is the product of: in numbers where it is one number, else in symbols."""
    if local is None:
        return ""
    if local.rule != "g" and np.size(c.pulled) == np.size(local.value) == np.size(c.value) == 1:
        return f"{local.rule} = {one_number(c.pulled)} × {one_number(local.value)} = "
    return f"{local.rule} = "


def line(what: str, value: Any, before: str = "") -> Line:
    """An array by its range and shape with its entries or cells, a number by itself."""
    shown = show(value)
    shape = f", shape {np.shape(value)}" if np.size(value) > 1 else ""
    rows = tuple(tuple(map(_typeset, row)) for row in shown.rows)
    return Line(what, before + _typeset(shown.summary) + shape, rows, None if rows else shown.heat)


def summary(value: Any) -> str:
    """A number, or a range."""
    return _typeset(show(value).summary)


def one_number(value: Any) -> str:
    """The only entry."""
    return _typeset(number(np.asarray(value).item()))


def _typeset(text: str) -> str:
    return text.replace("-", "−")


Way = tuple[str, str]
MOST_ON_ONE_WAY = 6
"""Contributions between two cards that are told one by one."""


@dataclass(frozen=True)
class Step:
    """A moment of the forward or the backward pass, as a picture shows it."""

    backward: bool
    title: str
    lines: tuple[Line, ...]
    active: str
    """The card whose turn it is, by its id."""
    moment: int
    """The same in every picture of a graph."""
    receiver: str = ""
    """The card that a gradient reaches."""
    edge: str = ""
    """The way that it takes there."""
    total: str = ""
    """The receiver's gradient so far."""

    @property
    def sentence(self) -> str:
        """The step as one line of text."""
        return ". ".join([self.title, *(f"{line.what}: {line.text}" for line in self.lines)])


class Passed(NamedTuple):
    """A contribution on its way: from a result to an operand, by their places, as path `nth` of `paths`."""

    node: Tensor
    contribution: Contribution
    start: Place
    end: Place
    nth: int
    paths: int
    moment: int


def way_back(reading: Reading, backprop: Backprop) -> list[Passed]:
    """Every contribution of a sweep, in its order."""
    order = [(visit.node, c) for visit in backprop.visits for c in visit.contributions]
    paths, taken = Counter(c.operand for _, c in order), Counter[Tensor]()
    passed = []
    for moment, (node, c) in enumerate(order, len(reading.values) + 1):
        taken[c.operand] += 1
        start, end = reading.places[node], reading.places[c.operand]
        passed.append(Passed(node, c, start, end, taken[c.operand], paths[c.operand], moment))
    return passed


def _is_result(value: Any) -> bool:
    return isinstance(value, Tensor) and value.op is not None


class Film:
    """The steps that one picture of a graph shows: those inside of a closed group stay untold."""

    def __init__(self, picture: "Picture", passed: Sequence[Passed]) -> None:
        self.reading, self.names = picture.reading, picture.reading.names
        self.cards = {card.id: card for card in picture.cards}
        self.edges = {edge.id for edge in picture.edges}
        shown = visible(picture.root, picture.opened)
        self.owner = dict(sorted((place, card_id(child)) for child in shown for place in places(child)))
        self.ways: defaultdict[Way, list[Passed]] = defaultdict(list)
        for each in passed:
            active, receiver = self.owner.get(each.start), self.owner.get(each.end)
            if active and receiver and active != receiver:
                self.ways[active, receiver].append(each)

    def steps(self) -> list[Step]:
        """The forward pass, and backprop where there is a way back."""
        backward = [step for way, those in self.ways.items() for step in self._along(way, those)]
        seed = self.reading.gradients.get(self.reading.places[self.reading.output])
        start = [] if seed is None or not self.reading.passed else [self._start(seed)]
        return [*self._forward(), *start, *sorted(backward, key=attrgetter("moment"))]

    # ----- forward -----
    def _forward(self) -> Iterator[Step]:
        results = {place: card for place, card in self.owner.items() if _is_result(self.reading.values[place])}
        size, last = Counter(results.values()), {card: place for place, card in results.items()}
        for card, place in sorted(last.items(), key=itemgetter(1)):
            told = self._computed_group(card, size[card]) if self.cards[card].kind == "group" else None
            title, lines = told or (self._equation(self.reading.values[place]), (computed(self.reading.values[place]),))
            yield Step(False, title, lines, card, place)

    def _computed_group(self, card: str, operations: int) -> tuple[str, tuple[Line, ...]]:
        name, value = self.cards[card].name, self.cards[card].value
        title = f"{name}: {operations:,} operation{'s' if operations > 1 else ''}"
        return title, (Line("value", value.summary.replace("-", "−"), heat=value.heat),)

    def _equation(self, tensor: Tensor) -> str:
        """What made a tensor, such as "Z1 = W1 @ X"."""
        return f"{self.names.short(tensor)} = {self.names.formula(tensor)}"

    # ----- backward -----
    def _start(self, seed: Any) -> Step:
        output = self.reading.output
        card, title = self.owner[self.reading.places[output]], f"Backprop starts at {self.names.short(output)}"
        told = line("seed", seed, f"{self._d(output)} = ")
        return Step(True, title, (told,), card, len(self.reading.values), card, "", summary(seed))

    def _along(self, way: Way, passed: Sequence[Passed]) -> Iterator[Step]:
        """The steps between two cards: one by one, unless they are many."""
        if len(passed) > MOST_ON_ONE_WAY:
            yield self._passed_together(way, passed)
            return
        active, receiver = way
        for each in passed:
            node, c = each.node, each.contribution
            edge = f"e{each.end}-{each.start}-{c.position}"
            yield Step(
                backward=True,
                title=f"{self._d(c.operand)} through {self._equation(node)}",
                lines=(self._arrives(node, c), *self._passes(node, c), self._sum_so_far(each)),
                active=active,
                moment=each.moment,
                receiver=receiver,
                edge=edge if edge in self.edges else f"e{receiver}-{active}",
                total=summary(c.total),
            )

    def _passed_together(self, way: Way, passed: Sequence[Passed]) -> Step:
        """What goes from one group to another in many pieces, when the last of them has gone."""
        active, receiver = way
        entries = np.concatenate([np.ravel(each.contribution.value) for each in passed])
        start, end = self.cards[active].name, self.cards[receiver].name
        title = f"{len(passed):,} contributions from {start} to {end}"
        told = line("passes on", entries)._replace(rows=(), heat=None)
        rule = Line("rule", f"the chain rule along each of {len(passed):,} ways; open a group to follow them")
        return Step(True, title, (rule, told), active, passed[-1].moment, receiver, f"e{receiver}-{active}")

    def _d(self, tensor: Tensor) -> str:
        """∂J/∂x."""
        return f"∂{self.names.short(self.reading.output)}/∂{self.names.short(tensor)}"

    def _arrives(self, node: Tensor, c: Contribution) -> Line:
        output, name = self.names.short(self.reading.output), self.names.short(node)
        what = f"∂{output}/∂log({name})" if c.through_log else self._d(node)
        return line("arrives", c.pulled, f"g = {what} = ")

    def _passes(self, node: Tensor, c: Contribution) -> Iterator[Line]:
        local = self._local(node, c)
        words = rule_in_words(made_by(node), c.position, c.through_log)
        factor = slope(local) if node.size >= c.operand.size else ""  # entry by entry
        if factor and node.shape != c.operand.shape:
            words += "; summed over what broadcasting repeated"
        yield Line("rule", words)
        if factor:
            formula = self.names.formula(node)
            output = (
                f"log({self.names.short(node)})" if c.through_log else formula if "(" in formula else f"({formula})"
            )
            yield Line("local derivative", f"∂{output}/∂{self.names.short(c.operand)} = {factor}")
        passed = line("passes on", c.value, product(local, c))
        yield passed if np.any(c.value) else passed._replace(text=f"{passed.text}: nothing goes this way")

    def _local(self, node: Tensor, c: Contribution) -> LocalDerivative | None:
        """The rule that made a contribution, in symbols."""
        op = made_by(node)
        rule = op.log.rule if c.through_log and op.log else next(islice(op.rules, c.position, None))
        operands = [(self.names.short(arg), value_of(arg)) for arg in node.args]
        return local_derivative(rule, operands, (self.names.short(node), value_of(node)), node.kwargs)

    def _sum_so_far(self, passed: Passed) -> Line:
        c, nth, paths = passed.contribution, passed.nth, passed.paths
        before = ""
        if nth > 1 and np.size(c.total) == 1:
            before = f"{one_number(np.asarray(c.total) - c.value)} + {one_number(c.value)} = ".replace("+ −", "− ")
        total = line("sum so far", c.total, f"{self._d(c.operand)} = {before}")
        if nth == 1:  # it is what was passed on
            total = total._replace(rows=(), heat=None)
        state = "the only path" if paths == 1 else f"path {nth} of {paths}"
        return total._replace(text=f"{total.text} ({state}{', complete' if nth == paths else ''})")

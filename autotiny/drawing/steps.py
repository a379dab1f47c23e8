"""The steps of a graph in words: the forward pass value by value, then backprop contribution by contribution.

Each step of backprop names the gradient that arrives, the rule of the operation, the contribution that it passes on,
and the sum so far, in the order in which the engine computes them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import numpy as np

from autotiny.drawing.composition import Composition
from autotiny.drawing.edge import derivative, is_past, rule_in_words
from autotiny.drawing.flows import CardPair, Flow, Sums, Way
from autotiny.drawing.graph_view import Names, NodeId
from autotiny.drawing.groups import Group, last_node, nodes
from autotiny.drawing.line_edges import goes_past
from autotiny.drawing.line_steps import computed_within, equation_of, rules_within
from autotiny.drawing.rule import LocalDerivative
from autotiny.drawing.selection import card_id, visible
from autotiny.engine.contributions import Contribution
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.notation.expression import Expression
from autotiny.notation.numbers import short_number, summarise, typeset
from autotiny.notation.palette import Heat
from autotiny.ops.code import typed

MOST_BETWEEN_CARDS = 6
"""The number of contributions between two cards up to which each is a step of its own."""


class Line(NamedTuple):
    """One line of a step: its text, and the entries or cells of an array."""

    label: str
    text: str
    rows: tuple[tuple[str, ...], ...] = ()
    heat: Heat | None = None


@dataclass(frozen=True)
class PassStep:
    """A step of the forward or the backward pass, as a picture shows it."""

    backward: bool
    title: str
    lines: tuple[Line, ...]
    active: str
    """The id of the card whose turn it is."""
    moment: int
    """The position in time, the same in every picture of a graph."""
    receiver: str = ""
    """The card that a gradient reaches."""
    edge: str = ""
    """The edge along which it goes."""
    total: str = ""
    """The receiver's gradient so far."""
    words: str = ""
    """What the step of backprop does, in a sentence."""

    @property
    def sentence(self) -> str:
        """The step as one line of text."""
        return ". ".join([self.title, *(f"{line.label}: {line.text}" for line in self.lines)])


class StepBuilder:
    """Builds the steps that one picture of a graph shows: those within closed groups are left out."""

    def __init__(self, picture: Composition, flows: Mapping[NodeId, Sequence[Flow]]) -> None:
        self.graph, self.names = picture.graph, picture.graph.names
        self.cards = {card.id: card for card in picture.cards}
        self.edges = {edge.id: edge for edge in picture.edges}
        shown = list(visible(picture.root, picture.opened))
        self.lines = {item.id: item for item in shown if isinstance(item, Group) and item.result is not None}
        self.owner = dict(sorted((node, card_id(child)) for child in shown for node in nodes(child)))
        self.values = {
            card_id(child): last_node(child) for child in shown if not (isinstance(child, Group) and child.alike)
        }
        self.flows: defaultdict[CardPair, list[Flow]] = defaultdict(list)
        among = (flow for node in self.owner for flow in flows.get(node, ()))
        for flow in sorted(among, key=attrgetter("moment")):
            active, receiver = self.owner.get(flow.start), self.owner.get(flow.end)
            if active and receiver and active != receiver:
                self.flows[active, receiver].append(flow)
        ways = [way for pair, those in self.flows.items() for way in self._ways(pair, those)]
        self.ways = sorted(ways, key=attrgetter("moment"))
        self.sums = Sums(self.graph, flows, ways)

    def steps(self) -> list[PassStep]:
        """Return the steps of the forward pass, and of backprop if there is a gradient to start from."""
        seed = self.graph.gradients.get(self.graph.ids[self.graph.output])
        starts = seed is not None and self.graph.contributions and self.graph.ids[self.graph.output] in self.owner
        start = [self._start(seed)] if starts else []
        return [*self._forward(), *start, *map(self._backward, self.ways)]

    # ----- the forward pass -----
    def _forward(self) -> Iterator[PassStep]:
        results = {node: card for node, card in self.owner.items() if _is_result(self.graph.values[node])}
        size, last = Counter(results.values()), {card: node for node, card in results.items()}
        for card, node in sorted(last.items(), key=itemgetter(1)):
            if card in self.lines:
                title = equation_of(self.graph, self.lines[card])
                within = (Line(*each) for each in computed_within(self.graph, self.lines[card]))
                lines = (*within, array_line("value", value_of(self.graph.values[node])))
            elif self.cards[card].kind == "group":
                title, line = self._computed_group(card, size[card])
                lines = (line,)
            else:
                title, lines = self._equation(self.graph.values[node]), (computed(self.graph.values[node]),)
            yield PassStep(False, title, lines, card, node)

    def _computed_group(self, card: str, operations: int) -> tuple[str, Line]:
        name, value = self.cards[card].name, self.cards[card].value
        title = f"{name}: {operations:,} operation{'s' if operations > 1 else ''}"
        return title, Line("value", typeset(value.text), heat=value.heat)

    def _equation(self, tensor: Tensor) -> str:
        """Return the operation that made a tensor, such as "Z1 = W1 @ X"."""
        return f"{self.names.short(tensor)} = {self.names.formula(tensor)}"

    # ----- the backward pass -----
    def _start(self, seed: Any) -> PassStep:
        output = self.graph.output
        card, title = self.owner[self.graph.ids[output]], f"Backprop starts at {self.names.short(output)}"
        line = array_line("seed", seed, f"{self._d(output)} = ")
        return PassStep(True, title, (line,), card, len(self.graph.values), card, "", array_text(seed))

    def _ways(self, pair: CardPair, flows: Sequence[Flow]) -> Iterator[Way]:
        """Yield each contribution between two cards by itself, or all together if they are many.

        Those of a line are together, apart from what has gone past the lines between.
        """
        active, receiver = pair
        if self._is_through_line(pair):
            within = set(self.lines[active].nodes)
            together: defaultdict[str, list[Flow]] = defaultdict(list)
            for flow in flows:
                past = goes_past(self.graph, (flow.start, flow.contribution.position, flow.end), within)
                together[f"e{receiver}-{active}{'-past' if past else ''}"].append(flow)
            yield from (Way(pair, edge, those) for edge, those in together.items())
        elif len(flows) > MOST_BETWEEN_CARDS:
            yield Way(pair, f"e{receiver}-{active}", flows)
        else:
            for flow in flows:
                edge = f"e{flow.end}-{flow.start}-{flow.contribution.position}"
                yield Way(pair, edge if edge in self.edges else f"e{receiver}-{active}", [flow])

    def _is_through_line(self, pair: CardPair) -> bool:
        return pair[0] in self.lines and (pair[1] in self.lines or self.cards[pair[1]].kind != "group")

    def _backward(self, way: Way) -> PassStep:
        if self._is_through_line(way.pair):
            return self._through_line(way)
        return self._one_contribution(way) if len(way.flows) == 1 else self._merged_step(way)

    def _total(self, way: Way) -> str:
        """Return the gradient so far as the card of the receiver shows it; "" for that of a value inside of it."""
        is_shown = self.values.get(way.pair[1]) == way.flows[-1].end
        return array_text(self.sums.so_far(way).total) if is_shown else ""

    def _one_contribution(self, way: Way) -> PassStep:
        (flow,) = way.flows
        c, result = flow.contribution, self.graph.values[flow.start]
        return PassStep(
            backward=True,
            title=f"{self._d(c.operand)} through {self._equation(result)}",
            lines=(self._arrives(flow), *self._passes_on(flow), self._sum_so_far(way, c.value)),
            active=way.pair[0],
            moment=way.moment,
            receiver=way.pair[1],
            edge=way.edge,
            total=self._total(way),
            words=self._in_words(way, result, c.value, derivative(self.graph, flow.start, c.position)),
        )

    def _through_line(self, way: Way) -> PassStep:
        """Return the step of what a line passes on, or of what has gone past the lines between."""
        active, receiver = way.pair
        line, values = self.lines[active], [flow.contribution.value for flow in way.flows]
        operand, result = way.flows[0].contribution.operand, self.graph.values[line.result or 0]
        passed = sum(values[1:], values[0])
        rule = self.edges[way.edge].rule if way.edge in self.edges else ""
        words = "in one go, past what is between" if way.edge.endswith("-past") else ""
        rules = [words] if words else rules_within(self.graph, line, way.flows[0].end)
        return PassStep(
            backward=True,
            title=f"{self._d(operand)} through {equation_of(self.graph, line)}",
            lines=(
                array_line("arrives", self.graph.gradients[self.graph.ids[result]], f"g = {self._d(result)} = "),
                *(Line("rule", each) for each in rules),
                array_line("passes on", passed, f"{rule} = " if rule else ""),
                self._sum_so_far(way, passed),
            ),
            active=active,
            moment=way.moment,
            receiver=receiver,
            edge=way.edge,
            total=self._total(way),
            words=self._in_words(way, result, passed, LocalDerivative(rule, None) if rule else None),
        )

    def _merged_step(self, way: Way) -> PassStep:
        """Return one step for many contributions between two groups."""
        flows, (active, receiver) = way.flows, way.pair
        entries = np.concatenate([np.ravel(flow.contribution.value) for flow in flows])
        start, end = self.cards[active].name, self.cards[receiver].name
        title = f"{len(flows):,} contributions from {start} to {end}"
        line = array_line("passes on", entries)._replace(rows=(), heat=None)
        rule = Line("rule", f"the chain rule along each of {len(flows):,} ways; open a group to follow them")
        return PassStep(True, title, (rule, line), active, way.moment, receiver, way.edge)

    def _in_words(self, way: Way, result: Tensor, passed: Any, local: LocalDerivative | None) -> str:
        """Return what a contribution is, and how much of the gradient is there now."""
        operand, so_far = way.flows[0].contribution.operand, self.sums.so_far(way)
        x, y, of = (self.names.short(each) for each in (operand, result, self.graph.output))
        acts = f"{x} acts on {of} {'directly' if result is self.graph.output else f'through {y}'}"
        if not np.any(passed):
            return f"{acts}, but there the gradient stops: nothing is added to {self._d(operand)}."
        turned = f" turns {self._d(result)} into {local.rule}, and" if local and local.rule != local.arriving else ""
        adding = f"{acts}, which{turned} adds {array_text(passed)} to {self._d(operand)}"
        to_come = so_far.paths - so_far.nth
        if to_come:
            return f"{adding}; {to_come} more path{'s' * (to_come > 1)} will add to it."
        return f"{adding}; it is {'all of it' if so_far.paths == 1 else f'the last of {so_far.paths} paths'}."

    def _d(self, tensor: Tensor) -> str:
        """Return ∂J/∂x."""
        return f"∂{self.names.short(self.graph.output)}/∂{self.names.short(tensor)}"

    def _arrives(self, flow: Flow) -> Line:
        c, result = flow.contribution, self.graph.values[flow.start]
        whole = self.graph.gradients[flow.start]
        rest = "" if np.array_equal(c.pulled, whole, equal_nan=True) else ", less what has gone past it already,"
        return array_line("arrives", c.pulled, f"g = {self._d(result)}{rest} = ")

    def _passes_on(self, flow: Flow) -> Iterator[Line]:
        c, result = flow.contribution, self.graph.values[flow.start]
        local = derivative(self.graph, flow.start, c.position)
        words = rule_in_words(result, c.position)
        if is_past(result, c.position):
            words += f"; in one go, past {past(self.names, result)}"
        factor = slope(local) if result.size >= c.operand.size else ""  # entry by entry
        yield Line("rule", words)
        if factor:
            formula = self.names.formula(result)
            bracketed = formula if "(" in formula else f"({formula})"
            yield Line("local derivative", f"∂{bracketed}/∂{self.names.short(c.operand)} = {factor}")
        line = array_line("passes on", c.value, product(local, c))
        yield line if np.any(c.value) else line._replace(text=f"{line.text}: nothing goes this way")

    def _sum_so_far(self, way: Way, passed: Any) -> Line:
        total, nth, paths = self.sums.so_far(way)
        addition = ""
        if nth > 1 and np.size(total) == 1:
            addition = f"{one_number(np.asarray(total) - passed)} + {one_number(passed)} = ".replace("+ −", "− ")
        line = array_line("sum so far", total, f"{self._d(way.flows[0].contribution.operand)} = {addition}")
        if nth == 1:  # the line above has the same entries
            line = line._replace(rows=(), heat=None)
        state = "the only path" if paths == 1 else f"path {nth} of {paths}"
        return line._replace(text=f"{line.text} ({state}{', complete' if nth == paths else ''})")


def past(names: Names, result: Tensor) -> str:
    """Return the names of the results that the stable form of a result passes by."""
    assert result._stable is not None
    within = [(result if user is None else user).args[position] for user, position in result._stable.uses]
    return " and ".join(dict.fromkeys(names.short(x) for x in within))


def _is_result(value: Any) -> bool:
    return isinstance(value, Tensor) and value.op is not None


# ----- the lines of a step -----
def array_line(label: str, value: Any, before: str = "") -> Line:
    """Return the line of an array, with its range, shape and entries or cells; of a number, the number alone."""
    summary = summarise(value)
    shape = f", shape {getattr(value, 'shapes', np.shape(value))}" if np.size(value) > 1 else ""
    rows = tuple(tuple(map(typeset, row)) for row in summary.rows)
    return Line(label, before + typeset(summary.text) + shape, rows, None if rows else summary.heat)


def array_text(value: Any) -> str:
    """Return a number, or the range of an array."""
    return typeset(summarise(value).text)


def one_number(value: Any) -> str:
    """Return the only entry of an array."""
    return typeset(short_number(np.asarray(value).item()))


def computed(tensor: Tensor) -> Line:
    """Return the line of a result's value; between numbers, with the computation."""
    line = array_line("value", value_of(tensor))
    if tensor.size == 1 and not tensor.kwargs and all(np.size(value_of(arg)) == 1 for arg in tensor.args):
        return line._replace(text=f"{_with_numbers(tensor)} = {line.text}")
    return line


def _with_numbers(tensor: Tensor) -> str:
    """Return the operation on the numbers themselves."""
    operands = [Expression("number", value=np.asarray(value_of(arg)).item()) for arg in tensor.args]
    return typeset(typed(made_by(tensor), operands, {}, ndim=0))


def slope(local: LocalDerivative | None) -> str:
    """Return dy/dx alone, if the rule multiplies the gradient with it entry by entry; else ""."""
    factor = local and local.factor
    if not factor or "·" in factor:
        return ""
    bare = re.fullmatch(r"\(([^()]*)\)", factor := factor.removeprefix("× "))
    return bare[1] if bare else factor


def product(local: LocalDerivative | None, c: Contribution) -> str:
    """Return the product that a contribution is, in symbols and, between numbers, in numbers; ends in "= "."""
    if local is None:
        return ""
    if local.rule != "g" and np.size(c.pulled) == np.size(local.value) == np.size(c.value) == 1:
        return f"{local.rule} = {one_number(c.pulled)} × {one_number(local.value)} = "
    return f"{local.rule} = "

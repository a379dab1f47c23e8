"""The contributions of backprop between the cards of a picture, and their sums as the steps show them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.engine.contributions import Backprop, Contribution

CardPair = tuple[str, str]
"""The card that a contribution comes from, and the card that it goes to."""


class Flow(NamedTuple):
    """A contribution on its way from a result to an operand."""

    contribution: Contribution
    start: NodeId
    end: NodeId
    moment: int
    """Its place in the order of all contributions."""


Flows = Mapping[NodeId, Sequence[Flow]]
"""The contributions of a sweep, by the result that each comes from."""


class Way(NamedTuple):
    """The contributions between two cards that one step shows, when the last of them has arrived."""

    pair: CardPair
    edge: str
    flows: Sequence[Flow]

    @property
    def moment(self) -> int:
        """The moment of the step."""
        return self.flows[-1].moment


class SoFar(NamedTuple):
    """The sum of the contributions to a gradient that have been shown: `nth` of `paths`."""

    total: Any
    nth: int
    paths: int


def backward_flows(graph: GraphView, backprop: Backprop) -> Flows:
    """Return the contributions of a sweep."""
    order = [(visit.node, c) for visit in backprop.visits for c in visit.contributions]
    flows = defaultdict(list)
    for moment, (result, c) in enumerate(order, len(graph.values) + 1):
        start = graph.ids[result]
        flows[start].append(Flow(c, start, graph.ids[c.operand], moment))
    return flows


class Sums:
    """The gradients so far. A step may show several contributions at once, when the last of them has arrived.

    Then the sum that it shows is not the one that the engine has at that moment: another step, of which a part has
    arrived, does not count yet. A contribution that the picture does not show counts when it arrives.
    """

    def __init__(self, graph: GraphView, flows: Flows, ways: Iterable[Way]) -> None:
        self.graph, self.flows = graph, flows
        self.shown_at = {flow.moment: way.moment for way in ways for flow in way.flows}
        self.known: dict[NodeId, dict[int, SoFar]] = {}

    def so_far(self, way: Way) -> SoFar:
        """Return the sum of the contributions to a value when a step has been shown."""
        end = way.flows[-1].end
        if end not in self.known:
            self.known[end] = self._sums_to(end)
        return self.known[end][way.moment]

    def _sums_to(self, end: NodeId) -> dict[int, SoFar]:
        users = dict.fromkeys(user for user, _ in self.graph.paths(end))
        shown: defaultdict[int, list[Flow]] = defaultdict(list)
        arriving = [flow for user in users for flow in self.flows.get(user, ()) if flow.end == end]
        for flow in sorted(arriving, key=attrgetter("moment")):
            shown[self.shown_at.get(flow.moment, flow.moment)].append(flow)
        sums: dict[int, SoFar] = {}
        total: Any = None
        for nth, (moment, flows) in enumerate(sorted(shown.items()), 1):
            values = [flow.contribution.value for flow in flows]
            together = sum(values[1:], values[0])
            total = together if total is None else total + together
            sums[moment] = SoFar(total, nth, len(shown))
        return sums

"""The neurons and layers of a network that is written number by number, without scopes.

    tanh(w[0] * x[0] + w[1] * x[1] + b)

A neuron is a sum of weighted inputs with its activation. Neurons at the same distance from the inputs are a layer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from autotiny.drawing.graph_view import GraphView, NodeId, is_parameter
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops import OPS

FEWEST_NEURONS = 3
"""The number of neurons from which there is a network."""
SUMS = OPS[np.add], OPS[np.subtract]


def layers_of_neurons(graph: GraphView, among: Iterable[NodeId]) -> Sequence[Sequence[set[NodeId]]]:
    """Return the neurons of each layer, as sets of values; none where the graph is not a network from layer to layer.

    A parameter that is used at several distances from the inputs is that of a loop.
    """
    neurons = _Network(graph, among).neurons()
    layers = _by_distance(graph, neurons)
    used: defaultdict[NodeId, set[int]] = defaultdict(set)
    for distance, layer in enumerate(layers):
        for neuron in layer:
            for parameter in parameters_of(graph, neuron):
                used[parameter].add(distance)
    if len(neurons) < FEWEST_NEURONS or any(len(distances) > 1 for distances in used.values()):
        return []
    return layers


def parameters_of(graph: GraphView, neuron: Iterable[NodeId]) -> frozenset[NodeId]:
    """Return the parameters of a neuron, which are the same where it is at work on several examples."""
    return frozenset(each for node in neuron for each in graph.operands[node] if is_parameter(graph.values[each]))


def _by_distance(graph: GraphView, neurons: Sequence[set[NodeId]]) -> list[list[set[NodeId]]]:
    """Return neurons by the number of neurons on the longest way from the inputs."""
    ends = {max(neuron): neuron for neuron in neurons}
    distance: dict[NodeId, int] = {}
    layers: defaultdict[int, list[set[NodeId]]] = defaultdict(list)
    for node, operands in enumerate(graph.operands):
        distance[node] = max((distance[operand] for operand in operands), default=0) + (node in ends)
        if node in ends:
            layers[distance[node]].append(ends[node])
    return [layer for _, layer in sorted(layers.items())]


class _Network:
    """The values of a graph, as far as they are weighted inputs and their sums."""

    def __init__(self, graph: GraphView, among: Iterable[NodeId]) -> None:
        self.graph, self.among = graph, sorted(among)
        self.level = set(self.among)
        self.results = {node for node in self.among if getattr(graph.values[node], "op", None) is not None}
        self.weighted = {node for node in self.results if self._is_weighted(node)}
        self.sums = self._sums()

    def neurons(self) -> list[set[NodeId]]:
        """Return each sum of weighted inputs, with its activation and the values that serve it alone."""
        tops = [node for node in sorted(self.sums | self.weighted) if not self._is_term(node)]
        regions = self._regions() if tops else {}
        alone = Counter(regions[top] for top in tops)
        ends = [self._end(top, regions[top], alone[regions[top]] == 1) for top in tops]
        return [self._serving(end) for end in dict.fromkeys(ends)]

    def _is_weighted(self, node: NodeId) -> bool:
        """Whether a result is a number, the product of a parameter and an input."""
        operands, value = self.graph.operands[node], self.graph.values[node]
        if len(operands) != 2 or np.ndim(value_of(value)) or not value.op.has("linear"):
            return False
        return [is_parameter(self.graph.values[operand]) for operand in operands].count(True) == 1

    def _sums(self) -> set[NodeId]:
        """Return the results that add weighted inputs, biases and numbers."""
        terms, sums = set(self.weighted), set[NodeId]()
        for node in self.among:
            if node in self.results and self.graph.values[node].op in SUMS and self._adds(terms, node):
                sums.add(node)
                terms.add(node)
        return sums

    def _adds(self, terms: set[NodeId], node: NodeId) -> bool:
        """Whether a sum has some of these terms, and no other results."""
        operands = self.graph.operands[node]
        results = self.results.intersection(operands)
        return bool(results) and results <= terms and all(self._may_be_added(each, node) for each in operands)

    def _may_be_added(self, operand: NodeId, total: NodeId) -> bool:
        """Whether an operand of a sum is a weighted input, a sum of them, a bias, or the number that sum starts at."""
        if operand in self.results:
            return self._is_used_once(operand) and not self._has_name(operand)
        return is_parameter(self.graph.values[operand]) or self.graph.values[total].op is OPS[np.add]

    def _has_name(self, node: NodeId) -> bool:
        return self.graph.names.users_name(self.graph.values[node]) is not None

    def _is_used_once(self, node: NodeId) -> bool:
        return len(self.graph.users(node)) == 1

    def _is_term(self, node: NodeId) -> bool:
        """Whether a result is one of the terms of a sum of weighted inputs."""
        return self._is_used_once(node) and self.graph.users(node)[0] in self.sums

    def _is_input(self, node: NodeId) -> bool:
        return not self.weighted.isdisjoint(self.graph.users(node))

    def _begins(self, node: NodeId) -> bool:
        """Whether a value is seen by itself: an input, the output, or a result that has a name."""
        is_named = node in self.results and self._has_name(node)
        return is_named or self.graph.values[node] is self.graph.output or self._is_input(node)

    def _regions(self) -> dict[NodeId, NodeId]:
        """Return, for each value, the first after it that is seen by itself or that several others use."""
        region: dict[NodeId, NodeId] = {}
        for node in reversed(self.among):
            of = {region.get(user) for user in self.graph.users(node)}
            (only,) = of if len(of) == 1 else (None,)
            region[node] = node if only is None or self._begins(node) else only
        return region

    def _end(self, top: NodeId, region: NodeId, is_alone: bool) -> NodeId:
        """Return the end of the activation of a sum, which may be written out: (exp(2 * z) - 1) / (exp(2 * z) + 1).

        Behind the last layer it is the end of what is known as an activation.
        """
        if is_alone and self._is_input(region):
            return region
        end = top
        while not self._begins(end) and self._is_used_once(end):
            (user,) = self.graph.users(end)
            if user not in self.results or not self.graph.values[user].op.has("activation"):
                break
            end = user
        return end

    def _serving(self, end: NodeId) -> set[NodeId]:
        """Return a value and those before it that no other value uses; neither inputs nor data."""
        neuron, waiting = {end}, [end]
        while waiting:
            for node in self.graph.operands[waiting.pop()]:
                if node not in neuron and self._serves(node) and neuron.issuperset(self.graph.users(node)):
                    neuron.add(node)
                    waiting.append(node)
        return neuron

    def _serves(self, node: NodeId) -> bool:
        if node in self.results:
            return not self._begins(node)
        return node in self.level and (
            is_parameter(self.graph.values[node]) or not isinstance(self.graph.values[node], Tensor)
        )

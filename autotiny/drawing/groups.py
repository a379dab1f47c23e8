"""Groups of values, and groups of those, for a graph too large to read: the user's scopes, else values that belong
together or have the same structure.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autotiny.drawing.graph_view import GraphView, NodeId, is_parameter
from autotiny.drawing.marks import marks_of
from autotiny.drawing.neurons import layers_of_neurons, parameters_of
from autotiny.engine.modes import CallMark, GradientMark, Mark
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor

READABLE = 60
"""The number of values and groups up to which a picture shows all of them by default."""
FEW = 30
"""The number up to which groups that were formed by structure are opened: they come in dozens of one kind."""
SLICES = 24
"""The number of groups that an overlong list is cut into."""
FEWEST_ALIKE = 4
"""The number of children of the same structure from which they become one group."""
SMALLEST_LIMIT = 4
"""The number of values that a group without a name of the user's may always hold."""


@dataclass(eq=False)
class Group:
    """Values and smaller groups that a picture may show as one card."""

    _holds_a_graph = True

    name: str
    children: list["Group | NodeId"]
    alike: bool = False
    """Whether all of its children have the same structure."""
    formed: bool = False
    """Whether it was formed by structure, and not by a scope or a line of the user's."""
    gradients: bool = False
    """Whether it has the gradients that one sweep recorded."""
    slice: bool = False
    """Whether it is a slice of an overlong list, not a group anyone named."""
    result: NodeId | None = None
    """The result of a line or a call, which alone is used outside of it."""
    call: CallMark | None = None
    """The call of a function that recorded several operations, if the group has these."""
    id: str = ""
    nodes: list[NodeId] = field(init=False)

    def __post_init__(self) -> None:
        self.children.sort(key=last_node)
        self.nodes = sorted(node for child in self.children for node in nodes(child))

    @property
    def is_line(self) -> bool:
        """Whether it is a line, or a call that is shown as one operation."""
        return self.result is not None

    def give_away(self, child: "Group", other: "Group") -> None:
        """Move a child to another group."""
        self.children.remove(child)
        self.nodes = [node for node in self.nodes if node not in set(child.nodes)]
        other.children.append(child)
        other.children.sort(key=last_node)


Child = Group | NodeId


def nodes(child: Child) -> Sequence[NodeId]:
    """Return the values in a child."""
    return child.nodes if isinstance(child, Group) else (child,)


def last_node(child: Child) -> NodeId:
    """Return the last value of a child: in this order, a group comes after everything it was computed from."""
    return child.nodes[-1] if isinstance(child, Group) else child


def group_values(graph: GraphView, among: set[NodeId] | None, into_lines: Callable[[Group], None]) -> Group:
    """Return the values of a graph, or some of them, as a tree of groups with no more children than can be read."""
    shown = range(len(graph.values)) if among is None else sorted(among)
    root = _by_scope(graph, shown)
    into_lines(root)
    if len(shown) > FEW:
        root.children = _in_layers(graph, root.children)
    if len(shown) > READABLE:
        _narrow(graph, root)
    _number(root)
    return root


def _by_scope(graph: GraphView, shown: Sequence[NodeId]) -> Group:
    paths = marks_of(graph, set(shown))
    tree: dict[Any, Any] = {}
    for node in shown:
        inner = tree
        for mark in paths[node]:
            inner = inner.setdefault(mark, {})
        inner[node] = None
    return _group(graph, str(graph.names.short(graph.output)), tree)


def _group(graph: GraphView, name: str, tree: dict[Any, Any]) -> Group:
    counts: dict[str, int] = {}
    children: list[Child] = []
    for key, inner in tree.items():
        if inner is None:
            children.append(key)
        elif isinstance(key, CallMark):
            children += _call(graph, key, _group(graph, key.name, inner))
        else:
            name_of = _mark_name(graph, key)
            counts[name_of] = nth = counts.get(name_of, 0) + 1
            group = _group(graph, name_of if nth == 1 else f"{name_of} ({nth})", inner)
            group.gradients = isinstance(key, GradientMark)
            children.append(group)
    return Group(name, children)


def _mark_name(graph: GraphView, mark: Mark) -> str:
    if not isinstance(mark, GradientMark):
        return mark.name
    output = graph.names.any_name(mark.output())
    return f"gradients of {output}" if output else mark.name


def _call(graph: GraphView, call: CallMark, group: Group) -> Sequence[Child]:
    """Return the operations of a call as one group; as they are, if others than the result count outside."""
    result, inside = last_node(group), set(group.nodes)
    within = [node for node in group.nodes if node != result]
    is_whole = call in getattr(graph.values[result], "_scope", ())
    if not is_whole or not within or any(_counts_outside(graph, node, inside) for node in within):
        return group.children
    return [Group(graph.names.short(graph.values[result]), group.children, result=result, call=call)]


def _counts_outside(graph: GraphView, node: NodeId, inside: set[NodeId]) -> bool:
    """Whether a result has a name of the user's, or a value a use outside of some values."""
    value = graph.values[node]
    is_named = isinstance(value, Tensor) and graph.names.users_name(value) is not None
    return is_named or not inside.issuperset(graph.users(node))


def _number(root: Group) -> None:
    waiting, number = [root], 0
    while waiting:
        group = waiting.pop()
        group.id, number = f"s{number}", number + 1
        waiting += [child for child in reversed(group.children) if isinstance(child, Group)]


# ----- groups without a name of the user's -----
def _in_layers(graph: GraphView, children: list[Child]) -> list[Child]:
    """Put the values of a network that is written number by number into neurons, and these into layers."""
    single = {last_node(child): child for child in children if isinstance(child, int) or child.call}
    layers = layers_of_neurons(graph, single)
    inside = {node for layer in layers for neuron in layer for node in neuron}
    groups = [_layer(graph, f"layer {k}", layer, single) for k, layer in enumerate(layers, 1)]
    return sorted([*(child for child in children if last_node(child) not in inside), *groups], key=last_node)


def _layer(graph: GraphView, name: str, layer: Sequence[set[NodeId]], single: Mapping[NodeId, Child]) -> Group:
    """Return the neurons of a layer as a group; those of the same parameters, at work on several examples, as one."""
    at_work: dict[frozenset[NodeId], list[Group]] = {}
    for values in layer:
        those = at_work.setdefault(parameters_of(graph, values), [])
        those.append(Group(f"example {len(those) + 1}", [single[node] for node in values], formed=True))
    neurons = [_neuron(graph, f"neuron {k}", those) for k, those in enumerate(at_work.values(), 1)]
    if len(neurons) == 1 and neurons[0].alike:
        return Group(name, neurons[0].children, alike=True, formed=True)
    return Group(name, [*neurons], alike=len(neurons) > 1, formed=True)


def _neuron(graph: GraphView, name: str, examples: list[Group]) -> Group:
    if len(examples) > 1:
        return Group(name, [*examples], alike=True, formed=True)
    (neuron,) = examples
    neuron.name = graph.names.users_name(graph.values[last_node(neuron)]) or name
    return neuron


def _narrow(graph: GraphView, group: Group) -> None:
    """Give no group more children than can be read: first roll up siblings of one structure, then form regions."""
    if not (group.alike or group.slice):
        group.children = _rolled(graph, group.children, lambda child: isinstance(child, Group))
        if len(group.children) > READABLE:
            group.children = _regions(graph, group.children)
            group.children = _rolled(graph, group.children, lambda child: not _is_constant(graph, child))
    while len(group.children) > READABLE:
        group.children = _slices(graph, group.children)
    for child in group.children:
        if isinstance(child, Group):
            _narrow(graph, child)


def _regions(graph: GraphView, children: Sequence[Child]) -> list[Child]:
    """Group each result that has a name or several uses with the unnamed values that only it uses, up to a limit."""
    single = {last_node(child): child for child in children if isinstance(child, int) or child.call}
    alone = list(single)
    level, size = set(alone), dict.fromkeys(alone, 1)
    limit = max(SMALLEST_LIMIT, len(alone) // SLICES)
    serving: dict[NodeId, NodeId] = {}
    for node in alone:
        uses = graph.consumers[node]
        if len(uses) == 1 and uses[0] in level and size[node] < limit and _serves(graph, node):
            serving[node] = uses[0]
            size[uses[0]] += size[node]
    head: dict[NodeId, NodeId] = {}
    members: dict[NodeId, list[Child]] = {}
    for node in reversed(alone):
        head[node] = head[serving[node]] if node in serving else node
        members.setdefault(head[node], []).append(single[node])
    regions = [_region(graph, top, of) for top, of in members.items()]
    kept = [child for child in children if isinstance(child, Group) and not child.call] + regions
    return sorted(kept, key=last_node)


def _region(graph: GraphView, head: NodeId, members: list[Child]) -> Child:
    return Group(graph.names.short(graph.values[head]), members, formed=True) if len(members) > 1 else members[0]


def _serves(graph: GraphView, node: NodeId) -> bool:
    value = graph.values[node]
    if isinstance(value, Tensor) and value.op is not None:
        return graph.names.users_name(value) is None
    return not np.ndim(value_of(value)) or bool(getattr(value, "requires_grad", False))


def _rolled(graph: GraphView, children: Sequence[Child], may_roll: Callable[[Child], bool]) -> list[Child]:
    """Put children of the same structure at the same distance from the inputs into one group."""
    if sum(map(may_roll, children)) < FEWEST_ALIKE:
        return list(children)
    levels = _levels(graph, children)
    alike: dict[Hashable, list[Child]] = {}
    for number, (child, level) in enumerate(zip(children, levels, strict=True)):
        key = (level, *_structure(graph, child)) if may_roll(child) else number
        alike.setdefault(key, []).append(child)
    rolled: list[Child] = []
    for those in alike.values():
        rolled += (
            those if len(those) < FEWEST_ALIKE else [Group(_joint_name(graph, those), those, alike=True, formed=True)]
        )
    return sorted(rolled, key=last_node)


def _levels(graph: GraphView, children: Sequence[Child]) -> list[int]:
    owner = {node: number for number, child in enumerate(children) for node in nodes(child)}
    levels = [0] * len(children)
    for number, child in enumerate(children):
        for node in nodes(child):
            for operand in graph.operands[node]:
                before = owner.get(operand, number)
                if before != number:
                    levels[number] = max(levels[number], levels[before] + 1)
    return levels


def _structure(graph: GraphView, child: Child) -> tuple[Hashable, ...]:
    inside = {node: number for number, node in enumerate(nodes(child))}
    name = re.sub(r"\d+|\(.*\)|′", "", child.name) if isinstance(child, Group) else ""
    return (
        name,
        *(
            (_kind(graph.values[node]), *(inside.get(operand, -1) for operand in graph.operands[node]))
            for node in inside
        ),
    )


def _is_constant(graph: GraphView, child: Child) -> bool:
    return isinstance(child, int) and not isinstance(graph.values[child], Tensor)


def _kind(value: Any) -> Hashable:
    if not isinstance(value, Tensor):
        return "constant", np.shape(value)
    return value.op.name if value.op else value.requires_grad, value.shape


def _joint_name(graph: GraphView, those: Sequence[Child]) -> str:
    if all(isinstance(child, int) and is_parameter(graph.values[child]) for child in those):
        return "parameters"
    made = {getattr(graph.values[last_node(child)], "op", None) for child in those}
    if len(made) == 1 and not any(graph.names.users_name(graph.values[last_node(child)]) for child in those):
        (op,) = made
        if op is not None and not any(isinstance(child, Group) and not child.formed for child in those):
            return str(op.name)
    first, last = (
        child.name if isinstance(child, Group) else graph.names.short(graph.values[child])
        for child in (those[0], those[-1])
    )
    return first if first == last else f"{first} … {last}"


def _slices(graph: GraphView, children: Sequence[Child]) -> list[Child]:
    """Cut children into slices, in the order of recording."""
    length = -(-len(children) // SLICES)
    slices = [list(children[start : start + length]) for start in range(0, len(children), length)]
    return [
        Group(_joint_name(graph, those), those, slice=True, formed=True) if len(those) > 1 else those[0]
        for those in slices
    ]

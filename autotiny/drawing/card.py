"""The card of a value, or of a closed group of values: its name, operation, shape, value and gradient in words."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autotiny.drawing.edge import chain_rule, is_more
from autotiny.drawing.graph_view import GraphView, NodeId, is_parameter
from autotiny.drawing.groups import Child, Group, last_node, nodes
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.notation.numbers import ArraySummary, summarise
from autotiny.notation.text import clean
from autotiny.ops import OPS
from autotiny.ops.activations import relu

Kind = Literal["data", "variable", "constant", "operation", "output", "group", "gradient"]

NO_GRADIENT_YET = ArraySummary("—", exact="not computed yet: call backward()")
RECTIFIERS = (OPS[relu], OPS[np.maximum].constant_variant)
LONGEST_TITLE = 36
MOST_PARAMETERS = 4
"""The number of parameters up to which a group's card names them."""


@dataclass(frozen=True)
class Card:
    """A value of a graph, or a group of values, as it was when the picture was taken."""

    id: str
    """n{node id} for a value, s{number} for a group: the same in every picture of a graph."""
    name: str
    named: bool
    """Whether the user gave the name."""
    kind: Kind
    origin: str
    """The operation on its operands, such as "W1 @ X"; for a value that was not computed, its kind."""
    shape: tuple[Any, ...]
    """The lengths of the axes, or the shapes of several outputs."""
    value: ArraySummary
    gradient: ArraySummary | None
    """None for a value that is not differentiated; `NO_GRADIENT_YET` before backward."""
    turn: int | None = None
    """When backprop visits the operation; the output's turn is 1."""
    rule_of: str = ""
    """In a graph of gradients, the operation whose gradient rule recorded the value."""
    operations: int = 1
    """The number of operations of a line."""
    paths: int = 0
    """The number of contributions that add up to the gradient."""
    accumulated: bool = False
    """Whether the gradient of a variable is the sum of several backward passes."""
    warning: str = ""
    """A remark such as "2 of 5 units dead"."""
    chain_rule: str = ""
    """The gradient as a sum of products, by the chain rule."""

    @property
    def sentence(self) -> str:
        """The card as one line of text."""
        return "; ".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """The card as lines of text, with all digits."""
        origin = f"{self.name} = {self.origin}" if self.name != self.origin else self.name
        lines = [f"{origin}, shape {self.shape}", f"value {self.value.exact}"]
        if self.value.zeros and not self.value.exact.startswith("all 0"):
            lines[-1] += f", {percent(self.value.zeros)} zeros"
        if self.warning:
            lines.append(self.warning)
        if self.gradient:
            lines.append(self.chain_rule or f"gradient {self.gradient.exact}")
        return lines


def make_card(graph: GraphView, node: NodeId, small: bool = False, digits: int | None = None) -> Card:
    """Return the card of a value; a `small` one for a picture of many, its numbers to so many significant digits."""
    look = (node, small, digits)
    if look not in graph.cards:
        graph.cards[look] = _card(graph, *look)
    card: Card = graph.cards[look]
    return card


def _card(graph: GraphView, node: NodeId, small: bool, digits: int | None) -> Card:
    value = graph.values[node]
    if isinstance(value, Tensor):
        return _tensor_card(graph, node, value, small, digits)
    return Card(
        id=f"n{node}",
        name=graph.names.short(value),
        named=np.size(value) != 1 and graph.names.users_name(value) is not None,
        kind="constant",
        origin="constant",
        shape=np.shape(value),
        value=summarise(value, small, digits),
        gradient=None,
    )


def _tensor_card(graph: GraphView, node: NodeId, tensor: Tensor, small: bool, digits: int | None) -> Card:
    names, kind = graph.names, _kind(tensor)
    return Card(
        id=f"n{node}",
        name=names.short(tensor),
        named=names.users_name(tensor) is not None,
        kind="output" if tensor is graph.output else kind,
        origin=kind if tensor.op is None else names.formula(tensor),
        shape=getattr(value_of(tensor), "shapes", tensor.shape),
        value=summarise(value_of(tensor), small, digits),
        gradient=_gradient(graph, [node], small, digits),
        turn=graph.turns.get(node),
        paths=len(graph.paths(node)),
        accumulated=kind == "variable" and _is_accumulated(graph, node),
        warning=dead_units(tensor),
        chain_rule=chain_rule(graph, node),
    )


def _is_accumulated(graph: GraphView, node: NodeId) -> bool:
    contributions = [graph.contributions[use].value for use in graph.paths(node)]
    return bool(contributions) and is_more(graph.gradients[node], contributions)


def _kind(tensor: Tensor) -> Kind:
    if tensor.op is not None:
        return "operation"
    return "variable" if tensor.requires_grad else "data"


def _gradient(graph: GraphView, results: list[NodeId], small: bool, digits: int | None) -> ArraySummary | None:
    """Summarise the gradient of a value, or those of several values of one shape, stacked."""
    if not all(getattr(graph.values[node], "requires_grad", False) for node in results):
        return None
    gradients: Any = [graph.gradients.get(node) for node in results]
    if any(g is None for g in gradients):
        return NO_GRADIENT_YET
    return summarise(np.stack(gradients) if len(gradients) > 1 else gradients[0], small, digits)


def percent(share: float) -> str:
    """Return a fraction as a whole percentage; only 0 and 1 themselves become 0 % and 100 %.

    >>> percent(0.405), percent(0.0001), percent(0.9999)
    ('40 %', '1 %', '99 %')
    """
    return f"{min(max(round(100 * share), 1), 99)} %" if 0 < share < 1 else f"{share:.0%}".replace("%", " %")


# ----- closed groups -----
def group_card(graph: GraphView, group: Group, small: bool = False, digits: int | None = None) -> Card:
    """Return the card of a closed group: its contents, and its last value, or the last values of children alike."""
    results = _results(group)
    values = [np.asarray(value_of(graph.values[node])) for node in results]
    value = np.stack(values) if group.alike else values[0]
    return Card(
        id=group.id,
        name=clean(f"{group.name} × {len(group.children)}" if group.alike else group.name, LONGEST_TITLE),
        named=True,
        kind="group",
        origin=_contents(graph, group),
        shape=value.shape,
        value=summarise(value, small, digits),
        gradient=_gradient(graph, results, small, digits),
    )


def _results(group: Group) -> list[NodeId]:
    """Return the last value of a group, or those of all of its children alike."""
    if not group.alike:
        return [last_node(group)]
    return [node for child in group.children for node in (_results(child) if isinstance(child, Group) else [child])]


def _contents(graph: GraphView, group: Group) -> str:
    if group.alike:
        n, stems = len(nodes(group.children[0])), {_stem(child) for child in group.children}
        kind = f"{stems.pop()}s" if len(stems) == 1 and None not in stems else "alike"
        return f"⊞ {len(group.children)} {kind}" + (f", {n:,} values each" if n > 1 else "")
    contents = f"⊞ {len(group.nodes):,} values"
    parameters = [value for value in map(graph.values.__getitem__, group.nodes) if is_parameter(value)]
    if not parameters:
        return contents
    if (
        group.formed
        or len(parameters) > MOST_PARAMETERS
        or any(graph.names.users_name(value) is None for value in parameters)
    ):
        return f"{contents}, {len(parameters):,} parameter{'s' * (len(parameters) > 1)}"
    return ", ".join([contents, *map(graph.names.short, parameters)])


def _stem(child: Child) -> str | None:
    """Return neuron for "neuron 3"; None for a child without such a name."""
    match = re.fullmatch(r"(\w+) \d+", child.name) if isinstance(child, Group) else None
    return match[1] if match else None


# ----- units that a ReLU has switched off -----
def dead_units(tensor: Tensor) -> str:
    """Return "2 of 5 units dead" where a ReLU gives 0 for every example, so that no gradient passes; "" elsewhere.

    The examples are columns, as in the textbook's Z = W X + b; after X @ W they are rows.

    >>> Z = Tensor([[1.0, 2.0], [-1.0, -2.0]])
    >>> dead_units(np.maximum(Z, 0))
    '1 of 2 units dead'
    """
    if tensor.op not in RECTIFIERS or not _clips_at_zero(tensor):
        return ""
    active: Any = np.asarray(value_of(tensor)) > 0
    if active.ndim > 1:
        examples = tuple(range(active.ndim - 1)) if _examples_are_rows(tensor) else tuple(range(1, active.ndim))
        active = active.any(axis=examples)
    dead = active.size - np.count_nonzero(active)
    if not dead:
        return ""
    return f"{dead} of {active.size} units dead" if active.size > 1 else "dead: no gradient passes"


def _clips_at_zero(tensor: Tensor) -> bool:
    return len(tensor.args) == 1 or any(_is_zero(arg) for arg in tensor.args)


def _is_zero(arg: Any) -> bool:
    return not isinstance(arg, Tensor) and np.size(arg) == 1 and not np.any(arg)


def _examples_are_rows(tensor: Tensor) -> bool:
    """Whether the last product before a tensor is X @ W, with the parameters on the right."""
    before: Any = tensor
    while isinstance(before, Tensor) and before.op is not None and before.op.name != "matmul":
        before = next((arg for arg in before.args if isinstance(arg, Tensor) and arg.op is not None), None)
    return isinstance(before, Tensor) and before.op is not None and is_parameter(before.args[1])

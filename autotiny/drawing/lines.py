"""The lines that a user typed: a named result, with the unnamed operations that serve it alone.

    Z1 = W1 @ X + b1      A1 = relu(Z1)      J = -np.sum(Y * np.log(A2)) / m

A line is a group of values with one result, shown as one card: its expression, its value and its gradient.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.drawing.groups import Child, Group, last_node, nodes
from autotiny.engine.modes import CallMark
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.notation.code import TypedCode
from autotiny.notation.expression import Expression, symbol
from autotiny.notation.text import clean
from autotiny.ops.code import typed_expression

FEWEST_OPERATIONS = 10
"""The number of operations from which a graph of arrays is shown line by line."""
FEWEST_LINES = 2
"""The number of named results, beside the output, from which there are lines to show."""
LONGEST_EXPRESSION = 60
MOST_WRITTEN = 100
"""The number of operations and operands that an expression may have."""
MOST_ARGUMENTS = 8
"""The number of entries of a list up to which a call names them."""


def is_shown_in_lines(graph: GraphView) -> bool:
    """Whether a graph is too long to be read operation by operation, and has named results of arrays."""
    results = [tensor for tensor in graph.ids if tensor.op is not None]
    named = [tensor for tensor in results if tensor is not graph.output and graph.names.users_name(tensor)]
    arrays = any(np.ndim(value_of(tensor)) for tensor in named)
    return arrays and len(results) >= FEWEST_OPERATIONS and len(named) >= FEWEST_LINES


def put_into_lines(graph: GraphView, group: Group) -> None:
    """Put the values of a group, and of those in it, into lines."""
    of_call = {
        node: child for child in group.children if isinstance(child, Group) and child.call for node in child.nodes
    }
    within = {*of_call, *(child for child in group.children if not isinstance(child, Group))}
    inner = {node for node, call in of_call.items() if node != call.result}
    head, heavy = dict[NodeId, NodeId](), _too_long_to_write(graph, within) - inner
    for node in sorted(within, reverse=True):
        users = {head.get(user) if user in within else None for user in graph.users(node)}
        if _begins_a_line(graph, node) or node in heavy:
            head[node] = node
        elif len(users) == 1 and (user := users.pop()) is not None and _serves(graph, node):
            head[node] = user
    members: defaultdict[NodeId, list[NodeId]] = defaultdict(list)
    for node, of in head.items():
        members[of].append(node)
    lines = [
        _line(graph, of, list(dict.fromkeys(of_call.get(node, node) for node in those)))
        for of, those in members.items()
    ]
    in_lines = {node for line in lines for node in nodes(line)}
    for child in group.children:
        if isinstance(child, Group) and not child.call:
            put_into_lines(graph, child)
    kept = [child for child in group.children if last_node(child) not in in_lines]
    group.children = sorted([*kept, *lines], key=last_node)


def put_gradients_into_lines(graph: GraphView, group: Group) -> None:
    """Put what recorded sweeps have made into lines, one for each gradient."""
    for child in group.children:
        if isinstance(child, Group):
            put_into_lines(graph, child) if child.gradients else put_gradients_into_lines(graph, child)


def _line(graph: GraphView, result: NodeId, members: list[Child]) -> Child:
    return Group(_name(graph, result), members, result=result) if len(members) > 1 else members[0]


def _name(graph: GraphView, node: NodeId) -> str:
    return graph.names.short(graph.values[node])


def _too_long_to_write(graph: GraphView, among: set[NodeId]) -> set[NodeId]:
    """Return the results at which a line is cut, as what is written twice doubles: 40 times t = t * t."""
    length: dict[NodeId, int] = {}
    heavy: set[NodeId] = set()
    for node in sorted(among):
        length[node] = 1 + sum(length.get(operand, 1) for operand in graph.operands[node])
        if length[node] > MOST_WRITTEN:
            heavy.add(node)
        if node in heavy or _begins_a_line(graph, node):
            length[node] = 1
    return heavy


def is_written_out(graph: GraphView, line: Group) -> bool:
    """Whether the operations of a line can be written out as one formula; those of a call may be too many."""
    return not _too_long_to_write(graph, {*line.nodes} - {line.result or 0})


def _begins_a_line(graph: GraphView, node: NodeId) -> bool:
    value = graph.values[node]
    if not isinstance(value, Tensor) or value.op is None:
        return False
    return value is graph.output or graph.names.users_name(value) is not None


def _serves(graph: GraphView, node: NodeId) -> bool:
    """Whether a value may be hidden in a line: a result or a constant without a name."""
    value = graph.values[node]
    if isinstance(value, Tensor):
        return value.op is not None
    return np.size(value) == 1 or graph.names.users_name(value) is None


def expression_of(graph: GraphView, line: Group, hidden: Sequence[Child] = ()) -> str:
    """Return what a line computes, as it was typed: "W1 @ X + b1"; `hidden` values are written out as well."""
    assert line.result is not None
    made: dict[NodeId, Expression] = {}
    for child in [*hidden, *([line] if line.call else line.children)]:
        node = last_node(child)
        value = graph.values[node]
        if isinstance(child, Group) and child.call:
            made[node] = _call_expression(graph, child.call, made)
        elif isinstance(value, Tensor) and value.op is not None:
            labels = zip(graph.operands[node], graph.names.operands(value), strict=True)
            operands = [made[each] if each in made else symbol(label) for each, label in labels]
            made[node] = typed_expression(value.op, operands, value.kwargs, value.ndim)
    return clean(TypedCode()(made[line.result]), LONGEST_EXPRESSION)


def _call_expression(graph: GraphView, call: CallMark, made: Mapping[NodeId, Expression]) -> Expression:
    """Return a call as it was typed, with its arguments by name or as the expressions that made them."""

    def text(value: Any) -> str:
        if isinstance(value, list | tuple):
            parts = ", ".join([*map(text, value[:MOST_ARGUMENTS]), *["…"] * (len(value) > MOST_ARGUMENTS)])
            return f"[{parts}]" if isinstance(value, list) else f"({parts}{',' * (len(value) == 1)})"
        if isinstance(value, Tensor) and graph.ids.get(value) in made:
            return TypedCode()(made[graph.ids[value]])
        if isinstance(value, Tensor) and value not in graph.ids:
            return graph.names.users_name(value) or "data"
        if isinstance(value, str):
            return f'"{value}"'
        is_number = isinstance(value, Tensor | np.ndarray | np.number | float | complex)
        return graph.names.label(value) if is_number else getattr(value, "__name__", str(value))

    stated = {n: value for n, value in call.kwargs.items() if value is not None and n not in TypedCode.UNSAID}
    options = [f"{name}={text(value)}" for name, value in stated.items()]
    return Expression("words", value=f"{call.name}({', '.join([*map(text, call.args), *options])})")


def results_within(graph: GraphView, line: Group) -> Sequence[NodeId]:
    """Return the operations of a line, in order; the last is its result."""
    return [node for node in line.nodes if getattr(graph.values[node], "op", None) is not None]

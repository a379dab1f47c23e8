"""The edges between lines, with the rule that acts there, and the chain rule from line to line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.drawing.edge import MOST_PATHS, Edge, is_past, norm, plain_edge
from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.drawing.groups import Child, Group
from autotiny.drawing.line_rule import line_derivative
from autotiny.drawing.rule import LONGEST_FACTOR, LocalDerivative
from autotiny.drawing.selection import card_id
from autotiny.engine.recording import value_of
from autotiny.notation.numbers import as_text, short_number, summarise, typeset

Use = tuple[NodeId, int, NodeId]
"""A result, the position of an operand, and the operand."""


def result_of(item: Child) -> NodeId | None:
    """Return the value that a card shows: a single one, or the result of a line; None for a group of values."""
    return item.result if isinstance(item, Group) else item


def line_edges(graph: GraphView, source: Child, line: Group, uses: Sequence[Use]) -> list[Edge]:
    """Return the edge for all uses of a value by a line, and that of its gradient past what is between."""
    within = set(line.nodes)
    past = [use for use in uses if goes_past(graph, use, within)]
    direct = [use for use in uses if use not in past]
    edge = Edge(f"e{card_id(source)}-{line.id}", card_id(source), line.id)
    edges = [_with_rule(graph, edge, line, direct)] if direct else []
    if past:
        edges.append(_with_rule(graph, replace(edge, id=f"{edge.id}-past", kind="bypass"), line, past))
    return edges


def goes_past(graph: GraphView, use: Use, within: set[NodeId]) -> bool:
    """Whether a use is that of a stable form which passes by the results of other lines."""
    node, position, _ = use
    result = graph.values[node]
    if not is_past(result, position):
        return False
    passed = [(result if user is None else user).args[at] for user, at in result._stable.uses]
    return any(graph.ids[x] not in within for x in passed)


def _with_rule(graph: GraphView, edge: Edge, line: Group, uses: Sequence[Use]) -> Edge:
    contributions = [c.value for node, position, _ in uses if (c := graph.contributions.get((node, position)))]
    carries = any(plain_edge(graph, *use).carries_gradient for use in uses)
    if carries and not contributions and uses[0][0] in graph.turns:  # the gradient came back past these operations
        carries = False
    if not carries:
        return replace(edge, carries_gradient=False)
    local = line_derivative(graph, line, uses[0][2]) if edge.kind == "use" else None
    labelled = replace(edge, label=_label(graph, line, uses[0][2], local), rule=local.rule if local else "")
    if not contributions:
        return labelled
    total: Any = sum(contributions[1:], contributions[0])
    return replace(labelled, contribution=summarise(total, small=True), strength=norm(total))


def _label(graph: GraphView, line: Group, operand: NodeId, local: LocalDerivative | None) -> str:
    assert line.result is not None
    y, x = graph.values[line.result], graph.values[operand]
    if local is not None:
        if np.ndim(value_of(x)) == np.ndim(value_of(y)) == 0:
            return f"∂ {typeset(short_number(local.value))}"
        if local.factor:
            return local.factor
        if len(local.rule) <= LONGEST_FACTOR:
            return local.rule
    return f"∂{graph.names.short(y)}/∂{graph.names.short(x)}"


# ----- the chain rule -----
def chain_rule_of_lines(graph: GraphView, node: NodeId, edges: Sequence[Edge], items: Mapping[str, Child]) -> str:
    """Return dJ/dA1 = W2ᵀ dJ/dZ2 = −0.03 … 0.04, with a term for each line that uses a value."""
    gradient = graph.gradients[node]
    output, name = graph.names.short(graph.output), graph.names.short(graph.values[node])
    terms = [_term(graph, output, name, edge, items[edge.target]) for edge in edges[:MOST_PATHS]]
    rest = f" + {len(edges) - MOST_PATHS} more" if len(edges) > MOST_PATHS else ""
    return " = ".join([f"d{output}/d{name}", " + ".join(terms) + rest, as_text(gradient)])


def _term(graph: GraphView, output: str, name: str, edge: Edge, item: Child) -> str:
    result = result_of(item)
    y = "…" if result is None else graph.names.short(graph.values[result])
    arriving = f"d{output}/d{y}"
    if edge.rule:
        return re.sub(r"(?<![\w.])[gḡ](?!\w)", lambda _: arriving, edge.rule)
    return f"{arriving} · d{y}/d{name}" + (" (in one go)" if edge.kind == "bypass" else "")

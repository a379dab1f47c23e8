"""The steps of a line: what its operations compute, and what it passes on of the gradient of its result."""

from collections.abc import Iterator, Sequence

from autotiny.drawing.edge import rule_in_words
from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.drawing.groups import Group
from autotiny.drawing.lines import expression_of, results_within
from autotiny.engine.recording import value_of
from autotiny.notation.numbers import summarise, typeset

MOST_OPERATIONS = 8
"""The number of operations up to which a step of a line lists them."""


def equation_of(graph: GraphView, line: Group) -> str:
    """Return a line as it was typed: "Z1 = W1 @ X + b1"."""
    return f"{line.name} = {expression_of(graph, line)}"


def computed_within(graph: GraphView, line: Group) -> Iterator[tuple[str, str]]:
    """Yield the operations of a line before its result: "t1 = W1 @ X" and the range of its value."""
    within = results_within(graph, line)[:-1]
    for node in within[:MOST_OPERATIONS]:
        tensor = graph.values[node]
        yield f"{graph.names.short(tensor)} = {graph.names.formula(tensor)}", typeset(summarise(value_of(tensor)).text)
    if len(within) > MOST_OPERATIONS:
        yield "and", f"{len(within) - MOST_OPERATIONS} more"


def rules_within(graph: GraphView, line: Group, operand: NodeId) -> Sequence[str]:
    """Return what the operations of a line do to a gradient on its way back to an operand, from the result on."""
    inside, leading = set(line.nodes), {operand}
    for node in results_within(graph, line):
        if not leading.isdisjoint(graph.operands[node]):
            leading.add(node)
    rules = [
        f"{graph.names.formula(graph.values[node])}: {rule_in_words(graph.values[node], position)}"
        for node in reversed(results_within(graph, line))
        if node in leading
        for position, each in enumerate(graph.operands[node])
        if each in leading and (each in inside or each == operand)
    ]
    return [
        *rules[:MOST_OPERATIONS],
        *([f"{len(rules) - MOST_OPERATIONS} more"] if len(rules) > MOST_OPERATIONS else []),
    ]

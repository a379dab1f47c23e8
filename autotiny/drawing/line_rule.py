"""The rule by which a line passes its gradient on, composed of those of its operations: Z1 = W1 @ X + b1 gives g Xᵀ."""

from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, symbol
from autotiny.algebra.chain_rule import pull
from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.drawing.groups import Group
from autotiny.drawing.lines import is_written_out, results_within
from autotiny.drawing.rule import LocalDerivative, as_local_derivative, operand_of_rule
from autotiny.engine.recording import value_of
from autotiny.ops.table import is_complex


def line_derivative(graph: GraphView, line: Group, operand: NodeId) -> LocalDerivative | None:
    """Return the rule by which a line passes on the gradient g of its result to one of the values that it uses.

    It is that of the line as it is written, also where a stable form computes the same; None where it cannot run on
    formulas, or would be too long to read.
    """
    assert line.result is not None
    if not is_written_out(graph, line):
        return None
    names, values = graph.names, graph.values
    outside = {each for node in results_within(graph, line) for each in graph.operands[node]}.difference(line.nodes)
    arriving = "ḡ" if "g" in (names.short(values[each]) for each in (line.result, *outside)) else "g"
    output = symbol(names.short(values[line.result]), value_of(values[line.result]))
    try:
        with np.errstate(all="ignore"):
            made, x = _formula(graph, line, operand)
            if is_complex(made) or is_complex(x):
                return None
            g = symbol(arriving, np.ones_like(value_of(values[line.result])))
            passed = pull(made, output, g, [x]).get(x)
    except Exception:  # a user's rule may do what no formula can
        return None
    return None if passed is None else as_local_derivative(passed, arriving)


def _formula(graph: GraphView, line: Group, operand: NodeId) -> tuple[Term, Term]:
    """Return the formula of a line, and the symbol of an operand in it."""
    terms: dict[NodeId, Any] = {}

    def term(node: NodeId) -> Any:
        if node not in terms:
            terms[node] = operand_of_rule(graph.names.short(graph.values[node]), value_of(graph.values[node]))
        return terms[node]

    terms[operand] = symbol(graph.names.short(graph.values[operand]), value_of(graph.values[operand]))
    for node in results_within(graph, line):
        tensor = graph.values[node]
        known = symbol(graph.names.short(tensor), value_of(tensor))
        terms[node] = constant(apply(tensor.op, map(term, graph.operands[node]), tensor.kwargs, known))
    assert line.result is not None
    return terms[line.result], terms[operand]

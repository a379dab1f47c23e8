"""The edges of a picture, from each operand to its operation, and the chain rule along them."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from autotiny.drawing.graph_view import GraphView, NodeId
from autotiny.drawing.rule import LocalDerivative, local_derivative, operation_in_words
from autotiny.engine.contributions import Contribution
from autotiny.engine.recording import value_of
from autotiny.notation.numbers import ArraySummary, as_text, short_number, summarise, typeset
from autotiny.ops import Op
from autotiny.ops.table import is_complex

MOST_PATHS = 6
"""The number of contributions up to which the chain rule of a card lists them one by one."""


@dataclass(frozen=True)
class Edge:
    """One use of a value by an operation, or all uses of one group's values by another group."""

    id: str
    """e{operand}-{result}-{position} by node ids; between groups e{source}-{target} by card ids."""
    source: str
    target: str
    label: str = ""
    """The local derivative: a number, or for arrays the factor of the gradient g; "" where no gradient passes."""
    rule: str = ""
    """The gradient rule of the operation, applied to the arriving gradient g."""
    contribution: ArraySummary | None = None
    """The contribution along the edge; None before backward, and where no gradient passes."""
    strength: float = 0.0
    """The norm of the contribution."""
    carries_gradient: bool = True
    kind: Literal["use", "bypass", "gradient", "link"] = "use"
    """From a value to an operation; to one whose gradient comes back in one go, past the results between; from a
    gradient to another; or from an operation to what its rules recorded."""
    count: int = 1
    """The number of uses that the edge represents."""

    @property
    def is_dead(self) -> bool:
        """Whether the contribution is exactly 0."""
        return self.contribution is not None and self.strength == 0

    @property
    def sentence(self) -> str:
        """The edge as a line of text."""
        if self.kind == "link":
            return "what the rules of this operation recorded"
        parts = [f"{self.count} uses"] if self.count > 1 else []
        parts += ["in one go, past what is between"] if self.kind == "bypass" else []
        parts += [f"local derivative {self.label.removeprefix('∂ ')}"] if self.label else []
        parts += [f"passes on {self.rule}"] if self.rule and self.rule != "g" else []
        if self.contribution:
            parts.append(f"contributes {self.contribution.exact}" + (", which is nothing" if self.is_dead else ""))
        return ", ".join(parts)


def edges_into(graph: GraphView, node: NodeId) -> Sequence[Edge]:
    """Return the edges into an operation, one for each operand, and those past the operands."""
    uses = (*enumerate(graph.operands[node]), *graph.passes_by[node])
    return [edge_of_use(graph, node, position, operand) for position, operand in uses]


def edge_of_use(graph: GraphView, node: NodeId, position: int, operand: NodeId) -> Edge:
    """Return the edge of one use of a value."""
    edge = plain_edge(graph, node, position, operand)
    if not edge.carries_gradient:
        return edge
    contribution = graph.contributions.get((node, position))
    if contribution is None and node in graph.turns:  # the gradient came back past this operation
        return replace(edge, carries_gradient=False)
    local = derivative(graph, node, position)
    return replace(
        edge,
        label=_label(graph, node, used_by(graph.values[node], position)[0].op, operand, local),
        rule=local.rule if local else "",
        contribution=summarise(contribution.value, small=True) if contribution else None,
        strength=norm(contribution.value) if contribution else 0.0,
    )


def plain_edge(graph: GraphView, node: NodeId, position: int, operand: NodeId) -> Edge:
    """Return an edge without label and contribution."""
    form, place = used_by(graph.values[node], position)
    rule = next(itertools.islice(form.op.rules, place, None))
    tracked = rule is not None and getattr(graph.values[operand], "requires_grad", False)
    kind: Any = "use" if form is graph.values[node] else "bypass"
    return Edge(f"e{operand}-{node}-{position}", f"n{operand}", f"n{node}", carries_gradient=tracked, kind=kind)


def used_by(result: Any, position: int) -> tuple[Any, int]:
    """Return what uses the operand at a position: the result's operation or its stable form; and the place in that."""
    return (result._stable, position - len(result.args)) if is_past(result, position) else (result, position)


def rule_in_words(result: Any, position: int) -> str:
    """Return what the rule of a result does to the gradient on its way to the operand at a position."""
    form, place = used_by(result, position)
    operand = form.args[place]
    words = operation_in_words(form.op, place)
    repeats = np.shape(operand) != result.shape and np.size(operand) <= result.size
    return f"{words}; summed over what broadcasting repeated" if form.op.has("elementwise") and repeats else words


def is_past(result: Any, position: int) -> bool:
    """Whether a position is that of an operand of the stable form, past the result's own operands."""
    return position >= len(result.args)


def norm(contribution: Any) -> float:
    """Return √(sum of squares) without overflow or underflow; 0 only where every entry is 0."""
    sizes = np.abs(contribution) if is_complex(contribution) else contribution
    if np.ndim(sizes) == 0:
        return abs(float(sizes))
    array = np.asarray(sizes, dtype=float)
    largest = float(np.max(np.abs(array), initial=0.0))
    if not np.isfinite(largest) or largest == 0:
        return largest
    return largest * float(np.sqrt(np.sum(np.square(array / largest))))


def _label(graph: GraphView, node: NodeId, op: Op, operand: NodeId, local: LocalDerivative | None) -> str:
    result, x = graph.values[node], value_of(graph.values[operand])
    if local is None:
        return f"∂{op.name}"
    if np.ndim(x) == 0 and np.ndim(value_of(result)) == 0:
        return f"∂ {typeset(short_number(local.value))}"
    return local.factor or f"∂{op.name}"


# ----- the chain rule -----
def is_more(gradient: Any, contributions: Sequence[Any]) -> bool:
    """Whether a gradient has more in it than these contributions, as after several backward passes."""
    total = sum(np.asarray(contribution) for contribution in contributions)
    return not np.allclose(np.asarray(gradient), total, rtol=1e-5, atol=0, equal_nan=True)


def derivative(graph: GraphView, node: NodeId, position: int) -> LocalDerivative | None:
    """Return the rule by which an operation passes a gradient on to one of its operands."""
    if (node, position) not in graph.rules:
        graph.rules[node, position] = _derivative(graph, node, position)
    known: LocalDerivative | None = graph.rules[node, position]
    return known


def _derivative(graph: GraphView, node: NodeId, position: int) -> LocalDerivative | None:
    tensor = graph.values[node]
    form, place = used_by(tensor, position)
    rule = next(itertools.islice(form.op.rules, place, None))
    if rule is None:
        return None
    operands = [(graph.names.short(arg), value_of(arg)) for arg in form.args]
    return local_derivative(rule, operands, (graph.names.short(tensor), value_of(tensor)), form.kwargs)


def chain_rule(graph: GraphView, node: NodeId) -> str:
    """Return dJ/da = dJ/dy · dy/da + ... = 0.21 · (−3) + 1 · 0.7616 = 0.1316; "" for a value without gradient.

    For arrays, the rules in symbols and the range of the result.
    """
    gradient = graph.gradients.get(node)
    if gradient is None:
        return ""
    name, output = graph.names.short(graph.values[node]), graph.names.short(graph.output)
    slope, value = f"d{output}/d{name}", as_text(gradient)
    if graph.values[node] is graph.output:
        return f"{slope} = {value}, where backprop starts"
    paths = graph.paths(node)
    if not paths:
        return f"gradient {value}, which did not come from {output}"
    terms = [_term(graph, output, result, position) for result, position in paths[:MOST_PATHS]]
    rest = f" + {len(paths) - MOST_PATHS} more" if len(paths) > MOST_PATHS else ""
    numbers = [n for n, _ in terms]
    total = as_text(sum(np.asarray(graph.contributions[path].value) for path in paths))
    steps = [" + ".join(symbols for _, symbols in terms) + rest, " + ".join(numbers) + rest if all(numbers) else total]
    accumulated = f"; with every backward so far, {value}" if value != total else ""
    return " = ".join(dict.fromkeys([slope, *steps, total])) + accumulated


def _term(graph: GraphView, output: str, result: NodeId, position: int) -> tuple[str, str]:
    """Return one contribution in numbers, or "" for arrays, and in symbols."""
    c, local = graph.contributions[result, position], derivative(graph, result, position)
    y, x = graph.names.short(graph.values[result]), graph.names.short(c.operand)
    arriving = f"d{output}/d{y}"
    if np.ndim(c.value) or np.ndim(c.pulled):
        if local is None:
            return "", f"{arriving} · d{y}/d{x}"
        return "", re.sub(rf"\b{local.arriving}\b", lambda _: arriving, local.rule)
    return _product(c, local), f"{arriving} · d{y}/d{x}"


def _product(c: Contribution, local: LocalDerivative | None) -> str:
    """Return a contribution between numbers as a product of two, if it is one."""
    if is_complex(c.value) or is_complex(c.pulled):
        return short_number(c.value)
    g, slope = float(c.pulled), float(local.value) if local else np.nan
    if np.isclose(g * slope, float(c.value), rtol=1e-6, atol=0):
        return f"{_factor(g)} · {_factor(slope)}"
    return short_number(c.value)


def _factor(x: float) -> str:
    return f"({short_number(x)})" if x < 0 else short_number(x)

"""What a picture says of a use: an edge from an operand to the operation that it went into."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from autotiny.drawing.reading import Place, Reading
from autotiny.drawing.rule import LocalDerivative, local_derivative
from autotiny.engine.recording import value_of
from autotiny.notation.arrays import ArraySummary, as_text, number, summarise
from autotiny.ops import Op

UNTOLD = ("constant", "data")


@dataclass(frozen=True)
class Edge:
    """One use of a value, or all uses of the values of one group by those of another."""

    id: str
    """e{operand}-{result}-{position}, by their places; of a group e{from}-{to} by their ids."""
    source: str
    target: str
    label: str = ""
    """The local derivative: a number between numbers, else what g is multiplied with; "" where no gradient goes."""
    rule: str = ""
    """What the operation makes of the gradient g that arrives."""
    contribution: ArraySummary | None = None
    """What backprop passed on; None before backward, and where no gradient goes."""
    strength: float = 0.0
    """The norm of the contribution."""
    carries_gradient: bool = True
    kind: Literal["use", "gradient", "link"] = "use"
    """Of a value by an operation; of a gradient by another; or from an operation to what its rules recorded."""
    count: int = 1
    """How many uses it stands for."""

    @property
    def is_dead(self) -> bool:
        """Whether its contribution is exactly 0."""
        return self.contribution is not None and self.strength == 0

    @property
    def sentence(self) -> str:
        """The edge as a line of text."""
        if self.kind == "link":
            return "what the rules of this operation recorded"
        told = [f"{self.count} uses"] if self.count > 1 else []
        told += [f"local derivative {self.label.removeprefix('∂ ')}"] if self.label else []
        told += [f"passes on {self.rule}"] if self.rule and self.rule != "g" else []
        if self.contribution:
            told.append(f"contributes {self.contribution.exact}" + (", which is nothing" if self.is_dead else ""))
        return ", ".join(told)


def uses(reading: Reading, place: Place) -> Sequence[Edge]:
    """The edges into the operation at a place, one for each operand."""
    return [_use(reading, place, position, operand) for position, operand in enumerate(reading.operands[place])]


def _use(reading: Reading, place: Place, position: int, operand: Place) -> Edge:
    edge = bare(reading, place, position, operand)
    if not edge.carries_gradient:
        return edge
    local = derivative(reading, place, position)
    passed = reading.passed.get((place, position))
    return replace(
        edge,
        label=_label(reading, place, operand, local),
        rule=local.rule if local else "",
        contribution=summarise(passed.value, small=True) if passed else None,
        strength=norm(passed.value) if passed else 0.0,
    )


def bare(reading: Reading, place: Place, position: int, operand: Place) -> Edge:
    """An edge without what needs computing."""
    value = reading.values[operand]
    op: Any = reading.values[place].op
    rule = next(itertools.islice(op.rules, position, None))
    tracked = rule is not None and getattr(value, "requires_grad", False)
    return Edge(f"e{operand}-{place}-{position}", f"n{operand}", f"n{place}", carries_gradient=tracked)


def norm(contribution: Any) -> float:
    """√(sum of squares), as far as it is finite; 0 exactly where every entry is 0."""
    if np.ndim(contribution) == 0:
        return abs(float(contribution))
    array = np.asarray(contribution, dtype=float)
    largest = float(np.max(np.abs(array), initial=0.0))
    if not np.isfinite(largest) or largest == 0:
        return largest
    return largest * float(np.sqrt(np.sum(np.square(array / largest))))


def _label(reading: Reading, place: Place, operand: Place, local: Any) -> str:
    result, x = reading.values[place], value_of(reading.values[operand])
    if local is None:
        return f"∂{result.op.name}"
    if np.ndim(x) == 0 and np.ndim(value_of(result)) == 0:
        return f"∂ {number(local.value)}".replace("-", "−")
    return local.factor or f"∂{result.op.name}"


# ----- chain rule -----
# The chain rule for one value of a graph, with its numbers.


MOST_PATHS = 6
"""Contributions that a sentence tells one by one."""


def derivative(reading: Reading, place: Place, position: int) -> LocalDerivative | None:
    """How the operation at a place passes a gradient on to one of its operands."""
    tensor = reading.values[place]
    op: Op = tensor.op
    rule = next(itertools.islice(op.rules, position, None))
    if rule is None:
        return None
    operands = [(reading.names.short(arg), value_of(arg)) for arg in tensor.args]
    return local_derivative(rule, operands, (reading.names.short(tensor), value_of(tensor)), tensor.kwargs)


def chain_rule(reading: Reading, place: Place) -> str:
    """dJ/da = dJ/dy · dy/da + ... = 0.21 · (−3) + 1 · 0.7616 = 0.1316; "" where no gradient has come.

    Of arrays the rules in symbols, and the range of what came of them.
    """
    gradient = reading.gradients.get(place)
    if gradient is None:
        return ""
    name, output = reading.names.short(reading.values[place]), reading.names.short(reading.output)
    told = f"d{output}/d{name}"
    if reading.values[place] is reading.output:
        return f"{told} = {as_text(gradient)}, where backprop starts"
    paths = reading.paths(place)
    if not paths:
        return f"gradient {as_text(gradient)}, which did not come from {output}"
    terms = [_term(reading, output, use, position) for use, position in paths[:MOST_PATHS]]
    rest = f" + {len(paths) - MOST_PATHS} more" if len(paths) > MOST_PATHS else ""
    numbers = [n for n, _ in terms]
    total = as_text(sum(np.asarray(reading.passed[path].value) for path in paths))
    steps = [" + ".join(symbols for _, symbols in terms) + rest, " + ".join(numbers) + rest if all(numbers) else total]
    held = as_text(gradient)
    also = f"; with every backward so far, {held}" if held != total else ""
    return " = ".join(dict.fromkeys([told, *steps, total])) + also


def _term(reading: Reading, output: str, use: Place, position: int) -> tuple[str, str]:
    """One contribution in numbers, where they are, and in symbols."""
    passed, local = reading.passed[use, position], derivative(reading, use, position)
    y, x = (reading.names.short(reading.values[place]) for place in (use, reading.operands[use][position]))
    arriving = f"d{output}/d{y}"
    if np.ndim(passed.value) or np.ndim(passed.pulled):
        if local is None or passed.through_log:
            return "", f"{arriving} · d{y}/d{x}"
        return "", re.sub(rf"\b{local.arriving}\b", lambda _: arriving, local.rule)
    return _product(passed, local), f"{arriving} · d{y}/d{x}"


def _product(passed: Any, local: LocalDerivative | None) -> str:
    """The contribution of numbers as a product, where it was made as one."""
    g, slope = float(passed.pulled), float(local.value) if local else np.nan
    if not passed.through_log and np.isclose(g * slope, float(passed.value), rtol=1e-6, atol=0):
        return f"{_factor(g)} · {_factor(slope)}"
    return number(passed.value)


def _factor(x: float) -> str:
    return f"({number(x)})" if x < 0 else number(x)

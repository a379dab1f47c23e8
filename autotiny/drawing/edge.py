"""What a picture says of a use: an edge from an operand to the operation that it went into."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from autotiny.drawing.chain_rule import derivative
from autotiny.drawing.reading import Place, Reading
from autotiny.drawing.values import Shown, number, show
from autotiny.recording import value_of

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
    contribution: Shown | None = None
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
        contribution=show(passed.value, small=True) if passed else None,
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

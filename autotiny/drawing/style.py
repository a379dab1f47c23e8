"""How a picture is laid out and what stands out in it, as a lecturer asks for it."""

from dataclasses import dataclass
from typing import Any, Literal

from autotiny.drawing.graph_view import NodeId
from autotiny.errors import UnsupportedError

Direction = Literal["across", "down"]
DIRECTIONS = ("across", "down")
LEGEND = (
    ("#3", "the order in which backprop visits the values"),
    ("Σ 2", "a gradient that is the sum of so many contributions"),
    ("× A", "what the gradient g is multiplied with on its way back along the arrow"),
    ("width", "the share of a contribution; dashed: it contributes nothing"),
    ("○→", "a gradient that goes past what is between, in one go"),
)
"""The signs of a picture, and what they mean."""


@dataclass(frozen=True)
class Style:
    """The options of a picture that change neither its cards nor its edges.

    direction : from left to right, or from top to bottom; None for what can be read best.
    legend : whether the signs are explained below the graph.
    highlighted : the values on the ways from some tensors to the output; None where nothing stands out.
    """

    direction: Direction | None = None
    legend: bool = False
    highlighted: frozenset[NodeId] | None = None


PLAIN = Style()


def chosen_direction(direction: Any) -> Direction | None:
    """Return the direction that was asked for; raises UnsupportedError for one that there is not."""
    if direction is None or direction in DIRECTIONS:
        return direction
    raise UnsupportedError(f"draw: direction: expected 'across' or 'down'; got {direction!r}")

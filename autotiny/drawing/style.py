"""How a picture is laid out and what stands out in it, as a lecturer asks for it."""

from dataclasses import dataclass
from typing import Any, Literal

from autotiny.drawing.graph_view import NodeId
from autotiny.errors import UnsupportedError

Direction = Literal["across", "down"]
DIRECTIONS = ("across", "down")
SMALLEST_TEXT = 9
TEXT_SIZES = (6, 48)
MOST_DIGITS = 17
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
    digits : the number of significant digits; None for four, and three where there are several numbers.
    text_size : the size of the smallest text in points.
    """

    direction: Direction | None = None
    legend: bool = False
    highlighted: frozenset[NodeId] | None = None
    digits: int | None = None
    text_size: float = SMALLEST_TEXT

    @property
    def text_scale(self) -> float:
        """The factor by which text is larger than in an ordinary picture."""
        return self.text_size / SMALLEST_TEXT


PLAIN = Style()


def chosen_direction(direction: Any) -> Direction | None:
    """Return the direction that was asked for; raises UnsupportedError for one that there is not."""
    if direction is None or direction in DIRECTIONS:
        return direction
    raise UnsupportedError(f"draw: direction: expected 'across' or 'down'; got {direction!r}")


def chosen_digits(digits: Any) -> int | None:
    """Return the number of digits that was asked for; raises UnsupportedError for one that no number has."""
    if digits is None or (isinstance(digits, int) and not isinstance(digits, bool) and 1 <= digits <= MOST_DIGITS):
        return digits
    raise UnsupportedError(f"draw: digits: expected an integer from 1 to {MOST_DIGITS}; got {digits!r}")


def chosen_text_size(size: Any) -> float:
    """Return the size of the smallest text that was asked for; raises UnsupportedError for what cannot be read."""
    low, high = TEXT_SIZES
    if isinstance(size, int | float) and not isinstance(size, bool) and low <= size <= high:
        return float(size)
    raise UnsupportedError(f"draw: text_size: expected points from {low} to {high}; got {size!r}")

"""The graph as text: an aligned table in topological order, which needs nothing but a terminal."""

from collections.abc import Sequence

from autotiny.drawing.card import Card
from autotiny.tables import aligned

HEADINGS = ("name", "is", "shape", "value", "gradient")


def text(cards: Sequence[Card]) -> str:
    """One line for each value, operands before results; "—" where backward has not put a gradient yet."""
    return aligned([HEADINGS, *(_line(card) for card in cards)])


def _line(card: Card) -> tuple[str, ...]:
    gradient = card.gradient.summary if card.gradient else ""
    return card.name, card.origin, str(card.shape), card.value.summary, gradient

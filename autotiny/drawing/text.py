"""The graph as text, which needs nothing but a terminal: a table in topological order, and a tree."""

from collections.abc import Sequence

from autotiny.drawing.card import Card
from autotiny.drawing.edge import Edge
from autotiny.tables import aligned

HEADINGS = ("name", "is", "shape", "value", "gradient")


def table(cards: Sequence[Card]) -> str:
    """One line for each value, operands before results; "—" where backward has not put a gradient yet."""
    return aligned([HEADINGS, *(_line(card) for card in cards)])


def _line(card: Card) -> tuple[str, ...]:
    gradient = card.gradient.summary if card.gradient else ""
    if card.paths > 1:
        gradient += f" = Σ {card.paths}"
    shape = str(card.shape) + (f" {card.warning}" if card.warning else "")
    return card.name, card.origin, shape, card.value.summary, gradient


def tree(cards: Sequence[Card], edges: Sequence[Edge]) -> str:
    """The output, and below each result its operands; a value that is used again is not told again, but pointed at."""
    known = {card.id: card for card in cards}
    operands: dict[str, list[str]] = {card.id: [] for card in cards}
    for edge in edges:
        operands[edge.target].append(edge.source)
    used = {edge.source for edge in edges}
    lines: list[tuple[str, Card, bool]] = []
    told: set[str] = set()
    waiting = [("", "", card.id) for card in cards if card.id not in used]
    while waiting:
        lead, branch, at = waiting.pop()
        again = at in told
        lines.append((lead + branch, known[at], again))
        if again:
            continue
        told.add(at)
        inner = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        below = operands[at]
        waiting += [
            (inner, "└─ " if number == len(below) - 1 else "├─ ", operand) for number, operand in enumerate(below)
        ][::-1]
    return aligned([_branch(*line) for line in lines])


def _branch(lead: str, card: Card, again: bool) -> tuple[str, str, str]:
    if again:
        return f"{lead}{card.name} ↑", "", ""
    words = card.name if card.origin in ("variable", "data", "constant") else f"{card.name} = {card.origin}"
    return f"{lead}{words}", card.value.summary, f"grad {card.gradient.summary}" if card.gradient else ""

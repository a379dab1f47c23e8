"""The picture of a recorded graph, and the call that takes it."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotiny import graph
from autotiny.describe import variable_name
from autotiny.drawing.card import Card, cards
from autotiny.drawing.dot import dot
from autotiny.drawing.render import GraphvizMissingError, render
from autotiny.drawing.svg import decorate
from autotiny.drawing.text import text
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.tensor import Tensor

LARGEST_GRAPH = 400
FORMATS = (".svg", ".png", ".pdf", ".dot")
SHARP = "192"
"""Dots per inch of a PNG: twice what a page shows, for screens that have them."""


class GraphTooLargeError(AutotinyError):
    """A graph of more values than a picture can hold."""


@dataclass(frozen=True, repr=False)
class Picture:
    """A graph as it was when the picture was taken; shows itself in a notebook, and as a table in a terminal."""

    cards: Sequence[Card]

    @functools.cached_property
    def dot(self) -> str:
        """DOT text of the graph."""
        return dot(self.cards)

    @functools.cached_property
    def svg(self) -> str:
        """SVG text of the picture; raises GraphvizMissingError where there is no Graphviz."""
        title = f"Computation graph of {self.cards[-1].name}"
        sentences = [card.sentence for card in self.cards]
        return decorate(render(self.dot, "svg").decode(), self.dot, title, sentences)

    def save(self, path: str | Path) -> None:
        """Write the picture to a file; its ending chooses .svg, .png, .pdf or .dot.

        Raises ValueError for another ending, GraphvizMissingError where there is no Graphviz.
        """
        path = Path(path)
        if path.suffix not in FORMATS:
            raise ValueError(f"draw: expected a file name that ends in one of {', '.join(FORMATS)}; got {str(path)!r}")
        path.write_bytes(self._encode(path.suffix))

    def _encode(self, suffix: str) -> bytes:
        if suffix in (".svg", ".dot"):
            return (self.svg if suffix == ".svg" else self.dot).encode()
        return render(dot(self.cards, dpi=SHARP) if suffix == ".png" else self.dot, suffix[1:])

    def __repr__(self) -> str:
        """The graph as a table, which needs no Graphviz."""
        return text(self.cards)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        try:
            return {"text/html": self.svg, "text/plain": repr(self)}
        except GraphvizMissingError as missing:
            return {"text/plain": f"{self!r}\n\n{missing}"}


def draw(output: Tensor) -> Picture:
    """Picture of the graph that leads to a tensor: names, operations, shapes, values and gradients.

    Names are the tensors' own, else those of the caller's variables. Raises UnsupportedError for anything but a Tensor
    and GraphTooLargeError beyond 400 values.

    >>> import autotiny as at
    >>> x = at.Tensor(3.0, name="x")
    >>> y = x * x
    >>> y.backward()
    >>> at.draw(y)
    name  is        shape  value  gradient
    x     variable  ()     3      6
    y     x * x     ()     9      1
    """
    if not isinstance(output, Tensor):
        got = type(output).__name__
        raise UnsupportedError(f"draw: expected a Tensor; got {got}, which has no graph: compute it from an at.Tensor")
    order, scope = graph.topological_order(output), graph.caller_scope()
    if len(order) > LARGEST_GRAPH:
        raise GraphTooLargeError(_advice(order, scope))
    return Picture(cards(order, scope))


def _advice(order: Sequence[Tensor], scope: Mapping[str, Any]) -> str:
    # The graph of a value cannot be larger than its place in the order.
    fitting = [variable_name(value, scope) for value in order[:LARGEST_GRAPH] if value.op is not None]
    part = next((f"at.draw({name})" for name in reversed(fitting) if name), "at.draw of a value nearer to the inputs")
    return (
        f"draw: the graph has {len(order):,} values, and a picture of more than {LARGEST_GRAPH} cannot be read; "
        f"draw a part of it, such as {part}"
    )

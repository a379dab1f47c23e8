"""The picture of a recorded graph, and the call that takes it."""

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotiny.drawing.both import GradientGraph, called, require_tracked, scene_of_both
from autotiny.drawing.card import Card
from autotiny.drawing.choice import chosen_depth, chosen_groups, chosen_places, chosen_tensors
from autotiny.drawing.dot import dot
from autotiny.drawing.edge import Edge
from autotiny.drawing.groups import Group, grouped
from autotiny.drawing.label import GRADIENT_LINK, table, tree
from autotiny.drawing.reading import Reading
from autotiny.drawing.render import GraphvizMissingError, decorate, file_named, render
from autotiny.drawing.view import Scene, open_to, readable_depth, scene
from autotiny.engine import graph
from autotiny.engine.call_site import caller_scope
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError

if TYPE_CHECKING:
    from autotiny.drawing.stepping import Steps

FORMATS = (".svg", ".png", ".pdf", ".dot", ".html")
SHARP = "192"
"""Dots per inch of a PNG: twice what a page shows, for screens that have them."""


class Picture:
    """A graph as it was when the picture was taken; shows itself in a notebook, and as text in a terminal."""

    def __init__(self, reading: Reading, root: Group, opened: frozenset[str]) -> None:
        self.reading, self.root, self.opened = reading, root, opened
        self._scene: Scene = self._compose()

    def _compose(self) -> Scene:
        return scene(self.reading, self.root, self.opened)

    @property
    def cards(self) -> Sequence[Card]:
        """Every value and every closed group, operands before results."""
        return self._scene.cards

    @property
    def edges(self) -> Sequence[Edge]:
        """Every use of a value."""
        return self._scene.edges

    def with_opened(self, group: str) -> "Picture":
        """The picture with one more group open, by its card's id."""
        return Picture(self.reading, self.root, self.opened | {group})

    def without_labels(self) -> "Picture":
        """The picture without the words on its edges: where there are many, to lay them out takes seconds."""
        bare = copy.copy(self)
        for drawn in ("dot", "svg"):
            vars(bare).pop(drawn, None)
        bare._scene = replace(self._scene, edges=[replace(edge, label="") for edge in self.edges])
        return bare

    @functools.cached_property
    def dot(self) -> str:
        """DOT text of the graph."""
        return dot(self._scene)

    @functools.cached_property
    def svg(self) -> str:
        """SVG text of the picture; raises GraphvizMissingError where there is no Graphviz."""
        told = {card.id: "\n".join(card.lines) for card in self.cards}
        told |= {edge.id: edge.sentence for edge in self.edges}
        return decorate(render(self.dot, "svg").decode(), self.dot, self.title, told)

    @property
    def title(self) -> str:
        """What the picture is of."""
        return f"Computation graph of {self.root.name}"

    @property
    def table(self) -> str:
        """The graph as an aligned table, operands before results."""
        return table(self.cards)

    @property
    def tree(self) -> str:
        """The graph as a tree, results before operands."""
        return tree(self.cards, self.edges)

    @property
    def steps(self) -> "Steps":
        """The picture as it steps forward and back: a page with a slider, an SVG that plays by itself, or text."""
        from autotiny.drawing.stepping import Steps

        return Steps(self)

    @property
    def static(self) -> "StaticPicture":
        """The picture for a notebook that is committed: an image, which a code forge shows too."""
        return StaticPicture(self)

    def save(self, path: str | Path) -> None:
        """Write the picture to a file; its ending chooses .svg, .png, .pdf, .dot or .html, which steps.

        Raises ValueError for another ending, UnsupportedError for no file name, GraphvizMissingError where there is no
        Graphviz.
        """
        path, ending = file_named(path, FORMATS, f"expected a file name that ends in one of {', '.join(FORMATS)}")
        if ending == ".html":
            self.steps.save(path)
        else:
            path.write_bytes(self._encode(ending))

    def _encode(self, suffix: str) -> bytes:
        if suffix in (".svg", ".dot"):
            return (self.svg if suffix == ".svg" else self.dot).encode()
        source = dot(self._scene, dpi=SHARP) if suffix == ".png" else self.dot
        return render(source.replace(GRADIENT_LINK, ""), suffix[1:])

    def __repr__(self) -> str:
        """The graph as a table and as a tree, which needs no Graphviz."""
        return f"{self.table}\n\n{self.tree}" if self.edges else self.table

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return _bundle(self, "text/html")


class PictureOfBoth(Picture):
    """A graph and beside it the graph of its gradients; it steps as the graph alone."""

    def __init__(self, alone: Picture, gradients: GradientGraph, scope: Mapping[str, Any]) -> None:
        self.alone, self.gradients = alone, gradients
        output = alone.reading.output
        names = called(alone.reading, gradients)
        reading = Reading(graph.topological_order(output, *gradients.wanted), scope, output, names)
        super().__init__(reading, alone.root, alone.opened)

    def _compose(self) -> Scene:
        return scene_of_both(self.reading, self.gradients)

    @property
    def steps(self) -> "Steps":
        """The graph without its gradients, as it steps."""
        return self.alone.steps


class StaticPicture:
    """A picture that a notebook holds as an image."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    def __repr__(self) -> str:
        """The graph as text."""
        return repr(self.picture)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return _bundle(self.picture, "image/svg+xml")


def _bundle(picture: Picture, kind: str) -> Mapping[str, str]:
    try:
        return {kind: picture.svg, "text/plain": repr(picture)}
    except GraphvizMissingError as missing:
        return {"text/plain": f"{picture!r}\n\n{missing}"}


def draw(
    output: Any,
    *,
    depth: int | None = None,
    expand: str | Sequence[str] = (),
    focus: Tensor | Sequence[Tensor] = (),
    gradients: Tensor | Sequence[Tensor] = (),
) -> Picture:
    """Picture of the graph that leads to a tensor: names, operations, shapes, values and gradients.

    Names are the tensors' own, else those of the caller's variables. A graph of more than 60 values is shown in groups:
    those of `at.scope`, else values that belong together or are alike. `depth` says how many levels of groups to show,
    `expand` opens single groups by their names, `focus` shows only what lies between some tensors and the output.
    `gradients` draws beside the graph that of the gradients of some tensors, each operation linked to those that its
    rules recorded.

    Of a function that at.compile has made, the picture shows the formula that its program computes.

    Raises UnsupportedError for anything but a Tensor, and for a group or a tensor that is not there, GraphTooLargeError
    where more than 400 values and groups would be shown.

    >>> import autotiny as at
    >>> x = at.Tensor(3.0, name="x")
    >>> y = x * x
    >>> y.backward()
    >>> at.draw(y)
    name  is        shape  value  gradient
    x     variable  ()     3      6 = Σ 2
    y     x * x     ()     9      1
    <BLANKLINE>
    y = x * x  9  grad 1
    ├─ x       3  grad 6
    └─ x ↑
    """
    if hasattr(output, "graph"):  # what at.compile has made of a function: the formula that is left
        output = output.graph()
    if not isinstance(output, Tensor):
        got = type(output).__name__
        raise UnsupportedError(f"draw: expected a Tensor; got {got}, which has no graph: compute it from an at.Tensor")
    scope = caller_scope()
    reading = Reading(graph.topological_order(output), scope)
    root = grouped(reading, chosen_places(reading, focus))
    opened = open_to(root, readable_depth(root) if depth is None else chosen_depth(depth))
    picture = Picture(reading, root, opened | chosen_groups(root, expand))
    wanted = chosen_tensors(reading, "gradients", gradients)
    require_tracked(reading, wanted)
    return PictureOfBoth(picture, GradientGraph(output, wanted), scope) if wanted else picture

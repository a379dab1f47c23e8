"""A picture with its steps: a page with a slider, an SVG that plays by itself, or text."""

import contextlib
import copy
import functools
import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from autotiny.drawing.card import LONGEST_TITLE
from autotiny.drawing.closer import closer_data
from autotiny.drawing.composition import Composition
from autotiny.drawing.flows import backward_flows
from autotiny.drawing.graph_view import GraphView
from autotiny.drawing.groups import Group
from autotiny.drawing.page import PageView, page, playing
from autotiny.drawing.render import GraphvizMissingError
from autotiny.drawing.scene import GraphTooLargeError
from autotiny.drawing.selection import groups_within
from autotiny.drawing.steps import PassStep, StepBuilder
from autotiny.engine.contributions import Backprop, contributions
from autotiny.files import file_named
from autotiny.notation.text import clean

FORMATS = (".html", ".svg")
MOST_EDGES = 4000
"""The number of edges in all pictures of a page: each takes a millisecond, and a kilobyte of the page."""
MOST_WHOLE = 2000
"""The number of edges up to which every group opens within the whole picture; else it opens among its neighbours."""
OPERATIONS = "operations"
"""The name of the picture in which every line is open."""
MOST_LABELS = 40
"""The number of edges up to which those in a picture of an open group have labels; the steps have the same words."""
FRAME_HEIGHT = 640


class SteppingPicture:
    """The forward pass and backprop through a graph, step by step, in the order in which the engine goes.

    Shows itself in a notebook as a page with a slider, in a terminal as text. `.html` is the page, `.svg` a picture
    that plays by itself; `.save` writes either.
    """

    def __init__(self, picture: Composition) -> None:
        backprop = _backprop(picture.graph)
        self._flows = backward_flows(picture.graph, backprop) if backprop else {}
        self.picture = _with_gradients(picture, backprop) if backprop else picture

    @functools.cached_property
    def steps(self) -> Sequence[PassStep]:
        """The steps in order of time."""
        return StepBuilder(self.picture, self._flows).steps()

    @property
    def html(self) -> str:
        """The page, which loads nothing else; raises GraphvizMissingError where there is no Graphviz."""
        opened = list(_views(self.picture))
        views = [
            PageView(
                view.name,
                view.parent,
                view.title,
                view.picture.svg,
                self._steps_in(view.picture),
                [card.lines[0] for card in view.picture.cards],
                packed=view.name not in ("", OPERATIONS),
            )
            for view in opened
        ]
        items = dict.fromkeys(child for view in opened for child in view.picture.items)
        return page(self.picture.title, views, closer_data(self.picture.graph, items, self.picture.lines))

    def _steps_in(self, picture: Composition) -> Sequence[PassStep]:
        return StepBuilder(picture, self._flows).steps()

    @property
    def svg(self) -> str:
        """The picture that plays by itself; raises GraphvizMissingError where there is no Graphviz."""
        return playing(self.picture.svg, self.steps)

    def save(self, path: str | Path) -> None:
        """Write the page (.html), or the picture that plays by itself (.svg).

        Raises ValueError for another ending, UnsupportedError for what is not a file name, GraphvizMissingError where
        there is no Graphviz.
        """
        path, ending = file_named(path, FORMATS, "draw: steps are saved in a file that ends in .html or .svg")
        path.write_text(self.html if ending == ".html" else self.svg, encoding="utf-8")

    def __repr__(self) -> str:
        """Every step as text, which needs no Graphviz."""
        return "\n\n".join(_as_text(k, step) for k, step in enumerate(self.steps, 1))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        try:
            # A frame of its own: notebooks run no scripts in the output of a cell, or remove them.
            source = html.escape(self.html)
        except GraphvizMissingError as missing:
            return {"text/plain": f"{self!r}\n\n{missing}"}
        frame = (
            f'<iframe srcdoc="{source}" sandbox="allow-scripts" title="{html.escape(self.picture.title)}, step by step"'
            f' style="width:100%;height:{FRAME_HEIGHT}px;border:0"></iframe>'
        )
        return {"text/html": frame, "text/plain": repr(self)}


def _as_text(k: int, step: PassStep) -> str:
    lines = [f"{k:3}. {'backward' if step.backward else 'forward'}: {step.title}"]
    return "\n".join(lines + [f"       {line.label}: {line.text}" for line in step.lines])


# ----- the backward pass -----
def _backprop(graph: GraphView) -> Backprop | None:
    """Return the sweep from the output, from its own gradient or from 1; None where there is nothing to start from."""
    output = graph.output
    if output.op is None or not output.requires_grad or (output._grad is None and output.size != 1):
        return None
    return contributions(output, output._grad)


def _with_gradients(picture: Composition, backprop: Backprop) -> Composition:
    """Return the picture with the gradients of this very sweep, which does not set `.grad`."""
    graph = copy.copy(picture.graph)
    graph.gradients = {graph.ids[tensor]: g for tensor, g in backprop.gradients.items()}
    graph.follow(backprop.visits)
    return Composition(graph, picture.root, picture.opened, picture.style)


# ----- groups that open -----
class OpenedPicture(NamedTuple):
    """A picture in which one more group is open than in its parent."""

    name: str
    """The id of the group; "" for the first picture."""
    parent: str
    """The name of the picture without it."""
    title: str
    picture: Composition


def _views(picture: Composition) -> Iterator[OpenedPicture]:
    """Yield the picture, that with every line open, and one for each group that can be opened in it, and in that one.

    They are as many as a page has room for.
    """
    views, edges = [OpenedPicture("", "", "", picture)], len(picture.edges)
    groups = {group.id: group for group in groups_within(picture.root)}
    among_all = len(groups) * len(picture.edges) <= MOST_WHOLE
    if picture.lines:
        every_line = functools.partial(picture.with_opened, *(line.id for line in picture.lines))
        views += _opened(views[0], OPERATIONS, "every line", every_line)
    for view in views:  # the loop appends to the list
        yield view
        opens = view.picture.with_opened if among_all else view.picture.around
        inside = groups[view.name].children if view.name in view.picture.opened else view.picture.items
        for group in inside:
            if edges > MOST_EDGES:
                break
            if isinstance(group, Group) and group.id not in view.picture.opened and view.name != OPERATIONS:
                views += _opened(view, group.id, clean(group.name, LONGEST_TITLE), functools.partial(opens, group.id))
                edges += len(views[-1].picture.edges)


def _opened(view: OpenedPicture, name: str, title: str, opens: Callable[[], Composition]) -> Iterator[OpenedPicture]:
    with contextlib.suppress(GraphTooLargeError):
        opened = opens()
        shown = opened if len(opened.edges) <= MOST_LABELS else opened.without_labels()
        yield OpenedPicture(name, view.name, title, shown)

"""A picture that steps: as a page with a slider, as an SVG that plays by itself, as text."""

import contextlib
import copy
import functools
import html
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from autotiny.drawing.card import LONGEST_TITLE
from autotiny.drawing.groups import Group
from autotiny.drawing.page import Scene, page
from autotiny.drawing.picture import Picture
from autotiny.drawing.playing import playing
from autotiny.drawing.reading import Reading
from autotiny.drawing.render import GraphvizMissingError, file_named
from autotiny.drawing.steps import Film, Step, way_back
from autotiny.drawing.view import GraphTooLargeError, visible
from autotiny.engine.contributions import Backprop, contributions
from autotiny.notation.text import clean

FORMATS = (".html", ".svg")
MOST_SCENES, MOST_VALUES = 24, 300_000
"""Pictures in one page, each with other groups open; fewer of them where each stands for very many values."""
MOST_LABELS = 40
"""Edges that bear words in a picture of an open group; the steps tell the same."""
FRAME_HEIGHT = 640


class Steps:
    """The forward pass and backprop through a graph, step by step, in the order in which the engine goes.

    Shows itself in a notebook as a page with a slider, in a terminal as text. `.html` is the page, `.svg` a picture
    that plays by itself; `.save` writes either.
    """

    def __init__(self, picture: Picture) -> None:
        reading, backprop = picture.reading, _backprop(picture.reading)
        self._passed = way_back(reading, backprop) if backprop else []
        self.picture = Picture(_swept(reading, backprop), picture.root, picture.opened) if backprop else picture

    @functools.cached_property
    def steps(self) -> Sequence[Step]:
        """What happens, moment by moment."""
        return Film(self.picture, self._passed).steps()

    @property
    def html(self) -> str:
        """The page, which needs nothing but itself; raises GraphvizMissingError where there is no Graphviz."""
        scenes = [
            Scene(view.name, view.parent, view.title, view.picture.svg, Film(view.picture, self._passed).steps())
            for view in _views(self.picture)
        ]
        return page(self.picture.title, scenes)

    @property
    def svg(self) -> str:
        """The picture that plays by itself; raises GraphvizMissingError where there is no Graphviz."""
        return playing(self.picture.svg, self.steps)

    def save(self, path: str | Path) -> None:
        """Write the page (.html), or the picture that plays by itself (.svg).

        Raises ValueError for another ending, UnsupportedError for no file name, GraphvizMissingError where there is no
        Graphviz.
        """
        path, ending = file_named(path, FORMATS, "steps are saved in a file that ends in .html or .svg")
        path.write_text(self.html if ending == ".html" else self.svg, encoding="utf-8")

    def __repr__(self) -> str:
        """Every step as text, which needs no Graphviz."""
        return "\n\n".join(_told(k, step) for k, step in enumerate(self.steps, 1))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        try:
            # A frame of its own: notebooks run no scripts in what they are shown, or strip them.
            source = html.escape(self.html)
        except GraphvizMissingError as missing:
            return {"text/plain": f"{self!r}\n\n{missing}"}
        frame = (
            f'<iframe srcdoc="{source}" sandbox="allow-scripts" title="{html.escape(self.picture.title)}, step by step"'
            f' style="width:100%;height:{FRAME_HEIGHT}px;border:0"></iframe>'
        )
        return {"text/html": frame, "text/plain": repr(self)}


def _told(k: int, step: Step) -> str:
    lines = [f"{k:3}. {'backward' if step.backward else 'forward'}: {step.title}"]
    return "\n".join(lines + [f"       {line.what}: {line.text}" for line in step.lines])


# ----- the way back -----
def _backprop(reading: Reading) -> Backprop | None:
    """The sweep from the output, from the gradient that it has or 1; None where there is no way back."""
    output = reading.output
    if output.op is None or not output.requires_grad or (output._grad is None and output.size != 1):
        return None
    return contributions(output, output._grad)


def _swept(reading: Reading, backprop: Backprop) -> Reading:
    """The graph with the gradients of this very sweep, which is not published to `.grad`."""
    swept = copy.copy(reading)
    swept.gradients = {reading.places[tensor]: g for tensor, g in backprop.gradients.items()}
    swept.turns = {reading.places[visit.node]: turn for turn, visit in enumerate(backprop.visits, 1)}
    swept.passed = {
        (reading.places[visit.node], c.position): c for visit in backprop.visits for c in visit.contributions
    }
    return swept


# ----- groups that open -----
class View(NamedTuple):
    """One picture of the graph: the one that was asked for, or with one more group open."""

    name: str
    """The id of the group."""
    parent: str
    """The picture to go back to."""
    title: str
    picture: Picture


def _views(picture: Picture) -> Iterator[View]:
    """The picture, then one for each group that can be opened in it, and in that, as far as there is room."""
    views = [View("", "", "", picture)]
    most = min(MOST_SCENES, 1 + MOST_VALUES // len(picture.reading.values))
    for view in views:  # grows while it is walked
        yield view
        inside = _group(picture.root, view.name).children if view.name else visible(picture.root, picture.opened)
        closed = (child for child in inside if isinstance(child, Group) and child.id not in view.picture.opened)
        for group in islice(closed, most - len(views)):
            with contextlib.suppress(GraphTooLargeError):
                opened = view.picture.with_opened(group.id)
                told = opened if len(opened.edges) <= MOST_LABELS else opened.without_labels()
                views.append(View(group.id, view.name, clean(group.name, LONGEST_TITLE), told))


def _group(root: Group, name: str) -> Group:
    waiting = [root]
    for group in waiting:  # grows while it is walked
        if group.id == name:
            return group
        waiting += [child for child in group.children if isinstance(child, Group)]
    raise KeyError(name)

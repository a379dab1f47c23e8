"""The page on which a graph steps: one file of HTML that needs nothing but itself.

The steps stand in the page as lists, so that it reads without scripts too; the script shows one at a time and lights
the picture. No other script may run in the page, which names the hash of its own, and nothing is loaded.
"""

import base64
import hashlib
import html
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import NamedTuple

from autotiny.drawing.steps import Line, Step
from autotiny.notation.heat import SHADES, Heat, colour
from autotiny.notation.palette import css_variables


class Scene(NamedTuple):
    """A picture with its steps."""

    name: str
    """The group that is open in it, by its id; "" for the first picture."""
    parent: str
    """The scene to go back to when the group is closed."""
    title: str
    """The group's name."""
    svg: str
    steps: Sequence[Step]


def page(title: str, scenes: Sequence[Scene]) -> str:
    """The page of a graph: the first scene, and one for every group that opens on click."""
    script = "\n" + _template("steps.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(_template("steps.html")).substitute(
        title=html.escape(title),
        hint=" · a click opens a group, Escape closes it" if len(scenes) > 1 else "",
        style=css_variables() + _template("steps.css") + _shades(),
        script=script,
        script_hash=f"sha256-{digest}",
        scenes="\n".join(map(_scene, scenes)),
    )


def _template(name: str) -> str:
    return (files("autotiny.drawing") / "templates" / name).read_text(encoding="utf-8")


def _shades() -> str:
    """A class for each shade of a heat map: a page has thousands of cells."""
    cells = {f"h{cell}": colour(cell) for cell in range(-SHADES, SHADES + 1)} | {"hNone": colour(None)}
    return "\n".join(f".heat .{name} {{ background: {shade}; }}" for name, shade in cells.items()) + "\n"


def _scene(scene: Scene) -> str:
    title, told = html.escape(scene.title), "".join(map(_step, scene.steps))
    places = f'data-scene="{scene.name}" data-parent="{scene.parent}" data-title="{title}"'
    hidden = " hidden" if scene.name else ""
    opened = f'<p class="opened"><b>{title}</b> is open <button type="button" data-close>Close</button></p>\n'
    return (
        f'<div class="scene" {places}{hidden}>\n{opened if scene.name else ""}'
        f'<div class="stage" tabindex="0" role="region" aria-label="The graph">{scene.svg}</div>\n'
        f'<ol class="steps" tabindex="0" aria-label="The steps">\n{told}</ol>\n</div>'
    )


def _step(step: Step) -> str:
    one_pass = "backward" if step.backward else "forward"
    facts = {
        "pass": one_pass,
        "moment": str(step.moment),
        "active": step.active,
        "receiver": step.receiver,
        "edge": step.edge,
        "total": step.total,
    }
    data = "".join(f' data-{name}="{html.escape(fact)}"' for name, fact in facts.items() if fact)
    lines = "".join(map(_line, step.lines))
    return (
        f'<li class="{one_pass}"{data}><p class="pass">{one_pass}</p>'
        f"<h2>{html.escape(step.title)}</h2><dl>{lines}</dl></li>\n"
    )


def _line(line: Line) -> str:
    cells = _table("numbers", [[f"<td>{html.escape(entry)}" for entry in row] for row in line.rows])
    return f"<dt>{line.what}</dt><dd>{html.escape(line.text)}{cells or _heat_map(line.heat)}</dd>"


def _heat_map(heat: Heat | None) -> str:
    return _table("heat", [[f"<td class=h{cell}>" for cell in row] for row in heat.cells]) if heat else ""


def _table(kind: str, rows: Sequence[Sequence[str]]) -> str:
    return (
        f'<table class="{kind}" aria-hidden="true">{"".join("<tr>" + "".join(row) for row in rows)}</table>'
        if rows
        else ""
    )

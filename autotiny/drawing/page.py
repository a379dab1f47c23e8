"""The page on which a graph steps: one file of HTML, which loads nothing else.

The steps are lists in the page, so that it can be read without scripts too; the script shows one at a time and lights
the picture. The page's security policy names the hash of this script and allows no other.
"""

import base64
import hashlib
import html
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import NamedTuple

from autotiny.drawing.steps import Line, PassStep
from autotiny.notation.heat import SHADES, Heat, colour
from autotiny.notation.palette import css_variables


class PageView(NamedTuple):
    """One picture of a graph on its page, with its steps."""

    name: str
    """The id of the group that was opened last; "" for the first picture."""
    parent: str
    """The view to go back to when that group is closed."""
    title: str
    """The group's name."""
    svg: str
    steps: Sequence[PassStep]


def page(title: str, views: Sequence[PageView]) -> str:
    """Return the page of a graph: the first view, and one for every group that opens on click."""
    script = "\n" + _template("steps.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(_template("steps.html")).substitute(
        title=html.escape(title),
        hint=" · a click opens a group, Escape closes it" if len(views) > 1 else "",
        style=css_variables() + _template("steps.css") + _shades(),
        script=script,
        script_hash=f"sha256-{digest}",
        views="\n".join(map(_view, views)),
    )


def _template(name: str) -> str:
    return (files("autotiny.drawing") / "templates" / name).read_text(encoding="utf-8")


def _shades() -> str:
    """Return a class for each shade of a heat map: a page has thousands of cells."""
    cells = {f"h{cell}": colour(cell) for cell in range(-SHADES, SHADES + 1)} | {"hNone": colour(None)}
    return "\n".join(f".heat .{name} {{ background: {shade}; }}" for name, shade in cells.items()) + "\n"


def _view(view: PageView) -> str:
    title, steps = html.escape(view.title), "".join(map(_step, view.steps))
    data = f'data-view="{view.name}" data-parent="{view.parent}" data-title="{title}"'
    hidden = " hidden" if view.name else ""
    opened = f'<p class="opened"><b>{title}</b> is open <button type="button" data-close>Close</button></p>\n'
    return (
        f'<div class="view" {data}{hidden}>\n{opened if view.name else ""}'
        f'<div class="stage" tabindex="0" role="region" aria-label="The graph">{view.svg}</div>\n'
        f'<ol class="steps" tabindex="0" aria-label="The steps">\n{steps}</ol>\n</div>'
    )


def _step(step: PassStep) -> str:
    direction = "backward" if step.backward else "forward"
    facts = {
        "pass": direction,
        "moment": str(step.moment),
        "active": step.active,
        "receiver": step.receiver,
        "edge": step.edge,
        "total": step.total,
    }
    data = "".join(f' data-{name}="{html.escape(fact)}"' for name, fact in facts.items() if fact)
    lines = "".join(map(_line, step.lines))
    return (
        f'<li class="{direction}"{data}><p class="pass">{direction}</p>'
        f"<h2>{html.escape(step.title)}</h2><dl>{lines}</dl></li>\n"
    )


def _line(line: Line) -> str:
    cells = _table("numbers", [[f"<td>{html.escape(entry)}" for entry in row] for row in line.rows])
    return f"<dt>{line.label}</dt><dd>{html.escape(line.text)}{cells or _heat_map(line.heat)}</dd>"


def _heat_map(heat: Heat | None) -> str:
    return _table("heat", [[f"<td class=h{cell}>" for cell in row] for row in heat.cells]) if heat else ""


def _table(kind: str, rows: Sequence[Sequence[str]]) -> str:
    lines = "".join("<tr>" + "".join(row) for row in rows)
    return f'<table class="{kind}" aria-hidden="true">{lines}</table>' if rows else ""

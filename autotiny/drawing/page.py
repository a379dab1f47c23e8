"""Pictures that step: a page, one file of HTML that loads nothing else, and an SVG that plays by itself.

The steps are lists in the page, so that it can be read without scripts too; the script shows one at a time and lights
the picture. The page's security policy names the hash of this script and allows no other.
"""

import base64
import html
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from string import Template
from typing import NamedTuple

from autotiny.drawing.figure import hash_of, script_of, template
from autotiny.drawing.steps import Line, PassStep
from autotiny.notation.palette import GRADIENT, LINE, MUTED, SHADES, TEXT, VALUE, WHITE, Heat, colour, css_variables
from autotiny.notation.text import clean


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
    cards: Sequence[str] = ()
    """What the cards are called."""
    packed: bool = False
    """Whether it is compressed, and unpacked when it is opened: a page may have hundreds of these."""


def page(title: str, views: Sequence[PageView], data: str) -> str:
    """Return the page of a graph: the first view, one for every group that opens on click, and the cards' data."""
    script = "\n" + script_of("closer.js", "zoom.js", "steps.js")
    return Template(template("steps.html")).substitute(
        title=html.escape(title),
        hint=" · Escape goes back" if len(views) > 1 else "",
        style=css_variables() + "".join(map(template, ("steps.css", "zoom.css", "closer.css"))) + _shades(),
        script=script,
        script_hash=hash_of(script),
        views="\n".join(map(_view, views)),
        data=data,
    )


def _shades() -> str:
    """Return a class for each shade of a heat map: a page has thousands of cells."""
    cells = {f"h{cell}": colour(cell) for cell in range(-SHADES, SHADES + 1)} | {"hNone": colour(None)}
    return "\n".join(f".heat .{name} {{ background: {shade}; }}" for name, shade in cells.items()) + "\n"


def _view(view: PageView) -> str:
    title = html.escape(view.title)
    data = f'data-view="{view.name}" data-parent="{view.parent}" data-title="{title}"'
    if not view.packed:
        return f'<div class="view" {data}{" hidden" if view.name else ""}>\n{_content(view)}</div>'
    names = html.escape("\n".join(view.cards))
    packed = base64.b64encode(zlib.compress(_content(view).encode(), 9)).decode()
    return f'<div class="view" {data} data-cards="{names}" data-packed hidden>{packed}</div>'


def _content(view: PageView) -> str:
    opened = f"<b>{html.escape(view.title)}</b> is open"
    opened = f'<p class="opened">{opened} <button type="button" data-close>Close</button></p>\n'
    return (
        f"{opened if view.name else ''}"
        f'<div class="stage" tabindex="0" role="region" aria-label="The graph">{view.svg}</div>\n'
        f'<ol class="steps" tabindex="0" aria-label="The steps">\n{"".join(map(_step, view.steps))}</ol>\n'
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
    words = f'<p class="words">{html.escape(step.words)}</p>' if step.words else ""
    return (
        f'<li class="{direction}"{data}><p class="pass">{direction}</p>'
        f"<h2>{html.escape(step.title)}</h2>{words}<dl>{lines}</dl></li>\n"
    )


def _line(line: Line) -> str:
    cells = _table("numbers", [[f"<td>{html.escape(entry)}" for entry in row] for row in line.rows])
    return f"<dt>{line.label}</dt><dd>{html.escape(line.text)}{cells or _heat_map(line.heat)}</dd>"


def _heat_map(heat: Heat | None) -> str:
    return _table("heat", [[f"<td class=h{cell}>" for cell in row] for row in heat.cells]) if heat else ""


def _table(kind: str, rows: Sequence[Sequence[str]]) -> str:
    lines = "".join("<tr>" + "".join(row) for row in rows)
    return f'<table class="{kind}" aria-hidden="true">{lines}</table>' if rows else ""


# ----- an SVG that plays by itself: for a README, where no script runs -----


SECONDS, AT_THE_END = 2.5, 3.0
"""The time that each step is shown, and how much longer the last one stays."""
NARROWEST = 520.0
LINE_HEIGHT, MARGIN = 17.0, 12.0
CHARACTER = 6.3
"""The average width of a character of the caption, in points."""
DIM, LIT = ".15", "1"
STILL = "@media(prefers-reduced-motion:reduce){svg.autotiny *{animation:none!important}}"
"""For readers who want no motion: the whole picture, with the last step in the caption."""


def playing(svg: str, steps: Sequence[PassStep]) -> str:
    """Return the picture with a caption below that shows one step after another, forever."""
    opening, body = svg[: svg.index(">") + 1], svg[svg.index(">") + 1 : svg.rindex("</svg>")]
    prefix = _search(r'aria-labelledby="(\w+)-title', opening)[0]
    width, height = map(float, _search(r'viewBox="\S+ \S+ (\S+) (\S+)"', opening))
    lines = max(1 + len(step.lines) for step in steps)
    wide, tall = max(width, NARROWEST), height + 3 * MARGIN + lines * LINE_HEIGHT
    left = (width - wide) / 2
    for name, value in (
        ("width", f"{wide:.0f}"),
        ("height", f"{tall:.0f}"),
        ("viewBox", f"{left:g} 0 {wide:g} {tall:g}"),
    ):
        opening = re.sub(rf'\b{name}="[^"]*"', f'{name}="{value}"', opening, count=1)
    caption = "".join(_caption(prefix, steps, left, height + MARGIN, wide, lines * LINE_HEIGHT + MARGIN))
    style = "\n".join([*_Timeline(prefix, steps).rules(), STILL])
    return f"{opening}<style>\n{style}\n</style>{body}{caption}</svg>\n"


def _search(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    assert match, f"Graphviz writes {pattern}"
    return match.groups()


def _caption(
    prefix: str, steps: Sequence[PassStep], left: float, top: float, width: float, height: float
) -> Iterator[str]:
    """Yield a frame, and in it the text of every step, one over the other."""
    frame = f'x="{left + 1:g}" y="{top:g}" width="{width - 2:g}" height="{height:g}" rx="8"'
    yield f'<g font-family="Helvetica,Arial,sans-serif" font-size="12"><rect {frame} fill="{WHITE}" stroke="{LINE}"/>'
    room = int((width - 2 * MARGIN) / CHARACTER)
    for k, step in enumerate(steps):
        shown = "" if k == len(steps) - 1 else ' opacity="0"'
        yield f'<g id="{prefix}-t{k}"{shown}>'
        lines = [step.title, *(f"{line.label}: {line.text}" for line in step.lines)]
        for row, text in enumerate(lines):
            look = f'fill="{GRADIENT if step.backward else VALUE}" font-weight="bold"' if not row else f'fill="{TEXT}"'
            position = f'x="{left + MARGIN:g}" y="{top + LINE_HEIGHT * (row + 1):g}"'
            yield f"<text {position} {look}>{html.escape(clean(text, room))}</text>"
        yield f'<text x="{left + width - MARGIN:g}" y="{top + LINE_HEIGHT:g}" text-anchor="end" fill="{MUTED}">'
        yield f"{k + 1}/{len(steps)}</text></g>"
    yield "</g>"


class _Timeline:
    """The animations of a picture's parts, as rules of a style sheet."""

    def __init__(self, prefix: str, steps: Sequence[PassStep]) -> None:
        self.prefix, self.steps = prefix, steps
        self.length = len(steps) * SECONDS + AT_THE_END

    def rules(self) -> Iterator[str]:
        """Yield a rule with its key frames for every part that changes."""
        computed = {step.active: k for k, step in enumerate(self.steps) if not step.backward}
        graded: dict[str, int] = {}
        turns: defaultdict[str, list[int]] = defaultdict(list)
        for k, step in enumerate(self.steps):
            for card in {step.active, step.receiver} - {""}:
                turns[card].append(k)
            if step.receiver:  # the gradient appears when it is complete
                graded[step.receiver] = k
        for card in turns:
            yield from self.card(card, computed.get(card, 0), turns[card])
        for card, k in graded.items():
            yield from self.rule(f"{card} .gradient", {0: "opacity:0", k: "opacity:1"})
        for edge, k in {step.edge: k for k, step in enumerate(self.steps) if step.edge}.items():
            passing = f"stroke:{GRADIENT};stroke-width:3"
            yield from self.rule(f"{edge}>path:first-of-type", {0: "", k: passing, k + 1: f"stroke:{GRADIENT}"})
        for k in range(len(self.steps)):
            yield from self.rule(f"t{k}", {0: "opacity:0", k: "opacity:1", k + 1: "opacity:0"})

    def card(self, card: str, computed: int, turns: Sequence[int]) -> Iterator[str]:
        """Yield the rule of a card: dim until it is computed, and framed when it is its turn."""
        looks = {0: DIM, computed: LIT}
        frames = {k: f"opacity:{look};filter:none" for k, look in looks.items()}
        for k in turns:
            colour = GRADIENT if self.steps[k].backward else VALUE
            frames[k] = f"opacity:1;filter:drop-shadow(0 0 4px {colour})"
            if k + 1 not in turns:
                frames[k + 1] = "opacity:1;filter:none"
        yield from self.rule(card, frames)

    def rule(self, part: str, looks: dict[int, str]) -> Iterator[str]:
        """Yield the rule by which a part has a look from each of these steps on."""
        name = f"{self.prefix}-{re.sub('[^a-z0-9-]', '', part)}"
        frames = "".join(f"{self.percent(k)}{{{look}}}" for k, look in sorted(looks.items()) if k < len(self.steps))
        yield f"@keyframes {name}{{{frames}}}"
        yield f"#{self.prefix}-{part}{{animation:{name} {self.length:g}s step-end infinite}}"

    def percent(self, k: int) -> str:
        """Return the start of a step as a percentage of the whole."""
        return f"{100 * k * SECONDS / self.length:.3f}%"

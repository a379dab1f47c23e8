"""From Graphviz's SVG to one that may stand in any page."""

import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from autotiny.drawing.label import GRADIENT_PART

LINKED_GRADIENT = rf'<g id="[^"]*"><a xlink:href="{GRADIENT_PART}"[^>]*>(.*?)</a>'


def decorate(svg: str, source: str, title: str, told: Mapping[str, str]) -> str:
    """Fit Graphviz's SVG into a page: a title, a description, tooltips, ids of its own, no wider than the page.

    `source` is the DOT text it was made from; `told` says what to tell of each card and edge, by its id.
    """
    prefix = "at" + hashlib.sha256(source.encode()).hexdigest()[:8]
    svg = svg[svg.index("<svg") :].replace("&#45;", "-").replace('"transparent"', '"none"')
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>\n?", "", svg)
    svg = re.sub(LINKED_GRADIENT, r'<g class="gradient">\1', svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="graph\d+" class="graph"', '<g class="graph"', svg)
    svg = re.sub(r'(<g id="([\w-]+)"[^>]*>\n?)', lambda opening: _with_tooltip(opening, told), svg)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(f"(?:{CELL})+", lambda run: _condensed(run[0]), svg)
    return re.sub(r"<svg[^>]*>", lambda opening: _opened(opening[0], prefix, title, list(told.values())), svg, count=1)


def _with_tooltip(opening: re.Match[str], told: Mapping[str, str]) -> str:
    words = told.get(opening[2])
    return f"{opening[1]}<title>{html.escape(words)}</title>\n" if words else opening[1]


def _opened(opening: str, prefix: str, title: str, sentences: Sequence[str]) -> str:
    unitless = re.sub(r'(width|height)="([\d.]+)pt"', r'\1="\2"', opening)
    labels = f'role="img" aria-labelledby="{prefix}-title {prefix}-desc" style="max-width:100%;height:auto"'
    described = html.escape(". ".join(sentence.replace("\n", "; ") for sentence in sentences if sentence))
    return (
        unitless.replace("<svg", f'<svg class="autotiny" {labels}')
        + f'\n<title id="{prefix}-title">{html.escape(title)}</title>\n<desc id="{prefix}-desc">{described}</desc>'
    )


# ----- the cells of heat maps, a tenth of the size -----
CELL = r'<polygon fill="(#\w{6})" stroke="none" points="([^"]*)"/>\n?'


def _condensed(run: str) -> str:
    """Neighbouring rectangles, those of one colour as one path."""
    cells = sorted(re.findall(CELL, run), key=itemgetter(0))
    return "".join(
        f'<path fill="{fill}" shape-rendering="crispEdges" d="{"".join(_rectangle(points) for _, points in those)}"/>\n'
        for fill, those in groupby(cells, key=itemgetter(0))
    )


def _rectangle(points: str) -> str:
    xs, ys = zip(*(map(float, point.split(",")) for point in points.split()), strict=True)
    return f"M{min(xs):g} {min(ys):g}h{max(xs) - min(xs):g}v{max(ys) - min(ys):g}h{min(xs) - max(xs):g}z"

"""Render DOT text by pygraphviz or Graphviz's dot, and make its SVG fit into any page."""

import ctypes
import functools
import hashlib
import html
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from autotiny.drawing.label import GRADIENT_PART
from autotiny.errors import AutotinyError

KNOWS_EVERY_ELEMENT = 21391
"""The version of fontconfig, 2.13.91, that knows reset-dirs and remap-dir, the newest elements of its configuration."""
LINKED_GRADIENT = rf'<g id="[^"]*"><a xlink:href="{GRADIENT_PART}"[^>]*>(.*?)</a>'
CELL = r'<polygon fill="(#\w{6})" stroke="none" points="([^"]*)"/>\n?'


class GraphvizMissingError(AutotinyError):
    """Graphviz, which lays pictures out, is not installed."""


def render(source: str, kind: str) -> bytes:
    """Return DOT text as "svg", "png" or "pdf": by pygraphviz where it is installed, else by `dot`.

    In a page that Pyodide runs it is SVG, by the page's Graphviz: a module of JavaScript called graphviz_of_page.
    Raises GraphvizMissingError where there is none.
    """
    if sys.platform == "emscripten":
        return _render_by_page(source, kind)
    try:
        import pygraphviz  # type: ignore[import-untyped]
    except ImportError as error:
        return _render_by_program(source, kind, missing=str(error))
    _load_fonts(pygraphviz.graphviz._graphviz.__file__)
    return bytes(pygraphviz.AGraph(string=source).draw(format=kind, prog="dot"))


def _render_by_page(source: str, kind: str) -> bytes:
    try:
        from graphviz_of_page import render as by_page  # type: ignore[import-not-found]
    except ImportError:
        by_page = None
    if by_page is None or kind != "svg":
        raise GraphvizMissingError(
            f"draw: the page has no Graphviz that writes {kind}; print(at.draw(...)) shows the graph as a table, and "
            ".dot is its DOT text"
        )
    return str(by_page(source)).encode()


def _render_by_program(source: str, kind: str, missing: str) -> bytes:
    import graphviz  # type: ignore[import-untyped]

    try:
        return bytes(graphviz.Source(source).pipe(format=kind))
    except graphviz.ExecutableNotFound:
        raise GraphvizMissingError(
            f"draw: Graphviz lays the picture out, and there is none here ({missing}); pip install pygraphviz (its "
            "wheels bring Graphviz), or put Graphviz's dot on the PATH (apt-get install graphviz). "
            "Without it print(at.draw(...)) shows the graph as a table, and .dot is its DOT text"
        ) from None


@functools.cache
def _load_fonts(extension: str) -> None:
    """Load the font configuration for Graphviz, once, as Graphviz would but for one step, which prints warnings.

    The fontconfig in pygraphviz's wheels is older than that of today's Linux. When it loads its configuration itself,
    it also parses the system's sample files, which are not in use, and warns of the elements in them that are new.
    """
    library = ctypes.CDLL(extension)  # finds the functions of the libraries that the extension was linked with, too
    if not hasattr(library, "FcGetVersion") or library.FcGetVersion() >= KNOWS_EVERY_ELEMENT:
        return
    library.FcConfigCreate.restype = ctypes.c_void_p
    fonts = ctypes.c_void_p(library.FcConfigCreate())
    if library.FcConfigParseAndLoad(fonts, None, True):
        library.FcConfigSetCurrent(fonts)


# ----- SVG for a page -----
def decorate(svg: str, source: str, title: str, words: Mapping[str, str]) -> str:
    """Fit Graphviz's SVG into a page: a title, a description, tooltips, unique ids, no wider than the page.

    `source` is the DOT text it was made from; `words` are those of each card and edge, by its id.
    """
    prefix = "at" + hashlib.sha256(source.encode()).hexdigest()[:8]
    svg = svg[svg.index("<svg") :].replace("&#45;", "-").replace('"transparent"', '"none"')
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>\n?", "", svg)
    svg = re.sub(LINKED_GRADIENT, r'<g class="gradient">\1', svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="graph\d+" class="graph"', '<g class="graph"', svg)
    svg = re.sub(r'(<g id="([\w-]+)"[^>]*>\n?)', lambda opening: _with_tooltip(opening, words), svg)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(f"(?:{CELL})+", lambda run: _merge_cells(run[0]), svg)
    return re.sub(r"<svg[^>]*>", lambda tag: _opening_tag(tag[0], prefix, title, list(words.values())), svg, count=1)


def _with_tooltip(opening: re.Match[str], words: Mapping[str, str]) -> str:
    tooltip = words.get(opening[2])
    return f"{opening[1]}<title>{html.escape(tooltip)}</title>\n" if tooltip else opening[1]


def _opening_tag(tag: str, prefix: str, title: str, sentences: Sequence[str]) -> str:
    """Return the svg tag in pixels, no wider than the page, with the title and a description below it."""
    unitless = re.sub(r'(width|height)="([\d.]+)pt"', r'\1="\2"', tag)
    labels = f'role="img" aria-labelledby="{prefix}-title {prefix}-desc" style="max-width:100%;height:auto"'
    description = html.escape(". ".join(sentence.replace("\n", "; ") for sentence in sentences if sentence))
    return (
        unitless.replace("<svg", f'<svg class="autotiny" {labels}')
        + f'\n<title id="{prefix}-title">{html.escape(title)}</title>\n<desc id="{prefix}-desc">{description}</desc>'
    )


def _merge_cells(run: str) -> str:
    """Merge neighbouring cells of a heat map by colour into paths, which take a tenth of the space."""
    cells = sorted(re.findall(CELL, run), key=itemgetter(0))
    return "".join(
        f'<path fill="{fill}" shape-rendering="crispEdges" d="{"".join(_rectangle(points) for _, points in those)}"/>\n'
        for fill, those in groupby(cells, key=itemgetter(0))
    )


def _rectangle(points: str) -> str:
    xs, ys = zip(*(map(float, point.split(",")) for point in points.split()), strict=True)
    return f"M{min(xs):g} {min(ys):g}h{max(xs) - min(xs):g}v{max(ys) - min(ys):g}h{min(xs) - max(xs):g}z"

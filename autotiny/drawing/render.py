"""From DOT text to a picture, by whichever Graphviz there is."""

import ctypes
import functools
import hashlib
import html
import os
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from autotiny.drawing.label import GRADIENT_PART
from autotiny.errors import AutotinyError, UnsupportedError

# ----- svg -----
# From Graphviz's SVG to one that may stand in any page.


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


KNOWS_EVERY_ELEMENT = 21391
"""The version of fontconfig, 2.13.91, that knows reset-dirs and remap-dir, the newest elements of its configuration."""


class GraphvizMissingError(AutotinyError):
    """There is no Graphviz to lay a picture out with."""


def render(source: str, kind: str) -> bytes:
    """The picture of DOT text as "svg", "png" or "pdf": by pygraphviz where it is installed, else by `dot`.

    Raises GraphvizMissingError where there is neither.
    """
    try:
        import pygraphviz  # type: ignore[import-untyped]
    except ImportError as error:
        return _render_by_program(source, kind, missing=str(error))
    _load_fonts(pygraphviz.graphviz._graphviz.__file__)
    return bytes(pygraphviz.AGraph(string=source).draw(format=kind, prog="dot"))


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
    """Load the font configuration for Graphviz, once, as Graphviz would do but for one step, which prints warnings.

    The fontconfig in pygraphviz's wheels is older than that of today's Linux. Left to itself it parses all of the
    system's sample files, which are not in use, and warns of each element in them that it does not know.
    """
    library = ctypes.CDLL(extension)  # finds the functions of the libraries that the extension was linked with, too
    if not hasattr(library, "FcGetVersion") or library.FcGetVersion() >= KNOWS_EVERY_ELEMENT:
        return
    library.FcConfigCreate.restype = ctypes.c_void_p
    fonts = ctypes.c_void_p(library.FcConfigCreate())
    if library.FcConfigParseAndLoad(fonts, None, True):
        library.FcConfigSetCurrent(fonts)


# ----- saving -----
# The file that a picture is written to.


def file_named(path: Any, endings: Collection[str], expected: str) -> tuple[Path, str]:
    """The path, and its ending in small letters.

    Raises UnsupportedError for what is no file name, ValueError for an ending that is not among those.

    >>> file_named("net.SVG", [".svg"], "expected an .svg")[1]
    '.svg'
    """
    if not isinstance(path, str | os.PathLike):
        raise UnsupportedError(f"draw: expected a file name, such as 'net.svg'; got {type(path).__name__} {path!r}")
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in endings:
        raise ValueError(f"draw: {expected}; got {str(path)!r}")
    return path, ending

"""From Graphviz's SVG to one that may stand in any page."""

import hashlib
import html
import re
from collections.abc import Sequence


def decorate(svg: str, source: str, title: str, sentences: Sequence[str]) -> str:
    """Fit Graphviz's SVG into a page: a title, a description, tooltips, ids of its own, no wider than the page.

    `source` is the DOT text it was made from; `sentences[i]` tells of the node n{i}.
    """
    prefix = "at" + hashlib.sha256(source.encode()).hexdigest()[:8]
    svg = svg[svg.index("<svg") :].replace("&#45;", "-")
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>n(\d+)</title>", lambda node: f"<title>{html.escape(sentences[int(node[1])])}</title>", svg)
    svg = re.sub(r"<title>(autotiny|n\d+-&gt;n\d+)</title>\n?", "", svg)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    return re.sub(r"<svg[^>]*>", lambda opening: _opened(opening[0], prefix, title, sentences), svg, count=1)


def _opened(opening: str, prefix: str, title: str, sentences: Sequence[str]) -> str:
    unitless = re.sub(r'(width|height)="([\d.]+)pt"', r'\1="\2"', opening)
    labels = f'role="img" aria-labelledby="{prefix}-title {prefix}-desc" style="max-width:100%;height:auto"'
    told = html.escape(". ".join(sentences))
    return (
        unitless.replace("<svg", f'<svg class="autotiny" {labels}')
        + f'\n<title id="{prefix}-title">{html.escape(title)}</title>\n<desc id="{prefix}-desc">{told}</desc>'
    )

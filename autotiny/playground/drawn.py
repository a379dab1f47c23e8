"""Pictures for the page: the graph, and the same graph stepping in a frame of its own."""

import base64
import functools
import hashlib
import re

import autotiny as at
from autotiny.drawing.page import page
from autotiny.drawing.picture import Picture
from autotiny.errors import UnsupportedError
from autotiny.playground.program import Run
from autotiny.tensor import Tensor


def drawn(ran: Run) -> Picture:
    """The graph of the number whose gradients are shown, else of the result; raises UnsupportedError without any."""
    shown = ran.result if ran.loss is None else ran.loss
    if not isinstance(shown, Tensor):
        raise UnsupportedError("there is no graph to draw: nothing was computed from an array or a variable")
    return at.draw(shown)


def stepping_page(ran: Run) -> str:
    """The page on which the graph steps; its pictures have their width from its script, and no style of their own."""
    return re.sub(r'(<svg class="autotiny"[^>]*?) style="[^"]*"', r"\1", drawn(ran).steps.html)


@functools.cache
def stepping_hashes() -> dict[str, str]:
    """What a policy calls the one script and the one style sheet of every stepping page."""
    empty = page("", [])
    return {tag: _hash(re.findall(f"<{tag}>(.*?)</{tag}>", empty, re.DOTALL)[0]) for tag in ("script", "style")}


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

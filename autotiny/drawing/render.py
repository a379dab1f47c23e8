"""From DOT text to a picture, by whichever Graphviz there is."""

import contextlib
import os
import tempfile
from collections.abc import Iterator

from autotiny.errors import AutotinyError


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
    with _without_font_warnings():
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


@contextlib.contextmanager
def _without_font_warnings() -> Iterator[None]:
    """Pass on what is written to standard error, but for the complaints of the wheel's fontconfig.

    On Debian it finds elements in the system's configuration that it does not know, and no setting keeps it from them.
    """
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
            written.seek(0)
            for line in written:
                if not line.startswith(b"Fontconfig warning"):
                    os.write(2, line)

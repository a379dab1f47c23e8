"""The files of the page, read once: no path of a request ever reaches the disk."""

from importlib.resources import files
from typing import NamedTuple

KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}


class File(NamedTuple):
    """What a browser gets, and what it is."""

    kind: str
    body: bytes


def _static() -> dict[str, File]:
    folder = files("autotiny.playground") / "static"
    found = ((file.name, file.name.rpartition(".")[2]) for file in folder.iterdir())
    return {name: File(KINDS[ending], (folder / name).read_bytes()) for name, ending in found if ending in KINDS}


STATIC = _static()

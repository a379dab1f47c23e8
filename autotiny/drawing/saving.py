"""The file that a picture is written to."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from autotiny.errors import UnsupportedError


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

"""Indices as they are written between brackets: 0, 1:, ..., [0, 2]."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.notation.numbers import FEW, as_typed, nested


def index(key: Any, write: Callable[[Any], str] | None = None) -> str:
    """An index; `write` says how its numbers and arrays are written.

    >>> index((0, slice(None), slice(1, None, 2), ..., None)), index(np.array([2, 0])), index(np.arange(9))
    ('0, :, 1::2, ..., None', '[2, 0]', 'places (9,)')
    """
    write = write or place
    return ", ".join(_part(each, write) for each in key) or "()" if isinstance(key, tuple) else _part(key, write)


def _part(part: Any, write: Callable[[Any], str]) -> str:
    if isinstance(part, slice):
        ends = ["" if end is None else write(end) for end in (part.start, part.stop)]
        return ":".join(ends if part.step is None else [*ends, write(part.step)])
    return "..." if part is ... else write(part)


def place(entries: Any) -> str:
    """A number, or the entries of a small array.

    >>> place(3), place(np.array([True, False])), place(np.zeros((2, 3)))
    ('3', '[1, 0]', 'places (2, 3)')
    """
    if isinstance(entries, np.ndarray):
        return nested(entries, as_typed) if entries.size <= FEW else f"places {entries.shape}"
    return str(entries)

"""Entries that a formula picks by arrays of indices: the recorded run found these, and they do not move with the data.

A sort is recorded as the order that it found, a mask as the entries where it held. On other data both may be others.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autotiny.algebra.term import Term, topological_order
from autotiny.derivation.parts import is_diagonal

LONGEST = 12


def picked(*formulas: Term) -> list[str]:
    """The arrays of indices that formulas pick entries by, as text, each once.

    >>> from autotiny.algebra import symbol
    >>> a, b = symbol("a", np.array([3.0, 1.0, 2.0])), symbol("b", np.ones(3))
    >>> picked(a[np.array([1, 2, 0])] * b, a[1:] * b[np.array([True, False, True])])
    ['[1, 2, 0]', '[True, False, True]']
    """
    return list(dict.fromkeys(text for term in topological_order(*formulas) for text in _told(term)))


def claim(found: Iterable[str]) -> str:
    """What such a formula says of other data; nothing where nothing is picked."""
    listed = " and ".join(found)
    return f"picks the entries that the recorded run picked, {listed}" if listed else ""


def _told(term: Term) -> Iterator[str]:
    if term.op is None or "key" not in term.options or (term.op.name == "scatter" and is_diagonal(term)):
        return
    key = term.options["key"]
    arrays = [part for part in (key if isinstance(key, tuple) else (key,)) if isinstance(part, np.ndarray | list)]
    if arrays:
        yield " by ".join(_listed(np.asarray(part)) for part in arrays)


def _listed(places: Any) -> str:
    return str(places.tolist()) if places.size <= LONGEST else f"an array of {places.dtype.name} {places.shape}"

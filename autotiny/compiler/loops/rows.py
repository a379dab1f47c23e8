"""Arrays for the numbers of a rolled program: what a line in a loop reads or writes in turn is in one array."""

from collections.abc import Iterable, Iterator, Sequence
from math import gcd
from typing import NamedTuple

import numpy as np

from autotiny.compiler.loops.rolling import Loop, Nest

VARIABLES = "ijklmnopqrstuvwxyz"
"""The variables of loops, the outermost first."""


class Moving(NamedTuple):
    """A place that moves with the loops around it."""

    base: int
    steps: tuple[int, ...] = ()


class Row(NamedTuple):
    """Numbers that are in one array; one alone is a variable, or a literal."""

    name: str
    first: int
    stride: int
    length: int
    is_array: bool

    def entry(self, place: Moving) -> str:
        """Return the text of the number at a place."""
        if not self.is_array:
            return self.name
        text = "".join(
            term(step // self.stride, variable) for step, variable in zip(place.steps, VARIABLES, strict=False)
        )
        base = (place.base - self.first) // self.stride
        if base or not text:
            text += f" - {-base}" if base < 0 else f" + {base}"
        return f"{self.name}[{text.removeprefix(' + ').lstrip()}]"


def term(factor: int, variable: str) -> str:
    """Return a term of an index."""
    if not factor:
        return ""
    return f" {'-' if factor < 0 else '+'} {variable if abs(factor) == 1 else f'{abs(factor)} * {variable}'}"


def accesses(nests: Sequence[Nest], places: Sequence[np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield, for each number in the text of some nests, its space and its places in all turns of the loops."""
    at = 0
    for nest in nests:
        own = places[at : at + len(nest.places)]
        at += len(nest.places)
        if isinstance(nest, Loop):
            turn = np.arange(nest.turns)
            moving = [np.add.outer(place, step * turn).ravel() for place, step in zip(own, nest.steps, strict=True)]
            yield from accesses(nest.body, moving)
        else:
            spaces = nest.statement.spaces
            yield from zip(spaces, own[: len(spaces)], strict=True)
            yield from accesses(getattr(nest.statement, "parts", ()), own[len(spaces) :])


def groups(accessed: Iterable[np.ndarray], count: int) -> list[list[int]]:
    """Return the places that some line accesses in turn, in order; each place is in one group."""
    group = list(range(count))

    def leader(place: int) -> int:
        while group[place] != place:
            group[place] = place = group[group[place]]
        return place

    for places in accessed:
        first = leader(int(places[0]))
        for place in places.tolist():
            group[leader(place)] = first
    members: dict[int, list[int]] = {}
    for place in range(count):
        members.setdefault(leader(place), []).append(place)
    return list(members.values())


def row(name: str, places: Sequence[int], is_array: bool) -> Row:
    """Return the array of places, which are in order."""
    first = places[0]
    stride = gcd(*(place - first for place in places)) or 1
    return Row(name, first, stride, (places[-1] - first) // stride + 1, is_array)

"""Arrays for the numbers of a rolled program: what a line in a loop reads or writes in turn is in one array."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import gcd
from typing import NamedTuple

import numpy as np

from autotiny.compiler.loops.rolling import Loop, Nest

VARIABLES = "ijklmnopqrstuvwxyz"
"""The variables of loops, the outermost first."""


class Moving(NamedTuple):
    """A place that moves by equal steps with the loops around it, each of so many turns."""

    base: int
    steps: tuple[int, ...] = ()
    turns: tuple[int, ...] = ()

    def within(self, step: int, turns: int) -> "Moving":
        """Return the place in one more loop."""
        return Moving(self.base, (*self.steps, step), (*self.turns, turns))

    def places(self) -> np.ndarray:
        """Return the place at all turns."""
        places = np.array(self.base)
        for step, turns in zip(self.steps, self.turns, strict=True):
            places = np.add.outer(places, step * np.arange(turns))
        return places


def accesses(nests: Sequence[Nest], places: Sequence[Moving]) -> Iterator[tuple[str, Moving]]:
    """Yield the space and the place of each number in the text of some nests."""
    at = 0
    for nest in nests:
        own = places[at : at + len(nest.places)]
        at += len(nest.places)
        if isinstance(nest, Loop):
            yield from accesses(
                nest.body, [x.within(step, nest.turns) for x, step in zip(own, nest.steps, strict=True)]
            )
        else:
            spaces = nest.statement.spaces
            yield from zip(spaces, own[: len(spaces)], strict=True)
            yield from accesses(getattr(nest.statement, "parts", ()), own[len(spaces) :])


def arrays(accessed: Iterable[Moving], count: int) -> list[dict[int, int]]:
    """Return the arrays in which so many places belong: the index of each place, where they are in one array."""
    turning = [place.places() for place in accessed if place.turns]
    members = groups([places.ravel() for places in turning], count)
    array_of = {place: i for i, places in enumerate(members) for place in places}
    by_array = defaultdict(list)
    for places in turning:
        by_array[array_of[places.flat[0]]].append(places)
    return [indices(places, by_array[i]) for i, places in enumerate(members)]


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


def indices(places: list[int], accessed: Iterable[np.ndarray]) -> dict[int, int]:
    """Return an index for each place, without gaps if all accesses then move by equal steps, too."""
    dense = {place: i for i, place in enumerate(places)}
    if all(moves_evenly(np.vectorize(dense.__getitem__)(access)) for access in accessed):
        return dense
    stride = gcd(*(place - places[0] for place in places))
    return {place: (place - places[0]) // stride for place in places}


def moves_evenly(places: np.ndarray) -> bool:
    """Whether places move by equal steps along each axis."""
    start = places[(0,) * places.ndim]
    steps = [places.take(1, axis).flat[0] - start if turns > 1 else 0 for axis, turns in enumerate(places.shape)]
    return bool((Moving(int(start), tuple(steps), places.shape).places() == places).all())


def entry(name: str, index: Moving) -> str:
    """Return the text of an entry of an array."""
    moving = [(step, variable) for step, variable in zip(index.steps, VARIABLES, strict=False) if step]
    terms = [(step < 0, variable if abs(step) == 1 else f"{abs(step)} * {variable}") for step, variable in moving]
    terms += [(index.base < 0, str(abs(index.base)))] if index.base or not terms else []
    first = next((i for i, (negative, _) in enumerate(terms) if not negative), 0)
    ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
    text = "".join(f" {'-' if negative else '+'} {term}" for negative, term in ordered)
    return f"{name}[{text.removeprefix(' + ').lstrip()}]"

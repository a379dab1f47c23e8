"""Roll lines that repeat into loops: statements that are alike but for the places they read and write.

The places in a line, such as the 5 of `z[5] = w[5] * x`, are numbers. Lines whose places move on by equal steps from
one repetition to the next become a loop over them. A loop is a line like any other, so that loops are rolled in turn.
"""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

LOOP = 8
"""The lines that take about as long to compile as the head of a loop."""
LONGEST = 400
"""The longest body of a loop."""
TRIES = 16
"""Lengths of a body that are tried from one line on."""


class Line(NamedTuple):
    """A statement."""

    key: int
    """Equal for statements that are alike but for their places."""
    statement: Any
    places: tuple[int, ...]
    cost: int = 1


class Loop(NamedTuple):
    """A body that is repeated."""

    key: int
    turns: int
    body: tuple["Nest", ...]
    steps: tuple[int, ...]
    """How far each place of the body moves from one repetition to the next."""
    places: tuple[int, ...]
    """The places of the first repetition."""
    cost: int


Nest = Line | Loop


class Keys(dict[Hashable, int]):
    """Numbers for keys: equal ones for equal keys."""

    def __missing__(self, key: Hashable) -> int:
        self[key] = len(self)
        return self[key]


def rolled(nests: Sequence[Nest], keys: Keys) -> list[Nest]:
    """Return the same statements in loops."""
    while True:
        shorter = roll_once(nests, keys)
        if len(shorter) == len(nests):
            return shorter
        nests = shorter


def roll_once(nests: Sequence[Nest], keys: Keys) -> list[Nest]:
    """Return the nests with each stretch that repeats as a loop."""
    following, shorter, i = next_alike(nests), list[Nest](), 0
    while i < len(nests):
        period, count = best_period(nests, i, following)
        if period:
            shorter.append(loop(nests, i, period, count, keys))
        else:
            shorter.append(nests[i])
        i += max(1, period * count)
    return shorter


def next_alike(nests: Sequence[Nest]) -> list[int]:
    """Return the position of the next nest that has the same key, for each nest; the length where there is none."""
    following, latest = [len(nests)] * len(nests), dict[int, int]()
    for i in reversed(range(len(nests))):
        following[i] = latest.get(nests[i].key, len(nests))
        latest[nests[i].key] = i
    return following


def best_period(nests: Sequence[Nest], start: int, following: Sequence[int]) -> tuple[int, int]:
    """Return the length of the body of a loop that begins here and replaces most, and its count; 0 if none pays."""
    best, covered, j = (0, 0), 0, following[start]
    for _ in range(TRIES):
        period = j - start
        if j == len(nests) or period > LONGEST:
            break
        count = repetitions(nests, start, period)
        if count * period > covered:
            body = sum(nest.cost for nest in nests[start:j])
            if count * body > LOOP + body:
                best, covered = (period, count), count * period
        j = following[j]
    return best


def repetitions(nests: Sequence[Nest], start: int, period: int) -> int:
    """Return how often the body repeats from here on, with equal steps."""
    steps: list[tuple[int, ...]] = []
    count = 1
    while start + (count + 1) * period <= len(nests):
        before = start + (count - 1) * period
        for k in range(period):
            one, next_one = nests[before + k], nests[before + period + k]
            if one.key != next_one.key:
                return count
            step = steps_between(one, next_one)
            if count == 1:
                steps.append(step)
            elif step != steps[k]:
                return count
        count += 1
    return count


def loop(nests: Sequence[Nest], start: int, period: int, count: int, keys: Keys) -> Loop:
    """Return the loop over a body, in which lines that move by the same steps become loops in turn."""
    first, second = (nests[i : i + period] for i in (start, start + period))
    moving = [keys[one.key, steps_between(one, other)] for one, other in zip(first, second, strict=True)]
    body, later = (
        rolled([nest._replace(key=key) for nest, key in zip(nests, moving, strict=True)], keys)
        for nests in (first, second)
    )
    steps = tuple([step for one, other in zip(body, later, strict=True) for step in steps_between(one, other)])
    return Loop(
        keys["loop", count, steps, tuple([nest.key for nest in body])],
        count,
        tuple(body),
        steps,
        tuple([place for nest in body for place in nest.places]),
        LOOP + sum(nest.cost for nest in body),
    )


def steps_between(nest: Nest, other: Nest) -> tuple[int, ...]:
    """Return how far each place has moved in another nest of the same key."""
    return tuple([after - before for before, after in zip(nest.places, other.places, strict=True)])

"""What the numeric side has to say about one gradient: every entry of a small tensor, a sample of a large one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.checking.differences import Sides
from autotiny.checking.numeric import Calling, Numeric, random_direction

Array = NDArray[Any]
Index = tuple[int, ...]

EVERY_ENTRY = {"complex step": 512, "differences": 64}
"""The size up to which every entry is looked at: a difference takes some fifty replays, a complex step one or two."""

DIRECTIONS, RANDOM, EXTREME, DIFFERING = 4, 12, 4, 32
"""Of a larger tensor: random directions, random entries, the largest and smallest, and where two sides differ most."""


@dataclass
class Evidence:
    """Numeric derivatives by entry, and what was looked at in words."""

    shape: tuple[int, ...]
    method: str
    found: dict[Index, Sides] = field(default_factory=dict)
    coverage: str = ""

    def table(self, read: Any) -> Array:
        """One fact of each derivative as an array of the tensor's shape, nan where it was not looked at."""
        values = np.full(self.shape, np.nan, np.longdouble)
        for index, each in self.found.items():
            values[index] = read(each)
        return values

    @property
    def noise(self) -> float:
        """The largest noise of all."""
        return max((float(each.noise) for each in self.found.values()), default=0.0)


def gather(numeric: Numeric | Calling, autograd: Array, doubts: Array, moved: Sequence[Array]) -> Evidence:
    """Look at a gradient as autograd found it.

    doubts : how far another side is from it, entry by entry, 0 where there is no doubt
    moved : the same gradient after rounding errors, which tells what a direction may be off
    """
    evidence = Evidence(autograd.shape, numeric.method)
    if autograd.size <= EVERY_ENTRY[numeric.method]:
        evidence.found = {index: numeric.entry(index) for index in np.ndindex(autograd.shape)}
        evidence.coverage = "every entry"
        return evidence
    rng = np.random.default_rng(0)
    chosen = list(dict.fromkeys(_entries(autograd, doubts, rng)))
    evidence.found = {index: numeric.entry(index) for index in chosen}
    for _ in range(DIRECTIONS):
        direction = random_direction(autograd.shape, rng)
        if _residual(numeric, autograd, direction) > _allowed(autograd, direction, moved):
            index = _culprit(numeric, autograd, direction)
            evidence.found[index] = numeric.entry(index)
            break
    evidence.coverage = f"{len(evidence.found)} of {autograd.size} entries, {DIRECTIONS} random directions"
    return evidence


def _entries(autograd: Array, doubts: Array, rng: np.random.Generator) -> Iterator[Index]:
    """The entries most worth looking at, and some others."""
    sizes, shape = np.abs(autograd).ravel(), autograd.shape
    doubtful = np.flatnonzero(doubts.ravel() > 0)
    ascending = np.flatnonzero(sizes)[np.argsort(sizes[np.flatnonzero(sizes)])]
    by_doubt = doubtful[np.argsort(-doubts.ravel()[doubtful])]
    order: Iterable[int] = np.concatenate(
        [by_doubt[:DIFFERING], ascending[:EXTREME], ascending[-EXTREME:], rng.choice(sizes.size, RANDOM, replace=False)]
    )
    for flat in order:
        yield tuple(int(i) for i in np.unravel_index(flat, shape))


def _residual(numeric: Numeric | Calling, autograd: Array, direction: Array) -> float:
    """How far autograd is from the derivative along a direction, beyond noise; 0 where the direction crosses a kink."""
    along = numeric.along(direction)
    if along.left != along.right or not np.isfinite(along.noise):
        return 0.0
    return abs(float(np.sum(autograd.astype(np.longdouble) * direction) - along.right)) - float(along.noise)


def _allowed(autograd: Array, direction: Array, moved: Sequence[Array]) -> float:
    spread = max(abs(float(np.sum((sample - autograd) * direction))) for sample in moved)
    eps = float(np.finfo(autograd.dtype).eps)
    return 16 * spread + 8 * eps * float(np.linalg.norm((autograd * direction).astype(float)))


def _culprit(numeric: Numeric | Calling, autograd: Array, direction: Array) -> Index:
    """The entry that is off, by halving: the half with the larger residual has it."""
    candidates = np.arange(autograd.size)
    while len(candidates) > 1:
        halves = np.array_split(candidates, 2)
        residuals = []
        for half in halves:
            part = np.zeros(autograd.size)
            part[half] = direction.ravel()[half]
            residuals.append(_residual(numeric, autograd, part.reshape(autograd.shape)))
        candidates = halves[int(np.argmax(residuals))]
    return tuple(int(i) for i in np.unravel_index(candidates[0], autograd.shape))

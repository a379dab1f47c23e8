"""Time several ways to do the same work: compare their numbers with the first one's, then run them in turns."""

import ctypes
import gc
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from timeit import Timer
from typing import Any, NamedTuple

import numpy as np


class Side(NamedTuple):
    """One way to do the work: `step()` does it once, `numbers()` returns the results of all steps so far."""

    step: Callable[[], object]
    numbers: Callable[[], Sequence[Any]]


class Timing(NamedTuple):
    """Median seconds of one step, and the median over all rounds of its ratio to the baseline's in the same round."""

    seconds: float
    ratio: float


class DifferentNumbersError(Exception):
    """Two sides that do not compute the same numbers."""


def require_same_numbers(sides: Mapping[str, Side], tolerance: float, steps: int = 3) -> None:
    """Run every side for some steps; raise if an array differs from the first side's, relative to its largest entry."""
    for side in sides.values():
        for _ in range(steps):
            side.step()
    (reference, first), *others = sides.items()
    for name, side in others:
        for i, (got, expected) in enumerate(zip(side.numbers(), first.numbers(), strict=True)):
            error = relative_error(np.asarray(got), np.asarray(expected))
            if not error <= tolerance:
                raise DifferentNumbersError(
                    f"{name}: array {i} differs from {reference}'s by {error:.1e} of its largest entry; "
                    f"at most {tolerance:.0e} was expected, so these sides do not do the same work"
                )


def relative_error(got: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference relative to the largest expected entry; infinite if the shapes differ."""
    if got.shape != expected.shape:
        return float("inf")
    return float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))


def take_turns(
    steps: Mapping[str, Callable[[], object]], baseline: str, *, repetition: float, rounds: int, budget: float
) -> dict[str, Timing]:
    """Time short repetitions of every step in turn, in a new order each round, up to a number of rounds or seconds.

    Other load on the machine slows all sides of a round alike, so ratios are taken within a round. The cycle collector
    stays on, as it is for users, so that a long repetition pays for its own garbage; what exists before is frozen.
    """
    gc.collect()
    gc.freeze()
    calls = {name: calls_lasting(repetition, step) for name, step in steps.items()}
    one_round = sum(n * seconds_per_call(steps[name], n) for name, n in calls.items())
    times: dict[str, list[float]] = {name: [] for name in steps}
    order, shuffle = list(steps), random.Random(0).shuffle
    for _ in range(max(5, min(rounds, int(budget / one_round)))):
        shuffle(order)
        for name in order:
            times[name].append(seconds_per_call(steps[name], calls[name]))
    gc.unfreeze()
    return {name: Timing(median(times[name]), median_ratio(times[name], times[baseline])) for name in steps}


def median_ratio(times: Sequence[float], baseline: Sequence[float]) -> float:
    """Return the median of t / t₀ over the rounds."""
    return median(t / t0 for t, t0 in zip(times, baseline, strict=True))


def calls_lasting(seconds: float, step: Callable[[], object]) -> int:
    """Return the smallest power of two of calls that last at least this long."""
    calls = 1
    while calls * seconds_per_call(step, calls) < seconds:
        calls *= 2
    return calls


def seconds_per_call(step: Callable[[], object], calls: int) -> float:
    """Return the mean seconds per call, after one call to warm the caches."""

    def settle() -> None:
        gc.enable()  # timeit has switched it off
        gc.collect()
        step()

    return Timer(step, settle).timeit(calls) / calls


def keep_memory() -> None:
    """Make glibc keep freed memory of large arrays; on other systems, do nothing.

    By default glibc returns it to the system depending on what lies at the end of the heap. A step on arrays with fresh
    pages can take three times as long, so the comparison would depend on chance.
    """
    if sys.platform == "linux":
        trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_threshold, 2**25)
        libc.mallopt(trim_threshold, 2**30)

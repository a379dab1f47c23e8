"""How much an expression may cost, counted before each step is taken."""

import math
import time
from collections.abc import Iterable
from typing import NamedTuple


class LimitError(Exception):
    """An expression that would cost too much."""


class Limits(NamedTuple):
    """What one evaluation may cost.

    characters, statements : of the source
    depth : of brackets and operators inside one another
    entries : of one result
    total : entries of all results together, which the graph keeps
    work : multiplications and the like, all together
    seconds : looked at between operations
    """

    characters: int = 10_000
    statements: int = 200
    depth: int = 64
    entries: int = 2**24
    total: int = 2**26
    work: int = 2**34
    seconds: float = 20.0


class Cost(NamedTuple):
    """Entries of a result, and the work that it takes; upper bounds, told from shapes."""

    entries: float
    work: float


class Budget:
    """What is left of the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.deadline = limits, time.monotonic() + limits.seconds
        self.total: float = 0
        self.work: float = 0

    def spend(self, cost: Cost) -> None:
        """Account for a step that is about to be taken; raises LimitError where it is too much."""
        if time.monotonic() > self.deadline:
            raise LimitError(f"stopped: the limit is {self.limits.seconds:g} seconds")
        self.total += cost.entries
        self.work += cost.work
        self._hold("it would have", cost.entries, self.limits.entries, "entries")
        self._hold("with it, all results would have", self.total, self.limits.total, "entries")
        self._hold("it would take", self.work, self.limits.work, "steps of work")

    def _hold(self, what: str, asked: float, limit: int, unit: str) -> None:
        if not asked <= limit:  # nan is too much as well
            raise LimitError(f"{what} {_count(asked)} {unit}; the limit is {limit:,}")


def _count(n: float) -> str:
    return f"{int(n):,}" if n < 1e15 else "far too many"


def product(factors: Iterable[int]) -> int:
    """The product of counts; past what any limit allows, some number that is too large, without multiplying on.

    A count of 0 is taken for 1: of an array of shape (10**12, 0), a sum over its last axis leaves the rest.

    >>> product([2, 3, 4]), product([10**9] * 10**6) > 2**63
    (24, True)
    """
    result = 1
    for factor in factors:
        result *= int(factor) or 1
        if abs(result) >= 2**63:
            break
    return result


def power(base: int, exponent: int) -> int:
    """base ** exponent of whole numbers, if 63 bits hold it; raises LimitError at once where they do not."""
    if exponent > 0 and abs(base) > 1 and exponent * math.log2(abs(base)) > 63:
        raise LimitError(f"the power has more than 63 bits; as a number with a decimal point, write {base}.0")
    return whole(base**exponent)


def whole(n: int) -> int:
    """n, if 63 bits hold it; raises LimitError where they do not."""
    if abs(n) >= 2**63:
        raise LimitError("the whole number has more than 63 bits; write it with a decimal point")
    return n

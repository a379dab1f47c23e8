"""The limits of an evaluation, and the budget that each step is charged to before it runs."""

import math
import time
from collections.abc import Iterable
from typing import NamedTuple


class LimitError(Exception):
    """An expression exceeds a limit."""


class Limits(NamedTuple):
    """Limits of one evaluation.

    characters, statements : in the source
    depth : of nested brackets and operators
    entries : in one result
    total : entries in all results together, which the graph keeps
    work : multiplications and the like, all together
    seconds : checked between operations
    """

    characters: int = 10_000
    statements: int = 200
    depth: int = 64
    entries: int = 2**24
    total: int = 2**26
    work: int = 2**34
    seconds: float = 20.0


class Cost(NamedTuple):
    """Upper bounds on the entries of a result, on the work that it takes, and on the entries recorded on the way."""

    entries: float
    work: float
    recorded: float = 0


class Budget:
    """The costs of an evaluation so far, and its limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.deadline = limits, time.monotonic() + limits.seconds
        self.total: float = 0
        self.work: float = 0

    def spend(self, cost: Cost) -> None:
        """Charge a step that is about to run; raises LimitError where it exceeds a limit."""
        if time.monotonic() > self.deadline:
            raise LimitError(f"stopped: the limit is {self.limits.seconds:g} seconds")
        self.total += cost.entries + cost.recorded
        self.work += cost.work
        self._check("it would have", cost.entries, self.limits.entries, "entries")
        self._check("with it, all results would have", self.total, self.limits.total, "entries")
        self._check("it would take", self.work, self.limits.work, "steps of work")

    def _check(self, what: str, amount: float, limit: int, unit: str) -> None:
        if not amount <= limit:  # nan exceeds every limit
            raise LimitError(f"{what} {_count(amount)} {unit}; the limit is {limit:,}")


def _count(n: float) -> str:
    return f"{int(n):,}" if n < 1e15 else "far too many"


def product(factors: Iterable[int]) -> int:
    """The product of counts; multiplication stops beyond 2**63, which exceeds every limit.

    A count of 0 is taken as 1: the sum of an array of shape (10**12, 0) over its last axis still has 10**12 entries.

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
    """base ** exponent of whole numbers; raises LimitError, before computing it, where it needs more than 63 bits."""
    if exponent > 0 and abs(base) > 1 and exponent * math.log2(abs(base)) > 63:
        raise LimitError(f"the power has more than 63 bits; as a number with a decimal point, write {base}.0")
    return whole(base**exponent)


def whole(n: int) -> int:
    """n itself; raises LimitError where it needs more than 63 bits."""
    if abs(n) >= 2**63:
        raise LimitError("the whole number has more than 63 bits; write it with a decimal point")
    return n

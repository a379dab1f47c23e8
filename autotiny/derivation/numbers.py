"""Numbers and arrays of the code, told by the names of the variables that they were computed from.

NumPy code leaves 1 / (2 m) in the graph as 0.0625. A number is shown by a variable's name where one variable, or two,
give it in the usual ways and no other does; numbers that stand in every formula, such as 2, stay numbers.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

UNREMARKABLE = (-1.0, 0.0, 0.5, 1.0, 2.0)
FEW = 10
"""Whole numbers below are too common to be taken for twice a variable or the product of two."""


class Powers(NamedTuple):
    """scale · nameᵖ · otherᵠ, the way in which variables give a number."""

    scale: float
    names: tuple[tuple[str, float], ...]


def named_numbers(scope: Mapping[str, Any]) -> dict[str, float]:
    """The variables that hold a number which is worth a name, and which no other holds."""
    found = {
        name: float(value)
        for name, value in scope.items()
        if type(value) in (int, float, np.float64, np.int64) and math.isfinite(value) and name[:1] != "_"
    }
    held = list(found.values())
    return {name: v for name, v in found.items() if v > 0 and v not in UNREMARKABLE and held.count(v) == 1}


def told(value: float, numbers: Mapping[str, float]) -> Powers | None:
    """How variables give a positive number; None where they do not, or do in two ways that are equally short."""
    value = float(value)
    if value in UNREMARKABLE:
        return None
    for ways in _by_length(numbers, common=value < FEW and 1 / value < FEW and _is_short(value)):
        fits = [way for way in ways if math.isclose(_value(way, numbers), value, rel_tol=1e-14)]
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _is_short(value: float) -> bool:
    return value.is_integer() or (1 / value).is_integer()


def _value(way: Powers, numbers: Mapping[str, float]) -> float:
    return way.scale * math.prod(numbers[name] ** p for name, p in way.names)


def _by_length(numbers: Mapping[str, float], common: bool) -> Iterator[list[Powers]]:
    """m and 1/m; then √m; then 2m, m/2 and their inverses; then products and quotients of two."""
    yield [Powers(1.0, ((n, p),)) for n in numbers for p in (1, -1)]
    yield [Powers(1.0, ((n, p),)) for n in numbers for p in (0.5, -0.5)]
    if common:
        return
    yield [Powers(s, ((n, p),)) for n in numbers for p in (1, -1) for s in (2.0, 0.5)]
    pairs = [
        Powers(1.0, ((a, p), (b, q))) for a, b in itertools.combinations(numbers, 2) for p in (1, -1) for q in (1, -1)
    ]
    yield pairs
    yield [Powers(s, pair.names) for pair in pairs for s in (2.0, 0.5)]


def relation(value: np.ndarray, given: np.ndarray) -> str | None:
    """What an array is to a given one: the same, its negative, what it lacks to 1, or its transpose; else None."""
    if value.shape == given.shape:
        if np.array_equal(value, given):
            return "same"
        if value.dtype.kind == "f" and np.array_equal(value, -given):
            return "negative"
        if given.dtype.kind in "fiu" and np.array_equal(value, 1 - given):
            return "complement"
    if value.ndim == 2 and value.shape == given.shape[::-1] and np.array_equal(value, given.T):
        return "transpose"
    return None

"""Constants of which no code tells the origin, by their values: functions of named arrays and numbers.

At the prompt before Python 3.13, and in a text that was run and is gone, no code can be read. There an array that has
the entries of sin(y), of half of x, or of x - mu, for a y, x and mu in scope, comes from these: that two arrays of real
numbers agree in all digits is no accident. A number has to have more digits than people type.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.notation.numbers import as_typed

MOST_ARRAYS, LARGEST, TYPED = 12, 10_000, 8
"""The largest number of arrays of which pairs are tried, of entries, and of digits of a number that may be typed."""

ROUNDING = 8
"""The number of units in the last place by which a value may differ."""

FUNCTIONS: tuple[Callable[[Any], Any], ...] = (
    np.positive, np.exp, np.log, np.sin, np.cos, np.tanh, np.square, np.sqrt, np.abs, np.linalg.inv,
    lambda a: a[:, None], lambda a: a[None, :], lambda a: a - np.mean(a),
)  # fmt: skip
PAIRS: tuple[Callable[[Any, Any], Any], ...] = (np.subtract, np.multiply, np.divide)
REDUCTIONS: tuple[Callable[[Any], Any], ...] = (
    np.sum, np.mean, np.linalg.norm, lambda a: np.sum(a**2), lambda a: np.sum((a - np.mean(a)) ** 2),
)  # fmt: skip
OF_NUMBERS: tuple[Callable[[Any], Any], ...] = (np.square, np.exp, np.log)
FACTORS = (1.0, -1.0, 0.5, -0.5, 2.0, -2.0)


class Guess(NamedTuple):
    """A constant as factor * function(*operands), or the inverse of that."""

    function: Callable[..., Any]
    operands: tuple[Any, ...]
    factor: float
    inverse: bool = False

    def of(self, *terms: Any) -> Any:
        """Return the formula with terms in place of the operands."""
        made = self.function(*terms)
        if self.inverse:
            return self.factor / made
        if abs(self.factor) == 1:
            return made if self.factor > 0 else -made
        return self.factor * made if abs(self.factor) > 1 else np.sign(self.factor) * made / round(1 / abs(self.factor))


def of_arrays(value: Any, arrays: Sequence[Any], numbers: Sequence[float]) -> Guess | None:
    """Return an array as a function of one array, or of two, or of one and a number; None if there is none."""
    if value.dtype.kind != "f" or not 1 < value.size <= LARGEST or np.all(value == np.round(value)):
        return None
    with np.errstate(all="ignore"):
        for function, operands in _made_of(arrays, numbers):
            made = _computed(function, *operands)
            if made is not None and made.shape == value.shape and made.dtype == value.dtype:
                for factor in FACTORS:
                    if _is(value, factor * made):
                        return Guess(function, operands, factor)
    return None


def _made_of(arrays: Sequence[Any], numbers: Sequence[float]) -> Iterator[tuple[Callable[..., Any], tuple[Any, ...]]]:
    yield from ((function, (a,)) for a in arrays for function in FUNCTIONS)
    few = [*arrays[:MOST_ARRAYS], *numbers]
    pairs = (pair for pair in itertools.permutations(few, 2) if any(isinstance(x, np.ndarray) for x in pair))
    yield from ((function, pair) for pair in pairs for function in PAIRS)
    for a, n in itertools.product(arrays[:MOST_ARRAYS], numbers):
        yield from ((lambda a, n, f=f: n * f(a), (a, n)) for f in FUNCTIONS)


def of_number(value: float, arrays: Sequence[Any], numbers: Sequence[float]) -> Guess | None:
    """Return a number of many digits as a sum, a norm or a power; None if there is none."""
    if len(as_typed(abs(value))) <= TYPED or not np.isfinite(value):
        return None
    arrays = [a for a in arrays[:MOST_ARRAYS] if a.dtype.kind == "f" and a.size <= LARGEST]
    tried: list[tuple[Callable[..., Any], tuple[Any, ...]]]
    tried = [(function, (a,)) for a in arrays for function in REDUCTIONS]
    tried += [(function, (n,)) for n in numbers for function in OF_NUMBERS]
    tried += [(lambda a, n: np.sum((a - n) ** 2), pair) for pair in itertools.product(arrays, numbers)]
    with np.errstate(all="ignore"):
        for function, operands in tried:
            made = _computed(function, *operands)
            if made is None or not made or not np.isfinite(made):
                continue
            for factor in FACTORS:
                if _is(value, factor * made):
                    return Guess(function, operands, factor)
                if _is(value, factor / made):
                    return Guess(function, operands, factor, inverse=True)
    return None


def _computed(function: Callable[..., Any], *operands: Any) -> Any:
    try:
        return np.asarray(function(*operands))
    except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
        return None


def _is(value: Any, made: Any) -> bool:
    eps = float(np.finfo(np.asarray(value).dtype if np.asarray(value).dtype.kind == "f" else float).eps)
    return bool(np.allclose(value, made, rtol=ROUNDING * eps, atol=0))

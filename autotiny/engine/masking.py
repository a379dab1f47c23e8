"""Masks: where np.where took the other branch no gradient arrives (g = 0), and such an entry was not taken.

An operation that acts entry by entry contributes no nan and no infinity there. One that mixes entries, such as a norm
along an axis or a matrix product, says which entries of its arguments went into entries that were taken. The others
receive neither nan nor infinity; and if they spoilt the result, they are replaced before nan times 0 can enter a sum.

What is finite stays as it is: a gradient that happens to be 0 at a point still has derivatives of its own.
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autotiny.engine.broadcasting import anywhere
from autotiny.engine.recording import value_of
from autotiny.ops import Op

Guard = tuple[Any, tuple[Any, ...], Iterable[Any]]


def guard(op: Op, g: Any, y: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Guard:
    """Return y and the arguments, harmless where they were not needed, and where each argument was needed."""
    taken = value_of(g) != 0
    if not op.guarded:
        return y, args, itertools.repeat(np.any(taken))
    if op.guarded is True:
        return y, args, itertools.repeat(taken)
    finite = np.isfinite(value_of(y))
    needed, spoilt = reached(op, taken, args, kwargs), reached(op, np.logical_not(finite), args, kwargs)
    kept = [np.logical_or(n, np.logical_not(s)) for n, s in zip(needed, spoilt, strict=True)]
    return harmless(y, np.logical_or(taken, finite)), tuple(map(harmless, args, kept)), needed


def reached(op: Op, chosen: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """For each argument, which of its entries went into the chosen ones of the result."""
    values = tuple(map(value_of, args))
    reach: Any = op.guarded
    return [anywhere(m, np.shape(x)) for m, x in zip(reach(chosen, *values, **kwargs), values, strict=True)]


def finite_unless(mask: Any, c: Any) -> Any:
    """c, with 0 in place of what is not finite where the mask is false."""
    if holds_everywhere(mask):
        return c
    kept = np.logical_or(mask, np.isfinite(value_of(c)))
    return c if holds_everywhere(kept) else np.where(kept, c, 0.0)


def harmless(value: Any, kept: Any) -> Any:
    """The value, with the identity in place of what is not kept: a matrix may have to be invertible."""
    if holds_everywhere(kept):
        return value
    shape = np.shape(value)
    return np.where(kept, value, np.eye(*shape[-2:], dtype=value.dtype) if len(shape) > 1 else 1)


def holds_everywhere(mask: Any) -> bool:
    """Whether a mask is known to be true everywhere; of a formula's nothing is known."""
    return isinstance(mask, np.ndarray | np.bool) and bool(np.all(mask))

"""The guard: entries that a selection such as np.where did not select contribute neither nan nor infinity.

No gradient arrives at such an entry (g = 0), but its derivative may be infinite, and 0 times infinity is nan. An
operation that acts entry by entry contributes 0 there instead. One that mixes entries, such as a norm along an axis or
a matrix product, says which entries of its operands went into entries that were selected; the others get 0, and are
replaced before the rule runs where they made the result infinite or nan.

A finite contribution is kept as it is: a gradient that happens to be 0 at a point has derivatives of its own.
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autotiny.engine.broadcasting import any_repetition
from autotiny.engine.recording import value_of
from autotiny.ops import Op

Guard = tuple[Any, tuple[Any, ...], Iterable[Any]]


def guard(op: Op, g: Any, y: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Guard:
    """Return y and the operands, finite where it matters, and for each operand a mask of the needed entries."""
    taken = value_of(g) != 0
    if not op.guard:
        return y, args, itertools.repeat(np.any(taken))
    if op.guard is True:
        return y, args, itertools.repeat(taken)
    finite = np.isfinite(value_of(y))
    needed, spoilt = used_entries(op, taken, args, kwargs), used_entries(op, np.logical_not(finite), args, kwargs)
    kept = [np.logical_or(n, np.logical_not(s)) for n, s in zip(needed, spoilt, strict=True)]
    return replace_unused(y, np.logical_or(taken, finite)), tuple(map(replace_unused, args, kept)), needed


def used_entries(op: Op, chosen: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """Return for each operand which of its entries went into the chosen entries of the result."""
    values = tuple(map(value_of, args))
    used: Any = op.guard
    return [any_repetition(m, np.shape(x)) for m, x in zip(used(chosen, *values, **kwargs), values, strict=True)]


def finite_unless(mask: Any, c: Any) -> Any:
    """Return c with 0 in place of nan and infinity where the mask is false."""
    if is_true_everywhere(mask):
        return c
    kept = np.logical_or(mask, np.isfinite(value_of(c)))
    return c if is_true_everywhere(kept) else np.where(kept, c, 0.0)


def replace_unused(value: Any, kept: Any) -> Any:
    """Return the value with entries of the identity where they are not kept: a matrix may have to be invertible."""
    if is_true_everywhere(kept):
        return value
    shape = np.shape(value)
    return np.where(kept, value, np.eye(*shape[-2:], dtype=value.dtype) if len(shape) > 1 else 1)


def is_true_everywhere(mask: Any) -> bool:
    """Whether a mask is known to be true everywhere; a mask that is a formula is not known."""
    return isinstance(mask, np.ndarray | np.bool) and bool(np.all(mask))

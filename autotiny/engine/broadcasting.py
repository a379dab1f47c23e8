"""Undoing broadcasting, once for all gradient rules: what was repeated is summed."""

import functools
from typing import Any

import numpy as np

from autotiny.engine.values import DIFFERENTIABLE
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops import Op
from autotiny.ops.outputs import Arrived
from autotiny.ops.reductions import sum_keep


def fit(c: Any, x: Any, op: Op) -> Any:
    """Return a contribution in the shape and precision of the operand's value x."""
    if type(c) is not np.ndarray:
        require_array(c, x, op)
    if c.shape != x.shape:
        axes = repeated_axes(c.shape, x.shape)
        if axes is None:
            raise ShapeError(f"{op.name}: a rule gave shape {c.shape}, expected {x.shape}")
        c = sum_keep(c, axes)
        if c.ndim != x.ndim:
            c = c.reshape(x.shape)
    if c.dtype == x.dtype:
        return c
    if x.dtype.kind not in DIFFERENTIABLE:
        raise UnsupportedError(f"{op.name}: an operand of {x.dtype} has no gradient; make it floating point")
    if c.dtype.kind == "c" and x.dtype.kind == "f":
        c = c.real  # dJ = Re(c dx), and dx is real
    return c.astype(x.dtype)


def require_array(c: Any, x: Any, op: Op) -> None:
    """Raise UnsupportedError if what a rule gave is not an array."""
    if not hasattr(c, "shape"):
        what = f"a tuple of {len(c)}, one for each output" if isinstance(c, Arrived) else type(c).__name__
        raise UnsupportedError(f"{op.name}: a rule gave {what}, expected an array of shape {x.shape}")


def any_repetition(mask: Any, shape: tuple[int, ...]) -> Any:
    """Return a mask in the shape of an operand: true where any repetition of an entry is."""
    return (
        mask
        if mask.shape == shape
        else np.any(mask, axis=repeated_axes(mask.shape, shape), keepdims=True).reshape(shape)
    )


@functools.lru_cache
def repeated_axes(shape: tuple[int, ...], original: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the axes along which broadcasting to a shape repeats an array; None if it does not broadcast."""
    extra = len(shape) - len(original)
    if extra < 0 or any(n not in (1, m) for n, m in zip(original, shape[extra:], strict=True)):
        return None
    return (*range(extra), *(extra + i for i, n in enumerate(original) if n != shape[extra + i]))

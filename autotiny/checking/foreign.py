"""Closed forms as arrays of NumPy: from PyTorch, JAX, pandas or nested lists."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autotiny.engine.pytree import tree_map
from autotiny.engine.recording import value_of
from autotiny.errors import UnsupportedError

BFLOAT16_EPS = 2.0**-7
"""The rounding of bfloat16, which NumPy does not have; its values are single precision ones."""


class Numbers(NamedTuple):
    """An array of floating-point numbers, and the rounding that it has been through."""

    values: NDArray[Any]
    eps: float


def as_numbers(value: Any, what: str, complex_too: bool = False) -> Numbers:
    """Return a closed form as numbers, complex ones if they may be; raise UnsupportedError where it holds none."""
    if isinstance(value, str):
        raise UnsupportedError(
            f"compare: expected {what} as numbers; got the text {value!r}: at.derive(loss, x).matches reads formulas"
        )
    if callable(value) and not hasattr(value, "__array__"):
        raise UnsupportedError(f"compare: expected {what} as numbers; got a function: call it first")
    narrow = "bfloat16" in str(getattr(value, "dtype", ""))
    try:
        array = _array(value)
    except ValueError:
        raise UnsupportedError(f"compare: expected {what} as an array; got lists of different lengths") from None
    if array.dtype.kind not in ("biufc" if complex_too else "biuf"):
        mend = ": make it dense first" if hasattr(value, "toarray") or hasattr(value, "todense") else ""
        raise UnsupportedError(f"compare: expected {what} as numbers; got {_kind(value, array)}{mend}")
    array = array if array.dtype.kind in "fc" else array.astype(float)
    array = array.astype(np.result_type(array, np.complex64)) if complex_too else array
    return Numbers(array, BFLOAT16_EPS if narrow else float(np.finfo(array.dtype).eps))


def _kind(value: Any, array: NDArray[Any]) -> str:
    return type(value).__name__ if array.dtype == object and array.ndim == 0 else str(array.dtype)


def _array(value: Any) -> NDArray[Any]:
    """Return a value as an array of NumPy."""
    if isinstance(value, list | tuple):
        return np.asarray(tree_map(_array, value))
    value = value_of(value)
    if hasattr(value, "detach"):  # PyTorch: out of its graph, and off its device
        value = value.detach().cpu()
        value = value.float() if "bfloat16" in str(value.dtype) else value
    if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
        return np.from_dlpack(value)
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array

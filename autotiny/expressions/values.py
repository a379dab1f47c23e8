"""The values of the language: numbers, arrays and Tensors, and lists of them."""

from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.expressions.limits import whole
from autotiny.recording import value_of
from autotiny.tensor import Tensor

Value = Any


def checked(value: Value) -> Value:
    """The value, if the language has its like; raises UnsupportedError where it does not."""
    if isinstance(value, list | tuple):
        for item in value:
            checked(item)
    elif type(value) is int:
        whole(value)
    elif isinstance(value, complex | np.complexfloating) or getattr(value, "dtype", np.dtype(float)).kind == "c":
        raise UnsupportedError("the result is complex; the language has real numbers")
    elif isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "fiub":
            raise UnsupportedError(f"expected numbers; got {value.dtype}")
    elif not isinstance(value, Tensor | float | bool):
        raise UnsupportedError(f"expected a number, an array or a Tensor; got {type(value).__name__}")
    return value


def literal(value: Any) -> Value:
    """A literal of the source; raises UnsupportedError for text, which stands in a few options alone."""
    if isinstance(value, str | bytes):
        raise UnsupportedError("text is not part of the language, but for einsum's labels and the mode of pad")
    return value if value is None or value is ... else checked(value)


def listed(items: list[Value], nested: bool) -> Value:
    """A list as an array where it holds numbers, or lists of numbers; else as it is, for stack and the like."""
    numbers = all(isinstance(item, int | float | np.generic) for item in items)
    rows = nested and all(isinstance(item, np.ndarray) for item in items)
    return np.array(items) if numbers or rows else items


def key_part(value: Value) -> Value:
    """An index: a number, or an array of places or truth values."""
    value = value_of(value)
    return np.asarray(value) if isinstance(value, list | tuple) else value

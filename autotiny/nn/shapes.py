"""The shapes of what layers take: options for each axis, parameters along an axis, and the words of their errors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import reals

Value = Any
"""An array or a Tensor."""


def described(name: str, x: Value) -> str:
    """Return an operand's own name, or that of the parameter, and its shape: 'W1 (5, 4)'."""
    return f"{getattr(x, 'name', None) or name} {x.shape}"


def real(layer: str, **operands: Any) -> list[Value]:
    """Return operands in floating point; raise UnsupportedError for what does not form an array of real numbers."""
    return [reals(x, f"{layer}: {name}") for name, x in operands.items()]


def is_whole(value: Any, least: int) -> bool:
    """Whether a value is a whole number of at least `least`, and no truth value."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


def require_number(layer: str, name: str, value: Any, most: float = np.inf) -> None:
    """Raise UnsupportedError unless a value is a number from 0 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= most:
        upper = "" if most == np.inf else f" and at most {most:g}"
        raise UnsupportedError(f"{layer}: {name} must be a number of at least 0{upper}; got {value!r}")


def for_each_axis(layer: str, name: str, value: Any, n: int, least: int = 1) -> tuple[int, ...]:
    """Return a whole number for each of n axes, of one for all or a sequence; raise UnsupportedError for others."""
    numbers = (value,) * n if is_whole(value, least) else value
    if isinstance(numbers, Sequence) and len(numbers) == n and all(is_whole(k, least) for k in numbers):
        return tuple(int(k) for k in numbers)
    wanted = f", or one for each of {n} axes" if n > 1 else ""
    raise UnsupportedError(f"{layer}: {name} must be a whole number of at least {least}{wanted}; got {value!r}")


def axis_of(layer: str, name: str, axis: Any, x: Value) -> int:
    """Return an axis counted from the first; raise ShapeError if x has no such axis."""
    if not isinstance(axis, int | np.integer) or isinstance(axis, bool) or not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"{layer}: {name} {axis!r} is not an axis of {described('X', x)}")
    return normalize_axis_index(int(axis), x.ndim)


def axes_of(layer: str, axis: Any, x: Value) -> tuple[int, ...]:
    """Return one or several axes counted from the first, in order; raise ShapeError if x lacks one, or for none."""
    axes = sorted({axis_of(layer, "axis", each, x) for each in (axis if isinstance(axis, tuple | list) else (axis,))})
    if not axes:
        raise ShapeError(f"{layer}: axis must name at least one axis of {described('X', x)}")
    return tuple(axes)


def along(layer: str, name: str, parameter: Any, x: Value, axes: tuple[int, ...]) -> Value:
    """Return a parameter with an entry for each index of some axes of x, in a shape that broadcasts with x.

    Raises ShapeError for another number of entries: it would broadcast along another axis, in silence if that fits.
    """
    parameter = reals(parameter, f"{layer}: {name}")
    short = tuple(x.shape[axis] for axis in axes)
    whole = tuple(n if axis in axes else 1 for axis, n in enumerate(x.shape))
    if parameter.shape == short:
        return np.reshape(parameter, whole)
    if parameter.shape in (whole, ()):
        return parameter
    raise ShapeError(f"{layer}: {described(name, parameter)} does not fit; expected shape {short} or {whole}")

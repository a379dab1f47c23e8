"""Padding: constants, the array's own entries, or what is computed from them, axis by axis."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.indexing import along, index, take
from autotiny.ops.shaping import PIECES, astype
from autotiny.ops.table import UNSET, Array, as_array, compose, floats, own

Side = Callable[[Array, int, int, Any], Array]


def inside(g: Array, x: Array, pad_width: Any) -> Array:
    """Return the part of g that lies over x, without the padding."""
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    return index(
        g, key=tuple(slice(before, before + n) for (before, _), n in zip(widths.tolist(), x.shape, strict=True))
    )


@own(
    lambda g, y, x, pad_width=0, constant_values=0: inside(g, x, pad_width),
    traits="moves analytic fills resizes",
    words=PIECES,
)
def pad_constant(x: Array, pad_width: Any = 0, constant_values: Any = 0) -> Array:
    """Pad x with constants."""
    return np.pad(x, pad_width, constant_values=constant_values)


# ----- what one side of one axis is padded with; for the other side the array is reversed -----
def statistic(function: Callable[..., Array]) -> Side:
    """Return the side that repeats a statistic of the entries at the edge, or of all."""

    def side(x: Array, axis: int, width: int, length: int | None) -> Array:
        part = x if length is None else index(x, key=(*along(x, axis), slice(length)))
        return np.repeat(function(part, axis=axis, keepdims=True), width, axis=axis)

    return side


def ramp(x: Array, axis: int, width: int, end: Any) -> Array:
    """Return the side that goes evenly from a value at the end to the edge."""
    return np.linspace(end, np.take(x, 0, axis=axis), width, endpoint=False, axis=axis)


def fixed(x: Array, axis: int, width: int, value: Any) -> Array:
    """Return the side of one value."""
    return np.broadcast_to(astype(value, dtype=x.dtype), [width if i == axis else n for i, n in enumerate(x.shape)])


def odd(without_edge: int) -> Side:
    """Return the side that is turned about the edges by half a turn, again and again.

    x(j + period) = x(j) + 2 (last - first), where x(-j) = 2 first - x(j) and x(n - 1 + j) = 2 last - x(n - 1 - j).
    """

    def side(x: Array, axis: int, width: int, option: Any) -> Array:
        n = x.shape[axis]
        if n == without_edge:
            return np.repeat(x, width, axis=axis)
        periods, place = np.divmod(np.arange(-width, 0), 2 * (n - without_edge))
        turned = place >= n - without_edge
        mirrored = np.take(x, np.where(turned, 2 * n - 1 - without_edge - place, place), axis=axis)
        column = [-1 if i == axis else 1 for i in range(x.ndim)]
        result = mirrored * np.reshape(np.where(turned, -1, 1).astype(x.dtype), column)
        for end, times in ((0, -2 * periods), (n - 1, 2 * (periods + turned))):
            factor = np.reshape(times.astype(x.dtype), column)
            result = result + np.where(factor == 0, 0.0, factor * np.take(x, [end], axis=axis))
        return result

    return side


SIDES: dict[str, Side] = {
    "constant": fixed,
    "mean": statistic(np.mean),
    "median": statistic(np.median),
    "maximum": statistic(np.max),
    "minimum": statistic(np.min),
    "linear_ramp": ramp,
    "odd reflect": odd(1),
    "odd symmetric": odd(0),
}
OWN_ENTRIES = ("edge", "reflect", "symmetric", "wrap")
OPTION_OF = {
    "constant": "constant_values",
    "linear_ramp": "end_values",
    **dict.fromkeys(("mean", "median", "maximum", "minimum"), "stat_length"),
    **dict.fromkeys(("reflect", "symmetric"), "reflect_type"),
}
"""The option that a mode has."""


NOT_GIVEN = {"constant": 0, "linear_ramp": 0}


def is_tracked(option: Array) -> bool:
    """Whether an option is a Tensor, whose gradient counts."""
    return getattr(option, "requires_grad", False)


def given(option: Any, default: Any) -> Any:
    """Return an option, or its default where it was not given."""
    return default if option is UNSET else option


def entries(option: Any) -> Array:
    """Return an option as an array; numbers and Tensors in lists and tuples are joined."""
    return np.stack([entries(part) for part in option]) if isinstance(option, list | tuple) else as_array(option)


def by_axes(option: Any, ndim: int) -> list[list[Any]]:
    """Return an option of both sides of each axis."""
    if option is None:
        return [[None, None]] * ndim
    return [list(pair) for pair in np.broadcast_to(entries(option), (ndim, 2))]


@compose(np.pad)
def pad(
    array: Array,
    pad_width: Any,
    mode: Any = "constant",
    *,
    constant_values: Any = UNSET,
    end_values: Any = UNSET,
    stat_length: Any = UNSET,
    reflect_type: Any = UNSET,
) -> Array:
    """Pad an array with constants, with its own entries, or with what is computed from them."""
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(i, pad_width.get(i - array.ndim, 0)) for i in range(array.ndim)]
        pad_width = [width if isinstance(width, tuple | list) else (width, width) for width in pad_width]
    if np.asarray(pad_width).dtype.kind not in "iu":
        raise UnsupportedError(f"pad: pad_width must be integers; got {pad_width!r}")
    options = {
        "constant_values": constant_values,
        "end_values": end_values,
        "stat_length": stat_length,
        "reflect_type": reflect_type,
    }
    for option, value in options.items():
        if value is not UNSET and OPTION_OF.get(mode) != option:
            owners = ", ".join(sorted(m for m, its in OPTION_OF.items() if its == option))
            raise UnsupportedError(f"pad: {option} is for the mode {owners}, and the mode is {mode!r}")
    if mode == "empty" or (mode == "constant" and not is_tracked(entries(given(constant_values, 0)))):
        return pad_constant(array, pad_width=pad_width, constant_values=given(constant_values, 0))
    if mode in OWN_ENTRIES and given(reflect_type, "even") == "even":
        places = np.pad(np.reshape(np.arange(array.size), array.shape), pad_width, mode=mode)
        return take(np.ravel(array), places) if array.ndim else np.copy(array)
    name = f"odd {mode}" if mode in OWN_ENTRIES else mode
    if name not in SIDES:
        raise UnsupportedError(
            f"pad: mode {mode!r} is not supported; use constant, edge, reflect, symmetric, wrap, mean, median, "
            "maximum, minimum, linear_ramp or empty"
        )
    option = given({"linear_ramp": end_values, "constant": constant_values}.get(mode, stat_length), NOT_GIVEN.get(mode))
    widths_of_axes = [[int(width) for width in pair] for pair in by_axes(pad_width, array.ndim)]
    if mode != "constant" and any(not n and any(widths) for n, widths in zip(array.shape, widths_of_axes, strict=True)):
        raise ShapeError(f"pad: an axis without entries is padded by the modes constant and empty alone, not {mode!r}")
    array = floats(array)
    for axis, (widths, settings) in enumerate(zip(widths_of_axes, by_axes(option, array.ndim), strict=True)):
        turned = np.flip(array, axis)
        before, after = (SIDES[name](x, axis, w, o) for x, w, o in zip((array, turned), widths, settings, strict=True))
        array = np.concatenate([before, array, np.flip(after, axis)], axis=axis)
    return array if array.ndim else np.copy(array)

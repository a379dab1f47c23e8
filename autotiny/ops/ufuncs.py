"""The options of a ufunc's call: the type to compute in, casting, memory order, and axes of vectors and matrices."""

from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.folding import cast
from autotiny.ops.table import Array, floats

OPTIONS = {"dtype", "casting", "order", "subok", "axes", "axis", "keepdims"}
"""What `call` knows; a result is computed as NumPy's would be, and how it lies in memory is left to NumPy."""
CASTINGS, ORDERS = ("no", "equiv", "safe", "same_kind", "unsafe"), ("C", "F", "A", "K")


def call(ufunc: np.ufunc, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call a ufunc with its options, of which those it needs no more are left out in the call that is recorded."""
    rest = {name: value for name, value in options.items() if name not in OPTIONS}
    dtype, casting, order = options.get("dtype"), options.get("casting", "same_kind"), options.get("order", "K")
    if casting not in CASTINGS or order not in ORDERS:
        raise UnsupportedError(
            f"{ufunc.__name__}: casting must be one of {', '.join(CASTINGS)} and order one of {', '.join(ORDERS)}; "
            f"got {casting!r} and {order!r}"
        )
    if dtype is not None or casting in ("no", "equiv"):
        inputs = tuple(converted(ufunc.__name__, inputs, dtype, casting))
    if options.keys() & {"axes", "axis", "keepdims"}:
        return along_axes(ufunc, inputs, options.get("axes"), options.get("axis"), bool(options.get("keepdims")), rest)
    return ufunc(*inputs, **rest)


def converted(name: str, inputs: tuple[Any, ...], dtype: Any, casting: Any) -> list[Any]:
    """Return the operands in the type to compute in; numbers of Python's take it anyway."""
    arrays = [x if type(x) in (int, float, complex) else floats(x) for x in inputs]
    common = np.result_type(*arrays) if dtype is None else np.dtype(dtype)
    for x in arrays:
        if hasattr(x, "dtype") and not np.can_cast(x.dtype, common, casting):
            raise UnsupportedError(
                f"{name}: an operand of {x.dtype} cannot be cast to {common} with casting={casting!r}"
            )
    return [cast(x, common) if hasattr(x, "dtype") else x for x in arrays]


# ----- functions of vectors and matrices -----
def core_axes(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> list[int]:
    """Return how many last axes each operand and the result are made of: 2, 1, 1 for a matrix times a vector."""
    terms = (ufunc.signature or "").replace("->", ",").split("),(")
    counts = [len([axis for axis in term.strip("()").split(",") if axis]) for term in terms]
    if ufunc is not np.matmul:
        return counts
    a, b = (min(np.ndim(x), 2) for x in inputs)
    return [a, b, a + b - 2]


def along_axes(
    ufunc: np.ufunc, inputs: tuple[Any, ...], axes: Any, axis: int | None, keepdims: bool, rest: dict[str, Any]
) -> Any:
    """Call a function of vectors or matrices that lie along other axes than the last."""
    name, cores = ufunc.__name__, core_axes(ufunc, inputs)
    vectors = cores == [1, 1, 0] and ufunc is not np.matmul
    if (axis is not None and axes is not None) or ((axis is not None or keepdims) and not vectors):
        raise UnsupportedError(f"{name}: axis= and keepdims= are for functions of vectors; give axes= for each operand")
    if axes is None:
        axes = [-1 if axis is None else axis] * (2 + keepdims)
    lists = [tuple(along) if isinstance(along, tuple | list) else (along,) for along in axes]
    if len(lists) == 2 and not cores[-1]:
        lists.append((-1,) if keepdims else ())
    if list(map(len, lists)) != [*cores[:-1], cores[-1] + keepdims]:
        raise ShapeError(
            f"{name}: axes= needs {cores[0]} and {cores[1]} axes, and {cores[-1]} of the result; got {axes}"
        )
    *moved, place = lists
    y: Array = ufunc(
        *(np.moveaxis(floats(x), i, range(-len(i), 0)) for x, i in zip(inputs, moved, strict=True)), **rest
    )
    return np.expand_dims(y, place) if keepdims else np.moveaxis(y, range(-len(place), 0), place)

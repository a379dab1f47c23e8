"""Prototypes: the type, shape and dtype of a result, from those of the operands, without computing it.

The prototype of an array is an array of zeros in one entry's memory; that of anything else is a value of its type. An
operation treats lengths alike unless its row says that it `resizes`, so its result on small arrays, where each length
is replaced by a prime, tells the shape on large ones: a product of primes stands for the product of their lengths.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import add
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autotiny.ops import OPS, PLAIN, Op
from autotiny.ops.indexing import index, scatter
from autotiny.ops.outputs import Outputs, output
from autotiny.ops.padding import pad_constant
from autotiny.ops.patches import overlap_add, patches
from autotiny.ops.shaping import join, stack

Shape = tuple[int, ...]

NUMBERS = (int, float, bool, complex)
"""Python's numbers, each its own prototype: what an operation makes of them depends on their values."""
PRIMES = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59)
"""In place of lengths. A length of 2 is none of an operand's, so the operation has made it by itself."""
MANY = 4096
"""Results that are remembered."""


@lru_cache(maxsize=1024)
def prototype(shape: Shape, dtype: Any) -> Any:
    """Return the prototype of an array.

    >>> x = prototype((1000, 1000), np.dtype(float))
    >>> x.shape, x.base.nbytes
    ((1000, 1000), 8)
    """
    array: Any = np.ndarray(shape, dtype, np.zeros((), dtype), 0, (0,) * len(shape))
    array.flags.writeable = False
    return array


def prototype_of(value: Any) -> Any:
    """Return the prototype of a value."""
    if isinstance(value, np.ndarray):
        return prototype(value.shape, value.dtype)
    return value.each(prototype_of) if isinstance(value, Outputs) else value


# ----- results -----
_results: dict[Any, Any] = {}


def result_of(op: Op, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Return the prototype of a result from those of the operands; None where it has to be computed.

    Terms among the options are given as prototypes too.
    """
    try:
        key = (op, *map(_operand_key, operands), _option_key(options) if options else ())
        known = _results.get(key, _results)
    except TypeError:  # an array, which may change
        return _infer(op, operands, options)
    if known is _results:
        if len(_results) > MANY:
            _results.clear()
        known = _results[key] = _infer(op, operands, options)
    return known


def _operand_key(x: Any) -> Any:
    kind = type(x)
    if kind is np.ndarray:
        return x.shape, x.dtype
    return (kind, x) if kind in (int, bool) else kind if kind is not Outputs else _no_key()


def _option_key(option: Any) -> Any:
    kind = type(option)
    if isinstance(option, Mapping):
        return tuple([(name, _option_key(value)) for name, value in option.items()])
    if kind is slice:
        return slice, option.start, option.stop, option.step
    if kind in (tuple, list):
        return kind, *map(_option_key, option)
    return (kind, option) if kind is not np.ndarray else _no_key()


def _no_key() -> Any:
    raise TypeError


@np.errstate(all="ignore")
def _infer(op: Op, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Return the prototype of a result; None where it has to be computed, an error of its operands included."""
    if all(type(x) in NUMBERS for x in operands):
        return None
    try:
        if treats_lengths_alike(op):
            return _on_small_arrays(op, operands, options)
        rule = RESIZED.get(op.function)
        return rule(operands, options) if rule else None
    except Exception:  # computing gives the error of the operation
        return None


def treats_lengths_alike(op: Op) -> bool:
    """Whether the type and shape of a result follow from those of the operands, whatever the lengths."""
    function = op.function
    if isinstance(function, np.ufunc):
        return True
    module = getattr(function, "__module__", None) or ""
    if function in PLAIN:
        return module.startswith("numpy")
    row = OPS.get(function) if module.startswith(("numpy", "autotiny.ops")) else None
    return row is not None and not row.has("resizes")


def _on_small_arrays(op: Op, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    shapes = [x.shape for x in operands if isinstance(x, np.ndarray)]
    lengths = sorted({n for shape in shapes for n in shape if n > 1})
    small = dict(zip(lengths, PRIMES, strict=False))
    arguments = [
        _small_array(tuple([small.get(n, n) for n in x.shape]), x.dtype)
        if isinstance(x, np.ndarray)
        else x.dtype.type(1)
        if isinstance(x, np.generic)
        else x
        for x in operands
    ]
    return _enlarged(op.forward(*arguments, **options), {p: n for n, p in small.items()})


@lru_cache(maxsize=256)
def _small_array(shape: Shape, dtype: Any) -> Any:
    """Return an array of positive numbers, of at most 1 where it is of floats; regular where it is a matrix."""
    array = np.ones(shape, dtype)
    if len(shape) > 1 and dtype.kind in "fc":
        array = (array + np.eye(*shape[-2:], dtype=dtype)) / dtype.type(2)
    return array


def _enlarged(result: Any, lengths: Mapping[int, int]) -> Any:
    """Return the prototype of a result on small arrays, with the lengths that the primes stand for."""
    if isinstance(result, Outputs):
        parts = [_enlarged(part, lengths) for part in result.parts]
        return None if any(part is None for part in parts) else Outputs(parts, result.build)
    if isinstance(result, np.ndarray):
        shape = tuple([_length(n, lengths) for n in result.shape])
        return None if None in shape else prototype(shape, result.dtype)
    return result if isinstance(result, np.generic) else None


def _length(n: int, lengths: Mapping[int, int]) -> int | None:
    """Return what a product of primes stands for; None for other lengths."""
    if n in lengths or n < 2:
        return lengths.get(n, n)
    length = 1
    for p, represented in lengths.items():
        while n % p == 0:
            n, length = n // p, length * represented
    return length if n == 1 else None


# ----- operations that resize -----
Rule = Callable[[Sequence[Any], Mapping[str, Any]], Any]


def view_by(function: Callable[..., Any]) -> Rule:
    """Return the rule of a function whose result on prototypes takes no memory."""
    return lambda operands, options: prototype_of(function(*operands, **options))


def picked(operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The prototype of x[key], by way of one byte for each entry at most."""
    (x,) = operands
    shape, key = np.shape(x), options["key"]
    result = prototype(shape, np.dtype(bool))[key] if shape else np.zeros((), bool)[key]
    return prototype(result.shape, x.dtype) if isinstance(result, np.ndarray) else x.dtype.type(0)


def placed(operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The prototype of what is put into zeros of a shape that is an option."""
    return prototype(tuple(map(int, options["shape"])), operands[0].dtype)


def padded(operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The prototype of an array with constants around it."""
    (x,) = operands
    widths = np.broadcast_to(np.asarray(options.get("pad_width", 0)), (x.ndim, 2)).sum(axis=1).tolist()
    return prototype(tuple(map(add, x.shape, widths)), x.dtype)


def joined(operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The prototype of arrays one after another; None where the other lengths differ."""
    axis = normalize_axis_index(options.get("axis", 0), operands[0].ndim)
    if len({(*x.shape[:axis], 0, *x.shape[axis + 1 :]) for x in operands}) > 1:
        return None
    total = sum(x.shape[axis] for x in operands)
    shape = operands[0].shape
    return prototype((*shape[:axis], total, *shape[axis + 1 :]), np.result_type(*operands))


def stacked(operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The prototype of arrays along a new axis; None where their shapes differ."""
    shapes = set(map(np.shape, operands))
    if len(shapes) > 1:
        return None
    (shape,) = shapes
    axis = normalize_axis_index(options.get("axis", 0), len(shape) + 1)
    return prototype((*shape[:axis], len(operands), *shape[axis:]), np.result_type(*operands))


RESIZED: dict[Any, Rule] = {
    **{OPS[f].function: view_by(OPS[f].forward) for f in (np.reshape, np.broadcast_to, patches, output)},
    **{OPS[f].function: placed for f in (scatter, overlap_add)},
    OPS[index].function: picked,
    OPS[pad_constant].function: padded,
    OPS[join].function: joined,
    OPS[stack].function: stacked,
}
"""Rules for functions whose rows say that they resize; the others are computed."""

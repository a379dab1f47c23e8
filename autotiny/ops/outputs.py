"""Operations with several outputs, such as np.linalg.eigh: one node computes them all, and `output` takes each.

A rule of such an operation has tuples for g and y, an entry for each output. An output that the result does not depend
on has zeros for its gradient.
"""

import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops.plain import ABOUT_SHAPES, on_values
from autotiny.ops.table import Array, Function, Rule, define, library, own


class Outputs:
    """The outputs of one operation as one value of a graph: to the engine an array of all entries, one after another.

    Attributes
    ----------
    parts : the outputs.
    build : makes of them what the function returns: a tuple, or a named tuple such as NumPy's EighResult.
    shape, dtype : those of all entries in one row; integers and truth values, which have no gradient, count as well.
    """

    __slots__ = ("build", "dtype", "parts", "shape")
    ndim = 1

    def __init__(self, returned: Any, build: Any = None) -> None:
        self.parts = tuple(returned)
        self.build = build or getattr(returned, "_make", type(returned))
        self.shape = (sum(part.size for part in self.parts),)
        self.dtype = np.result_type(*(part.dtype for part in self.parts if part.dtype.kind in "fc"), np.float16)

    size = property(lambda self: self.shape[0], doc="Number of entries.")
    shapes = property(lambda self: tuple([part.shape for part in self.parts]), doc="The shape of each.")
    nbytes = property(lambda self: sum(part.nbytes for part in self.parts), doc="Number of bytes.")

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, i: int) -> Any:
        return self.parts[i]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.parts)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return in_a_row(self).astype(dtype or self.dtype)

    def tobytes(self) -> bytes:
        """Return the entries as bytes."""
        return b"".join(part.tobytes() for part in self.parts)

    def each(self, function: Function) -> "Outputs":
        """Return f(y) of each output y."""
        return Outputs(map(function, self.parts), self.build)


class OutputGradients:
    """What arrives at the outputs of an operation, as the gradient of its value.

    A sum of two is kept as the pair of them until its parts are asked for: there may be thousands of outputs.

    Attributes
    ----------
    of : the outputs.
    parts : the gradient of each output; None where nothing arrives.
    taken : for each output, the entries that were taken: True for all, False for none, or a mask.
    along : where the sweep can tell, `along(i, c)` returns the gradients of the outputs of Σ c · (that of output i).
    """

    __slots__ = ("_parts", "_sum", "_taken", "along", "of")
    _sum: "tuple[OutputGradients, OutputGradients]"

    def __init__(
        self, of: Any, parts: Any, taken: tuple[Any, ...] | None = None, along: Function | None = None
    ) -> None:
        self.of, self._parts, self._taken, self.along = of, parts, taken, along

    @property
    def parts(self) -> tuple[Any, ...]:
        """The gradient of each output; None where nothing arrives."""
        if not isinstance(self._parts, tuple):
            self._parts = tuple(self._added())
        return self._parts

    @property
    def taken(self) -> tuple[Any, ...]:
        """The entries of each output that were taken."""
        return self._taken or tuple([part is not None for part in self.parts])

    def _added(self) -> list[Any]:
        total: list[Any] = [None] * len(self.of)
        waiting: list[Any] = [self]
        while waiting:
            each = waiting.pop()
            if each._parts is None:
                waiting += each._sum[::-1]
                continue
            pieces = each._parts.items() if isinstance(each._parts, dict) else enumerate(each._parts)
            for i, g in pieces:
                total[i] = g if total[i] is None else total[i] if g is None else total[i] + g
        return total

    shape = property(lambda self: self.of.shape, doc="That of the outputs.")
    shapes = property(lambda self: layout(self.of).shapes, doc="That of each output.")
    dtype = property(lambda self: self.of.dtype, doc="That of the outputs.")

    def __add__(self, other: "OutputGradients") -> "OutputGradients":
        result = OutputGradients(self.of, None)
        result._sum = (self, other)
        return result

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.in_a_row(), dtype)

    def __ne__(self, other: Any) -> Any:
        return self.in_a_row() != other

    __hash__ = object.__hash__

    def in_a_row(self) -> Array:
        """Return the entries of all outputs one after another, 0 where nothing arrives."""
        parts = zip(self.parts, self.shapes, strict=True)
        like = library(next((part for part in self.parts if part is not None), None))
        return np.concatenate(
            [np.zeros(math.prod(n), self.dtype, like=like) if part is None else np.ravel(part) for part, n in parts]
        )

    def of_taken(self, mask: Any, along: Function | None) -> "OutputGradients":
        """Return the same gradients, with the entries of the outputs that were taken, None for all, and `along`."""
        return OutputGradients(self.of, self.parts, None if mask is None else split(mask, self.of), along)


class Arrived(tuple[Any, ...]):
    """The gradients of the outputs as a rule receives them, with what `OutputGradients` says of them."""

    taken: tuple[Any, ...]
    along: Function | None


@own(
    lambda g, y, x, key=0: OutputGradients(x, {key: g}),
    kind="index",
    traits="moves analytic linear keeps_sign selects resizes",
    words="one of several outputs: it receives its gradient, the others 0",
)
def output(x: Any, key: int = 0) -> Array:
    """One output of an operation with several, by its number."""
    return x[key]


@on_values
def plain_output(x: Any, key: int = 0) -> Array:
    """One output of integers or truth values, which have no gradient."""
    return x[key]


class Layout(NamedTuple):
    """What is known of several outputs beside their values."""

    build: Any
    kinds: tuple[str, ...]
    """The kind of dtype of each."""
    shapes: tuple[tuple[int, ...], ...]


@on_values
def layout(x: Any) -> Layout:
    """Return what is known of several outputs beside their values."""
    return Layout(x.build, tuple([part.dtype.kind for part in x.parts]), x.shapes)


ABOUT_SHAPES.add(layout)


def split(entries: Array, x: Any) -> tuple[Array, ...]:
    """Return an array of one entry for each entry of the outputs x, in their shapes."""
    shapes = layout(x).shapes
    ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()
    parts = zip([0, *ends], ends, shapes, strict=False)
    return tuple([np.reshape(entries[start:end], shape) for start, end, shape in parts])


def outputs_of(x: Any) -> tuple[Any, ...]:
    """Return each output of an operation, of its value or of the node or formula of it."""
    if isinstance(x, Outputs):
        return x.parts
    kinds = layout(x).kinds
    return tuple([output(x, key=i) if kind in "fc" else plain_output(x, key=i) for i, kind in enumerate(kinds)])


def in_a_row(x: Any) -> Array:
    """Return the entries of all outputs one after another."""
    return np.concatenate([np.ravel(part) for part in outputs_of(x)])


def unpacked(x: Any) -> Any:
    """Return what the function returned, a tuple or a named tuple, of the node or formula of all its outputs."""
    build, parts = layout(x).build, outputs_of(x)
    return build(parts)


def with_outputs(forward: Function, name: str) -> Function:
    """Return the forward function of an operation: several outputs become one value."""

    @functools.wraps(forward)
    def function(*args: Any, **kwargs: Any) -> Any:
        returned = forward(*args, **kwargs)
        return as_outputs(returned, name) if isinstance(returned, tuple) else returned

    return function


def as_outputs(returned: Any, name: str) -> Outputs:
    """Return several outputs as one value; raise UnsupportedError unless they are arrays and one has a gradient."""
    for i, part in enumerate(returned):
        if not (hasattr(part, "dtype") and part.dtype.kind in "fcbiu"):
            what = f"{type(part).__name__} as output {i}"
            raise UnsupportedError(f"{name}: the operation gave {what}, expected an array of numbers")
    if returned and not any(part.dtype.kind in "fc" for part in returned):
        what = f"{len(returned)} outputs of integers, which have no gradient"
        raise UnsupportedError(f"{name}: the operation gave {what}; one must be in floating point")
    return Outputs(returned)


def zeros_for(x: Any, outputs: Any) -> Array:
    """Return the gradient of an output that is not used; of integers, in the precision of the others."""
    return np.zeros(np.shape(x), x.dtype if x.dtype.kind in "fc" else outputs.dtype, like=library(x))


def rule_of_outputs(rule: Rule) -> Rule:
    """Return the rule of an operation that may have several outputs, for which it receives tuples."""

    @functools.wraps(rule)
    def pull(*args: Any, **options: Any) -> Any:
        at = next((i for i, arg in enumerate(args[:2]) if isinstance(arg, OutputGradients)), None)
        if at is None:
            return rule(*args, **options)
        before, (g, y, *operands) = args[:at], args[at:]
        outputs = outputs_of(y)
        arrived = Arrived([zeros_for(x, y) if part is None else part for part, x in zip(g.parts, outputs, strict=True)])
        arrived.taken, arrived.along = g.taken, g.along
        return rule(*before, arrived, outputs, *operands, **options)

    return pull


def define_outputs(function: Function, *rules: Rule, forward: Function | None = None, **row: Any) -> None:
    """Enter a row of an operation with several outputs: `define`, with rules that receive tuples for g and y."""
    computed = with_outputs(forward or function, function.__name__)
    define(function, *map(rule_of_outputs, rules), forward=computed, **row)

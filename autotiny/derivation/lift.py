"""Lift: a recorded run as formulas.

Every tensor that has a name becomes a symbol, and the code that made it the symbol's definition, over the named tensors
that it uses directly. Numbers and arrays of the code are recognised as well: NumPy code leaves 1 / (2 m) in the graph
as 0.0625. A number is shown by a variable's name if one variable, or two, give it in the usual ways and no other does;
numbers that occur in every formula, such as 2, stay numbers.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term, apply, constant, symbol
from autotiny.algebra.picks import ARGSORT
from autotiny.algebra.simplify import size
from autotiny.derivation.loops import Loops
from autotiny.derivation.views import equal_array, flat, is_order, view_key, with_names
from autotiny.engine import graph
from autotiny.engine.tensor import Tensor
from autotiny.ops.indexing import index
from autotiny.ops.table import is_complex

INDEX = index.__wrapped__  # type: ignore[attr-defined]

# ----- numbers as powers of variables -----
UNREMARKABLE = (-1.0, 0.0, 0.5, 1.0, 2.0)
FEW = 10
"""Smaller whole numbers are too common to be taken for twice a variable or the product of two."""


class Powers(NamedTuple):
    """A product of powers of variables: scale · nameᵖ · otherᵠ."""

    scale: float
    names: tuple[tuple[str, float], ...]


def named_numbers(scope: Mapping[str, Any]) -> dict[str, float]:
    """The variables whose value is a number worth a name, which no other variable has."""
    numbers = {
        name: float(value)
        for name, value in scope.items()
        if type(value) in (int, float, np.float64, np.int64) and math.isfinite(value) and name[:1] != "_"
    }
    values = list(numbers.values())
    return {name: v for name, v in numbers.items() if v > 0 and v not in UNREMARKABLE and values.count(v) == 1}


def as_powers(value: float, numbers: Mapping[str, float]) -> Powers | None:
    """Return a positive number as powers of variables; None if there is no such product, or two equally short ones."""
    value = float(value)
    if value in UNREMARKABLE:
        return None
    for ways in _by_length(numbers, common=value < FEW and 1 / value < FEW and _is_short(value)):
        fits = [way for way in ways if math.isclose(_value(way, numbers), value, rel_tol=1e-14)]
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _is_short(value: float) -> bool:
    return value.is_integer() or (1 / value).is_integer()


def _value(way: Powers, numbers: Mapping[str, float]) -> float:
    return way.scale * math.prod(numbers[name] ** p for name, p in way.names)


def _by_length(numbers: Mapping[str, float], common: bool) -> Iterator[list[Powers]]:
    """m and 1/m; then √m; then 2m, m/2 and their inverses; then products and quotients of two."""
    yield [Powers(1.0, ((n, p),)) for n in numbers for p in (1, -1)]
    yield [Powers(1.0, ((n, p),)) for n in numbers for p in (0.5, -0.5)]
    if common:
        return
    yield [Powers(s, ((n, p),)) for n in numbers for p in (1, -1) for s in (2.0, 0.5)]
    pairs = [
        Powers(1.0, ((a, p), (b, q))) for a, b in itertools.combinations(numbers, 2) for p in (1, -1) for q in (1, -1)
    ]
    yield pairs
    yield [Powers(s, pair.names) for pair in pairs for s in (2.0, 0.5)]


def relation(value: np.ndarray, other: np.ndarray) -> str | None:
    """Return the relation of an array to another: equal, negative, 1 minus it, or transposed; else None."""
    if value.shape == other.shape:
        if np.array_equal(value, other):
            return "same"
        if value.dtype.kind == "f" and np.array_equal(value, -other):
            return "negative"
        if other.dtype.kind in "fiu" and np.array_equal(value, 1 - other):
            return "complement"
    if value.ndim == 2 and value.shape == other.shape[::-1] and np.array_equal(value, other.T):
        return "transpose"
    return None


# ----- the run -----
LONG = 12
"""The largest number of operations of an unnamed tensor whose code is inlined where it is used."""


class Lifted(NamedTuple):
    """A recorded run in formulas.

    Attributes
    ----------
    symbols : the symbol of each tensor that has a name, and of each leaf.
    definitions : the formula of each symbol that is a result.
    tracked : the symbols that have a gradient.
    data : the symbols of plain arrays and numbers, by name.
    """

    symbols: dict[Tensor, Term]
    definitions: dict[Term, Term]
    tracked: set[Term]
    data: dict[str, Term]


def lift(order: Iterable[Tensor], scope: Mapping[str, Any], always: Mapping[Tensor, str]) -> Lifted:
    """The tensors of a topological order as formulas over the names in the scope.

    Tensors in `always` become symbols in any case, by the name in there if they have no other.
    """
    order = list(order)
    variables = {id(value) for name, value in scope.items() if not name.startswith("_")}
    names = graph.names(order, scope)
    own = {x for x in order if x.name or id(x) in variables}
    taken = {names[x] for x in order if x in own or x.op is None}
    for x in always.keys() - own:
        if always[x]:
            names[x] = next(n for n in graph.with_primes(always[x]) if n not in taken)
        taken.add(names[x])
    named = own | always.keys() | {x for x in order if x.op is None}
    lifter = _Lifter(scope, taken, Loops(order, own, always))
    for x in order:
        lifter.add(x, names[x], x in named)
    return lifter.result


class _Lifter:
    """Lifts one tensor after the other, from leaves to results."""

    def __init__(self, scope: Mapping[str, Any], taken: set[str], loops: Loops) -> None:
        self.result = Lifted({}, {}, set(), {})
        self.loops = loops
        self.taken = taken
        self.terms: dict[Tensor, Term] = {}
        self.arrays = {n: v for n, v in scope.items() if isinstance(v, np.ndarray) and v.size > 1 and n[:1] != "_"}
        self.numbers = named_numbers(scope)
        self.constants: dict[int, Term] = {}

    def add(self, x: Tensor, name: str, named: bool) -> None:
        """Lift a tensor whose operands are lifted; one without a name of its own is its code, unless that is long.

        So a network whose layers have no names does not become one formula that repeats each layer in all that follow.
        """
        made = self.made(x) if x.op is not None else None
        if self.loops.ends(x) and (whole := self.loops.rolled(x, self)) is not None:
            made = whole
        if made is not None and not named and size(made)[0] <= LONG:
            self.terms[x] = made
            return
        self.terms[x] = self.result.symbols[x] = sign = symbol(name, x.value)
        if made is not None:
            self.result.definitions[sign] = made
        if x.requires_grad:
            self.result.tracked.add(sign)

    def made(self, x: Tensor) -> Term:
        """The operation of a result on the lifted operands."""
        assert x.op is not None
        exponent = 1 if x.op.function in (np.power, np.float_power) else None
        args = [self.operand(a, exact=i == exponent) for i, a in enumerate(x.args)]
        if x.op.function is INDEX:
            return self.picked(args[0], x.kwargs["key"])
        return constant(args[0] if x.op.has("checks") else apply(x.op, args, x.kwargs))

    def picked(self, x: Term, key: Any) -> Term:
        """Entries of a term, by the names of the labels and masks in the index."""
        if (columns := flat(key, x.shape)) is not None:
            return constant(np.reshape(self.picked(x, columns[0]), columns[1]))
        if is_order(key, x.value):
            return x[apply(ARGSORT, (x,), {})]
        return x[with_names(key, self.arrays, self.array)]

    def operand(self, value: Any, exact: bool) -> Term:
        """A lifted tensor, number or array; an exact number stays a number."""
        if isinstance(value, Tensor):
            return self.terms[value]
        return self.number(value) if np.ndim(value) == 0 and not (exact or is_complex(value)) else self.data(value)

    # ----- numbers -----
    def number(self, value: Any) -> Term:
        """A number by the names of the variables that give it: m for 8, and 1 / (2 m) for 0.0625."""
        way = as_powers(abs(float(value)), self.numbers) if value else None
        if way is None:
            return constant(value)
        scale = way.scale if value > 0 else -way.scale
        result: Any = int(scale) if scale.is_integer() else scale
        for name, power in way.names:
            root = np.sqrt(self.variable(name)) if abs(power) == 0.5 else self.variable(name)
            result = result * root if power > 0 else result / root
        return constant(result)

    def variable(self, name: str) -> Term:
        """The symbol of a variable that holds a number."""
        if name not in self.result.data:
            value = self.numbers[name]
            self.result.data[name] = symbol(self.unique_name(name), int(value) if value.is_integer() else value)
        return self.result.data[name]

    # ----- arrays -----
    def data(self, value: Any) -> Term:
        """An array by its variable's name, or by its relation to a named one: 1 - y; else as C."""
        if np.ndim(value) == 0:
            return constant(value)
        if id(value) not in self.constants:
            self.constants[id(value)] = self.recognised(np.asarray(value))
        return self.constants[id(value)]

    def known(self, value: Any) -> Term | None:
        """An array by the name of the variable that has its entries, or their columns; None if there is none."""
        name = equal_array(value, self.arrays)
        if name is None and value.ndim == 2 and (name := equal_array(value.T, self.arrays)) is not None:
            return constant(np.transpose(self.array(name)))
        return None if name is None else self.array(name)

    def recognised(self, value: Any) -> Term:
        """An array by its relation to a named array or tensor."""
        name = next((n for n, array in self.arrays.items() if array is value), None)
        if name is not None:
            return self.array(name)
        if value.size and np.all(value == value.flat[0]):
            return constant(value)
        for name, array in self.arrays.items():
            if (key := view_key(value, array)) is not None:
                return self.array(name)[key]
        if value.dtype.kind == "b":
            masks = (s > 0 for x, s in self.result.symbols.items() if x.shape == value.shape)
            mask = next((mask for mask in masks if np.array_equal(mask.value, value)), None)
            return self.unknown(value) if mask is None else mask
        for name, array in self.arrays.items():
            if (how := relation(value, array)) is not None:
                return RELATIONS[how](self.array(name))
        return self.unknown(value)

    def array(self, name: str) -> Term:
        """The symbol of a variable that holds an array."""
        if name not in self.result.data:
            self.result.data[name] = symbol(self.unique_name(name), self.arrays[name])
        return self.result.data[name]

    def unknown(self, value: Any) -> Term:
        """An array that no variable holds."""
        name = self.unique_name("C")
        self.result.data[name] = symbol(name, value)
        return self.result.data[name]

    def unique_name(self, name: str) -> str:
        """The name, with primes if it is taken."""
        unique = next(n for n in graph.with_primes(name) if n not in self.taken)
        self.taken.add(unique)
        return unique


RELATIONS: dict[str, Any] = {
    "same": lambda x: x,
    "negative": lambda x: -x,
    "complement": lambda x: 1 - x,
    "transpose": np.transpose,
}

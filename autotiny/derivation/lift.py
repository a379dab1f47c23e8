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

from autotiny.algebra import Term, apply, constant, symbol, topological_order
from autotiny.algebra.picks import ARGSORT
from autotiny.algebra.simplify import rebuilt, size
from autotiny.derivation.guesses import Guess, of_arrays, of_number
from autotiny.derivation.loops import Loops
from autotiny.derivation.origins import Origins
from autotiny.derivation.readings import PI
from autotiny.derivation.views import equal_array, flat, is_order, part_of_array, view_key, with_names
from autotiny.engine import graph
from autotiny.engine.call_site import named_values
from autotiny.engine.pytree import tree_map
from autotiny.engine.tensor import Tensor
from autotiny.notation.numbers import as_typed, is_identity
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
FEW_ENTRIES, FEW_DIGITS = 4, 6
"""The largest number of entries, and of digits of one, of an array that is written by its entries."""
MOST_PRINTED = 64
"""The largest number of entries of an unnamed array that a NumPy function of the formula computes with."""
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
    constants : the values of those that no variable of the user's holds, other than large arrays.
    """

    symbols: dict[Tensor, Term]
    definitions: dict[Term, Term]
    tracked: set[Term]
    data: dict[str, Term]
    constants: dict[Term, Term]


def lift(order: Iterable[Tensor], scope: Mapping[str, Any], always: Mapping[Tensor, str]) -> Lifted:
    """The tensors of a topological order as formulas over the names in the scope.

    Tensors in `always` become symbols in any case, by the name in there if they have no other.
    """
    order = list(order)
    variables = {id(value) for _, value in named_values(scope, items=False)}
    names = graph.names(order, scope)
    own = {x for x in order if x.name or id(x) in variables}
    taken = {names[x] for x in order if x in own or x.op is None}
    for x in always.keys() - own:
        if always[x]:
            names[x] = next(n for n in graph.with_primes(always[x]) if n not in taken)
        taken.add(names[x])
    named = own | always.keys() | {x for x in order if x.op is None}
    unnamed = {x for x in named - own - always.keys() if not x.requires_grad}
    lifter = _Lifter(names, named, unnamed, scope, Loops(order, own, always))
    for x in order:
        lifter.add(x)
    return lifter.result


class _Lifter:
    """Lifts one tensor after the other, from leaves to results."""

    def __init__(
        self,
        names: Mapping[Tensor, str],
        named: set[Tensor],
        unnamed: set[Tensor],
        scope: Mapping[str, Any],
        loops: Loops,
    ) -> None:
        self.names, self.named, self.unnamed = names, named, unnamed
        self.result = Lifted({}, {}, set(), {}, {})
        self.taken = {names[x] for x in named}
        self.loops = loops
        self.terms: dict[Tensor, Term] = {}
        self.origins = Origins(self.symbol_of, self.result.tracked)
        arrays = [(n, v) for n, v in named_values(scope) if isinstance(v, np.ndarray) and v.size > 1]
        arrays.sort(key=lambda each: self.origins.is_counter(each[0]))
        self.arrays = {id(v): (n, v) for n, v in reversed(arrays)}
        self.floats = {id(v): n for n, v in scope.items() if isinstance(v, float) and n[:1] != "_"}
        self.variables: dict[tuple[str, Any], Term] = {}
        self.entries: dict[Term, Term] = {}
        self.final: set[Term] = set()
        self.unnamed_arrays: set[Term] = set()
        self.constants: dict[int, Term] = {}
        self.counts = counts(scope, names)
        self.numbers = self.counts | named_numbers({n: v for n, v in scope.items() if isinstance(v, float)})

    def add(self, x: Tensor) -> None:
        """Lift a tensor whose operands are lifted; one without a name of its own is its code, unless that is long.

        So a network whose layers have no names does not become one formula that repeats each layer in all that follow.
        """
        if x in self.terms or x in self.unnamed:
            return
        made = self.made(x) if x.op is not None else None
        if self.loops.ends(x) and (whole := self.loops.rolled(x, self)) is not None:
            made = whole
        if made is not None and x not in self.named and size(made)[0] <= LONG:
            self.terms[x] = made
            return
        self.terms[x] = self.result.symbols[x] = sign = symbol(self.names[x], x.value)
        self.final.add(sign)
        if made is not None:
            self.result.definitions[sign] = made
        if x.requires_grad:
            self.result.tracked.add(sign)

    def made(self, x: Tensor) -> Term:
        """The operation of a result on the lifted operands."""
        assert x.op is not None
        args = [self.entered(self.operand(x, i)) for i in range(len(x.args))]
        if x.op.function is INDEX:
            return self.picked(args[0], x.kwargs["key"])
        return constant(args[0] if x.op.has("checks") else apply(x.op, args, x.kwargs))

    def picked(self, x: Term, key: Any) -> Term:
        """Entries of a term, by the names of the labels and masks in the index."""
        if (columns := flat(key, x.shape)) is not None:
            return constant(np.reshape(self.picked(x, columns[0]), columns[1]))
        if is_order(key, x.value):
            return x[apply(ARGSORT, (x,), {})]
        return x[with_names(key, self.known)]

    def operand(self, x: Tensor, position: int) -> Term:
        """An operand of a result: a lifted tensor, or a number or array by its name or by the code that made it."""
        assert x.op is not None
        value = x.args[position]
        if isinstance(value, Tensor):
            return self.tensor(x, position) if value in self.unnamed else self.terms[value]
        if np.ndim(value):
            return self.array(x, position)
        if is_complex(value) or value != value:
            return constant(value)
        made = self.number(x, position)
        is_exponent = position == 1 and x.op.function in (np.power, np.float_power)
        return constant(value) if is_exponent and depends_on_whole_number(made) else made

    def tensor(self, x: Tensor, position: int) -> Term:
        """A constant Tensor without a name by the expression that it came from."""
        value = x.args[position]
        if value not in self.terms:
            made = self.origins.of(x, position)
            if made is None or made.is_constant:
                made = self.origins.anywhere(value.value)
            if made is None or made.is_constant:
                self.unnamed.remove(value)
                self.add(value)
            else:
                self.terms[value] = made
        return self.terms[value]

    def symbol_of(self, name: str, value: Any) -> Term | None:
        """The symbol of a variable that holds a number, an array or a Tensor; None for a Tensor that is not lifted."""
        if isinstance(value, Tensor):
            if value in self.names and value.op is None:
                self.add(value)
            if value in self.names or value.requires_grad:
                return self.result.symbols.get(value)
            name, value = value.name or name, value.value
        key = name, id(value) if isinstance(value, np.ndarray) else float(value)
        if key not in self.variables:
            self.variables[key] = symbol(name, value)
        return self.variables[key]

    def entered(self, made: Term) -> Term:
        """A formula that is used, in which variables have symbols of their own, made in the order of the run."""
        done: dict[Term, Term] = {}
        for part in topological_order(made):
            if part.name is not None:
                done[part] = part if part in self.final else self.final_symbol(part)
            else:
                done[part] = rebuilt(part, tuple(done[arg] for arg in part.args))
                if len(part.parents) > len(part.args) and part.op is not None:  # a variable in an index
                    options = tree_map(lambda each: done.get(each, each) if isinstance(each, Term) else each,
                                       dict(part.kwargs))  # fmt: skip
                    done[part] = constant(apply(part.op, done[part].args, options))
        return done[made]

    def final_symbol(self, variable: Term) -> Term:
        """The symbol of a variable that is used, under a name that no other has."""
        if variable not in self.entries:
            name = self.unique_name(str(variable.name))
            self.entries[variable] = self.result.data[name] = made = symbol(name, variable.value)
            self.final.add(made)
            if variable.name == PI or variable in self.unnamed_arrays:
                self.result.constants[made] = constant(variable.value)
        return self.entries[variable]

    # ----- numbers -----
    def number(self, x: Tensor, position: int) -> Term:
        """A number by the expression that it came from: m for 8, and 1 / (2 m) for 0.0625."""
        value = x.args[position]
        made = self.origins.of(x, position)
        if made is None and (name := self.floats.get(id(value))) is not None:
            made = self.symbol_of(name, value)
        if made is None:
            made = self.constants.get(id(value)) if isinstance(value, float) else None
        if made is None:
            return self.counted(value, self.known_numbers() if self.origins.is_read(x) else self.numbers)
        if isinstance(value, float):
            self.constants.setdefault(id(value), made)
        return made

    def known_numbers(self) -> dict[str, float]:
        """The variables that hold the length of an axis, or that gave another number of the run."""
        used = {name: sign.value for name, sign in self.result.data.items() if isinstance(sign.value, int | float)}
        return self.counts | named_numbers(used)

    def counted(self, value: Any, numbers: Mapping[str, float]) -> Term:
        """A number that no line of the code gives, by the numbers that it is the product or inverse of."""
        way = as_powers(abs(float(value)), numbers) if value else None
        if way is None:
            guess = of_number(float(value), self.plain_arrays(), list(numbers.values()))
            return constant(value) if guess is None else self.guessed(guess)
        scale = way.scale if value > 0 else -way.scale
        result: Any = int(scale) if scale.is_integer() else scale
        for name, power in way.names:
            number = numbers[name]
            variable: Any = self.symbol_of(name, int(number) if number.is_integer() else number)
            root = np.sqrt(variable) if abs(power) == 0.5 else variable
            result = result * root if power > 0 else result / root
        return constant(result)

    # ----- arrays -----
    def array(self, x: Tensor, position: int) -> Term:
        """An array by its variable's name, by the expression that it came from, or by a named one: 1 - y; else as C."""
        value = x.args[position]
        if id(value) not in self.constants:
            self.constants[id(value)] = self.recognised(x, position)
        return self.constants[id(value)]

    def known(self, value: Any) -> Term | None:
        """An array by the variable that has its entries, in columns or in part; None if there is none."""
        arrays = self.arrays.values()
        for array, view in ((equal_array(value, arrays), ()), *part_of_array(value, arrays)):
            if array is not None:
                whole = constant(self.variable(array))
                return whole if view == () else whole[view]
        if value.ndim == 2 and (array := equal_array(value.T, arrays)) is not None:
            return constant(np.transpose(constant(self.variable(array))))
        if value.dtype.kind == "f":
            for _, array in arrays:
                if value.shape == array.shape and (how := relation(value, array)) is not None:
                    return constant(RELATIONS[how](self.variable(array)))
        return None

    def recognised(self, x: Tensor, position: int) -> Term:
        """An array by its variable's name or by the expression that it came from."""
        value = x.args[position]
        if id(value) in self.arrays:
            return self.variable(value)
        made = self.origins.of(x, position)
        if made is None or made.is_constant:
            made = self.origins.anywhere(value)
        if made is not None and not made.is_constant:
            return made
        if is_filled(value) and made is None and is_broadcast(x):  # a number in a gradient, repeated
            return self.counted(value.flat[0], self.numbers)
        return self.related(value)

    def related(self, value: Any) -> Term:
        """An array by its relation to a named array or tensor."""
        if value.dtype.kind != "b" and is_short(value):
            return constant(value)
        for _, array in self.arrays.values():
            if (key := view_key(value, array)) is not None:
                return self.variable(array)[key]
        if value.dtype.kind == "b":
            masks = (s > 0 for x, s in self.result.symbols.items() if x.shape == value.shape)
            mask = next((mask for mask in masks if np.array_equal(mask.value, value)), None)
            return self.unknown(value) if mask is None else mask
        related = [(how, each) for _, each in self.arrays.values() if (how := relation(value, each)) is not None]
        if len(related) > 1:  # either may be meant
            return self.unknown(value)
        if not related:
            guess = of_arrays(value, self.plain_arrays(), list(self.numbers.values()))
            return self.unknown(value) if guess is None else self.guessed(guess)
        how, array = related[0]
        return RELATIONS[how](self.variable(array))

    def plain_arrays(self) -> list[Any]:
        """The arrays of real numbers in scope."""
        return [array for _, array in self.arrays.values() if array.dtype.kind == "f"]

    def guessed(self, guess: Guess) -> Term:
        """A constant as a function of named arrays and numbers."""
        operands = [
            self.variable(each) if isinstance(each, np.ndarray) else self.counted(each, self.numbers)
            for each in guess.operands
        ]
        return constant(guess.of(*operands))

    def variable(self, value: Any) -> Term:
        """The symbol of the variable that holds an array."""
        return self.entered(constant(self.symbol_of(self.arrays[id(value)][0], value)))

    def unknown(self, value: Any) -> Term:
        """An array that no variable holds."""
        made = self.symbol_of("C", value)
        assert made is not None
        if value.size <= MOST_PRINTED:
            self.unnamed_arrays.add(made)
        return made

    def unique_name(self, name: str) -> str:
        """The name, with primes if it is taken."""
        unique = next(n for n in graph.with_primes(name) if n not in self.taken)
        self.taken.add(unique)
        return unique


def is_broadcast(x: Tensor) -> bool:
    """Whether an operation entry by entry has an operand of its own shape, to which numbers are broadcast."""
    assert x.op is not None
    return x.op.has("elementwise") and any(other.shape == x.shape for other in x.parents)


def is_filled(value: Any) -> bool:
    """Whether all entries of an array are one number."""
    return bool(value.size and value.dtype.kind in "fiu" and np.all(value == value.flat[0]))


def is_short(value: Any) -> bool:
    """Whether an array is written by its entries: equal ones, the identity, or a few numbers of a few digits."""
    if is_filled(value):
        return True
    if value.ndim == 1:
        return value.size <= FEW_ENTRIES and all(len(as_typed(entry)) <= FEW_DIGITS for entry in value)
    return is_identity(value)


def depends_on_whole_number(term: Term) -> bool:
    """Whether a number comes from variables that hold whole numbers; as an exponent it is better read in digits."""
    symbols = [part for part in topological_order(term) if part.name is not None]
    return not symbols or any(float(part.value).is_integer() for part in symbols if part.ndim == 0)


def counts(scope: Mapping[str, Any], tensors: Iterable[Tensor]) -> dict[str, float]:
    """The variables that hold the length of an axis, which no other variable of whole numbers has."""
    lengths = {n for x in tensors for n in x.shape}
    whole = {name: n for name, n in scope.items() if type(n) in (int, np.int64) and name[:1] != "_"}
    return named_numbers({name: n for name, n in whole.items() if n in lengths})


RELATIONS: dict[str, Any] = {
    "same": lambda x: x,
    "negative": lambda x: -x,
    "complement": lambda x: 1 - x,
    "transpose": np.transpose,
}

"""Expressions of the user's code as formulas over its variables, without running any of it.

Functions are those of NumPy and of the table of operations; operators are applied to numbers and arrays alone. So
nothing that has an effect, or that is drawn at random, is evaluated.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply
from autotiny.algebra.term import plain, value_of
from autotiny.derivation.scopes import MISSING, Scope, value
from autotiny.engine.expressions import Expression
from autotiny.engine.tensor import Tensor
from autotiny.ops import COMPOSED, OPS
from autotiny.ops.loading import find
from autotiny.ops.plain import ABOUT_SHAPES, TRUTH_VALUES

MOST_ENTRIES, MOST_MIXED = 10**6, 10**4
"""The largest arrays to which a function is applied: entry by entry, and otherwise."""

OPERATORS: dict[tuple[str, int], Any] = {
    ("+", 2): np.add, ("-", 2): np.subtract, ("*", 2): np.multiply, ("/", 2): np.divide, ("@", 2): np.matmul,
    ("**", 2): np.power, ("%", 2): np.remainder, ("//", 2): np.floor_divide, ("-", 1): np.negative,
    (">", 2): np.greater, (">=", 2): np.greater_equal, ("<", 2): np.less, ("<=", 2): np.less_equal,
    ("==", 2): np.equal, ("!=", 2): np.not_equal, ("&", 2): np.logical_and, ("|", 2): np.logical_or,
    ("~", 1): np.logical_not,
}  # fmt: skip
PYTHONS: dict[Any, Callable[..., Any]] = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.divide: operator.truediv,
    np.power: operator.pow, np.negative: operator.neg, np.matmul: operator.matmul, np.remainder: operator.mod,
    np.floor_divide: operator.floordiv,
}  # fmt: skip
"""The operators of Python that are recorded as NumPy's functions."""
PRODUCTS = (np.dot, np.matmul)
INSTEAD: dict[Any, Any] = {
    math.sqrt: np.sqrt, math.exp: np.exp, math.log: np.log, math.sin: np.sin, math.cos: np.cos, math.tanh: np.tanh,
    math.log1p: np.log1p, math.log2: np.log2, math.log10: np.log10, math.fabs: np.abs, abs: np.abs,
}  # fmt: skip
"""Functions of Python's that are written as NumPy's."""
BY_SHAPE = {*ABOUT_SHAPES, np.full, np.linspace} - {np.empty, np.empty_like, np.einsum_path, np.size}
"""Functions that make arrays of numbers, which formulas write as constants."""
LENGTH, PI = plain(len), "π"
METHODS = frozenset({
    "sum", "prod", "mean", "var", "std", "max", "min", "cumsum", "cumprod", "dot", "trace", "diagonal", "round",
    "ravel", "squeeze", "swapaxes", "repeat", "conj", "conjugate", "copy", "flatten", "reshape", "clip", "transpose",
    "astype", "any", "all",
})  # fmt: skip
"""Methods of arrays that return another array."""
VIEWS = frozenset({"T", "mT", "real", "imag"})
SAME_ENTRIES = frozenset({"data", "value"})
"""Attributes of a Tensor that are the array of its entries."""


class UnreadableError(Exception):
    """The value of an expression is not known, or it is not one of arrays."""


class Lengths(tuple[int, ...]):
    """The shape of a formula."""

    of: Term


PLAIN = frozenset({int, float, bool, complex, str, slice, type, type(None), type(...), np.ndarray, Lengths})
"""Types of values on which operators and functions of arrays run no code of the user's."""


class Readings:
    """The formulas of the expressions in some scopes.

    `symbol_of(name, value)` returns the symbol of a variable that holds a number, an array or a Tensor; None for a
    Tensor that has none.
    """

    def __init__(self, symbol_of: Callable[[str, Any], Term | None], scopes: list[Scope]) -> None:
        self.symbol_of, self.scopes = symbol_of, scopes
        self.known: dict[tuple[Expression, int], Any] = {}

    def forget(self, scope: Scope) -> None:
        """Read the expressions of a scope again, of which more is known now."""
        self.known = {key: made for key, made in self.known.items() if key[1] != id(scope)}

    def term(self, expression: Expression, scope: Scope) -> Any:
        """An expression over symbols of the variables: a formula, or a value of Python's."""
        key = expression, id(scope)
        if key not in self.known:
            self.known[key] = UnreadableError()  # a variable that is assigned from itself
            try:
                with np.errstate(all="ignore"):
                    self.known[key] = getattr(self, f"_{expression.kind}", self._unknown)(expression, scope)
            except UnreadableError as error:
                self.known[key] = error
            except Exception as error:  # whatever an expression raises that was not evaluated in the run
                self.known[key] = UnreadableError(error)
        result = self.known[key]
        if isinstance(result, UnreadableError):
            raise result
        return result

    def _unknown(self, expression: Expression, scope: Scope) -> Any:
        raise UnreadableError

    def _constant(self, expression: Expression, scope: Scope) -> Any:
        return expression.detail

    def _name(self, expression: Expression, scope: Scope) -> Any:
        held = scope.variable(expression.detail)
        if held is not MISSING:
            is_digits = isinstance(held, int | float) and scope.is_counter(expression.detail)
            return held if is_digits else self.named(expression.detail, held)
        if expression.detail in scope.given:
            return self.term(*scope.given[expression.detail])
        assigned = scope.expressions.assigned.get(expression.detail, ())
        if len(assigned) != 1:
            raise UnreadableError
        return self.named(expression.detail, value_of(self.term(assigned[0], scope)))

    def named(self, name: str, held: Any) -> Any:
        """The symbol of a variable that holds numbers; anything else as it is."""
        if isinstance(held, list) and is_numbers(held):
            held = np.asarray(held)
        if isinstance(held, bool) or not isinstance(held, Tensor | np.ndarray | np.generic | int | float):
            return held
        if isinstance(held, np.ndarray) and held.dtype.kind not in "fiub":
            raise UnreadableError
        made = self.symbol_of(name, held)
        if made is None:
            raise UnreadableError
        return made

    def _attribute(self, expression: Expression, scope: Scope) -> Any:
        held = value(expression, scope)
        if held is not MISSING:
            return self.named(PI if held is np.pi or held is math.pi else expression.detail, held)
        whole, name = self.term(expression.parts[0], scope), expression.detail
        if not isinstance(whole, Term):
            raise UnreadableError
        if name in SAME_ENTRIES:
            return whole
        if name == "shape":
            lengths = Lengths(whole.shape)
            lengths.of = whole
            return lengths
        if name == "size":
            return self.length(whole, None)
        if name in VIEWS:
            return getattr(whole, name)
        if name == "ndim":
            return whole.ndim
        raise UnreadableError

    def length(self, whole: Term, axis: int | None) -> Any:
        """The length of an axis, or the number of entries, by the name of the only variable that has that value."""
        n = whole.size if axis is None else whole.shape[axis]
        names = [name for name, held in self.scopes[0].own.items() if type(held) is int and held == n]
        if len(names) == 1:
            return self.symbol_of(names[0], n)
        if axis == 0:
            return apply(LENGTH, (whole,), {})
        return apply(plain(np.size), (whole,), {} if axis is None else {"axis": axis})

    def _item(self, expression: Expression, scope: Scope) -> Any:
        held = value(expression, scope)
        if held is not MISSING:
            key = value(expression.parts[1], scope)
            return self.named(key if isinstance(key, str) else f"{_path(expression)}", held)
        whole, key = self.term(expression.parts[0], scope), _index(self.term(expression.parts[1], scope))
        if isinstance(whole, Lengths) and isinstance(key, int):
            return self.length(whole.of, key % len(whole))
        if not is_plain(whole):
            raise UnreadableError
        return whole[key]

    def _tuple(self, expression: Expression, scope: Scope) -> Any:
        return tuple(self.term(part, scope) for part in expression.parts)

    def _list(self, expression: Expression, scope: Scope) -> Any:
        return [value_of(self.term(part, scope)) for part in expression.parts]

    def _slice(self, expression: Expression, scope: Scope) -> Any:
        return slice(*[value_of(self.term(part, scope)) for part in expression.parts])

    def _operator(self, expression: Expression, scope: Scope) -> Any:
        function = OPERATORS.get((expression.detail, len(expression.parts)))
        if function is None:
            raise UnreadableError
        operands = [self.term(part, scope) for part in expression.parts]
        return applied(function, operands, {})

    def _call(self, expression: Expression, scope: Scope) -> Any:
        called, names = expression.parts[0], expression.detail or ()
        arguments = [self.term(part, scope) for part in expression.parts[1:]]
        split = len(arguments) - len(names)
        options = dict(zip(names, map(value_of, arguments[split:]), strict=True))
        if "out" in options:
            raise UnreadableError
        function = value(called, scope)
        if function is MISSING and called.kind == "attribute":
            whole = self.term(called.parts[0], scope)
            if not isinstance(whole, Term) or called.detail not in METHODS | {"detach"}:
                raise UnreadableError
            function = getattr(whole, called.detail) if called.detail != "detach" else (lambda: whole)
            return applied(function, arguments[:split], options)
        function = INSTEAD.get(function, function)
        if function is len and isinstance(arguments[0], Term):
            return self.length(arguments[0], 0)
        if function is float and isinstance(arguments[0], Term):
            return arguments[0]
        if function in (np.array, np.asarray) and not options:
            return arguments[0] if isinstance(arguments[0], Term) else np.asarray(arguments[0])
        if function in BY_SHAPE or function in (len, float, int):
            return function(*map(_values, arguments[:split]), **options)
        if not is_pure(function):
            raise UnreadableError
        return applied(function, arguments[:split], options)


def is_pure(function: Any) -> bool:
    """Whether a function is one of arrays that has no effects."""
    try:
        find(function)
        return function in OPS or function in COMPOSED or function in TRUTH_VALUES
    except TypeError:  # not hashable
        return False


def applied(function: Any, operands: list[Any], options: dict[str, Any]) -> Any:
    """The result of a function of numbers and arrays, which are not so large that it would take long."""
    if not all(map(is_plain, (*operands, *options.values()))):
        raise UnreadableError
    largest = max((np.size(value_of(each)) for each in operands if isinstance(each, Term | np.ndarray)), default=0)
    by_entries = isinstance(function, np.ufunc) and function is not np.matmul
    if largest > (MOST_ENTRIES if by_entries else MOST_MIXED):
        raise UnreadableError
    return PYTHONS.get(function, function)(*operands, **options)


def is_plain(operand: Any) -> bool:
    """Whether an operand is a formula, a number, an array, text, or a list of such, whose operators have no effects."""
    if type(operand) in (tuple, list):
        return all(map(is_plain, operand))
    return type(operand) in PLAIN or isinstance(operand, Term | np.generic)


def is_numbers(held: Any) -> bool:
    """Whether a list, or a list of lists, holds numbers alone."""
    return all(type(each) in (int, float) or (isinstance(each, list) and is_numbers(each)) for each in held)


def _values(argument: Any) -> Any:
    if isinstance(argument, tuple | list):
        return type(argument)(map(_values, argument)) if type(argument) is not Lengths else tuple(argument)
    return value_of(argument)


def _index(key: Any) -> Any:
    """An index of numbers, slices and variables; arrays without a name are not written in formulas."""
    if isinstance(key, tuple):
        return tuple(map(_index, key))
    if isinstance(key, Term) and key.name is not None and key.ndim:
        return key
    key = value_of(key)
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        return int(key)
    if key is None or key is ... or isinstance(key, slice):
        return key
    raise UnreadableError


def _path(expression: Expression) -> str:
    """The name of an item of a list: W[0]."""
    if expression.kind == "item":
        return f"{_path(expression.parts[0])}[{_path(expression.parts[1])}]"
    return str(expression.detail)

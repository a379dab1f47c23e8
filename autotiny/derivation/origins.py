"""Origins: the expression in the user's code that a number or an array in the graph came from.

NumPy code leaves 1 / (2 m) in the graph as 0.0625, and inv(Sigma) as an array. Which expression that was is found in
the code that may have recorded the operation: it must be an operand of the same operation, on operands that agree with
those of the graph, and have the operand's value. So a variable gives a number its name only where the number came from
it. Expressions are evaluated as formulas, over symbols of the variables, and never by running code of the user's.
"""

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply, constant, topological_order
from autotiny.algebra.simplify import size
from autotiny.algebra.term import plain, value_of
from autotiny.derivation.scopes import MISSING, Scope, scopes, value
from autotiny.engine.expressions import Expression
from autotiny.engine.tensor import Tensor
from autotiny.ops import COMPOSED, OPS
from autotiny.ops.loading import find
from autotiny.ops.plain import ABOUT_SHAPES, TRUTH_VALUES

LONGEST = 6
"""The largest number of operations of an expression that is written out in a formula."""
MOST_ENTRIES, MOST_MIXED = 10**6, 10**4
"""The largest arrays to which a function is applied: entry by entry, and otherwise."""

EVIDENCE = 2
"""The number of facts that must speak for an expression: the operation, and one of its operands."""

ROUNDING, EPS = 8, 2.0**-52
"""The difference between the value of a formula and that of the code, in units of the last digit."""

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


class Origins:
    """The expressions of the operands of a run.

    `symbol_of(name, value)` returns the symbol of a variable that holds a number, an array or a Tensor; None for a
    Tensor that has none. `gradient_through(term)` says whether a gradient flows through a formula.
    """

    def __init__(self, symbol_of: Callable[[str, Any], Term | None], tracked: set[Term]) -> None:
        self.symbol_of, self.tracked = symbol_of, tracked
        self.scopes = scopes()
        self.known: dict[tuple[Expression, int], Any] = {}
        self.agreement: dict[tuple[int, Expression, int], int | None] = {}
        self.sites: dict[Any, list[tuple[Expression, tuple[Expression, ...], Scope]]] = {}
        for scope in self.scopes:
            for expression in scope.expressions.operations:
                function, operands = self.operation(expression, scope)
                if function is not None:
                    self.sites.setdefault(function, []).append((expression, operands, scope))

    # ----- the expression of an operand -----
    def is_read(self, x: Tensor) -> bool:
        """Whether the code has an operation like the one that made a tensor."""
        return x.op is not None and x.op.function in self.sites

    def is_counter(self, name: str) -> bool:
        """Whether a variable of the running code takes the values of a loop."""
        return bool(self.scopes) and self.scopes[0].is_counter(name)

    def of(self, x: Tensor, position: int) -> Term | None:
        """The formula of an operand of a recorded operation; None if its code is not found."""
        sites = self.sites.get(x.op and x.op.function, ())
        scores = [self.agrees(x, expression, scope) or 0 for expression, _, scope in sites]
        if max(scores, default=0) < EVIDENCE:
            return None
        choices = []
        for score, (expression, operands, scope) in zip(scores, sites, strict=True):
            if score == max(scores):
                choices.append(self.written(operands[position], scope, x.args[position]))
                self.learn(x, expression, scope)
        return next((made for made in choices if made is not None and made.is_constant), choices[0])

    def learn(self, x: Any, expression: Expression, scope: Scope) -> None:
        """The variables of a function that has returned, by the operands that they were."""
        if expression.kind == "name" and scope.is_missing(expression.detail):
            scope.own[expression.detail] = x
            self.known = {key: made for key, made in self.known.items() if key[1] != id(scope)}
        elif isinstance(x, Tensor) and x.op is not None:
            function, operands = self.operation(expression, scope)
            if function is x.op.function and len(operands) == len(x.args):
                for arg, each in zip(x.args, operands, strict=True):
                    self.learn(arg, each, scope)

    def written(self, expression: Expression, scope: Scope, operand: Any) -> Term | None:
        """An expression as a formula that has the value of an operand; a missing variable by its name."""
        try:
            made = self.term(expression, scope)
        except UnreadableError:
            named = expression.kind == "name" and (np.ndim(operand) or not scope.is_counter(expression.detail))
            return self.symbol_of(expression.detail, operand) if named else None
        return self.accepted(made, operand)

    def accepted(self, made: Any, operand: Any) -> Term | None:
        """A formula, if it has the value of an operand, is short, and lets no gradient through."""
        made = made if isinstance(made, Term) else constant(np.asarray(made) if isinstance(made, list) else made)
        short = size(made)[0] <= LONGEST
        return made if short and is_same(made.value, operand) and not self.lets_gradient_through(made) else None

    def lets_gradient_through(self, term: Term) -> bool:
        """Whether a formula depends on a tracked tensor other than by comparisons and shapes."""
        leading: set[Term] = set()
        for part in topological_order(term):
            if part in self.tracked or (part.op is not None and _passes(part, leading)):
                leading.add(part)
        return term in leading

    def anywhere(self, operand: Any) -> Term | None:
        """The formula of an expression anywhere in the code that has the value of an array."""
        for scope in self.scopes:
            for operation in scope.expressions.operations:
                for expression in (operation, *operation.parts):
                    if expression.kind in ("operator", "call", "item", "attribute"):
                        try:
                            made = self.accepted(self.term(expression, scope), operand)
                        except UnreadableError:
                            continue
                        if made is not None:
                            return made
        return None

    # ----- whether an expression made a tensor -----
    def agrees(self, x: Any, expression: Expression, scope: Scope) -> int | None:
        """How many facts speak for an expression as that of an operand; None if one speaks against it."""
        key = id(x), expression, id(scope)
        if key not in self.agreement:
            self.agreement[key] = self._agrees(x, expression, scope)
        return self.agreement[key]

    def _agrees(self, x: Any, expression: Expression, scope: Scope) -> int | None:
        if expression.kind in ("unknown", "element", "code"):
            return 0
        if expression.kind == "name" and expression.detail in scope.given:
            return self.agrees(x, *scope.given[expression.detail])
        if not isinstance(x, Tensor):
            try:
                made = self.term(expression, scope)
            except UnreadableError:
                return 0 if not self.is_tensor(expression, scope) else None
            return 2 if is_same(value_of(made), x) else 0 if has_changed(expression, scope) else None
        if expression.kind in ("constant", "tuple", "list", "slice"):
            return None
        if expression.kind in ("name", "attribute") or (expression.kind == "item" and x.op is None):
            return self.agrees_with_variable(x, expression, scope)
        function, operands = self.operation(expression, scope)
        if function is None or x.op is None:
            return 0
        if function is not x.op.function or len(operands) != len(x.args):
            return None if function in OPS else 0
        scores = [self.agrees(arg, each, scope) for arg, each in zip(x.args, operands, strict=True)]
        return None if None in scores else 1 + sum(score for score in scores if score is not None)

    def agrees_with_variable(self, x: Tensor, expression: Expression, scope: Scope) -> int | None:
        """How much speaks for a variable as the one that held a tensor."""
        held = value(expression, scope)
        if held is x:
            return 2
        if expression.kind == "attribute" and held is MISSING:
            return 0
        if held is MISSING or expression.kind != "name":
            return 0
        return 0 if isinstance(held, Tensor) and scope.is_reassigned(expression.detail) else None

    def is_tensor(self, expression: Expression, scope: Scope) -> bool:
        """Whether an expression is a variable that holds a tracked tensor."""
        held = value(expression, scope)
        return isinstance(held, Tensor) and held.requires_grad

    def operation(self, expression: Expression, scope: Scope) -> tuple[Any, tuple[Expression, ...]]:
        """The function that an expression applies, None if it is not known, and its operands."""
        if expression.kind == "operator":
            return OPERATORS.get((expression.detail, len(expression.parts))), expression.parts
        if expression.kind != "call":
            return None, ()
        called, *arguments = expression.parts
        arguments = arguments[: len(arguments) - len(expression.detail or ())]
        function = value(called, scope)
        if function is MISSING and called.kind == "attribute" and called.detail in METHODS:
            function, arguments = getattr(np, called.detail, None), [called.parts[0], *arguments]
        function = np.matmul if function in PRODUCTS else function
        return (function if callable(function) else None), tuple(arguments)

    # ----- formulas -----
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


def has_changed(expression: Expression, scope: Scope) -> bool:
    """Whether an expression uses a variable that may have had another value when it was evaluated."""
    if expression.kind == "name":
        return scope.is_reassigned(expression.detail) and expression.detail in scope.expressions.assigned
    return any(has_changed(part, scope) for part in expression.parts)


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


def is_same(made: Any, operand: Any) -> bool:
    """Whether a formula has the value of an operand, up to the last digits where floating-point numbers round."""
    if np.ndim(operand) == 0 and np.ndim(made) == 0:
        numbers = all(isinstance(each, int | float | np.number | np.ndarray) for each in (made, operand))
        return numbers and math.isclose(made, operand, rel_tol=ROUNDING * EPS)
    made, operand = np.asarray(made), np.asarray(operand)
    if made.shape != operand.shape or made.dtype != operand.dtype:
        return False
    if operand.dtype.kind not in "fc":
        return np.array_equal(made, operand)
    eps = float(np.finfo(operand.dtype).eps)
    return np.allclose(made, operand, rtol=ROUNDING * eps, atol=0, equal_nan=True)


def _passes(part: Term, leading: set[Term]) -> bool:
    assert part.op is not None
    rules: Iterator[Any] = iter(part.op.rules)
    return any(arg in leading and rule is not None for arg, rule in zip(part.args, rules, strict=False))


def is_numbers(held: Any) -> bool:
    """Whether a list, or a list of lists, holds numbers alone."""
    return all(type(each) in (int, float) or (isinstance(each, list) and is_numbers(each)) for each in held)


def _values(argument: Any) -> Any:
    if isinstance(argument, tuple | list):
        return type(argument)(map(_values, argument)) if type(argument) is not Lengths else tuple(argument)
    return value_of(argument)


def _index(key: Any) -> Any:
    """An index of numbers and slices; arrays are not written in formulas."""
    if isinstance(key, tuple):
        return tuple(map(_index, key))
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

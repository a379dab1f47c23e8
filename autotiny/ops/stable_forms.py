"""Stable forms: operations that stand for an expression which overflows, underflows or cancels as it is written.

The row of an operation says which (`stands_for`), as plain NumPy functions of its arguments and options: log_cosh has
`lambda x: np.log(np.cosh(x))`. Here these become patterns, in a table by the outermost operation and the one below,
so that an operation that is none of them costs one look. A pattern is matched as it is written, except that a sum may
be written either way round, and a square as x**2, x * x, np.square(x) or np.power(x, 2).

A node is anything with `op`, `args` and `kwargs`: a recorded Tensor or a formula.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.ops.table import OPS, Op

Node = Any
Use = tuple[Node, int]
"""An operation within the expression, None for the outermost one, and the position of one of its operands."""
LAST: tuple[Use, ...] = ((None, 0),)
"""The use of the only result within a chain."""


class Match(NamedTuple):
    """The stable form of an expression."""

    op: Op
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    uses: tuple[Use, ...]
    """The uses of results within the expression, outermost first: 1 + exp(x) by log, then exp(x) by +."""


def stable_form(op: Op, args: tuple[Any, ...]) -> Match | None:
    """Return the stable form of an operation on recorded operands; None if it has none."""
    for arg in args:
        for form in op.forms.get(getattr(arg, "op", None), ()):
            if form.is_chain:
                return form.match_of(arg.args, arg.kwargs, LAST)
            values: Values = {}
            uses: list[Use] = []
            if form.matches(None, op, args, values, uses):
                return form.match(values, uses)
    return None


# ----- patterns -----
def _operator(function: np.ufunc, reflected: bool = False) -> Callable[..., "Pattern"]:
    return lambda *operands: Pattern(OPS[function], operands[::-1] if reflected else operands)


class Pattern:
    """An expression of variables: an operation of the table on patterns and numbers, or a variable, which has a name.

    Options are variables; those that were left out have the same default in the stable form.
    """

    def __init__(self, op: Op | None, args: tuple[Any, ...] = (), kwargs: Any = None, name: str = "") -> None:
        self.op, self.args, self.kwargs, self.name = op, args, kwargs or {}, name

    @staticmethod
    def __autotiny_record__(op: Op, args: tuple[Any, ...], kwargs: Any) -> "Pattern":
        return Pattern(op, args, kwargs)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> "Pattern":
        return Pattern(OPS[ufunc], inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> "Pattern":
        return Pattern(OPS[function], args, kwargs)

    __neg__ = _operator(np.negative)
    __add__, __radd__ = _operator(np.add), _operator(np.add, reflected=True)
    __sub__, __rsub__ = _operator(np.subtract), _operator(np.subtract, reflected=True)
    __truediv__, __rtruediv__ = _operator(np.divide), _operator(np.divide, reflected=True)


# ----- matching -----
Values = dict[str, Any]
"""What the variables stand for."""
Matcher = Callable[[Any, Values, list[Use]], bool]
"""`matches(x, values, uses)`: whether a value matches; binds the variables, and adds the uses within the expression."""
OperationMatcher = Callable[[Node, Op, tuple[Any, ...], Values, list[Use]], bool]
"""The same of an operation, given apart from the node that it makes."""


class Form(NamedTuple):
    """One expression that the row of an operation stands for."""

    op: Op
    matches: OperationMatcher
    names: tuple[str, ...]
    """The variables: the arguments of the operation, then its options."""
    is_chain: bool
    """Whether it is a function of a function with its options, as log(softmax(x)): then it always matches."""

    def match(self, values: Values, uses: list[Use]) -> Match | None:
        """Return the operation on what the variables stand for."""
        names, arity = self.names, len(self.op.rules)
        args = tuple([values[name] for name in names[:arity]])
        kwargs = {name: values[name] for name in names[arity:] if name in values} if len(names) > arity else {}
        return self.match_of(args, kwargs, tuple(uses))

    def match_of(self, args: tuple[Any, ...], kwargs: dict[str, Any], uses: tuple[Use, ...]) -> Match | None:
        """Return the operation on these operands; None for complex numbers and recorded options."""
        for x in args:
            if getattr(x, "dtype", REAL).kind == "c":
                return None
        for value in kwargs.values():
            if hasattr(value, "op"):
                return None
        return Match(self.op, args, kwargs, uses)


REAL = np.dtype(float)
SQUARE, PRODUCT, SUM = OPS[np.square], OPS[np.multiply], OPS[np.add]
POWERS = (OPS[np.power], OPS[np.float_power])


def matcher(pattern: Any) -> Matcher:
    """Return the matcher of a pattern, a variable or a number."""
    if not isinstance(pattern, Pattern):
        return lambda x, values, uses: is_number(x, pattern)
    if pattern.op is None:
        return lambda x, values, uses: values.setdefault(pattern.name, x) is x
    inner, options = operation_matcher(pattern), {name: part.name for name, part in pattern.kwargs.items()}

    def matches(x: Any, values: Values, uses: list[Use]) -> bool:
        op = getattr(x, "op", None)
        if op is None:
            return False
        for name, value in x.kwargs.items():
            if name not in options:
                return False
            values[options[name]] = value
        return inner(x, op, x.args, values, uses)

    return matches


def operation_matcher(pattern: Pattern) -> OperationMatcher:
    """Return the matcher of the operation of a pattern."""
    wanted = pattern.op
    parts = [(matcher(part), isinstance(part, Pattern) and part.op is not None) for part in pattern.args]

    def in_order(x: Node, args: tuple[Any, ...], order: Sequence[int], values: Values, uses: list[Use]) -> bool:
        for position, (matches, is_within) in zip(order, parts, strict=True):
            if is_within:
                uses.append((x, position))
            if not matches(args[position], values, uses):
                return False
        return True

    def as_written(x: Node, op: Op, args: tuple[Any, ...], values: Values, uses: list[Use]) -> bool:
        return op is wanted and in_order(x, args, range(len(args)), values, uses)

    def either_way(x: Node, op: Op, args: tuple[Any, ...], values: Values, uses: list[Use]) -> bool:
        if op is not wanted:
            return False
        bound, count = dict(values), len(uses)
        if in_order(x, args, (0, 1), values, uses):
            return True
        values.clear()
        values.update(bound)
        del uses[count:]
        return in_order(x, args, (1, 0), values, uses)

    def as_a_square(x: Node, op: Op, args: tuple[Any, ...], values: Values, uses: list[Use]) -> bool:
        if op is PRODUCT:
            if args[0] is not args[1]:
                return False
            uses.append((x, 1))
        elif op is not SQUARE and not (op in POWERS and is_number(args[1], 2)):
            return False
        return in_order(x, args, (0,), values, uses)

    return as_a_square if wanted is SQUARE else either_way if wanted is SUM else as_written


def is_number(x: Any, value: float) -> bool:
    """Whether an operand is this very number, rather than something recorded."""
    x = x.value if getattr(x, "is_constant", False) else x
    return isinstance(x, int | float | np.generic) and bool(x == value)


# ----- the table -----
def enter(op: Op, expression: Any) -> None:
    """Enter an expression that an operation stands for into the tables of its outermost operations."""
    names = tuple(inspect.signature(expression).parameters)
    pattern = expression(*(Pattern(None, name=name) for name in names))
    inner = next(part.op for part in pattern.args if isinstance(part, Pattern) and part.op is not None)
    for outer in (SQUARE, PRODUCT, *POWERS) if pattern.op is SQUARE else (pattern.op,):
        form = Form(op, operation_matcher(pattern), names, is_chain(pattern, names))
        outer.forms.setdefault(inner, []).append(form)


def is_chain(pattern: Pattern, names: tuple[str, ...]) -> bool:
    """Whether a pattern is a function of a function of the variables, with its options under their own names."""
    if pattern.op is SQUARE or pattern.op is SUM or len(pattern.args) > 1 or pattern.kwargs:
        return False
    (inner,) = pattern.args
    variables = [part.name for part in inner.args if isinstance(part, Pattern) and part.op is None]
    options = {name: part.name for name, part in inner.kwargs.items()}
    return (
        len(variables) == len(inner.args)
        and (*variables, *options) == names
        and all(name == option for name, option in options.items())
        and inner.op.options <= set(names)
    )


ENTERED: set[Op] = set()


def enter_forms() -> None:
    """Enter the expressions of all rows that have not been entered yet."""
    for op in [op for op in dict.fromkeys(OPS.values()) if op not in ENTERED]:
        ENTERED.add(op)
        for expression in op.stands_for:
            enter(op, expression)

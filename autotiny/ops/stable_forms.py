"""Stable forms: operations that stand for an expression which overflows, underflows or cancels as it is written.

The row of an operation says which (`stands_for`), as plain NumPy functions of its arguments and options: log_cosh has
`lambda x: np.log(np.cosh(x))`. Here these become patterns, in a table by the outermost operation and the one below,
so that an operation that is none of them costs one look. A pattern is matched as it is written, except that a sum may
be written either way round, and a square as x**2, x * x, np.square(x) or np.power(x, 2).

A node is anything with `op`, `args` and `kwargs`: a recorded Tensor or a formula.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autotiny.ops.table import OPS, Op

Node = Any
Use = tuple[Node, int]
"""An operation within the expression, None for the outermost one, and the position of one of its operands."""


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
            bound = _match_operation(form.pattern, None, op, args, Bound({}, ()))
            if bound is not None and (match := form.match(bound)) is not None:
                return match
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


class Bound(NamedTuple):
    """What was matched so far: the values of the variables, and the uses of results within the expression."""

    values: dict[str, Any]
    uses: tuple[Use, ...]


class Form(NamedTuple):
    """One expression that the row of an operation stands for."""

    op: Op
    pattern: Pattern
    names: tuple[str, ...]
    """The variables: the arguments of the operation, then its options."""

    def match(self, bound: Bound) -> Match | None:
        """Return the operation on what the variables stand for; None for complex numbers and recorded options."""
        arity = len(self.op.rules)
        args = tuple([bound.values[name] for name in self.names[:arity]])
        kwargs = {name: bound.values[name] for name in self.names[arity:] if name in bound.values}
        if any(x.dtype.kind == "c" for x in args) or any(hasattr(value, "op") for value in kwargs.values()):
            return None
        return Match(self.op, args, kwargs, bound.uses)


SQUARE, PRODUCT, SUM = OPS[np.square], OPS[np.multiply], OPS[np.add]
POWERS = (OPS[np.power], OPS[np.float_power])


def _match(pattern: Any, x: Any, bound: Bound) -> Bound | None:
    """Return what is bound after a value is matched; None where it does not match."""
    if not isinstance(pattern, Pattern):
        return bound if is_number(x, pattern) else None
    if pattern.op is None:
        known = bound.values.get(pattern.name, x)
        return Bound({**bound.values, pattern.name: x}, bound.uses) if known is x else None
    op = getattr(x, "op", None)
    if op is None or not x.kwargs.keys() <= pattern.kwargs.keys():
        return None
    options = {pattern.kwargs[name].name: value for name, value in x.kwargs.items()}
    return _match_operation(pattern, x, op, x.args, Bound({**bound.values, **options}, bound.uses))


def _match_operation(pattern: Pattern, x: Node, op: Op, args: tuple[Any, ...], bound: Bound) -> Bound | None:
    """Match an operation, its operands in each order that they may have."""
    for positions in _orders(pattern.op, op, args):
        matched: Bound | None = bound
        for part, position in zip(pattern.args, positions, strict=True):
            assert matched is not None
            if isinstance(part, Pattern) and part.op is not None:
                places = (0, 1) if pattern.op is SQUARE and op is PRODUCT else (position,)
                matched = Bound(matched.values, (*matched.uses, *((x, place) for place in places)))
            matched = _match(part, args[position], matched)
            if matched is None:
                break
        if matched is not None:
            return matched
    return None


def _orders(wanted: Op | None, op: Op, args: tuple[Any, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the positions of the operands, in each order that a pattern may have them in."""
    if wanted is SQUARE:
        is_square = op is SQUARE or (op is PRODUCT and args[0] is args[1]) or (op in POWERS and is_number(args[1], 2))
        return ((0,),) if is_square else ()
    if wanted is not op:
        return ()
    return ((0, 1), (1, 0)) if op is SUM else (tuple(range(len(args))),)


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
        outer.forms.setdefault(inner, []).append(Form(op, pattern, names))


for each in dict.fromkeys(OPS.values()):
    for expression in each.stands_for:
        enter(each, expression)

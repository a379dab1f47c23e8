"""The table of operations: one row says how an operation is computed, written and differentiated.

The vocabulary of every rule, fixed once:

    g        the gradient that arrives, dJ/dy, of y's shape
    y        the output of the operation
    a, b, x  the operation's own arguments, then its options by their NumPy names

A rule returns the contribution to one argument's gradient: `lambda g, y, a, b: g * b` for a in y = a * b. There is one
rule for each argument, so that a gradient nobody asked for is never computed. Rules are plain NumPy: given arrays they
compute, given Tensors they record (NEP 13 and NEP 18 bring them there). Broadcasting is undone by the engine: a rule of
an elementwise operation returns y's shape.
"""

import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

Array = Any
"""An array, or a Tensor that stands for one."""

Function = Callable[..., Any]
Rule = Callable[..., Any]
Reach = Callable[..., Iterable[Any]]


class StableLog(NamedTuple):
    """log(y) of an operation whose output is an exponential, computed without leaving the logarithm.

    `forward(y, x)` is log(y). With h = dJ/dlog(y), `rule(h, y, x)` contributes to x: y may underflow to 0, where h / y
    overflows, while the product of h / y with dy/dx is fine.
    """

    forward: Function
    rule: Rule


class Op:
    """An operation that can be recorded: what it computes, how it is written, and a rule for each argument.

    Attributes
    ----------
    forward : computes it, `forward(*arguments, **options)`.
    kind : its row in the table of forms (`autotiny.notation.forms`), by which formulas with it are written.
    own_notation : a user's own way of writing it, `own_notation.format(*arguments)`; empty if there is none.
    rules : `rules[i](g, y, *arguments, **options)` contributes to argument i; None where nothing can be differentiated.
    guarded : its derivative may be infinite, yet what was masked (g = 0) must contribute 0. True for an operation that
        acts entry by entry. For one that mixes entries, `guarded(chosen, *arguments, **options)` tells which entries of
        each argument went into the chosen ones of y.
    masks : it chooses between its arguments or among their entries.
    beside_constant : recorded in its place when not every argument is tracked (a constant wins a tie).
    direct : it may be recorded by the short way, because all that matters is its forward function and its arguments.
    log : how to take the logarithm of its output.
    """

    guarded: "bool | Reach" = False
    masks = False
    beside_constant: "Op | None" = None
    log: StableLog | None = None

    def __init__(
        self,
        function: Function,
        rules: Iterable[Rule | None],
        forward: Function | None = None,
        kind: str = "",
        notation: str = "",
    ) -> None:
        self.name: str = function.__name__
        self.kind = kind or self.name
        self.function = function
        self.forward = forward or function
        self.own_notation = notation
        self.rules: Any = rules
        self.arity = len(rules) if isinstance(rules, tuple) else None
        self.direct = isinstance(rules, tuple) and None not in rules

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    @functools.cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the arguments and options, in order."""
        return tuple(inspect.signature(self.function).parameters)

    @functools.cached_property
    def options(self) -> frozenset[str]:
        """Names of the options that the rules know."""
        rule = next(rule for rule in self.rules if rule is not None)
        signature = inspect.signature(rule)
        return frozenset(p.name for p in signature.parameters.values() if p.default is not p.empty)


class Each:
    """The rules of an operation with any number of arguments: `rule(i, g, y, *arguments)` contributes to argument i."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __iter__(self) -> Iterator[Rule]:
        return (functools.partial(self.rule, i) for i in itertools.count())

    def __contains__(self, rule: object) -> bool:
        return False


OPS: dict[Function, Op] = {}
"""Functions that record one operation."""

COMPOSED: dict[Function, Function] = {}
"""Functions that are written in terms of others."""

PLAIN: set[Function] = set()
"""Functions whose result has no gradient: they see values and give plain arrays."""


def define(
    function: Function,
    *rules: Rule | None,
    forward: Function | None = None,
    each: Rule | None = None,
    kind: str = "",
    guarded: bool | Reach = False,
    masks: bool = False,
) -> Op:
    """Enter a row into the table: `function` is recorded as one operation with these rules."""
    op = OPS[function] = Op(function, Each(each) if each else rules, forward, kind)
    op.guarded, op.masks = guarded, masks
    return op


def beside_constant(function: Function, *rules: Rule) -> None:
    """Enter the rules that hold when the other argument of `function` is a constant."""
    op = OPS[function]
    op.direct = False
    op.beside_constant = other = Op(function, rules, op.forward, op.kind)
    other.guarded, other.masks = op.guarded, op.masks


def compose(*functions: Function) -> Callable[[Function], Function]:
    """Enter a function that serves for `functions`, written in terms of operations that the table has."""

    def register(composition: Function) -> Function:
        COMPOSED.update(dict.fromkeys(functions, composition))
        return composition

    return register


def operation(
    *rules: Rule | None,
    each: Rule | None = None,
    notation: str = "",
    kind: str = "",
    guarded: bool | Reach = False,
    masks: bool = False,
) -> Callable[[Function], Function]:
    """Enter a function that becomes an operation itself: given Tensors it records."""

    def decorate(forward: Function) -> Function:
        op = Op(forward, Each(each) if each else rules, kind=kind, notation=notation)
        op.guarded, op.masks = guarded, masks
        OPS.setdefault(forward, op)  # a NumPy function keeps its own row
        if each is None:
            _check_arity(op)

        @functools.wraps(forward)
        def function(*args: Any, **kwargs: Any) -> Any:
            record = getattr(type(args[0]), "__autotiny_record__", None) if args else None
            if record is None and len(args) + len(kwargs) > 1:
                rest = (*args[1:], *kwargs.values())
                record = next((r for arg in rest if (r := getattr(type(arg), "__autotiny_record__", None))), None)
            return forward(*args, **kwargs) if record is None else record(op, args, kwargs)

        OPS[function] = op
        return function

    return decorate


def _check_arity(op: Op) -> None:
    if not op.arity or op.arity > len(op.parameters):
        raise TypeError(
            f"{op.name}: {op.arity} rules for {len(op.parameters)} arguments {op.parameters}; give one rule for each"
        )
    for position, rule in enumerate(op.rules):
        if rule is not None:
            try:
                inspect.signature(rule).bind(*["g", "y", *op.parameters[: op.arity]])
            except TypeError as error:
                expected = ", ".join(["g", "y", *op.parameters])
                raise TypeError(f"{op.name}: rule {position} must take ({expected}): {error}") from None

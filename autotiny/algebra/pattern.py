"""Patterns: formulas with variables, found in other formulas up to the order of factors and addends.

A pattern is what a NumPy function makes of variables. In a product its factors may stand anywhere among others, in a
sum its addends; what is left over stays beside the replacement.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.algebra.normal import ONE, PRODUCTS, SUMS, Factor, addends, factors, number, product, times, total
from autotiny.algebra.term import Term, constant
from autotiny.engine.numpy_protocol import ArrayProtocol
from autotiny.engine.signatures import bind_arguments
from autotiny.ops import OPS, Op

Bound = Mapping[str, Any]
"""What each variable stands for."""

Split = tuple[Bound, Fraction, list[Factor]]
"""A match within a product: what is bound, and the number and factors left over."""


class Pattern(ArrayProtocol):
    """A formula with variables; a variable has a name and no operation. `rest` takes all that others leave."""

    def __init__(
        self,
        op: Op | None,
        args: tuple[Any, ...] = (),
        options: Bound | None = None,
        name: str = "",
        rest: bool = False,
    ) -> None:
        self.op, self.kwargs, self.name, self.rest = op, options or {}, name, rest
        self.args = tuple(arg if isinstance(arg, Pattern) else constant(arg) for arg in args)

    @staticmethod
    def __autotiny_call__(function: Any, args: tuple[Any, ...], kwargs: Bound) -> Any:
        return Pattern(OPS[function], *bind_arguments(OPS[function], args, kwargs))

    @staticmethod
    def __autotiny_record__(op: Op, args: tuple[Any, ...], kwargs: Bound) -> Any:
        return Pattern(op, *bind_arguments(op, args, kwargs))

    def _binary(function: Any) -> Any:  # noqa: N805 - a helper of the class body
        return (
            lambda self, other: self.__autotiny_call__(function, (self, other), {}),
            lambda self, other: self.__autotiny_call__(function, (other, self), {}),
        )

    __add__, __radd__ = _binary(np.add)
    __sub__, __rsub__ = _binary(np.subtract)
    __mul__, __rmul__ = _binary(np.multiply)
    __truediv__, __rtruediv__ = _binary(np.divide)
    __pow__, __rpow__ = _binary(np.power)
    __matmul__, __rmatmul__ = _binary(np.matmul)

    # ----- the same views as of a term -----
    @cached_property
    def factors(self) -> tuple[Fraction, list[tuple[Any, Fraction]]]:
        """A number, and the patterns that it multiplies with their powers, variables last, of these `rest` last."""
        coefficient, found = ONE, list[tuple[Any, Fraction]]()
        stack: list[tuple[Any, Fraction]] = [(self, ONE)]
        while stack:
            part, power = stack.pop()
            n = number(part) if isinstance(part, Term) else None
            function = part.op and part.op.function
            if n is not None:
                coefficient *= n ** int(power)
            elif function is np.multiply or function is np.divide:
                a, b = part.args
                stack += [(b, power if function is np.multiply else -power), (a, power)]
            elif function is np.negative:
                coefficient, stack = -coefficient, [*stack, (part.args[0], power)]
            elif function is np.power and (exponent := number(part.args[1])):
                stack.append((part.args[0], power * exponent))
            elif function is np.square or function is np.sqrt:
                stack.append((part.args[0], power * (2 if function is np.square else Fraction(1, 2))))
            else:
                found.append((part, power))
        return coefficient, sorted(found, key=lambda f: (is_variable(f[0]), is_rest(f[0])))

    @cached_property
    def addends(self) -> list[tuple[Fraction, Any]]:
        """The patterns that are added, each with its sign."""
        found = list[tuple[Fraction, Any]]()
        stack: list[tuple[Fraction, Any]] = [(ONE, self)]
        while stack:
            sign, part = stack.pop()
            function = part.op and part.op.function
            if function is np.add or function is np.subtract:
                a, b = part.args
                stack += [(sign if function is np.add else -sign, b), (sign, a)]
            else:
                found.append((sign, part))
        return found


def is_variable(part: Any) -> bool:
    """Whether a part of a pattern stands for anything."""
    return isinstance(part, Pattern) and part.op is None


def is_rest(part: Any) -> bool:
    """Whether it takes all that is left."""
    return is_variable(part) and part.rest


def pattern_of(function: Callable[..., Any], rest: tuple[str, ...] = ()) -> Any:
    """The pattern that a function of variables writes."""
    return function(*(Pattern(None, name=name, rest=name in rest) for name in variables(function)))


def variables(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's arguments."""
    return function.__code__.co_varnames[: function.__code__.co_argcount]


# ----- matching -----
def match(pattern: Any, term: Term, bound: Bound) -> Iterator[Bound]:
    """Every way in which the whole term is an instance of the pattern."""
    if isinstance(pattern, Term):
        if pattern is term or (number(pattern) is not None and number(pattern) == number(term)):
            yield bound
    elif pattern.op is None:
        yield from bind(pattern.name, term, bound)
    elif pattern.op in PRODUCTS:
        for found, coefficient, left in match_product(pattern, term, bound):
            if coefficient == 1 and not left:
                yield found
    elif pattern.op in SUMS:
        yield from (found for found, left in match_sum(pattern, term, bound) if not left)
    elif pattern.op is term.op and len(pattern.args) == len(term.args):
        for found in match_options(pattern.kwargs, term.kwargs, bound):
            yield from match_all(pattern.args, term.args, found)


def bind(name: str, value: Any, bound: Bound) -> Iterator[Bound]:
    """A variable stands for one thing everywhere."""
    if name not in bound:
        yield {**bound, name: value}
    elif bound[name] is value or (not isinstance(value, Term) and bound[name] == value):
        yield bound


def match_all(patterns: tuple[Any, ...], terms: tuple[Term, ...], bound: Bound) -> Iterator[Bound]:
    """Operand by operand."""
    if not patterns:
        yield bound
        return
    for found in match(patterns[0], terms[0], bound):
        yield from match_all(patterns[1:], terms[1:], found)


def match_options(patterns: Bound, options: Bound, bound: Bound) -> Iterator[Bound]:
    """The same options, each equal or stood for by a variable."""
    if patterns.keys() != options.keys():
        return
    for name, value in options.items():
        wanted = patterns[name]
        if not isinstance(wanted, Pattern):
            if wanted is not value and not (type(wanted) is type(value) and wanted == value):
                return
        elif wanted.name in bound and bound[wanted.name] != value:
            return
        else:
            bound = {**bound, wanted.name: value}
    yield bound


def match_product(pattern: Any, term: Term, bound: Bound) -> Iterator[Split]:
    """Every way in which some factors of the term are an instance of the pattern, and what the others are."""
    wanted, parts = factors(pattern) if isinstance(pattern, Term) else pattern.factors
    coefficient, found = factors(term)
    yield from _assign(parts, coefficient / wanted, found, bound)


def _assign(parts: Any, coefficient: Fraction, left: list[Factor], bound: Bound) -> Iterator[Split]:
    if not parts:
        yield bound, coefficient, left
        return
    (part, power), *others = parts
    if is_rest(part):
        shape = np.broadcast_shapes(*(x.shape for x, _ in left))
        for found in bind(part.name, product(coefficient, left, shape), bound):
            yield from _assign(others, ONE, [], found)
        return
    for i, (base, p) in enumerate(left):
        without = left[:i] + left[i + 1 :]
        if p * power > 0 and abs(p) >= abs(power):
            remaining = without if p == power else [*without, (base, p - power)]
            for found in match(part, base, bound):
                yield from _assign(others, coefficient, remaining, found)
        if is_variable(part) and power == 1 and p != 1:
            for found in bind(part.name, product(ONE, [(base, p)], base.shape), bound):
                yield from _assign(others, coefficient, without, found)


def match_sum(pattern: Any, term: Term, bound: Bound) -> Iterator[tuple[Bound, list[tuple[Fraction, Term]]]]:
    """Every way in which some addends of the term are an instance of the pattern, and what the others are."""
    parts = addends(pattern) if isinstance(pattern, Term) else pattern.addends
    yield from _assign_addends(parts, addends(term), bound)


def _assign_addends(parts: Any, left: list[tuple[Fraction, Term]], bound: Bound) -> Iterator[Any]:
    if not parts:
        yield bound, left
        return
    (sign, part), *others = parts
    if is_rest(part):
        if left:
            signed = [(c * sign, x) for c, x in left]
            shape = np.broadcast_shapes(*(x.shape for _, x in left))
            for found in bind(part.name, total(signed, shape), bound):
                yield from _assign_addends(others, [], found)
        return
    for i, (c, term) in enumerate(left):
        scaled = term if c == sign else times(c * sign, term)
        for found in match(part, scaled, bound):
            yield from _assign_addends(others, left[:i] + left[i + 1 :], found)

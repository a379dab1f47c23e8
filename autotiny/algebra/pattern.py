"""Patterns: formulas with variables, matched up to the order of factors and addends.

A NumPy function of variables writes a pattern. In a product its factors may be anywhere among others, in a sum its
addends; the others stay beside the replacement.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.algebra.chains import is_chain, splits
from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    PRODUCTS,
    SUMS,
    Factor,
    addends,
    factors,
    merged,
    number,
    product,
    remembered,
    times,
    total,
    with_one_root,
)
from autotiny.algebra.term import Term, constant, plain
from autotiny.engine.numpy_protocol import ArrayProtocol
from autotiny.engine.signatures import bind_arguments
from autotiny.ops import OPS, PLAIN, Op
from autotiny.ops.loading import find

Bound = Mapping[str, Any]
"""The term, or the value of an option, for each variable."""

Split = tuple[Bound, Fraction, list[Factor]]
"""A match within a product: the bound variables, and the number and factors that are left over."""


POWER = OPS[np.power]


class Pattern(ArrayProtocol):
    """A formula with variables. A variable has a name and no operation; a `rest` matches all remaining operands."""

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

    def __repr__(self) -> str:
        if self.op is None:
            return self.name
        options = [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"{self.op.name}({', '.join([*map(repr, self.args), *options])})"

    @staticmethod
    def __autotiny_call__(function: Any, args: tuple[Any, ...], kwargs: Bound) -> Any:
        find(function)
        op = plain(function) if function in PLAIN else OPS[function]
        return Pattern(op, *((args, kwargs) if function in PLAIN else bind_arguments(op, args, kwargs)))

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
    __lt__, __gt__ = _binary(np.less)[0], _binary(np.greater)[0]
    __le__, __ge__ = _binary(np.less_equal)[0], _binary(np.greater_equal)[0]

    # ----- views like those of a term -----
    @cached_property
    def factors(self) -> tuple[Fraction, list[tuple[Any, Fraction]]]:
        """A product as a number, and patterns with their powers, in the order in which they are matched.

        Variables that occur in other factors, too, come first, for these then match soon or never; others come last,
        and `rest` after them.
        """
        coefficient, powers = ONE, list[tuple[Any, Fraction]]()
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
                powers.append((part, power))
        inner = set[str]().union(*(variables_of(part) for part, _ in powers if not is_variable(part)))

        def rank(factor: tuple[Any, Fraction]) -> int:
            part, _ = factor
            return 3 if is_rest(part) else 1 if not is_variable(part) else 0 if part.name in inner else 2

        return coefficient, sorted(powers, key=rank)

    @cached_property
    def addends(self) -> list[tuple[Fraction, Any]]:
        """A sum as patterns with their signs, `rest` last."""
        parts = list[tuple[Fraction, Any]]()
        stack: list[tuple[Fraction, Any]] = [(ONE, self)]
        while stack:
            sign, part = stack.pop()
            function = part.op and part.op.function
            if function is np.add or function is np.subtract:
                a, b = part.args
                stack += [(sign if function is np.add else -sign, b), (sign, a)]
            else:
                parts.append((sign, part))
        return sorted(parts, key=lambda addend: is_rest(addend[1]))

    @cached_property
    def common(self) -> str:
        """The variable that is a factor of all addends of a sum; empty if there is none."""
        names = [{x.name for x, power in part.factors[1] if is_variable(x) and not x.rest and power == 1}
                 for _, part in self.addends if isinstance(part, Pattern)]  # fmt: skip
        return min(set.intersection(*names), default="") if len(names) > 1 else ""


@remembered
def shared_factors(term: Term) -> list[Term]:
    """Return what is a factor of two addends of a sum: symbols and results, and their powers."""
    counts: dict[Term, int] = {}
    for _, part in addends(term):
        for base, power in factors(part)[1]:
            own = [base] if power >= 1 else [product(ONE, [(base, -ONE)], base.shape)] if power <= -1 else []
            for factor in own if abs(power) == 1 else [*own, product(ONE, [(base, power)], base.shape)]:
                counts[factor] = counts.get(factor, 0) + 1
    return [factor for factor, count in counts.items() if count > 1]


def variables_of(part: Any) -> set[str]:
    """Return the names of the variables of a part of a pattern."""
    if is_variable(part):
        return {part.name}
    return set().union(*map(variables_of, part.args)) if isinstance(part, Pattern) else set()


def is_variable(part: Any) -> bool:
    """Whether a part of a pattern is a variable."""
    return isinstance(part, Pattern) and part.op is None


def has_open_exponent(part: Any) -> bool:
    """Whether a part of a pattern is a power whose exponent is not a number: no factors to be found among others."""
    return isinstance(part, Pattern) and part.op is POWER and isinstance(part.args[1], Pattern)


def is_rest(part: Any) -> bool:
    """Whether it is a variable that matches all remaining operands."""
    return is_variable(part) and part.rest


def pattern_of(function: Callable[..., Any], rest: tuple[str, ...] = ()) -> Any:
    """Return the pattern that a function computes from variables."""
    return function(*(Pattern(None, name=name, rest=name in rest) for name in variables(function)))


def variables(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's arguments."""
    return function.__code__.co_varnames[: function.__code__.co_argcount]


# ----- matching -----
def match(pattern: Any, term: Term, bound: Bound) -> Iterator[Bound]:
    """Yield the variables of every match of the pattern with the whole term."""
    if isinstance(pattern, Term):
        if pattern is term or (number(pattern) is not None and number(pattern) == number(term)):
            yield bound
    elif pattern.op is None:
        yield from bind(pattern.name, term, bound)
    elif has_open_exponent(pattern):
        if pattern.op is term.op:
            yield from match_all(pattern.args, term.args, bound)
    elif pattern.op in PRODUCTS | SUMS and shape_of_parts(pattern, term) != term.shape:
        return  # its parts have other axes than it has: the axis of a sum would be another one
    elif pattern.op in PRODUCTS:
        for matched, coefficient, left in match_product(pattern, term, bound):
            if coefficient == 1 and not left:
                yield matched
    elif pattern.op in SUMS:
        yield from (matched for matched, left in match_sum(pattern, term, bound) if not left)
    elif pattern.op is MATMUL and is_chain(term):
        for two in splits(term):
            yield from match_all(pattern.args, two, bound)
    elif pattern.op.function in PLAIN and pattern.op is not term.op:
        if term.dtype != bool and (mask := truth(term)) is not None:
            yield from match(pattern, mask, bound)
    elif pattern.op is term.op and len(pattern.args) == len(term.args):
        for matched in match_options(pattern.kwargs, term.kwargs, bound):
            yield from match_all(pattern.args, term.args, matched)


def shape_of_parts(pattern: Any, term: Term) -> tuple[int, ...]:
    """Return the shape to which the factors of a term, or its addends, broadcast by themselves."""
    parts = [x for x, _ in factors(term)[1]] if pattern.op in PRODUCTS else [x for _, x in addends(term)]
    return np.broadcast_shapes(*(x.shape for x in parts))


def bind(name: str, value: Any, bound: Bound) -> Iterator[Bound]:
    """Yield the bindings with a variable bound to a value, unless it is bound to another one.

    The variable `mask` is bound to truth values alone.
    """
    if name == "mask" and (value := truth(value)) is None:
        return
    if name not in bound:
        yield {**bound, name: value}
        return
    before = bound[name]
    equal = same_number(before, value) if isinstance(value, Term) else before == value
    if before is value or equal:
        yield bound


def same_number(a: Any, b: Any) -> bool:
    """Whether both are terms of the same number."""
    if not (isinstance(a, Term) and isinstance(b, Term) and a.is_constant and b.is_constant and a.shape == b.shape):
        return False
    n = number(a)
    return n is not None and n == number(b)


def truth(value: Term) -> Term | None:
    """Return the truth values that a formula counts as 1 and 0; None if it is any other formula."""
    if value.dtype == bool:
        return value
    coefficient, powers = factors(value)
    alone = coefficient == 1 and len(powers) == 1 and powers[0][1] == 1
    return powers[0][0] if alone and powers[0][0].dtype == bool else None


def match_all(patterns: tuple[Any, ...], terms: tuple[Term, ...], bound: Bound) -> Iterator[Bound]:
    """Yield the variables of every match, operand by operand."""
    if not patterns:
        yield bound
        return
    for matched in match(patterns[0], terms[0], bound):
        yield from match_all(patterns[1:], terms[1:], matched)


def match_options(patterns: Bound, options: Bound, bound: Bound) -> Iterator[Bound]:
    """Yield the variables of a match of options: the same names, each value equal or matched by a variable."""
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


def match_as_written(pattern: Any, term: Term) -> Bound | None:
    """Return the variables of a match operation by operation and in this order of operands; None if there is none."""
    bound: dict[str, Any] = {}
    return bound if _bind_as_written(pattern, term, bound) else None


def _bind_as_written(pattern: Any, term: Term, bound: dict[str, Any]) -> bool:
    if isinstance(pattern, Term):
        return term is pattern or (term.is_constant and not term.ndim and bool(term.value == pattern.value))
    if pattern.op is None:
        return bound.setdefault(pattern.name, term) is term
    if pattern.op is not term.op or len(pattern.args) != len(term.args):
        return False
    if pattern.kwargs or term.kwargs:
        matched = next(match_options(pattern.kwargs, without_defaults(term.kwargs), bound), None)
        if matched is None:
            return False
        bound.update(matched)
    return all(_bind_as_written(part, arg, bound) for part, arg in zip(pattern.args, term.args, strict=True))


def without_defaults(kwargs: Bound) -> Bound:
    """Return the options that differ from the defaults of NumPy's functions."""
    return {name: value for name, value in kwargs.items() if value is not None and value is not False and value != "C"}


def match_product(pattern: Any, term: Term, bound: Bound) -> Iterator[Split]:
    """Yield every match of the pattern with some factors of the term, and the other factors."""
    wanted, parts = factors(pattern) if isinstance(pattern, Term) else pattern.factors
    coefficient, powers = factors(term)
    over = [(base, -power) for base, power in parts if isinstance(base, Term) and base.is_constant and not base.ndim]
    if over:  # the square root of a number divides any product
        parts = [(base, power) for base, power in parts if not (isinstance(base, Term) and base.is_constant)]
        coefficient, powers = with_one_root(coefficient, merged([*powers, *over]))
    yield from _assign(parts, coefficient / wanted, powers, bound)


def _assign(parts: Any, coefficient: Fraction, left: list[Factor], bound: Bound) -> Iterator[Split]:
    if not parts:
        yield bound, coefficient, left
        return
    (part, power), *others = parts
    if is_rest(part):
        for matched in bind(part.name, whole(coefficient, left), bound):
            yield from _assign(others, ONE, [], matched)
        return
    for i, (base, p) in enumerate(left):
        if not may_match(part, base):
            continue
        without = left[:i] + left[i + 1 :]
        if p * power > 0 and abs(p) >= abs(power):
            remaining = without if p == power else [*without, (base, p - power)]
            for matched in match(part, base, bound):
                yield from _assign(others, coefficient, remaining, matched)
        if is_variable(part) and power == 1 and p != 1:
            for matched in bind(part.name, product(ONE, [(base, p)], base.shape), bound):
                yield from _assign(others, coefficient, without, matched)
        if is_variable(part) and power == 1 and p < -1:
            for matched in bind(part.name, product(ONE, [(base, -ONE)], base.shape), bound):
                yield from _assign(others, coefficient, [*without, (base, p + 1)], matched)


def whole(coefficient: Fraction, powers: list[Factor]) -> Term:
    """Return a product as a term by itself, in normal form: -(x - y) is y - x."""
    shape = np.broadcast_shapes(*(x.shape for x, _ in powers))
    result = product(coefficient, powers, shape)
    is_negative_sum = coefficient == -1 and len(powers) == 1 and powers[0][1] == 1 and powers[0][0].op in SUMS
    return total(addends(result), shape) if is_negative_sum else result


def may_match(pattern: Any, term: Term) -> bool:
    """Whether the last operation of a term, as it may be written, is that of a pattern."""
    if isinstance(pattern, Term) or pattern.op is None:
        return True
    if pattern.op in PRODUCTS:
        return not has_open_exponent(pattern) or term.op is POWER
    if pattern.op in SUMS:
        return term.op in SUMS
    return term.op is pattern.op or (pattern.op.function in PLAIN and truth(term) is not None)


def match_sum(pattern: Any, term: Term, bound: Bound) -> Iterator[tuple[Bound, list[tuple[Fraction, Term]]]]:
    """Yield every match of the pattern with some addends of the term, and the other addends."""
    parts = addends(pattern) if isinstance(pattern, Term) else pattern.addends
    if isinstance(pattern, Pattern) and pattern.common:
        for factor in shared_factors(term):
            yield from _assign_addends(parts, addends(term), {**bound, pattern.common: factor})
        return
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
            for matched in bind(part.name, total(signed, shape), bound):
                yield from _assign_addends(others, [], matched)
        return
    for i, (c, term) in enumerate(left):
        if not may_match(part, term):
            continue
        scaled = term if c == sign else times(c * sign, term)
        for matched in match(part, scaled, bound):
            yield from _assign_addends(others, left[:i] + left[i + 1 :], matched)

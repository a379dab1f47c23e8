"""Lift: a recorded run as formulas.

Every tensor that has a name becomes a symbol, and the code that made it its definition: a definition speaks of the
named tensors that it is made of, and of nothing behind them.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from autotiny import graph
from autotiny.algebra import Term, apply, constant, symbol
from autotiny.algebra.normal import as_fraction
from autotiny.tensor import Tensor

UNREMARKABLE = {Fraction(n) for n in (-1, 0, 1, 2)} | {Fraction(1, 2)}
"""Numbers that stand in too many formulas to be taken for a variable that happens to have their value."""


class Lifted(NamedTuple):
    """A recorded run in formulas.

    Attributes
    ----------
    symbols : of each tensor that has a name, and of each leaf.
    definitions : how each of these was made, for those that are results.
    tracked : the symbols that have a gradient.
    numbers : what stands for a number of the code, such as m.
    """

    symbols: dict[Tensor, Term]
    definitions: dict[Term, Term]
    tracked: set[Term]
    numbers: dict[Term, str]


def lift(order: Iterable[Tensor], scope: Mapping[str, Any], always: Iterable[Tensor]) -> Lifted:
    """The tensors of a topological order as formulas over the names that the scope gives; some are always named."""
    order = list(order)
    held = {id(value) for name, value in scope.items() if not name.startswith("_")}
    names = graph.names(order, scope)
    named = {x for x in order if x.op is None or x.name or id(x) in held} | set(always)
    lifter = _Lifter(scope, {names[x] for x in named})
    for x in order:
        lifter.add(x, names[x] if x in named else None)
    return lifter.result


class _Lifter:
    """The way through a graph from leaves to results."""

    def __init__(self, scope: Mapping[str, Any], taken: set[str]) -> None:
        self.result = Lifted({}, {}, set(), {})
        self.taken = taken
        self.terms: dict[Tensor, Term] = {}
        self.arrays = {id(v): n for n, v in reversed(list(scope.items())) if isinstance(v, np.ndarray) and n[:1] != "_"}
        self.numbers = named_numbers(scope)
        self.constants: dict[Any, Term] = {}

    def add(self, x: Tensor, name: str | None) -> None:
        """One tensor, whose operands are there already."""
        term = self.made(x) if x.op is not None else None
        if name is None and term is not None:
            self.terms[x] = term
            return
        assert name is not None
        self.terms[x] = self.result.symbols[x] = sign = symbol(name, x._data)
        if term is not None:
            self.result.definitions[sign] = term
        if x.requires_grad:
            self.result.tracked.add(sign)

    def made(self, x: Tensor) -> Term:
        """The operation of a result on what its operands became."""
        assert x.op is not None
        power = x.op.function is np.power
        args = [self.terms[a] if isinstance(a, Tensor) else self.constant(a, power and i) for i, a in enumerate(x.args)]
        return constant(apply(x.op, args, x.kwargs))

    def constant(self, value: Any, exponent: Any) -> Term:
        """A number by its variable's name if it has one; an array always by a name."""
        if np.ndim(value) == 0:
            return constant(value) if exponent else self.number(value)
        key = id(value)
        if key not in self.constants:
            name = self.fresh(self.arrays.get(key, "C"))
            self.constants[key] = symbol(name, value)
        return self.constants[key]

    def number(self, value: Any) -> Term:
        """m for 8, and 1 / m for 0.125, where m is the only variable that has this value."""
        exact = as_fraction(float(value)) if np.isfinite(value) else None
        if exact is None or exact in UNREMARKABLE:
            return constant(value)
        sign = -1 if exact < 0 and abs(exact) != 1 else 1
        for way, target in (("direct", exact * sign), ("inverse", 1 / (exact * sign))):
            if name := self.numbers.get(target):
                term = self.variable(name, target)
                return constant((term if way == "direct" else 1 / term) * sign if sign < 0 else
                                (term if way == "direct" else 1 / term))  # fmt: skip
        return constant(value)

    def variable(self, name: str, value: Fraction) -> Term:
        """The symbol of a variable that holds a number."""
        key = ("number", value)
        if key not in self.constants:
            number: Any = value.numerator if value.denominator == 1 else float(value)
            self.constants[key] = symbol(self.fresh(name), number)
            self.result.numbers[self.constants[key]] = name
        return self.constants[key]

    def fresh(self, name: str) -> str:
        """The name, with primes if it is taken."""
        found = next(n for n in graph.with_primes(name) if n not in self.taken)
        self.taken.add(found)
        return found


def named_numbers(scope: Mapping[str, Any]) -> dict[Fraction, str]:
    """The numbers that exactly one variable holds."""
    found: dict[Fraction, list[str]] = {}
    for name, value in scope.items():
        if type(value) in (int, float) and np.isfinite(value) and not name.startswith("_"):
            found.setdefault(as_fraction(value), []).append(name)
    return {value: names[0] for value, names in found.items() if len(names) == 1 and value not in UNREMARKABLE}

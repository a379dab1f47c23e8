"""An equation: a pattern, its replacement, when it holds, and a name that a student would recognise.

Every equation is a row of the table of rewrites. Both sides are plain NumPy, so it is tested by running both on random
arrays. Variables stand for any formula; those in `rest` take all the factors (or addends) that the others leave, none
at all included, with their number and sign.

Simplifying equations must lower a measure, so that applying them comes to an end. Symbols, numbers and operations have
a weight; what a function is applied to counts twice. So sum(2 x) is heavier than 2 sum(x), tanh(-x) than -tanh(x), and
(A B)ᵀ than Bᵀ Aᵀ; the transpose of a name weighs no more than the name. Before weights are compared, vectors that
multiply from the left are counted, for A x is the customary form.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra.chains import is_chain, matrix_product, windows
from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    PRODUCTS,
    SPREADS,
    SUMS,
    WHERE,
    counts_a_mask,
    exponent_of,
    fitted,
    is_reshape,
    is_transpose,
    product,
    total,
)
from autotiny.algebra.pattern import Pattern, match, match_as_written, match_product, match_sum, pattern_of, variables
from autotiny.algebra.term import Term, constant
from autotiny.errors import AutotinyError
from autotiny.ops import Op

# ----- the measure -----


OPERATION, NUMBER, SYMBOL, ARRAY = 2, 4, 5, 6
"""Their weights: 1 + x must be lighter than x + x, and 1 / (1 + exp(x)) heavier than a function of -x."""
CHOICE = 6
"""The weight of a choice: where(mask, x, 0) must be heavier than x mask, and x mask + y (1 - mask) than a choice."""
ARRANGEMENT, RESHAPING = 4, 1
"""The weights of a broadcast and a reshape: sum(broadcast_to(x, n)) must be heavier than n sum(x)."""


class Measure(NamedTuple):
    """The size of a formula: first the number of vectors on the left of products, then the weight."""

    vectors_on_the_left: int
    weight: Any


def measure(term: Term) -> Measure:
    """Return the measure of a formula. It is cached with each term, and computed without recursion."""
    stack = [term]
    while stack:
        part = stack[-1]
        unknown = [arg for arg in part.args if _known(arg) is None]
        if unknown:
            stack += unknown
        else:
            _keep(stack.pop())
    result = _known(term)
    assert result is not None
    return result


def _known(term: Term) -> Measure | None:
    return term.notes.get(Measure) if term.notes else None


def _keep(term: Term) -> None:
    inner = [_known(arg) for arg in term.args]
    on_the_left = _multiplies_from_the_left(term) + sum(m.vectors_on_the_left for m in inner if m)
    term.notes = term.notes or {}
    term.notes[Measure] = Measure(on_the_left, _weight(term, [m.weight for m in inner if m]))


def _multiplies_from_the_left(term: Term) -> bool:
    if term.op is not MATMUL or term.args[1].ndim < 2:
        return False
    left = term.args[0]
    return left.ndim == 1 or (is_reshape(left) and left.args[0].ndim == 1)


def _weight(part: Any, inner: list[Any]) -> Any:
    """Return the weight of an operation of a formula or a pattern from the weights of its operands."""
    if part.op is None:
        return SYMBOL if part.name is not None else ARRAY if part.ndim else NUMBER
    if part.op in PRODUCTS and (power := exponent_of(part)) is not None:
        times = max(ONE, abs(power))  # as heavy as the equivalent product, and a little more
        return (times.numerator if times.denominator == 1 else times) * (inner[0] + OPERATION) - 1
    if counts_a_mask(part):
        return inner[1]
    if part.op in SUMS or (part.op in PRODUCTS and not _is_power(part)):
        return sum(inner) + OPERATION
    if part.op in SPREADS:
        return sum(inner) + (RESHAPING if is_reshape(part) else ARRANGEMENT)
    if part.op is WHERE:
        return sum(inner) + CHOICE
    if is_transpose(part):
        return inner[0] if part.args[0].op is None else inner[0] + OPERATION
    return 2 * sum(inner) + OPERATION


def _is_power(part: Any) -> bool:
    return bool(part.op.name == "power")


def weight_of_pattern(pattern: Any, weights: Mapping[str, int]) -> Any:
    """The weight of a pattern whose variables have these weights. Two signs cancel."""
    if isinstance(pattern, Term):
        return measure(pattern).weight
    if pattern.op is None:
        return weights[pattern.name]
    if _is_negative(pattern) and isinstance(pattern.args[0], Pattern) and _is_negative(pattern.args[0]):
        return weight_of_pattern(pattern.args[0].args[0], weights)
    return _weight(pattern, [weight_of_pattern(arg, weights) for arg in pattern.args])


def _is_negative(pattern: Pattern) -> bool:
    return pattern.op is not None and pattern.op.name == "negative"


HEAVY = 10**6
"""The weight of a variable in place of a long formula."""


class AlgebraError(AutotinyError, ValueError):
    """An equation whose application would never end."""


def always(*_: Any, **__: Any) -> bool:
    """Accept any variables: no side condition."""
    return True


@dataclass(frozen=True)
class Equation:
    """pattern = replacement, where the condition holds.

    Raises AlgebraError where the replacement can never be smaller than the pattern, by `measure`, and the equation
    does not say that it expands. Where that depends on a condition or on shapes, `Simplifier` raises it.

    exact : the two agree to rounding on all floating-point numbers, infinities, nan and those that overflow among
        them.
    moderate : they agree to rounding where nothing overflows on the way: f a + f b = f (a + b). Other rows differ
        elsewhere, too, as x / x = 1 does at 0.
    stable : they differ only where the pattern overflows or underflows, and there the replacement is what it means.
    divides : variables that the pattern divides by: where these are positive by nature, as exp(x) is, it is stable.
    expands : the replacement is larger, so that terms cancel afterwards.
    as_written : the pattern is looked for operation by operation, not among other factors and addends.
    among : what its condition asks of a variable, by which terms are passed over that it cannot apply to: "vector",
        "number" (without axes, and no constant), "constant" (an array), "broadcast", or "square of a mask".
    """

    name: str
    pattern: Callable[..., Any]
    replacement: Callable[..., Any]
    condition: Callable[..., bool] = always
    rest: tuple[str, ...] = ()
    exact: bool = False
    moderate: bool = False
    stable: bool = False
    divides: tuple[str, ...] = ()
    expands: bool = False
    as_written: bool = False
    among: str = ""

    def __post_init__(self) -> None:
        if self.expands or self.condition is not always:
            return
        if self._is_never_smaller():
            raise AlgebraError(f"equation {self.name!r} does not make {self.left!r} smaller")
        for name in self.rest:
            if self._is_never_smaller(negative=name):
                raise AlgebraError(
                    f"equation {self.name!r} does not make {self.left!r} smaller where {name} is negative: the rest of "
                    "a product takes the signs of the others"
                )

    @cached_property
    def left(self) -> Any:
        """The pattern, with variables in place."""
        return pattern_of(self.pattern, self.rest)

    @cached_property
    def needs(self) -> frozenset[Op]:
        """Operations without which it cannot apply."""
        return needs(self.left)

    @cached_property
    def roots(self) -> frozenset[Op]:
        """The operations of which one is the last of what it applies to."""
        return frozenset({self.left.op}) if self.as_written else roots(self.left)

    def at(self, term: Term) -> Term | None:
        """Return what the term is rewritten to, if it or some of its factors or addends match."""
        if self.as_written:
            return self._at_as_written(term)
        return next(self.every(term), None)

    def every(self, term: Term) -> Iterator[Term]:
        """Yield what the term is rewritten to by each match."""
        return rewritings_in_formula(self.left, term, self._replace)

    def _at_as_written(self, term: Term) -> Term | None:
        bound = match_as_written(self.left, term)
        right = None if bound is None else self._replace(bound)
        return constant(right) if right is not None and np.shape(right) == term.shape else None

    def _replace(self, bound: Any) -> Any:
        arguments = [bound[name] for name in variables(self.pattern)]
        return self.replacement(*arguments) if self.condition(*arguments) else None

    # ----- termination -----
    def _is_never_smaller(self, negative: str = "") -> bool:
        """Whether the replacement weighs as much as the pattern whatever the variables stand for, one of them negated.

        Both weights are linear in those of the variables: it is enough to make each of these heavy in turn.
        """
        names = variables(self.pattern)
        arguments = [-x if x.name == negative else x for x in (Pattern(None, name=name) for name in names)]
        try:
            left, right = self.pattern(*arguments), self.replacement(*arguments)
            right = right if isinstance(right, Pattern) else constant(right)
        except (LookupError, TypeError, AttributeError, ValueError):  # it depends on shapes
            return False
        light = dict.fromkeys(names, SYMBOL)
        probes = [light, *({**light, name: HEAVY} for name in names)]
        return all(weight_of_pattern(right, probe) >= weight_of_pattern(left, probe) for probe in probes)


def as_written(*equations: Equation) -> tuple[Equation, ...]:
    """Return the equations, with patterns that are looked for operation by operation."""
    return tuple(replace(equation, as_written=True) for equation in equations)


def needs(pattern: Any) -> frozenset[Op]:
    """Return the operations of a pattern, except those of products and sums, which can be written in several ways."""
    if pattern.op is None:
        return frozenset()
    own = frozenset[Op]() if pattern.op in PRODUCTS | SUMS else frozenset({pattern.op})
    return own.union(*map(needs, pattern.args))


def roots(pattern: Any) -> frozenset[Op]:
    """Return the operations of which one is the last of what a pattern matches."""
    return next((group for group in (PRODUCTS, SUMS) if pattern.op in group), frozenset({pattern.op}))


def rewritten(pattern: Any, term: Term, replace: Callable[[Any], Any]) -> Term | None:
    """Return the term with its first match replaced, for which there is a replacement; the factors left over stay."""
    return next(rewritings(pattern, term, replace), None)


def rewritings_in_formula(pattern: Any, term: Term, replace: Callable[[Any], Any]) -> Iterator[Term]:
    """Yield a term in normal form with each match replaced, which may be some factors of a matrix product.

    A program keeps the order in which its matrices are multiplied.
    """
    if pattern.op is not MATMUL or not is_chain(term):
        yield from rewritings(pattern, term, replace)
        return
    for before, middle, after in windows(term):
        for bound in match(pattern, middle, {}):
            if (right := replace(bound)) is not None:
                yield matrix_product([*before, fitted(right, middle.shape), *after], term.shape)


def rewritings(pattern: Any, term: Term, replace: Callable[[Any], Any]) -> Iterator[Term]:
    """Yield the term with each match replaced, for which there is a replacement; the factors left over stay."""
    if term.op is None or term.op not in roots(pattern):
        return
    if term.op in PRODUCTS:
        for bound, coefficient, left in match_product(pattern, term, {}):
            if (right := replace(bound)) is not None:
                yield product(coefficient, [(constant(right), ONE), *left], term.shape)
    elif term.op in SUMS:
        for bound, others in match_sum(pattern, term, {}):
            if (right := replace(bound)) is not None:
                yield total([(ONE, constant(right)), *others], term.shape)
    else:
        for bound in match(pattern, term, {}):
            if (right := replace(bound)) is not None:
                yield fitted(right, term.shape)

"""The measure that simplifying rows must lower, so that applying them comes to an end.

Symbols, numbers and operations have a weight; what a function is applied to counts twice. So sum(2 x) is heavier than
2 sum(x), tanh(-x) than -tanh(x), and (A B)ᵀ than Bᵀ Aᵀ. Before weights are compared, vectors that multiply from the
left are counted, for A x is the customary form.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from autotiny.algebra.normal import MATMUL, ONE, PRODUCTS, SPREADS, SUMS, exponent_of, is_reshape, is_transpose
from autotiny.algebra.pattern import Pattern
from autotiny.algebra.term import Term

OPERATION, NUMBER, SYMBOL, ARRAY = 2, 4, 5, 6
"""Their weights: 1 + x must be lighter than x + x, and 1 / (1 + exp(x)) heavier than a function of -x."""
ARRANGEMENT = 4
"""The weight of a broadcast or reshape: sum(broadcast_to(x, n)) must be heavier than n sum(x)."""


class Measure(NamedTuple):
    """What is compared: first the vectors on the left of products, then the weight."""

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
    """The weight of an operation of a formula or a pattern, given the weights of its operands."""
    if part.op is None:
        return SYMBOL if part.name is not None else ARRAY if part.ndim else NUMBER
    if part.op in PRODUCTS and (power := exponent_of(part)) is not None:
        times = max(ONE, abs(power))  # as long as the product that it stands for, and a little more
        return (times.numerator if times.denominator == 1 else times) * (inner[0] + OPERATION) - 1
    if part.op in SUMS or (part.op in PRODUCTS and not _is_power(part)):
        return sum(inner) + OPERATION
    if part.op in SPREADS:
        return sum(inner) + ARRANGEMENT
    return 2 * sum(inner) + (0 if is_transpose(part) else OPERATION)


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

"""Gradient rules in symbols: the rule itself runs on formulas, which record its operations.

    W2ᵀ g      g * 1[Z1 > 0]      g / A2

So pictures show the rules that the engine computes, also those of users' own operations.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term, constant, symbol
from autotiny.algebra.normalise import conjugated
from autotiny.notation.expression import Expression, operands_first
from autotiny.notation.notations import Unicode
from autotiny.notation.numbers import short_number
from autotiny.notation.text import clean
from autotiny.ops import Op
from autotiny.ops.mathematics import mathematics
from autotiny.ops.table import Rule, conj, is_complex

LONGEST_RULE, LONGEST_FACTOR = 120, 20
FACTORS = [
    (r"g", "1"),
    (r"-g", "−1"),
    (r"(-?)g \* (.+)", r"× \1\2"),
    (r"([\d.]+) \* g \* (.+)", r"× \1 * \2"),
    (r"(-?)g / (.+)", r"× \g<1>1/\2"),
    (r"([\d.]+) \* g / (.+)", r"× \1/\2"),
    (r"gᵀ? (\S+)", r"· \1"),
    (r"(\S+) g", r"\1 ·"),
]
"""Patterns that turn a rule into its factor, without the arriving g."""


class LocalDerivative(NamedTuple):
    """How an operation passes on the gradient g that arrives to one of its operands."""

    rule: str
    """In symbols: "g * b"."""
    value: Any
    """The rule's value for g = 1: dy/dx of numbers."""
    arriving: str = "g"
    """The name of g: ḡ where an operand is called g."""

    @property
    def factor(self) -> str | None:
        """The rule without its g, "× b" or "· W2ᵀ"; None where it is not a short product with g."""
        for pattern, rest in FACTORS:
            match = re.fullmatch(pattern.replace("g", self.arriving), self.rule)
            if match:
                factor = match.expand(rest).replace(" * ", " × ").replace("-", "−")
                return None if len(factor) > LONGEST_FACTOR or re.search(rf"\b{self.arriving}\b", factor) else factor
        return None


def local_derivative(
    rule: Rule, operands: Sequence[tuple[str, Any]], output: tuple[str, Any], options: Mapping[str, Any]
) -> LocalDerivative | None:
    """Return a rule in the names and values of its operands and its output; None if it cannot run on formulas."""
    arriving = "ḡ" if "g" in (output[0], *(name for name, _ in operands)) else "g"
    g = symbol(arriving, np.ones_like(output[1]))
    try:
        with np.errstate(all="ignore"):
            symbols = [operand_of_rule(*operand) for operand in operands]
            result = constant(rule(conj(g), symbol(*output), *symbols, **options))
            result = conjugated(result) if is_complex(result) else result
    except Exception:  # a user's rule may do what no formula can
        return None
    return as_local_derivative(result, arriving)


def as_local_derivative(passed: Term, arriving: str) -> LocalDerivative | None:
    """Return a rule from the formula that it gives."""
    if passed.is_constant:  # nothing is passed on, or the rule left the formula behind
        return None if np.any(passed.value) else LocalDerivative("0", passed.value)
    return LocalDerivative(clean(_as_text(passed), LONGEST_RULE), passed.value, arriving)


def operand_of_rule(name: str, value: Any) -> Term:
    """A number by itself, anything else by its name; X.T as the transpose of X."""
    if name.endswith(".T"):
        return symbol(name.removesuffix(".T"), np.transpose(value)).T
    return constant(value) if NUMBER.fullmatch(name) else symbol(name, value)


NUMBER = re.compile(r"-?[\d.]+(e[+-]\d+)?")


class RuleText(Unicode):
    """Formulas as text, their numbers to a few digits."""

    def number(self, value: Any) -> str:
        """A number as pictures show it."""
        return f"({short_number(value)})" if np.iscomplexobj(value) and value.real else short_number(value)


def _as_text(rule: Term) -> str:
    """Return a rule as text, without operations that only serve shapes and rounding."""
    root = mathematics(rule, {}, shapes=False)
    made: dict[Expression, Expression] = {}
    for each in operands_first([root], lambda each: each.operands):
        operands = [made[operand] for operand in each.operands]
        made[each] = _plainer(Expression(each.kind, operands, each.name, each.value, each.options))
    return RuleText()(made[root])


def _plainer(each: Expression) -> Expression:
    match each.kind, each.operands:
        case "multiply" | "scale", [x, y] if x is y:
            return Expression("square", [x])
        case "transpose", [x] if x.kind == "transpose":
            return x.operands[0]
        case "power", [x, exponent] if _is_number(exponent, 1):
            return x
        case "add", [x, guard] if guard.kind == "mask" and _is_zero_of(guard.operands[0], x):
            return x  # x, and 1 where x is 0: against a division by 0
        case "or" | "logical_or" | "bitwise_or", [better, nan] if nan.kind == "isnan":
            return better  # nan is taken as well
        case "where", [chosen, x, other] if _is_number(other, 0):
            return Expression("multiply", [x, _mask(chosen)])
        case "where", [chosen, other, x] if _is_number(other, 0):
            return Expression("multiply", [x, Expression("subtract", [_number(1), _mask(chosen)])])
    return each


def _mask(chosen: Expression) -> Expression:
    return chosen if chosen.kind == "symbol" else Expression("mask", [chosen])


def _number(value: float) -> Expression:
    return Expression("number", value=value)


def _is_number(each: Expression, value: float) -> bool:
    return each.kind == "number" and bool(each.value == value)


def _is_zero_of(truth: Expression, x: Expression) -> bool:
    """Whether a truth value is the comparison x = 0."""
    return truth.kind == "equal" and truth.operands[0] is x and _is_number(truth.operands[1], 0)


# ----- the rule in words -----
def operation_in_words(op: Op, position: int) -> str:
    """The name of an operation's rule for one operand, or what it does, in a few words."""
    words = op.words if isinstance(op.words, str) else op.words[position]
    return words or f"chain rule: times the derivative of {op.name}"

"""Shorter ways to the same value: rules for one operation each, tried when its operands are known."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.algebra import Term, apply
from autotiny.compiler.naming import Names
from autotiny.compiler.rewriting import rewrite, users, with_operands
from autotiny.ops import OPS
from autotiny.ops.linalg import vdot

RULES: list[Any] = []
LONGEST = 1024
"""Entries of one sum: beyond, NumPy's pairwise sum is more accurate than a product."""


def shorten(outputs: Sequence[Term], names: Names) -> list[Term]:
    """The outputs by the shortcuts that fit."""
    return rewrite(outputs, shortened, names)


def shortened(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
    """What the first rule that fits makes of an operation."""
    for rule in RULES:
        found = rule(term.op and term.op.function, args, kwargs)
        if found is not None:
            return found
    return with_operands(term, args, kwargs)


def made_by(term: Term, function: Any) -> bool:
    """Whether a term is the result of a function of NumPy."""
    return term.op is not None and term.op.function is function


def is_number(term: Term, value: float) -> bool:
    """Whether a term is this very number."""
    return term.is_constant and np.ndim(term.value) == 0 and bool(term.value == value)


def keeps(x: Term, other: Term) -> bool:
    """Whether an operation of x with other has x's shape and type."""
    return np.broadcast_shapes(x.shape, other.shape) == x.shape and np.result_type(x.value, other.value) == x.dtype


def rule(function: Any) -> Any:
    """Enter a rule."""
    RULES.append(function)
    return function


@rule
def nothing_to_arrange(function: Any, args: Sequence[Term], options: Mapping[str, Any]) -> Any:
    """Another shape that is the same; a copy, since results are fresh anyway."""
    if function is np.copy and isinstance(args[0].value, np.ndarray):
        return args[0]
    if function in (np.reshape, np.broadcast_to, np.ravel) and options.get("order", "C") == "C":
        shape = args[0].shape
        wanted = options.get("shape") if function is not np.ravel else (args[0].size,)
        return args[0] if wanted == shape else None
    if function is np.swapaxes and made_by(args[0], np.swapaxes) and args[0].kwargs == options:
        return args[0].args[0]
    return None


@rule
def times_one(function: Any, args: Sequence[Term], options: Mapping[str, Any]) -> Any:
    """x * 1 = x"""
    if function is np.multiply:
        for x, other in (args, args[::-1]):
            if is_number(other, 1) and keeps(x, other):
                return x
    return args[0] if function is np.divide and is_number(args[1], 1) and keeps(*args) else None


@rule
def times_reciprocal(function: Any, args: Sequence[Term], options: Mapping[str, Any]) -> Any:
    """(1 / u) * x = x / u"""
    if function is np.multiply:
        for x, quotient in (args, args[::-1]):
            if made_by(quotient, np.divide) and is_number(quotient.args[0], 1) and keeps(x, quotient.args[1]):
                return x / quotient.args[1]
    return None


@rule
def exponential_of_difference(function: Any, args: Sequence[Term], options: Mapping[str, Any]) -> Any:
    """exp(a - log(b)) = exp(a) / b"""
    (x, *_) = args
    if function is np.exp and made_by(x, np.subtract) and made_by(x.args[1], np.log):
        return np.exp(x.args[0]) / x.args[1].args[0]
    return None


@rule
def sum_of_products(function: Any, args: Sequence[Term], options: Mapping[str, Any]) -> Any:
    """sum(a * b) = a · b"""
    (x, *_) = args
    if function is np.sum and made_by(x, np.multiply) and options.get("axis") is None and not options.get("keepdims"):
        a, b = x.args
        accurate = x.dtype == np.float64 or (x.dtype == np.float32 and x.size <= LONGEST)
        if a.shape == b.shape and a.ndim and a.dtype == b.dtype == x.dtype and accurate:
            return apply(OPS[vdot], (a, b), {})
    return None


@rule
def mask_of_relu(function: Any, args: Sequence[Term], options: Mapping[str, Any]) -> Any:
    """A product with a mask, as numbers: NumPy is slow to turn them into numbers on the way."""
    if function is not np.multiply:
        return None
    for x, mask in (args, args[::-1]):
        if mask.dtype == bool and mask.ndim and x.dtype.kind == "f" and mask.shape == x.shape:
            return x * mask.astype(x.dtype)
    return None


def share_sign(outputs: Sequence[Term], names: Names) -> list[Term]:
    """1[x > 0] = 1[max(x, 0) > 0], where max(x, 0) is there: x need not be kept until then."""
    there = {x.args[0]: x for x in users(outputs) if made_by(x, np.maximum) and is_number(x.args[1], 0)}

    def visit(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
        if made_by(term, np.greater) and is_number(args[1], 0) and args[0] in there:
            args = (there[args[0]], args[1])
        return with_operands(term, args, kwargs)

    return rewrite(outputs, visit, names)

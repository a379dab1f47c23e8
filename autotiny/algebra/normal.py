"""The normal form of a formula: products of powers and sums of products, with signs, numbers and broadcasts in order.

Equations that are not worth a step of a derivation are built in: that a (-b) is -(a b), that 1 x is x, that a / b / c
is a / c / b, that a row broadcasts against a matrix without a copy. What a student would want to see, such as
x / x = 1, is a row of `rewrites`. Here are the views that it consists of; `normalise` puts a term into the form.
"""

import functools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from autotiny.algebra.term import Term, apply, constant
from autotiny.notation.roots import Root, root, root_of
from autotiny.ops import OPS

Factor = tuple[Term, Fraction]
"""A base and its power."""

Addend = tuple[Fraction, Term]
"""A coefficient and the term that it multiplies."""

ONE = Fraction(1)
SHORT = 6
"""The largest number of digits of a decimal that is preferred to a quotient."""

PRODUCTS = frozenset(OPS[f] for f in (np.multiply, np.divide, np.negative, np.square, np.reciprocal, np.power, np.sqrt))
SUMS = frozenset(OPS[f] for f in (np.add, np.subtract))
MATMUL = OPS[np.matmul]
WHERE = OPS[np.where]
RESHAPE = OPS[np.reshape]
SPREADS = {OPS[np.broadcast_to], RESHAPE}


def op_of(function: Any) -> Callable[[Term], bool]:
    """Return a predicate: whether a term is the result of this function."""
    op = OPS[function]
    return lambda term: term.op is op


is_sum = op_of(np.sum)
is_transpose = op_of(np.transpose)
is_spread = op_of(np.broadcast_to)


def is_reshape(term: Term) -> bool:
    """Whether a term has the entries of its operand in the same order, in another shape."""
    return term.op is RESHAPE and term.kwargs.get("order", "C") == "C"


# ----- numbers -----
def number(term: Term) -> Fraction | None:
    """Return the number that a constant is or that all of its entries are; None for any other term."""
    if term.op is not None or term.name is not None or term.size == 0:
        return None
    value = np.asarray(term.value)
    if value.dtype.kind == "b" and value.ndim:
        return None
    if value.dtype.kind == "c":
        return None
    first = value.reshape(-1)[0].item()
    if isinstance(first, np.longdouble):
        if first != float(first):
            return None
        first = float(first)
    if not math.isfinite(first) or (value.ndim and not bool((value == first).all())):
        return None
    return as_fraction(value.reshape(-1)[0]) if value.dtype == np.float32 else as_fraction(first)


def as_fraction(value: Any) -> Fraction:
    """Return the short fraction that rounds to a float, 1/10 for 0.1; where there is none, the exact one."""
    largest = 10**3 if type(value) is np.float32 else 10**6
    short = Fraction(float(value)).limit_denominator(largest)
    return short if type(value)(float(short)) == value else Fraction(float(value))


def as_number(value: Fraction) -> Any:
    """Return an int for a whole number, else a float."""
    return value.numerator if value.denominator == 1 else float(value)


def as_quotient(value: Fraction) -> tuple[Any, int]:
    """Return numerator and denominator as people write a positive number: 0.3 / 1, but 1 / 8 and 2 / 3."""
    digits = len(repr(float(value)))
    if value.numerator != 1 and (digits <= SHORT or digits < len(f"{value.numerator} / {value.denominator}")):
        return as_number(value), 1
    return (value.numerator, value.denominator) if value.denominator < 10**6 else (float(value), 1)


@functools.cache
def identity(n: int, dtype: Any) -> Term:
    """Return the identity matrix, one term for each size and type."""
    return constant(np.eye(n, dtype=dtype))


# ----- products -----
def without_spread(term: Term) -> Term:
    """Return a factor or addend without explicit broadcasts and leading axes of length 1, which NumPy restores."""
    while term.op in SPREADS and (is_spread(term) or _keeps_entries(term)):
        (term,) = term.args
    return term


def _keeps_entries(reshaped: Term) -> bool:
    """Whether a reshape leaves out axes of length 1, or has equal entries."""
    (x,) = reshaped.args
    return core(reshaped.shape) == core(x.shape) or (is_spread(x) and x.args[0].size == 1)


def core(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without its leading 1s."""
    return tuple(shape[next((i for i, n in enumerate(shape) if n != 1), len(shape)) :])


def remembered(view: Callable[[Term], Any]) -> Any:
    """Decorate a function of a term: its result is computed once and cached with the term."""

    def cached(term: Term) -> Any:
        if term.notes is None:
            term.notes = {}
        if view not in term.notes:
            term.notes[view] = view(term)
        return term.notes[view]

    return functools.update_wrapper(cached, view)


@remembered
def factors(term: Term) -> tuple[Fraction, list[Factor]]:
    """Return a term as a product of a number and powers: -2 Y / A2 as -2, [(Y, 1), (A2, -1)]."""
    coefficient, powers = ONE, list[Factor]()
    stack = [(term, ONE)]
    while stack:
        part, power = stack.pop()
        part = without_spread(part)
        n, op = number(part), part.op and part.op.function
        if n is not None and power.denominator == 1 and (n or power > 0):
            of_root = root_of(abs(n))
            coefficient *= (n if of_root is None else of_root.r if n > 0 else -of_root.r) ** int(power)
            powers += [] if of_root is None else roots(of_root, power)
        elif power.denominator != 1:
            powers.append((part, power))
        elif op is np.multiply or op is np.divide:
            a, b = part.args
            stack += [(b, power if op is np.multiply else -power), (a, power)]
        elif op is np.negative:
            coefficient *= (-ONE) ** int(power)
            stack.append((part.args[0], power))
        elif (exponent := exponent_of(part)) is not None:
            stack += [(part.args[0], power * exponent)] if exponent else []  # x ** 0 is 1, of nan too
        elif part.op in SUMS and (other := reversed_sum(part)) is not None:
            coefficient *= (-ONE) ** int(power)
            powers.append((other, power))
        elif power.denominator == 1 and (positive := without_sign(part)) is not None:
            coefficient *= (-ONE) ** int(power)
            powers.append((positive, power))
        else:
            powers.append((part, power))
    return with_one_root(coefficient, merged(powers))


@remembered
def without_sign(part: Term) -> Term | None:
    """Return -C for an array C without a name that has no positive entry, but a negative one; else None."""
    if not part.is_constant or part.ndim == 0 or part.dtype.kind != "f":
        return None
    value = np.asarray(part.value)
    return constant(0 - value) if np.all(value <= 0) and np.any(value < 0) else None


def reversed_sum(part: Term) -> Term | None:
    """Return y - x for x - y, if that is the normal order among factors; None if the order is normal."""
    parts = addends(part)
    leader, _ = min(parts, key=lambda a: (number(a[1]) is None, a[1].op is not None, a[1].number), default=(1, None))
    return total([(-c, x) for c, x in parts], part.shape) if leader < 0 else None


def exponent_of(part: Term) -> Fraction | None:
    """Return p of xᵖ, if p is a number; else None."""
    fixed: dict[Any, Fraction] = {np.square: Fraction(2), np.reciprocal: Fraction(-1), np.sqrt: Fraction(1, 2)}
    if part.op is None:
        return None
    return number(part.args[1]) if part.op.function is np.power else fixed.get(part.op.function)


def first_made(factor: Factor) -> tuple[bool, int]:
    """Sort symbols before results, each by creation: so that equal products become one term."""
    base, _ = factor
    return base.op is not None, base.number


def merged(pairs: Iterable[Factor]) -> list[Factor]:
    """Collect powers: x x is x², and √x / x is 1 / √x. But x / x stays, for a row cancels it in a step of its own."""
    pairs = list(pairs)
    rooted = {id(base) for base, power in pairs if power.denominator != 1}
    powers: dict[tuple[int, bool], Factor] = {}
    for base, power in pairs:
        key = (id(base), power > 0 or id(base) in rooted)
        powers[key] = (base, power + (powers[key][1] if key in powers else 0))
    return [(base, power) for base, power in powers.values() if power]


LARGEST = 10**6
"""The smallest number whose root is not joined with others: exact fractions of decimals have roots of no use."""


def with_one_root(coefficient: Fraction, powers: list[Factor]) -> tuple[Fraction, list[Factor]]:
    """Return a product with one root of the square roots of numbers in it, and what is whole as a number."""
    square, others = ONE, list[Factor]()
    for base, power in powers:
        n = number(base) if base.ndim == 0 else None
        if n is not None and 0 < n < LARGEST and n.denominator < LARGEST and (2 * power).denominator == 1:
            square *= n ** int(2 * power)
        else:
            others.append((base, power))
    if square == 1:
        return coefficient, others
    of_square = root(square)
    return coefficient * of_square.r, [*others, *roots(of_square, ONE)]


def roots(of: Root, power: Fraction) -> list[Factor]:
    """Return the square roots in a root to a power."""
    parts = ((of.above, power / 2), (of.below, -power / 2))
    return [(whole(n), exponent) for n, exponent in parts if n != 1]


@functools.cache
def whole(n: int) -> Term:
    """Return a whole number, always the same term."""
    return constant(n)


def product(
    coefficient: Fraction, pairs: Iterable[Factor], shape: tuple[int, ...], place: Callable[[Factor], Any] = first_made
) -> Term:
    """Return the term of a product: numbers and scalars first, then factors in order of `place`, then divisors.

    A product of masks alone is one of numbers: 1 * mask.
    """
    pairs = list(pairs)
    key = (place, coefficient, shape, *((base.number, power) for base, power in pairs))
    known = _products.get(key)
    if known is None:
        known = _products[key] = _product(coefficient, pairs, shape, place)
    return known


_products: WeakValueDictionary[Any, Term] = WeakValueDictionary()


def _product(
    coefficient: Fraction, pairs: list[Factor], shape: tuple[int, ...], place: Callable[[Factor], Any]
) -> Term:
    if coefficient == 0:
        return fitted(0, shape)
    coefficient, pairs = with_one_root(coefficient, merged(pairs))
    above = [raised(x, p) for x, p in sorted(pairs, key=lambda f: (f[0].ndim > 0, place(f))) if p > 0]
    below = [raised(x, -p) for x, p in sorted(pairs, key=lambda f: (f[0].ndim == 0, place(f))) if p < 0]
    multiplied, divided = as_quotient(abs(coefficient))
    masks = [isinstance(x, Term) and x.dtype == bool for x in above]
    if masks and masks[0] and (coefficient < 0 or all(masks)):  # NumPy does not add or negate truth values
        above[0] = 1 * above[0]
    first, *rest = above if multiplied == 1 and above else [multiplied, *above]
    result: Any = first if coefficient > 0 else -first
    for x in rest:
        result = result * x
    for x in [*below, *([divided] if divided != 1 else [])]:
        result = result / x
    return fitted(result, shape)


def counts_a_mask(part: Any) -> bool:
    """Whether an operation is 1 * mask: truth values as numbers."""
    if part.op is None or part.op.function is not np.multiply:
        return False
    one, mask = part.args
    return isinstance(one, Term) and isinstance(mask, Term) and mask.dtype == bool and number(one) == 1


def times(c: Fraction, term: Term) -> Term:
    """Return c x."""
    coefficient, powers = factors(term)
    return product(c * coefficient, powers, term.shape)


def raised(base: Term, power: Fraction) -> Any:
    """Return baseᵖ as a student would write it."""
    if power == 1:
        return base
    if power == Fraction(1, 2):
        return np.sqrt(base)
    return base ** as_number(power)


def fitted(value: Any, shape: tuple[int, ...]) -> Term:
    """Return a value in a shape that it broadcasts to, or that differs by axes of length 1."""
    term = constant(value)
    if term.shape == shape:
        return term
    if term.size == math.prod(shape) and term.ndim:
        return reshaped(term, shape)
    if (extra := term.ndim - len(shape)) > 0:  # leading axes of length 1
        term = apply(RESHAPE, (term,), {"shape": term.shape[extra:]})
    return apply(OPS[np.broadcast_to], (term,), {"shape": shape})


def reshaped(x: Term, shape: tuple[int, ...]) -> Term:
    """Return x in another shape, by one reshape at most."""
    while is_reshape(x):
        (x,) = x.args
    return x if x.shape == shape else apply(RESHAPE, (x,), {"shape": shape})


# ----- sums -----
@remembered
def addends(term: Term) -> list[Addend]:
    """Return a term as a sum of products: 2 - x as [(2, 1), (-1, x)]; like terms are collected."""
    collected: dict[int, Addend] = {}
    stack = [(ONE, term)]
    while stack:
        c, part = stack.pop()
        part = without_spread(part)
        op = part.op and part.op.function
        if op is np.add or op is np.subtract:
            a, b = part.args
            stack += [(c if op is np.add else -c, b), (c, a)]
            continue
        k, inner = factors(part)
        if len(inner) == 1 and inner[0][1] == 1 and abs(k) == 1 and inner[0][0].op in SUMS:
            stack.append((c * k, inner[0][0]))
            continue
        rest = product(ONE, inner, np.broadcast_shapes(*(x.shape for x, _ in inner)))
        before = collected[id(rest)][0] if id(rest) in collected else 0
        collected[id(rest)] = (before + c * k, rest)
    return [(c, rest) for c, rest in collected.values() if c]


def total(parts: Iterable[Addend], shape: tuple[int, ...]) -> Term:
    """Return the term of a sum: positive addends first, then the negative ones."""
    ordered = sorted(parts, key=lambda a: (a[0] < 0, number(a[1]) is None, first_made((a[1], ONE))))
    if not ordered:
        return fitted(0, shape)
    common = abs(ordered[0][0])
    if len(ordered) > 1 and common != 1 and all(abs(c) == common for c, _ in ordered):
        return product(common, [(total([(c / common, x) for c, x in ordered], shape), ONE)], shape)
    if ordered[0][0] < 0 and len(ordered) > 1:
        return product(-ONE, [(total([(-c, x) for c, x in ordered], shape), ONE)], shape)
    (c, first), *rest = ordered
    result: Any = times(c, first)
    for c, x in rest:
        part = times(abs(c), x)
        result = result + part if c > 0 else result - part
    return fitted(result, shape)

"""Numbers that have a shorter form than their digits: 2/3, and those of π, square roots and logarithms."""

import functools
import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from autotiny.notation.expression import Expression, symbol
from autotiny.notation.roots import root_of

LARGEST_DENOMINATOR, DIGITS = 12, 6
ROUNDING = 4 * 2.0**-52


def short_form(value: Any) -> Expression | None:
    """Return the form of a number of many digits that is 2/3 or sqrt(2/π), say; None for any other number.

    >>> from autotiny.notation.notations import Unicode
    >>> [Unicode()(form) for x in (2 / 3, -np.sqrt(0.5), np.log(2)) if (form := short_form(x)) is not None]
    ['2 / 3', '-1 / sqrt(2)', 'log(2)']
    >>> short_form(0.25), short_form(0.6667), short_form(0.707)
    (None, None, None)
    """
    if np.asarray(value).dtype != float or not math.isfinite(value) or float(f"{value:.{DIGITS}g}") == value:
        return None
    size = abs(float(value))
    form = next((make() for number, make in FORMS if math.isclose(size, number, rel_tol=ROUNDING)), None)
    form = form or _fraction(size) or _with_roots(size)
    return Expression("negative", [form]) if form is not None and value < 0 else form


def _fraction(size: float) -> Expression | None:
    near = Fraction(size).limit_denominator(LARGEST_DENOMINATOR)
    exact = near and near.numerator < 100 and math.isclose(size, float(near), rel_tol=ROUNDING)
    return _over(_number(near.numerator), _number(near.denominator)) if exact else None


def _with_roots(size: float) -> Expression | None:
    of_root = root_of(Fraction(size))
    if of_root is None or of_root.above == of_root.below:
        return None
    r, above, below = of_root
    over = [*_unless_one(r.numerator), *map(_root, _unless_one(above))] or [_number(1)]
    under = [*map(_root, _unless_one(below)), *_unless_one(r.denominator)]
    return functools.reduce(_over, under, over[0] if len(over) == 1 else Expression("scale", over))


def _unless_one(n: int) -> list[Expression]:
    return [] if n == 1 else [_number(n)]


def _number(value: float) -> Expression:
    return Expression("number", value=value)


def _over(above: Expression, below: Expression) -> Expression:
    return Expression("divide", [above, below])


def _of(name: str, argument: Expression) -> Expression:
    return Expression(name, [argument], name)


def _pi(factor: int = 1) -> Expression:
    return symbol("π") if factor == 1 else Expression("scale", [_number(factor), symbol("π")])


def _root(number: Expression) -> Expression:
    return _of("sqrt", number)


def _log_of(n: int) -> Expression:
    return _of("log", _number(n))


def _inverse(form: Expression) -> Expression:
    return _over(_number(1), form)


FORMS: list[tuple[float, Callable[[], Expression]]] = [
    (math.pi, _pi),
    (2 * math.pi, lambda: _pi(2)),
    (4 * math.pi, lambda: _pi(4)),
    (math.pi / 2, lambda: _over(_pi(), _number(2))),
    (1 / math.pi, lambda: _inverse(_pi())),
    (2 / math.pi, lambda: _over(_number(2), _pi())),
    (1 / (2 * math.pi), lambda: _inverse(_pi(2))),
    (math.sqrt(math.pi), lambda: _root(_pi())),
    (1 / math.sqrt(math.pi), lambda: _inverse(_root(_pi()))),
    (2 / math.sqrt(math.pi), lambda: _over(_number(2), _root(_pi()))),
    (math.sqrt(2 * math.pi), lambda: _root(_pi(2))),
    (1 / math.sqrt(2 * math.pi), lambda: _inverse(_root(_pi(2)))),
    (math.sqrt(2 / math.pi), lambda: _root(_over(_number(2), _pi()))),
    (math.log(2 * math.pi), lambda: _of("log", _pi(2))),
    *((math.log(n), partial(_log_of, n)) for n in (2, 3, 10)),
    *((1 / math.log(n), lambda n=n: _inverse(_log_of(n))) for n in (2, 3, 10)),
]
"""Numbers, and how each is written."""

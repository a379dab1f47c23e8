"""Formulas as text: W2ᵀ dZ2 * 1[Z1 > 0]."""

from typing import ClassVar

from autotiny.notation.forms import TEXT
from autotiny.notation.names import LONGEST
from autotiny.notation.text import clean
from autotiny.notation.writer import Notation

RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻" + RAISED_DIGITS)


class Unicode(Notation):
    """Formulas as text. Matrices side by side are multiplied as matrices; * and / act entry by entry.

    >>> from autotiny.notation.expression import Expression, symbol
    >>> product = Expression("matmul", [Expression("transpose", [symbol("W2")]), symbol("dZ2")])
    >>> mask = Expression("mask", [Expression("greater", [symbol("Z1"), Expression("number", value=0.0)])])
    >>> Unicode()(Expression("multiply", [product, mask]))
    'W2ᵀ dZ2 * 1[Z1 > 0]'
    """

    forms = TEXT
    uses_own: ClassVar[bool] = True

    def name(self, name: str) -> str:
        """A variable, harmless to a terminal."""
        return clean(name, LONGEST)

    def exponent(self, digits: str) -> str:
        """x³"""
        return digits.translate(SUPERSCRIPTS)

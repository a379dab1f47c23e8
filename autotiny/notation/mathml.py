"""Formulas as MathML Core, which browsers show without help."""

import html

from autotiny.notation.forms import MATHML
from autotiny.notation.names import name_parts
from autotiny.notation.writer import Notation


class MathML(Notation):
    """Formulas as MathML Core; every formula is one element.

    >>> from autotiny.notation.expression import Expression, symbol
    >>> MathML()(Expression("subtract", [symbol("A2"), symbol("Y")]))
    '<mrow><msub><mi>A</mi><mn>2</mn></msub><mo>−</mo><mi>Y</mi></mrow>'
    """

    forms = MATHML

    def name(self, name: str) -> str:
        """W[1] with its layer above, dZ2 with an upright d, words as text."""
        parts = name_parts(name)
        if not parts.is_variable:
            return self.words(parts.letters)
        whole = f"<mi>{parts.letters}</mi>"
        if parts.subscript:
            tag = "mn" if parts.subscript.isdigit() else "mi"
            whole = f"<msub>{whole}<{tag}>{parts.subscript}</{tag}></msub>"
        if parts.layer:
            whole = f"<msup>{whole}<mtext>[{html.escape(parts.layer)}]</mtext></msup>"
        if parts.primes:
            whole = f"<mrow>{whole}<mo>{parts.primes * '′'}</mo></mrow>"
        return f'<mrow><mi mathvariant="normal">d</mi>{whole}</mrow>' if parts.differential else whole

    def digits(self, numeral: str) -> str:
        """1e-12 as 10⁻¹²."""
        digits, _, exponent = numeral.partition("e")
        digits = digits.replace("inf", "∞")
        if not exponent:
            return f"<mn>{digits}</mn>"
        ten = f"<msup><mn>10</mn><mn>{int(exponent)}</mn></msup>".replace("-", "−")
        return ten if digits == "1" else f"<mrow><mn>{digits}</mn><mo>·</mo>{ten}</mrow>"

    def exponent(self, digits: str) -> str:
        """A digit."""
        return f"<mn>{digits}</mn>"

    def words(self, words: str) -> str:
        """Axes and places, as text."""
        return f"<mtext>{html.escape(words.replace('axis=', 'axis '))}</mtext>"

    def where(self, text: str, defined: list[str]) -> str:
        """A formula, and the definitions of names in it."""
        return f"<mrow>{text}<mtext>\u2002where\u2002</mtext>{'<mo>,</mo>'.join(defined)}</mrow>"

    def bracketed(self, text: str) -> str:
        """In parentheses."""
        return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"

    def call(self, name: str, arguments: list[str]) -> str:
        """A function by its name, upright."""
        return f"<mrow><mi>{html.escape(name)}</mi>{self.bracketed('<mo>,</mo>'.join(arguments))}</mrow>"

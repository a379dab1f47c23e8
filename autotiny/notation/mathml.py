"""Formulas as MathML Core, which browsers show without help."""

import html
from collections.abc import Mapping
from typing import ClassVar

from autotiny.algebra.term import Term
from autotiny.notation.names import anatomy
from autotiny.notation.quotients import one_bar
from autotiny.notation.writer import Bind, Form, Notation

ANY, TRUTH, SUM, PRODUCT, MATMUL, POSTFIX, ATOM = Bind

COMPARISONS = {
    "greater": "&gt;", "greater_equal": "≥", "less": "&lt;", "less_equal": "≤", "equal": "=", "not_equal": "≠",
}  # fmt: skip
BIG = {"sum": "<mo>∑</mo>", "prod": "<mo>∏</mo>", "max": "<mo>max</mo>", "min": "<mo>min</mo>"}


def infix(sign: str) -> str:
    """Two operands with a sign between them."""
    return f"<mrow>{{}}<mo>{sign}</mo>{{}}</mrow>"


def fenced(left: str, right: str) -> str:
    """An operand between two signs."""
    return f"<mrow><mo>{left}</mo>{{}}<mo>{right}</mo></mrow>"


SIDE_BY_SIDE = '<mrow>{}<mspace width="0.17em"></mspace>{}</mrow>'
TRANSPOSED = "<msup>{}<mo>⊤</mo></msup>"
# fmt: off
FORMS = {
    "add":               Form(infix("+"),                           SUM,     (SUM, SUM)),
    "subtract":          Form(infix("−"),                           SUM,     (SUM, PRODUCT)),
    "negative":          Form('<mrow><mo form="prefix">−</mo>{}</mrow>', PRODUCT, (PRODUCT,)),
    "multiply":          Form(infix("⊙"),                           PRODUCT, (PRODUCT, PRODUCT)),
    "scale":             Form(SIDE_BY_SIDE,                         PRODUCT, (PRODUCT, PRODUCT)),
    "scaled":            Form(infix("·"),                           PRODUCT, (PRODUCT, PRODUCT)),
    "divide":            Form("<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>",                MATMUL,  (ANY, ANY)),
    "reciprocal":        Form("<mfrac><mn>1</mn><mrow>{}</mrow></mfrac>",        MATMUL,  (ANY,)),
    "matmul":            Form(SIDE_BY_SIDE,                         MATMUL,  (MATMUL, MATMUL)),
    "row matmul":        Form(SIDE_BY_SIDE.replace("{}", TRANSPOSED, 1), MATMUL, (ATOM, MATMUL)),
    "matmul row":        Form(TRANSPOSED.join(SIDE_BY_SIDE.rsplit("{}", 1)), MATMUL, (MATMUL, ATOM)),
    "dot":               Form(infix("·"),                           MATMUL,  (MATMUL, MATMUL)),
    "outer":             Form(TRANSPOSED.join(SIDE_BY_SIDE.rsplit("{}", 1)), MATMUL, (MATMUL, ATOM)),
    "power":             Form("<msup>{}{}</msup>",                  POSTFIX, (ATOM, ANY)),
    "whole power":       Form("<msup>{}{}</msup>",                  POSTFIX, (ATOM,)),
    "transpose":         Form(TRANSPOSED,                           POSTFIX, (ATOM,)),
    "inverse":           Form("<msup>{}<mn>−1</mn></msup>",         POSTFIX, (ATOM,)),
    "inverse transpose": Form("<msup>{}<mrow><mo>−</mo><mo>⊤</mo></mrow></msup>", POSTFIX, (ATOM,)),
    "index":             Form("<mrow>{}<mo>[</mo>{}<mo>]</mo></mrow>", ATOM,  (ATOM,)),
    "vdot":              Form("<mrow><mo>∑</mo>{}<mo>⊙</mo>{}</mrow>", PRODUCT, (PRODUCT, PRODUCT), big=True),
    "sqrt":              Form("<msqrt>{}</msqrt>",                  ATOM,    (ANY,)),
    "abs":               Form(fenced("|", "|"),                     ATOM,    (ANY,)),
    "norm":              Form(fenced("‖", "‖"),                     ATOM,    (ANY,)),
    "norm over":         Form(f"<msub>{fenced('‖', '‖')}{{}}</msub>", ATOM,  (ANY,)),
    "log_abs_det":       Form("<mrow><mi>log</mi><mo>|</mo><mi>det</mi>{}<mo>|</mo></mrow>", PRODUCT, (ATOM,)),
    "sigmoid":           Form("<mrow><mi>σ</mi><mo>(</mo>{}<mo>)</mo></mrow>", ATOM, (ANY,)),
    "mask":              Form("<mrow><mn>𝟙</mn><mo>[</mo>{}<mo>]</mo></mrow>", ATOM, (ANY,)),
    "and":               Form(infix("∧"),                           TRUTH,   (TRUTH, TRUTH)),
    "or":                Form(infix("∨"),                           TRUTH,   (SUM, SUM)),
    "not":               Form("<mrow><mo>¬</mo>{}</mrow>",          TRUTH,   (SUM,)),
    "array":             Form("{}",                                 ATOM),
    **{kind:             Form(f"<mrow>{sign}{{}}</mrow>",           PRODUCT, (PRODUCT,), big=True)
       for kind, sign in BIG.items()},
    **{f"{kind} over":   Form(f"<mrow><munder>{sign}{{1}}</munder>{{0}}</mrow>", PRODUCT, (PRODUCT,), big=True)
       for kind, sign in BIG.items()},
    **{kind:             Form(infix(sign),                          TRUTH,   (SUM, SUM))
       for kind, sign in COMPARISONS.items()},
}
# fmt: on


class MathML(Notation):
    """Formulas as MathML Core; every formula is one element.

    >>> from autotiny.algebra import symbol
    >>> MathML()(symbol("A2", 1.0) - symbol("Y", 1.0))
    '<mrow><msub><mi>A</mi><mn>2</mn></msub><mo>−</mo><mi>Y</mi></mrow>'
    """

    forms: ClassVar[Mapping[str, Form]] = FORMS

    def __call__(self, term: Term) -> str:
        """The formula, with one bar to a fraction."""
        return super().__call__(one_bar(term, self.names))

    def name(self, name: str) -> str:
        """W[1] with its layer above, dZ2 with an upright d, words as text."""
        found = anatomy(name)
        if not found.is_variable:
            return self.words(found.letters)
        whole = f"<mi>{found.letters}</mi>"
        if found.subscript:
            tag = "mn" if found.subscript.isdigit() else "mi"
            whole = f"<msub>{whole}<{tag}>{found.subscript}</{tag}></msub>"
        if found.layer:
            whole = f"<msup>{whole}<mtext>[{html.escape(found.layer)}]</mtext></msup>"
        if found.primes:
            whole = f"<mrow>{whole}<mo>{found.primes * '′'}</mo></mrow>"
        return f'<mrow><mi mathvariant="normal">d</mi>{whole}</mrow>' if found.differential else whole

    def number(self, numeral: str) -> str:
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

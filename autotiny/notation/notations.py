r"""The notations for readers: text (W2ᵀ dZ2 * 1[Z1 > 0]), LaTeX, and MathML Core, which browsers show without help.

Each is a column of the table of forms, with methods that typeset names, numbers and words.
"""

import html
import re
from typing import ClassVar

from autotiny.notation.forms import column
from autotiny.notation.text import GREEK, LONGEST, NameParts, clean, name_parts
from autotiny.notation.writer import Notation

RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻" + RAISED_DIGITS)


class Unicode(Notation):
    """The notation of plain text. Matrices side by side are multiplied as matrices; * and / act entry by entry.

    >>> from autotiny.notation.expression import Expression, symbol
    >>> product = Expression("matmul", [Expression("transpose", [symbol("W2")]), symbol("dZ2")])
    >>> mask = Expression("mask", [Expression("greater", [symbol("Z1"), Expression("number", value=0.0)])])
    >>> Unicode()(Expression("multiply", [product, mask]))
    'W2ᵀ dZ2 * 1[Z1 > 0]'
    """

    forms = column("text")
    uses_own: ClassVar[bool] = True

    def name(self, name: str) -> str:
        """Write a variable's name, with control characters removed."""
        return clean(name, LONGEST)

    def exponent(self, digits: str) -> str:
        """Write the exponent of x³."""
        return digits.translate(SUPERSCRIPTS)


# ----- LaTeX -----


FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "det"}
ESCAPES = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
})  # fmt: skip
COMMANDS = {letter: f"\\{word}" for word, letter in GREEK.items() if word not in ("lamda", "lam", "eps")}


SIGNS = {
    "ᵀ": r"^\top", "ᴴ": r"^\mathsf{H}", "·": r"\cdot", "×": r"\times", "⊙": r"\odot", "±": r"\pm", "−": "-", "‖": r"\|",
    "≠": r"\neq", "≤": r"\leq", "≥": r"\geq", "→": r"\to", "∂": r"\partial", "∇": r"\nabla", "∑": r"\sum",
    "∏": r"\prod", "∫": r"\int", "√": r"\surd", "∞": r"\infty", "∧": r"\wedge", "∨": r"\vee", "¬": r"\neg", "′": "'",
    "″": "''", "⊤": r"\top", "⟨": r"\langle", "⟩": r"\rangle", "⌊": r"\lfloor", "⌋": r"\rfloor", "𝟙": r"\mathbb{1}",
}  # fmt: skip
RAISED = {raised: f"^{{{sign}}}" for raised, sign in zip("⁺⁻ⁿ" + RAISED_DIGITS, "+-n0123456789", strict=True)}
IN_WORDS = ESCAPES | {ord(sign): f"${command}$" for sign, command in (COMMANDS | SIGNS | RAISED).items()}
"""The signs of mathematics as LaTeX has them among words, where it knows no others without a package."""


def text(words: str) -> str:
    """Return LaTeX for words inside a formula, with special characters escaped and signs as commands."""
    return rf"\text{{{words.translate(IN_WORDS)}}}"


class Latex(Notation):
    r"""The notation of LaTeX with amsmath and amssymb, for MathJax or a document.

    >>> from autotiny.notation.expression import Expression, symbol
    >>> print(Latex()(Expression("divide", [Expression("subtract", [symbol("A2"), symbol("Y")]), symbol("m")])))
    \frac{A_{2} - Y}{m}
    """

    forms = column("LaTeX")

    def name(self, name: str) -> str:
        r"""Write W[1] as W^{[1]}, dZ2 as \mathrm{d}Z_{2}, words as text."""
        parts = name_parts(name)
        if not parts.is_variable:
            return text(parts.letters)
        whole = _letters(parts) + (f"_{{{_subscript(parts.subscript)}}}" if parts.subscript else "")
        above = (f"[{parts.layer}]" if parts.layer else "") + parts.primes * r"\prime"
        if above:  # in braces, so that it can be raised to a power
            whole = f"{{{whole}^{{{above}}}}}"
        return rf"\mathrm{{d}}{whole}" if parts.differential else whole

    def digits(self, numeral: str) -> str:
        r"""Write 1e-12 as 10^{-12}, in braces so that it can be raised to a power."""
        digits, _, exponent = numeral.partition("e")
        if digits in SPECIAL:
            return SPECIAL[digits]
        if not exponent:
            return digits
        ten = f"10^{{{int(exponent)}}}"
        return f"{{{ten}}}" if digits == "1" else rf"{{{digits} \cdot {ten}}}"

    def words(self, words: str) -> str:
        """Write axes and positions as text."""
        return text(words.replace("axis=", "axis "))

    def where(self, text: str, defined: list[str]) -> str:
        """Write a formula and the definitions of the names in it."""
        return rf"{text} \text{{ where }} {', '.join(defined)}"

    def bracketed(self, text: str) -> str:
        """Put a formula in parentheses of its height."""
        return rf"\left({text}\right)"

    def matrix(self, rows: list[list[str]]) -> str:
        """Write a matrix, or a vector as a column."""
        return rf"\begin{{bmatrix}} {LINE_BREAK.join(' & '.join(row) for row in rows)} \end{{bmatrix}}"

    def call(self, name: str, arguments: list[str]) -> str:
        """Write a call, with the function's name upright."""
        command = rf"\{name}" if name in FUNCTIONS else rf"\operatorname{{{name.translate(ESCAPES)}}}"
        return command + self.bracketed(", ".join(arguments))


LINE_BREAK = r" \\ "
SPECIAL = {"inf": r"\infty", "nan": r"\text{nan}"}


def _letters(name: NameParts) -> str:
    if name.letters in COMMANDS:
        return COMMANDS[name.letters]
    return name.letters if len(name.letters) == 1 else rf"\mathit{{{name.letters}}}"


def _subscript(text: str) -> str:
    return text if text.isdigit() or len(text) == 1 else rf"\mathrm{{{text}}}"


# ----- MathML -----


def _with_elements(text: str) -> str:
    """Return a MathML form with its signs in <mo>, as one element."""
    bind, _, rest = text.partition(": ")
    if not rest or "<m" in rest or rest == "$w":
        return text
    parts = re.split(r"(\$\d?[etspmraw])", rest)
    row = "".join(p if p[:1] == "$" else f"<mo>{html.escape(p.strip())}</mo>" for p in parts if p)
    return f"{bind}: <mrow>{row}</mrow>"


class MathML(Notation):
    """The notation of MathML Core; every formula is one element.

    >>> from autotiny.notation.expression import Expression, symbol
    >>> MathML()(Expression("subtract", [symbol("A2"), symbol("Y")]))
    '<mrow><msub><mi>A</mi><mn>2</mn></msub><mo>−</mo><mi>Y</mi></mrow>'
    """

    forms = column("MathML", _with_elements)

    def name(self, name: str) -> str:
        """Write W[1] with its layer as a superscript, dZ2 with an upright d, words as text."""
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
        """Write 1e-12 as 10⁻¹²."""
        digits, _, exponent = numeral.partition("e")
        digits = digits.replace("inf", "∞")
        if not exponent:
            return f"<mn>{digits}</mn>"
        ten = f"<msup><mn>10</mn><mn>{int(exponent)}</mn></msup>".replace("-", "−")
        return ten if digits == "1" else f"<mrow><mn>{digits}</mn><mo>·</mo>{ten}</mrow>"

    def exponent(self, digits: str) -> str:
        """Write an exponent as a number."""
        return f"<mn>{digits}</mn>"

    def words(self, words: str) -> str:
        """Write axes and positions as text."""
        return f"<mtext>{html.escape(words.replace('axis=', 'axis '))}</mtext>"

    def where(self, text: str, defined: list[str]) -> str:
        """Write a formula and the definitions of the names in it."""
        return f"<mrow>{text}<mtext>\u2002where\u2002</mtext>{'<mo>,</mo>'.join(defined)}</mrow>"

    def bracketed(self, text: str) -> str:
        """Put a formula in parentheses."""
        return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"

    def matrix(self, rows: list[list[str]]) -> str:
        """Write a matrix, or a vector as a column."""
        lines = "".join(f"<mtr>{''.join(f'<mtd>{entry}</mtd>' for entry in row)}</mtr>" for row in rows)
        return f"<mrow><mo>[</mo><mtable>{lines}</mtable><mo>]</mo></mrow>"

    def call(self, name: str, arguments: list[str]) -> str:
        """Write a call, with the function's name upright."""
        return f"<mrow><mi>{html.escape(name)}</mi>{self.bracketed('<mo>,</mo>'.join(arguments))}</mrow>"

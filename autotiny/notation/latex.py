r"""Formulas as LaTeX: W_2^\top \, \mathrm{d}Z_2 \odot \mathbb{1}\left[Z_1 > 0\right]."""

from autotiny.notation.forms import LATEX
from autotiny.notation.names import GREEK, NameParts, name_parts
from autotiny.notation.writer import Notation

FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "det"}
ESCAPES = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
})  # fmt: skip
COMMANDS = {letter: f"\\{word}" for word, letter in GREEK.items() if word not in ("lamda", "lam", "eps")}


def text(words: str) -> str:
    """Words inside a formula, harmless to LaTeX."""
    return rf"\text{{{words.translate(ESCAPES)}}}"


class Latex(Notation):
    r"""Formulas as LaTeX with amsmath and amssymb, for MathJax or a document.

    >>> from autotiny.notation.expression import Expression, symbol
    >>> print(Latex()(Expression("divide", [Expression("subtract", [symbol("A2"), symbol("Y")]), symbol("m")])))
    \frac{A_{2} - Y}{m}
    """

    forms = LATEX

    def name(self, name: str) -> str:
        r"""W[1] as W^{[1]}, dZ2 as \mathrm{d}Z_{2}, words as text."""
        parts = name_parts(name)
        if not parts.is_variable:
            return text(parts.letters)
        whole = _letters(parts) + (f"_{{{_subscript(parts.subscript)}}}" if parts.subscript else "")
        above = (f"[{parts.layer}]" if parts.layer else "") + parts.primes * r"\prime"
        if above:  # in braces, so that more can stand above it
            whole = f"{{{whole}^{{{above}}}}}"
        return rf"\mathrm{{d}}{whole}" if parts.differential else whole

    def digits(self, numeral: str) -> str:
        r"""1e-12 as 10^{-12}, in braces so that it may be raised."""
        digits, _, exponent = numeral.partition("e")
        if digits in SPECIAL:
            return SPECIAL[digits]
        if not exponent:
            return digits
        ten = f"10^{{{int(exponent)}}}"
        return f"{{{ten}}}" if digits == "1" else rf"{{{digits} \cdot {ten}}}"

    def words(self, words: str) -> str:
        """Axes and places, as text."""
        return text(words.replace("axis=", "axis "))

    def where(self, text: str, defined: list[str]) -> str:
        """A formula, and the definitions of names in it."""
        return rf"{text} \text{{ where }} {', '.join(defined)}"

    def bracketed(self, text: str) -> str:
        """Parentheses as tall as what they hold."""
        return rf"\left({text}\right)"

    def call(self, name: str, arguments: list[str]) -> str:
        """A function by its name, upright."""
        command = rf"\{name}" if name in FUNCTIONS else rf"\operatorname{{{name.translate(ESCAPES)}}}"
        return command + self.bracketed(", ".join(arguments))


SPECIAL = {"inf": r"\infty", "nan": r"\text{nan}"}


def _letters(name: NameParts) -> str:
    if name.letters in COMMANDS:
        return COMMANDS[name.letters]
    return name.letters if len(name.letters) == 1 else rf"\mathit{{{name.letters}}}"


def _subscript(text: str) -> str:
    return text if text.isdigit() or len(text) == 1 else rf"\mathrm{{{text}}}"

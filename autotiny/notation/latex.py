r"""Formulas as LaTeX: W_2^\top \, \mathrm{d}Z_2 \odot \mathbb{1}\left[Z_1 > 0\right]."""

from collections.abc import Mapping
from typing import ClassVar

from autotiny.algebra.term import Term
from autotiny.notation.names import GREEK, Name, anatomy
from autotiny.notation.quotients import one_bar
from autotiny.notation.writer import Bind, Form, Notation

ANY, TRUTH, SUM, PRODUCT, MATMUL, POSTFIX, ATOM = Bind

COMPARISONS = {
    "greater": ">", "greater_equal": r"\ge", "less": "<", "less_equal": r"\le", "equal": "=", "not_equal": r"\ne",
}  # fmt: skip
BIG = {"sum": r"\sum", "prod": r"\prod", "max": r"\max", "min": r"\min"}
# fmt: off
FORMS = {
    "add":               Form("{} + {}",                            SUM,     (SUM, SUM)),
    "subtract":          Form("{} - {}",                            SUM,     (SUM, PRODUCT)),
    "negative":          Form("-{}",                                PRODUCT, (PRODUCT,)),
    "multiply":          Form(r"{} \odot {}",                       PRODUCT, (PRODUCT, PRODUCT)),
    "scale":             Form(r"{} \, {}",                          PRODUCT, (PRODUCT, PRODUCT)),
    "scaled":            Form(r"{} \cdot {}",                       PRODUCT, (PRODUCT, PRODUCT)),
    "divide":            Form(r"\frac{{{}}}{{{}}}",                 MATMUL,  (ANY, ANY)),
    "reciprocal":        Form(r"\frac{{1}}{{{}}}",                  MATMUL,  (ANY,)),
    "matmul":            Form(r"{} \, {}",                          MATMUL,  (MATMUL, MATMUL)),
    "row matmul":        Form(r"{}^\top \, {}",                     MATMUL,  (ATOM, MATMUL)),
    "matmul row":        Form(r"{} \, {}^\top",                     MATMUL,  (MATMUL, ATOM)),
    "dot":               Form(r"{} \cdot {}",                       MATMUL,  (MATMUL, MATMUL)),
    "outer":             Form(r"{} \, {}^\top",                     MATMUL,  (MATMUL, ATOM)),
    "power":             Form("{}^{{{}}}",                          POSTFIX, (ATOM, ANY)),
    "whole power":       Form("{}^{{{}}}",                          POSTFIX, (ATOM,)),
    "transpose":         Form(r"{}^\top",                           POSTFIX, (ATOM,)),
    "inverse":           Form("{}^{{-1}}",                          POSTFIX, (ATOM,)),
    "inverse transpose": Form(r"{}^{{-\top}}",                      POSTFIX, (ATOM,)),
    "index":             Form(r"{}\left[{}\right]",                 ATOM,    (ATOM,)),
    "vdot":              Form(r"\sum {} \odot {}",                  PRODUCT, (PRODUCT, PRODUCT), big=True),
    "sqrt":              Form(r"\sqrt{{{}}}",                       ATOM,    (ANY,)),
    "abs":               Form(r"\left\lvert {} \right\rvert",       ATOM,    (ANY,)),
    "norm":              Form(r"\left\lVert {} \right\rVert",       ATOM,    (ANY,)),
    "norm over":         Form(r"\left\lVert {} \right\rVert_{{{}}}", ATOM,   (ANY,)),
    "log_abs_det":       Form(r"\log \left\lvert \det {} \right\rvert", PRODUCT, (ATOM,)),
    "sigmoid":           Form(r"\sigma\left({}\right)",             ATOM,    (ANY,)),
    "where":             Form(r"\begin{{cases}} {1} & \text{{where }} {0} \\ {2} & \text{{elsewhere}} \end{{cases}}",
                                                                    MATMUL,  (ANY, ANY, ANY)),
    "mask":              Form(r"\mathbb{{1}}\left[{}\right]",       ATOM,    (ANY,)),
    "and":               Form(r"{} \wedge {}",                      TRUTH,   (TRUTH, TRUTH)),
    "or":                Form(r"{} \vee {}",                        TRUTH,   (SUM, SUM)),
    "not":               Form(r"\neg {}",                           TRUTH,   (SUM,)),
    "array":             Form("{}",                                 ATOM),
    **{kind:             Form(sign + " {}",                         PRODUCT, (PRODUCT,), big=True)
       for kind, sign in BIG.items()},
    **{f"{kind} over":   Form(sign + "_{{{1}}} {0}",                PRODUCT, (PRODUCT,), big=True)
       for kind, sign in BIG.items()},
    **{kind:             Form(f"{{}} {sign} {{}}",                  TRUTH,   (SUM, SUM))
       for kind, sign in COMPARISONS.items()},
}
# fmt: on
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

    >>> from autotiny.algebra import symbol
    >>> import numpy as np
    >>> A2, Y, dZ2, Z1, W2 = (symbol(name, np.eye(2)) for name in ("A2", "Y", "dZ2", "Z1", "W2"))
    >>> print(Latex()((A2 - Y) / symbol("m", 8)))
    \frac{A_{2} - Y}{m}
    >>> print(Latex()(W2.T @ dZ2 * (Z1 > 0)))
    W_{2}^\top \, \mathrm{d}Z_{2} \odot \mathbb{1}\left[Z_{1} > 0\right]
    """

    forms: ClassVar[Mapping[str, Form]] = FORMS

    def __call__(self, term: Term) -> str:
        """The formula, with one bar to a fraction."""
        return super().__call__(one_bar(term, self.names))

    def name(self, name: str) -> str:
        r"""W[1] as W^{[1]}, dZ2 as \mathrm{d}Z_{2}, words as text."""
        found = anatomy(name)
        if not found.is_variable:
            return text(found.letters)
        whole = _letters(found) + (f"_{{{_subscript(found.subscript)}}}" if found.subscript else "")
        above = (f"[{found.layer}]" if found.layer else "") + found.primes * r"\prime"
        if above:  # in braces, so that more can stand above it
            whole = f"{{{whole}^{{{above}}}}}"
        return rf"\mathrm{{d}}{whole}" if found.differential else whole

    def number(self, numeral: str) -> str:
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


def _letters(name: Name) -> str:
    if name.letters in COMMANDS:
        return COMMANDS[name.letters]
    return name.letters if len(name.letters) == 1 else rf"\mathit{{{name.letters}}}"


def _subscript(text: str) -> str:
    return text if text.isdigit() or len(text) == 1 else rf"\mathrm{{{text}}}"

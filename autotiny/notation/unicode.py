"""Formulas as text: W2ᵀ dZ2 * 1[Z1 > 0]."""

from collections.abc import Mapping
from typing import ClassVar

from autotiny.notation.names import LONGEST
from autotiny.notation.text import clean
from autotiny.notation.writer import Bind, Form, Notation

ANY, TRUTH, SUM, PRODUCT, MATMUL, POSTFIX, ATOM = Bind

COMPARISONS = {
    "greater": ">", "greater_equal": "≥", "less": "<", "less_equal": "≤", "equal": "=", "not_equal": "≠",
}  # fmt: skip
# fmt: off
FORMS = {
    "add":               Form("{} + {}",          SUM,     (SUM, SUM)),
    "subtract":          Form("{} - {}",          SUM,     (SUM, PRODUCT)),
    "negative":          Form("-{}",              PRODUCT, (PRODUCT,)),
    "multiply":          Form("{} * {}",          PRODUCT, (PRODUCT, PRODUCT)),
    "scale":             Form("{} * {}",          PRODUCT, (PRODUCT, PRODUCT)),
    "scaled":            Form("{} * {}",          PRODUCT, (PRODUCT, PRODUCT)),
    "divide":            Form("{} / {}",          PRODUCT, (PRODUCT, POSTFIX)),
    "reciprocal":        Form("1 / {}",           PRODUCT, (POSTFIX,)),
    "matmul":            Form("{} {}",            MATMUL,  (MATMUL, MATMUL)),
    "row matmul":        Form("{}ᵀ {}",           MATMUL,  (ATOM, MATMUL)),
    "matmul row":        Form("{} {}ᵀ",           MATMUL,  (MATMUL, ATOM)),
    "dot":               Form("{} · {}",          MATMUL,  (MATMUL, MATMUL)),
    "outer":             Form("{} {}ᵀ",           MATMUL,  (MATMUL, ATOM)),
    "power":             Form("{} ** {}",         POSTFIX, (ATOM, POSTFIX)),
    "whole power":       Form("{}{}",             POSTFIX, (ATOM,)),
    "transpose":         Form("{}ᵀ",              POSTFIX, (ATOM,)),
    "inverse":           Form("{}⁻¹",             POSTFIX, (ATOM,)),
    "inverse transpose": Form("{}⁻ᵀ",             POSTFIX, (ATOM,)),
    "index":             Form("{}[{}]",      ATOM,    (ATOM,)),
    "vdot":              Form("sum({} * {})",     ATOM,    (PRODUCT, PRODUCT)),
    "norm":              Form("‖{}‖",             ATOM,    (ANY,)),
    "log_abs_det":       Form("log(|det({})|)",   ATOM,    (ANY,)),
    "sigmoid":           Form("σ({})",            ATOM,    (ANY,)),
    "mask":              Form("1[{}]",            ATOM,    (ANY,)),
    "and":               Form("{} and {}",        TRUTH,   (TRUTH, TRUTH)),
    "or":                Form("{} or {}",         TRUTH,   (SUM, SUM)),
    "not":               Form("not {}",           TRUTH,   (SUM,)),
    "array":             Form("{}",          ATOM),
    **{f"{kind} over":   Form(kind + "({}, {})", ATOM, (ANY,)) for kind in ("sum", "prod", "max", "min", "norm")},
    **{kind:             Form(f"{{}} {sign} {{}}", TRUTH,  (SUM, SUM)) for kind, sign in COMPARISONS.items()},
}
# fmt: on
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Unicode(Notation):
    """Formulas as text. Matrices side by side are multiplied as matrices; * and / act entry by entry.

    >>> from autotiny.algebra import symbol
    >>> import numpy as np
    >>> A2, Y, dZ2, Z1, W2, X, w = (symbol(name, np.eye(2)) for name in ("A2", "Y", "dZ2", "Z1", "W2", "X", "w"))
    >>> m, write = symbol("m", 8), Unicode()
    >>> for formula in ((A2 - Y) / m, W2.T @ dZ2 * (Z1 > 0), A2 * np.sum(Y, axis=0) - Y, dZ2 @ X.T / m, 1 - A2**2):
    ...     print(write(formula))
    (A2 - Y) / m
    W2ᵀ dZ2 * 1[Z1 > 0]
    A2 * sum(Y, axis=0) - Y
    dZ2 Xᵀ / m
    1 - A2²
    >>> for formula in (X.T @ (X @ w - Y), (X + X.T) @ w, np.linalg.inv(X).T, w / np.linalg.norm(w), -np.exp(-X) * w):
    ...     print(write(formula))
    Xᵀ (X w - Y)
    (X + Xᵀ) w
    X⁻ᵀ
    w / ‖w‖
    -exp(-X) * w
    """

    forms: ClassVar[Mapping[str, Form]] = FORMS

    def name(self, name: str) -> str:
        """A variable, harmless to a terminal."""
        return clean(name, LONGEST)

    def exponent(self, digits: str) -> str:
        """x³"""
        return digits.translate(SUPERSCRIPTS)

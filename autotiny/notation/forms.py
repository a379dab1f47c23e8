r"""The table of forms: the notation of each kind of expression. A row is a kind, a column a notation.

A form reads like a rule of a grammar. `p: $p / $r` says: this is a product, made of a product, a slash and a raised
expression. An operand that binds less tightly than its place requires is put in parentheses. The letters, from the
loosest binding to the tightest:

    e  any expression    t  truth: a > b    s  sum    p  product    m  matrix product    r  raised: Aᵀ, A²    a  atom

A capital before the colon marks a big operator, which would take in a factor that follows, as Σ x does. `$1e` is the
second operand, `$w` the text of an index, an exponent or axes. In MathML, signs are put into <mo> unless
the form has elements of its own. `name()` is a call; so is a kind without a form, by the name of its operation. A NumPy
form that does not begin with np. names a function of autotiny, such as a norm that cannot overflow.
"""

import re
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import NamedTuple


class Bind(IntEnum):
    """Binding strengths of expressions, the loosest first."""

    ANY = 0
    TRUTH = 1
    SUM = 2
    PRODUCT = 3
    MATMUL = 4
    RAISED = 5
    ATOM = 6


class Form(NamedTuple):
    """A template for `str.format`. Operand i needs parentheses where it binds less tightly than `needs[i]`."""

    template: str
    bind: Bind
    needs: tuple[Bind, ...] = ()
    big: bool = False

    @property
    def is_sign(self) -> bool:
        """Whether the form is a sign before its operand: -x."""
        return self.bind is Bind.PRODUCT and self.needs == (Bind.PRODUCT,) and not self.big


class Call(NamedTuple):
    """A call of a function with the operands and options."""

    name: str


SPACE, TOP = '<mspace width="0.17em"></mspace>', "<mo>⊤</mo>"
# fmt: off
TABLE: dict[str, tuple[str, str, str, str]] = {
    # kind                text               NumPy            LaTeX                     MathML
    "add":               ("s: $s + $s",      "s: $s + $p",    "s: $s + $s",             "s: $s + $s"),
    "subtract":          ("s: $s - $p",      "s: $s - $p",    "s: $s - $p",             "s: $s − $p"),
    "negative":          ("p: -$p",          "p: -$p",        "p: -$p",
                            'p: <mrow><mo form="prefix">−</mo>$p</mrow>'),
    "positive":          ("",                "p: +$p",        "",                       ""),
    "multiply":          ("p: $p * $p",      "p: $p * $r",    r"p: $p \odot $p",        "p: $p ⊙ $p"),
    "scale":             ("p: $p * $p",      "p: $p * $r",    r"p: $p \, $p",
                            f"p: <mrow>$p{SPACE}$p</mrow>"),
    "scaled":            ("p: $p * $p",      "p: $p * $r",    r"p: $p \cdot $p",        "p: $p · $p"),
    "divide":            ("p: $p / $r",      "p: $p / $r",    r"m: \frac{$e}{$e}",
                            "m: <mfrac><mrow>$e</mrow><mrow>$e</mrow></mfrac>"),
    "reciprocal":        ("p: 1 / $r",       "",              r"m: \frac{1}{$e}",
                            "m: <mfrac><mn>1</mn><mrow>$e</mrow></mfrac>"),
    "floor_divide":      ("",                "p: $p // $r",   "",                       ""),
    "remainder":         ("",                "p: $p % $r",    "",                       ""),
    "matmul":            ("m: $m $m",        "m: $m @ $r",    r"m: $m \, $m",
                            f"m: <mrow>$m{SPACE}$m</mrow>"),
    "row matmul":        ("m: $aᵀ $m",       "m: $m @ $r",    r"m: $a^\top \, $m",
                            f"m: <mrow><msup>$a{TOP}</msup>{SPACE}$m</mrow>"),
    "matmul row":        ("m: $m $aᵀ",       "m: $m @ $r",    r"m: $m \, $a^\top",
                            f"m: <mrow>$m{SPACE}<msup>$a{TOP}</msup></mrow>"),
    "dot":               ("m: $m · $m",      "m: $m @ $r",    r"m: $m \cdot $m",        "m: $m · $m"),
    "outer":             ("m: $m $aᵀ",       "np.outer()",    r"m: $m \, $a^\top",
                            f"m: <mrow>$m{SPACE}<msup>$a{TOP}</msup></mrow>"),
    "vdot":              ("a: sum($p * $p)", "np.vdot()",     r"P: \sum $p \odot $p",   "P: ∑ $p ⊙ $p"),
    "power":             ("r: $a ** $r",     "r: $a ** $r",   "r: $a^{$e}",             "r: <msup>$a$e</msup>"),
    "whole power":       ("r: $a$w",         "r: $a ** $w",   "r: $a^{$w}",             "r: <msup>$a$w</msup>"),
    "square":            ("r: $a²",          "r: $a ** 2",    "r: $a^{2}",
                            "r: <msup>$a<mn>2</mn></msup>"),
    "sqrt":              ("",                "",              r"a: \sqrt{$e}",          "a: <msqrt>$e</msqrt>"),
    "absolute":          ("abs()",           "np.abs()",      r"a: \left\lvert $e \right\rvert", "a: |$e|"),
    "euclidean":         ("a: ‖$e‖",         "norm()",        r"a: \left\lVert $e \right\rVert", "a: ‖$e‖"),
    "euclidean over":    ("norm()",          "norm()",        r"a: \left\lVert $e \right\rVert_{$w}",
                            "a: <msub><mrow><mo>‖</mo>$e<mo>‖</mo></mrow>$w</msub>"),
    "p_norm":            ("",                "norm()",        "",                       ""),
    "sigmoid":           ("a: σ($e)",        "",              r"a: \sigma\left($e\right)",
                            "a: <mrow><mi>σ</mi><mo>(</mo>$e<mo>)</mo></mrow>"),
    "gamma":             ("a: Γ($e)",       "",              r"a: \Gamma\left($e\right)",
                            "a: <mrow><mi>Γ</mi><mo>(</mo>$e<mo>)</mo></mrow>"),
    "psi":               ("a: ψ($e)",       "",              r"a: \psi\left($e\right)",
                            "a: <mrow><mi>ψ</mi><mo>(</mo>$e<mo>)</mo></mrow>"),
    "ndtr":              ("a: Φ($e)",       "",              r"a: \Phi\left($e\right)",
                            "a: <mrow><mi>Φ</mi><mo>(</mo>$e<mo>)</mo></mrow>"),
    "transpose":         ("r: $aᵀ",          "a: $a.T",       r"r: $a^\top",            f"r: <msup>$a{TOP}</msup>"),
    "transpose last":    ("r: $aᵀ",          "a: $a.mT",      r"r: $a^\top",            f"r: <msup>$a{TOP}</msup>"),
    "conjugate transpose": ("r: $aᴴ",        "a: np.conj($e).T", r"r: $a^{\mathsf{H}}",
                            "r: <msup>$a<mi>H</mi></msup>"),
    "conjugate":         ("conj()",          "np.conj()",     r"a: \overline{$e}",
                            "a: <mover><mrow>$e</mrow><mo>¯</mo></mover>"),
    "real":              ("Re()",            "np.real()",     r"a: \operatorname{Re}\left($e\right)",
                            "a: <mrow><mi>Re</mi><mo>(</mo>$e<mo>)</mo></mrow>"),
    "imag":              ("Im()",            "np.imag()",     r"a: \operatorname{Im}\left($e\right)",
                            "a: <mrow><mi>Im</mi><mo>(</mo>$e<mo>)</mo></mrow>"),
    "inv":               ("r: $a⁻¹",         "",              "r: $a^{-1}",
                            "r: <msup>$a<mn>−1</mn></msup>"),
    "inverse transpose": ("r: $a⁻ᵀ",         "a: np.linalg.inv($e).T", r"r: $a^{-\top}",
                            f"r: <msup>$a<mrow><mo>−</mo>{TOP}</mrow></msup>"),
    "solve":             ("m: $a⁻¹ $m",      "",              r"m: $a^{-1} \, $m",
                            f"m: <mrow><msup>$a<mn>−1</mn></msup>{SPACE}$m</mrow>"),
    "transposed solve":  ("m: $a⁻ᵀ $m",      "",              r"m: $a^{-\top} \, $m",
                            f"m: <mrow><msup>$a<mrow><mo>−</mo>{TOP}</mrow></msup>{SPACE}$m</mrow>"),
    "vec":               ("vec()",           "",              "vec()",                  "vec()"),
    "pseudoinverse":     ("r: $a⁺",          "",              "r: $a^{+}",              "r: <msup>$a<mo>+</mo></msup>"),
    "log_abs_det":       ("a: log(|det($e)|)", "a: np.linalg.slogdet($e)[1]",
                            r"p: \log \left\lvert \det $a \right\rvert",
                            "p: <mrow><mi>log</mi><mo>|</mo><mi>det</mi>$a<mo>|</mo></mrow>"),
    "sign_of_det":       ("",                "a: np.linalg.slogdet($e)[0]", "",         ""),
    "cofactors":         ("",                "p: np.linalg.det($0e) * np.linalg.inv($0e).T", "", ""),
    "index":             ("a: $a[$w]",       "a: $a[$w]",     r"a: $a\left[$w\right]",  "a: $a[$w]"),
    "one hot":           ("onehot()",        "",              "onehot()",               "onehot()"),
    "unit vector":       ("a: e_$w",         "",              r"a: \mathbf{e}_{$w}",
                            "a: <msub><mi>e</mi><mn>$w</mn></msub>"),
    "diagonal matrix":   ("diag()",          "np.diag()",     "diag()",                 "diag()"),
    "diagonal":          ("diag()",          "np.diag()",     "diag()",                 "diag()"),
    "convolution":       ("convolve()",      "np.convolve()", "convolve()",             "convolve()"),
    "ones":              ("a: 1",            "",              r"a: \mathbf{1}",          "a: <mn>𝟏</mn>"),
    "len":               ("",                "a: len($e)",    "",                       ""),
    "astype":            ("",                "a: $a.astype($e)", "",                    ""),
    "join":              ("concatenate()",   "np.concatenate()", "concatenate()",       "concatenate()"),
    "stack":             ("stack()",         "np.stack()",    "stack()",                "stack()"),
    "pad_constant":      ("pad()",           "np.pad()",      "pad()",                  "pad()"),
    "array":             ("a: $w",           "a: $w",         "a: $w",                  "a: $w"),
    "where":             ("",                "",
                            r"m: \begin{cases} $1e & \text{where } $0e \\ $2e & \text{elsewhere} \end{cases}", ""),
    "mask":              ("a: 1[$e]",        "a: ($e)",       r"a: \mathbb{1}\left[$e\right]",
                            "a: <mrow><mn>𝟙</mn><mo>[</mo>$e<mo>]</mo></mrow>"),
    "logical_and":       ("t: $t and $t",    "",              r"t: $t \wedge $t",       "t: $t ∧ $t"),
    "logical_or":        ("t: $s or $s",     "",              r"t: $s \vee $s",         "t: $s ∨ $s"),
    "logical_not":       ("t: not $s",       "",              r"t: \neg $s",            "t: ¬ $s"),
    "greater":           ("t: $s > $s",      "t: $s > $s",    "t: $s > $s",             "t: $s > $s"),
    "greater_equal":     ("t: $s ≥ $s",      "t: $s >= $s",   r"t: $s \ge $s",          "t: $s ≥ $s"),
    "less":              ("t: $s < $s",      "t: $s < $s",    "t: $s < $s",             "t: $s < $s"),
    "less_equal":        ("t: $s ≤ $s",      "t: $s <= $s",   r"t: $s \le $s",          "t: $s ≤ $s"),
    "less twice":        ("t: $s < $s < $s", "",              "t: $s < $s < $s",        "t: $s < $s < $s"),
    "less_equal twice":  ("t: $s ≤ $s ≤ $s", "",              r"t: $s \le $s \le $s",  "t: $s ≤ $s ≤ $s"),
    "equal":             ("t: $s = $s",      "t: $s == $s",   "t: $s = $s",             "t: $s = $s"),
    "not_equal":         ("t: $s ≠ $s",      "t: $s != $s",   r"t: $s \ne $s",          "t: $s ≠ $s"),
    "sum":               ("",                "",              r"P: \sum $p",            "P: ∑ $p"),
    "prod":              ("",                "",              r"P: \prod $p",           "P: ∏ $p"),
    "max":               ("",                "",              r"P: \max $p",            "P: max $p"),
    "min":               ("",                "",              r"P: \min $p",            "P: min $p"),
    "sum over":          ("sum()",           "np.sum()",      r"P: \sum_{$w} $p",
                            "P: <mrow><munder><mo>∑</mo>$w</munder>$p</mrow>"),
    "sum over labels":   ("P: Σ_$w $p",      "",              r"P: \sum_{$w} $p",
                            "P: <mrow><munder><mo>∑</mo>$w</munder>$p</mrow>"),
    "prod over":         ("prod()",          "np.prod()",     r"P: \prod_{$w} $p",
                            "P: <mrow><munder><mo>∏</mo>$w</munder>$p</mrow>"),
    "max over":          ("max()",           "np.max()",      r"P: \max_{$w} $p",
                            "P: <mrow><munder><mo>max</mo>$w</munder>$p</mrow>"),
    "min over":          ("min()",           "np.min()",      r"P: \min_{$w} $p",
                            "P: <mrow><munder><mo>min</mo>$w</munder>$p</mrow>"),
}
# fmt: on

COLUMNS = ("text", "NumPy", "LaTeX", "MathML")
LETTERS = dict(zip("etspmra", Bind, strict=True))
PLACE = re.compile(r"\$(\d?)([etspmraw])")


def form(text: str) -> Form | Call:
    """Parse a form of the table.

    >>> form("p: $p / $r")
    Form(template='{0} / {1}', bind=<Bind.PRODUCT: 3>, needs=(<Bind.PRODUCT: 3>, <Bind.RAISED: 5>), big=False)
    >>> form("np.diag()")
    Call(name='np.diag')
    """
    if text.endswith("()"):
        return Call(text[:-2])
    bind, _, rest = text.partition(": ")
    literals, template, needs = PLACE.split(rest), "", list[Bind]()
    for literal, position, letter in zip(literals[0::3], literals[1::3], literals[2::3], strict=False):
        template += _literal(literal)
        if letter == "w":
            template += "{words}"
        else:
            i = int(position or len(needs))
            needs += [Bind.ANY] * (i + 1 - len(needs))
            needs[i] = LETTERS[letter]
            template += f"{{{i}}}"
    return Form(template + _literal(literals[-1]), LETTERS[bind.lower()], tuple(needs), bind.isupper())


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def column(notation: str, prepare: Callable[[str], str] = str) -> Mapping[str, Form | Call]:
    """Return the forms of one notation by kind, each prepared before it is parsed."""
    place = COLUMNS.index(notation)
    return {kind: form(prepare(row[place])) for kind, row in TABLE.items() if row[place]}


NUMPY = column("NumPy")

r"""The tokens of a typed formula: NumPy code, MATLAB, Unicode and LaTeX in one alphabet.

Each table is a list of spellings. What several notations write differently becomes one token: `⊙`, `∘`, `.*` and
`\odot` are `.*`; `∂` and `\partial` are `∂`; ᵀ, ⁻¹ and ² are "raised" text. Places in the text are kept for errors.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from autotiny.language.errors import ExpressionError
from autotiny.language.reading import SourceText
from autotiny.notation.text import GREEK

SIGNS = {
    **dict.fromkeys("−–—", "-"), **dict.fromkeys("∗＊", "*"), **dict.fromkeys("⊙∘⊛◦", ".*"),
    **dict.fromkeys("·⋅∙•", "·"), **dict.fromkeys("÷⁄∕", "/"),
    **dict.fromkeys("≡≔", "="), **dict.fromkeys("⊤⊺", "T"), **dict.fromkeys("‖∥", "‖"),
    **dict.fromkeys("′ʹ’", "'"), "∑": "sum", "∏": "prod", "″": "''", "⊘": "./",
    "≤": "<=", "≥": ">=", "≠": "!=", "∧": "and", "∨": "or", "¬": "not", "√": "sqrt", "∞": "inf", "𝟏": "𝟙", "∣": "|",
}  # fmt: skip
"""Signs of one character, and the token that each is."""
COMMANDS = {
    "cdot": "·", "times": "×", "otimes": "⊗", "oslash": "./", "div": "/", "le": "<=", "leq": "<=", "leqslant": "<=",
    "ge": ">=", "geq": ">=", "geqslant": ">=", "ne": "!=", "neq": "!=", "lt": "<", "gt": ">", "wedge": "and",
    "land": "and", "vee": "or", "lor": "or", "neg": "not", "lnot": "not", "partial": "∂", "nabla": "∇", "prime": "'",
    "infty": "inf", "sum": "sum", "prod": "prod",
    "langle": "⟨", "rangle": "⟩", "equiv": "=", "coloneqq": "=", "triangleq": "=", "ast": "*",
    "star": ".*", "dagger": "†", "ell": "l", "lVert": "‖", "rVert": "‖", "Vert": "‖", "|": "‖", "lvert": "|",
    "rvert": "|", "vert": "|", "mid": "|", "{": "{", "}": "}", "lbrace": "{", "rbrace": "}", "lbrack": "[",
    "rbrack": "]", "_": "_", "top": "T", "intercal": "T", "%": "%", "&": "&", "ln": "log",
    **dict.fromkeys(("odot", "circ", "bullet", "hadamard"), ".*"), **dict.fromkeys(("frac", "dfrac", "tfrac"), "frac"),
}  # fmt: skip
"""LaTeX commands, and the token that each is."""
SIZES = {
    "left", "right", "middle", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "limits",
    "nolimits", "displaystyle", "textstyle", "nonumber", "notag", "bigm", "rm", "bf", "it", "cal", "(", ")", "[", "]",
}  # fmt: skip
"""LaTeX commands that set sizes and fonts, and open and close formulas."""
SPACES = {",", ";", ":", "!", " ", ">", "quad", "qquad"}
"""LaTeX commands that set spaces."""
FONTS = {
    "mathbf", "boldsymbol", "bm", "mathrm", "mathit", "mathsf", "mathcal", "mathtt", "operatorname", "operatorname*",
    "symbf", "pmb", "mathop", "textbf", "textit",
}  # fmt: skip
"""LaTeX commands that set their argument in another font."""
ACCENTS = {"hat": "hat", "widehat": "hat", "bar": "bar", "tilde": "tilde", "widetilde": "tilde", "dot": "dot"}
ACCENTED = {"\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0303": "tilde", "\u0307": "dot"}
TEXTS = {"text", "textrm", "mbox", "textnormal", "hbox"}
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀᴴ⁽⁾ⁿ", "0123456789-+TH()n", strict=True))
LETTER = rf"(?![{''.join(RAISED)}])\w"
FRACTIONS = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
TOKEN = re.compile(
    rf"""(?P<space>[ \t\r\u00a0~]+|\#[^\n]*)
    |(?P<newline>\n|\\\\(\[[^\]\n]*\])?)
    |(?P<number>(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]+|\.(?![*/^'.\w]))?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<fraction>[{FRACTIONS}])
    |(?P<raised>[{"".join(RAISED)}]+)
    |(?P<command>\\(?:[A-Za-z]+\*?|.))
    |(?P<name>(?=[^\W\d]|[{"".join(GREEK.values())}])(?:{LETTER}|[\u0300-\u036f])+)
    |(?P<op>\*\*|\.\*|\./|\.\^|\.'|<=|>=|==|!=|<>|~=|:=|&&|\|\||//|\.\.\.|.)""",
    re.VERBOSE | re.DOTALL,
)
RESPELLED = {"&&": "and", "||": "‖", "<>": "!=", "~=": "!=", ":=": "=", ".'": "'", "//": "//"}
WORDS = {"and", "or", "not"}
ENDS = {"name", "number", "raised", ")", "]", "}", "'", "''", "|", "‖", "⟩", "∇", "𝟙", "big"}
"""Kinds of tokens, and signs, that end an operand."""


class Token(NamedTuple):
    """A token: its kind, its canonical text, its place, and whether a space stands before it."""

    kind: str
    text: str
    start: int
    end: int
    spaced: bool = False


def plain_letters(text: str) -> str:
    """The text with mathematical and subscript letters and digits as plain ones, character by character."""
    return "".join(
        unicodedata.normalize("NFKC", c) if "\U0001d400" <= c <= "\U0001d7cb" or "₀" <= c <= "₉" else c for c in text
    )


def tokens(text: str) -> list[Token]:
    r"""Return the tokens of a formula.

    >>> [token.text for token in tokens(r"\frac{1}{m} (A^{[2]} − Y) ⊙ X₂ᵀ")]
    ['frac', '{', '1', '}', '{', 'm', '}', '(', 'A', '^', '{', '[', '2', ']', '}', '-', 'Y', ')', '.*', 'X2', 'T']
    """
    return list(_Tokenizer(text).tokens())


class _Tokenizer:
    def __init__(self, text: str) -> None:
        self.text = plain_letters(text)
        self.at, self.last = 0, ""

    def tokens(self) -> Iterator[Token]:
        spaced, glued = False, ""
        while self.at < len(self.text):
            match = TOKEN.match(self.text, self.at)
            assert match is not None  # the last alternative is any character
            start, self.at = self.at, match.end()
            kind = str(match.lastgroup)
            if kind == "command" and match[0][1:] in SIZES:
                continue
            if kind == "space" or (kind == "command" and match[0][1:] in SPACES):
                spaced = spaced or not glued
                continue
            for token in self.made(kind, match[0], start):
                if glued and token.kind != "name":
                    yield token._replace(kind="name", text=glued, spaced=spaced)
                    glued = ""
                if token.kind == "upright":
                    glued = "d"
                    continue
                token = token._replace(text=glued + token.text, spaced=spaced)
                spaced, glued = False, ""
                self.last = token.text if token.kind in ("op", "newline") else token.kind
                yield token

    def made(self, kind: str, text: str, start: int) -> Iterator[Token]:
        """The tokens of one spelling."""
        if kind == "command":
            yield from self.command(text[1:], start)
        elif kind == "raised":
            yield Token("raised", "".join(RAISED[c] for c in text), start, self.at)
        elif kind == "fraction":
            yield Token("number", repr(unicodedata.numeric(text)), start, self.at)
        elif kind == "newline":
            yield Token("newline", "\n", start, self.at)
        elif kind == "name":
            yield from self.word(text, start)
        elif kind == "op" and text in "'\"" and not self.closes_operand():
            yield self.string(text, start)
        elif kind == "op":
            yield self.sign(SIGNS.get(text, RESPELLED.get(text, text)), start)
        else:
            yield Token(kind, text.replace("_", ""), start, self.at)

    def sign(self, text: str, start: int) -> Token:
        """The token of a canonical sign."""
        if text in ("sum", "prod"):
            return Token("big", text, start, self.at)
        kind = "name" if text[:1].isalpha() and text not in WORDS and text != "𝟙" else "op"
        return Token("frac" if text == "frac" else kind, text, start, self.at)

    def closes_operand(self) -> bool:
        """Whether the token before ends an operand, so that ' is a transpose or a prime and not the start of text."""
        directly = self.at < 2 or not self.text[self.at - 2].isspace()
        return directly and self.last in ENDS

    def string(self, quote: str, start: int) -> Token:
        """A text, as einsum takes it."""
        end = self.text.find(quote, self.at)
        if end < 0 or "\n" in self.text[start:end]:
            raise error_at(self.text, f"{quote} opens a text that is not closed", start, self.at)
        self.at = end + 1
        return Token("string", self.text[start + 1 : end], start, self.at)

    def word(self, text: str, start: int) -> Iterator[Token]:
        """A name; an underscore at its end opens a subscript where a bracket follows."""
        if text[0] == "_" and len(text) > 1 and self.last in ENDS:
            self.at = start + 1
            text = "_"
        elif text[-1] == "_" and len(text) > 1 and self.text[self.at : self.at + 1] in ("{", "\\"):
            self.at -= 1
            text = text[:-1]
        letters = re.match(r"[^ᵢᵣᵤᵥⱼₙₖₗₘ]+", text)
        if letters and letters.end() < len(text) and text not in GREEK.values():
            text = f"{letters[0]}_{unicodedata.normalize('NFKC', text[letters.end() :])}"
        for accent, name in ACCENTED.items():
            text = text.replace(accent, name)
        yield Token("op" if text in WORDS or text == "_" else "name", text, start, self.at)

    # ----- LaTeX -----
    def command(self, name: str, start: int) -> Iterator[Token]:
        """The tokens of a command of LaTeX."""
        if name in ("begin", "end"):
            yield Token(name, self.group().strip("*"), start, self.at)
        elif name in TEXTS:
            yield from self.words(self.group(), start)
        elif name in FONTS:
            yield from self.styled(name, start)
        elif name in ACCENTS:
            letters = "".join(token.text for token in tokens(self.group()))
            yield Token("name", letters + ACCENTS[name], start, self.at)
        elif name in ("overline", "conj"):
            yield Token("name", "conj", start, self.at)
        elif name == "mathbb":
            content = self.group()
            yield self.sign("𝟙", start) if content == "1" else Token("name", content, start, self.at)
        elif name in COMMANDS:
            yield self.sign(COMMANDS[name], start)
        elif name in GREEK or name.removeprefix("var") in GREEK:
            yield Token("name", GREEK.get(name) or GREEK[name.removeprefix("var")], start, self.at)
        elif name.isalpha():
            yield Token("name", name, start, self.at)
        else:
            raise error_at(self.text, f"\\{name} is not a command of LaTeX that is read here", start, self.at)

    def words(self, content: str, start: int) -> Iterator[Token]:
        r"""The content of \text{...}: a name in one word, an axis, an index, or what is said between formulas."""
        content = re.sub(r"^axis (?=[\d(\-])", "axis=", content.strip().replace("\\_", "_"))
        for token in tokens(content):
            yield token._replace(start=start, end=self.at)

    def styled(self, name: str, start: int) -> Iterator[Token]:
        r"""The content of \mathbf{...}: a name, an upright d, or what it holds."""
        content = self.group()
        if content == "1" and name != "mathrm":
            yield self.sign("𝟙", start)
        elif content == "d":
            yield Token("upright", "d", start, self.at)
        elif content.replace("\\_", "_").replace("_", "a").isalnum():
            yield Token("name", content.replace("\\_", "_"), start, self.at)
        else:
            yield from (t._replace(start=start, end=self.at) for t in tokens(content))

    def group(self) -> str:
        """The text in the braces that follow, or the one letter or command."""
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        if self.text[self.at : self.at + 1] != "{":
            match = re.compile(r"\\[A-Za-z]+|.?", re.DOTALL).match(self.text, self.at)
            assert match is not None
            self.at = match.end()
            return match[0]
        depth, start = 0, self.at + 1
        for i in range(self.at, len(self.text)):
            escaped = self.text[i - 1] == "\\"
            depth += 0 if escaped else {"{": 1, "}": -1}.get(self.text[i], 0)
            if depth == 0:
                self.at = i + 1
                return self.text[start:i]
        raise error_at(self.text, "{ is not closed", self.at, self.at + 1)


def error_at(text: str, message: str, start: int, end: int) -> ExpressionError:
    """The error at characters start to end of a text of several lines."""
    lines = text.split("\n")
    line = text.count("\n", 0, start)
    first = text.rfind("\n", 0, start) + 1
    return SourceText(lines).error(message, line + 1, start - first, max(min(end - first, len(lines[line])), 1))

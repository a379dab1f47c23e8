"""The tokens of a formula one by one, with errors and places: what the parts of the parser share."""

import ast
from collections.abc import Collection, Mapping
from typing import NamedTuple

from autotiny.language.errors import ExpressionError
from autotiny.language.paper.names import Names
from autotiny.language.paper.tokens import Token, error_at, tokens

DEEPEST = 60
"""The largest depth of nested brackets."""
# ----- binding powers -----
OR, AND, NOT, TRUTH, SUM, PRODUCT, SIGN, SIDE, POWER, POSTFIX = 10, 20, 25, 30, 40, 50, 55, 60, 70, 80
COMPARISONS: dict[str, type[ast.cmpop]] = {
    "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE, "==": ast.Eq, "!=": ast.NotEq, "=": ast.Eq,
}  # fmt: skip
PLAIN: dict[str, tuple[int, type[ast.operator]]] = {
    "+": (SUM, ast.Add), "-": (SUM, ast.Sub), "/": (PRODUCT, ast.Div), "./": (PRODUCT, ast.Div),
    "%": (PRODUCT, ast.Mod), ".*": (PRODUCT, ast.Mult),
}  # fmt: skip
PRODUCTS = {"*": PRODUCT, "×": PRODUCT, "@": SIDE, "·": SIDE, "⊗": PRODUCT}
TRUTHS = {"or": (OR, "logical_or"), "and": (AND, "logical_and"), "&": (AND, "logical_and")}
CLOSING = {"(": ")", "[": "]", "{": "}", "⟨": "⟩"}
ENVIRONMENTS = {"aligned", "align", "split", "equation", "gather", "gathered", "eqnarray", "displaymath", "math"}
MATRICES = {"matrix", "bmatrix", "pmatrix", "array", "smallmatrix", "Bmatrix"}
ELSE = {"elsewhere", "otherwise", "else"}
END = Token("eof", "", 0, 0)


class Vocabulary(NamedTuple):
    """The names that formulas may use.

    names : the variables.
    gradients : the identifier of the gradient by each variable, by the variable's identifier.
    output : the name of the function that is differentiated.
    scalars : identifiers of variables that are single numbers.
    """

    names: Names
    gradients: Mapping[str, str] = {}
    output: str = "J"
    scalars: Collection[str] = ()


class Cursor:
    """A place among the tokens of a text."""

    def __init__(self, text: str, vocabulary: Vocabulary, denominators: str) -> None:
        self.text, self.names, self.vocabulary = text, vocabulary.names, vocabulary
        self.denominators = denominators
        self.tokens = without_layout(tokens(text), text)
        self.at, self.depth, self.bars = 0, 0, list[str]()
        self.defined, self.cell_depth = set[str](), 0
        self.bracketed = set[ast.expr]()

    def expression(self, power: int = 0, bare: bool = False, below: bool = False) -> ast.expr:
        """An expression whose operators bind more tightly than `power`."""
        raise NotImplementedError

    def operand(self) -> ast.expr:
        """A name, a number, what is in brackets, or a sign with its operand."""
        raise NotImplementedError

    def starts_factor(self, bare: bool) -> bool:
        """Whether the next token begins a factor."""
        raise NotImplementedError

    def nested(self) -> ast.expr:
        """An expression in brackets."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"the brackets are nested more than {DEEPEST} deep", self.peek())
        bars, self.bars = self.bars, []
        node = self.expression()
        self.skip_newlines()
        self.bars = bars
        self.depth -= 1
        return node

    def listed(self, item: ast.expr) -> ast.expr:
        """An item of a list: [x] is a list there, and elsewhere x in brackets."""
        return ast.copy_location(ast.List([item], ast.Load()), item) if item in self.bracketed else item

    # ----- tokens -----
    def peek(self, ahead: int = 0) -> Token:
        """The token that comes next, or after that."""
        i = self.at + ahead
        return self.tokens[i] if i < len(self.tokens) else END._replace(start=len(self.text), end=len(self.text) + 1)

    def next(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self.at += 1
        return token

    def sees(self, *texts: str, ahead: int = 0) -> bool:
        """Whether the next token is one of these signs."""
        token = self.peek(ahead)
        return token.kind in ("op", "newline") and token.text in texts

    def takes(self, *texts: str) -> bool:
        """Take the next token if it is one of these signs."""
        if self.sees(*texts):
            self.at += 1
            return True
        return False

    def expect(self, text: str, opened: Token) -> None:
        """Take a closing bracket; raises ExpressionError where another token stands."""
        self.skip_newlines()
        if not self.takes(text):
            token = self.peek()
            if token.kind == "eof":
                raise self.error(f"{opened.text} is not closed: {text} is missing", opened)
            raise self.error(
                f"expected {text}, which closes {opened.text}; got {token.text.strip() or 'the end'}", token
            )

    def skip_newlines(self) -> None:
        """Skip line ends."""
        while self.peek().kind == "newline":
            self.at += 1

    def error(self, message: str, token: Token) -> ExpressionError:
        """The error at a token."""
        return error_at(self.text, message, token.start, token.end)

    def place(self, node: ast.expr, start: Token) -> ast.expr:
        """The node with its place in the text, from a token to the last that was taken."""
        last = self.tokens[min(self.at, len(self.tokens)) - 1] if self.tokens else start
        node.lineno, node.col_offset = self.position(start.start)
        node.end_lineno, node.end_col_offset = self.position(max(last.end, start.end))
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and not hasattr(child, "lineno"):
                ast.copy_location(child, node)
        return node

    def position(self, character: int) -> tuple[int, int]:
        """The line and the byte of a character, as Python's trees have them."""
        first = self.text.rfind("\n", 0, character) + 1
        return self.text.count("\n", 0, character) + 1, len(self.text[first:character].encode())

    def is_word(self, *words: str) -> bool:
        """Whether the next token is one of these words, and no name of a variable."""
        token = self.peek()
        return token.kind == "name" and token.text in words and not self.names.is_known(token.text)

    def unexpected(self, token: Token) -> ExpressionError:
        """The error for a token that does not fit."""
        if token.kind == "eof":
            return self.error("the formula ends where an operand is missing", token)
        if token.text in CLOSING.values():
            return self.error(f"{token.text} closes a bracket that was not opened", token)
        if token.kind in ("begin", "end"):
            known = ", ".join(sorted(MATRICES | {"cases", "aligned"}))
            return self.error(f"the environment {token.text} of LaTeX is not read; there are {known}", token)
        return self.error(
            f"{token.text.strip() or 'the end of the line'} is not understood here; write products with * or @, "
            "powers with ^, functions as f(x)", token,
        )  # fmt: skip

    def script(self) -> str:
        """The text of a subscript, which may be in braces; empty if there is none."""
        if not self.takes("_"):
            return ""
        opened = self.peek()
        if not self.takes("{"):
            return self.next().text
        start, depth = self.at, 1
        while depth:
            token = self.next()
            if token.kind == "eof":
                raise self.error("{ is not closed", opened)
            depth += (token.text == "{") - (token.text == "}") if token.kind == "op" else 0
        return "".join(token.text for token in self.tokens[start : self.at - 1])


def without_layout(found: list[Token], text: str) -> list[Token]:
    """The tokens without dollar signs, the frames of equations, and their comments after &&."""
    kept, opened, skipping = list[Token](), list[str](), False
    for token in found:
        if token.kind == "begin":
            opened.append(token.text)
        framed = bool(opened) and opened[-1] in ENVIRONMENTS
        if token.kind == "end" and opened:
            opened.pop()
        if token.kind in ("begin", "end") and token.text in ENVIRONMENTS:
            skipping = False
            continue
        skipping = (skipping and token.kind != "newline") or (framed and text[token.start : token.end] == "&&")
        if not (skipping or token.text == "$" or (framed and token.text == "&")):
            kept.append(token)
    return kept

"""A parser from textbook notation, as formulas are printed or typed, to NumPy code.

Factors side by side are a matrix product, which binds tighter than * and /; 1[...] is a mask; ᵀ, ⁻¹, ², |x| and ‖x‖ are
what they look like. NumPy code is accepted unchanged.
"""

import ast
import re
from collections.abc import Collection, Mapping
from itertools import pairwise

from autotiny.language.errors import ExpressionError
from autotiny.notation.notations import RAISED_DIGITS

SIGNS = {
    "⁻ᵀ": ".inverse.T", "^-T": ".inverse.T", "⁻¹": ".inverse", "ᵀ": ".T", "^T": ".T", "⊤": "T", "⊙": "*", "·": " @ ",
    "−": "-", "≥": ">=", "≤": "<=", "≠": "!=", "σ(": "sigmoid(", "^": "**",
}  # fmt: skip
DIGITS = str.maketrans(RAISED_DIGITS, "0123456789")
BARS = [
    (re.compile(r"log\(\|det\(([^|]*)\)\|\)"), r"slogdet(\1)[1]"),
    (re.compile(r"(?:‖|\|\|)([^‖|]+)(?:‖|\|\|)"), r"norm(\1)"),
    (re.compile(r"\|([^|]+)\|"), r"abs(\1)"),
]
REDUCTIONS = {"sum", "mean", "max", "min", "prod", "norm"}
TOKEN = re.compile(r"\s+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[^\W\d]\w*|\*\*|[<>=!]=|.", re.DOTALL)
WORDS = {"and", "or", "not", "in", "if", "else"}
CLOSING = {"(": ")", "[": "]"}


def code_of(text: str, names: Mapping[str, str] | None = None, scalars: Collection[str] = ()) -> str:
    """Return the equivalent NumPy code.

    `names` gives an identifier for each variable's name, `scalars` says which of the identifiers are numbers. Raises
    ExpressionError if it cannot be parsed.

    >>> code_of("W2ᵀ dZ2 * 1[Z1 > 0] / m")
    'W2.T @ dZ2 * (1 * (Z1 > 0)) / m'
    >>> code_of("X^T(X w - y) + 2 lam w / ‖w‖²", {"X": "X"}, {"lam"})
    'X.T @ (X @ w - y) + 2 * lam * w / norm(w) ** 2'
    """
    names = {} if names is None else names
    for pattern, call in BARS:
        while text != (text := pattern.sub(call, text)):
            pass
    for sign, code in SIGNS.items():
        text = text.replace(sign, code)
    text = re.sub(f"[{RAISED_DIGITS}]+", lambda match: "**" + match[0].translate(DIGITS), text)
    for name in sorted(names, key=len, reverse=True):
        if name != names[name]:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?![\w′])", names[name], text)
    code = _FactorParser(TOKEN.findall(text), set(names.values()), scalars).sequence("")
    try:
        return ast.unparse(_Calls().visit(ast.parse(code, mode="eval")))
    except (SyntaxError, ValueError) as error:
        raise ExpressionError(f"{text!r} is neither NumPy code nor a formula as textbooks write it") from error


class _FactorParser:
    """Walks over tokens, and makes a product of factors side by side."""

    def __init__(self, tokens: list[str], variables: Collection[str], scalars: Collection[str]) -> None:
        self.tokens, self.at, self.variables, self.scalars = tokens, 0, variables, scalars

    def peek(self, ahead: int = 0) -> str:
        """The token that comes next, or after that; empty at the end."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self) -> str:
        """The next token."""
        token = self.peek()
        self.at += 1
        return token

    def sequence(self, closing: str, equals: str = "=") -> str:
        """The code up to a closing bracket, which is consumed."""
        code = list[str]()
        while self.peek() and self.peek() != closing:
            token = self.peek()
            code.append(self.product() if _starts_factor(token) else self.take().replace("=", equals, token == "="))
        self.take()
        return "".join(code)

    def product(self) -> str:
        """Factors side by side."""
        factors = [self.factor()]
        while _starts_factor(self.peek(self.peek().isspace())):
            if self.peek().isspace():
                self.take()
            factors.append(self.factor())
        if len(factors) == 1:
            return factors[0]
        signs = [" * " if {a, b} & self.numbers(a, b) else " @ " for a, b in pairwise(factors)]
        return f"({factors[0]}{''.join(s + f for s, f in zip(signs, factors[1:], strict=True))})"

    def numbers(self, *factors: str) -> set[str]:
        """The factors that are single numbers."""
        return {f for f in factors if f in self.scalars or re.fullmatch(r"[\d.eE+-]+", f)}

    def factor(self) -> str:
        """A name, a number or what is in parentheses, with what belongs to it."""
        token = self.take()
        if token == "1" and self.peek() == "[":
            self.take()
            return f"(1 * ({self.sequence(']', equals='==')}))"
        code = f"{token}{self.sequence(')')})" if token == "(" else token
        while True:
            nearest = self.peek()
            if nearest == "." or nearest == "**":
                code += self.take() + self.operand()
            elif nearest == "[" or (nearest == "(" and token.isidentifier() and token not in self.variables):
                code += f"{self.take()}{self.sequence(CLOSING[nearest])}{CLOSING[nearest]}"
            else:
                return code

    def operand(self) -> str:
        """An attribute's name, or an exponent with its sign."""
        sign = self.take() if self.peek() in "+- " and self.peek() else ""
        return sign + (f"({self.sequence(')')})" if self.take() == "(" else self.tokens[self.at - 1])


def _starts_factor(token: str) -> bool:
    return token == "(" or (token[:1].isalnum() and token not in WORDS) or token[:1] == "_"


class _Calls(ast.NodeTransformer):
    """Replaces the signs of textbooks for which NumPy has functions."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """X.inverse as inv(X)."""
        self.generic_visit(node)
        return _call("inv", node.value) if node.attr == "inverse" else node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """A and b as logical_and(a, b)."""
        self.generic_visit(node)
        name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
        first, *rest = node.values
        for value in rest:
            first = _call(name, first, value)
        return first

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """A < b < c as logical_and(a < b, b < c)."""
        self.generic_visit(node)
        sides = pairwise([node.left, *node.comparators])
        first, *rest = [ast.Compare(a, [op], [b]) for (a, b), op in zip(sides, node.ops, strict=True)]
        result: ast.expr = first
        for comparison in rest:
            result = _call("logical_and", result, comparison)
        return result

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """Not a as logical_not(a)."""
        self.generic_visit(node)
        return _call("logical_not", node.operand) if isinstance(node.op, ast.Not) else node


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def with_axes_kept(code: str) -> str:
    """The code with sums that leave the axes in which they sum, as sums on paper do.

    >>> with_axes_kept("A - sum(A, axis=1)")
    'A - sum(A, axis=1, keepdims=True)'
    """
    tree = ast.parse(code, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in REDUCTIONS:
            options = {keyword.arg for keyword in node.keywords}
            if "axis" in options and "keepdims" not in options:
                node.keywords.append(ast.keyword("keepdims", ast.Constant(True)))
    return ast.unparse(tree)


def _called(node: ast.Call) -> str:
    name: str = getattr(node.func, "id", getattr(node.func, "attr", ""))
    return name

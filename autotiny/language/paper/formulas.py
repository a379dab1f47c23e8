r"""A parser of formulas as people type them: NumPy, MATLAB, Unicode and LaTeX, with products that are not written.

A Pratt parser (V. R. Pratt, Top down operator precedence, 1973) makes Python's tree of the formula, in which a few
nodes stand for what depends on shapes: `Product`, `Raised`, `Bars`, `Big` and `Sized`, which the evaluation resolves.
Factors side by side bind tighter than * and /, as in W2ᵀ dZ2 * 1[Z1 > 0] and 1/2m; with `loose`, as * does.
"""

import ast
from typing import NamedTuple

from autotiny.language.errors import ExpressionError
from autotiny.language.paper.cursor import (
    CLOSING,
    COMPARISONS,
    ELSE,
    OR,
    PLAIN,
    POSTFIX,
    POWER,
    PRODUCT,
    PRODUCTS,
    SIDE,
    TRUTH,
    TRUTHS,
    Vocabulary,
)
from autotiny.language.paper.nodes import Partial, Product, Raised, Sized, Unknown, attribute, call, is_condition
from autotiny.language.paper.operands import OperandParser
from autotiny.language.paper.spellings import ATTRIBUTES, UNCHANGED, function_named
from autotiny.language.paper.tokens import Token
from autotiny.language.vocabulary import functions

LONGEST = 10_000
DEEPEST_TREE = 120


class Statement(NamedTuple):
    """The sides of an equation; one side if there is no equals sign."""

    sides: list[ast.expr]


def parse(text: str, vocabulary: Vocabulary, denominators: str = "near") -> list[Statement]:
    """Return the statements of a text; raises ExpressionError where it cannot be read.

    `denominators` says which factors side by side are below a slash: "near", those without spaces between them, as in
    1/2m (A - Y); "all"; or the "first" alone. In "flat" text all products bind as * does,
    from left to right, as in Python.

    >>> from autotiny.language.paper.names import Names
    >>> (statement,) = parse("dZ = 2X^T(Xw - y)/m", Vocabulary(Names({name: name for name in ["X", "w", "y", "m"]})))
    >>> [type(side).__name__ for side in statement.sides]
    ['Unknown', 'BinOp']
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"the formula has {len(text):,} characters; the limit is {LONGEST:,}")
    statements = _Parser(text, vocabulary, denominators).statements()
    layer: list[ast.AST] = [side for statement in statements for side in statement.sides]
    for _ in range(DEEPEST_TREE):
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
    if layer:
        raise ExpressionError(f"the formula is nested more than {DEEPEST_TREE} deep; give parts of it a name first")
    return statements


class _Parser(OperandParser):
    # ----- statements -----
    def statements(self) -> list[Statement]:
        """Every statement of the text; the definitions after `where` come first."""
        found, defined = list[Statement](), list[Statement]()
        while True:
            while self.peek().kind == "newline" or self.sees(";", ",", "."):
                self.at += 1
            if self.peek().kind == "eof":
                break
            found.append(self.equation())
            while self.is_word("where", "with") and not self.sees("(", ahead=1):
                self.at += 1
                defined.append(self.equation())
                while self.takes(","):
                    defined.append(self.equation())
            if not (self.peek().kind in ("eof", "newline") or self.sees(";", ",", ".")):
                raise self.unexpected(self.peek())
        if not found:
            raise ExpressionError("there is no formula: the text is empty")
        return [*defined, *found]

    def equation(self) -> Statement:
        """Sides with equals signs between them; one that begins with the sign has no left side."""
        sides = list[ast.expr]()
        if not self.takes("="):
            sides.append(self.expression())
        while self.past_newlines("=") or not sides:
            sides.append(self.expression())
        if len(sides) > 1 and isinstance(sides[0], Unknown):
            self.defined.add(sides[0].name)
        return Statement(sides)

    def past_newlines(self, text: str) -> bool:
        """Take a sign, on the next line too."""
        at = self.at
        self.skip_newlines()
        if self.takes(text):
            return True
        self.at = at
        return False

    # ----- expressions -----
    def expression(self, power: int = 0, bare: bool = False, below: bool = False) -> ast.expr:
        """An expression whose operators bind more tightly than `power`.

        The `bare` argument of a function ends at another function, and what is `below` a slash where denominators do.
        """
        self.skip_newlines()
        start = self.peek()
        left = self.operand()
        while (extended := self.extended(left, start, power, bare, below)) is not None:
            left = extended
        return left

    def extended(self, left: ast.expr, start: Token, power: int, bare: bool, below: bool) -> ast.expr | None:
        """The operand with the operator or factor that follows; None where nothing follows that binds as tightly."""
        token = self.peek()
        if token.kind == "newline":
            if self.depth <= self.cell_depth and (self.cell_depth or not self.continues()):
                return None
            self.skip_newlines()
            token = self.peek()
        if power < OR and self.is_word("if"):
            return self.chosen(left, start)
        if token.kind == "raised":
            return self.raised(left, start) if power < POWER else None
        text = token.text if token.kind == "op" else ""
        if text in PLAIN or text in PRODUCTS or text in COMPARISONS or text in TRUTHS or text == "//":
            return self.infix(left, start, power)
        if text in ("^", "**", ".^"):
            return self.powered(left, start) if power < POWER else None
        if text == "'" and power < POSTFIX:
            self.at += 1
            return self.place(attribute(left, "T"), start)
        if text == "." and self.peek(1).kind == "name" and power < POSTFIX:
            return self.member(left, start)
        if text == "[" and not token.spaced and power < POSTFIX and not isinstance(left, ast.Constant):
            return self.subscript(left, start)
        outside = below and (self.denominators == "first" or (self.denominators == "near" and token.spaced))
        side = PRODUCT if self.denominators == "flat" and not bare else SIDE
        if power < side and not outside and self.starts_factor(bare):
            right = self.expression(side, bare, below)
            return self.place(Product(left, "", right), start)
        return None

    def chosen(self, left: ast.expr, start: Token) -> ast.expr | None:
        """A if C else B; None for the condition of a case."""
        if self.depth == self.cell_depth > 0:
            return None
        self.at += 1
        condition = self.expression(OR - 1)
        if not self.is_word("else", "otherwise"):
            raise self.error("expected else: A if condition else B", self.peek())
        self.at += 1
        return self.place(call("where", condition, left, self.expression()), start)

    def continues(self) -> bool:
        """Whether the next line goes on with an operator."""
        i = 0
        while self.peek(i).kind == "newline":
            i += 1
        return self.peek(i).kind == "op" and (self.peek(i).text in PLAIN or self.peek(i).text in PRODUCTS)

    def infix(self, left: ast.expr, start: Token, power: int) -> ast.expr | None:
        """An operator between two operands."""
        text = self.peek().text
        if text in PLAIN:
            binding, operator = PLAIN[text]
            return self.operation(left, start, operator, binding) if binding > power else None
        if text in PRODUCTS:
            binding = PRODUCT if self.denominators == "flat" else PRODUCTS[text]
            if binding <= power:
                return None
            self.at += 1
            return self.place(Product(left, text, self.expression(binding)), start)
        if text in TRUTHS:
            binding, name = TRUTHS[text]
            if binding <= power or (text == "&" and self.depth == self.cell_depth > 0):
                return None
            self.at += 1
            return self.place(call(name, left, self.expression(binding)), start)
        if text == "//":
            raise self.error("// is not part of a formula; write floor(a / b)", self.peek())
        if power >= TRUTH or (text == "=" and not self.depth):
            return None
        return self.comparison(left, start)

    def operation(self, left: ast.expr, start: Token, operator: type[ast.operator], binding: int) -> ast.expr:
        """A sum, a difference, a quotient, or a product entry by entry; a ratio of ∂ is a gradient."""
        self.at += 1
        right = self.expression(binding, below=operator is ast.Div)
        if operator is ast.Div and isinstance(left, Partial):
            return self.gradient(left, right, start)
        return self.place(ast.BinOp(left, operator(), right), start)

    def comparison(self, left: ast.expr, start: Token) -> ast.expr:
        """a < b, and a < b < c."""
        result: ast.expr | None = None
        while self.peek().kind == "op" and self.peek().text in COMPARISONS:
            operator = COMPARISONS[self.next().text]
            right = self.expression(TRUTH)
            compared = self.place(ast.Compare(left, [operator()], [right]), start)
            result = compared if result is None else self.place(call("logical_and", result, compared), start)
            left = right
        assert result is not None
        return result

    def starts_factor(self, bare: bool) -> bool:
        """Whether the next token begins a factor; after the bare argument of a function, a function does not."""
        token = self.peek()
        if token.kind == "op":
            if token.text in ("|", "‖"):
                return token.text not in self.bars and not (token.text == "‖" and self.bars)
            return token.text in ("(", "[", "{", "𝟙", "∇", "∂", "⟨")
        if token.kind == "name":
            if self.is_word("where", "with", "if", "for", "else", *ELSE) and not self.sees("(", ahead=1):
                return False
            return not (bare and not self.names.is_known(token.text) and function_named(token.text))
        return token.kind in ("number", "frac", "begin", "big")

    # ----- powers, members, indices -----
    def raised(self, base: ast.expr, start: Token) -> ast.expr:
        """A power of raised signs: X², X⁻¹, Xᵀ, X⁻ᵀ, Xᴴ."""
        token = self.next()
        return self.place(self.to_power(base, token.text, token), start)

    def to_power(self, base: ast.expr, text: str, token: Token) -> ast.expr:
        """A power from the text of its exponent."""
        if text == "T":
            ones = isinstance(base, ast.Constant) and base.value == 1
            return attribute(self.place(Sized("ones"), token) if ones else base, "T")
        if text in ("H", "*", "†"):
            return attribute(self.place(call("conj", base), token), "T")
        if text in ("-T", "-H"):
            inverse = self.place(Raised(base, self.place(ast.Constant(-1), token)), token)
            return self.to_power(inverse, text[1:], token)
        digits = text.strip("()").removeprefix("+")
        if not digits.lstrip("-").isdigit():
            raise self.error(f"the exponent {text} is not understood; write x^({text})", token)
        return Raised(base, self.place(ast.Constant(int(digits)), token))

    def powered(self, base: ast.expr, start: Token) -> ast.expr:
        """A power behind ^ or **."""
        sign = self.next()
        texts = self.exponent_signs()
        if texts and sign.text == "^":
            return self.place(self.to_power(base, texts, sign), start)
        token = self.peek()
        if sign.text == "^" and token.kind == "name" and token.text[:1] == "T" and self.is_transpose(token):
            rest = token.text[1:]
            self.tokens[self.at : self.at + 1] = (
                [token._replace(text=rest, start=token.start + 1, spaced=False)] if rest else []
            )
            return self.place(attribute(base, "T"), start)
        exponent = self.expression(POWER - 1)
        if sign.text == "^":
            return self.place(Raised(base, exponent), start)
        return self.place(ast.BinOp(base, ast.Pow(), exponent), start)

    def is_transpose(self, token: Token) -> bool:
        """Whether a T in an exponent transposes: it does unless it begins the name of a number."""
        found = self.names.find(token.text) if self.names.is_known(token.text) else None
        return found is None or found not in self.vocabulary.scalars

    def exponent_signs(self) -> str:
        """Take an exponent that is a sign such as T, -1, -T, H, *; empty if it is another."""
        braced = self.sees("{", "(")
        closing = CLOSING.get(self.peek().text, "")
        texts, i = "", int(braced)
        while len(texts) < 3 and not (braced and self.sees(closing, ahead=i)):
            token = self.peek(i)
            if token.kind == "eof" or token.text in ("", "\n"):
                break
            texts, i = texts + token.text, i + 1
            if not braced and (token.text != "-" or len(texts) > 1):
                break
        if texts in ("T", "H", "-T", "-H", "-1", "*", "†") and (not braced or self.sees(closing, ahead=i)):
            if texts.strip("-") in ("T", "H") and self.vocabulary.scalars and self.names.find(texts.strip("-")) in self.vocabulary.scalars:  # fmt: skip  # noqa: E501
                return ""
            self.at += i + braced
            return texts
        return ""

    def member(self, value: ast.expr, start: Token) -> ast.expr:
        """.T, .shape, and calls of methods such as dZ2.sum(1)."""
        self.at += 1
        token = self.next()
        name = token.text
        if self.sees("(") and not self.peek().spaced:
            opened = self.peek()
            function = function_named(name)
            if name in UNCHANGED:
                self.skip_arguments()
                return value
            if not function:
                near = self.names.near(name, functions(), 1)
                raise self.error(f"there is no method .{name}" + (f"; did you mean .{near[0]}?" if near else ""), token)
            node = self.call(function, opened)
            if isinstance(node, ast.Call):
                node.args.insert(0, value)
                if name == "transpose" and len(node.args) > 2:
                    node.args[1:] = [ast.Tuple(node.args[1:], ast.Load())]
                if name in ("reshape", "view") and len(node.args) > 2:
                    node.args[1:] = [self.place(ast.Tuple(node.args[1:], ast.Load()), token)]
            return self.place(node, start)
        if name not in ATTRIBUTES:
            known = ", ".join(f".{each}" for each in ATTRIBUTES)
            raise self.error(f"there is no .{name}; there are {known} and methods such as .sum(axis=0)", token)
        if name == "H":
            return self.place(attribute(self.place(call("conj", value), token), "T"), start)
        if name in ("real", "imag"):
            return self.place(call(name, value), start)
        return self.place(attribute(value, name) if name not in UNCHANGED else value, start)

    def skip_arguments(self) -> None:
        """Skip what is in parentheses: the type in .astype(float)."""
        opened, depth = self.next(), 1
        while depth:
            token = self.next()
            if token.kind == "eof":
                raise self.error("( is not closed", opened)
            depth += (token.text == "(") - (token.text == ")") if token.kind == "op" else 0

    def subscript(self, value: ast.expr, start: Token) -> ast.expr:
        """x[key]; a condition in brackets is a mask."""
        opened = self.next()
        keys = [self.argument()]
        while self.takes(","):
            if self.sees("]"):
                break
            keys.append(self.argument())
        self.expect("]", opened)
        if len(keys) == 1 and is_condition(keys[0]):
            return self.place(Product(value, "", keys[0]), start)
        key = keys[0] if len(keys) == 1 else self.place(ast.Tuple(keys, ast.Load()), opened)
        return self.place(ast.Subscript(value, key, ast.Load()), start)

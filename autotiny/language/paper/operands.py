"""The part of the parser for operands: numbers, brackets, bars, fractions, matrices and cases."""

import ast
from collections.abc import Callable, Mapping

from autotiny.language.paper.cursor import CLOSING, ELSE, MATRICES, NOT, SIGN
from autotiny.language.paper.functions import FunctionParser
from autotiny.language.paper.nodes import Bars, Column, Partial, call, is_condition
from autotiny.language.paper.tokens import Token


class OperandParser(FunctionParser):
    """Parses what an operator acts on."""

    # ----- operands -----
    def operand(self) -> ast.expr:
        """A name, a number, what is in brackets, or a sign with its operand."""
        token = self.next()
        parse = self.by_kind().get(token.kind) or self.by_sign().get(token.text if token.kind == "op" else "")
        if parse is None:
            raise self.unexpected(token)
        return self.place(parse(token), token)

    def by_kind(self) -> Mapping[str, Callable[[Token], ast.expr]]:
        """The parsers of operands by the kind of the token that begins them."""
        return {
            "number": self.number, "string": lambda token: ast.Constant(token.text), "name": self.name,
            "big": self.big, "frac": self.fraction, "begin": self.environment,
        }  # fmt: skip

    def by_sign(self) -> Mapping[str, Callable[[Token], ast.expr]]:
        """The parsers of operands by the sign that begins them."""
        return {
            "+": lambda token: ast.UnaryOp(ast.UAdd(), self.expression(SIGN)),
            "-": lambda token: ast.UnaryOp(ast.USub(), self.expression(SIGN)),
            **dict.fromkeys(("not", "~", "!"), lambda token: call("logical_not", self.expression(NOT))),
            **dict.fromkeys("({", self.group), **dict.fromkeys("|‖", self.barred),
            **dict.fromkeys("∂∇", self.differential),
            "[": self.brackets, "⟨": self.inner, "𝟙": self.indicator, "...": lambda token: ast.Constant(...),
        }  # fmt: skip

    def number(self, token: Token) -> ast.expr:
        """A number; with j behind it an imaginary one; 1_{Z > 0} is a mask."""
        if token.text == "1" and self.sees("_") and self.sees("{", ahead=1):
            return self.indicator(token)
        value: complex = float(token.text) if any(c in token.text for c in ".eE") else int(token.text[:400])
        unit = self.peek()
        if unit.kind == "name" and unit.text == "j" and not unit.spaced and not self.names.is_known("j"):
            self.at += 1
            value = value * 1j
        return ast.Constant(value)

    def group(self, opened: Token) -> ast.expr:
        """What is in parentheses or braces; a tuple where there are commas."""
        closing = CLOSING[opened.text]
        if self.takes(closing):
            return ast.Tuple([], ast.Load())
        items = [self.nested()]
        while self.takes(",") and not self.sees(closing):
            items.append(self.nested())
        is_tuple = len(items) > 1 or self.tokens[self.at - 1].text == ","
        self.expect(closing, opened)
        return ast.Tuple(items, ast.Load()) if is_tuple else items[0]

    def brackets(self, opened: Token) -> ast.expr:
        """A list of numbers, or one expression in square brackets."""
        items = [self.nested()]
        while self.takes(",", ";"):
            items.append(self.nested())
        self.expect("]", opened)
        if len(items) > 1 or isinstance(items[0], ast.List) or items[0] in self.bracketed:
            return ast.List([self.listed(item) for item in items], ast.Load())
        self.bracketed.add(items[0])
        return items[0]

    def barred(self, opened: Token) -> ast.expr:
        """|x|, ‖x‖, ‖x‖_2, ‖x‖_F and log|A|."""
        self.bars.append(opened.text)
        self.depth += 1
        inner = self.expression()
        self.depth -= 1
        self.bars.pop()
        closing = self.peek()
        if opened.text == "|" and closing.kind == "op" and closing.text == "‖" and not self.bars:
            self.tokens[self.at] = closing._replace(text="|", start=closing.start + 1)  # |x||y|
        else:
            self.expect(opened.text, opened)
        if opened.text == "|":
            return Bars(inner)
        order = self.script()
        return call("norm", inner) if order in ("", "2", "F") else self.norm_of_order(inner, order, opened)

    def norm_of_order(self, inner: ast.expr, order: str, token: Token) -> ast.expr:
        """‖x‖_1 and ‖x‖_∞."""
        if order not in ("1", "inf"):
            raise self.error(f"‖x‖_{order} is not read; there are ‖x‖, ‖x‖_1, ‖x‖_inf and ‖X‖_F", token)
        value = ast.Name("inf", ast.Load()) if order == "inf" else ast.Constant(1)
        return call("norm", inner, ord=self.place(value, token))

    def inner(self, opened: Token) -> ast.expr:
        """⟨x, y⟩."""
        left = self.nested()
        if not self.takes(",", "|"):
            raise self.error("expected a comma in ⟨x, y⟩", self.peek())
        right = self.nested()
        self.expect("⟩", opened)
        return call("sum", self.place(ast.BinOp(left, ast.Mult(), right), opened))

    def indicator(self, token: Token) -> ast.expr:
        """𝟙[Z > 0], 𝟙_{Z > 0}, or a vector of ones."""
        if self.sees("_") and self.sees("{", ahead=1):
            self.at += 1
        if self.sees("(", "[", "{"):
            at, opened = self.at, self.next()
            node = self.brackets(opened) if opened.text == "[" else self.group(opened)
            if is_condition(node):
                return node
            self.at = at  # 1 xᵀ
        size = self.script()
        return self.sized("ones", size, token)

    def fraction(self, token: Token) -> ast.expr:
        r"""\frac{a}{b}."""
        above, below = self.argument_of_command(token), self.argument_of_command(token)
        if isinstance(above, Partial):
            return self.gradient(above, below, token)
        return ast.BinOp(above, ast.Div(), below)

    def environment(self, token: Token) -> ast.expr:
        """A matrix or cases of LaTeX."""
        if token.text in MATRICES:
            if token.text == "array" and self.takes("{"):
                while not self.takes("}"):
                    self.next()
            rows = self.rows(token)
            if len({len(row) for row in rows}) != 1:
                raise self.error("the rows of a matrix have as many entries each", token)
            if len(rows[0]) == 1:
                return Column([cell for (cell,) in rows], ast.Load())
            return ast.List([ast.List(row, ast.Load()) for row in rows], ast.Load())
        if token.text != "cases":
            raise self.unexpected(token)
        rows = self.rows(token)
        if not rows:
            raise self.error("there are no cases", token)
        *rows, last = rows
        result = last[0]
        for row in reversed(rows if len(last) == 1 else [*rows, last]):
            if len(row) != 2:
                raise self.error("a row of cases is read as: value & condition", token)
            result = self.place(call("where", row[1], row[0], result if row is not last else ast.Constant(0)), token)
        return result

    def rows(self, opened: Token) -> list[list[ast.expr]]:
        """The cells of an environment."""
        rows = [list[ast.expr]()]
        self.depth += 1
        while self.peek().kind != "end":
            token = self.peek()
            if token.kind == "eof":
                raise self.error(f"the environment {opened.text} is not ended", opened)
            if token.kind == "newline" and token.end - token.start > 1:
                rows.append([])
                self.at += 1
            elif self.takes("&") or token.kind == "newline" or self.takes(",") or self.is_word("where", "if", "for"):
                self.at += token.kind in ("newline", "name")
            elif self.is_word(*ELSE):
                self.at += 1
            else:
                rows[-1].append(self.cell())
        self.at += 1
        self.depth -= 1
        return [row for row in rows if row]

    def cell(self) -> ast.expr:
        """A cell, which ends at & or at the end of a row."""
        outer, self.cell_depth = self.cell_depth, self.depth
        node = self.expression()
        self.cell_depth = outer
        return node

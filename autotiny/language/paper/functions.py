"""The part of the parser for functions, with their arguments in parentheses or bare."""

import ast
import re

from autotiny.language.paper.cursor import CLOSING, POWER, PRODUCT, SIDE, TRUTH
from autotiny.language.paper.nodes import Big, Unknown, call
from autotiny.language.paper.spellings import BIG, MODULE_NAMES, OPTIONS, UNCHANGED, function_named
from autotiny.language.paper.tokens import Token
from autotiny.language.paper.words import WordParser

JOINING = {"array", "stack", "concatenate", "hstack", "vstack", "block", "column_stack"}
"""Functions whose first argument is a list, also of one item."""


class FunctionParser(WordParser):
    """Parses names and functions."""

    def name(self, token: Token) -> ast.expr:
        """A variable, a function with its arguments, or what is written with letters otherwise."""
        base, _, below = (token.text, "", "") if function_named(token.text) else token.text.partition("_")
        at = self.at
        word = self.word(token)
        is_sigmoid = token.text == "σ" and self.sees("(") and not self.peek().spaced
        if not is_sigmoid and (variable := self.variable(word)) is not None:
            return variable
        if base in MODULE_NAMES and self.sees(".") and self.peek(1).kind == "name":
            self.at += 1
            return self.name(self.next())
        if function_named(base) and (not below or base in BIG or base == "log"):
            self.at = at
            return self.function(base, token, below)
        node = self.other_word(word, token)
        if isinstance(node, Unknown) and self.sees("^") and (primes := self.layer_of_function()):
            return self.function(node.name + primes, token, "")
        if isinstance(node, Unknown) and self.sees("'") and self.is_call_with_primes():
            return self.function(node.name, token, "")
        return node

    def layer_of_function(self) -> str:
        r"""Take the layer and the primes of g^{[1]\prime}(Z), and return the primes; empty if there are none."""
        count, text = self.raised_text()
        match = re.fullmatch(r"[\[(]\w+[\])]('*)", text)
        after = count
        while self.sees("'", ahead=after):
            after += 1
        if match is None or not self.sees("(", ahead=after) or not (match[1] or after > count):
            return ""
        self.at += count
        return match[1] or "".join(self.next().text for _ in range(after - count))

    def is_call_with_primes(self) -> bool:
        """Whether primes and a bracket follow, as in g'(Z)."""
        i = 0
        while self.sees("'", "''", ahead=i):
            i += 1
        return self.sees("(", ahead=i)

    def function(self, name: str, token: Token, script: str) -> ast.expr:
        """A function, with its power or derivative, and its argument in parentheses or bare."""
        primes = 0
        while self.sees("'", "''"):
            primes += len(self.next().text)
        exponent = self.exponent_of_function()
        script = script or ("" if name in BIG else self.script())
        base = f"log{script}" if name == "log" and script in ("2", "10") else (function_named(name) or name)
        called = base + "'" * primes
        if name in BIG and (script or self.sees("_") or not self.sees("(")):
            return self.summed(name, script, token)
        start = self.peek()
        if self.sees("(", "[", "{") and not (name in BIG and start.spaced):
            node = self.call(called, start)
        elif self.starts_factor(False) or self.sees("-"):
            node = call(called, self.expression(SIDE - 1, bare=True))
        else:
            raise self.error(f"{token.text} is a function: write {token.text}(x)", token)
        if exponent is None:
            return node
        self.place(node, token)
        if isinstance(exponent, ast.Constant) and exponent.value == -1:
            raise self.error(f"{token.text}^-1 is 1/{token.text}(x) or its inverse: write which", token)
        return ast.BinOp(node, ast.Pow(), exponent)

    def exponent_of_function(self) -> ast.expr | None:
        """The 2 of sin²(x) and sin^2 x."""
        token = self.peek()
        if token.kind == "raised" and token.text.lstrip("-").isdigit():
            self.at += 1
            return self.place(ast.Constant(int(token.text)), token)
        if self.sees("^") and (self.peek(1).kind == "number" or self.sees("{", ahead=1)):
            self.at += 1
            return self.expression(POWER)
        return None

    def call(self, name: str, opened: Token) -> ast.expr:
        """The arguments of a function, in parentheses."""
        self.at += 1
        closing = CLOSING[opened.text]
        args, options = list[ast.expr](), dict[str, ast.expr]()
        self.depth += 1
        while not self.sees(closing):
            self.skip_newlines()
            if self.peek().kind == "name" and self.sees("=", ahead=1):
                option = self.next().text
                self.at += 1
                options[OPTIONS.get(option, option)] = self.argument()
            else:
                args.append(self.argument())
            self.skip_newlines()
            if not self.takes(","):
                break
        self.depth -= 1
        self.expect(closing, opened)
        return self.applied(name, args, options, opened)

    def argument(self) -> ast.expr:
        """An argument, which may be a slice where an index is one."""
        if self.sees(":"):
            return self.slice_from(None)
        node = self.nested()
        return self.slice_from(node) if self.sees(":") else node

    def slice_from(self, lower: ast.expr | None) -> ast.expr:
        """A slice from its first part: a:b:c."""
        start, parts = self.peek(), [lower]
        while self.takes(":"):
            ends = self.sees(":", ",", "]", ")") or self.peek().kind == "eof"
            parts.append(None if ends else self.nested())
        if len(parts) > 3:
            raise self.error("a slice has three parts at most: start:stop:step", start)
        return self.place(ast.Slice(*parts), start)

    def applied(self, name: str, args: list[ast.expr], options: dict[str, ast.expr], place: Token) -> ast.expr:
        """A function on its arguments; max(a, b) of two arrays is their maximum."""
        if name in UNCHANGED and args:
            return args[0]
        if name in ("max", "min") and len(args) == 2 and not (isinstance(args[1], ast.Constant) and args[1].value in (0, 1, -1) and not isinstance(args[0], ast.Constant)):  # fmt: skip  # noqa: E501
            name = {"max": "maximum", "min": "minimum"}[name]
        if name in ("ones", "zeros") and len(args) > 1:
            args = [self.place(ast.Tuple(args, ast.Load()), place)]
        if name == "heaviside" and len(args) == 1:
            name = "step"
        if name in JOINING and args:
            several = len(args) > 1 and not isinstance(args[1], ast.Constant | ast.UnaryOp)
            args = [ast.copy_location(ast.List(args, ast.Load()), args[0])] if several else args
            args[0] = self.listed(args[0])
        for each in options.values():
            self.place(each, place)
        node = call(name, *args)
        node.keywords = [ast.keyword(option, value) for option, value in options.items()]
        return node

    def summed(self, name: str, script: str, token: Token) -> ast.expr:
        r"""∑ x, \sum_{i=1}^{m} x and \sum_{\text{axis 0}} x."""
        axis: ast.expr | None = None
        if self.sees("_") and self.sees("{", ahead=1) and self.peek(2).text == "axis":
            self.at += 3
            self.takes("=")
            axis = self.expression(TRUTH)
            self.expect("}", token)
        script = script or self.script()
        if self.takes("^"):
            self.argument_of_command(token)
        operand = self.expression(PRODUCT - 1)
        if axis is None:
            return Big(function_named(name), operand, script)
        node = call(function_named(name), operand)
        node.keywords = [ast.keyword("axis", axis)]
        return node

    def big(self, token: Token) -> ast.expr:
        r"""∑ or \sum with its term."""
        return self.summed(token.text, "", token)

    def argument_of_command(self, command: Token) -> ast.expr:
        """What is in braces, or one token."""
        token = self.peek()
        if self.takes("{"):
            node = self.nested()
            self.expect("}", token)
            return node
        if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():
            rest = token._replace(text=token.text[1:], start=token.start + 1)
            self.tokens[self.at : self.at + 1] = [token._replace(text=token.text[0], end=token.start + 1), rest]
        if self.peek().kind == "eof":
            raise self.error(f"{command.text} needs two arguments in braces", command)
        return self.operand()

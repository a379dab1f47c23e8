"""The part of the parser for words: variables, functions with their arguments, and gradients by their names."""

import ast

from autotiny.language.paper.cursor import CLOSING, POWER, PRODUCT, SIDE, TRUTH, Cursor
from autotiny.language.paper.nodes import Big, Partial, Sized, Unknown, call
from autotiny.language.paper.spellings import (
    BIG,
    IDENTITIES,
    MODULE_NAMES,
    OPTIONS,
    UNCHANGED,
    function_named,
    function_names,
)
from autotiny.language.paper.tokens import Token

_CONSTANTS = {"None": None, "True": True, "False": False}
OUTPUTS = {"J", "L", "loss", "E", "C", "cost", "l"}
"""Names under which people differentiate a loss."""


class WordParser(Cursor):
    """Parses what begins with a word."""

    # ----- names -----
    def name(self, token: Token) -> ast.expr:
        """A variable, a function with its arguments, or what is written with letters otherwise."""
        word = self.with_scripts(token)
        if word in self.defined:
            return ast.Name(word, ast.Load())
        found = self.names.exact.get(word) or (self.names.find(word) if self.names.is_known(word) else None)
        if found and not (token.text == "σ" and self.sees("(") and not self.peek().spaced):
            return self.variable(found)
        if word in MODULE_NAMES and self.sees(".") and self.peek(1).kind == "name":
            self.at += 1
            return self.name(self.next())
        base, _, script = (word, "", "") if function_named(word) else word.partition("_")
        if function_named(base) and (not script or base in BIG or base == "log") and (base != "e" or self.sees("(")):
            return self.function(base, token, script)
        if special := self.special(word, base, script, token):
            return special
        parts = list(self.names.split(word, function_names() if self.sees("(") else ()))
        if len(parts) > 1:
            return self.parts(parts, token)
        if found := self.names.find(word):
            return self.variable(found)
        if script and self.names.is_known(base) and all(c in "ijklmnpqrstc,{} " for c in script):
            return self.variable(str(self.names.find(base)))
        return Unknown(word)

    def variable(self, identifier: str) -> ast.expr:
        """The variable; W.grad is the gradient by it."""
        if self.sees(".") and self.peek(1).text == "grad" and identifier in self.vocabulary.gradients:
            self.at += 2
            identifier = self.vocabulary.gradients[identifier]
        return ast.Name(identifier, ast.Load())

    def with_scripts(self, token: Token) -> str:
        """The word with the subscript, the layer above it and the primes that belong to its name."""
        word = token.text
        if self.sees("_"):
            word = f"{word}_{self.script()}"
        if self.sees("[") and not self.peek().spaced:
            for end in range(self.at + 1, min(self.at + 6, len(self.tokens))):
                if self.tokens[end].text == "]":
                    layer = self.text[self.peek().start : self.tokens[end].end]
                    if f"{word}{layer}" in self.names.exact:
                        self.at = end + 1
                        word += layer
                    break
        word += self.layer(word)
        primes = 0
        while self.sees("'", "''", ahead=primes):
            primes += 1
        for count in range(primes, 0, -1):
            signs = "".join(self.peek(i).text for i in range(count))
            if self.names.is_known(word + signs):
                self.at += count
                return word + signs
        return word

    def layer(self, word: str) -> str:
        r"""The layer in A^{[2]}, A^[2], A^{(2)}, A⁽²⁾, A^2 where there is an A2 and no A; primes in ^{\prime}."""
        token = self.peek()
        if token.kind == "raised" and token.text.startswith("(") and self.names.is_known(word + token.text[1:-1]):
            self.at += 1
            return token.text[1:-1]
        if not self.sees("^"):
            return ""
        texts = list[str]()
        braced = self.sees("{", ahead=1)
        for i in range(1, 9):
            following = self.peek(i)
            if following.kind == "eof":
                break
            texts.append(following.text)
            whole = "".join(texts)
            if balanced(whole) and (whole[0] in "{[(" or not braced):
                inner = whole.strip("{}")
                bracketed = inner[:1] + inner[-1:] in ("[]", "()")
                label = inner.strip("[]()")
                if inner and set(inner) == {"'"}:
                    is_name = self.names.is_known(word + inner)
                else:
                    is_name = (bracketed or not self.names.is_known(word)) and (
                        self.names.is_known(word + label) or self.names.is_known(f"{word}[{label}]")
                    )
                if is_name:
                    self.at += i + 1
                    known = inner if "'" in inner else f"[{label}]"
                    return known if self.names.is_known(word + known) else label
                break
        return ""

    def parts(self, parts: list[str], token: Token) -> ast.expr:
        """Names side by side in one word: the first, while the others become tokens."""
        places, at = list[Token](), token.start
        for part in parts:
            places.append(Token("name", part, at, at + len(part), False))
            at += len(part)
        places[-1] = places[-1]._replace(end=max(token.end, places[-1].start + 1))
        self.tokens[self.at : self.at] = places[1:]
        return self.name(places[0])

    def special(self, word: str, base: str, script: str, token: Token) -> ast.expr | None:
        """The identity I, unit vectors, e to a power, the number π, dJ, and δ for the gradient by Z."""
        if base in IDENTITIES:
            return self.sized("eye", script, token)
        if word.lower() in ("pi", "π"):
            return ast.Name("pi", ast.Load())
        if word in ("inf", "nan", "e", "None", "True", "False"):
            constants: dict[str, ast.expr] = {name: ast.Constant(eval_) for name, eval_ in _CONSTANTS.items()}
            return constants.get(word, ast.Name(word, ast.Load()))
        if word[:1] == "d" and word[1:] in (self.vocabulary.output, "J", "L", "loss", "E", "C", "cost"):
            return Partial(word[1:])
        if word[:5] == "delta" or word[:1] == "δ":
            label = word.removeprefix("delta").removeprefix("δ").strip("_[]{}")
            for letter in "Zz":
                if gradient := self.vocabulary.gradients.get(self.names.find(letter + label) or ""):
                    return ast.Name(gradient, ast.Load())
        return None

    # ----- functions -----
    def function(self, name: str, token: Token, script: str) -> ast.expr:
        """A function, with its power or derivative, and its argument in parentheses or bare."""
        primes = 0
        while self.sees("'"):
            self.at += 1
            primes += 1
        exponent = self.exponent_of_function()
        script = script or ("" if name in BIG else self.script())
        base = f"log{script}" if name == "log" and script in ("2", "10") else function_named(name)
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
            return Big(name, operand, bool(script))
        node = call(name, operand)
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

    def sized(self, name: str, size: str, token: Token) -> ast.expr:
        """The identity or ones of a size, which may be left open."""
        if size.isdigit():
            return call(name, self.place(ast.Constant(int(size)), token))
        if found := self.names.find(size) if size else None:
            return call(name, self.place(ast.Name(found, ast.Load()), token))
        return Sized(name)

    # ----- gradients -----
    def differential(self, token: Token) -> ast.expr:
        """∂J or ∇_W J."""
        if token.text == "∇":
            word = self.script() or "x"
            if self.peek().kind == "name" and self.peek().text in (self.vocabulary.output, "J", "L", "loss", "E"):
                self.at += 1
            found = self.vocabulary.gradients.get(self.names.find(word) or "")
            return ast.Name(found, ast.Load()) if found else Unknown(f"∇_{word}")
        name = self.next()
        if name.kind != "name":
            raise self.error("∂ is read in ratios such as ∂J/∂W", token)
        return Partial(self.with_scripts(name))

    def gradient(self, above: Partial, below: ast.expr, start: Token) -> ast.expr:
        """The name of the gradient that a ratio of differentials stands for."""
        if isinstance(below, Partial):
            identifier = self.names.find(below.name)
            word = self.vocabulary.gradients.get(identifier or "", "")
        else:
            word = below.id if isinstance(below, ast.Name) else ""
        if not word:
            return self.place(Unknown(f"∂{above.name}/∂{getattr(below, 'name', '?')}"), start)
        if above.name not in (self.vocabulary.output, "J", "L", "loss", "E", "C", "cost", "l"):
            raise self.error(
                f"∂{above.name} is not the derivative of {self.vocabulary.output}, which is what gradients are of here",
                start,
            )
        return self.place(ast.Name(word, ast.Load()), start)


def balanced(text: str) -> bool:
    """Whether every bracket is closed."""
    return all(text.count(a) == text.count(b) for a, b in ("{}", "[]", "()"))

"""The part of the parser for names: with what is below and above them, and gradients by their names."""

import ast
import re
from typing import NamedTuple

from autotiny.language.paper.cursor import Cursor
from autotiny.language.paper.nodes import Indexed, Partial, Sized, Unknown, call
from autotiny.language.paper.spellings import IDENTITIES, function_names
from autotiny.language.paper.tokens import Token

CONSTANTS = {"None": None, "True": True, "False": False}
NUMBERS = {"pi": "pi", "π": "pi", "inf": "inf", "nan": "nan", "e": "e", "newaxis": "newaxis"}
LOSSES = {"J", "L", "loss", "E", "C", "cost", "l", "ℓ", "Loss", "𝓛", "ℒ"}
"""Names by which people call what they differentiate."""
ABOVE = re.compile(r"(?P<layer>[\[(][\w+\-]+[\])])?(?P<index>\([a-z]\))?(?P<after>T|H|'+)?")
INDICES = re.compile(r"[a-z](,?[a-z])*")


class Word(NamedTuple):
    """A name: its letters, what is below, a layer and an index of an example above, and primes."""

    letters: str
    below: str = ""
    layer: str = ""
    example: str = ""
    primes: str = ""

    @property
    def whole(self) -> str:
        """The name without the index."""
        return self.letters + (f"_{self.below}" if self.below else "") + self.layer + self.primes


class WordParser(Cursor):
    """Parses names."""

    # ----- a word with its scripts -----
    def word(self, token: Token) -> Word:
        """The name that a token begins, with the scripts that belong to it."""
        word, below = Word(token.text), False
        while True:
            if self.sees("_") and not below:
                word, below = word._replace(below=self.script()), True
            elif layer := self.layer_in_brackets(word):
                word = word._replace(layer=layer)
            elif (above := self.above(word)) is not None:
                word = above
            else:
                return self.with_primes(word)

    def layer_in_brackets(self, word: Word) -> str:
        """The [1] of a variable whose name is W[1]."""
        if word.layer or not self.sees("[") or self.peek().spaced:
            return ""
        for end in range(self.at + 1, min(self.at + 6, len(self.tokens))):
            if self.tokens[end].text == "]":
                layer = self.text[self.peek().start : self.tokens[end].end]
                if f"{word.letters}{layer}" not in self.names.exact:
                    return ""
                self.at = end + 1
                return layer
        return ""

    def above(self, word: Word) -> Word | None:
        r"""The word with what is above it: A^{[2]}, A^[2], A⁽²⁾, A^{[1]T}, x^{(i)}, and A^2 where there is only A2."""
        token, count, text = self.peek(), 1, ""
        if token.kind == "raised" and token.text[:1] == "(":
            text = token.text
        elif self.sees("^"):
            count, text = self.raised_text()
        match = ABOVE.fullmatch(text) if text else None
        if match is None and text.isdigit() and not self.names.is_known(word.whole):
            match = ABOVE.fullmatch(f"[{text}]")
        if match is None:
            return None
        made = self.with_layer(word, match)
        if made is None:
            return None
        self.at += count
        after = match["after"] or ""
        if after in ("T", "H"):
            self.tokens.insert(self.at, token._replace(kind="raised", text=after))
        return made

    def with_layer(self, word: Word, match: re.Match[str]) -> Word | None:
        """The word with what was found above it, if that makes a name that is known."""
        layer, index, after = (match[name] or "" for name in ("layer", "index", "after"))
        primes = after if after[:1] == "'" else ""
        known = [f"[{layer[1:-1]}]", layer[1:-1]] if layer else [""]
        for label in known:
            made = word._replace(layer=label, example=index.strip("()"), primes=primes)
            if self.names.is_known(made.whole) and (label or index or primes):
                return made
        bare = word._replace(example=layer.strip("()"))
        is_index = layer[:1] == "(" and INDICES.fullmatch(layer[1:-1]) is not None and not primes
        return bare if is_index and self.names.find(word.whole) else None

    def raised_text(self) -> tuple[int, str]:
        """The number of tokens of an exponent in brackets, and its text without braces."""
        texts = list[str]()
        for i in range(1, 12):
            token = self.peek(i)
            if token.kind in ("eof", "newline"):
                break
            texts.append(token.text)
            whole = "".join(texts)
            if all(whole.count(a) == whole.count(b) for a, b in ("{}", "[]", "()")):
                return i + 1, whole[1:-1] if whole[0] == "{" else whole
        return 1, ""

    def with_primes(self, word: Word) -> Word:
        """The word with the primes that belong to its name; others are transposes or derivatives."""
        count = 0
        while self.sees("'", "''", ahead=count):
            count += 1
        for n in range(count, 0, -1):
            made = word._replace(primes=word.primes + "".join(self.peek(i).text for i in range(n)))
            if self.names.is_known(made.whole):
                self.at += n
                return made
        return word

    # ----- what a word means -----
    def variable(self, word: Word) -> ast.expr | None:
        """The variable that a word names exactly; W.grad is the gradient by it."""
        if word.whole in self.defined:
            return ast.Name(word.whole, ast.Load())
        found = self.names.find(word.whole) if self.names.is_known(word.whole) else None
        if found is None:
            return None
        if self.sees(".") and self.peek(1).text == "grad" and found in self.vocabulary.gradients:
            self.at += 2
            found = self.vocabulary.gradients[found]
        return self.entry(found, word.example)

    def entry(self, identifier: str, indices: str) -> ast.expr:
        """A variable, or its entry at some indices."""
        letters = indices.replace(",", "")
        return Indexed(identifier, letters) if letters else ast.Name(identifier, ast.Load())

    def other_word(self, word: Word, token: Token) -> ast.expr:
        """A word that is no variable's exact name, and no function: a constant, names side by side, or an entry."""
        if (special := self.special(word, token)) is not None:
            return special
        others = (*IDENTITIES, *(function_names() if self.sees("(") else ()))
        parts = [] if word.below else list(self.names.split(word.whole, others))
        if len(parts) > 1:
            return self.side_by_side(parts, token)
        if found := self.names.find(word.whole):
            return self.guessed(self.entry(found, word.example))
        base = word._replace(below="")
        text = word.below or ""
        if not text and "_" in word.letters:
            letters, _, text = word.letters.rpartition("_")
            base = word._replace(letters=letters)
        if INDICES.fullmatch(text) and base.letters in ("δ", "delta") and len(text.replace(",", "")) == 2:
            return Indexed("", text.replace(",", ""))
        if INDICES.fullmatch(text) and (found := self.names.find(base.whole)):
            return self.entry(found, text + word.example)
        return Unknown(word.whole)

    def guessed(self, node: ast.expr) -> ast.expr:
        """The node of a name that differs in its letters' case."""
        node.guessed = True  # type: ignore[attr-defined]
        return node

    def name(self, token: Token) -> ast.expr:
        """A word, a variable's or a function's."""
        raise NotImplementedError

    def side_by_side(self, parts: list[str], token: Token) -> ast.expr:
        """Names side by side in one word: the first, while the others become tokens."""
        places, at = list[Token](), token.start
        for part in parts:
            places.append(Token("name", part, at, at + len(part)))
            at += len(part)
        self.tokens[self.at : self.at] = places[1:]
        return self.name(places[0])

    def special(self, word: Word, token: Token) -> ast.expr | None:
        """The identity I, numbers such as π, and dJ."""
        base, _, below = word.letters.partition("_")
        if base in IDENTITIES:
            return self.sized("eye", word.below or below, token)
        whole = word.whole
        if whole in CONSTANTS:
            return ast.Constant(CONSTANTS[whole])
        if whole.lower() in NUMBERS and (len(whole) > 1 or whole in NUMBERS):
            return ast.Name(NUMBERS[whole.lower()], ast.Load())
        if whole[:1] == "d" and whole[1:] in (self.vocabulary.output, *LOSSES):
            return Partial(whole[1:])
        return None

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
            word = self.script()
            if self.peek().kind == "name" and self.peek().text in (self.vocabulary.output, *LOSSES):
                self.at += 1
            found = self.vocabulary.gradients.get(self.names.find(word) or "")
            return ast.Name(found, ast.Load()) if found else Unknown(f"∇{word}")
        name = self.next()
        if name.kind != "name":
            raise self.error("∂ is read in ratios such as ∂J/∂W", token)
        return Partial(self.word(name).whole)

    def gradient(self, above: Partial, below: ast.expr, start: Token) -> ast.expr:
        """The name of the gradient that a ratio of differentials is."""
        if isinstance(below, Partial):
            word = self.vocabulary.gradients.get(self.names.find(below.name) or "", "")
        else:
            word = below.id if isinstance(below, ast.Name | Indexed) else ""
        upper = self.names.find(above.name)
        lower = self.names.find(below.name) if isinstance(below, Partial) else None
        if upper and lower and above.name != self.vocabulary.output:
            return self.place(ast.Name(f"∂{upper}/∂{lower}", ast.Load()), start)
        if above.name not in (self.vocabulary.output, *LOSSES):
            output = self.vocabulary.output
            raise self.error(f"∂{above.name} is not the derivative of {output}, which is differentiated here", start)
        if not word:
            return self.place(Unknown(f"∂{above.name}/∂{getattr(below, 'name', '?')}"), start)
        indices = below.indices if isinstance(below, Indexed) else ""
        return self.place(self.entry(word, indices), start)

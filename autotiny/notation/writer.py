"""The writer: print an expression by a column of the table of forms, with parentheses only where they are needed."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from autotiny.notation.expression import Expression, operands_first, shared_names
from autotiny.notation.forms import Bind, Call, Form
from autotiny.notation.numbers import as_typed, index, is_identity, small_array


class Piece(NamedTuple):
    """The text of an expression, and how tightly it binds.

    A piece that begins with a `minus` may not follow another sign; one that ends in a `big` operator may not be
    followed by a factor.
    """

    text: str
    bind: Bind
    minus: bool = False
    big: bool = False


FACTOR = Bind.PRODUCT, Bind.MATMUL
INFIX = Bind.SUM, Bind.PRODUCT, Bind.MATMUL


class Notation:
    """A notation: a column of the table, and methods for names and numbers. `Unicode()(expression)` prints."""

    forms: ClassVar[Mapping[str, Form | Call]]
    shortens: ClassVar[bool] = True
    """Whether the shared subexpressions of a very long formula get names."""
    uses_own: ClassVar[bool] = False
    """Whether a user's own notation of an operation is used."""

    def __call__(self, root: Expression) -> str:
        """Return the formula as text; one that would be very long, with names for its shared subexpressions."""
        shared = shared_names(root) if self.shortens else {}
        text = self._text(root, shared)
        defined = [self._equation(name, self._text(each, shared)) for each, name in shared.items()]
        return self.where(text, defined) if defined else text

    def _equation(self, name: str, text: str) -> str:
        equals = self.forms["equal"]
        assert isinstance(equals, Form)
        return equals.template.format(self.name(name), text)

    def _text(self, root: Expression, shared: Mapping[Expression, str]) -> str:
        pieces: dict[Expression, Piece] = {}
        for each in operands_first([root], lambda each: () if each in shared and each is not root else each.operands):
            if each in shared and each is not root:
                pieces[each] = Piece(self.name(shared[each]), Bind.ATOM)
            else:
                pieces[each] = self.piece(each, [pieces[operand] for operand in each.operands])
        return pieces[root].text

    # ----- methods that notations override -----
    def name(self, name: str) -> str:
        """Write a variable's name."""
        return name

    def number(self, value: Any) -> str:
        """Write a number with its sign."""
        return as_typed(value)

    def digits(self, numeral: str) -> str:
        """Write a number without a sign."""
        return numeral

    def exponent(self, digits: str) -> str:
        """Write a small whole number as an exponent."""
        return digits

    def index(self, key: Any) -> str:
        """Write an index, without its brackets."""
        return self.words(index(key))

    def array(self, entries: Any) -> str:
        """Write an array that has no name; the identity as I."""
        return "I" if is_identity(entries) else self.words(small_array(entries))

    def option(self, name: str, value: Any) -> str:
        """Write an option of a function: axis=0."""
        return self.words(f"{name}={index(value) if isinstance(value, slice | np.ndarray) else value}")

    def words(self, text: str) -> str:
        """Write words beside a formula."""
        return text

    def where(self, text: str, defined: list[str]) -> str:
        """Write a formula and the definitions of the names in it."""
        return f"{text} where {', '.join(defined)}"

    def bracketed(self, text: str) -> str:
        """Put a formula in parentheses."""
        return f"({text})"

    def matrix(self, rows: list[list[str]]) -> str:
        """Write a matrix, row by row; one of a single column, a vector, in a line."""
        column = all(len(row) == 1 for row in rows)
        return f"[{(', ' if column else '; ').join(', '.join(row) for row in rows)}]"

    def call(self, name: str, arguments: list[str]) -> str:
        """Write a call of a function."""
        return f"{name}({', '.join(arguments)})"

    # ----- composition -----
    def piece(self, each: Expression, operands: list[Piece]) -> Piece:
        """Return the text of an expression from the texts of its operands."""
        if each.kind == "symbol":
            return Piece(self.name(each.name), Bind.ATOM)
        if each.kind == "vector":
            return Piece(self.matrix([[operand.text] for operand in operands]), Bind.ATOM)
        if each.kind == "matrix":
            columns = len(operands) // each.value
            texts = [operand.text for operand in operands]
            return Piece(self.matrix([texts[i : i + columns] for i in range(0, len(texts), columns)]), Bind.ATOM)
        if each.kind == "words":
            return Piece(self.words(each.value), Bind.ATOM)
        if each.kind == "number":
            return self._number(self.number(each.value))
        if each.kind == "own" and self.uses_own and each.value.count("{}") == len(operands):
            return self.own(each.value, operands)
        form = self.forms.get(each.kind, Call(each.name))
        if isinstance(form, Form):
            return self.put(form, operands, self._words(each))
        options = [self.option(name, value) for name, value in each.options.items()]
        return Piece(self.call(form.name, [operand.text for operand in operands] + options), Bind.ATOM)

    def _words(self, each: Expression) -> str:
        if each.kind in ("index", "sum over labels"):
            return self.index(each.value)
        if each.kind == "unit vector":
            return str(each.value)
        if each.kind == "whole power":
            return self.exponent(each.value)
        if each.kind == "array":
            return self.array(each.value)
        return ", ".join(self.option(name, value) for name, value in each.options.items())

    def _number(self, numeral: str) -> Piece:
        if numeral.startswith("-"):
            negative = self.forms["negative"]
            assert isinstance(negative, Form)
            return Piece(negative.template.format(self.digits(numeral[1:])), Bind.PRODUCT, minus=True)
        return Piece(self.digits(numeral), Bind.ATOM)

    def put(self, form: Form, operands: list[Piece], words: str = "") -> Piece:
        """Return a form with the operands filled in."""
        bare = [_needs_no_parentheses(i, operand, form) for i, operand in enumerate(operands)]
        texts = [o.text if b else self.bracketed(o.text) for o, b in zip(operands, bare, strict=True)]
        minus, big = form.is_sign, form.big
        if len(operands) == 2 and form.needs[0] in INFIX:
            minus, big = bare[0] and operands[0].minus, big or (bare[1] and operands[1].big)
        return Piece(form.template.format(*texts, words=words), form.bind, minus, big)

    def own(self, template: str, operands: list[Piece]) -> Piece:
        """Return a user's own notation with atoms as operands; one that has spaces binds least tightly."""
        atoms = [o.text if o.bind is Bind.ATOM else self.bracketed(o.text) for o in operands]
        return Piece(template.format(*atoms), Bind.ANY if " " in template else Bind.ATOM)


def _needs_no_parentheses(i: int, operand: Piece, form: Form) -> bool:
    need = form.needs[i]
    takes_in = operand.big and need in FACTOR and i < len(form.needs) - 1
    after_sign = operand.minus and need in INFIX and (i > 0 or form.is_sign)
    return operand.bind >= need and not takes_in and not after_sign

"""Notation: writes a formula, with parentheses where they are needed and nowhere else.

A notation is a table of forms. A form says how one kind of formula looks, how tightly it holds together, and how
tightly each of its operands must hold together to stand in it bare.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import ClassVar, NamedTuple

from autotiny.algebra.term import Term, topological_order
from autotiny.notation.parts import Part, is_truth, part
from autotiny.notation.sharing import shared_names


class Bind(IntEnum):
    """How tightly a formula holds together, the loosest first."""

    ANY = 0
    TRUTH = 1
    """a > b"""
    SUM = 2
    PRODUCT = 3
    MATMUL = 4
    POSTFIX = 5
    """Aᵀ, A²"""
    ATOM = 6


class Form(NamedTuple):
    """`template` takes the operands, then the words; operand i stands bare where it binds as tightly as `needs[i]`.

    A `big` one ends with an operand and would take in a factor that follows, as Σ x does.
    """

    template: str
    bind: Bind
    needs: tuple[Bind, ...] = ()
    big: bool = False


class Written(NamedTuple):
    """Text, and how tightly it binds.

    What begins with a `minus` may not follow another sign; what ends in a `big` form may not be followed by a factor.
    """

    text: str
    bind: Bind
    minus: bool = False
    big: bool = False


FACTOR = Bind.PRODUCT, Bind.MATMUL
INFIX = Bind.SUM, Bind.PRODUCT, Bind.MATMUL
KINDS_OF_TRUTH = {"and", "or", "not", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "where"}


class Notation:
    """Writes formulas: `Unicode()(term)`. A term that `names` knows is written by its name."""

    forms: ClassVar[Mapping[str, Form]]
    shortens: ClassVar[bool] = True
    """Whether a very long formula gets names for what it shares."""

    def __init__(self, names: Mapping[Term, str] | None = None) -> None:
        self.names = {} if names is None else names

    def __call__(self, term: Term) -> str:
        """The formula; where it would be very long, with names for what it shares, which follow."""
        shared = shared_names(term, self.names) if self.shortens else {}
        text = self._text(term, shared)
        equals = self.forms["equal"].template if shared else ""
        defined = [equals.format(self.name(name), self._text(part, shared)) for part, name in shared.items()]
        return self.where(text, defined) if defined else text

    def _text(self, term: Term, shared: Mapping[Term, str]) -> str:
        written: dict[Term, Written] = {}
        for each in topological_order(term):
            if each in shared and each is not term:
                written[each] = Written(self.name(shared[each]), Bind.ATOM)
            else:
                written[each] = self._write(each, written)
        return written[term].text

    # ----- what a notation says -----
    def part(self, term: Term) -> Part:
        """What a term is to its readers."""
        return part(term)

    def operand(self, kind: str, term: Term, written: Written) -> Written:
        """An operand of a kind of formula: a truth in arithmetic is a mask, 1 where it holds, else 0."""
        if is_truth(term) and term not in self.names and kind not in KINDS_OF_TRUTH:
            return self._form(self.forms["mask"], [written], [])
        return written

    def name(self, name: str) -> str:
        """A variable."""
        return name

    def number(self, numeral: str) -> str:
        """A number that is not negative."""
        return numeral

    def exponent(self, digits: str) -> str:
        """A small whole number, raised."""
        return digits

    def words(self, text: str) -> str:
        """Words beside a formula, such as 'axis=0'."""
        return text

    def where(self, text: str, defined: list[str]) -> str:
        """A formula, and the definitions of names in it."""
        return f"{text} where {', '.join(defined)}"

    def bracketed(self, text: str) -> str:
        """The text in parentheses."""
        return f"({text})"

    def call(self, name: str, arguments: list[str]) -> str:
        """A function of arguments."""
        return f"{name}({', '.join(arguments)})"

    # ----- how it is put together -----
    def _write(self, term: Term, written: Mapping[Term, Written]) -> Written:
        if term in self.names:
            return Written(self.name(self.names[term]), Bind.ATOM)
        found = self.part(term)
        if found.kind in ("symbol", "identity"):
            return Written(self.name(*found.words), Bind.ATOM)
        if found.kind == "number":
            return self._number(*found.words)
        operands = [self.operand(found.kind, operand, written[operand]) for operand in found.operands]
        if found.kind == "same":
            return operands[0]
        if found.kind not in self.forms:
            return self._call(found, operands)
        say = self.exponent if found.kind == "whole power" else self.words
        return self._form(self.forms[found.kind], operands, [say(text) for text in found.words])

    def _number(self, numeral: str) -> Written:
        if numeral.startswith("-"):
            return Written(self.forms["negative"].template.format(self.number(numeral[1:])), Bind.PRODUCT, minus=True)
        return Written(self.number(numeral), Bind.ATOM)

    def _form(self, form: Form, operands: list[Written], words: list[str]) -> Written:
        bare = [_stands_bare(i, operand, form) for i, operand in enumerate(operands)]
        texts = [o.text if b else self.bracketed(o.text) for o, b in zip(operands, bare, strict=True)]
        minus, big = form is self.forms["negative"], form.big
        if len(operands) == 2 and form.needs[0] in INFIX:
            minus, big = bare[0] and operands[0].minus, big or (bare[1] and operands[1].big)
        return Written(form.template.format(*texts, *words), form.bind, minus, big)

    def _call(self, found: Part, operands: list[Written]) -> Written:
        name, *words = found.words if found.kind == "call" else (found.kind, *found.words)
        return Written(self.call(name, [o.text for o in operands] + [self.words(w) for w in words]), Bind.ATOM)


def _stands_bare(i: int, operand: Written, form: Form) -> bool:
    need = form.needs[i]
    takes_in = operand.big and need in FACTOR and i < len(form.needs) - 1
    return operand.bind >= need and not takes_in and not (operand.minus and i and need in INFIX)

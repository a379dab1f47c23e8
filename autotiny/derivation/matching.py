"""Is this the gradient? A typed formula is compared with the derived one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autotiny.algebra.term import Term
from autotiny.derivation.points import Gradients, Kind, another, kind_of
from autotiny.derivation.program import identifier, values
from autotiny.derivation.textbook import Reading, equation
from autotiny.diagnosis import FormulaContext, diagnose, equal, extent
from autotiny.errors import ShapeError
from autotiny.language import ExpressionError
from autotiny.language.paper.cursor import Vocabulary
from autotiny.language.paper.names import Names

Array = NDArray[Any]
TRIALS = 3
DIAGNOSED = 8
"""The largest number of readings of a wrong formula for which a mistake is looked for."""


@dataclass(frozen=True)
class Match:
    """Whether a formula is the gradient; false with the difference in words.

    Attributes
    ----------
    text : the formula as it was typed.
    ok : whether it is the gradient, for other values of the parameters too.
    difference : the difference in words; empty if there is none.
    read_as : the NumPy code that the text was parsed to, if that differs from the text.
    condition : what it relies on, such as "for a symmetric A"; empty if it holds for all values.
    """

    text: str
    ok: bool
    difference: str = ""
    read_as: str = ""
    condition: str = ""

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        read = f", read as {self.read_as}" if self.read_as else ""
        condition = f" {self.condition}" if self.condition else ""
        return f"{self.text}{read}: {f'the gradient{condition}' if self.ok else self.difference}"


def match(
    text: str,
    right: Term,
    definitions: Mapping[Term, Term],
    tracked: Iterable[Term],
    others: Mapping[str, Any] = MappingProxyType({}),
    gradients: Gradients | None = None,
    target: str = "",
) -> Match:
    """Compare a typed formula with the right one, on the recorded values and on other values of the tracked symbols.

    The text is NumPy code of autotiny's expression language, or textbook notation, over the names of the symbols and,
    among the `others`, of numbers and arrays, which stay the same. With `gradients` it may name the gradient by every
    tensor of the run. Raises ExpressionError if it cannot be parsed.

    >>> from autotiny.algebra import symbol
    >>> A2, Y = symbol("A2", np.array([[0.5, 0.25], [0.5, 0.75]])), symbol("Y", np.eye(2))
    >>> right = (A2 - Y) / symbol("m", 8)
    >>> match("(A2 - Y) / m", right, {}, [A2])
    (A2 - Y) / m: the gradient
    >>> match("A2 - Y", right, {}, [A2])
    A2 - Y: 8 times the gradient: a missing 1/m?
    """
    usable = {n: v for n, v in others.items() if isinstance(v, int | float | complex | np.ndarray | np.number)}
    return _Matcher(right, definitions, tracked, usable, gradients, target).match(text)


class _Matcher:
    def __init__(
        self,
        right: Term,
        definitions: Mapping[Term, Term],
        tracked: Iterable[Term],
        others: Mapping[str, Any],
        gradients: Gradients | None,
        target: str,
    ) -> None:
        self.right, self.definitions, self.others, self.gradients = right, definitions, others, gradients
        self.target = target
        recorded = self.values({})
        self.symbols = {term: identifier(term.name) for term in recorded if term.name is not None}
        self.moved = [term for term in tracked if term not in definitions]
        self.kinds = {term: kind for term in self.moved if (kind := kind_of(term.value)) is not None}
        self.recorded = Point(recorded, self)

    def values(self, known: Mapping[Term, Any]) -> dict[Term, Any]:
        with np.errstate(all="ignore"):
            return values([self.right, *self.definitions], self.definitions, known)

    @cached_property
    def points(self) -> "list[Point]":
        """The recorded point, and points of other values of the same kinds."""
        return [self.recorded, *(Point(self.values(self.elsewhere(seed, self.kinds)), self) for seed in range(TRIALS))]

    def elsewhere(self, seed: int, kinds: Mapping[Term, Kind]) -> dict[Term, Any]:
        """Other values of the tracked symbols that nothing defines, of the same signs, sizes and kinds."""
        rng = np.random.default_rng(seed)
        return {term: another(term.value, rng, kinds.get(term)) for term in self.moved}

    # ----- names -----
    @cached_property
    def gradient_names(self) -> dict[Term, str]:
        """The identifier of the gradient by each tracked tensor, where no variable has that name."""
        if self.gradients is None:
            return {}
        taken = set(self.symbols.values())
        tensors = [x for x in self.gradients.tracked if x.name is not None and x is not self.gradients.output]
        return {x: name for x in tensors if (name := identifier(f"d{x.name}"))} | {
            x: f"d{identifier(x.name or '')}" for x in tensors if identifier(f"d{x.name}") in taken
        }

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The names that the text may use."""
        spelled = {str(term.name): name for term, name in self.symbols.items()}
        more = {name: name for name in self.others}
        gradients: dict[str, str] = {}
        for x, name in self.gradient_names.items():
            own = identifier(str(x.name))
            gradients[own] = name
            more |= {f"d{x.name}": name, f"grad_{x.name}": name, f"{x.name}_grad": name}
            if self.gradients is not None:
                more[f"d{self.gradients.output.name}d{x.name}"] = name
            if own[:1] in "Zz":
                more[f"δ{own[1:]}"] = name
        known = {**self.others, **{name: term.value for term, name in self.symbols.items()}}
        scalars = {name for name, value in known.items() if np.ndim(value) == 0}
        output = str(self.gradients.output.name) if self.gradients is not None else "J"
        return Vocabulary(Names(spelled, more), gradients, output, scalars)

    # ----- comparison -----
    def match(self, text: str) -> Match:
        about = equation(text, self.vocabulary, self.recorded.scope, self.right.shape, f"d{identifier(self.target)}")
        named = set(self.gradient_names.values())
        for label in about.labels:
            other = self.vocabulary.names.find(label) or label
            if other in named and self.target and other != f"d{identifier(self.target)}":
                output = self.vocabulary.output
                return Match(text, False, f"its left side is {label}: this is d{output}/d{self.target}")
        results = [self.side(text, readings) for readings in about.sides]
        return next((found for found in results if not found), results[-1])

    def side(self, text: str, readings: list[Reading]) -> Match:
        """The verdict on one side of an equation: of its readings the one that is right, else the most likely one."""
        stated, error = list[Stated](), list[ExpressionError]()
        by_chance: Match | None = None
        for reading in readings:
            try:
                value = self.recorded.value(reading)
                if equal(value, self.recorded.right):
                    found = self.elsewhere_too(text, reading)
                    if found:
                        return found
                    by_chance = by_chance or found
                elif not any(_identical(value, other.value) for other in stated):
                    stated.append(Stated(value, self.read_as(reading)))
            except ExpressionError as failed:
                error.append(failed)
        if by_chance is not None:
            return by_chance
        if stated:
            return self.wrong(text, stated)
        misfit = next((each for each in error if isinstance(each.__cause__, ShapeError)), None)
        if misfit is None:
            raise error[0]
        return Match(text, False, f"the shapes do not fit: {misfit.message}")

    def elsewhere_too(self, text: str, reading: Reading) -> Match:
        """The verdict on a reading that is right on the recorded values."""
        read_as = self.read_as(reading)
        for point in self.points[1:]:
            value = point.value(reading)
            if not equal(value, point.right):
                words = diagnose(value, point.right, point.context) or extent(value, point.right)
                return Match(text, False, f"equal on the recorded values, but not on others: {words}", read_as)
        return Match(text, True, read_as=read_as, condition=self.condition(reading))

    def condition(self, reading: Reading) -> str:
        """The kinds of values that a formula relies on: those without which it is wrong."""
        needed = []
        for term, kind in self.kinds.items():
            others = {each: k for each, k in self.kinds.items() if each is not term}
            point = Point(self.values(self.elsewhere(TRIALS, others)), self)
            try:
                if not equal(point.value(reading), point.right) and np.all(np.isfinite(point.right)):
                    needed.append(f"{self.symbols[term]} {kind.name}")
            except ExpressionError:
                needed.append(f"{self.symbols[term]} {kind.name}")
        return f"for {' and '.join(needed)}" if needed else ""

    def wrong(self, text: str, stated: "list[Stated]") -> Match:
        """The verdict on a wrong formula, by the reading whose difference has a name."""
        right = self.recorded.right
        of_shape = [each for each in stated if each.value.shape == right.shape] or stated
        for each in of_shape[:DIAGNOSED]:
            if words := diagnose(each.value, right, self.recorded.context):
                return Match(text, False, words, each.read_as)
        return Match(text, False, extent(of_shape[0].value, right), of_shape[0].read_as)

    def read_as(self, reading: Reading) -> str:
        """The code that a text was parsed to, where it says more than the text."""
        return reading.code if reading.unusual else ""


class Stated(NamedTuple):
    """The value of a reading of a wrong formula."""

    value: Array
    read_as: str


def _identical(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=True)


class Point:
    """Values of all terms at one point, by term and by the names that formulas use."""

    def __init__(self, known: Mapping[Term, Any], matcher: _Matcher) -> None:
        self.known, self.matcher = known, matcher
        self.right = np.asarray(known[matcher.right])

    @cached_property
    def context(self) -> FormulaContext:
        """What the diagnosis knows."""
        return FormulaContext(self.matcher.right, self.known)

    @cached_property
    def scope(self) -> dict[str, Any]:
        """The value of every name that a formula may use."""
        names = {name: self.known[term] for term, name in self.matcher.symbols.items()}
        return {**self.others, **names}

    @cached_property
    def others(self) -> dict[str, Any]:
        """Variables beside the run, and the gradients that it does not name."""
        matcher = self.matcher
        others = dict(matcher.others)
        if matcher.gradients is not None:
            with np.errstate(all="ignore"):
                found = matcher.gradients.at(self.known, matcher.gradient_names)
                slopes = {x: matcher.gradients.slope(x, self.known) for x in matcher.gradient_names}
            others |= {matcher.gradient_names[x]: value for x, value in found.items()}
            others |= {f"{matcher.symbols[x]}'": value for x, value in slopes.items() if value is not None}
        return others

    def value(self, reading: Reading) -> Array:
        """The value of a reading here."""
        with np.errstate(all="ignore"):
            return reading.value(self.scope, self.matcher.right.shape)

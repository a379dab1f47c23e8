"""Is this the gradient? A typed formula is compared with the derived one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autotiny.algebra.picks import labels_of, place_of
from autotiny.algebra.term import Term
from autotiny.algebra.writing import as_text
from autotiny.derivation.points import Gradients, Kind, another, kind_of
from autotiny.derivation.program import identifier, values
from autotiny.derivation.textbook import Reading, equation
from autotiny.diagnosis import Context, FormulaContext, diagnose, equal, extent
from autotiny.errors import ShapeError
from autotiny.language import ExpressionError
from autotiny.language.paper.cursor import Vocabulary
from autotiny.language.paper.names import Names

Array = NDArray[Any]
TRIALS = 3
MISFITS = ShapeError, np.exceptions.AxisError, np.linalg.LinAlgError
"""Errors about shapes: a formula that has one differs from the gradient."""
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
    target: Term | None = None,
    conditional: Iterable[Term] = (),
    graph: Context | None = None,
) -> Match:
    """Compare a typed formula with the right one, on the recorded values and on other values of the tracked symbols.

    The text is NumPy code of autotiny's expression language, or textbook notation, over the names of the symbols and,
    among the `others`, of numbers and arrays, which stay the same. With `gradients` it may name the gradient by every
    tensor of the run; `graph` names slips in its derivation. The `conditional` symbols, on which a step relied, have
    other values of their kind, if what was derived is the gradient by the `target` there. Raises ExpressionError if it
    cannot be parsed.

    >>> from autotiny.algebra import symbol
    >>> A2, Y = symbol("A2", np.array([[0.5, 0.25], [0.5, 0.75]])), symbol("Y", np.eye(2))
    >>> right = (A2 - Y) / symbol("m", 8)
    >>> match("(A2 - Y) / m", right, {}, [A2])
    (A2 - Y) / m: the gradient
    >>> match("A2 - Y", right, {}, [A2])
    A2 - Y: 8 times the gradient: a missing 1/m?
    """
    usable = {n: v for n, v in others.items() if isinstance(v, int | float | complex | np.ndarray | np.number)}
    return _Matcher(right, definitions, tracked, usable, gradients, target, conditional, graph).match(text)


class _Matcher:
    def __init__(
        self,
        right: Term,
        definitions: Mapping[Term, Term],
        tracked: Iterable[Term],
        others: Mapping[str, Any],
        gradients: Gradients | None,
        target: Term | None,
        conditional: Iterable[Term],
        graph: Context | None,
    ) -> None:
        self.right, self.definitions, self.others, self.gradients = right, definitions, others, gradients
        self.goal, self.target, self.graph = target, "" if target is None else str(target.name), graph
        self.used = frozenset[str]()
        recorded = self.values({})
        self.symbols = {term: identifier(term.name) for term in recorded if term.name is not None}
        self.written = {term: as_text(term) for term in recorded if place_of(term) is not None or labels_of(term)}
        self.moved = [term for term in tracked if term not in definitions]
        self.conditional = {x for x in conditional if x not in definitions and kind_of(x.value) is not None}
        self.moved += self.conditional
        self.kinds = {term: kind for term in self.moved if (kind := kind_of(term.value)) is not None}
        self.recorded = Point(recorded, self)

    def values(self, known: Mapping[Term, Any]) -> dict[Term, Any]:
        with np.errstate(all="ignore"):
            return values([self.right, *self.definitions], self.definitions, known)

    @cached_property
    def points(self) -> "list[Point]":
        """The recorded point, and points of other values of the same kinds."""
        found = [Point(self.values(self.elsewhere(seed, self.kinds)), self) for seed in range(TRIALS)]
        if self.conditional and not all(equal(point.true, point.right) for point in found):
            self.moved = [term for term in self.moved if term not in self.conditional]
            self.kinds = {term: kind for term, kind in self.kinds.items() if term not in self.conditional}
            found = [Point(self.values(self.elsewhere(seed, self.kinds)), self) for seed in range(TRIALS)]
        return [self.recorded, *found]

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
        tensors = [x for x in self.gradients.tracked if x.name is not None and x is not self.gradients.output]
        return {x: identifier(f"d{x.name}") for x in tensors}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The names that the text may use."""
        spelled = {str(term.name): name for term, name in self.symbols.items()}
        more = {name: name for name in self.others} | {name: name for name in self.written.values() if "(" not in name}
        more |= {name: name for name in self.gradients.seed_names} if self.gradients is not None else {}
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

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every name that the text may use."""
        gradients = {name: x.shape for x, name in self.gradient_names.items()}
        others = {name: np.shape(value) for name, value in self.others.items()}
        return {**others, **gradients, **{name: term.shape for term, name in self.symbols.items()}}

    # ----- comparison -----
    def match(self, text: str) -> Match:
        target, text = f"d{identifier(self.target)}", self.with_identifiers(text)
        about = equation(text, self.vocabulary, self.shapes, self.right.shape, target)
        self.used = about.names
        named = set(self.gradient_names.values())
        for label in about.labels:
            other = self.vocabulary.names.find(label) or label
            if other in named and self.target and other != target:
                output = self.vocabulary.output
                return Match(text, False, f"its left side is {label}: this is d{output}/d{self.target}")
        results = [self.side(text, readings) for readings in about.sides]
        return next((found for found in results if not found), results[-1])

    def with_identifiers(self, text: str) -> str:
        """Return a text in which a name with a place in a list, W[0], is an identifier, unless W is one itself."""
        for term, name in self.symbols.items():
            whole, bracket, _ = str(term.name).partition("[")
            if bracket and whole not in self.shapes:
                text = re.sub(rf"(?<![\w.])([d∂]?){re.escape(str(term.name))}", rf"\1{name}", text)
        return text

    def side(self, text: str, readings: list[Reading]) -> Match:
        """The verdict on one side of an equation: of its readings the one that is right, else the most likely one."""
        stated, error = list[Stated](), list[ExpressionError]()
        by_chance: Match | None = None
        literal: ExpressionError | None = None  # of the text as NumPy code, which knows the names less well
        for reading in readings:
            try:
                value = self.recorded.value(reading)
                if equal(value, self.recorded.right_for(reading)):
                    found = self.elsewhere_too(text, reading)
                    if found:
                        return found
                    by_chance = by_chance or found
                elif not any(_identical(value, other.value) for other in stated):
                    stated.append(Stated(value, self.read_as(reading)))
            except ExpressionError as failed:
                literal = failed if reading.tree is None else literal
                error.append(failed)
        if by_chance is not None:
            return by_chance
        if stated:
            return self.wrong(text, stated)
        error = [each for each in error if each is not literal] or error
        misfit = next((each for each in error if isinstance(each.__cause__, MISFITS)), None)
        if misfit is None:
            raise error[0]
        return Match(text, False, f"the shapes do not fit: {misfit.message}")

    def elsewhere_too(self, text: str, reading: Reading) -> Match:
        """The verdict on a reading that is right on the recorded values."""
        read_as = self.read_as(reading)
        for point in self.points[1:]:
            value = point.value(reading)
            right = point.right_for(reading)
            if not equal(value, right):
                words = diagnose(value, right, point.context) or extent(value, right)
                return Match(text, False, f"equal on the recorded values, but not on others: {words}", read_as)
        return Match(text, True, read_as=read_as, condition=self.condition(reading))

    def condition(self, reading: Reading) -> str:
        """The kinds of values that a formula relies on: those without which it is wrong."""
        needed = []
        for term, kind in self.kinds.items():
            if not self.holds(reading, term, None):
                weaker = next((each for each in kind.weaker if self.holds(reading, term, each)), kind)
                needed.append(f"{self.symbols[term]} {weaker.name}")
        return f"for {' and '.join(needed)}" if needed else ""

    def holds(self, reading: Reading, term: Term, kind: Kind | None) -> bool:
        """Whether a reading is right where a symbol has values of another kind, or of none."""
        kinds = {each: own for each, own in self.kinds.items() if each is not term} | ({term: kind} if kind else {})
        point = Point(self.values(self.elsewhere(TRIALS, kinds)), self)
        try:
            return equal(point.value(reading), point.true_for(reading)) or not np.all(np.isfinite(point.true))
        except ExpressionError:
            return False

    def wrong(self, text: str, stated: "list[Stated]") -> Match:
        """The verdict on a wrong formula, by the reading whose difference has a name."""
        right = self.recorded.right
        of_shape = [each for each in stated if each.value.shape == right.shape] or stated
        for each in of_shape[:DIAGNOSED]:
            if words := diagnose(each.value, right, self.recorded.context):
                return Match(text, False, words + self.convention(words), each.read_as)
        return Match(text, False, extent(of_shape[0].value, right), of_shape[0].read_as)

    def convention(self, words: str) -> str:
        """The remark where a textbook's dZ, which leaves out 1/m, meets autograd's, which has it."""
        gradients = {*self.gradient_names.values()} & self.used
        if "one 1/" not in words or not gradients:
            return ""
        name = min(gradients)
        return f" Here {name} is d{self.vocabulary.output}/{name}, with the 1/m that textbooks write outside of it"

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
        recorded = self is self.matcher.recorded
        return FormulaContext(self.matcher.right, self.known, self.matcher.graph if recorded else None)

    @cached_property
    def scope(self) -> dict[str, Any]:
        """The value of every name that a formula may use."""
        names = {name: self.known[term] for term, name in self.matcher.symbols.items()}
        written = {name: self.known[term] for term, name in self.matcher.written.items()}
        return {**written, **self.others, **names}

    @cached_property
    def others(self) -> dict[str, Any]:
        """Variables beside the run, and the gradients that it does not name."""
        matcher = self.matcher
        others, run = dict(matcher.others), matcher.gradients
        if run is None:
            return others
        others |= dict.fromkeys(run.seed_names, run.seed)
        with np.errstate(all="ignore"):
            named = matcher.used - set(matcher.symbols.values())  # the gradients that the derivation names are symbols
            wanted = [x for x, name in matcher.gradient_names.items() if name in named]
            others |= {matcher.gradient_names[x]: value for x, value in run.at(self.known, wanted).items()}
            uses_slopes = any(name.endswith("'") or name[:1] == "∂" for name in matcher.used)
            for x in matcher.gradient_names if uses_slopes else ():
                for result, slope in run.slopes(x, self.known):
                    others.setdefault(f"{matcher.symbols[x]}'", slope)
                    others[f"∂{matcher.symbols[result]}/∂{matcher.symbols[x]}"] = slope
        return others

    def value(self, reading: Reading) -> Array:
        """The value of a reading here."""
        with np.errstate(all="ignore"):
            return reading.value(self.scope, self.right_for(reading).shape)

    @cached_property
    def true(self) -> Array:
        """The gradient as backprop computes it here, also where what was derived does not hold."""
        run, goal = self.matcher.gradients, self.matcher.goal
        if run is None or goal is None or run.output.size != 1:
            return self.right
        with np.errstate(all="ignore"):
            return np.asarray(run.at(self.known, [goal]).get(goal, self.right))

    def true_for(self, reading: Reading) -> Array:
        """What a reading should be, by backprop."""
        return self.true if self.right_for(reading) is self.right else self.right_for(reading)

    def right_for(self, reading: Reading) -> Array:
        """What a reading should be: the gradient; of a Jacobian J in a formula with the vector v, vᵀ J."""
        run = self.matcher.gradients
        if run is None or run.seed_names.isdisjoint(reading.names):
            return self.right
        seed: Array = run.seed @ self.right
        return seed

"""Is this the gradient? A typed formula is compared with the derived one."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autotiny.algebra.term import Term
from autotiny.derivation.program import identifier, values
from autotiny.derivation.textbook import code_of, with_axes_kept
from autotiny.diagnosis import FormulaContext, diagnose, equal, extent
from autotiny.errors import AutotinyError
from autotiny.language import ExpressionError, evaluate

Array = NDArray[Any]


# ----- interpretations of a typed formula: as NumPy code, or in textbook notation -----
class Interpretation(NamedTuple):
    """NumPy code; its description, if that adds to the text; whether vectors are columns in it."""

    code: str
    description: str = ""
    columns: bool = False

    def value(self, scope: Mapping[str, Any], shape: tuple[int, ...]) -> Array:
        """The value of the code; on paper a row, a column and a vector are one, so it takes the shape expected."""
        if self.columns:
            scope = {name: np.asarray(v)[:, None] if np.ndim(v) == 1 else v for name, v in scope.items()}
        value = np.asarray(evaluate(self.code, scope).value)
        if value.dtype.kind not in "fiub":
            raise ExpressionError(f"{self.code!r} is neither a number nor an array of numbers")
        value = value if value.dtype.kind == "f" else value.astype(float)
        on_paper = self.description and [n for n in value.shape if n > 1] == [n for n in shape if n > 1]
        return value.reshape(shape) if on_paper else value


def interpretations(text: str, names: Mapping[str, str], scope: Mapping[str, Any]) -> Iterator[Interpretation]:
    """Yield the text as code, then as textbook notation, where sums keep their axes and vectors are columns.

    `names` gives an identifier for each name, `scope` the values of the identifiers.
    """
    if _is_python(text) and all(name == identifier for name, identifier in names.items() if name in text):
        yield Interpretation(text)
    numbers = {name for name, value in scope.items() if np.ndim(value) == 0}
    code = code_of(text, {**{name: name for name in scope}, **names}, numbers)
    for variant, columns in product(dict.fromkeys((code, with_axes_kept(code))), (False, True)):
        description = variant if variant != code else ""
        yield Interpretation(variant, f"{variant} of columns" if columns else description, columns)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


# ----- the comparison -----
TRIALS = 3


@dataclass(frozen=True)
class Match:
    """Whether a formula is the gradient; false with the difference in words.

    Attributes
    ----------
    text : the formula as it was typed.
    ok : whether it is the gradient, for other values of the parameters too.
    difference : the difference in words; empty if there is none.
    read_as : the NumPy code that the text was parsed to, if that differs from the text.
    """

    text: str
    ok: bool
    difference: str = ""
    read_as: str = ""

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        read = f", read as {self.read_as}" if self.read_as else ""
        return f"{self.text}{read}: {'the gradient' if self.ok else self.difference}"


def match(
    text: str,
    right: Term,
    definitions: Mapping[Term, Term],
    tracked: Iterable[Term],
    others: Mapping[str, Any] = MappingProxyType({}),
) -> Match:
    """Compare a typed formula with the right one, on the recorded values and on other values of the tracked symbols.

    The text is NumPy code of autotiny's expression language, or textbook notation, over the names of the symbols and,
    among the `others`, of numbers and arrays, which stay the same. Raises ExpressionError if it cannot be parsed.

    >>> from autotiny.algebra import symbol
    >>> A2, Y = symbol("A2", np.array([[0.5, 0.25], [0.5, 0.75]])), symbol("Y", np.eye(2))
    >>> right = (A2 - Y) / symbol("m", 8)
    >>> match("(A2 - Y) / m", right, {}, [A2])
    (A2 - Y) / m: the gradient
    >>> match("A2 - Y", right, {}, [A2])
    A2 - Y: 8 times the gradient: a missing 1/m?
    """
    words = set(re.findall(r"[^\W\d]\w*", text))
    used = {name: others[name] for name in words if isinstance(others.get(name), int | float | np.ndarray)}
    return _Matcher(right, definitions, tracked, used).match(text)


class _Matcher:
    def __init__(
        self, right: Term, definitions: Mapping[Term, Term], tracked: Iterable[Term], others: Mapping[str, Any]
    ) -> None:
        self.right, self.definitions, self.tracked, self.others = right, definitions, list(tracked), others
        recorded = self.values({})
        self.symbols = {term: identifier(term.name) for term in recorded if term.name is not None}
        self.points = [recorded, *(self.values(self.elsewhere(seed)) for seed in range(TRIALS))]

    def values(self, known: Mapping[Term, Any]) -> dict[Term, Any]:
        with np.errstate(all="ignore"):
            return values([self.right, *self.definitions], self.definitions, known)

    def elsewhere(self, seed: int) -> dict[Term, Any]:
        """Other values of the tracked symbols that nothing defines, of the same signs and sizes."""
        rng = np.random.default_rng(seed)
        return {term: _moved(term.value, rng) for term in self.tracked if term not in self.definitions}

    def match(self, text: str) -> Match:
        best = self.best_interpretation(text)
        for i, point in enumerate(self.points):
            stated, right = self.value(best, point), np.asarray(point[self.right])
            if not equal(stated, right):
                elsewhere = "equal on the recorded values, but not on others: " if i else ""
                words = diagnose(stated, right, FormulaContext(self.right, point)) or extent(stated, right)
                return Match(text, False, elsewhere + words, best.description)
        return Match(text, True, read_as=best.description)

    def best_interpretation(self, text: str) -> Interpretation:
        """The first interpretation that is right; else the first of the right shape; else the first with a value."""
        values, error = dict[Interpretation, Array](), None
        names = {term.name: name for term, name in self.symbols.items() if term.name is not None}
        for each in interpretations(text, names, self.scope(self.points[0])):
            try:
                values[each] = self.value(each, self.points[0])
            except AutotinyError as failed:
                error = error or failed
        if not values:
            assert error is not None
            raise error
        right = np.asarray(self.right.value)
        return max(values, key=lambda each: (equal(values[each], right), values[each].shape == right.shape))

    def value(self, interpretation: Interpretation, point: Mapping[Term, Any]) -> Array:
        return interpretation.value(self.scope(point), self.right.shape)

    def scope(self, point: Mapping[Term, Any]) -> dict[str, Any]:
        """The value of every name that a formula may use."""
        return {**self.others, **{name: point[term] for term, name in self.symbols.items()}}


def _moved(value: Any, rng: np.random.Generator) -> Any:
    """Every entry times a random factor; zeros become small numbers."""
    entries = np.asarray(value)
    noise = rng.normal(size=entries.shape)
    return np.where(entries == 0, 0.1 * noise, entries * np.exp(0.3 * noise)).astype(entries.dtype)

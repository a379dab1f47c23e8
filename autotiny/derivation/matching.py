"""Is this the gradient? A formula that somebody typed, beside the one that was derived."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.algebra.term import Term, apply
from autotiny.algebra.term import plain as plain_op
from autotiny.derivation.program import identifier
from autotiny.derivation.textbook import as_numpy, with_axes_kept
from autotiny.derivation.unicode import Unicode
from autotiny.derivation.values import values
from autotiny.errors import AutotinyError
from autotiny.expressions import ExpressionError, evaluate
from autotiny.slips import factor, is_total, is_transposed, tidy

Array = NDArray[Any]

TRIALS = 3
NEGATED: dict[Any, Any] = {
    np.greater: np.less_equal, np.greater_equal: np.less, np.less: np.greater_equal, np.less_equal: np.greater,
    np.equal: np.not_equal, np.not_equal: np.equal,
}  # fmt: skip


@dataclass(frozen=True)
class Match:
    """Whether a formula is the gradient: true or false, with the difference in words.

    Attributes
    ----------
    text : the formula as it was typed.
    ok : whether it is the gradient, for other values of the parameters too.
    difference : in words; empty where there is none.
    read_as : the NumPy code as which it was read, where that says more than the text.
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
    """Hold a typed formula against the right one, on the recorded values and on others of the tracked symbols.

    The text is NumPy code of autotiny's expression language, or textbook notation, over the symbols' names and, of the
    `others`, numbers and arrays, which stay as they are. Raises ExpressionError where it cannot be read.

    >>> from autotiny.algebra import symbol
    >>> A2, Y = symbol("A2", np.array([[0.5, 0.25], [0.5, 0.75]])), symbol("Y", np.eye(2))
    >>> right = (A2 - Y) / symbol("m", 8)
    >>> match("(A2 - Y) / m", right, {}, [A2])
    (A2 - Y) / m: the gradient
    >>> match("A2 - Y", right, {}, [A2])
    A2 - Y: equal up to the factor 1/m
    """
    words = set(re.findall(r"[^\W\d]\w*", text))
    given = {name: others[name] for name in words if isinstance(others.get(name), int | float | np.ndarray)}
    return _Matching(right, definitions, tracked, given).match(text)


class _Matching:
    def __init__(
        self, right: Term, definitions: Mapping[Term, Term], tracked: Iterable[Term], others: Mapping[str, Any]
    ) -> None:
        self.right, self.definitions, self.tracked, self.others = right, definitions, list(tracked), others
        recorded = self.values({})
        self.symbols = {term: identifier(term.name) for term in recorded if term.name is not None}
        self.points = [recorded, *(self.values(self.elsewhere(seed)) for seed in range(TRIALS))]

    def values(self, given: Mapping[Term, Any]) -> dict[Term, Any]:
        with np.errstate(all="ignore"):
            return values([self.right, *self.definitions], self.definitions, given)

    def elsewhere(self, seed: int) -> dict[Term, Any]:
        """Other values of the tracked symbols that nothing defines, of the same signs and sizes."""
        rng = np.random.default_rng(seed)
        return {term: _moved(term.value, rng) for term in self.tracked if term not in self.definitions}

    def match(self, text: str) -> Match:
        stated = self.best_reading(text)
        for i, point in enumerate(self.points):
            if difference := self.difference(stated.at(point, self.right.shape), np.asarray(point[self.right]), point):
                elsewhere = "equal on the recorded values, but not on others: " if i else ""
                return Match(text, False, elsewhere + difference, stated.told)
        return Match(text, True, read_as=stated.told)

    # ----- what was typed -----
    def best_reading(self, text: str) -> "_Reading":
        """The first reading that is right; else the first that has the right shape; else the first that has a value."""
        readings, recorded, right = list[_Reading](), self.points[0], np.asarray(self.right.value)
        error: AutotinyError | None = None
        for reading in self.readings(text):
            try:
                value = reading.at(recorded, right.shape)
            except AutotinyError as failed:
                error = error or failed
                continue
            if equal(value, right):
                return reading
            readings.append(reading)
        if not readings:
            raise error or ExpressionError("there is no formula")
        return next((r for r in readings if r.at(recorded, right.shape).shape == right.shape), readings[0])

    def readings(self, text: str) -> Iterator["_Reading"]:
        """NumPy code as it stands; then what it says on paper, where sums keep their axes and vectors are columns."""
        names = {term.name: name for term, name in self.symbols.items() if term.name is not None}
        numbers = {name for term, name in self.symbols.items() if term.ndim == 0}
        numbers |= {name for name, value in self.others.items() if np.ndim(value) == 0}
        if _is_python(text) and all(name == known for name, known in names.items() if name in text):
            yield _Reading(self, text, "")
        code = as_numpy(text, {**{name: name for name in self.others}, **names}, numbers)
        kept = with_axes_kept(code)
        for as_code, columns in product(dict.fromkeys((code, kept)), (False, True)):
            told = as_code if as_code != code else ""
            yield _Reading(self, as_code, f"{told or code} of columns" if columns else told, columns)

    # ----- how it differs -----
    def difference(self, stated: Array, right: Array, point: Mapping[Term, Any]) -> str:
        """In words; empty where they are equal."""
        if equal(stated, right):
            return ""
        if stated.shape != right.shape:
            return _of_shapes(stated, right)
        ways: tuple[Callable[[], str | None], ...] = (
            lambda: self.up_to_factor(stated, right, point),
            lambda: "transposed: a .T is missing, or is one too many" if is_transposed(stated, right) else None,
            lambda: "a sum without its axis: every entry is the sum of all" if is_total(stated, right) else None,
            lambda: self.where(stated, right, point),
        )
        return next(told for way in ways if (told := way()))

    def up_to_factor(self, stated: Array, right: Array, point: Mapping[Term, Any]) -> str | None:
        """The number that it should be multiplied by, in the names of the formula where there is one."""
        ratio = factor(stated, right)
        if ratio is None:
            return None
        if abs(ratio + 1) < 1e-6:
            return "equal up to the sign"
        sign = "-" if ratio < 0 else ""
        for term, name in self.symbols.items():
            number = abs(float(point[term])) if term.ndim == 0 else 0.0
            if number and abs(abs(ratio) / number - 1) < 1e-6:
                return f"equal up to the factor {sign}1/{name}"
            if number and abs(abs(ratio) * number - 1) < 1e-6:
                return f"equal up to the factor {sign}{name}"
        return f"equal up to the factor {tidy(1 / ratio)}"

    def where(self, stated: Array, right: Array, point: Mapping[Term, Any]) -> str:
        """The entries that differ: by a mask of the formula where there is one that tells them."""
        wrong = ~_near(stated, right)
        for term, value in point.items():
            if term.op is not None and term.op.function in NEGATED and np.shape(value) == right.shape:
                outside = ~np.asarray(value)
                if outside.any() and not (wrong & ~outside).any():
                    return f"differs where {_negated(term)}{', where the gradient is 0' * (not right[outside].any())}"
        apart = float(np.max(np.abs(stated - right), initial=0, where=np.isfinite(right) & np.isfinite(stated)))
        largest = float(np.max(np.abs(right), initial=0, where=np.isfinite(right)))
        some = "every entry" if wrong.all() else f"{wrong.sum()} of {wrong.size} entries"
        return f"differs in {some}, by up to {apart:.2g} where the largest entry is {largest:.2g}"


@dataclass(frozen=True)
class _Reading:
    """One way to read a text."""

    matching: _Matching
    code: str
    told: str
    columns: bool = False

    def at(self, point: Mapping[Term, Any], shape: tuple[int, ...]) -> Array:
        """Its value; on paper a row, a column and a vector are one."""
        symbols = {name: point[term] for term, name in self.matching.symbols.items()}
        scope = {**self.matching.others, **symbols}
        if self.columns:
            scope = {name: np.asarray(v)[:, None] if np.ndim(v) == 1 else v for name, v in scope.items()}
        value = np.asarray(evaluate(self.code, scope).value)
        if value.dtype.kind not in "fiub":
            raise ExpressionError(f"{self.code!r} is no number or array")
        value = value if value.dtype.kind == "f" else value.astype(float)
        on_paper = self.told and [n for n in value.shape if n > 1] == [n for n in shape if n > 1]
        return value.reshape(shape) if on_paper else value


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def _moved(value: Any, rng: np.random.Generator) -> Any:
    """Each entry by a random factor; zeros to small numbers."""
    entries = np.asarray(value)
    noise = rng.normal(size=entries.shape)
    return np.where(entries == 0, 0.1 * noise, entries * np.exp(0.3 * noise)).astype(entries.dtype)


def _near(stated: Array, right: Array) -> Any:
    """Entry by entry, whether they differ by rounding at most; what is not finite on the right says nothing."""
    largest = float(np.max(np.abs(right), initial=0, where=np.isfinite(right)))
    close = 1e-9 if min(stated.itemsize, right.itemsize) >= 8 else 1e-4
    with np.errstate(invalid="ignore"):
        return (np.abs(stated - right) <= close * largest) | ~np.isfinite(right)


def equal(stated: Array, right: Array) -> bool:
    """Whether two arrays are one but for rounding."""
    return stated.shape == right.shape and bool(np.all(_near(stated, right)))


def _of_shapes(stated: Array, right: Array) -> str:
    """Whether a transpose or a sum over an axis is all that is missing."""
    if stated.T.shape == right.shape and equal(stated.T, right):
        return "transposed: a .T is missing, or is one too many"
    for axis in range(stated.ndim):
        for keepdims in (True, False):
            total = stated.sum(axis=axis, keepdims=keepdims)
            if equal(total, right) or (total.shape == right.shape and factor(total, right)):
                return f"its shape is {stated.shape}, the gradient's {right.shape}: a missing sum over axis={axis}?"
    return f"its shape is {stated.shape}, the gradient's {right.shape}"


def _negated(condition: Term) -> str:
    assert condition.op is not None
    return Unicode()(apply(plain_op(NEGATED[condition.op.function]), condition.args, {}))

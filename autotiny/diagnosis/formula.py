"""The context of a derived formula, by which the mistakes in a typed formula are recognised."""

from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from autotiny.algebra.normal import addends, is_sum
from autotiny.algebra.term import Term, apply, plain, topological_order
from autotiny.algebra.writing import as_text
from autotiny.diagnosis.context import Context
from autotiny.diagnosis.mistakes import missing_term
from autotiny.diagnosis.values import Array
from autotiny.engine.pytree import tree_map
from autotiny.ops import OPS
from autotiny.ops.plain import NEGATION

MULTIPLY = OPS[np.multiply]
MOST_FACTORS = 24
"""The largest number of factors of a formula that are left out one by one."""


class FormulaContext(Context):
    """The context of a gradient with the formula `right`, and the values of its terms.

    `graph` is the context of the recorded graph, where the values are the recorded ones.
    """

    def __init__(self, right: Term, values: Mapping[Term, Any], graph: Context | None = None) -> None:
        self.right, self.values, self.graph = right, values, graph
        self.order = topological_order(right)

    def counts(self) -> Mapping[int, str]:
        """Return the numbers of examples; without a graph, the lengths of axes and the whole numbers with a name."""
        if self.graph is not None:
            return self.graph.counts()
        shapes = {term.shape for term in self.order if term.ndim}
        lengths = {n: "m" for shape in shapes for n in (*shape, int(np.prod(shape)))}
        return lengths | {int(n): name for name, n in self.numbers().items() if n.is_integer()}

    def sums(self) -> Mapping[int, str]:
        """Return the numbers of examples that the loss sums over, which the graph has."""
        return {} if self.graph is None else self.graph.sums()

    def lengths(self) -> Collection[int]:
        """Return the lengths of axes that count no examples, which the graph has."""
        return () if self.graph is None else self.graph.lengths()

    def has_two(self) -> bool:
        """Whether the loss has a factor of 2 that may be forgotten, which the graph has."""
        return self.graph is None or self.graph.has_two()

    def scales(self) -> Collection[float]:
        """Return the numbers that the loss multiplies or divides by, which the graph has."""
        return () if self.graph is None else self.graph.scales()

    def entries(self) -> Collection[int]:
        """Return the numbers of entries that the loss sums over, which the graph has."""
        return () if self.graph is None else self.graph.entries()

    def averaged(self, ratio: float) -> str:
        """Return the sum of which a factor makes a mean, which the graph has."""
        return "" if self.graph is None else self.graph.averaged(ratio)

    def explanations(self, stated: Array, right: Array) -> Iterator[str]:
        """Yield a missing term of the formula, then the slips that the graph explains a gradient by."""
        missing = missing_term(stated, right, self)
        if missing:
            yield missing
        if self.graph is not None:
            yield from self.graph.explanations(stated, right)

    def numbers(self) -> Mapping[str, float]:
        """Return the symbols that are numbers, by name."""
        if self.graph is not None:
            return self.graph.numbers()
        symbols = [term for term in self.values if term.name is not None and term.ndim == 0]
        return {as_text(term): float(self.values[term]) for term in symbols}

    def terms(self) -> Iterator[tuple[str, Array]]:
        """Yield the addends of the formula."""
        for coefficient, term in addends(self.right):
            value = self._value(term, {})
            if np.shape(value) == self.right.shape:
                name = "" if abs(coefficient) == Fraction(1) else f"{float(abs(coefficient)):.6g} "
                yield f"the term {'-' * (coefficient < 0)}{name}{as_text(term)}", float(coefficient) * value

    def without_factor(self) -> Iterator[tuple[str, Array]]:
        """Yield the formula without one of its factors."""
        factors = [arg for term in self.order if term.op is MULTIPLY for arg in term.args if not arg.is_constant]
        for term in list(dict.fromkeys(factors))[:MOST_FACTORS]:
            yield described(term), self._value(self.right, {term: np.ones(term.shape, term.dtype)})

    def of_one_example(self) -> Iterator[tuple[int, int, Array]]:
        """Yield the formula with the first or the last entry in place of a sum over an axis."""
        for term in self.order:
            axis = term.kwargs.get("axis")
            if is_sum(term) and type(axis) is int:
                summed = np.asarray(self._value(term.args[0], {}))
                for i in (0, summed.shape[axis] - 1) if summed.size else ():
                    entry = summed.take([i], axis=axis).reshape(term.shape)
                    yield axis % summed.ndim, i, self._value(self.right, {term: entry})

    def conditions(self) -> Iterator[tuple[str, Array]]:
        """Yield the conditions under which the masks of the formula are 0."""
        for term in self.order:
            stop = stop_condition(term)
            if stop is not None:
                yield stop[0], ~np.asarray(self.values.get(term, term.value))

    def _value(self, root: Term, at: Mapping[Term, Any]) -> Array:
        """Return the value of a formula where the terms in `at` have these values instead of the recorded ones."""
        changed = dict(at)

        def value(part: Any) -> Any:
            return changed.get(part, self.values.get(part, part.value)) if isinstance(part, Term) else part

        with np.errstate(all="ignore"):
            for term in topological_order(root):
                known = term in self.values and changed.keys().isdisjoint(term.parents)
                if term.op is not None and term not in changed and not known:
                    options = tree_map(value, dict(term.kwargs))
                    changed[term] = term.op.forward(*map(value, term.args), **options)
        return np.asarray(value(root))


def described(factor: Term) -> str:
    """Return a factor in words: "the mask 1[Z1 > 0]", "the factor 1 - A1²"."""
    return f"the mask 1[{as_text(factor)}]" if factor.dtype == bool else f"the factor {as_text(factor)}"


def stop_condition(mask: Term) -> tuple[str, Array] | None:
    """Return the condition under which a mask is 0, as text and as an array; None if the term is not a comparison."""
    if mask.op is None or mask.op.function not in NEGATION:
        return None
    negated = apply(plain(NEGATION[mask.op.function]), mask.args, {})
    return as_text(negated), np.asarray(negated.value)

"""Lemmas: the gradients that a formula names, such as dZ2 in W2ᵀ dZ2 * 1[Z1 > 0].

A name hides what could cancel: A * (dA - sum(A * dA)) is A - Y once dA is in place. So a gradient is tried in place
wherever it may cancel, and the formula with the shortest whole is chosen: its own operations, and those of the
gradients that it names, counted once. On a tie, the gradient of a tensor from which several tensors are made keeps its
name, as in dW2 = dZ2 A1ᵀ and db2 = sum(dZ2), unless it is a short one of a number; any other is written in place.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from autotiny.algebra import Term, topological_order
from autotiny.algebra.chain_rule import replaced
from autotiny.algebra.cost import cost
from autotiny.algebra.normal import MATMUL, is_transpose
from autotiny.algebra.search import Rewrite
from autotiny.algebra.simplify import Simplifier, size
from autotiny.derivation.readable import readable

LONG = 60
"""The largest number of operations of a formula into which gradients are put in place."""

SHORT = 3
"""The largest number of operations of the gradient of a number that is written in place where that is as short."""

TRIES = 4
"""The largest number of gradients that are put in place one after the other without a shorter whole."""


class Gradient(NamedTuple):
    """A gradient that formulas may name: of a tensor, by the chain rule's formula for it, in normal form.

    It is shared where several tensors are made from that tensor, so that each of their gradients uses this one, and
    used `uses` times on the way to the target. A toll is what its name costs: that of a part of the code without a name
    has to be explained. Where the target is used there itself, that is decided last, for the target's own gradient.
    """

    of: Term
    chain: Term
    is_shared: bool
    uses: int = 1
    toll: int = 0
    decided_last: bool = False


class Formula(NamedTuple):
    """The chain rule's formula of a gradient, and the steps to the one with the shortest whole."""

    chain: Term
    rewrites: list[Rewrite]

    @property
    def term(self) -> Term:
        """The last one."""
        return self.rewrites[-1].after if self.rewrites else self.chain


class Lemmas:
    """The gradients between a loss and a tensor, and the formulas that name some of them."""

    def __init__(self, simplifier: Simplifier, normal: Callable[[Term], Term]) -> None:
        self.simplifier, self.normal = simplifier, normal
        self.gradients: dict[Term, Gradient] = {}
        self.formulas: dict[Term, Formula] = {}
        self.wholes: dict[Term, dict[Term, int]] = {}
        self.is_last = False

    def add(self, name: Term, gradient: Gradient) -> None:
        """Add a gradient that later formulas may name."""
        self.gradients[name] = gradient
        if self.names(gradient.chain):  # now, so that no chain of layers is too long for recursion
            self.formula(name)

    def names(self, term: Term) -> list[Term]:
        """The gradients that a formula names, the last one first."""
        return sorted(self.gradients.keys() & topological_order(term), key=lambda g: -g.number)

    def formula(self, name: Term) -> Formula:
        """The shortest formula of a gradient that has a name."""
        if name not in self.formulas:
            self.formulas[name] = self.shortest(self.gradients[name].chain)
        return self.formulas[name]

    def needed(self, formula: Formula) -> list[Term]:
        """The gradients that a formula and its steps name, and those that these name, the first one first."""
        needed, latest = set[Term](), [formula]
        while latest:
            new = {g for each in latest for end in (each.chain, each.term) for g in self.names(end)} - needed
            needed |= new
            latest = [self.formula(g) for g in new]
        return sorted(needed, key=lambda g: g.number)

    # ----- in place, or by name -----
    def in_place(self, chain: Term) -> Term:
        """Return a formula without the names that cannot make it shorter."""
        while (name := next((g for g in self.names(chain) if self._is_of_no_use(g, chain)), None)) is not None:
            chain = self._with_in_place(chain, name)
        return chain

    def _is_of_no_use(self, name: Term, chain: Term) -> bool:
        gradient = self.gradients[name]
        once = not gradient.is_shared and gradient.uses == 1 and occurrences(chain)[name] == 1
        return once and size(chain)[0] + size(gradient.chain)[0] <= LONG

    def _with_in_place(self, chain: Term, name: Term) -> Term:
        return self.normal(replaced(chain, {name: self.gradients[name].chain}))

    def of_target(self, chain: Term) -> Formula:
        """Return the shortest formula for the target, for which a gradient's name alone says nothing."""
        while chain in self.gradients:
            chain = self.gradients[chain].chain
        self.is_last = True
        return self.shortest(chain)

    def shortest(self, chain: Term) -> Formula:
        """Return the formula with the shortest whole."""
        best = self._simplified(chain)
        least, tried, in_vain = self._whole(best.term), set[Term](), 0
        while in_vain < TRIES and (name := self._to_try(chain, tried)) is not None:
            tried.add(name)
            longer = self.in_place(self._with_in_place(chain, name))
            if size(longer)[0] > LONG or (self.gradients[name].is_shared and not self.simplifier.reduce(longer)):
                continue  # too long, or nothing cancels
            other = self._simplified(longer)
            whole = self._whole(other.term)
            if whole < least or (whole == least and not self._keeps_its_name(name)):
                best, least, chain, in_vain = other, whole, longer, 0
            else:
                chain, in_vain = chain if self.gradients[name].is_shared else longer, in_vain + 1
        return self._without_single_uses(best)

    def _without_single_uses(self, formula: Formula) -> Formula:
        """Return a formula in which a name that is left in one place alone is written out, in every step."""
        for name in self.names(formula.term):
            is_named = self.gradients[name].toll == 0 and self.gradients[name].of.size > 1
            if occurrences(formula.term)[name] == 1 and not is_named and not self._keeps_its_name(name):
                longer = self._spliced(formula, name)
                if size(longer.chain)[0] <= LONG and self._whole(longer.term) <= self._whole(formula.term):
                    formula = longer
        return formula

    def _spliced(self, formula: Formula, name: Term) -> Formula:
        """Return the steps of a formula in which a gradient is written out, and then those of that gradient."""
        inner = self.formula(name)
        steps = [
            rewrite._replace(
                before=replaced(rewrite.before, {name: inner.chain}), after=replaced(rewrite.after, {name: inner.chain})
            )
            for rewrite in formula.rewrites
        ]
        steps += [
            rewrite._replace(
                before=replaced(formula.term, {name: rewrite.before}),
                after=replaced(formula.term, {name: rewrite.after}),
            )
            for rewrite in inner.rewrites
        ]
        return Formula(replaced(formula.chain, {name: inner.chain}), steps)

    def _to_try(self, chain: Term, tried: set[Term]) -> Term | None:
        """The last gradient that may cancel in a formula once it is in place of its name."""
        names = (g for g in self.names(chain) if g not in tried)
        return next(
            (g for g in names if not self.gradients[g].is_shared or not is_only_a_matrix_factor(g, chain)), None
        )

    def _simplified(self, chain: Term) -> Formula:
        return Formula(chain, self.simplifier.simplify(chain))

    def _keeps_its_name(self, name: Term) -> bool:
        gradient = self.gradients[name]
        is_short = gradient.of.size == 1 and self._operations(name) <= SHORT
        return (gradient.is_shared and not is_short) or (gradient.decided_last and not self.is_last)

    # ----- the whole -----
    def _whole(self, term: Term) -> int:
        """The number of operations of a formula and of the gradients that it names, those that these name included."""
        named: dict[Term, int] = {}
        for name in self.names(term):
            named |= self._whole_of_name(name)
        tolls = (self.gradients[g].toll for g in named if self.is_last or not self.gradients[g].decided_last)
        return operations(term) + sum(named.values()) + sum(tolls)

    def _whole_of_name(self, name: Term) -> dict[Term, int]:
        """The number of operations of a gradient, and of each that its formula names."""
        if name not in self.wholes:
            self.wholes[name] = {name: self._operations(name)}
            for other in self.names(self.formula(name).term):
                self.wholes[name] |= self._whole_of_name(other)
        return self.wholes[name]

    def _operations(self, name: Term) -> int:
        return operations(self.formula(name).term)


def operations(term: Term) -> int:
    """Return the number of operations of a formula on paper."""
    return cost(readable(term)).operations


def occurrences(term: Term) -> Counter[Term]:
    """Return how often a formula names each symbol, repetitions of what is shared included."""
    times: Counter[Term] = Counter({term: 1})
    for part in reversed(topological_order(term)):
        for arg in part.args:
            times[arg] += times[part]
    return times


def is_only_a_matrix_factor(name: Term, term: Term) -> bool:
    """Whether a formula uses a symbol in matrix products alone, transposed or not."""
    parts = topological_order(term)
    alike = {name, *(part for part in parts if is_transpose(part) and part.args[0] is name)}
    users = [part for part in parts if part not in alike and not alike.isdisjoint(part.args)]
    return all(part.op is MATMUL for part in users)

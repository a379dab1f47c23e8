"""Passage: the part of a run between an output and a target, and which of its tensors lie on the way."""

from collections.abc import Collection
from functools import cached_property

from autotiny.algebra import Simplifier, Term, topological_order
from autotiny.derivation.facts import NormInRange
from autotiny.derivation.lift import Lifted


class Passage:
    """From an output down to a target.

    Attributes
    ----------
    run, stated : the run in formulas, as it was recorded, and with its definitions as they are printed.
    output, goal, seed : the symbols of the output and of the target, and the gradient of the output.
    names : names of the user's, which no part of the code without a name is called by.
    """

    def __init__(
        self, run: Lifted, stated: Lifted, output: Term, goal: Term, seed: Term, names: Collection[str]
    ) -> None:
        self.run, self.stated, self.names = run, stated, names
        self.output, self.goal, self.seed = output, goal, seed

    @property
    def is_gradient(self) -> bool:
        """Whether the output is a single number; else its Jacobian is derived."""
        return self.seed.is_constant

    @cached_property
    def path(self) -> list[Term]:
        """The symbols on the way, both ends included, in the order of recording."""
        return [s for s in self.run.symbols.values() if s in self.on_the_way]

    @cached_property
    def on_the_way(self) -> set[Term]:
        """The symbols that the output depends on, and that depend on the target, both included."""
        above, latest = {self.output}, [self.output]
        for sign in latest:  # grows while it is walked
            made = self.run.definitions.get(sign)
            new = set() if made is None else {x for x in topological_order(made) if x.name is not None} - above
            above |= new
            latest += new
        leading = {self.goal}
        for sign, made in self.run.definitions.items():
            if sign in above and not leading.isdisjoint(topological_order(made)):
                leading.add(sign)
        return leading

    @cached_property
    def symbols(self) -> set[Term]:
        """Every symbol of the run."""
        terms = topological_order(*self.run.definitions.values())
        return {t for t in terms if t.name is not None}

    def feeds_several(self, sign: Term) -> bool:
        """Whether the gradients of several tensors use the one of this, besides those on the way to the target."""
        return len(self._operands(sign)) > 1 and not self._leaves[sign] <= self._leaves[self.goal]

    def _operands(self, sign: Term) -> set[Term]:
        """The tracked tensors that a named one is made of."""
        made = self.run.definitions.get(sign)
        return set() if made is None else set(topological_order(made)) & self.run.tracked

    @cached_property
    def _leaves(self) -> dict[Term, set[Term]]:
        """The tracked leaves that each named tensor is made of."""
        leaves: dict[Term, set[Term]] = {}
        for sign in self.run.symbols.values():
            below = self._operands(sign)
            leaves[sign] = set().union(*(leaves[s] for s in below)) if below else {sign}
        return leaves


def without_guards(run: Lifted) -> Lifted:
    """Return a run in whose definitions a norm to divide by is the norm, where it is in range."""
    guard, plain = NormInRange(), Simplifier()
    guarded = {s for s, made in run.definitions.items() if any(guard.holds(part) for part in topological_order(made))}
    stated = {s: plain.apply(guard, made) if s in guarded else made for s, made in run.definitions.items()}
    return run._replace(definitions=stated)

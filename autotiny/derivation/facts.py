"""Rules that belong to one run: what its names stand for, and what was found to hold on its data."""

from dataclasses import dataclass

import numpy as np

from autotiny.algebra import Term
from autotiny.algebra.normal import fitted, is_sum
from autotiny.algebra.rewrites import rewritten


@dataclass(frozen=True)
class Definition:
    """A named tensor stands for the code that made it."""

    symbol: Term
    made: Term
    name: str
    """What a student would call the rule."""

    def at(self, term: Term) -> Term | None:
        """The name in the place of what it stands for, among other factors or addends too."""
        return rewritten(self.made, term, lambda bound: self.symbol)


@dataclass(frozen=True)
class SumsToOne:
    """All sums of a given array along an axis are 1; found on the data."""

    given: frozenset[Term]
    name: str = "holds on the data"

    def at(self, term: Term) -> Term | None:
        """1 in the place of the sums."""
        return fitted(1, term.shape) if self.holds(term) else None

    def holds(self, term: Term) -> bool:
        """Whether a term is such sums, and all of them are 1."""
        if not is_sum(term) or term.args[0] not in self.given or not term.size:
            return False
        sums = np.asarray(term.value)
        precision = np.finfo(sums.dtype if sums.dtype.kind == "f" else float).eps
        return bool(np.all(abs(sums - 1) <= 64 * precision))

"""Simplify: apply the table until the smallest form is reached, and record the steps."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from autotiny.algebra.equation import AlgebraError, Equation, measure
from autotiny.algebra.normal import SUMS
from autotiny.algebra.normalise import normalise
from autotiny.algebra.picks import PLACEMENTS, SCATTERS, Placement
from autotiny.algebra.rewrites import EXPANSIONS, ROWS
from autotiny.algebra.segments import SEGMENTS, SHIFTS
from autotiny.algebra.term import Term, apply, constant, topological_order
from autotiny.ops import Op

LONGEST = 100
"""The largest number of steps of a simplification."""

PATIENCE = 8
"""Times that a rule applies to its own results before these must be smaller: normal form may add a sign meanwhile."""

LARGE = 40
"""The largest number of operations of a formula that is multiplied out in search of terms that cancel."""


class RewriteRule(Protocol):
    """A rule for rewriting: an equation of the table, a definition, or a fact about the data."""

    @property
    def name(self) -> str:
        """The name that a student would recognise."""
        ...

    @property
    def needs(self) -> frozenset[Op | None]:
        """The operations without which it does not apply."""
        ...

    def at(self, term: Term) -> Term | None:
        """Return what a term is rewritten to; None where the rule does not apply."""
        ...


class Rewrite(NamedTuple):
    """A step: a rule that was applied wherever it applies."""

    rule: RewriteRule
    before: Term
    after: Term


def size(term: Term) -> tuple[int, int]:
    """Return the numbers of operations and symbols in a formula, repetitions included."""
    sizes: dict[Term, tuple[int, int]] = {}
    for part in topological_order(term):
        inner = [sizes[arg] for arg in part.args]
        own = (part.op is not None, part.op is None and part.name is not None)
        sizes[part] = (own[0] + sum(n for n, _ in inner), own[1] + sum(n for _, n in inner))
    return sizes[term]


def rebuilt(part: Term, args: tuple[Term, ...]) -> Term:
    """Return the operation of a term on other operands."""
    if part.op is None or all(new is old for new, old in zip(args, part.args, strict=True)):
        return part
    return constant(apply(part.op, args, part.kwargs))


def inner_sums(terms: Iterable[Term]) -> set[Term]:
    """Return the sums that are addends of others."""
    return {arg for term in terms if term.op in SUMS for arg in term.args if arg.op in SUMS}


def in_short(term: Term) -> str:
    """Return the beginning of a formula, for an error message."""
    text = repr(term) if size(term)[0] < LARGE else f"a formula of {size(term)[0]} operations"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def require_smaller(rule: RewriteRule, result: Term, made_of: Term) -> None:
    """Raise AlgebraError where a simplifying rule applies to its own result, which is not smaller."""
    if measure(result) >= measure(made_of) and not (isinstance(rule, Equation) and rule.expands):
        raise AlgebraError(
            f"equation {rule.name!r} does not make {in_short(made_of)} smaller: applied to its results, "
            "it would never end"
        )


class Simplifier:
    """Applies rules, then the table, then facts about the data. Normal forms are cached."""

    def __init__(self, rules: Iterable[RewriteRule] = (), facts: Iterable[RewriteRule] = ()) -> None:
        self.rules: Sequence[RewriteRule] = (*rules, *SCATTERS, *SHIFTS, *PLACEMENTS, *SEGMENTS, *ROWS, *facts)
        self._normal: dict[Term, Term] = {}

    def normal(self, term: Term) -> Term:
        """Return the normal form."""
        return self._mapped(term, None)

    def apply(self, rule: RewriteRule, term: Term) -> Term:
        """Return the term, rewritten by one rule wherever it applies, to its own results too.

        Raises AlgebraError where a rule that does not expand applies to its own results again and again, and these do
        not become smaller.
        """
        return self._mapped(term, rule)

    def _mapped(self, term: Term, rule: RewriteRule | None, made_of: tuple[Term, ...] = ()) -> Term:
        done: dict[Term, Term] = {}
        order = topological_order(term)
        inner = inner_sums(order) if isinstance(rule, Placement) and rule.whole_sums else ()
        for part in order:
            args = tuple(done[arg] for arg in part.args)
            result = self._normalised(rebuilt(part, args))
            after = rule.at(result) if rule and part not in inner else None
            if rule is None or after is None:
                done[part] = result
                continue
            if len(made_of) == PATIENCE:
                require_smaller(rule, result, made_of[0])
            changed = self.normal(after)
            done[part] = result if changed is result else self._mapped(changed, rule, (*made_of, result)[-PATIENCE:])
        return done[term]

    def _normalised(self, term: Term) -> Term:
        if term not in self._normal:
            self._normal[term] = normalise(term)
        return self._normal[term]

    def reduce(self, term: Term) -> list[Rewrite]:
        """Return the steps of the rules until none applies."""
        steps: list[Rewrite] = []
        while len(steps) < LONGEST and (step := self._first(term)) is not None:
            steps.append(step)
            term = step.after
        return steps

    def _first(self, term: Term) -> Rewrite | None:
        present = {part.op for part in topological_order(term)}
        for rule in self.rules:
            if not rule.needs <= present:
                continue
            after = self.apply(rule, term)
            if after is not term:
                return Rewrite(rule, term, after)
        return None

    def simplify(self, term: Term) -> list[Rewrite]:
        """Return the steps to the smallest form that is reached, also by way of larger ones."""
        steps = self.reduce(self.normal(term))
        term = steps[-1].after if steps else self.normal(term)
        while (longer := self._by_expansion(term)) is not None:
            steps += longer
            term = steps[-1].after
        return steps

    def _by_expansion(self, term: Term) -> list[Rewrite] | None:
        """Return steps over a larger form to a smaller one, if there are any."""
        best, smallest = None, size(term)
        for way in self._expansions(term):
            if (reached := size(way[-1].after)) < smallest:
                best, smallest = way, reached
        return best

    def _expansions(self, term: Term) -> Iterable[list[Rewrite]]:
        largest = 3 * size(term)[0]
        if largest > 3 * LARGE:
            return
        for rule in EXPANSIONS:
            steps: list[Rewrite] = []
            at = term
            while len(steps) < 4 and (after := self.apply(rule, at)) is not at and size(after)[0] <= largest:
                steps.append(Rewrite(rule, at, after))
                more = self.reduce(after)
                yield [*steps, *more]
                at = after

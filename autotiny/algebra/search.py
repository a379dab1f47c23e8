"""Search for the smallest form of a formula, also by way of larger ones, after which terms fall together.

A state is a whole formula in normal form, so that no rule is about the order of factors and addends. From the smallest
states first, each expansion is tried at every place; then each rule that applies to what it has changed, and the
others until none applies. What was computed for a subterm is kept, so that a state costs as much as its difference
from the one before. Of all states at which no rule applies, the smallest is the result, by the shortest path of steps
that was found.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from autotiny.algebra.cost import Cost, cost
from autotiny.algebra.equation import Equation
from autotiny.algebra.normal import PRODUCTS, SUMS, addends, factors
from autotiny.algebra.term import Term, topological_order
from autotiny.ops import Op

STATES = 6
"""The largest number of states that are expanded."""

EFFORT = 150
"""The largest number of operations, in all, of the states from which the ways are followed to their ends."""

ENTRIES = 100_000
"""Entries of arrays that take as long to compute as the rules take."""

LARGE = 40
"""The largest number of operations of a formula for which a smaller form is searched."""

WIDEST = 12
"""The largest number of factors or addends of such a formula: any of them may be paired with any other."""

GROWTH = 3
"""How many times as many operations as the smallest form a state may have."""

FOLLOWERS = 4
"""The largest number of rules, or of their matches, that are tried on what an expansion has changed."""

PLACES = 12
"""The largest number of places at which a step expands a formula."""

STEP = 0.5
"""The operations that a form must save for each step that leads to it."""


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


class Reducer(Protocol):
    """Applies rules to formulas in normal form."""

    def reduce(self, term: Term) -> list[Rewrite]:
        """Return the steps of the rules until none applies."""
        ...

    def applicable(self, part: Term) -> list[RewriteRule]:
        """Return the rules that apply to a term as a whole."""
        ...

    def replace(self, term: Term, part: Term, by: Term) -> Term:
        """Return the term with another term in place of one of its parts."""
        ...


class Way(NamedTuple):
    """The shortest path to a state: its length, that of small states being shorter, and its last step."""

    length: float
    steps: int
    last: Rewrite | None


class Search:
    """The states that were reached from one formula, and the steps between them."""

    def __init__(self, reducer: Reducer, expansions: Sequence[RewriteRule], limit: int = EFFORT) -> None:
        self.reducer, self.expansions, self.limit = reducer, expansions, limit
        self.steps: dict[Term, list[Rewrite]] = {}
        self.ends: dict[Term, None] = {}
        self.queue: list[tuple[Cost, int, Term]] = []
        self.queued: set[Term] = set()
        self.effort, self.spent = 1, 0

    def smallest(self, start: Term) -> list[Rewrite]:
        """Return the steps from a formula in normal form to the smallest form that is found."""
        greedy = self.follow(start)
        end = greedy[-1].after if greedy else start
        smallest = cost(end)
        if not 1 < smallest.operations <= LARGE or width(end) > WIDEST:
            return greedy
        self.effort = self.limit // (1 + max(part.size for part in topological_order(start)) // ENTRIES)
        before = self.effort
        for _ in range(STATES):
            if self.queue and self.effort > 0:
                self.expand(heapq.heappop(self.queue)[-1], GROWTH * smallest.operations)
        self.spent = before - self.effort
        smaller = [state for state in self.ends if cost(state) < smallest]
        if not smaller:
            return greedy
        ways = self.shortest_ways(start)
        best = min((end, *smaller), key=lambda state: worth(state, ways[state]))
        return greedy if best is end else list(joined(path(best, ways)))

    # ----- states -----
    def follow(self, state: Term) -> list[Rewrite]:
        """Apply the rules to a state until none applies; return the steps."""
        if self.effort <= 0:
            return []
        self.effort -= cost(state).operations
        steps = self.reducer.reduce(state)
        for step in steps:
            self.is_new(step)
        end = steps[-1].after if steps else state
        if end not in self.ends:
            self.ends[end] = None
            self.push(end)
        return steps

    def is_new(self, step: Rewrite) -> bool:
        """Note a step; return whether its result is a new state."""
        self.steps.setdefault(step.before, []).append(step)
        if step.after in self.steps:
            return False
        self.steps[step.after] = []
        return True

    def push(self, state: Term) -> None:
        """Queue a state once, to be expanded when it is the smallest."""
        if state not in self.queued:
            self.queued.add(state)
            heapq.heappush(self.queue, (cost(state), state.number, state))

    def expand(self, state: Term, limit: int) -> None:
        """Follow the ways from a state that begin with an expansion."""
        known = set(topological_order(state))
        steps = [step for step in self.expanded(state, limit) if cost(step.after).operations <= limit]
        for step in sorted(steps, key=size_of_result):
            if not self.is_new(step):
                continue
            self.push(step.after)
            followers = [follower for follower in self.followers(step.after, known) if self.is_new(follower)]
            for follower in sorted(followers, key=size_of_result)[:FOLLOWERS] or [step]:
                self.follow(follower.after)

    def expanded(self, state: Term, limit: int) -> Iterator[Rewrite]:
        """Yield the expansions of a state, each at one place, and each wherever it applies."""
        for rule in self.expansions:
            places = list(self.places(rule, state))
            for after in places:
                yield Rewrite(rule, state, after)
            if places:
                yield Rewrite(rule, state, self.everywhere(rule, places[0], limit))

    def places(self, rule: RewriteRule, state: Term) -> Iterator[Term]:
        """Yield a state rewritten at one place, for each place at which a rule applies."""
        for part in topological_order(state):
            if (after := rule.at(part)) is not None:
                yield self.reducer.replace(state, part, after)

    def everywhere(self, rule: RewriteRule, state: Term, limit: int) -> Term:
        """Return a state rewritten wherever a rule applies, place after place, as long as it is not too large."""
        for _ in range(PLACES):
            after = next(self.places(rule, state), None)
            if after is None or cost(after).operations > limit:
                break
            state = after
        return state

    def followers(self, state: Term, known: set[Term]) -> Iterator[Rewrite]:
        """Yield the steps that the rules allow where a state differs from the one before."""
        for part in topological_order(state):
            if part in known:
                continue
            for rule in self.reducer.applicable(part):
                for after in every(rule, part):
                    yield Rewrite(rule, state, self.reducer.replace(state, part, after))

    # ----- paths -----
    def shortest_ways(self, start: Term) -> dict[Term, Way]:
        """Return the shortest path from a state to each of the others."""
        ways: dict[Term, Way] = {}
        count = itertools.count()
        queue: list[tuple[float, int, Term, Way]] = [(0, next(count), start, Way(0, 0, None))]
        while queue:
            _, _, state, way = heapq.heappop(queue)
            if state in ways:
                continue
            ways[state] = way
            for step in self.steps.get(state, ()):
                further = Way(way.length + 1 + cost(step.after).operations / 100, way.steps + 1, step)
                heapq.heappush(queue, (further.length, next(count), step.after, further))
        return ways


def size_of_result(step: Rewrite) -> Cost:
    """Return the cost of the formula after a step."""
    return cost(step.after)


def width(state: Term) -> int:
    """Return the largest number of factors or addends of a part of a formula."""
    parts = [part for part in topological_order(state) if part.op in PRODUCTS | SUMS]
    return max((max(len(factors(part)[1]), len(addends(part))) for part in parts), default=0)


def worth(state: Term, way: Way) -> tuple[float, int, float]:
    """Return the cost of a form, and of the steps to it."""
    operations, symbols, weight = cost(state)
    return operations + STEP * way.steps, symbols, weight


def path(end: Term, ways: dict[Term, Way]) -> list[Rewrite]:
    """Return the steps to a state."""
    steps: list[Rewrite] = []
    while (last := ways[steps[-1].before if steps else end].last) is not None:
        steps.append(last)
    return steps[::-1]


def every(rule: RewriteRule, part: Term) -> Iterator[Term]:
    """Yield what a rule makes of a term: one term for each match, where it is an equation."""
    if isinstance(rule, Equation):
        yield from rule.every(part)
    elif (after := rule.at(part)) is not None:
        yield after


def joined(steps: Iterable[Rewrite]) -> Iterator[Rewrite]:
    """Yield the steps, with an equation that is applied several times in a row as one."""
    for _, group in itertools.groupby(steps, key=lambda step: id(step.rule)):
        first, *others = group
        if others and isinstance(first.rule, Equation):
            yield first._replace(after=others[-1].after)
        else:
            yield from (first, *others)

"""Simplify: apply the table until the smallest form is reached, and record the steps."""

from collections.abc import Container, Iterable, Sequence

from autotiny.algebra.equation import AlgebraError, Equation, measure
from autotiny.algebra.fractions import FRACTIONS
from autotiny.algebra.identities import CHOICES
from autotiny.algebra.normal import SUMS, remembered
from autotiny.algebra.normalise import normalise
from autotiny.algebra.picks import PLACEMENTS, SCATTERS, Placement
from autotiny.algebra.rewrites import EXPANSIONS, ROWS
from autotiny.algebra.search import EFFORT, Rewrite, RewriteRule, Search
from autotiny.algebra.segments import SEGMENTS, SHIFTS
from autotiny.algebra.term import Term, apply, constant, topological_order
from autotiny.ops import Op

LONGEST = 100
"""The largest number of steps of a simplification."""

EFFORT_IN_ALL = 1000
"""The largest effort of all searches: the formulas of a long run that come after are simplified without one."""

PATIENCE = 8
"""Times that a rule applies to its own results before these must be smaller: normal form may add a sign meanwhile."""


def size(term: Term) -> tuple[int, int]:
    """Return the numbers of operations and symbols in a formula, repetitions included."""
    sizes: dict[Term, tuple[int, int]] = {}
    for part in topological_order(term):
        inner = [sizes[arg] for arg in part.args]
        own = (part.op is not None, part.op is None and part.name is not None)
        sizes[part] = (own[0] + sum(n for n, _ in inner), own[1] + sum(n for _, n in inner))
    return sizes[term]


def unknown(term: Term, known: Container[Term]) -> list[Term]:
    """Return the parts of a term that are not known, each once, operands before results."""
    order = [] if term in known else [term]
    reached = set(order)
    for part in order:  # grows while it is walked
        for arg in part.args:
            if arg not in reached and arg not in known:
                reached.add(arg)
                order.append(arg)
    return sorted(order, key=lambda part: part.number)


@remembered
def operations(term: Term) -> frozenset[Op]:
    """Return the operations of a formula, each once."""
    own = frozenset[Op]() if term.op is None else frozenset({term.op})
    return own.union(*map(operations, term.args))


def rebuilt(part: Term, args: tuple[Term, ...]) -> Term:
    """Return the operation of a term on other operands."""
    if part.op is None or all(new is old for new, old in zip(args, part.args, strict=True)):
        return part
    return constant(apply(part.op, args, part.kwargs))


def in_short(term: Term) -> str:
    """Return the beginning of a formula, for an error message."""
    text = repr(term) if size(term)[0] < LONGEST else f"a formula of {size(term)[0]} operations"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def require_smaller(rule: RewriteRule, result: Term, made_of: Term) -> None:
    """Raise AlgebraError where a simplifying rule applies to its own result, which is not smaller."""
    if measure(result) >= measure(made_of) and not (isinstance(rule, Equation) and rule.expands):
        raise AlgebraError(
            f"equation {rule.name!r} does not make {in_short(made_of)} smaller: applied to its results, "
            "it would never end"
        )


class Simplifier:
    """Applies rules, then the table, then facts about the data.

    Everything is computed once for each subterm: equal subterms are one object, and a step changes few of them.
    """

    def __init__(
        self,
        rules: Iterable[RewriteRule] = (),
        facts: Iterable[RewriteRule] = (),
        expansions: Iterable[RewriteRule] = (),
    ) -> None:
        self.rules: Sequence[RewriteRule] = (*rules, *SCATTERS, *SHIFTS, *PLACEMENTS, *SEGMENTS, *ROWS, *facts)
        self.expansions: Sequence[RewriteRule] = (*EXPANSIONS, *CHOICES, *FRACTIONS, *expansions)
        self.effort = EFFORT_IN_ALL
        self._normal: dict[Term, Term] = {}
        self._results: dict[int, tuple[RewriteRule | None, dict[Term, Term]]] = {}
        self._candidates: dict[tuple[Op, frozenset[Op]], list[int]] = {}
        self._applicable: dict[Term, list[int]] = {}

    # ----- one rule -----
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
        _, done = self._results.setdefault(id(rule), (rule, {}))
        for part in unknown(term, done):
            done[part] = self._mapped_part(part, tuple(done[arg] for arg in part.args), rule, made_of)
        return done[term]

    def _mapped_part(
        self, part: Term, args: tuple[Term, ...], rule: RewriteRule | None, made_of: tuple[Term, ...]
    ) -> Term:
        if isinstance(rule, Placement) and rule.whole_sums and part.op in SUMS:
            args = tuple(self._addend(arg, rule) for arg in part.args)
        result = self._normalised(rebuilt(part, args))
        after = rule.at(result) if rule else None
        if rule is None or after is None:
            return result
        if len(made_of) == PATIENCE:
            require_smaller(rule, result, made_of[0])
        changed = self.normal(after)
        return result if changed is result else self._mapped(changed, rule, (*made_of, result)[-PATIENCE:])

    def _addend(self, part: Term, rule: Placement) -> Term:
        """Return part of a sum; of one that is a sum itself, the rule rewrites the addends alone."""
        if part.op not in SUMS:
            return self._mapped(part, rule)
        return self._normalised(rebuilt(part, tuple(self._addend(arg, rule) for arg in part.args)))

    def _normalised(self, term: Term) -> Term:
        if term not in self._normal:
            self._normal[term] = normalise(term)
        return self._normal[term]

    # ----- all rules -----
    def reduce(self, term: Term) -> list[Rewrite]:
        """Return the steps of the rules until none applies."""
        steps: list[Rewrite] = []
        while len(steps) < LONGEST and (step := self._first(term)) is not None:
            steps.append(step)
            term = step.after
        return steps

    def _first(self, term: Term) -> Rewrite | None:
        """Return the step of the first rule that applies to some part of a term."""
        ranks = {i for part in topological_order(term) for i in self._applicable_ranks(part)}
        for rank in sorted(ranks):
            after = self.apply(self.rules[rank], term)
            if after is not term:
                return Rewrite(self.rules[rank], term, after)
        return None

    def applicable(self, part: Term) -> list[RewriteRule]:
        """Return the rules that apply to a term as a whole."""
        return [self.rules[rank] for rank in self._applicable_ranks(part)]

    def _applicable_ranks(self, part: Term) -> list[int]:
        """Return the positions of these rules in the order in which rules are applied."""
        if part.op is None:
            return []
        if part not in self._applicable:
            ranks = self._candidates_of(part.op, operations(part))
            self._applicable[part] = [rank for rank in ranks if self.rules[rank].at(part) is not None]
        return self._applicable[part]

    def _candidates_of(self, op: Op, present: frozenset[Op]) -> list[int]:
        """Return the positions of the rules that may apply to a term of this operation, and of these in all."""
        if (op, present) not in self._candidates:
            self._candidates[op, present] = [
                rank
                for rank, rule in enumerate(self.rules)
                if rule.needs <= present and op in getattr(rule, "roots", {op})
            ]
        return self._candidates[op, present]

    def simplify(self, term: Term) -> list[Rewrite]:
        """Return the steps to the smallest form that is found, also by way of larger ones."""
        search = Search(self, self.expansions, min(EFFORT, self.effort))
        steps = search.smallest(self.normal(term))
        self.effort -= search.spent
        return steps

    # ----- one place -----
    def replace(self, term: Term, part: Term, by: Term) -> Term:
        """Return a term in normal form, with another term in place of one of its parts."""
        done = {part: self.normal(by)}
        for outer in topological_order(term):
            if outer is not part and any(arg in done for arg in outer.args):
                done[outer] = self._normalised(rebuilt(outer, tuple(done.get(arg, arg) for arg in outer.args)))
        return done[term]

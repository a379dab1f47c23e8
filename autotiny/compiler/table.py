"""Apply the table of rewrites to a program, where that leaves less to compute.

An exact row may be used anywhere, and a stable one wherever its pattern occurs: it differs only where the pattern
overflows or underflows, and is right there. Where one has been used, which is documented to be right where the function
overflows, so may rows be that hold in moderate ranges, and those that divide by what is positive by nature; the program
checks the ranges.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import (
    PROGRAMS,
    ROWS,
    STABLE,
    VECTORS,
    Equation,
    Term,
    constant,
    in_one_way,
    rewritten,
    topological_order,
    variables,
)
from autotiny.algebra.normal import PRODUCTS, SUMS, remembered
from autotiny.compiler.candidates import Window, extent, inner, is_short, required
from autotiny.compiler.naming import FormulaNames
from autotiny.compiler.rewriting import TermKind, kind, rewrite, with_stable_forms
from autotiny.errors import AutotinyError
from autotiny.ops import OPS

OVERHEAD = 1000
"""Entries that are computed in the time that starting an operation takes."""
ROUNDS = 8
MATMUL = OPS[np.matmul]


OF_OPERATION: dict[Any, list[Equation]] = {}
for equation in PROGRAMS:
    OF_OPERATION.setdefault(equation.left.op, []).append(equation)


class Simplified(NamedTuple):
    """Formulas after the table has been applied."""

    outputs: list[Term]
    fast_forms: Mapping[Term, Term]
    """The user's own form of each stable form, or that of its row: it takes less time, and may overflow."""
    rows: frozenset[str] = frozenset()
    """The names of the rows that were used, except exact ones."""
    to_check: Sequence[Term] = ()
    """What must be finite: what rows have cancelled, positive by nature, but not where it overflows or is nan, and
    numbers with a fast form, of which NumPy may report nothing."""

    @property
    def formulas(self) -> list[Term]:
        """The outputs, then what is checked."""
        return [*self.outputs, *self.to_check]


def by_table(outputs: Sequence[Term], names: FormulaNames) -> Simplified:
    """Return the outputs, rewritten by every row for as long as there is less to compute."""
    outputs = rewrite(outputs, in_the_rows_way, names)
    table = TableRewriter(set(topological_order(*outputs)), names)
    outputs = table.with_a_step_back(table.reduced(outputs))
    totals = add_fast_forms(outputs, table.fast_forms)
    to_check = list(dict.fromkeys([*table.divisors, *totals]))
    return Simplified(outputs, table.fast_forms, frozenset(table.used), to_check)


def add_fast_forms(outputs: Sequence[Term], fast_forms: dict[Term, Term]) -> list[Term]:
    """Add the fast forms that rows state; return those terms whose fast form NumPy may compute without reporting."""
    totals = list[Term]()
    for term in topological_order(*outputs):
        if term.op is not None and term.op.fast_form is not None and term not in fast_forms:
            fast_form = constant(term.op.fast_form(*term.args, **term.kwargs))
            if is_like(fast_form, term):
                fast_forms[term] = fast_form
                totals += [term] if not term.ndim else []
    return totals


def in_the_rows_way(term: Term) -> Term:
    """Return an operation in the form that rows expect, if that has the same type."""
    arranged = in_one_way(term)
    return arranged if is_like(arranged, term) else term


def with_fast_forms(simplified: Simplified, names: FormulaNames) -> list[Term]:
    """Return outputs and what is checked with fast forms in place of stable ones, which take longer."""
    outputs, fast_forms = simplified.formulas, simplified.fast_forms

    def visit(term: Term) -> Term:
        return fast_forms.get(term, term)

    while not fast_forms.keys().isdisjoint(topological_order(*outputs)):  # one may stand within another
        outputs = rewrite(outputs, visit, names)
    return outputs


def shorten(outputs: Sequence[Term], names: FormulaNames) -> list[Term]:
    """Return the outputs, with each operation of NumPy rewritten by the first row for programs that fits."""
    return rewrite(outputs, shortened, names, OF_OPERATION)


def shortened(term: Term) -> Term:
    """Rewrite one operation by the rows for programs."""
    for equation in OF_OPERATION[term.op]:
        right = equation.at(term)
        if right is not None and is_like(right, term):
            return right
    return term


def alike(outputs: Sequence[Term], others: Sequence[Term]) -> bool:
    """Whether two lists hold the same formulas."""
    return all(a is b for a, b in zip(outputs, others, strict=True))


class TableRewriter:
    """Applies the equations to a program.

    own : the operations of the program; a stable form among them is the user's own.
    """

    def __init__(self, own: Set[Term], names: FormulaNames) -> None:
        self.names = names
        self.fast_forms: dict[Term, Term] = {}
        self.used: set[str] = set()
        self.divisors: list[Term] = []
        self.rejected: list[EquationSearch] = []
        """Equations that apply, and left no less to compute the last time that they were tried."""
        rows = [row for row in (*STABLE, *VECTORS, *ROWS) if row.exact or row.stable or row.moderate or row.divides]
        self.searches = [EquationSearch(row, own, self.fast_forms) for row in rows]

    def reduced(self, outputs: list[Term]) -> list[Term]:
        """Return the outputs after the equations have been tried again and again, while that leaves less to compute."""
        for _ in range(ROUNDS):
            before = outputs
            outputs = with_stable_forms(self.applied(outputs), self.names, self.fast_forms)
            if alike(before, outputs):
                break
        return outputs

    def applied(self, outputs: list[Term]) -> list[Term]:
        """Return the outputs after each equation has been tried once."""
        of = by_roots(outputs)
        self.rejected = []
        for search in self.searches:
            if not (search.equation.exact or search.equation.stable or self.used):
                continue
            if not search.equation.needs <= of.keys() or all(search.at(term) is None for term in of[search.key]):
                continue
            shorter = rewrite(outputs, search.visit, self.names, search.roots)
            if search.equation.stable or work(shorter) < work(outputs):
                self.note(search)
                outputs, of = shorter, by_roots(shorter)
            else:
                self.rejected.append(search)
        return outputs

    def note(self, search: "EquationSearch") -> None:
        """Note that an equation was used, and what must be finite for it."""
        if not search.equation.exact:
            self.used.add(search.equation.name)
        self.divisors += search.divisors

    def with_a_step_back(self, outputs: list[Term]) -> list[Term]:
        """Return the outputs after an equation that leaves more to compute, where others then leave less than before.

        A factor that moves out of a sum may cancel: E in (a / S + sum(c / S)) E, which is (a + sum(c)) E / S.
        """
        for search in self.rejected:
            used, divisors = set(self.used), list(self.divisors)
            self.note(search)
            further = self.reduced(rewrite(outputs, search.visit, self.names, search.roots))
            if work(further) < work(outputs):
                return self.with_a_step_back(further)
            self.used, self.divisors = used, divisors
        return outputs


def by_roots(outputs: Sequence[Term]) -> Mapping[Any, list[Term]]:
    """Return the terms of each operation, of PRODUCTS and of SUMS, operands before results.

    What candidates are chosen by is computed on the way: in this order it needs no deep recursion.
    """
    of: dict[Any, list[Term]] = defaultdict(list)
    for term in topological_order(*outputs):
        inner(term), extent(term)
        of[term.op].append(term)
        if term.op in PRODUCTS or term.op in SUMS:
            of[PRODUCTS if term.op in PRODUCTS else SUMS].append(term)
    return of


class EquationSearch:
    """Looks for the matches of one equation; each term is looked at once."""

    def __init__(self, equation: Equation, own: Set[Term], fast_forms: dict[Term, Term]) -> None:
        self.equation, self.own, self.fast_forms = equation, own, fast_forms
        self.roots = equation.roots
        self.key: Any = self.roots if self.roots in (PRODUCTS, SUMS) else equation.left.op
        self.required = required(equation)
        self.looked_at: dict[Term, Term | None] = {}
        self.divisors: list[Term] = []

    def visit(self, term: Term) -> Term:
        """Rewrite an operation by the equation."""
        after = self.at(term)
        return term if after is None else after

    def at(self, term: Term) -> Term | None:
        """Return what the equation rewrites a term to; None where it does not apply."""
        if term not in self.looked_at:
            passed_over = any(map(inner(term).isdisjoint, self.required))
            self.looked_at[term] = None if passed_over else self.after(term)
        return self.looked_at[term]

    def after(self, term: Term) -> Term | None:
        """Return what the equation rewrites a term to, in the same shape and type."""
        if self.equation.as_written or is_short(term):
            return self.match(term)
        window, count = Window(term), len(self.divisors)
        after = self.match(window.term)
        self.divisors[count:] = map(window.widened, self.divisors[count:])
        return None if after is None else window.widened(after)

    def match(self, term: Term) -> Term | None:
        """Return the same, of a term that is matched as a whole."""
        try:
            at, equation = self.equation.at, self.equation
            after = at(term) if equation.as_written else rewritten(equation.left, term, self.replacement)
        except (ArithmeticError, AutotinyError):  # a number divided by 0 is among its factors, or an array is empty
            return None
        return after if after is not None and is_like(after, term) else None

    def replacement(self, bound: Mapping[str, Any]) -> Any:
        """Return the right side of the equation, if it may be used."""
        equation = self.equation
        arguments = [bound[name] for name in variables(equation.pattern)]
        if not equation.condition(*arguments) or not all(is_positive(bound[name]) for name in equation.divides):
            return None
        self.divisors += [bound[name] for name in equation.divides if not bound[name].is_constant]
        right = equation.replacement(*arguments)
        if equation.stable and constant(right) not in self.own:
            self.fast_forms.setdefault(constant(right), equation.pattern(*arguments))
        return right


def is_like(x: Term, other: Term) -> bool:
    """Whether two terms have the same shape and type; a scalar of NumPy counts as an array without axes."""
    numpys = [isinstance(term.prototype, np.generic | np.ndarray) for term in (x, other)]
    return numpys[0] == numpys[1] and (x.shape, x.dtype) == (other.shape, other.dtype)


def is_positive(x: Term) -> bool:
    """Whether a term is above 0 whatever the values: it is 0 only where it underflows."""
    if x.is_constant:
        return bool((np.asarray(x.value) > 0).all())
    if x.op is None:
        return False
    return x.op.has("positive") or (x.op.has("keeps_sign") and all(map(is_positive, x.args)))


def work(outputs: Sequence[Term]) -> int:
    """Estimate the time of a program, in entries computed."""
    return sum(work_of(term) for term in topological_order(*outputs) if term.op is not None)


@remembered
def work_of(term: Term) -> int:
    """Estimate the time of an operation, in entries computed."""
    if kind(term) is TermKind.VIEW:
        return 0
    inner = term.args[0].shape[-1] if term.op is MATMUL else 1
    return OVERHEAD + inner * max(term.size, *(arg.size for arg in term.args))

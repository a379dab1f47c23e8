"""The table of derive, for speed: its rows rewrite a program where that leaves less to compute.

A row that is exact may be used anywhere. One that divides may be used where that is positive by nature, and one that is
stable wherever its pattern stands: these differ from what was written only where that over- or underflows.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import ROWS, STABLE, Row, Term, constant, in_one_way, rewritten, topological_order, variables
from autotiny.algebra.normal import PRODUCTS, SUMS
from autotiny.compiler.naming import Names
from autotiny.compiler.rewriting import Kind, kind, rewrite, with_operands
from autotiny.ops import OPS, Op

OVERHEAD = 1000
"""Entries that are computed in the time that an operation takes to start."""
LARGE = 500
"""Operations beyond which a program is left as it is: rows look at whole sums and products."""
WIDEST = 12
"""Factors or addends beyond which a term is left as it is: any of them may go with any other."""
ROUNDS = 8
MATMUL = OPS[np.matmul]


class Simplified(NamedTuple):
    """Formulas after the table was applied."""

    outputs: list[Term]
    written: Mapping[Term, Term]
    """What was written where a stable form stands now."""
    rows: frozenset[str] = frozenset()
    """The names of the rows that were used."""


def by_table(outputs: Sequence[Term], names: Names) -> Simplified:
    """The outputs, rewritten by every row for as long as there is less to compute."""
    if len(topological_order(*outputs)) > LARGE:
        return Simplified(list(outputs), {})
    outputs = rewrite(outputs, in_the_rows_way, names)
    table = Table(set(topological_order(*outputs)))
    for _ in range(ROUNDS):
        before, outputs = outputs, table.applied(outputs, names)
        if alike(before, outputs):
            break
    return Simplified(outputs, table.written, frozenset(table.used))


def in_the_rows_way(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Term:
    """An operation as rows know it, where it is of the same type."""
    term = constant(with_operands(term, args, kwargs))
    arranged = in_one_way(term)
    return arranged if is_like(arranged, term) else term


def as_written(simplified: Simplified, names: Names) -> list[Term]:
    """The outputs with what was written in place of stable forms, which take longer."""
    outputs, written, _ = simplified

    def visit(term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
        found = written.get(term)
        return with_operands(term, args, kwargs) if found is None else found

    while not written.keys().isdisjoint(topological_order(*outputs)):  # one may stand within another
        outputs = rewrite(outputs, visit, names)
    return outputs


def alike(outputs: Sequence[Term], others: Sequence[Term]) -> bool:
    """Whether they are the same formulas."""
    return all(a is b for a, b in zip(outputs, others, strict=True))


class Table:
    """The rows, applied to a program.

    own : the program's own operations; a stable form among them was written by the user.
    """

    def __init__(self, own: Set[Term]) -> None:
        self.written: dict[Term, Term] = {}
        self.used: set[str] = set()
        rows = [row for row in (*STABLE, *ROWS) if row.exact or row.stable or row.divides]
        self.searches = [Search(row, own, self.written) for row in rows]

    def applied(self, outputs: list[Term], names: Names) -> list[Term]:
        """The outputs after one go through the rows."""
        order = topological_order(*outputs)
        present = {term.op for term in order if term.op is not None}
        for search in self.searches:
            if not search.row.needs <= present or all(search.at(term) is None for term in order):
                continue
            shorter = rewrite(outputs, search.visit, names)
            if search.row.stable or work(shorter) < work(outputs):
                self.used.add(search.row.name)
                outputs, order = shorter, topological_order(*shorter)
                present = {term.op for term in order if term.op is not None}
        return outputs


class Search:
    """One row, looked for in terms; each is looked at once."""

    def __init__(self, row: Row, own: Set[Term], written: dict[Term, Term]) -> None:
        self.row, self.own, self.written = row, own, written
        self.starts: Set[Op] = next((group for group in (PRODUCTS, SUMS) if row.written.op in group), {row.written.op})
        self.looked_at: dict[Term, Term | None] = {}

    def visit(self, term: Term, args: tuple[Term, ...], kwargs: Mapping[str, Any]) -> Any:
        """What the row makes of an operation."""
        term = constant(with_operands(term, args, kwargs))
        found = self.at(term)
        return term if found is None else found

    def at(self, term: Term) -> Term | None:
        """What the row makes of a term."""
        if term.op not in self.starts:
            return None
        if term not in self.looked_at:
            found = rewritten(self.row.written, term, self.replacement) if is_narrow(term) else None
            self.looked_at[term] = found if found is not None and is_like(found, term) else None
        return self.looked_at[term]

    def replacement(self, bound: Mapping[str, Any]) -> Any:
        """The row's right side, where it may be used."""
        row = self.row
        arguments = [bound[name] for name in variables(row.pattern)]
        if not row.condition(*arguments) or not all(is_positive(bound[name]) for name in row.divides):
            return None
        found = row.replacement(*arguments)
        if row.stable and constant(found) not in self.own:
            self.written.setdefault(constant(found), row.pattern(*arguments))
        return found


def is_narrow(term: Term) -> bool:
    """Whether a term and its operands have few factors and addends."""
    return all(width(x, group) <= WIDEST for x in (term, *term.args) for group in (PRODUCTS, SUMS))


def width(term: Term, group: Set[Op]) -> int:
    """How many factors a product has, or how many addends a sum."""
    if term.op not in group:
        return 1
    term.notes = term.notes or {}
    key = width, id(group)
    if key not in term.notes:
        term.notes[key] = sum(width(arg, group) for arg in term.args)
    return int(term.notes[key])


def is_like(x: Term, other: Term) -> bool:
    """Whether they have one shape and type; a number of NumPy's is as good as an array without axes."""
    numpys = [isinstance(term.value, np.generic | np.ndarray) for term in (x, other)]
    return numpys[0] == numpys[1] and (x.shape, x.dtype) == (other.shape, other.dtype)


def is_positive(x: Term) -> bool:
    """Whether it is above 0 whatever the values: it comes to 0 only where it underflows."""
    if x.is_constant:
        return bool((np.asarray(x.value) > 0).all())
    if x.op is None:
        return False
    return x.op.has("positive") or (x.op.has("keeps_sign") and all(map(is_positive, x.args)))


def work(outputs: Sequence[Term]) -> int:
    """About how long a program takes, in entries computed."""
    return sum(work_of(term) for term in topological_order(*outputs) if term.op is not None)


def work_of(term: Term) -> int:
    """About how long an operation takes, in entries computed."""
    if kind(term) is Kind.VIEW:
        return 0
    inner = term.args[0].shape[-1] if term.op is MATMUL else 1
    return OVERHEAD + inner * max(term.size, *(arg.size for arg in term.args))

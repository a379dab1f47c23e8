"""The passes that rewrite the formulas of a trace before these are scheduled."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autotiny.algebra import Term, constant
from autotiny.compiler.backend import Backend, Pass
from autotiny.compiler.explanation import operations
from autotiny.compiler.factors import pull_factors
from autotiny.compiler.flags import reports_overflow, reports_overflow_of_dot
from autotiny.compiler.products import as_products
from autotiny.compiler.results import results_to_check
from autotiny.compiler.rewriting import assume_facts, lower, made_by
from autotiny.compiler.table import Simplified, alike, shorten, with_fast_forms
from autotiny.compiler.trace import Trace

FIRST: tuple[Pass, ...] = (lower, shorten)
"""The passes after the table of rows, in this order; then factors move and facts are assumed, then the back end's."""


class Rewritten(NamedTuple):
    """The formulas after all passes."""

    outputs: list[Term]
    checks: list[Term]
    """Sums that were assumed to be 1."""
    formula: list[Term]
    """The outputs before they are put into the form in which NumPy is fastest."""
    counts: list[tuple[str, int]]
    """The operations that are left after each pass."""
    facts: bool
    """Whether they may rely on facts about the values."""
    finite: list[Term]
    """What must be finite, and its square, for the rows and facts that were used to hold."""
    moved: bool
    """Whether factors have moved: that holds where nothing overflows."""
    fast: bool
    """Whether they have forms that may overflow, in place of stable ones."""


def rewritten(traced: Trace, simplified: Simplified, facts: bool, backend: Backend) -> Rewritten:
    """Apply the passes to the outputs of a trace, which the table has simplified."""
    names, checks, moved = traced.names, list[Term](), False
    watching = facts and backend.sees_flags and reports_overflow()
    terms = with_fast_forms(simplified, names) if watching else simplified.formulas
    fast = not alike(terms, simplified.formulas)
    traced_terms = [out for out in traced.outputs if isinstance(out, Term)]
    counts = [("trace", operations(traced_terms)), ("by_table", operations(terms))]

    def count(name: str, before: Sequence[Term], after: Sequence[Term]) -> None:
        same = len(before) == len(after) and alike(before, after)
        counts.append((name, counts[-1][1] if same else operations(after)))

    for improve in FIRST:
        before, terms = terms, improve(terms, names)
        count(improve.__name__, before, terms)
    if facts:
        before, (terms, checks) = terms, assume_facts(terms, names)
        count(assume_facts.__name__, before, terms)
    if watching:
        before, terms = terms, pull_factors(terms, names)
        moved = bool(checks) or not alike(before, terms)
        count(pull_factors.__name__, before, terms)
    results = len(traced_terms)
    formula, checked = terms[:results], len(terms)
    terms = [*terms, *checks]
    avoided = as_products if moved and not reports_overflow_of_dot() else None
    for improve in (improve for improve in backend.passes if improve is not avoided):
        before, terms = terms, improve(terms, names)
        count(improve.__name__, before, terms)
    outputs = list(map(as_given, terms[:results], traced_terms))
    finite = results_to_check(outputs) if simplified.rows or checks else []
    if simplified.rows or fast:
        finite += terms[results:checked]
    if simplified.rows:
        finite += [x for x in traced.symbols if x.dtype.kind in "fc"]
    finite = list(dict.fromkeys(finite))
    return Rewritten(outputs, terms[checked:], formula, counts, facts, finite, moved, fast)


def as_given(output: Term, traced: Term) -> Term:
    """Return a result without axes as the function returns it: an array, or a scalar of NumPy."""
    if isinstance(traced.prototype, np.generic) and isinstance(output.prototype, np.ndarray):
        return constant(output[()])
    if isinstance(traced.prototype, np.ndarray) and not (output.ndim or output.is_constant or made_by(output, np.copy)):
        return constant(np.copy(output))  # also where its value is an array: a program may give a scalar
    return output

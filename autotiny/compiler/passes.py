"""What is done to the formulas of a trace before they are scheduled, pass by pass."""

from typing import NamedTuple

import numpy as np

from autotiny.algebra import Term, constant
from autotiny.compiler.explain import operations
from autotiny.compiler.factors import pull_factors, push_factors
from autotiny.compiler.facts import assume_facts
from autotiny.compiler.lowering import lower
from autotiny.compiler.products import as_products, beside_each_other
from autotiny.compiler.shortcuts import share_sign, shorten
from autotiny.compiler.table import Simplified, alike, as_written
from autotiny.compiler.trace import Trace

FIRST = (lower, shorten, pull_factors)
THEN = (push_factors, shorten, share_sign, beside_each_other, as_products)
"""Passes, in this order, after the table of rows; between the two, facts are assumed."""


class Rewritten(NamedTuple):
    """The formulas after all passes."""

    outputs: list[Term]
    checks: list[Term]
    """Sums that were assumed to be 1."""
    formula: list[Term]
    """The outputs before they are put in the form that NumPy is fastest in."""
    counts: list[tuple[str, int]]
    """How many operations each pass left."""
    facts: bool
    """Whether they may rely on facts about the values."""
    finite: bool
    """Whether rows were used, which hold where all is finite."""
    fast: bool
    """Whether they have forms that may overflow, in place of stable ones."""


def rewritten(traced: Trace, simplified: Simplified, facts: bool) -> Rewritten:
    """The outputs of a trace, which the table has simplified, after all passes."""
    names, checks = traced.names, list[Term]()
    terms = as_written(simplified, names) if facts else simplified.outputs
    fast = not alike(terms, simplified.outputs)
    traced_terms = [out for out in traced.outputs if isinstance(out, Term)]
    counts = [("trace", operations(traced_terms)), ("by_table", operations(terms))]
    for improve in FIRST:
        terms = improve(terms, names)
        counts.append((improve.__name__, operations(terms)))
    if facts:
        terms, checks = assume_facts(terms, names)
        counts.append((assume_facts.__name__, operations(terms)))
    formula = terms
    count = len(terms)
    terms = [*terms, *checks]
    for improve in THEN:
        terms = improve(terms, names)
        counts.append((improve.__name__, operations(terms)))
    outputs = list(map(as_given, terms[:count], traced_terms))
    return Rewritten(outputs, terms[count:], formula, counts, facts, bool(simplified.rows), fast)


def as_given(output: Term, traced: Term) -> Term:
    """A result without axes as the function gives it: an array, or a number of NumPy's."""
    if isinstance(traced.value, np.generic) and isinstance(output.value, np.ndarray):
        return constant(output[()])
    if isinstance(output.value, np.generic) and isinstance(traced.value, np.ndarray):
        return constant(np.copy(output))
    return output

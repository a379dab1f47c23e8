"""From a function and its arguments to a program: trace, rewrite, schedule, emit."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.captured import Captured
from autotiny.compiler.emit import emit
from autotiny.compiler.entry import Entry
from autotiny.compiler.factors import pull_factors, push_factors
from autotiny.compiler.facts import assume_facts
from autotiny.compiler.lowering import lower
from autotiny.compiler.products import as_products, beside_each_other
from autotiny.compiler.program import Program
from autotiny.compiler.scalars import emit_scalars, is_scalar
from autotiny.compiler.schedule import schedule
from autotiny.compiler.shortcuts import share_sign, shorten
from autotiny.compiler.trace import Trace, is_dynamic, trace
from autotiny.errors import UnsupportedError
from autotiny.trees import flatten, tree_map

FIRST = (lower, shorten, pull_factors)
THEN = (push_factors, shorten, share_sign, beside_each_other, as_products)
"""What is done to the formulas, in this order; between the two, facts are assumed."""


class Built(NamedTuple):
    """A program, and when it may run."""

    program: Program
    positional: int
    names: tuple[str, ...]
    """Of the arguments that are given by name."""
    captured: Captured
    relies_on_facts: bool

    def is_current(self) -> bool:
        """Whether what the function sees from outside is what it was."""
        return self.captured.is_unchanged()


def build(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    donate: tuple[int, ...],
    ints: bool,
    facts: bool,
    threads: int,
) -> Built:
    """The program of f for arguments like these; whole numbers may vary from call to call, if ints, and it may rely
    on facts about the values, if facts.
    """
    captured = Captured(f)
    leaves, _ = flatten((args, dict(kwargs)))
    dynamic = [is_dynamic(x, ints) for x in leaves]
    traced = trace(f, args, kwargs, dynamic)
    captured.require_same_after_trace()
    terms, checks = rewritten(traced, facts)
    plan = schedule(traced.symbols, terms, donated(traced, args, dynamic, donate), checks)
    scalar = facts and is_scalar(plan)
    source = (
        emit_scalars(plan, traced.names, traced.swept) if scalar else emit(plan, traced.names, traced.swept, threads)
    )
    rest = iter(terms)
    output = tree_map(lambda out: next(rest) if isinstance(out, Term) else out, traced.rebuild(traced.outputs))
    entry = Entry((*args, *kwargs.values()), dynamic, output)
    captured.watch(source.held.values())
    return Built(
        Program(source, entry, traced.swept and not scalar), len(args), tuple(kwargs), captured, scalar or bool(checks)
    )


def rewritten(traced: Trace, facts: bool) -> tuple[list[Term], list[Term]]:
    """The outputs after all passes, and the sums that were assumed to be 1."""
    names, checks = traced.names, list[Term]()
    terms = [out for out in traced.outputs if isinstance(out, Term)]
    for improve in FIRST:
        terms = improve(terms, names)
    if facts:
        terms, checks = assume_facts(terms, names)
    count = len(terms)
    terms += checks
    for improve in THEN:
        terms = improve(terms, names)
    return terms[:count], terms[count:]


def donated(traced: Trace, args: tuple[Any, ...], dynamic: list[bool], positions: Iterable[int]) -> list[Term]:
    """The symbols of the arrays that are handed over."""
    counts = [len(flatten(arg)[0]) for arg in args]
    rest = iter(traced.symbols)
    symbols = [next(rest) if varies else None for varies in dynamic]
    found: list[Term] = []
    for position in positions:
        if not -len(args) <= position < len(args):
            raise UnsupportedError(f"compile: donate={position} names an argument that was not given; {len(args)} were")
        start = sum(counts[: position % len(args)])
        found += [x for x in symbols[start : start + counts[position]] if x is not None and x.ndim]
    return [x for x in found if isinstance(x.value, np.ndarray)]

"""From a function and its arguments to a program: trace, rewrite, schedule, emit."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.captured import Captured, drawn_inside
from autotiny.compiler.emit import emit
from autotiny.compiler.entry import Entry
from autotiny.compiler.explain import as_graph, explain, operations
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
from autotiny.tensor import Tensor
from autotiny.trees import flatten, tree_map

FIRST = (lower, shorten, pull_factors)
THEN = (push_factors, shorten, share_sign, beside_each_other, as_products)
"""What is done to the formulas, in this order; between the two, facts are assumed."""


class Request(NamedTuple):
    """A call for which there is to be a program."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    donate: tuple[int, ...]
    threads: int
    ints: bool = True
    """Whether whole numbers may vary from call to call."""
    facts: bool = True
    """Whether the program may rely on facts about the values."""
    guards: bool = False
    """Whether the program keeps gradients from what masks have hidden."""


class Built(NamedTuple):
    """A program, when it may run, and what is to be told of it."""

    program: Program
    positional: int
    names: tuple[str, ...]
    """Of the arguments that are given by name."""
    captured: Captured
    relies_on_facts: bool
    masked: bool
    """Whether nan in a result may be what a mask was to hide."""
    guardable: bool
    """Whether there may be a program with guards."""
    explanation: str
    graph: Tensor | None
    """The formula with the values of the first call, unless these are large."""

    def is_current(self) -> bool:
        """Whether what the function sees from outside is what it was."""
        return self.captured.is_unchanged()


class Rewritten(NamedTuple):
    """The formulas after all passes."""

    outputs: list[Term]
    checks: list[Term]
    """Sums that were assumed to be 1."""
    formula: list[Term]
    """The outputs before they are put in the form that NumPy is fastest in."""
    counts: list[tuple[str, int]]
    """How many operations each pass left."""


def build(request: Request) -> Built:
    """The program for a call like this one."""
    f, args, kwargs, donate, threads, ints, facts, guards = request
    captured = Captured(f)
    dynamic = [is_dynamic(x, ints) for x in flatten((args, dict(kwargs)))[0]]
    traced = trace(f, args, kwargs, dynamic, guards)
    captured.require_same_after_trace()
    if captured.may_draw and bits(traced) != bits(trace(f, args, kwargs, dynamic, guards)):
        raise drawn_inside()
    outputs, checks, formula, counts = rewritten(traced, facts)
    masked = traced.masked and not guards
    given = [] if masked else donated(traced, args, dynamic, donate)  # nan is seen when all is done
    plan = schedule(traced.symbols, outputs, given, checks)
    scalar = facts and is_scalar(plan)
    names, swept = traced.names, traced.swept
    source = emit_scalars(plan, names, swept) if scalar else emit(plan, names, swept and not guards, threads)
    rest = iter(outputs)
    returned = tree_map(lambda out: next(rest) if isinstance(out, Term) else out, traced.rebuild(traced.outputs))
    captured.watch()
    entry = Entry((*args, *kwargs.values()), dynamic, returned, captured)
    program = Program(source, entry, swept and not scalar, guards)
    explanation = explain(counts, plan, len(checks), threads)
    graph = as_graph(formula, names, getattr(f, "__name__", "step"))
    return Built(
        program,
        len(args),
        tuple(kwargs),
        captured,
        scalar or bool(checks),
        masked,
        traced.guardable and not guards,
        explanation,
        graph,
    )


def bits(traced: Trace) -> list[bytes]:
    """What a call gave, bit for bit."""
    return [np.asarray(out.value if isinstance(out, Term) else out).tobytes() for out in traced.outputs]


def rewritten(traced: Trace, facts: bool) -> Rewritten:
    """The outputs of a trace after all passes."""
    names, checks = traced.names, list[Term]()
    terms = [out for out in traced.outputs if isinstance(out, Term)]
    counts = [("trace", operations(terms))]
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
    return Rewritten(terms[:count], terms[count:], formula, counts)


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

"""From a function and its arguments to a program: trace, rewrite, schedule, emit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term, constant, topological_order
from autotiny.compiler.backend import Backend, FactError
from autotiny.compiler.captured import Captured, drawn_inside
from autotiny.compiler.emit import NumpyBackend
from autotiny.compiler.factors import pull_factors, push_factors
from autotiny.compiler.lowering import assume_facts, lower
from autotiny.compiler.naming import FormulaNames, names_to_show
from autotiny.compiler.products import as_products, beside_each_other, masks_as_numbers, share_sign
from autotiny.compiler.program import EntryPoint, Executable
from autotiny.compiler.scalars import ScalarBackend
from autotiny.compiler.schedule import Schedule, schedule
from autotiny.compiler.table import Simplified, alike, by_table, shorten, with_fast_forms
from autotiny.compiler.trace import Trace, is_dynamic, trace
from autotiny.engine.node import NO_OPTIONS
from autotiny.engine.pytree import flatten, tree_map
from autotiny.engine.recording import new_node
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.notation.text import aligned
from autotiny.ops import Op

# ----- passes -----
# What is done to the formulas of a trace before they are scheduled, pass by pass.


FIRST = (lower, shorten, pull_factors)
THEN = (push_factors, shorten, masks_as_numbers, share_sign, beside_each_other, as_products)
"""Passes, in this order, after the table of rows; between the two, facts are assumed."""

BACKENDS: tuple[Backend, ...] = (ScalarBackend(), NumpyBackend())
"""The first that accepts a schedule writes its program."""


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
    terms = with_fast_forms(simplified, names) if facts else simplified.outputs
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

    program: Executable
    positional: int
    names: tuple[str, ...]
    """Of the arguments that are given by name."""
    captured: Captured
    relies_on_facts: bool
    fast: bool
    """Whether it has forms that may overflow, in place of stable ones."""
    masked: bool
    """Whether nan in a result may be what a mask was to hide."""
    guardable: bool
    """Whether there may be a program with guards."""
    explanation: str
    graph: Tensor | None
    """The formula with the values of the first call, unless these are large."""
    careful: "Built | None" = None
    """The program with stable forms, of the same trace: from values that overflow none could be written."""

    def is_current(self) -> bool:
        """Whether what the function sees from outside is what it was."""
        return self.captured.is_unchanged()


def build(request: Request) -> Built:
    """The program for a call like this one; beside it the one that takes over where something overflows."""
    f, args, kwargs, _, _, ints, facts, guards = request
    captured = Captured(f)
    dynamic = [is_dynamic(x, ints) for x in flatten((args, dict(kwargs)))[0]]
    traced = trace(f, args, kwargs, dynamic, guards)
    captured.require_same_after_trace()
    if captured.may_draw and bits(traced) != bits(trace(f, args, kwargs, dynamic, guards)):
        raise drawn_inside()
    captured.watch()
    terms = [out for out in traced.outputs if isinstance(out, Term)]
    simplified = by_table(terms, traced.names) if facts else Simplified(terms, {})
    built = assemble(request, traced, dynamic, captured, rewritten(traced, simplified, facts))
    if not built.fast:
        return built
    careful = rewritten(traced, simplified, facts=False)
    return built._replace(careful=assemble(request, traced, dynamic, captured, careful))


def assemble(request: Request, traced: Trace, dynamic: list[bool], captured: Captured, formulas: Rewritten) -> Built:
    """The program of a trace whose formulas were rewritten: schedule, emit."""
    f, args, kwargs, donate, threads, _, _, guards = request
    outputs, names, swept = formulas.outputs, traced.names, traced.swept
    masked = traced.masked and not guards
    given = [] if masked else donated(traced, args, dynamic, donate)  # nan is seen when all is done
    stop = FactError if formulas.finite else FloatingPointError if swept and not guards else None
    plan = schedule(
        traced.symbols,
        outputs,
        given,
        formulas.checks,
        results_to_check(outputs) if formulas.finite else (),
        names=names,
        threads=threads,
        stop=stop,
        swept=swept,
        may_fail=formulas.facts,
    )
    source = next(backend for backend in BACKENDS if backend.accepts(plan)).emit(plan)
    rest = iter(outputs)
    returned = tree_map(lambda out: next(rest) if isinstance(out, Term) else out, traced.rebuild(traced.outputs))
    entry = EntryPoint((*args, *kwargs.values()), dynamic, returned, captured)
    watched = ("invalid", "over", "divide") if formulas.fast else ("invalid",) if stop else ()
    return Built(
        Executable(source, entry, watched, quiet=swept and not source.in_python),
        len(args),
        tuple(kwargs),
        captured,
        source.in_python or formulas.finite or bool(formulas.checks),
        formulas.fast,
        masked,
        traced.guardable and not guards,
        explain(formulas.counts, plan),
        as_graph(formulas.formula, names, getattr(f, "__name__", "step")),
    )


def results_to_check(outputs: list[Term]) -> list[Term]:
    """The results that are looked at for what is not finite: the numbers, since these are sums of the rest, or all."""
    results = [out for out in dict.fromkeys(outputs) if out.dtype.kind == "f" and not out.is_constant]
    return [out for out in results if not out.ndim] or results


def bits(traced: Trace) -> list[bytes]:
    """What a call gave, bit for bit."""
    return [np.asarray(out.value if isinstance(out, Term) else out).tobytes() for out in traced.outputs]


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


# ----- explain -----
# What became of a function: how many operations each pass left, what memory its program keeps, what runs in blocks.


SMALL, MANY = 2**24, 1000
"""Bytes of values, and operations, up to which a formula is kept to be drawn."""

CHECKED = "checked at every call; where it fails another program takes over"


def explain(passes: list[tuple[str, int]], plan: Schedule) -> str:
    """Tables of the passes, with the operations that each left, and of the memory."""
    rows = [("pass", "operations"), *((name.replace("_", " "), str(count)) for name, count in passes)]
    placed = sum(len(storage.tenants) for storage in plan.storages)
    blocks = {id(group): group for group in plan.group.values()}
    lines = [
        aligned(rows),
        "",
        f"memory: {plan.nbytes} bytes in {len(plan.storages)} buffers, for {placed} results",
        *(f"blocks: {len(group.terms)} operations at once, threads: {plan.threads}" for group in blocks.values()),
        *([f"facts: {len(plan.checks)}, of the arguments of the first call, {CHECKED}"] if plan.checks else []),
        *([f"rows of the table: they hold where all is finite, {CHECKED}"] if plan.finite else []),
    ]
    return "\n".join(lines)


def operations(outputs: Sequence[Term]) -> int:
    """How many operations lead to the outputs."""
    return sum(term.op is not None for term in topological_order(*outputs))


def values_of(outputs: Sequence[Term]) -> int:
    """How many bytes the values of a formula take."""
    return sum(getattr(term.value, "nbytes", 0) for term in topological_order(*outputs))


def as_graph(outputs: Sequence[Term], names: FormulaNames, name: str) -> Tensor | None:
    """The formulas as a recorded graph, to be drawn; None where its values are too large to be kept for that."""
    if not outputs or values_of(outputs) > SMALL or operations(outputs) > MANY:
        return None
    tensors: dict[Term, Any] = {}
    called = names_to_show(topological_order(*outputs), names)
    for term in topological_order(*outputs):
        if term.op is None:
            alone = term.is_constant and not term.ndim
            tensors[term] = term.value if alone else Tensor(term.value, requires_grad=False)
        else:
            args = tuple([tensors[arg] for arg in term.args])
            tensors[term] = new_node(Tensor, drawable(term.op, len(args)), args, term.kwargs, term.value)
        if term in called and isinstance(tensors[term], Tensor):
            tensors[term].name = called[term].remark or called[term].text
    return together([tensors[out] for out in outputs], name)


def drawable(op: Op, arity: int) -> Op:
    """The operation with a place for the rule of each operand, where it has none: a mask, for one."""
    return op if op.arity != 0 else Op(op.function, (None,) * arity, op.forward, op.kind, op.own_notation)


def together(tensors: list[Any], name: str) -> Tensor | None:
    """One node that leads to several; None where there is nothing but numbers."""
    tensors = [x for x in tensors if isinstance(x, Tensor)]
    if len(tensors) < 2:
        return tensors[0] if tensors else None
    node: Tensor = new_node(
        Tensor, drawable(Op(_results, ()), len(tensors)), tuple(tensors), NO_OPTIONS, tensors[0].value
    )
    node.name = name
    return node


def _results(*values: Any) -> Any:
    return values

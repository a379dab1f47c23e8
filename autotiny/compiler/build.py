"""From a function and its arguments to a program: trace, rewrite, schedule, emit; and its explanation."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.backend import Backend, FactError, ProgramText
from autotiny.compiler.captured import GENERATORS
from autotiny.compiler.drawable import graph_of
from autotiny.compiler.emit import NumpyBackend
from autotiny.compiler.explanation import explain
from autotiny.compiler.finite import without_implied
from autotiny.compiler.flags import reports_invalid
from autotiny.compiler.passes import Rewritten, rewritten
from autotiny.compiler.program import EntryPoint, Executable
from autotiny.compiler.purity import pure_trace
from autotiny.compiler.results import numbers_in, results_of_products, results_to_check
from autotiny.compiler.rewriting import with_stable_forms
from autotiny.compiler.scalars import ScalarBackend
from autotiny.compiler.schedule import Schedule, schedule
from autotiny.compiler.table import Simplified, by_table
from autotiny.compiler.trace import Trace, is_dynamic, trace
from autotiny.compiler.watching import State
from autotiny.engine.pytree import flatten, tree_map
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError

BACKENDS: tuple[Backend, ...] = (ScalarBackend(), NumpyBackend())
"""The first that accepts a schedule writes its program."""


def backends_of_loops() -> tuple[Backend, ...]:
    """Return the back ends that write loops for numba, asked in order; they accept what is worth a loop."""
    from autotiny.compiler.loops import BACKENDS as LOOPS  # loaded when it is asked for

    return LOOPS


class Request(NamedTuple):
    """A call for which a program is to be built."""

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
    """Whether the program keeps gradients from what was not taken."""
    backend: str = "numpy"
    """The back ends that may write the program."""


class Built(NamedTuple):
    """A program, the conditions for running it, and its description."""

    program: Any
    """An Executable, or what calls one."""
    positional: int
    names: tuple[str, ...]
    """The names of the keyword arguments."""
    state: State
    relies_on_facts: bool
    may_do_with_less: bool
    """Whether another program of the same trace relies on less: on no facts about data, or no forms that overflow."""
    masked: bool
    """Whether nan in a result, or a singular matrix, may come from an entry that was not taken."""
    explanation: str
    graph: Callable[[], Tensor | None] | None
    """Returns the formula with the values of the first call, unless these are large."""
    backend: str
    """Which back end wrote it, and why, in words."""
    careful: "Draft | None" = None
    """The program of the same trace that relies on less: a call that overflows could not be traced."""
    faster: "Draft | None" = None
    """The program of numba that may take over."""

    def is_current(self) -> bool:
        """Whether the captured values are unchanged."""
        return self.state.is_unchanged()


class Draft(NamedTuple):
    """A program that is written, and not loaded: numba takes long to compile one."""

    source: ProgramText
    make: Callable[[], Executable]
    unloaded: Built

    def load(self) -> Built:
        """Return the program, loaded."""
        return self.unloaded._replace(program=self.make())

    def load_if_possible(self) -> Built | None:
        """Return the program, loaded; None where numba fails."""
        try:
            return self.load()
        except Exception:  # another one is built, which says why
            return None


def build(request: Request) -> Built:
    """Return the program for a call like this one, with the one that takes over where something overflows."""
    f, args, kwargs, _, _, ints, _, guards, _ = request
    leaves = flatten((args, dict(kwargs)))[0]
    dynamic, draws = [is_dynamic(x, ints) for x in leaves], any(isinstance(x, GENERATORS) for x in leaves)
    traced, state = pure_trace(f, lambda: trace(f, args, kwargs, dynamic, guards), draws)
    try:
        return by_passes(request, traced, dynamic, state)
    finally:
        traced.values.forget()


def by_passes(request: Request, traced: Trace, dynamic: list[bool], state: State) -> Built:
    """Return the program of a trace."""
    facts = request.facts
    terms = with_stable_forms([out for out in traced.outputs if isinstance(out, Term)], traced.names)
    simplified = by_table(terms, traced.names) if facts else Simplified(terms, {})
    return assemble(request, traced, dynamic, state, simplified)


def assemble(request: Request, traced: Trace, dynamic: list[bool], state: State, simplified: Simplified) -> Built:
    """Return the program of a trace, by the back ends that were asked for."""

    def drafts(backends: Iterable[Backend]) -> Iterator[Draft]:
        for draft in written(request, traced, dynamic, state, simplified, backends):
            yield with_careful(draft, backends)

    def with_careful(draft: Draft, backends: Iterable[Backend]) -> Draft:
        if not draft.unloaded.may_do_with_less:
            return draft
        less = request._replace(facts=False)
        careful = next(written(less, traced, dynamic, state, simplified, backends), None)
        return draft._replace(unloaded=draft.unloaded._replace(careful=careful))

    if request.backend == "numpy":
        return next(drafts(BACKENDS)).load()
    draft, why = None, "nothing in the program is worth a loop"
    if find_spec("numba") is None:
        return next(drafts(BACKENDS)).load()._replace(backend="NumPy; numba is not installed")
    try:
        draft = next(drafts(backends_of_loops()), None)
        if draft is not None and request.backend == "numba":
            return draft.load()
    except Exception as error:  # the user gets results all the same
        draft, why = None, failure(error)
    built = next(drafts(BACKENDS)).load()
    return built._replace(backend=f"{built.backend}; {why}") if draft is None else built._replace(faster=draft)


def failure(error: Exception) -> str:
    """Return in words that numba failed."""
    return f"numba failed: {error if isinstance(error, UnsupportedError) else f'{type(error).__name__}: {error}'}"


def written(
    request: Request,
    traced: Trace,
    dynamic: list[bool],
    state: State,
    simplified: Simplified,
    backends: Iterable[Backend],
) -> Iterator[Draft]:
    """Yield the programs of those back ends that accept the formulas of a trace."""
    ways: dict[Any, tuple[Rewritten, Schedule]] = {}
    for backend in backends:
        way = backend.passes, backend.sees_flags
        if way not in ways:
            formulas = rewritten(traced, simplified, request.facts, backend)
            ways[way] = formulas, scheduled(request, traced, dynamic, formulas, backend)
        formulas, plan = ways[way]
        if backend.accepts(plan):
            yield draft(request, traced, dynamic, state, formulas, plan, backend)


def scheduled(request: Request, traced: Trace, dynamic: list[bool], formulas: Rewritten, backend: Backend) -> Schedule:
    """Return the schedule of rewritten formulas, with what the program looks at before its results are used."""
    outputs, selects = formulas.outputs, traced.masked and not request.guards
    relies = bool(formulas.finite) or formulas.moved or formulas.fast
    flags = backend.sees_flags and reports_invalid()
    by_flags = selects and not traced.unbounded and flags
    finite = formulas.finite or (results_to_check(outputs) if by_flags else [])
    return schedule(
        traced.symbols,
        outputs,
        donated(traced, request.args, dynamic, request.donate),
        formulas.checks,
        without_implied(finite + (results_of_products(outputs, finite) if by_flags else [])),
        numbers_in(outputs) if selects and not by_flags else [],
        names=traced.names,
        threads=request.threads,
        stop=FactError if relies else FloatingPointError if selects else None,
        stops_at_invalid=flags and (relies or by_flags),
        swept=traced.swept,
        may_fail=formulas.facts,
    )


def draft(
    request: Request,
    traced: Trace,
    dynamic: list[bool],
    state: State,
    formulas: Rewritten,
    plan: Schedule,
    backend: Backend,
) -> Draft:
    """Let a back end write the program of a schedule."""
    f, args, kwargs, outputs = request.f, request.args, request.kwargs, formulas.outputs
    source = backend.emit(plan)
    rest = iter(outputs)
    returned = tree_map(lambda out: next(rest) if isinstance(out, Term) else out, traced.rebuild(traced.outputs))
    entry = EntryPoint((*args, *kwargs.values()), dynamic, returned, state)
    watched = [
        *(["invalid"] if plan.stops_at_invalid else []),
        *(["over"] if formulas.fast or formulas.moved else []),
        *(["divide"] if formulas.fast else []),
    ]
    quiet = traced.swept and source.may_warn
    unloaded = Built(
        None,
        len(args),
        tuple(kwargs),
        state,
        source.in_python or bool(formulas.finite or formulas.checks) or formulas.moved or formulas.fast,
        formulas.fast or bool(formulas.checks and formulas.finite),
        traced.masked and not request.guards,
        explain(formulas.counts, plan),
        graph_of(formulas.formula, traced.names, getattr(f, "__name__", "step")),
        f"{backend.name}: {source.about}" if source.about else backend.name,
    )
    return Draft(source, lambda: Executable(source, entry, tuple(watched), quiet), unloaded)


def donated(traced: Trace, args: tuple[Any, ...], dynamic: list[bool], positions: Iterable[int]) -> list[Term]:
    """Return the symbols of the donated arrays."""
    counts = [len(flatten(arg)[0]) for arg in args]
    rest = iter(traced.symbols)
    symbols = [next(rest) if varies else None for varies in dynamic]
    symbols_of_donated: list[Term] = []
    for position in positions:
        if not -len(args) <= position < len(args):
            raise UnsupportedError(f"compile: donate={position} names an argument that was not given; {len(args)} were")
        start = sum(counts[: position % len(args)])
        symbols_of_donated += [x for x in symbols[start : start + counts[position]] if x is not None and x.ndim]
    return [x for x in symbols_of_donated if isinstance(x.prototype, np.ndarray)]

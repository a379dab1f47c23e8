"""From a function and its arguments to a program: trace, rewrite, schedule, emit; and its explanation."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term, constant, on_others, topological_order
from autotiny.compiler.backend import Backend, FactError, Pass, ProgramText
from autotiny.compiler.captured import GENERATORS, Captured, changed_inside, drawn_inside
from autotiny.compiler.drawable import graph_of
from autotiny.compiler.emit import NumpyBackend
from autotiny.compiler.factors import pull_factors
from autotiny.compiler.finite import without_implied
from autotiny.compiler.products import as_products
from autotiny.compiler.program import EntryPoint, Executable
from autotiny.compiler.rewriting import assume_facts, lower, made_by, with_stable_forms
from autotiny.compiler.scalars import ScalarBackend
from autotiny.compiler.schedule import Schedule, schedule
from autotiny.compiler.table import Simplified, alike, by_table, shorten, with_fast_forms
from autotiny.compiler.trace import Trace, is_dynamic, trace
from autotiny.compiler.watching import State
from autotiny.engine.pytree import flatten, tree_map
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.notation.text import aligned

# ----- passes -----
# They rewrite the formulas of a trace before these are scheduled.


FIRST: tuple[Pass, ...] = (lower, shorten)
"""The passes after the table of rows, in this order; then factors move and facts are assumed, then the back end's."""

BACKENDS: tuple[Backend, ...] = (ScalarBackend(), NumpyBackend())
"""The first that accepts a schedule writes its program."""


def backends_of_loops() -> tuple[Backend, ...]:
    """Return the back ends that write loops for numba, asked in order; they accept what is worth a loop."""
    from autotiny.compiler.loops import BACKENDS as LOOPS  # loaded when it is asked for

    return LOOPS


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


NUMBERS = np.array([np.nan, 0.0, 1.0, -1.0, 2.0, np.inf, -np.inf])
"""One number of each kind."""


@cache
def reports(kind: str, product: Callable[[Any, Any], Any], x: float, y: float) -> bool:
    """Whether NumPy reports this kind of error for a product; WebAssembly keeps no flags of them."""
    with np.errstate(**{kind: "raise"}):  # type: ignore[arg-type]
        try:
            product(np.full(4, x), np.full(4, y))
        except FloatingPointError:
            return True
    return False


def reports_overflow() -> bool:
    """Whether NumPy reports what overflows."""
    return reports("over", np.multiply, 1e300, 1e300)


def reports_overflow_of_dot() -> bool:
    """Whether NumPy reports what overflows in dot products, which NumPy 2.0 does not."""
    return reports("over", np.dot, 1e300, 1e300)


def reports_invalid() -> bool:
    """Whether NumPy reports invalid operations."""
    return reports("invalid", np.multiply, 0.0, np.inf)


def as_given(output: Term, traced: Term) -> Term:
    """Return a result without axes as the function returns it: an array, or a scalar of NumPy."""
    if isinstance(traced.prototype, np.generic) and isinstance(output.prototype, np.ndarray):
        return constant(output[()])
    if isinstance(traced.prototype, np.ndarray) and not (output.ndim or output.is_constant or made_by(output, np.copy)):
        return constant(np.copy(output))  # also where its value is an array: a program may give a scalar
    return output


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


def pure_trace(f: Callable[..., Any], call: Callable[[], Trace], draws: bool) -> tuple[Trace, State]:
    """Return a trace and the state that f reads, if a call leaves that as it is, or changes it at the first call only.

    Where an argument is a generator, the function `draws` random numbers, perhaps in code that is not followed.

    Raises UnsupportedError where every call would change it, or give other results.
    """
    before = Captured(f)
    try:
        traced = call()
        before.require_same_after_trace()
        after = Captured(f)
        changed = before.state.difference(after.state)
        if changed or draws or before.may_vary:
            again, traced = traced, call()
            latest = Captured(f)
            if latest.formulas or after.state.difference(latest.state):
                raise changed_inside(changed or "what it has captured")
            if not same_formulas(again, traced) and bits(again) != bits(traced):
                raise drawn_inside()
            again.values.forget()
    except BaseException:
        before.state.restore(Captured(f).state)
        raise
    return traced, after.state


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


def results_to_check(outputs: list[Term]) -> list[Term]:
    """Return the results that are checked to be finite: the numbers, since these are sums of the rest, or all."""
    results = numbers_in(outputs)
    return [out for out in results if not out.ndim] or results


def numbers_in(outputs: list[Term]) -> list[Term]:
    """Return the results that may have nan."""
    return [out for out in dict.fromkeys(outputs) if out.dtype.kind in "fc" and not out.is_constant]


def results_of_products(outputs: list[Term], checked: list[Term]) -> list[Term]:
    """Return the results, beside those that are checked, in which nan may come from a product of matrices.

    BLAS reports no invalid operation. A result is left out if what it is made of leaves its nan in the others.
    """
    sources: dict[Term, frozenset[Term]] = {}
    shown: dict[Term, frozenset[Term]] = {}
    for term in topological_order(*outputs):
        own = {term} if is_silent(term) else set[Term]()
        sources[term] = frozenset(own).union(*(sources[part] for part in term.parents))
        shown[term] = frozenset(own).union(*(shown[part] for part in term.args if hands_on_nan(term)))
    seen = frozenset[Term]().union(*(shown.get(x, frozenset()) for x in checked))
    results = [out for out in numbers_in(outputs) if out not in set(checked)]
    unseen: list[Term] = []
    for out in sorted(results, key=lambda out: len(shown[out]), reverse=True):
        if not sources[out] <= seen:
            unseen.append(out)
            seen |= shown[out]
    return unseen


def is_silent(term: Term) -> bool:
    """Whether a term may be nan for finite and infinite operands without a report; not where all of one is finite."""
    op = term.op
    if op is None or op.has("moves") or op.reduction_of or any(_is_finite_constant(arg) for arg in term.args):
        return False
    return not isinstance(op.function, np.ufunc) or op.function.signature is not None


def _is_finite_constant(x: Term) -> bool:
    return x.is_constant and bool(np.all(np.isfinite(x.value)))


def hands_on_nan(term: Term) -> bool:
    """Whether each nan in an operand leaves one in the result."""
    op = term.op
    if op is None:
        return False
    if op.has("moves"):
        whole = (op.has("reshapes") or op.has("rearranges")) and not op.has("selects")
        return whole or made_by(term, np.copy)
    function = op.reduction_of or op.function
    return op.has("linear") or (isinstance(function, np.ufunc) and keeps_nan(function))


@cache
def keeps_nan(function: np.ufunc) -> bool:
    """Whether a ufunc of nan and any other number is nan."""
    if function.signature is not None or function.nout > 1:
        return False
    columns = np.meshgrid(*[NUMBERS] * function.nin)
    with np.errstate(all="ignore"):
        result = function(*columns)
    return result.dtype.kind == "f" and bool(np.isnan(result[np.isnan(columns).any(axis=0)]).all())


def bits(traced: Trace) -> list[bytes]:
    """Return the bytes of the results of a call."""
    return [np.asarray(out.value if isinstance(out, Term) else out).tobytes() for out in traced.outputs]


def same_formulas(traced: Trace, other: Trace) -> bool:
    """Whether two calls have recorded the same formulas, so that no value need be computed to compare the results."""
    formulas = [[out for out in each.outputs if isinstance(out, Term)] for each in (traced, other)]
    if not len(traced.outputs) == len(formulas[0]) == len(formulas[1]):
        return False
    constants = {bytes_of(term): term for term in topological_order(*formulas[1]) if term.is_constant}
    new = dict(zip(traced.symbols, other.symbols, strict=True))
    for term in topological_order(*formulas[0]):
        if term.is_constant:
            new[term] = constants.get(bytes_of(term), term)
        elif term.op is not None:
            new[term] = on_others(term, new)
    return alike([new[out] for out in formulas[0]], formulas[1])


def bytes_of(term: Term) -> Any:
    """Return what a constant is known by."""
    return type(term.value), term.shape, term.dtype, np.asarray(term.value).tobytes()


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


# ----- explain -----
# The operations after each pass, the memory that the program keeps, what runs in blocks.


CHECKED = "checked at every call; where it fails another program takes over"


def explain(passes: list[tuple[str, int]], plan: Schedule) -> str:
    """Say in words what the program is and relies on, then the operations after each pass, and the memory."""
    rows = [("pass", "operations"), *((name.replace("_", " "), str(count)) for name, count in passes)]
    placed = sum(len(storage.tenants) for storage in plan.storages)
    blocks = {id(group): group for group in plan.group.values()}
    (_, first), (_, last) = passes[0], passes[-1]
    words = [
        f"The first call recorded {first} operations, gradients included; the program has {last}. {placed} results "
        f"are written into {len(plan.storages)} arrays, which are kept from call to call.",
        *(["It was seen that data sum to 1, as one-hot targets do; every call checks that."] if plan.checks else []),
        *(
            ["Some formulas were made shorter by rules that hold for finite numbers; every call checks that all are."]
            if plan.finite
            else []
        ),
        *(["Where a check fails, a program without that assumption takes over."] if plan.checks or plan.finite else []),
    ]
    lines = [
        *(line for sentence in words for line in wrap(sentence, 100)),
        "",
        aligned(rows),
        "",
        f"memory: {plan.nbytes} bytes in {len(plan.storages)} buffers, for {placed} results",
        *(f"blocks: {len(group.terms)} operations at once, threads: {plan.threads}" for group in blocks.values()),
        *([f"facts: {len(plan.checks)}, of the arguments of the first call, {CHECKED}"] if plan.checks else []),
        *([f"rows of the table: they hold where all is finite, {CHECKED}"] if plan.finite else []),
    ]
    return "\n".join(lines)


def operations(outputs: Sequence[Term]) -> int:
    """Return the number of operations that lead to the outputs."""
    return sum(term.op is not None for term in topological_order(*outputs))

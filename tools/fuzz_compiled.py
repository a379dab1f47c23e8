"""Run random programs compiled and as they are, and print those that differ, made as short as they can be.

    python tools/fuzz_compiled.py [--programs N] [--seed S] [--minutes M] [--show K]

Each program is called three times with other values, laid out in memory in other ways, nan, infinities and numbers that
overflow among them. What is compared: values up to rounding, nan and infinity, types and shapes, errors; and that
results are nobody else's memory and stay as they are, and arguments too.
"""

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import autotiny as at
from autotiny.algebra import Term, topological_order
from autotiny.compiler import blocks, schedule
from autotiny.compiler.loops import threads
from autotiny.compiler.rewriting import with_stable_forms
from autotiny.compiler.table import by_table
from autotiny.compiler.trace import is_dynamic, trace
from autotiny.engine.pytree import flatten
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from fuzz_programs import Program, names_in, random_program, size_of

Calls = list[tuple[Any, ...]]

ROUNDINGS = 64
"""Units in the last place, of the largest entry, within which results are equal without further questions."""
OPERATIONS = 500
"""Units in the last place that a program may lose, beside what it loses anyway."""


DOCUMENTED = "right, where the function overflows"
"""The kind of a difference that `at.compile` documents: a stable form gives what extended precision gives."""


class Fault(NamedTuple):
    """What is wrong with a compiled program: a kind, and details for people."""

    kind: str
    details: str


# ----- running -----
def outcome(f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return the results of a call, or the exception that it raises."""
    try:
        with np.errstate(all="ignore"):
            return f(*args)
    except Exception as error:
        return error


def copied(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments that nobody else sees, in the same layout."""
    return tuple(np.copy(x, order="K") if isinstance(x, np.ndarray) else x for x in args)


def as_bytes(values: Any) -> list[bytes]:
    """Return the contents of arrays and numbers."""
    return [np.asarray(x).tobytes() for x in flatten(values)[0]]


@contextmanager
def small_blocks() -> Iterator[None]:
    """Compute arrays in blocks of a few entries meanwhile, on two threads, as programs do with long ones."""
    before = schedule.LONG, blocks.BLOCK, threads.PART
    schedule.LONG, blocks.BLOCK, threads.PART = 4, 5, 16
    try:
        yield
    finally:
        schedule.LONG, blocks.BLOCK, threads.PART = before


def faults(program: Program, calls: Calls) -> Iterator[Fault]:
    """Yield what is wrong with the compiled program; with the same in small blocks."""
    yield from faults_as_compiled(program, calls)
    if len(program.lines) > 2:
        with small_blocks():
            for fault in faults_as_compiled(program, calls):
                yield fault._replace(details=f"in blocks, {fault.details}")


def faults_as_compiled(program: Program, calls: Calls) -> Iterator[Fault]:
    """Yield what is wrong with the compiled program."""
    f = program.function()
    step = at.compile(program.function(), threads=2, backend=program.backend)
    before: list[tuple[Any, list[bytes]]] = []
    for number, args in enumerate(calls, 1):
        unchanged = as_bytes(args)
        expected = outcome(f, copied(args))
        got = outcome(step, args)
        if step.latest is not None and "numba failed" in step.explain():
            yield Fault("numba failed", step.explain().partition("\n")[0])
        where = f"call {number}: "
        if as_bytes(args) != unchanged:
            yield Fault("an argument was changed", where)
        if isinstance(expected, Exception) or isinstance(got, Exception):
            yield from errors_differ(expected, got, where)
            continue
        yield from results_differ(program, args, expected, got, where)
        leaves = [x for x in flatten(got)[0] if isinstance(x, np.ndarray)]
        if any(np.may_share_memory(x, arg) for x in leaves for arg in args if isinstance(arg, np.ndarray) and x.size):
            yield Fault("a result is an argument's memory", where)
        if any(as_bytes(results) != contents for results, contents in before):
            yield Fault("an earlier result was overwritten", where)
        before.append((got, as_bytes(got)))


def errors_differ(expected: Any, got: Any, where: str) -> Iterator[Fault]:
    """Yield a fault where only one of two calls raises, or the compiled program raises something unheard of."""
    if not isinstance(got, Exception):
        refused = "converge" in str(expected) or "infs or NaNs" in str(expected)  # by LAPACK, if the value is needed
        yield Fault(DOCUMENTED if refused else "no error", f"{where}{type(expected).__name__}: {expected}")
    elif not isinstance(expected, Exception):
        words = f"{type(got).__name__}: {got}"
        yield Fault("refused" if isinstance(got, AutotinyError) else "crash", where + words)
    elif type(got) is not type(expected) and not isinstance(got, AutotinyError) and str(got) not in str(expected):
        yield Fault("another error", f"{where}{type(got).__name__}: {got}; expected {expected!r}")


def results_differ(program: Program, args: tuple[Any, ...], expected: Any, got: Any, where: str) -> Iterator[Fault]:
    """Yield faults of types, shapes and values."""
    wanted, given = flatten(expected)[0], flatten(got)[0]
    if len(wanted) != len(given) or type(expected) is not type(got):
        yield Fault("another structure", where)
        return
    judge = Judge(program, args, wanted)
    for i, (a, b) in enumerate(zip(given, wanted, strict=True)):
        a_form, b_form = ((type(x).__name__, np.shape(x), str(np.asarray(x).dtype)) for x in (a, b))
        if a_form != b_form:
            yield Fault("another type or shape", f"{where}{a_form}, expected {b_form}")
        elif not nearly_equal(a, b) and (words := judge.objection(i, np.asarray(a), np.asarray(b))):
            yield Fault(words, f"{where}result {i}: {excerpt(a)}, expected {excerpt(b)}")


def excerpt(x: Any) -> str:
    """Return the beginning of an array's text."""
    text = " ".join(str(x).split())
    return text if len(text) < 300 else text[:300] + " ..."


# ----- comparing -----
def nearly_equal(a: Any, b: Any) -> bool:
    """Whether results are equal up to a few units in the last place of the largest entry; nan equals nan."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind != "f":
        return bool((a == b).all())
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        largest = np.abs(b[np.isfinite(b)]).max(initial=0)
        close = np.isfinite(a) & np.isfinite(b)
        close &= np.abs(a.astype(np.longdouble) - b) <= ROUNDINGS * rounding(b.dtype, largest)
    return bool((same | close).all())


def rounding(dtype: Any, size: Any) -> Any:
    """Return a unit in the last place of numbers of this size."""
    info = np.finfo(dtype)
    return info.eps * np.maximum(np.longdouble(size), info.tiny)


class Judge:
    """Decides whether a difference is one of rounding: how far do results move with the arguments' last digits, and
    how far are they from those in extended precision?
    """

    def __init__(self, program: Program, args: tuple[Any, ...], wanted: list[Any]) -> None:
        self.program, self.args, self.wanted = program, args, wanted
        self.known: dict[str, list[list[Any]]] = {}
        self.rng = np.random.default_rng(0)

    def objection(self, i: int, a: Any, b: Any) -> str:
        """Return what is wrong with result i of the compiled program; empty if nothing is."""
        exact = [x[i] for x in self.results("wide", self.in_extended_precision) if np.shape(x[i]) == b.shape]
        near = [x[i] for x in self.results("near", self.nearby) if np.shape(x[i]) == b.shape]
        near += [x[i] for x in self.results("recorded", self.recorded) if np.shape(x[i]) == b.shape]
        near += [x[i] for x in self.results("laid out", self.laid_out) if np.shape(x[i]) == b.shape]
        inside = self.results("shaken inside", self.six_times, self.shaken_inside)
        near += [x[i] for x in inside if np.shape(x[i]) == b.shape]
        finite, wanted = np.isfinite(a), np.isfinite(b)
        with np.errstate(all="ignore"):
            others = np.array([b, *near, *exact], np.longdouble)
            spread = np.abs(others - b).max(axis=0) if len(others) else np.zeros(b.shape)
            spread = np.where(np.isnan(spread), 0, spread)
            unit, largest = np.finfo(b.dtype).eps, np.abs(b[wanted]).max(initial=0)
            noise = np.minimum(spread[np.isfinite(spread)].max(initial=0), 1000 * unit)  # of terms that cancel
            cancelled = (b == 0) | ((a == 0) & (np.abs(b) > 1e-4 * unit))
            noise = np.where(cancelled, np.maximum(noise, 4 * unit), noise)
            allowed = 30 * (spread + noise) + OPERATIONS * rounding(b.dtype, largest)
            wrong = finite & wanted & ~(np.abs(a.astype(np.longdouble) - b) <= allowed)
        if wrong.any() and not self.shrinks(i, a, b, wrong):
            return DOCUMENTED if self.agrees(i, a, wrong) else "wrong value"
        lost = wanted & ~finite & ~self.on_the_edge(i, near)
        if lost.any():
            return "not finite, where the function is"
        gained = finite & ~wanted & ~self.on_the_edge(i, near)
        if gained.any():
            return DOCUMENTED if self.agrees(i, a, gained) else "finite, where the function is not"
        differ = ~finite & ~wanted & ~((a == b) | (np.isnan(a) & np.isnan(b)))
        if differ.any():
            return DOCUMENTED if self.agrees(i, a, differ) else "another kind of not finite"
        return ""

    def shrinks(self, i: int, a: Any, b: Any, where: Any) -> bool:
        """Whether a difference comes of rounding, so that it is as many units in the last place in extended precision.

        It must not exceed `OPERATIONS` units of the largest number among arguments and results, or of 1, even so.
        """
        program = self.results("compiled wide", self.in_extended_precision, at.compile(self.program.function()))
        function = self.results("wide", self.in_extended_precision)
        if not program or not function or function[0][i].dtype != np.longdouble or np.shape(function[0][i]) != b.shape:
            return False
        units = np.longdouble(np.finfo(np.longdouble).eps) / np.finfo(b.dtype).eps
        numbers = [np.abs(np.asarray(x, np.longdouble)) for x in (*flatten(self.args)[0], b, 1.0)]
        largest = max(x[np.isfinite(x)].max(initial=0) for x in numbers)
        with np.errstate(all="ignore"):
            difference = np.abs(a.astype(np.longdouble) - b)
            wide = np.abs(program[0][i] - function[0][i])
        close = (wide <= ROUNDINGS * units * difference) & (difference <= OPERATIONS * rounding(b.dtype, largest))
        return bool(close[where].all())

    def on_the_edge(self, i: int, near: list[Any]) -> Any:
        """Whether entries are finite or not depending on the arguments' last digits."""
        b = np.isfinite(np.asarray(self.wanted[i]))
        return np.array([np.isfinite(x) != b for x in near]).any(axis=0) if near else np.zeros(b.shape, bool)

    def agrees(self, i: int, a: Any, where: Any) -> bool:
        """Whether entries equal those in extended precision, in a program that has a stable form.

        Those of the function, or of its operations as recorded: where that overflows too, as cosh(1e8), stable forms.
        """
        if not has_stable_form(self.program, self.args):
            return False
        wide = self.results("wide", self.in_extended_precision)
        wide = wide + self.results("recorded wide", self.recorded_in_extended_precision)
        return any(self.equal(a, x[i], where) for x in wide if np.shape(x[i]) == a.shape)

    @staticmethod
    def equal(a: Any, exact: Any, where: Any) -> bool:
        """Whether entries are equal up to rounding."""
        with np.errstate(all="ignore"):
            exact = np.asarray(exact)
            allowed = 1e4 * np.finfo(a.dtype).eps * np.abs(exact) + rounding(a.dtype, 0)
            return bool(((np.abs(a - exact) <= allowed) | (a == exact.astype(a.dtype)))[where].all())

    def results(
        self, name: str, arguments: Callable[[], Iterator[tuple[Any, ...]]], f: Callable[..., Any] | None = None
    ) -> list[list[Any]]:
        """Return the results of the function, or of f, for other arguments, those that there are."""
        if name not in self.known:
            called = [outcome(f or self.program.function(), args) for args in arguments()]
            self.known[name] = [list(map(plain, flatten(x)[0])) for x in called if not isinstance(x, Exception)]
            self.known[name] = [x for x in self.known[name] if len(x) == len(self.wanted)]
        return self.known[name]

    def in_extended_precision(self) -> Iterator[tuple[Any, ...]]:
        """Yield the arguments in extended precision."""
        yield tuple(np.asarray(x, np.longdouble) if np.asarray(x).dtype.kind == "f" else x for x in self.args)

    def recorded(self) -> Iterator[tuple[Any, ...]]:
        """Yield the arguments as Tensors: the engine's operations may differ from NumPy's in the last digits."""
        if self.program.mode == "value":
            yield tuple(as_tensor(x) for x in self.args)

    def laid_out(self) -> Iterator[tuple[Any, ...]]:
        """Yield the arguments in other orders in memory: NumPy adds entries in that order, and some may overflow."""
        for order in ("C", "F"):
            yield tuple(np.array(x, order=order) if isinstance(x, np.ndarray) else x for x in self.args)

    def recorded_in_extended_precision(self) -> Iterator[tuple[Any, ...]]:
        """Yield the arguments as Tensors in extended precision, also those that nothing is differentiated by."""
        yield from (tuple(map(as_tensor, args)) for args in self.in_extended_precision())

    def six_times(self) -> Iterator[tuple[Any, ...]]:
        """Yield the arguments as they are, six times."""
        yield from [self.args] * 6

    def shaken_inside(self, *args: Any) -> Any:
        """Return the results of the function with the last digits of all values changed, each time otherwise.

        Where a value of float32 leads to a result of float64, this says how far its rounding moves the result.
        """
        lines = tuple((name, f"shaken({expression})") for name, expression in self.program.lines)
        program = replace(self.program, lines=lines)
        return program.function(shaken=partial(shaken, self.rng))(*args)

    def nearby(self) -> Iterator[tuple[Any, ...]]:
        """Yield arguments that differ in the last digits."""
        for seed in range(6):
            rng = np.random.default_rng(seed)
            yield tuple(shaken(rng, x) for x in self.args)


def has_stable_form(program: Program, args: tuple[Any, ...]) -> bool:
    """Whether a row, or an equation of the compiler's, stands for an expression of a program."""
    dynamic = [is_dynamic(x, ints=True) for x in args]
    try:
        traced = trace(program.function(), args, {}, dynamic, guards=True)
    except AutotinyError:  # it depends on values, which only the function itself has
        return False
    terms = [out for out in traced.outputs if isinstance(out, Term)]
    written: dict[Term, Term] = {}
    terms = with_stable_forms(terms, traced.names, written)
    recorded = any(term.op.stands_for for term in topological_order(*terms) if term.op is not None)
    return recorded or bool(written) or bool(by_table(terms, traced.names).rows)


def as_tensor(x: Any) -> Any:
    """Return a floating-point number or array as a Tensor."""
    return at.Tensor(x) if np.asarray(x).dtype.kind == "f" else x


def plain(x: Any) -> Any:
    """Return the value of a Tensor; anything else as it is."""
    return x.data if isinstance(x, Tensor) else x


def shaken(rng: np.random.Generator, x: Any) -> Any:
    """Return a number, array or Tensor with its last digit changed, in some entries."""
    dtype = np.dtype(getattr(x, "dtype", type(x)))
    if dtype.kind != "f":
        return x
    with np.errstate(all="ignore"):
        y = x * (1 + np.finfo(dtype).eps * rng.integers(-2, 3, size=np.shape(x))).astype(dtype)
    return y if isinstance(x, np.ndarray | Tensor) else type(x)(y)


# ----- the shortest program -----
def shortest(program: Program, calls: Calls, kind: str) -> tuple[Program, Calls]:
    """Return a program with the same kind of fault from which nothing can be taken away."""

    def fails(candidate: Program, some: Calls) -> bool:
        try:
            return any(fault.kind == kind for fault in faults(candidate, some))
        except Exception:
            return False

    for some in (*([call] for call in calls), *(calls[:i] + calls[i + 1 :] for i in range(len(calls)))):
        if some and len(some) < len(calls) and fails(program, some):
            calls = some
    while True:
        smaller = next(
            (c for c in smaller_programs(program) if size_of(c) < size_of(program) and fails(c, calls)), None
        )
        if smaller is None:
            return program, calls
        program = smaller


def smaller_programs(program: Program) -> Iterator[Program]:
    """Yield programs with one part less."""
    for mode in ("value", "grad"):
        if program.mode != mode:
            yield replace(program, mode=mode)
    if program.argnums != "0":
        yield replace(program, argnums="0")
    names = [*program.parameters, *(name for name, _ in program.lines)]
    for name in names:
        yield replace(program, returned=name).without_dead_lines()
        if program.mode != "value":
            yield replace(program, returned=f"np.sum({name})").without_dead_lines()
    for i, (name, expression) in enumerate(program.lines):
        for other in names_in(expression) & set(names):
            kept = [*program.lines[:i], *((n, replaced(e, name, other)) for n, e in program.lines[i + 1 :])]
            yield replace(
                program, lines=tuple(kept), returned=replaced(program.returned, name, other)
            ).without_dead_lines()


def replaced(expression: str, name: str, other: str) -> str:
    """Return an expression with another name in place of one."""
    for end in " ,)]}.[":
        expression = expression.replace(name + end, other + end)
    return other if expression == name else expression


def as_code(program: Program, calls: Calls, fault: Fault) -> str:
    """Return a program that shows the fault, as code to be pasted."""
    arguments = [", ".join(array_code(x) for x in args) for args in calls]
    lines = [
        f"# {fault.kind}: {fault.details}",
        "import numpy as np, autotiny as at",
        "from autotiny.ops import einsum, elementwise, indexing, linalg, logarithms, losses, matmul",
        "from autotiny.ops import reductions, shaping, updating",
        "from numpy import array, inf, nan, float16, float32, float64, longdouble, int32, int64",
        "",
        program.code.rstrip(),
        "",
        f"derived = {program.derived}",
        f"step = at.compile(derived, backend={program.backend!r})",
        *(f"args = ({text},)\nprint(step(*args), derived(*args))" for text in arguments),
    ]
    return "\n".join(lines)


def array_code(x: Any) -> str:
    """Return an argument as code, without its layout."""
    if not isinstance(x, np.ndarray):
        return repr(x)
    layout = "" if x.flags.c_contiguous else f"  # strides {x.strides}\n"
    return f"array({x.tolist()!r}, dtype='{x.dtype}').reshape({x.shape}){layout}"


# ----- the command -----
def main(arguments: list[str] | None = None) -> int:
    """Run programs until there are enough, or the time is over; print what was found, and return the number."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--show", type=int, default=5, help="how many failing programs of each kind are printed")
    parser.add_argument("--backend", choices=["numpy", "numba"], default="numpy")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    found, count, documented, start = Counter[str](), 0, 0, time.monotonic()
    for count in range(1, options.programs + 1):
        if time.monotonic() - start > 60 * options.minutes:
            break
        program, calls = random_program(options.seed, count)
        program = replace(program, backend=options.backend)
        differences = list(faults(program, calls))
        documented += any(fault.kind == DOCUMENTED for fault in differences)
        fault = next((fault for fault in differences if fault.kind != DOCUMENTED), None)
        if fault is None:
            continue
        found[fault.kind] += 1
        if found[fault.kind] <= options.show:
            small, some = shortest(program, calls, fault.kind)
            fault = next((f for f in faults(small, some) if f.kind == fault.kind), fault)
            print(f"\n# ----- program {count} of seed {options.seed} -----\n{as_code(small, some, fault)}", flush=True)
    print(f"\n{count} programs, {found.total()} with faults; {documented} {DOCUMENTED}, as documented")
    for kind, times in found.most_common():
        print(f"{times:7}  {kind}")
    return found.total()


if __name__ == "__main__":
    sys.exit(bool(main()))

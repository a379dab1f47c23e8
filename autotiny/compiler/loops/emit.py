"""The back end that writes explicit loops for numba: kernels, and the lines of NumPy between them."""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from autotiny.algebra import Term, constant, topological_order
from autotiny.algebra.facts import ROUNDING, precision
from autotiny.compiler.backend import Argument, FactError, Pass, ProgramText
from autotiny.compiler.emit import Writer
from autotiny.compiler.loops.accesses import view_map
from autotiny.compiler.loops.forms import has_loop, is_loaded
from autotiny.compiler.loops.kernel import KernelText
from autotiny.compiler.loops.nests import Guard, Nests, copy_of_view, statement_of
from autotiny.compiler.loops.threads import in_parts, parts_of
from autotiny.compiler.operands import type_of
from autotiny.compiler.products import share_sign
from autotiny.compiler.rewriting import TermKind, kind, made_by
from autotiny.compiler.schedule import Schedule, Storage, nbytes
from autotiny.compiler.table import shorten

LARGEST_PRODUCT = 2**15
"""Multiplications from which BLAS is faster than a loop."""
MANY = 16
"""Operations that a loop may have which threads share."""
LONGEST, PART = 90, 40
"""Results up to which a kernel is one function, and those in each where it is several: numba's time grows faster than
a function, and every call takes time, too."""


STORED = (TermKind.ELEMENTWISE, TermKind.CAST, TermKind.REDUCTION, TermKind.PRODUCT)
"""The operations of NumPy that write into memory of the program."""


def in_loops(term: Term) -> bool:
    """Whether a kernel computes a term, or looks through it if it is a view."""
    if kind(term) is TermKind.VIEW:
        return view_map(term) is not None and is_loaded(term.dtype)
    small = not made_by(term, np.matmul) or term.size * term.args[0].shape[-1] <= LARGEST_PRODUCT
    return small and has_loop(term)


@dataclass
class Stage:
    """A part of the program: terms that one kernel computes, or lines of NumPy."""

    is_kernel: bool
    terms: list[Term]


def stages(order: Sequence[Term], last: Iterable[Term], totals: Iterable[Term] = ()) -> list[Stage]:
    """Return the parts of the program in order, with as few kernels as there can be."""
    number: dict[Term, int] = {}
    loops = {term: in_loops(term) for term in order}
    for term in order:
        before = max((number[part] for part in term.parents if part in number), default=0)
        number[term] = before if before % 2 != loops[term] else before + 1
    final = max(number.values(), default=0)
    for term in last:
        number[term] = final if final % 2 != loops[term] else final + 1
    postpone(order, number, loops, totals)
    found: dict[int, list[Term]] = {}
    for term in order:
        found.setdefault(number[term], []).append(term)
    return [Stage(i % 2 == 0, terms) for i, terms in sorted(found.items())]


def divided(stage: Stage, looks: Set[Term], last: Set[Term], threads: int) -> list[Stage]:
    """Return a stage in parts that numba compiles in time, and that threads can share if they are long."""
    parts = by_length(stage, last) if threads > 1 and stage.is_kernel else [stage]
    return [piece for part in parts for piece in in_short_functions(part, last, looks)]


def by_length(stage: Stage, last: Set[Term]) -> list[Stage]:
    """Return a stage with what threads can share in parts of its own; donated arrays are modified in the last ones."""
    number: dict[Term, int] = {}
    for term in stage.terms:
        before = max((number[part] for part in term.parents if part in number), default=0)
        if term in last:
            before = max([before, *number.values()])
        number[term] = before if before % 2 == is_long(term) else before + 1
    found: dict[int, list[Term]] = {}
    for term in stage.terms:
        found.setdefault(number[term], []).append(term)
    return [Stage(True, terms) for _, terms in sorted(found.items())]


def is_long(term: Term) -> bool:
    """Whether it pays to share the computation of a result among threads."""
    return parts_of(MANY * max(x.size for x in (term, *term.args)), 2) > 1


def in_short_functions(stage: Stage, last: Iterable[Term], looks: Set[Term]) -> list[Stage]:
    """Return a stage in parts that numba compiles in time."""
    if not stage.is_kernel or len(stage.terms) <= LONGEST:
        return [stage]
    terms = by_use(stage.terms, last, looks)
    size = -(-len(terms) // -(-len(terms) // PART))
    return [Stage(True, terms[i : i + size]) for i in range(0, len(terms), size)]


def by_use(terms: Sequence[Term], last: Iterable[Term], looks: Set[Term]) -> list[Term]:
    """Return terms in an order in which less is handed from part to part.

    What is only looked at is computed beside its operands, and elementwise operations before their first user where
    their operands are kept anyway: 1 - A**2 of a layer.
    """
    index = {term: i for i, term in enumerate(terms)}
    users: dict[Term, list[Term]] = {term: [] for term in terms}
    for term in terms:
        if term not in looks and kind(term) is not TermKind.VIEW:
            for x in {y for part in term.parents for y in (part, through_views(part)) if y in index}:
                users[x].append(term)
    place, end = dict(index), min((index[x] for x in last if x in index), default=len(terms))
    for term in reversed(terms):
        first = min((place[user] for user in users[term]), default=end)
        roots = [x for x in map(through_views, term.parents) if x in index]
        others = [[place[user] for user in users[x] if user is not term] for x in roots]
        is_kept = all(max(uses, default=first) > index[term] for uses in others)
        if first < end and (kind(term) is TermKind.VIEW or (kind(term) is TermKind.ELEMENTWISE and is_kept)):
            place[term] = first
    for term in terms:
        if term in looks:
            place[term] = max((place[x] for x in term.parents if x in index), default=0)
    return sorted(terms, key=lambda term: (place[term], index[term]))


def with_guards(plan: Schedule, updates: Mapping[Term, Term]) -> tuple[list[Guard], list[Term]]:
    """Return the conditions that stop the program, and all operations, those of the conditions included."""
    guards = list[Guard]()
    assert plan.stop is not None or not (plan.finite or plan.not_nan)
    for sums in plan.checks:
        error = as_loaded(constant(np.max(abs(sums - 1))))
        guards.append(Guard([error], FactError, ROUNDING * precision(sums.prototype)))
    if plan.finite:
        guards.append(Guard([size_of(x) for x in plan.finite], plan.stop))
    nans = [constant(np.sum(np.not_equal(x, x))) for x in plan.not_nan]
    if nans:
        guards.append(Guard(nans, plan.stop, 0))
    totals = [total for guard in guards for total in guard.totals]
    known = set(plan.order)
    assert all(total.op is not None for total in totals)
    extra = [x for x in topological_order(*totals) if x.op is not None and x not in known]
    return guards, [*(x for x in plan.order if x not in updates), *extra, *updates]


def size_of(x: Term) -> Term:
    """Return the sum of the squares of all entries, as a number that kernels take."""
    return as_loaded(constant(np.vdot(x, x) if x.ndim else x * x))


def as_loaded(x: Term) -> Term:
    """Return a number, or its absolute value, in a type that kernels take."""
    return x if is_loaded(x.dtype) else constant(np.abs(x).astype(np.float64))


def postpone(
    order: Sequence[Term], number: dict[Term, int], loops: Mapping[Term, bool], totals: Iterable[Term]
) -> None:
    """Move what kernels compute of arguments alone to the kernel that needs it first, so that it need not be stored.

    Anything else stays where its operands are: these would have to be stored instead.
    """
    of_arguments = set[Term]()
    for term in order:
        if loops[term] and all(part.op is None or part in of_arguments for part in term.parents):
            of_arguments.add(term)
    limit = dict.fromkeys(totals, max(number.values(), default=0))
    for term in reversed(order):
        if term in of_arguments and term in limit:
            number[term] = limit[term] - limit[term] % 2
        for part in term.parents:
            limit[part] = min(number[term], limit.get(part, number[term]))


class LoopWriter(Writer):
    """Writes the kernels of a program, and `step`, which calls them."""

    def __init__(self, plan: Schedule) -> None:
        self.last = {x: place for x, place in plan.place.items() if isinstance(place, Term) and x is not place}
        self.guards, order = with_guards(plan, self.last)
        self.looks = set(order) - set(plan.order)
        """What is computed for the guards alone."""
        super().__init__(replace(plan, order=order, place=dict(self.last), storages=[], group={}))
        self.turned = {x for x in plan.inputs if is_in_columns(x) and x not in set(self.last.values())}
        """Arguments of which kernels take the transposes."""
        self.kernels: list[KernelText] = []
        self.needed: set[Term] = set()
        """The results that are needed outside the kernel that computes them."""
        self.numbers: set[Term] = set()
        """The numbers that kernels return."""
        self.in_order: dict[Term, np.ndarray] = {}
        """Constant arrays in C order."""
        self.ordered: set[Term] = set()
        """The arrays that kernels write, in C order."""

    def program(self) -> ProgramText:
        """Return the program."""
        plan = self.plan
        for term, place in self.last.items():
            self.names[term] = self.names[place]
        totals = [total for guard in self.guards for total in guard.totals]
        whole, last = stages(plan.order, self.last, totals), set(self.last)
        parts = [part for stage in whole for part in divided(stage, self.looks, last, plan.threads)]
        self.needed = self.results_of(parts)
        home = {term: i for i, part in enumerate(parts) for term in part.terms}
        for i, part in enumerate(parts):
            guards = [guard for guard in self.guards if max(home[x] for x in guard.totals) == i]
            if part.is_kernel:
                self.write_kernel(part.terms, guards)
            else:
                self.write_lines(part.terms, guards)
        results = ", ".join(self.result(output) for output in plan.outputs)
        comma = "," if len(plan.outputs) == 1 else ""
        parameters = ", ".join(self.names[term] for term in plan.inputs)
        imported = [f"from numpy import {', '.join(sorted(self.imports))}"] if self.imports else []
        head = [*(f"import {module}" for module in sorted(self.modules)), "import numpy as np", *imported]
        body = [f"    {line}" for line in [*self.lines, f"return {results}{comma}"]]
        text = [*head, "", *self.setup, "", "", f"def step({parameters}):", *body, ""]
        signatures = {kernel.name: self.signature(kernel) for kernel in self.kernels}
        first = self.kernels[0].arguments if parts[0].is_kernel else []
        arrays = [x for x in plan.inputs if isinstance(x.prototype, np.ndarray)]
        return ProgramText(
            "\n".join(text),
            self.objects,
            kernels=self.kernel_module(),
            signatures=signatures,
            may_warn=not all(part.is_kernel for part in parts),
            about=about(parts, len(self.kernels)),
            takes_arrays=all(x.ndim for x in arrays) and set(first).issuperset(arrays),
        )

    def shape_of(self, x: Term) -> tuple[int, ...] | None:
        """Return the shape in which a kernel takes an array; None for a number."""
        if not x.ndim:
            return None
        return x.shape[::-1] if x in self.turned else x.shape

    def signature(self, kernel: KernelText) -> list[Argument]:
        """Return what a kernel takes."""
        return [
            *([Argument(np.dtype(np.int64))] * 2 if kernel.in_parts else []),
            *(
                Argument(
                    x.dtype, (x.shape[::-1] if x in self.turned else x.shape) if x.ndim else None, kernel.writes(x)
                )
                for x in kernel.arguments
            ),
        ]

    def kernel_module(self) -> str:
        """Return the text of all kernels, with what they import."""
        imports: dict[str, set[str]] = {}
        for kernel in self.kernels:
            for module, names in kernel.imports.items():
                imports.setdefault(module, set()).update(names)
        imports.setdefault("numba", set()).add("njit")
        lines = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(imports.items())]
        return "\n".join(["import numpy as np", *lines, "", "", *("\n".join([*k.lines, "", ""]) for k in self.kernels)])

    # ----- stages -----
    def results_of(self, parts: Sequence[Stage]) -> set[Term]:
        """Return the results that are needed outside the kernel that computes them."""
        needed = {x for x in self.plan.outputs if x.op is not None}
        home = {term: i for i, part in enumerate(parts) for term in part.terms}
        for i, part in enumerate(parts):
            for x in {through_views(arg) for term in part.terms for arg in term.parents}:
                if x.op is not None and home[x] != i:
                    needed.add(x)
        for guard in self.guards:
            final = max(home[x] for x in guard.totals)
            needed.update(x for x in guard.totals if home[x] != final)
        return needed

    def write_lines(self, terms: Sequence[Term], guards: Sequence[Guard]) -> None:
        """Write lines of NumPy; donated arrays are modified last."""
        for term in terms:
            if term not in self.last:
                self.write_line(term)
        for guard in guards:
            self.modules.add("math")
            self.refer(guard.stop.__name__, guard.stop)
            total = " + ".join(self.expressions[x] for x in guard.totals)
            condition = f"math.isfinite(abs({total}))" if guard.limit is None else f"{total} <= {guard.limit!r}"
            self.lines += [f"if not {condition}:", f"    raise {guard.stop.__name__}"]
        for term in terms:
            if term in self.last:
                self.write_line(term)

    def write_line(self, term: Term) -> None:
        """Write a line of NumPy, and those of the views that it uses."""
        for part in term.parents:
            if part.op is not None and part not in self.expressions:
                self.write_line(part)
            if part in self.numbers and isinstance(part.prototype, np.ndarray | np.generic):
                self.lines.append(f"{self.names[part]} = {self.result(part)}")
                self.numbers.discard(part)
        if term not in set(self.plan.outputs) and term not in self.last and kind(term) in STORED:
            self.plan.place[term] = storage = Storage(len(self.plan.place), nbytes(term), [term])
            self.write_tenants(storage)
        self.write(term)

    def write_kernel(self, terms: Sequence[Term], guards: Sequence[Guard]) -> None:
        """Write one kernel, and the lines that call it."""
        last = {x: self.last[x] for x in terms if x in self.last}
        looked_at = {x for guard in guards for x in guard.totals} if self.plan.threads > 1 else set()
        nests = Nests((self.needed | looked_at) & set(terms), last, set(self.names.values()))
        waiting, outputs = list(guards), set(self.plan.outputs)
        for term in terms:
            if term in last:
                nests.body += waiting
                waiting = []
            if kind(term) is not TermKind.VIEW:
                nests.add(statement_of(term, self.turned))
            elif term in outputs:
                nests.add(copy_of_view(term, self.turned))
        parts = 1 if last and guards else self.parts(nests)
        if parts == 1:
            nests.body += waiting
        if nests.body:
            name = self.fresh(f"loops{len(self.kernels) + 1}")
            kernel = KernelText(name, nests, self.names, self.user_names, in_parts=parts > 1)
            self.kernels.append(kernel)
            self.call_kernel(kernel, parts)
        if parts > 1:
            self.write_lines([], waiting)

    def parts(self, nests: Nests) -> int:
        """Return on how many threads a kernel runs."""
        extent = nests.shared_extent()
        work = sum(math.prod(x.extents) for x in nests.made.values())
        return max(1, min(parts_of(work, self.plan.threads), extent))

    def call_kernel(self, kernel: KernelText, parts: int) -> None:
        """Write the lines that call a kernel, in parts that threads share."""
        outputs = set(self.plan.outputs)
        for x in kernel.written:
            if x not in self.last:
                lines = self.lines if x in outputs else self.setup
                lines.append(f"{self.names[x]} = np.empty({x.shape}{type_of(x)})")
            self.expressions[x] = self.names[x]
        memory = set(kernel.memory)
        self.ordered.update([*kernel.written, *memory])
        for x in kernel.arguments:
            if x in memory:
                self.setup.append(f"{self.names[x]} = np.empty({x.shape}{type_of(x)})")
        numbers, arguments = [self.names[x] for x in kernel.numbers], ", ".join(map(self.argument, kernel.arguments))
        results = f"{', '.join(numbers)} = " if numbers else ""
        if parts > 1:
            self.objects["in_parts"] = in_parts
            results = f"{self.fresh(f'parts_of_{kernel.name}')} = " if numbers else ""
            extent = kernel.nests.shared_extent()
            self.lines.append(f"{results}in_parts({kernel.name}, {extent}, {parts}, {arguments})")
            self.lines += sums(numbers, results.removesuffix(" = "))
        else:
            self.lines.append(f"{results}{kernel.name}({arguments})")
        self.numbers.update(kernel.numbers)
        self.expressions.update({x: self.names[x] for x in kernel.numbers})

    def argument(self, x: Term) -> str:
        """Return an argument of a kernel: an array, or a number."""
        if x.is_constant:
            if x not in self.in_order:
                self.in_order[x] = np.ascontiguousarray(x.value)
            return self.refer("constant", self.in_order[x])
        name = self.names[x]
        if x in self.turned:
            return f"np.ascontiguousarray({name}.T)"
        if x.ndim and x.op is not None and x not in self.ordered and not isinstance(self.plan.place.get(x), Storage):
            return f"np.ascontiguousarray({name})"
        return f"{name}[()]" if not x.ndim and isinstance(x.prototype, np.ndarray) and x not in self.numbers else name

    def result(self, output: Term) -> str:
        """Return the expression of a result; of a number as the function returns it: an array, or a scalar of NumPy."""
        if output in self.ordered:
            return self.names[output]
        if output not in self.numbers:
            return super().result(output)
        name = self.expressions[output]
        if isinstance(output.prototype, np.ndarray):
            return f"np.array({name}{type_of(output)})"
        return f"np.{output.dtype.name}({name})" if isinstance(output.prototype, np.generic) else name


def about(parts: Sequence[Stage], kernels: int) -> str:
    """Return in words what computes: 3 kernels, 2 products by BLAS."""
    lines = [x for part in parts if not part.is_kernel for x in part.terms if kind(x) is not TermKind.VIEW]
    products = sum(made_by(x, np.matmul) for x in lines)
    counts = {"kernel": kernels, "product by BLAS": products, "other call of NumPy": len(lines) - products}
    return ", ".join(counted(n, what) for what, n in counts.items() if n)


def counted(n: int, what: str) -> str:
    """Return a number with its noun: 2 products by BLAS."""
    noun, space, rest = what.partition(" by ") if " by " in what else what.partition(" of ")
    return f"{n} {noun}{'' if n == 1 else 's'}{space}{rest}"


def sums(names: Sequence[str], parts: str) -> list[str]:
    """Return the lines that add up the totals of the parts of a loop."""
    if len(names) == 1:
        return [f"{names[0]} = sum({parts})"]
    return [f"{name} = sum(part[{i}] for part in {parts})" for i, name in enumerate(names)]


def is_in_columns(x: Term) -> bool:
    """Whether the columns of an array are contiguous, and its rows are not."""
    return x.ndim > 1 and bool(x.value.flags.f_contiguous and not x.value.flags.c_contiguous)


def through_views(x: Term) -> Term:
    """Return the term whose entries a view shows."""
    while x.op is not None and kind(x) is TermKind.VIEW and view_map(x) is not None:
        x = x.args[0]
    return x


class LoopBackend:
    """Programs of loops."""

    name = "numba"
    passes: tuple[Pass, ...] = (shorten, share_sign)
    sees_flags = False

    def accepts(self, schedule: Schedule) -> bool:
        """Return whether any of the program is worth a loop."""
        return any(in_loops(term) and kind(term) is not TermKind.VIEW for term in schedule.order)

    def emit(self, schedule: Schedule) -> ProgramText:
        """Return the program: kernels of loops, and `step`, which calls them."""
        return LoopWriter(schedule).program()

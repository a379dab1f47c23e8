"""The back end that writes explicit loops for numba: kernels, and the lines of NumPy between them."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.backend import Argument, Pass, ProgramText
from autotiny.compiler.emit import Writer
from autotiny.compiler.loops.guards import with_guards
from autotiny.compiler.loops.kernel import KernelText
from autotiny.compiler.loops.nests import Guard, Nests, copy_of_view, statement_of
from autotiny.compiler.loops.stages import Stage, divided, in_loops, stages, through_views
from autotiny.compiler.loops.threads import in_parts, parts_of
from autotiny.compiler.operands import type_of
from autotiny.compiler.products import share_sign
from autotiny.compiler.rewriting import TermKind, kind, made_by
from autotiny.compiler.schedule import Schedule, Storage, nbytes
from autotiny.compiler.table import shorten

STORED = (TermKind.ELEMENTWISE, TermKind.CAST, TermKind.REDUCTION, TermKind.PRODUCT)
"""The operations of NumPy that write into memory of the program."""


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

"""The back end that writes explicit loops for numba: kernels, and the lines of NumPy between them."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant, topological_order
from autotiny.algebra.facts import ROUNDING, precision
from autotiny.compiler.backend import ProgramText
from autotiny.compiler.emit import Writer
from autotiny.compiler.loops.accesses import view_map
from autotiny.compiler.loops.forms import has_loop
from autotiny.compiler.loops.kernel import KernelText
from autotiny.compiler.loops.nests import Guard, Nests, copy_of_view, statement_of
from autotiny.compiler.rewriting import VDOT, TermKind, kind, made_by
from autotiny.compiler.schedule import Schedule
from autotiny.ops import OPS

LARGEST_PRODUCT = 2**15
"""Multiplications from which BLAS is faster than a loop."""


def in_loops(term: Term) -> bool:
    """Whether a kernel computes a term, or looks through it if it is a view."""
    if kind(term) is TermKind.VIEW:
        return view_map(term) is not None
    small = not made_by(term, np.matmul) or term.size * term.args[0].shape[-1] <= LARGEST_PRODUCT
    return small and has_loop(term)


@dataclass
class Stage:
    """A part of the program: terms that one kernel computes, or lines of NumPy."""

    is_kernel: bool
    terms: list[Term]


def stages(order: Sequence[Term], last: Iterable[Term]) -> list[Stage]:
    """Return the parts of the program in order, with as few kernels as there can be."""
    number: dict[Term, int] = {}
    loops = {term: in_loops(term) for term in order}
    for term in order:
        before = max((number[part] for part in term.parents if part in number), default=0)
        number[term] = before if before % 2 != loops[term] else before + 1
    final = max(number.values(), default=0)
    for term in last:
        number[term] = final if final % 2 != loops[term] else final + 1
    found: dict[int, list[Term]] = {}
    for term in order:
        found.setdefault(number[term], []).append(term)
    return [Stage(i % 2 == 0, terms) for i, terms in sorted(found.items())]


class LoopWriter(Writer):
    """Writes the kernels of a program, and `step`, which calls them."""

    def __init__(self, plan: Schedule) -> None:
        self.last = {x: place for x, place in plan.place.items() if isinstance(place, Term) and x is not place}
        super().__init__(replace(plan, place=dict(self.last), storages=[], group={}))
        self.kernels: list[KernelText] = []
        self.results: list[str] = []

    def program(self) -> ProgramText:
        """Return the program."""
        plan = self.plan
        for term, place in self.last.items():
            self.names[term] = self.names[place]
        guards, order = self.with_guards()
        parts = stages(order, self.last)
        self.needed = self.results_of(parts)
        for part in parts:
            if part.is_kernel:
                self.write_kernel(part.terms, [guard for guard in guards if guard.totals[0] in set(part.terms)])
            else:
                for term in part.terms:
                    self.write_line(term)
        results = ", ".join(self.result(output) for output in plan.outputs)
        comma = "," if len(plan.outputs) == 1 else ""
        parameters = ", ".join(self.names[term] for term in plan.inputs)
        imported = [f"from numpy import {', '.join(sorted(self.imports))}"] if self.imports else []
        head = [*(f"import {module}" for module in sorted(self.modules)), "import numpy as np", *imported]
        body = [f"    {line}" for line in [*self.lines, f"return {results}{comma}"]]
        text = [*head, "", *self.setup, "", "", f"def step({parameters}):", *body, ""]
        return ProgramText("\n".join(text), self.objects, kernels=self.kernel_module())

    def kernel_module(self) -> str:
        """Return the text of all kernels, with what they import."""
        imports: dict[str, set[str]] = {}
        for kernel in self.kernels:
            for module, names in kernel.imports.items():
                imports.setdefault(module, set()).update(names)
        imports.setdefault("numba", set()).add("njit")
        lines = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(imports.items())]
        return "\n".join(["import numpy as np", *lines, "", "", *("\n".join([*k.lines, "", ""]) for k in self.kernels)])

    # ----- conditions -----
    def with_guards(self) -> tuple[list[Guard], list[Term]]:
        """Return the conditions that stop the program, and all operations, those of the conditions included."""
        plan, guards = self.plan, list[Guard]()
        for sums in plan.checks:
            guards.append(Guard([constant(np.max(abs(sums - 1)))], ROUNDING * precision(sums.value)))
        if plan.finite:
            guards.append(Guard([constant(np.vdot(x, x) if x.ndim else x * x) for x in plan.finite], None))
        nans = [constant(np.sum(np.not_equal(x, x))) for x in getattr(plan, "not_nan", ())]
        if nans:
            guards.append(Guard(nans, 0))
        last = list(self.last)
        totals = [total for guard in guards for total in guard.totals if total.op is not None]
        known = set(plan.order)
        extra = [x for x in topological_order(*totals) if x.op is not None and x not in known]
        return guards, [*(x for x in plan.order if x not in self.last), *extra, *last]

    # ----- stages -----
    def results_of(self, parts: Sequence[Stage]) -> set[Term]:
        """Return the results that are needed outside the kernel that computes them."""
        needed = {x for x in self.plan.outputs if x.op is not None}
        home: dict[Term, int] = {}
        for i, part in enumerate(parts):
            for term in part.terms:
                home[term] = i
                for arg in term.parents:
                    while arg.op is not None and kind(arg) is TermKind.VIEW and part.is_kernel and view_map(arg):
                        arg = arg.args[0]
                    if arg.op is not None and home[arg] != i:
                        needed.add(arg)
        return needed

    def write_kernel(self, terms: Sequence[Term], guards: Sequence[Guard]) -> None:
        """Write one kernel, and the lines that call it."""
        nests = Nests(self.needed & set(terms), {x: self.last[x] for x in terms if x in self.last}, set(self.names.values()))
        outputs = set(self.plan.outputs)
        waiting = list(guards)
        for term in terms:
            if term in nests.last:
                nests.body += waiting
                waiting = []
            if kind(term) is not TermKind.VIEW:
                nests.add(statement_of(term))
            elif term in outputs:
                nests.add(copy_of_view(term))
        nests.body += waiting
        name = "loops" if not self.kernels else f"loops_{len(self.kernels) + 1}"
        kernel = KernelText(name, nests, self.names, self.user_names)
        self.kernels.append(kernel)
        for x in kernel.written:
            if x not in self.last:
                self.lines.append(f"{self.names[x]} = np.empty({x.shape}{type_of(x)})")
            self.expressions[x] = self.names[x]
        for x in kernel.arguments:
            if x in kernel.memory:
                self.setup.append(f"{self.names[x]} = np.empty({x.shape}{type_of(x)})")
            elif x.is_constant:
                self.names[x] = self.fresh("constant")
                self.objects[self.names[x]] = np.ascontiguousarray(x.value)
        numbers = ", ".join(self.names[x] for x in kernel.numbers)
        self.lines.append(f"{f'{numbers} = ' if numbers else ''}{name}({', '.join(map(self.argument, kernel.arguments))})")
        for x in kernel.numbers:
            self.expressions[x] = self.names[x]
            self.numbers.add(x)

    def argument(self, x: Term) -> str:
        """Return an argument of a kernel: an array in C order, or a number."""
        name = self.names[x]
        if x.op is not None and x not in self.computed and x.ndim:
            return f"np.ascontiguousarray({name})"
        return f"{name}[()]" if not x.ndim and isinstance(x.value, np.ndarray) and x not in self.numbers else name

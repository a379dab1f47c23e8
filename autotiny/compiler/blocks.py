"""Long chains of elementwise operations in blocks that fit the cache, on several threads: emit, and run."""

import contextvars
import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.operands import Operands, comment, type_of
from autotiny.compiler.rewriting import VDOT, folded, is_uniform
from autotiny.compiler.schedule import BlockGroup, Plan, Storage, inner_results, is_choice, shape_of

BLOCK = 2**14
"""The number of entries of a block."""


# ----- writing -----
class BlockPlan(Plan):
    """A plan of the memory of one block, in which results of different types do not share memory."""

    def fresh(self, term: Term) -> Storage:
        """Return free memory of this type, or new memory."""
        free = self.free
        self.free = [storage for storage in free if storage.tenants[0].dtype == term.dtype]
        storage = super().fresh(term) if self.free else self.added(term)
        self.free = [other for other in free if other is not storage]
        return storage

    def added(self, term: Term) -> Storage:
        """Return new memory."""
        self.storages.append(Storage(len(self.storages), term.size * term.dtype.itemsize))
        return self.storages[-1]


class BlockWriter:
    """Writes the function that computes one block of a group."""

    def __init__(self, program: Operands, group: BlockGroup) -> None:
        self.program, self.terms = program, group.terms
        members = set(group.terms)
        plan = program.plan
        self.inner = inner_results(plan.order, [*plan.outputs, *plan.finite], plan.group)
        parts = [part for term in group.terms for part in term.args if part not in members]
        outside = [part for part in dict.fromkeys(parts) if not part.is_constant]
        constants = [part for part in dict.fromkeys(parts) if part.is_constant and part.ndim]
        self.dotted = {part for term in group.terms if term.op is VDOT for part in term.args}
        self.arrays = [part for part in outside if part.ndim]
        self.arrays += [part for part in constants if not self.is_number(part)]
        self.numbers = [part for part in outside if not part.ndim]
        self.out = [term for term in group.terms if term.ndim and term not in self.inner]
        self.totals = [term for term in group.terms if not term.ndim]
        self.memory = BlockPlan(group.terms, [*self.out, *self.totals], set())
        for term in group.terms:
            self.memory.settle(term)
        self.number = len(program.functions) + 1
        self.function = program.fresh(f"block{self.number}")
        self.buffers = [self.buffer(storage, i) for i, storage in enumerate(self.memory.storages, 1)]
        pairs = zip(self.memory.storages, self.buffers, strict=True)
        self.buffer_of = {x: name for storage, name in pairs for x in storage.tenants}
        self.part = {x: program.fresh(f"part_of_{program.names[x]}") for x in self.totals}

    def buffer(self, storage: Storage, i: int) -> str:
        """Return the name of some memory: that of the results that are stored there, if all have the same."""
        called = {self.program.names[x] for x in storage.tenants}
        return called.pop() if len(called) == 1 else self.program.fresh(f"buffer{i}")

    def text(self) -> str:
        """Return the text of the function."""
        for x in self.arrays:
            self.program.names.setdefault(x, self.program.operand(x, None))
        names = [self.program.names[x] for x in (*self.numbers, *self.in_whole())]
        names += self.buffers
        lines = [f"{self.expression(term)}" for term in self.terms]
        lines.append(f"return {', '.join(self.part.values()) or None}")
        return "\n".join([f"def {self.function}({', '.join(names)}):", *(f"    {line}" for line in lines), "", ""])

    def in_whole(self) -> list[Term]:
        """Return the arrays and results that are stored as a whole, each once: a result may be stored in an operand."""
        return list({self.program.names[x]: x for x in (*self.arrays, *self.out)}.values())

    def name(self, x: Term) -> str:
        """Return the name of the memory of a result within a block."""
        return self.buffer_of.get(x) or self.program.names[x]

    def expression(self, term: Term) -> str:
        """Return the line of one operation."""
        program, args = self.program, ", ".join(self.operand(arg, term) for arg in term.args)
        assert term.op is not None
        if not term.ndim:
            function = program.numpy("vdot") if term.op is VDOT else f"{program.numpy(folded(term.op))}.reduce"
            return f"{self.part[term]} = {function}({args})"
        own = "" if self.name(term) == program.names[term] else f"  # {program.names[term]}"
        note = comment(term, program.user_names) or own
        if is_choice(term):
            return f"{self.name(term)}{'' if term in self.inner else '[...]'} = {program.numpy('where')}({args}){note}"
        return f"{program.ufunc(term.op.function)}({args}, out={self.name(term)}){note}"

    def operand(self, x: Term, user: Term) -> str:
        """Return a part of an array under the name of the array, or a number."""
        if x.ndim and self.is_number(x):
            return self.program.zero_dimensional(np.asarray(x.value.flat[0]))
        return self.program.operand(x, user) if x.is_constant and not x.ndim else self.name(x)

    def is_number(self, x: Term) -> bool:
        """Whether a number stands for x: a constant array of equal entries, unless a dot product needs all of them."""
        return x.is_constant and is_uniform(x.value) and x not in self.dotted

    def call(self) -> list[str]:
        """Return the lines that run the function over all blocks, and combine its totals."""
        program = self.program
        length = math.prod(shape_of(self.terms[0]))
        dtypes = [str(storage.tenants[0].dtype) for storage in self.memory.storages]
        blocks = program.fresh(f"in_blocks{self.number}")
        program.objects["Blocks"] = Blocks
        program.setup.append(f"{blocks} = Blocks({dtypes}, length={length}, threads={program.plan.threads})")
        fresh = [x for x in self.out if x not in program.plan.place]
        lines = [f"{program.names[x]} = np.empty({x.shape}{type_of(x)})" for x in fresh]
        for x in (*self.out, *self.totals):
            program.expressions[x] = program.names[x]
        arrays = [program.operand(x, None) for x in self.in_whole()]
        parts = program.fresh(f"parts{self.number}") if self.totals else ""
        numbers = "".join(f"{program.operand(x, None)}, " for x in self.numbers)
        lines.append(f"{parts}{' = ' if parts else ''}{blocks}({self.function}, ({numbers}), {', '.join(arrays)})")
        return lines + [self.total(x, i, parts) for i, x in enumerate(self.totals)]

    def total(self, x: Term, i: int, parts: str) -> str:
        """Return the line that combines the totals of the blocks."""
        assert x.op is not None
        function = "add" if x.op is VDOT else folded(x.op)
        part = parts if len(self.totals) == 1 else f"[part[{i}] for part in {parts}]"
        return f"{self.program.names[x]} = {self.program.numpy(function)}.reduce({part})"


# ----- running -----
@cache
def threads_by_default() -> int:
    """Return the number of threads of BLAS if it is set, else of processors."""
    setting = os.environ.get("OMP_NUM_THREADS", "")
    if setting.isdigit() and int(setting):
        return int(setting)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """Return the pool of so many threads."""
    return ThreadPoolExecutor(threads, thread_name_prefix="autotiny")


if hasattr(os, "register_at_fork"):  # the threads are missing in the child
    os.register_at_fork(after_in_child=pool.cache_clear)


class Blocks:
    """Calls a function block by block, `block(*numbers, *parts of the arrays, *memory)`, and gathers its results."""

    def __init__(self, dtypes: Sequence[str], length: int, threads: int) -> None:
        count = -(-length // BLOCK)
        size = -(-length // count)
        bounds = [(start, min(start + size, length)) for start in range(0, length, size)]
        share = -(-len(bounds) // threads)
        self.runs = [
            (bounds[i : i + share], [np.empty(size, dtype) for dtype in dtypes]) for i in range(0, len(bounds), share)
        ]

    def __call__(self, block: Callable[..., Any], numbers: tuple[Any, ...], *arrays: Any) -> list[Any]:
        """Return the results of all blocks, in order."""
        call = partial(self.run, block, numbers, [array.reshape(-1) for array in arrays])
        first, *others = self.runs
        tasks = [self.start(call, run) for run in others]
        results = call(first)
        return [*results, *(part for task in tasks for part in task.result())]

    def start(self, call: Callable[[Any], Any], run: Any) -> Any:
        """Run some blocks on another thread, with the floating-point settings of this one."""
        context = contextvars.copy_context()
        return pool(len(self.runs)).submit(lambda: context.run(call, run))

    @staticmethod
    def run(block: Callable[..., Any], numbers: tuple[Any, ...], flat: Sequence[Any], run: Any) -> list[Any]:
        """Run some blocks, one after another."""
        bounds, memory = run
        results = []
        for start, stop in bounds:
            parts = [part[: stop - start] for part in memory]
            results.append(block(*numbers, *[array[start:stop] for array in flat], *parts))
        return results

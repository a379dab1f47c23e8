"""Long chains of elementwise operations in blocks that fit the cache, on several threads.

An array of a million entries that passes through ten operations goes to memory and back ten times; a block of a few
thousand stays in the cache, and only what the rest of the program needs is ever written out.
"""

import contextvars
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.rewriting import VDOT, Kind, kind

LONG = 2**16
"""Entries from which an array is computed in blocks."""
BLOCK = 2**14
"""Entries of a block."""
WORTHWHILE = 3
"""Operations from which blocks pay."""


class Group(NamedTuple):
    """Operations on arrays of one shape that run together, block by block."""

    terms: list[Term]


def groups(order: Sequence[Term]) -> tuple[list[Term], dict[Term, Group]]:
    """The order with the members of each group one after another, and the group of each member."""
    stages: dict[Term, int] = {}
    for term in order:
        stages[term] = max((stages[arg] + _crossing(arg, term) for arg in term.parents if arg in stages), default=0)
    if not any(is_member(term) for term in order):
        return list(order), {}
    found: dict[Any, list[Term]] = {}
    for term in order:
        if is_member(term):
            found.setdefault((stages[term], shape_of(term)), []).append(term)
    worthwhile = {key: Group(terms) for key, terms in found.items() if len(terms) >= WORTHWHILE}
    of = {term: group for group in worthwhile.values() for term in group.terms}

    def place(term: Term) -> Any:
        return stages[term], of[term].terms[0].number if term in of else -1, term.number

    return sorted(order, key=place), of


def _crossing(arg: Term, term: Term) -> int:
    """1 where a result goes into a group or out of it: it must be complete before."""
    inside = is_member(arg) and not is_total(arg) and is_member(term) and shape_of(arg) == shape_of(term)
    return 0 if inside or not (is_member(arg) or is_member(term)) else 1


def is_total(term: Term) -> bool:
    """Whether it sums, or takes an extreme of, all entries of long arrays of one shape."""
    if term.op is None or term.ndim or not (term.op is VDOT or term.op.reduction_of):
        return False
    return term.args[0].size >= LONG and all(arg.shape == term.args[0].shape for arg in term.args)


def is_member(term: Term) -> bool:
    """Whether it can be computed block by block."""
    if is_total(term):
        return term.op is VDOT or not term.kwargs.get("keepdims")
    shapes = (np.shape(arg.value) for arg in term.args)
    entry_by_entry = kind(term) is Kind.ELEMENTWISE or is_choice(term)
    return entry_by_entry and term.size >= LONG and all(s in ((), term.shape) for s in shapes)


def is_choice(term: Term) -> bool:
    """Whether it takes each entry from one of two arrays; NumPy makes a new one for it."""
    return term.op is not None and term.op.function is np.where


def shape_of(term: Term) -> tuple[int, ...]:
    """The shape of the arrays that it works on."""
    return term.args[0].shape if is_total(term) else term.shape


@cache
def threads_by_default() -> int:
    """As many as BLAS is given, else one for each processor."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """Threads that wait for work."""
    return ThreadPoolExecutor(threads, thread_name_prefix="autotiny")


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
        """What the block returns, for each in turn."""
        call = partial(self.run, block, numbers, [array.reshape(-1) for array in arrays])
        first, *others = self.runs
        tasks = [self.start(call, run) for run in others]
        results = call(first)
        return [*results, *(part for task in tasks for part in task.result())]

    def start(self, call: Callable[[Any], Any], run: Any) -> Any:
        """Some blocks on another thread, under NumPy's settings of this one."""
        context = contextvars.copy_context()
        return pool(len(self.runs)).submit(lambda: context.run(call, run))

    @staticmethod
    def run(block: Callable[..., Any], numbers: tuple[Any, ...], flat: Sequence[Any], run: Any) -> list[Any]:
        """Some blocks, one after another."""
        bounds, memory = run
        results = []
        for start, stop in bounds:
            held = [part[: stop - start] for part in memory]
            results.append(block(*numbers, *[array[start:stop] for array in flat], *held))
        return results

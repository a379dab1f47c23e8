"""A program that runs: compiled once, with memory for each of the calls that run at the same time."""

import contextvars
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.compiler.emit import Source
from autotiny.compiler.entry import Entry
from autotiny.compiler.naming import Names, told
from autotiny.compiler.schedule import Schedule
from autotiny.engine.node import NO_OPTIONS
from autotiny.engine.recording import new_node
from autotiny.engine.tensor import Tensor
from autotiny.notation.text import aligned
from autotiny.ops import Op

# ----- explain -----
# What became of a function: how many operations each pass left, what memory its program keeps, what runs in blocks.


SMALL, MANY = 2**24, 1000
"""Bytes of values, and operations, up to which a formula is kept to be drawn."""

CHECKED = "checked at every call; where it fails another program takes over"


def explain(passes: list[tuple[str, int]], plan: Schedule, threads: int) -> str:
    """Tables of the passes, with the operations that each left, and of the memory."""
    rows = [("pass", "operations"), *((name.replace("_", " "), str(count)) for name, count in passes)]
    placed = sum(len(storage.tenants) for storage in plan.storages)
    blocks = {id(group): group for group in plan.group.values()}
    lines = [
        aligned(rows),
        "",
        f"memory: {plan.nbytes} bytes in {len(plan.storages)} buffers, for {placed} results",
        *(f"blocks: {len(group.terms)} operations at once, threads: {threads}" for group in blocks.values()),
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


def as_graph(outputs: Sequence[Term], names: Names, name: str) -> Tensor | None:
    """The formulas as a recorded graph, to be drawn; None where its values are too large to be kept for that."""
    if not outputs or values_of(outputs) > SMALL or operations(outputs) > MANY:
        return None
    tensors: dict[Term, Any] = {}
    called = told(topological_order(*outputs), names)
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


class Program:
    """Compiled source. Each call has memory of its own, which it leaves for the next: no two at a time share any.

    watched : the kinds of floating-point errors that are noted, for the program to see.
    quiet : whether NumPy warns of none.
    """

    def __init__(self, source: Source, entry: Entry, watched: tuple[str, ...], quiet: bool) -> None:
        self.source, self.watched, self.quiet = source, watched, quiet
        texts = {"program": source.text, "entry": entry.text()}
        self.code = [compile(text, f"<{name} written by autotiny>", "exec") for name, text in texts.items()]
        self.held = {**entry.held, **source.held}
        self.idle: list[Callable[..., Any]] = []

    def __call__(self, *args: Any) -> Any:
        """The results, arranged; NoMatch for arguments that are not like those that it was written for.

        Raises FloatingPointError where a gradient is invalid, as where a mask hides an infinite one, and FactError
        where what it relies on does not hold.
        """
        try:
            enter = self.idle.pop()
        except IndexError:
            enter = self.prepared()
        result = enter(*args)
        self.idle.append(enter)  # not after an error: its memory may hold half a result
        return result

    def prepared(self) -> Callable[..., Any]:
        """The program with memory of its own."""
        invalid: list[Any] = []
        namespace = {**self.held, "invalid": invalid}
        # NumPy keeps its floating-point settings in the context: set once, not at every call.
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        context.run(partial(np.seterr, **dict.fromkeys(self.watched, "call")))  # type: ignore[arg-type]
        context.run(np.seterrcall, lambda *_: invalid.append(True))
        namespace["run"] = context.run if self.watched or self.quiet else _plainly
        for code in self.code:
            exec(code, namespace)
        return namespace["enter"]


def _plainly(step: Callable[..., Any], *values: Any) -> Any:
    return step(*values)

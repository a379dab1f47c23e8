"""A program in plain words: what it relies on, the operations after each pass, its memory, what runs in blocks."""

from collections.abc import Sequence
from textwrap import wrap

from autotiny.algebra import Term, topological_order
from autotiny.compiler.schedule import Schedule
from autotiny.notation.text import aligned

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

"""How programs are written: names that nothing else has, numbers as Python reads them."""

import itertools
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.naming import Names, told
from autotiny.compiler.schedule import Schedule


def unique_names(plan: Schedule, given: Names) -> dict[Term, str]:
    """A name for every term: its own; without one, that of the term that takes its place; else a short one."""
    names: dict[Term, str] = {}
    taken = set(dir(np)) | {"step", "np"}
    known = told([*plan.inputs, *plan.order], given)
    for term in [*plan.inputs, *plan.order]:
        name, copied = known.get(term), term.args[0] if is_copied_number(term) else None
        if copied in names and name in (None, known.get(copied)):
            names[term] = names[copied]
        elif name is not None:
            names[term] = untaken(name.text, taken)
    for storage in plan.storages:
        for before, after in itertools.pairwise(storage.tenants):
            if (
                before not in names
                and after in names
                and any(arg is before for arg in after.args)
                and before.shape == after.shape
            ):
                names[before] = names[after]
    numbers = itertools.count(1)
    for term in plan.order:
        if term not in names:
            names[term] = untaken(f"t{next(numbers)}", taken)
    return names


def is_copied_number(term: Term) -> bool:
    """Whether it is a number that becomes an array, or another's copy."""
    return term.op is not None and term.op.function is np.copy and term.ndim == 0 and not term.args[0].is_constant


def comment(term: Term, names: Names, formula: str = "") -> str:
    """What is worth saying of a term, as a comment at the end of its line."""
    name = names.get(term)
    said = [part for part in (formula, name.remark if name else "") if part]
    return f"  # {' = '.join([name.text, *said] if name else said)}" if said else ""


def untaken(base: str, taken: set[str]) -> str:
    """The name, numbered where it is taken; it is from now on."""
    name = next(name for i in itertools.count(1) if (name := f"{base}_{i}" if i > 1 else base) not in taken)
    taken.add(name)
    return name


def number(value: Any) -> str:
    """A number as Python reads it."""
    text = repr(value)
    return text if text not in ("inf", "-inf", "nan") else f'float("{text}")'


def type_of(x: Any) -> str:
    """The type as one more argument, where it is not the usual one."""
    return "" if x.dtype == np.float64 else f', "{x.dtype}"'

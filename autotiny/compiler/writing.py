"""How programs are written: names that nothing else has, numbers as Python reads them."""

import itertools
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.schedule import Schedule


def unique_names(plan: Schedule, given: dict[Term, str]) -> dict[Term, str]:
    """A name for every term: its own; without one, that of the term that takes its place; else a short one."""
    names: dict[Term, str] = {}
    taken = set(dir(np)) | {"step", "np"}
    for term in [*plan.inputs, *plan.order]:
        base = given.get(term)
        if base is not None:
            names[term] = untaken(base, taken)
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

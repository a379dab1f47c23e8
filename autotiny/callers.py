"""What the user's code does with a number that C code asks a Tensor for, read from the instruction that it is at.

float(t), formatting and printing are meant to leave the graph. math.exp(t) asks for the same float, and would go on
computing without a gradient.
"""

import dis
import functools
import math
import opcode
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from autotiny.describe import caller

FACTS = frozenset({math.isnan, math.isinf, math.isfinite, math.isclose, math.floor, math.ceil, math.trunc})
"""Functions of module math that have no gradient to lose."""


def stores_into_an_array() -> bool:
    """Whether the nearest code outside the package is at a[i] = x, where NumPy asks a single x for a float."""
    frame = caller()
    return frame is not None and frame.f_code.co_code[frame.f_lasti] == opcode.opmap["STORE_SUBSCR"]


def computing_function() -> Any:
    """The function of math or NumPy that the nearest code outside the package is calling, if it is one of those."""
    frame = caller()
    function = None if frame is None else called(frame)
    owner = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__
    return function if owner.partition(".")[0] in ("math", "cmath", "numpy") and function not in FACTS else None


def called(frame: FrameType) -> Any:
    """What a frame is calling, where its name alone tells: math.exp, f, a.fill."""
    names = _names_of_the_callee(frame.f_code, frame.f_lasti)
    if not names:
        return None
    first, *attributes = names
    scopes = frame.f_locals, frame.f_globals, frame.f_builtins
    found = next((scope[first] for scope in scopes if first in scope), None)
    for name in attributes:  # whatever else it may be might compute
        found = getattr(found, name, None) if isinstance(found, ModuleType | np.ndarray) else None
    return found


@functools.lru_cache
def _names_of_the_callee(code: CodeType, at: int) -> tuple[str, ...]:
    """The names that lead to what is called at an instruction: they stand in the source where the call begins."""
    places = [(line, column) for line, _, column, _ in code.co_positions()]
    start = places[at // 2]
    starting = (i for i in dis.get_instructions(code) if places[i.offset // 2] == start and i.offset < at)
    loads = [i.argval for i in starting if i.opname.startswith("LOAD_") and isinstance(i.argval, str)]
    return tuple(loads) if None not in start else ()

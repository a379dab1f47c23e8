"""What the user's code does with a number that C code asks a Tensor for, read from the instruction that it is at.

float(t), formatting and printing are meant to leave the graph. math.exp(t) asks for the same float, and would go on
computing without a gradient.
"""

import dis
import functools
import linecache
import math
import opcode
import os
import sys
from collections import ChainMap
from collections.abc import Mapping
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep


def caller() -> FrameType | None:
    """The frame of the nearest code outside the package and NumPy."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and in_package(frame):
        frame = frame.f_back
    return frame


def in_package(frame: FrameType) -> bool:
    """Whether it runs code of ours or of NumPy's, rather than a user's."""
    return is_package_file(frame.f_code.co_filename)


def is_package_file(path: str) -> bool:
    """Whether a file is one of ours or of NumPy's."""
    return path.startswith((_PACKAGE, _NUMPY))


def caller_scope() -> Mapping[str, Any]:
    """The variables that the nearest code outside the package sees."""
    frame = caller()
    if frame is None:
        return {}
    local = {name: value for name, value in frame.f_locals.items() if name.isidentifier()}  # pytest adds others
    return ChainMap(local, frame.f_globals)


def caller_line() -> str:
    """The nearest line outside the package: 'train.py:12: Z1 = W1 @ X'."""
    frame = caller()
    if frame is None:
        return "an unknown line"
    path, number = frame.f_code.co_filename, frame.f_lineno
    return f"{os.path.basename(path)}:{number}: {linecache.getline(path, number).strip()}"


def variable_name(value: Any, scope: Mapping[str, Any]) -> str | None:
    """The variable that holds this very object, if one does."""
    return next((name for name, held in scope.items() if held is value and not name.startswith("_")), None)


# ----- what is called there -----
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

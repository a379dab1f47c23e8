"""The user's calling code: its frame, its variables, its line, and the function that it passes a float to.

`float(t)`, formatting and printing are meant to leave the graph. `math.exp(t)` asks C code for the same float, and
would go on computing without a gradient. C code has no frame, so the two are distinguished by the source text that
Python would underline in a traceback.
"""

import ast
import functools
import itertools
import linecache
import math
import os
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep


def caller() -> FrameType | None:
    """Return the frame of the nearest code outside the package and NumPy."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and in_package(frame):
        frame = frame.f_back
    return frame


def in_package(frame: FrameType) -> bool:
    """Whether a frame runs code of this package or of NumPy, rather than a user's."""
    return is_package_file(frame.f_code.co_filename)


def is_package_file(path: str) -> bool:
    """Whether a file belongs to this package or to NumPy."""
    return path.startswith((PACKAGE, NUMPY))


def caller_scope() -> Mapping[str, Any]:
    """Return the variables that the nearest code outside the package sees."""
    frame = caller()
    if frame is None:
        return {}
    local = {name: value for name, value in frame.f_locals.items() if name.isidentifier()}  # pytest adds others
    return ChainMap(local, frame.f_globals)


def caller_line() -> str:
    """Return the nearest line outside the package: 'train.py:12: Z1 = W1 @ X'."""
    frame = caller()
    if frame is None:
        return "an unknown line"
    path, number = frame.f_code.co_filename, frame.f_lineno
    return f"{os.path.basename(path)}:{number}: {linecache.getline(path, number).strip()}"


def variable_name(value: Any, scope: Mapping[str, Any]) -> str | None:
    """Return the name of the variable that holds this very object, if one does."""
    return next((name for name, other in scope.items() if other is value and not name.startswith("_")), None)


# ----- functions that receive a float -----
COMPUTING = ("math", "cmath", "numpy")
FACTS = frozenset({math.isnan, math.isinf, math.isfinite, math.isclose, math.floor, math.ceil, math.trunc})
"""Functions of module math without a gradient."""


def taker_of_a_float() -> Any:
    """Return the function or class that the user's code passes a float to, if a gradient is lost there.

    That is a function of math or NumPy; or np.ndarray, where the float is stored into an array. Where there is no
    source to read, as in exec, in `python -c` and at the prompt of Python before 3.13, it is the first function or
    array of these that the code names, unless the code names float as well.
    """
    frame = caller()
    if frame is None:
        return None
    source = _source_at(frame.f_code, frame.f_lasti)
    if not source:
        return None if "float" in frame.f_code.co_names else next(_named_takers(frame), None)
    expression = _parsed(source)
    if isinstance(expression, ast.Call):
        function = _looked_up(expression.func, frame)
        return function if _computes(function) else None
    return np.ndarray if isinstance(expression, ast.Subscript) else None  # a[i] = t


def _computes(value: Any) -> bool:
    """Whether a value is a function of math or NumPy that has a gradient to lose."""
    owner = getattr(value, "__module__", None) or type(getattr(value, "__self__", None)).__module__
    return callable(value) and owner.partition(".")[0] in COMPUTING and value not in FACTS


def _looked_up(name: ast.expr, frame: FrameType) -> Any:
    """Return the value of a plain name such as math.exp, f or a.fill; looking it up runs no user code."""
    if isinstance(name, ast.Attribute):
        owner = _looked_up(name.value, frame)
        return getattr(owner, name.attr, None) if isinstance(owner, ModuleType | np.ndarray) else None
    if not isinstance(name, ast.Name):
        return None
    value = _variable(name.id, frame)
    if value is None:  # the end of a dotted name that goes over several lines, where Python's positions begin
        return next((taker for taker in _named_takers(frame) if taker.__name__ == name.id), None)
    return value


def _variable(name: str, frame: FrameType) -> Any:
    scopes = frame.f_locals, frame.f_globals, frame.f_builtins
    return next((scope[name] for scope in scopes if name in scope), None)


def _named_takers(frame: FrameType) -> Iterator[Any]:
    """Yield the functions that compute and np.ndarray, as far as a frame's code names them."""
    code = frame.f_code
    names = (*code.co_names, *code.co_varnames, *code.co_freevars)
    for value in (_variable(name, frame) for name in names):
        if isinstance(value, np.ndarray):
            yield np.ndarray
        elif isinstance(value, ModuleType) and value.__name__.partition(".")[0] in COMPUTING:
            yield from (f for f in (getattr(value, name, None) for name in names) if _computes(f))
        elif _computes(value):
            yield value


@functools.lru_cache
def _source_at(code: CodeType, at: int) -> str:
    """Return the text of the expression at an instruction, as Python underlines it; nothing without its source."""
    start, end, first, last = next(itertools.islice(code.co_positions(), at // 2, None))
    if start is None or end is None or first is None or last is None:
        return ""
    lines = [linecache.getline(code.co_filename, number).encode() for number in range(start, end + 1)]
    lines[-1] = lines[-1][:last]  # columns count bytes
    lines[0] = lines[0][first:]
    return b"".join(lines).decode(errors="replace")


@functools.lru_cache
def _parsed(source: str) -> ast.expr | None:
    """Return the expression that a text is, None for part of a statement."""
    try:
        return ast.parse(f"({source})", mode="eval").body
    except SyntaxError:
        return None

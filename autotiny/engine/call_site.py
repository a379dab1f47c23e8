"""The user's calling code: its frame, its variables, its line, and the expression that it evaluates."""

import ast
import functools
import inspect
import itertools
import linecache
import os
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType, FunctionType, GetSetDescriptorType, MethodType, ModuleType
from typing import Any

import numpy as np

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep
STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
NOT_CONTAINERS = (ModuleType, type, FunctionType, MethodType)
INSTALLED = frozenset({"site-packages", "dist-packages"})


def caller() -> FrameType | None:
    """Return the frame of the nearest code outside the package and NumPy, the user's own if there is any."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and in_package(frame):
        frame = frame.f_back
    nearest = frame
    while frame is not None and is_library_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame or nearest


def in_package(frame: FrameType) -> bool:
    """Whether a frame runs code of this package or of NumPy, rather than a user's."""
    return is_package_file(frame.f_code.co_filename)


def is_package_file(path: str) -> bool:
    """Whether a file belongs to this package or to NumPy."""
    return path.startswith((PACKAGE, NUMPY))


@functools.cache
def is_library_file(path: str) -> bool:
    """Whether a file belongs to Python or to an installed package other than this one, rather than to a user."""
    if path.startswith(PACKAGE):
        return False
    parts = path.replace(os.sep, "/").split("/")
    return path.startswith(("<frozen ", STANDARD, NUMPY)) or not INSTALLED.isdisjoint(parts)


def called_library() -> str | None:
    """Return the name of the installed library that the user's line calls: 'matplotlib'.

    None where the line calls this package or NumPy.
    """
    user, frame = caller(), sys._getframe(1)
    called: FrameType | None = None
    while frame is not user and frame.f_back is not None:
        called, frame = frame, frame.f_back
    if called is None or frame is not user or in_package(called) or not is_library_file(called.f_code.co_filename):
        return None
    return str(called.f_globals.get("__name__")).partition(".")[0]


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
    return line_text(frame.f_code.co_filename, frame.f_lineno)


def line_text(path: str, number: int) -> str:
    """Return a line of a file as errors quote it: 'train.py:12: Z1 = W1 @ X'."""
    return f"{os.path.basename(path)}:{number}: {linecache.getline(path, number).strip()}"


def variable_name(value: Any, scope: Mapping[str, Any]) -> str | None:
    """Return the name of the variable that holds this very object, if one does."""
    return next((name for name, other in scope.items() if other is value and not name.startswith("_")), None)


MOST_MEMBERS, DEEPEST = 100, 4
"""How many entries of a list or dict are looked at, and how far within one another."""


def named_values(scope: Mapping[str, Any], items: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield the variables, then what they hold: W1 for params["W1"] and model.W1; with `items`, xs[0] of a list.

    >>> layers = [{"W": 1.0}, {"W": 2.0}]
    >>> dict(named_values({"lam": 0.1, "params": {"W1": 3.0}, "_hidden": 4.0}, items=False))
    {'lam': 0.1, 'params': {'W1': 3.0}, 'W1': 3.0}
    >>> [name for name, _ in named_values({"layers": layers})]
    ['layers', 'layers[0]', 'layers[1]', 'W[0]', 'W[1]']
    """
    level = [(name, "", value, True) for name, value in scope.items() if not name.startswith("_")]
    for _ in range(DEEPEST):
        yield from ((name + place, value) for name, place, value, is_named in level if is_named or items)
        level = [each for name, place, value, _ in level for each in _members(name, place, value)]


def _members(name: str, place: str, value: Any) -> Iterator[tuple[str, str, Any, bool]]:
    """Yield what a list, dict or object holds, by its key or attribute, with the place in the lists around it.

    The last entry says whether it has a key or an attribute of its own.
    """
    if type(value) in (list, tuple):
        yield from ((name, f"{place}[{i}]", value[i], False) for i in range(min(len(value), MOST_MEMBERS)))
    else:
        named: Mapping[Any, Any] = value if type(value) is dict else _attributes(value)
        for key in itertools.islice(named, MOST_MEMBERS):
            if isinstance(key, str) and not key.startswith("_"):
                yield key, place, named[key], True
            elif type(key) is int:
                yield name, f"{place}[{key}]", named[key], False


def _attributes(value: Any) -> Mapping[str, Any]:
    """Return the attributes of an object that is neither a module, a class, a function nor an array."""
    if isinstance(value, NOT_CONTAINERS) or hasattr(type(value), "__array_function__"):
        return {}
    if getattr(type(value), "_holds_a_graph", False):  # its places are not names that the user gave
        return {}
    own = inspect.getattr_static(value, "__dict__", None)
    return value.__dict__ if isinstance(own, GetSetDescriptorType) and type(value.__dict__) is dict else {}


# ----- the expression that is evaluated -----
def variable(name: str, frame: FrameType) -> Any:
    """Return the value of a variable that a frame sees; None if there is none of this name."""
    scopes = frame.f_locals, frame.f_globals, frame.f_builtins
    return next((scope[name] for scope in scopes if name in scope), None)


def running_source(frame: FrameType) -> str:
    """Return the text of the expression that a frame evaluates, as Python underlines it in a traceback.

    It is empty where Python has no source or no columns: in exec, in `python -c` and at the prompt before Python 3.13.
    """
    return _source_at(frame.f_code, frame.f_lasti)


@functools.lru_cache
def parsed(source: str) -> ast.expr | ast.stmt | None:
    """Return the expression or statement that a text is, None for part of one."""
    for text in f"({source}\n)", source:  # an expression may go over several lines
        try:
            (statement,) = ast.parse(text).body
        except (SyntaxError, ValueError):
            continue
        return statement.value if isinstance(statement, ast.Expr) else statement
    return None


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

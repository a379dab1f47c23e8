"""A function in a user's own file."""

import difflib
import functools
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from autotiny.commands.arrays import GivenError
from autotiny.errors import AutotinyError

Function = Callable[..., Any]


def load(path: Path, name: str) -> Function:
    """The function of that name in a file, which is run as an import runs it, its folder on the path.

    Raises GivenError where the file cannot be run or has no such function.
    """
    module = _run(path)
    function = getattr(module, name, None)
    if callable(function):
        return function
    functions = [other for other, value in vars(module).items() if inspect.isfunction(value)]
    close = difflib.get_close_matches(name, functions, n=1)
    raise GivenError(f"{path}: there is no function {name}" + (f"; did you mean {close[0]}?" if close else ""))


def call(function: Function, path: Path, values: Mapping[str, Any]) -> Any:
    """The function's result, its parameters given by name; raises GivenError where one is missing or it fails."""
    parameters = inspect.signature(function).parameters
    named = {name: values[name] for name in parameters if name in values}
    missing = [
        name for name, p in parameters.items() if name not in named and p.default is p.empty and not _any_number(p)
    ]
    if missing:
        known = ", ".join(values) or "nothing"
        raise GivenError(f"{function.__name__} needs {', '.join(missing)}; given are {known}: use --args or --set")
    bound = inspect.BoundArguments(inspect.signature(function), named)
    return _guarded(path, lambda: function(*bound.args, **bound.kwargs))


def _any_number(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _run(path: Path) -> ModuleType:
    if not path.is_file():
        raise GivenError(f"{path}: there is no such file")
    # A name of its own, for the file may be called numpy.py.
    name = f"_checked_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise GivenError(f"{path}: not a file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[name] = module
    _guarded(path, functools.partial(spec.loader.exec_module, module))
    return module


def _guarded(path: Path, function: Callable[[], Any]) -> Any:
    """The function's result; what it raises becomes one line that says where, and leaving Python is no success."""
    try:
        return function()
    except SyntaxError as error:
        raise GivenError(f"{error.filename}:{error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if Path(frame.filename) == path.absolute()
        ]
        place = f"{path}:{lines[-1]}" if lines else str(path)
        kind = "" if isinstance(error, AutotinyError) else f"{type(error).__name__}: "
        raise GivenError(f"{place}: {kind}{error}") from error

"""Arguments of commands: arrays as text or in a file, whole numbers, and results recorded from them.

A command records a formula, or a function in a user's file, on the values that the command line names.
"""

import argparse
import difflib
import functools
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.engine import graph
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.files import DAMAGE, CsvError, is_number, load_npz, read_rows
from autotiny.language import ExpressionError, Outcome, evaluate
from autotiny.language.errors import suggestion

Array = NDArray[Any]
NAMED = re.compile(r"\s*[^\W\d]\w*\s*=")
FILES = (".npy", ".npz", ".csv", ".csv.gz")


class InputError(AutotinyError):
    """An argument of the command line that cannot be used."""


# ----- arrays -----
def read_values(settings: list[str]) -> dict[str, Any]:
    """The values of `NAME=VALUE`, `NAME=FILE` and `FILE.npz`, in that order; a value may use those before it.

    Raises InputError, NpzError and ExpressionError.

    >>> read_values(["n=2", "W=eye(n) / 4"])["W"]
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """
    values: dict[str, Any] = {}
    for setting in settings:
        if setting.endswith(".npz") and not NAMED.match(setting):
            values |= _numbers(load_npz(setting))
        else:
            name, text = split_setting(setting, "--set", "VALUE")
            values[name] = _from_file(text, name) if text.endswith(FILES) else _evaluated(name, text, values)
    return values


def split_setting(setting: str, option: str, what: str) -> tuple[str, str]:
    """The two sides of `NAME=...`; raises InputError for anything else."""
    name, sign, text = setting.partition("=")
    if not sign or not name.strip().isidentifier():
        raise InputError(f"{option} {setting[:60]!r}: expected NAME={what}, with a name such as W1")
    return name.strip(), text.strip()


def _evaluated(name: str, text: str, values: dict[str, Any]) -> Any:
    try:
        return evaluate(text, values).value
    except ExpressionError as error:
        raise error.within(f"--set {name}") from error


def _numbers(arrays: dict[str, Array]) -> dict[str, Array]:
    """The arrays of real numbers; no formula can use text and the like."""
    return {name: array for name, array in arrays.items() if array.dtype.kind in "fiub"}


# ----- files -----
def _from_file(path: str, name: str) -> Array:
    if path.endswith(".npz"):
        arrays = load_npz(path)
        if name not in arrays and len(arrays) != 1:
            raise InputError(f"{path}: there is no array {name}; it holds {', '.join(arrays) or 'none'}")
        array = arrays.get(name, next(iter(arrays.values())))
    else:
        array = (_npy if path.endswith(".npy") else _csv)(Path(path))
    if array.dtype.kind not in "fiub":
        raise InputError(f"{path}: expected real numbers; got {array.dtype}")
    return array


def _npy(path: Path) -> Array:
    with path.open("rb") as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False)
        except (*DAMAGE, MemoryError) as error:
            raise InputError(f"{path}: not an .npy file of plain numbers, or a damaged one ({error})") from error


def _csv(path: Path) -> Array:
    """Read rows of numbers below an optional header; a single row or column is a vector."""
    try:
        rows = [fields for _, fields in read_rows(path) if not fields[0].startswith("#")]  # as np.savetxt comments
        header = bool(rows) and not any(map(is_number, rows[0]))
        if len(rows) == header:
            raise InputError(f"{path}: there are no rows of numbers")
        return np.array(rows[header:], dtype=float).squeeze()
    except (CsvError, ValueError) as error:
        raise InputError(f"{path}: not a table of numbers with commas: {error}") from error


# ----- whole numbers -----
def whole_number(text: str, least: int = 0) -> int:
    """A whole number, for argparse; raises ArgumentTypeError for other text, and for a smaller number than `least`."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}; got {text!r}")
    return int(text)


def positive_number(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    return whole_number(text, least=1)


# ----- recorded results -----


FUNCTION = re.compile(r"(?P<path>.+\.py):(?P<name>\w+)")

Computation = Callable[[Mapping[str, Any]], Outcome]


def add_values(parser: argparse.ArgumentParser) -> None:
    """Give the parser --set and --args, which are collected in `settings`."""
    values = "a value; NAME=FILE takes it from .npy, .npz or .csv, and FILE.npz all of its arrays"
    repeated: dict[str, Any] = {"action": "append", "default": [], "dest": "settings"}
    parser.add_argument("--set", metavar="NAME=VALUE", help=values, **repeated)
    parser.add_argument("--args", metavar="FILE.npz", help="the same as --set, for a function", **repeated)


def computation(text: str) -> Computation:
    """The function from values to a result, from an expression or from FILE.py:function."""
    if not FUNCTION.fullmatch(text):
        return lambda values: evaluate(text, values)
    path, function = function_named(text)
    return lambda values: Outcome(call(function, path, values), dict(values))


def function_named(text: str) -> tuple[Path, Callable[..., Any]]:
    """The file and the function of FILE.py:function; raises InputError for other text."""
    match = FUNCTION.fullmatch(text)
    if not match:
        raise InputError(f"{text[:60]!r}: expected FILE.py:function, as in net.py:loss")
    path = Path(match["path"])
    return path, load(path, match["name"])


def recorded(compute: Computation, values: Mapping[str, Any], wanted: Collection[str] = ()) -> Outcome:
    """The recorded result; values whose gradient is not wanted are data where the result needs plain numbers.

    Raises InputError where the result does not depend on a value that was set.
    """
    whole = {name for name, value in values.items() if np.asarray(value).dtype.kind in "iu"} - set(wanted)
    # A single whole number is a size or an exponent, unless there is nothing else.
    sizes = {name for name in whole if np.ndim(values[name]) == 0}
    data = values.keys() - wanted if values.keys() & wanted else whole
    try:
        outcome = compute(_tracked(values, sizes if sizes < values.keys() else ()))
    except AutotinyError:
        if not data:
            raise
        outcome = compute(_tracked(values, data))
    result = outcome.value
    if not isinstance(result, Tensor) or not result.requires_grad:
        raise InputError("the result depends on no value that was set; set one with --set NAME=VALUE")
    return outcome


def _tracked(values: Mapping[str, Any], data: Collection[str]) -> dict[str, Any]:
    def tracked(name: str, value: Any) -> Any:
        plain = name in data or isinstance(value, list | tuple) or np.asarray(value).dtype.kind not in "fiu"
        return value if plain else Tensor(value, name=name)

    return {name: tracked(name, value) for name, value in values.items()}


def tensor_named(name: str, scope: Mapping[str, Any]) -> Tensor:
    """The Tensor of a name; raises InputError for an unknown name, and for a value that is not a Tensor."""
    if name not in scope:
        raise InputError(f"there is no value named {name}, only {', '.join(scope)}{suggestion(name, scope)}")
    value = scope[name]
    if not isinstance(value, Tensor):
        raise InputError(f"{name} has no gradient: it is not a real number that the result was computed from")
    return value


def leaves(result: Tensor, scope: Mapping[str, Any]) -> list[Tensor]:
    """The variables that were set and that the result depends on."""
    order = set(graph.topological_order(result))
    return [value for value in scope.values() if isinstance(value, Tensor) and value.op is None and value in order]


# ----- functions in a user's file -----
def load(path: Path, name: str) -> Callable[..., Any]:
    """The function of a name in a file, which is run as an import would run it, with its folder on the path.

    Raises InputError where the file cannot be run or has no such function.
    """
    module = _run(path)
    function: Callable[..., Any] | None = getattr(module, name, None)
    if callable(function):
        return function
    functions = [other for other, value in vars(module).items() if inspect.isfunction(value)]
    close = difflib.get_close_matches(name, functions, n=1)
    raise InputError(f"{path}: there is no function {name}" + (f"; did you mean {close[0]}?" if close else ""))


def call(function: Callable[..., Any], path: Path, values: Mapping[str, Any]) -> Any:
    """The function's result, with values as arguments by name; raises InputError where one is missing or it fails."""
    bound = arguments_of(function, values)
    return guarded(lambda: function(*bound.args, **bound.kwargs), path)


def arguments_of(function: Callable[..., Any], values: Mapping[str, Any]) -> inspect.BoundArguments:
    """The values of a function's parameters, by name; raises InputError where one is missing."""
    parameters = inspect.signature(function).parameters
    named = {name: values[name] for name in parameters if name in values}
    required = [
        name
        for name, p in parameters.items()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if missing := [name for name in required if name not in named]:
        known = ", ".join(values) or "nothing"
        raise InputError(f"{function.__name__} needs {', '.join(missing)}; got {known}: use --args or --set")
    return inspect.BoundArguments(inspect.signature(function), named)


def _run(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    # A name of its own, as the file may be called numpy.py.
    name = f"_checked_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[name] = module
    guarded(functools.partial(spec.loader.exec_module, module), path)
    return module


def guarded(function: Callable[[], Any], *paths: Path) -> Any:
    """The function's result; an error becomes an InputError with its line, and SystemExit counts as a failure."""
    try:
        return function()
    except SyntaxError as error:
        raise InputError(f"{error.filename}:{error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        files = {path.absolute(): path for path in paths}
        lines = [(files[file], f.lineno) for f in frames if (file := Path(f.filename)) in files]
        if isinstance(error, AutotinyError) and not lines:
            raise
        location = f"{lines[-1][0]}:{lines[-1][1]}" if lines else str(paths[0])
        kind = "" if isinstance(error, AutotinyError) else f"{type(error).__name__}: "
        raise InputError(f"{location}: {kind}{error}") from error

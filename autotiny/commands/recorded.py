"""A result with its graph: of an expression, or of a function in a file, from values named on the command line."""

import argparse
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotiny.commands import user_function
from autotiny.commands.arrays import GivenError
from autotiny.engine import graph
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.language import Outcome, evaluate
from autotiny.language.errors import suggestion

FUNCTION = re.compile(r"(?P<path>.+\.py):(?P<name>\w+)")

Program = Callable[[Mapping[str, Any]], Outcome]


def add_values(parser: argparse.ArgumentParser) -> None:
    """Give the parser --set and --args, which gather in `settings`."""
    values = "a value; NAME=FILE takes it from .npy, .npz or .csv, and FILE.npz all of its arrays"
    repeated: dict[str, Any] = {"action": "append", "default": [], "dest": "settings"}
    parser.add_argument("--set", metavar="NAME=VALUE", help=values, **repeated)
    parser.add_argument("--args", metavar="FILE.npz", help="the same as --set, for a function", **repeated)


def program(text: str) -> Program:
    """What computes a result from values: an expression, or FILE.py:function."""
    found = FUNCTION.fullmatch(text)
    if not found:
        return lambda values: evaluate(text, values)
    path = Path(found["path"])
    function = user_function.load(path, found["name"])
    return lambda values: Outcome(user_function.call(function, path, values), dict(values))


def recorded(compute: Program, values: Mapping[str, Any], asked: Collection[str] = ()) -> Outcome:
    """The result with its graph; what nobody asked for stays data where the result cannot do otherwise.

    Raises GivenError where the result does not depend on a value that was set.
    """
    whole = {name for name, value in values.items() if np.asarray(value).dtype.kind in "iu"} - set(asked)
    # A whole number by itself is a size or an exponent, unless there is nothing else.
    sizes = {name for name in whole if np.ndim(values[name]) == 0}
    data = values.keys() - asked if values.keys() & asked else whole
    try:
        outcome = compute(_tracked(values, sizes if sizes < values.keys() else ()))
    except AutotinyError:
        if not data:
            raise
        outcome = compute(_tracked(values, data))
    result = outcome.value
    if not isinstance(result, Tensor) or not result.requires_grad:
        raise GivenError("the result depends on no value that was set; give it some with --set NAME=VALUE")
    return outcome


def tensor_named(name: str, scope: Mapping[str, Any]) -> Tensor:
    """The Tensor of that name; raises GivenError where there is none, or what has the name is no Tensor."""
    if name not in scope:
        raise GivenError(f"there is no value named {name}, only {', '.join(scope)}{suggestion(name, scope)}")
    value = scope[name]
    if not isinstance(value, Tensor):
        raise GivenError(f"{name} is no real number that the result was computed from, so it has no gradient")
    return value


def leaves(result: Tensor, scope: Mapping[str, Any]) -> list[Tensor]:
    """What was set and leads to the result."""
    order = set(graph.topological_order(result))
    return [value for value in scope.values() if isinstance(value, Tensor) and value.op is None and value in order]


def _tracked(values: Mapping[str, Any], data: Collection[str]) -> dict[str, Any]:
    def tracked(name: str, value: Any) -> Any:
        kept = name in data or isinstance(value, list | tuple) or np.asarray(value).dtype.kind not in "fiu"
        return value if kept else Tensor(value, name=name)

    return {name: tracked(name, value) for name, value in values.items()}

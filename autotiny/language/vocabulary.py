"""The names of the language: functions of the table of operations, a few that make arrays, constants and methods."""

import functools
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.language import constructors
from autotiny.language.costs import ESTIMATES, Estimate
from autotiny.language.sizes import entrywise
from autotiny.ops import COMPOSED, OPS, activations
from autotiny.ops.plain import TRUTH_VALUES

Function = Callable[..., Any]

CONSTANTS: dict[str, Any] = {"pi": np.pi, "e": np.e, "inf": np.inf, "nan": np.nan, "newaxis": None}
MODULES = ("np", "numpy", "at", "autotiny")
PROPERTIES = {"T": "transpose", "mT": "matrix_transpose", "shape": "shape", "size": "size", "ndim": "ndim"}
METHODS = {
    "flatten": "ravel",
    **{name: name for name in ("sum", "prod", "mean", "var", "std", "max", "min", "cumsum", "cumprod", "any", "all")},
    **{name: name for name in ("argmax", "argmin", "argsort", "dot", "trace", "diagonal", "clip", "round", "ravel")},
    **{name: name for name in ("squeeze", "swapaxes", "repeat", "take", "copy", "reshape", "transpose")},
}
# Those whose shape or order of axes may be spread over the arguments: x.reshape(2, 3).
SPREAD = {"reshape", "transpose"}
# An option or an operand of these is text.
WORDED = {"einsum", "pad", "norm", "take"}


class Word(NamedTuple):
    """A function of the language: how it is called, and what that would cost."""

    name: str
    function: Function
    signature: inspect.Signature
    estimate: Estimate

    @property
    def worded(self) -> bool:
        """Whether it takes text."""
        return self.function.__name__ in WORDED

    @property
    def joins(self) -> bool:
        """Whether it takes a list of arrays."""
        return "arrays" in self.signature.parameters

    @property
    def usage(self) -> str:
        """How it is called: 'softmax(x, axis=0)'."""
        bare = [p.replace(annotation=p.empty) for p in self.signature.parameters.values()]
        return f"{self.name}{inspect.Signature(bare)}"

    def arguments(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Operands by position and options by name; raises TypeError where they do not fit."""
        operands, given = list[Any](), dict[str, Any]()
        for name, value in self.signature.bind(*args, **options).arguments.items():
            parameter = self.signature.parameters[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                operands += value
            elif parameter.default is parameter.empty:
                operands.append(value)
            else:  # by name, for NumPy's own order has out= and dtype= in between, which nobody may reach
                given[name] = value
        return tuple(operands), given

    def as_arrays(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operands, with an array for a number where a number would not do; raises UnsupportedError for a list."""
        if isinstance(self.function, np.ufunc) or self.joins or not operands:
            return operands
        if isinstance(operands[0], list):
            raise UnsupportedError(f"{self.name}: make the list an array first, with stack([...])")
        return (np.asarray(operands[0]) if isinstance(operands[0], int | float) else operands[0], *operands[1:])


def _signature(function: Function) -> inspect.Signature:
    """The arguments that the table knows: a function's own, or those of its first rule without g and y."""
    if function not in OPS:
        return inspect.signature(function)
    rule = next(rule for rule in OPS[function].rules if rule is not None)
    parameters = list(inspect.signature(rule).parameters.values())[2:]
    return inspect.Signature([p for p in parameters if p.name != "order"])


def _without_more(signature: inspect.Signature) -> inspect.Signature:
    """The arguments that have a name of their own; pad's composition takes `constant_values` among what has none."""
    parameters = list(signature.parameters.values())
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        constant = inspect.Parameter("constant_values", inspect.Parameter.KEYWORD_ONLY, default=0)
        parameters = [p for p in parameters if p.kind is not p.VAR_KEYWORD] + [constant]
    return signature.replace(parameters=parameters)


def _functions() -> Iterator[tuple[str, Function]]:
    for prefix, module in (("", np.linalg), ("linalg.", np.linalg), ("", np)):
        for name, function in vars(module).items():
            if callable(function) and not isinstance(function, type) and (function in OPS or function in COMPOSED):
                yield prefix + name, function
    for home in (activations, constructors):
        yield from public_functions(home)


def public_functions(module: ModuleType) -> Iterator[tuple[str, Function]]:
    """The functions that a module defines for its users, by name."""
    for name, function in vars(module).items():
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
            yield name, function


@functools.cache
def words() -> dict[str, Word]:
    """Every function of the language by its name; read from the table when first asked for."""
    table: dict[str, Word] = {f.__name__: Word(f.__name__, f, _of_ufunc(f), entrywise) for f in TRUTH_VALUES}
    for name, function in _functions():
        # A composition computes with arrays as it does with Tensors: with the options that the table knows.
        function = COMPOSED.get(function, function)
        estimate = ESTIMATES.get(function.__name__, entrywise)
        table[name] = Word(name, function, _without_more(_signature(function)), estimate)
    return table


def _of_ufunc(function: Any) -> inspect.Signature:
    names = ("a", "b") if function.nin == 2 else ("x",)
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names])

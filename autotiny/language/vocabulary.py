"""The names of the language: functions of the table of operations, constructors of arrays, constants and methods."""

import functools
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

import autotiny.language.constructors as constructors
from autotiny.errors import UnsupportedError
from autotiny.language.costs import Estimate, entrywise
from autotiny.language.estimates import ESTIMATES
from autotiny.ops import COMPOSED, EXTENDED, OPS, activations, load_tables, logarithms, losses
from autotiny.ops.plain import TRUTH_VALUES
from autotiny.ops.signature import signature as numpy_signature
from autotiny.ops.table import UNSET

CONSTANTS: dict[str, Any] = {"pi": np.pi, "e": np.e, "inf": np.inf, "nan": np.nan, "newaxis": None}
MODULES = ("np", "numpy", "at", "autotiny")
PROPERTIES = {"T": "transpose", "mT": "matrix_transpose", "shape": "shape", "size": "size", "ndim": "ndim"}
METHODS = {
    "flatten": "ravel",
    **{name: name for name in ("sum", "prod", "mean", "var", "std", "max", "min", "cumsum", "cumprod", "any", "all")},
    **{name: name for name in ("argmax", "argmin", "argsort", "dot", "trace", "diagonal", "clip", "round", "ravel")},
    **{
        name: name
        for name in ("squeeze", "swapaxes", "repeat", "take", "copy", "reshape", "transpose", "compress", "choose")
    },
}
SPREAD = {"reshape", "transpose"}
"""Methods whose shape or axes may be separate arguments: x.reshape(2, 3)."""
OFFERED = {
    "activations",
    "arranging",
    "einsum",
    "elementwise",
    "floating",
    "grids",
    "indexing",
    "linalg",
    "logarithms",
    "matmul",
    "orthogonal",
    "padding",
    "polynomials",
    "products",
    "quantiles",
    "reductions",
    "selecting",
    "shaping",
    "singular_values",
    "spectra",
    "statistics",
}
"""The files of operations whose functions the language has: their results and costs can be estimated."""
NOT_OFFERED = {"apply_along_axis", "apply_over_axes", "astype", "eig", "eigvals", "ix_", "piecewise"}
"""Functions of these files that take a function or a type, of which the language has no values."""
EXTENDED_ROWS = {"svd"}
"""Rows that are offered with the options of the composition that extends them."""
LISTS = {"arrays", "condlist", "sample", "tup"}
"""Names of a first parameter that is a list of arrays."""
TEXT_OPTIONS = {
    *("choose", "convolve", "correlate", "eigh", "eigvalsh", "einsum", "meshgrid", "norm", "pad", "take", "trim_zeros"),
    *("quantile", "percentile", "nanquantile", "nanpercentile", "cond", "matrix_norm", "qr"),
}
"""Functions that take text, as an operand or as an option."""
LEFT_OUT = {"dtype", "order"}
"""Options that the language does not have."""


class Function(NamedTuple):
    """A function of the language: how it is called, and an estimate of what a call costs."""

    name: str
    function: Callable[..., Any]
    signature: inspect.Signature
    estimate: Estimate

    @property
    def takes_text(self) -> bool:
        """Whether text is allowed among its arguments."""
        return self.function.__name__ in TEXT_OPTIONS

    @property
    def joins(self) -> bool:
        """Whether it takes a list of arrays."""
        return next(iter(self.signature.parameters), "") in LISTS

    @property
    def usage(self) -> str:
        """A call with its parameters: 'softmax(x, axis=0)'."""
        bare = [
            p.replace(annotation=p.empty, default=None if p.default is UNSET else p.default)
            for p in self.signature.parameters.values()
        ]
        return f"{self.name}{inspect.Signature(bare)}"

    def arguments(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Operands by position and options by name; raises TypeError where they do not match the signature."""
        operands, named = list[Any](), dict[str, Any]()
        for name, value in self.signature.bind(*args, **options).arguments.items():
            parameter = self.signature.parameters[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                operands += value
            elif parameter.default is parameter.empty:
                operands.append(value)
            else:  # by name: NumPy's own order has out= and dtype= in between, which the language does not offer
                named[name] = value
        return tuple(operands), named

    def as_arrays(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operands, a number as an array where the function needs one; raises UnsupportedError for a list."""
        if isinstance(self.function, np.ufunc) or self.joins or not operands:
            return operands
        if isinstance(operands[0], list):
            raise UnsupportedError(f"{self.name}: make the list an array first, with stack([...])")
        return (np.asarray(operands[0]) if isinstance(operands[0], int | float) else operands[0], *operands[1:])


@functools.cache
def functions() -> dict[str, Function]:
    """Every function of the language by its name, collected from the table of operations on first use."""
    load_tables()
    table = dict[str, Function]()
    for ufunc in TRUTH_VALUES:
        table[ufunc.__name__] = Function(ufunc.__name__, ufunc, _signature_of_ufunc(ufunc), entrywise)
    for name, function in _callables():
        # A composition computes on arrays as it does on Tensors: with the options that the table knows.
        function = COMPOSED.get(function, function)
        estimate = ESTIMATES.get(name.rpartition(".")[2]) or ESTIMATES.get(function.__name__, entrywise)
        table[name] = Function(name, function, _with_constant_values(_signature(function)), estimate)
    return table


def _callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    for prefix, module in (("", np.linalg), ("linalg.", np.linalg), ("", np)):
        for name, function in vars(module).items():
            if callable(function) and not isinstance(function, type) and _is_offered(function):
                yield prefix + name, function
    for module in (activations, losses, constructors):
        yield from public_functions(module)
    for name, function in public_functions(logarithms):
        if function not in OPS or OPS[function].takes_numbers:  # the others are forms
            yield name, function


def _is_offered(function: Any) -> bool:
    """Whether a NumPy function is in the table, in a file whose functions are offered."""
    entry = COMPOSED.get(function)
    if entry is None and function in OPS:
        entry = next(rule for rule in OPS[function].rules if rule is not None)
    if entry is None or function.__name__ in NOT_OFFERED:
        return False
    return entry in OPS or entry.__module__.rpartition(".")[2] in OFFERED


def public_functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public functions that a module defines, by name."""
    for name, function in vars(module).items():
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
            yield name, function


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The parameters that the table knows: a function's own, or those of its first rule without g and y."""
    if function.__name__ in EXTENDED_ROWS:
        parameters = list(inspect.signature(EXTENDED[function]).parameters.values())
    elif function in OPS:
        rule = next(rule for rule in OPS[function].rules if rule is not None)
        parameters = [
            p.replace(default=p.empty) if p.name in _required(function) else p
            for p in list(inspect.signature(rule).parameters.values())[2:]
        ]
    else:
        parameters = list(inspect.signature(function).parameters.values())
    return inspect.Signature([p for p in parameters if p.name not in LEFT_OUT])


def _required(function: Callable[..., Any]) -> set[str]:
    """The parameters of a function that have no default, which those of its rules have."""
    if isinstance(function, np.ufunc):
        return set()
    return {p.name for p in numpy_signature(function).parameters.values() if p.default is p.empty}


def _signature_of_ufunc(function: Any) -> inspect.Signature:
    names = ("a", "b") if function.nin == 2 else ("x",)
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names])


def _with_constant_values(signature: inspect.Signature) -> inspect.Signature:
    """The signature with `constant_values` in place of **kwargs, which only pad has."""
    parameters = list(signature.parameters.values())
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        constant = inspect.Parameter("constant_values", inspect.Parameter.KEYWORD_ONLY, default=0)
        parameters = [p for p in parameters if p.kind is not p.VAR_KEYWORD] + [constant]
    return signature.replace(parameters=parameters)

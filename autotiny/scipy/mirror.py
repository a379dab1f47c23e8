"""The functions of the mirror: SciPy's on plain arrays, and on Tensors what is recorded."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from autotiny.ops import elementwise
from autotiny.ops.table import COMPOSED, Function, Op, define, recorded


def curve(function: Any, *rules: Any, traits: str, **row: Any) -> Op:
    """Enter a ufunc of SciPy's as an elementwise row; one that has no form for complex numbers is real."""
    takes_complex = any("D" in types.partition("->")[0] for types in function.types)
    return elementwise.curve(function, *rules, traits=traits if takes_complex else f"{traits} real", **row)


def parts(value: Any) -> Iterator[Any]:
    """Yield an argument, or what lists, tuples and dicts hold, however deep."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from parts(item)
    elif isinstance(value, Mapping):
        yield from parts(tuple(value.values()))
    else:
        yield value


def recorder(*arguments: Any) -> Callable[..., Any] | None:
    """Return how to call a function on these arguments so that it is recorded; None if all of them are plain."""
    return next((call for x in parts(arguments) if (call := getattr(type(x), "__autotiny_call__", None))), None)


def mirror(function: Function) -> Callable[[Function], Function]:
    """Enter a composition for a function of SciPy; return the function for both, which has SciPy's parameters."""

    def decorate(composition: Function) -> Function:
        COMPOSED[function] = composition

        @functools.wraps(composition)
        def mirrored(*args: Any, **kwargs: Any) -> Any:
            call = recorder(args, kwargs)
            return function(*args, **kwargs) if call is None else call(function, args, kwargs)

        return _with_signature_of(function, mirrored)

    return decorate


def mirror_row(function: Function, *rules: Any, **row: Any) -> Function:
    """Enter a row for a function of SciPy that is no ufunc; return the function that records it on Tensors."""
    mirrored = _with_signature_of(function, recorded(define(function, *rules, **row), function))
    mirrored.__doc__ = f"SciPy's {function.__name__}; on Tensors it is recorded."
    return mirrored


def in_place_of(function: Function) -> Callable[[Function], Function]:
    """Mark a function of the mirror that calls SciPy's by itself."""

    def decorate(mirrored: Any) -> Function:
        mirrored.__scipy__ = function
        return mirrored

    return decorate


def _with_signature_of(function: Function, mirrored: Any) -> Function:
    """Give a function of the mirror SciPy's parameters, and the module that it is pickled by."""
    mirrored.__module__ = f"autotiny.scipy.{function.__module__.split('.')[1]}"
    mirrored.__signature__ = inspect.signature(function)
    mirrored.__scipy__ = function
    return mirrored


def other_names(module: ModuleType) -> Callable[[str], Any]:
    """Return the `__getattr__` of a mirror: what it does not define is SciPy's."""

    def get(name: str) -> Any:
        return getattr(module, name)

    return get

"""Load kernels: compile the functions of a program's text with numba."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autotiny.compiler.backend import Argument
from autotiny.compiler.loops.unboxing import numba_type


def load(text: str, signatures: Mapping[str, Sequence[Argument]]) -> dict[str, Callable[..., Any]]:
    """Return the functions of a module text that have a signature, compiled for it."""
    namespace: dict[str, Any] = {"__name__": "kernels"}
    exec(compile(text, "<kernels written by autotiny>", "exec"), namespace)
    return {name: compiled(namespace[name], arguments).entry_point for name, arguments in signatures.items()}


def compiled(function: Any, arguments: Sequence[Argument]) -> Any:
    """Return numba's result of compiling a function for these arguments."""
    types = tuple(map(numba_type, arguments))
    function.compile(types)
    return function.overloads[types]

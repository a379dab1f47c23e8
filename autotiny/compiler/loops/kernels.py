"""Load kernels: compile the functions of a program's text with numba."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autotiny.compiler.backend import Argument


def load(text: str, signatures: Mapping[str, Sequence[Argument]]) -> dict[str, Callable[..., Any]]:
    """Return the functions of a module text that have a signature, compiled for it."""
    namespace: dict[str, Any] = {"__name__": "kernels"}
    exec(compile(text, "<kernels written by autotiny>", "exec"), namespace)
    for name, arguments in signatures.items():
        namespace[name].compile(tuple(map(numba_type, arguments)))
        namespace[name].disable_compile()
    return {name: namespace[name] for name in signatures}


def numba_type(argument: Argument) -> Any:
    """Return numba's type of an argument."""
    from numba import from_dtype, types

    number = from_dtype(argument.dtype)
    if argument.shape is None:
        return number
    return types.Array(number, len(argument.shape), "C", readonly=not argument.written)

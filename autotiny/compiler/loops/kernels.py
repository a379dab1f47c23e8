"""Load kernels: compile the functions of a program's text with numba."""

from collections.abc import Callable
from typing import Any


def load(text: str) -> dict[str, Callable[..., Any]]:
    """Return the compiled functions of a module text, by name."""
    namespace: dict[str, Any] = {"__name__": "kernels"}
    exec(compile(text, "<kernels written by autotiny>", "exec"), namespace)
    return {name: value for name, value in namespace.items() if hasattr(value, "py_func")}

"""Compile a function to a NumPy program: trace it, rewrite its formula, schedule, write the program down."""

from autotiny.compiler.compiled import Compiled, compile  # noqa: A004

__all__ = ["Compiled", "compile"]

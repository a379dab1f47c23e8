"""Compile a function to a NumPy program: trace it, rewrite its formula, schedule, emit the program."""

from autotiny.compiler.compiled import Compiled, compile  # noqa: A004

__all__ = ["Compiled", "compile"]

"""A program that runs: its source, compiled once, and memory for each call that runs at the same time."""

import contextvars
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np

from autotiny.compiler.emit import Source

Run = Callable[..., tuple[Any, ...]]


class Program:
    """Compiled source. Each call has memory of its own, which it leaves for the next: no two calls share any."""

    def __init__(self, source: Source, swept: bool) -> None:
        self.source = source
        self.swept = swept
        self.code: CodeType = compile(source.text, "<compiled by autotiny>", "exec")
        self.idle: list[Run] = []

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        """Run it. Raises FloatingPointError where a gradient is invalid, as where a mask hides an infinite one."""
        try:
            run = self.idle.pop()
        except IndexError:
            run = self.prepared()
        results = run(*values)
        self.idle.append(run)
        return results

    def prepared(self) -> Run:
        """The program with memory of its own."""
        namespace: dict[str, Any] = dict(self.source.held)
        exec(self.code, namespace)
        step = namespace["step"]
        if not self.swept:
            return step
        context = contextvars.Context()  # NumPy keeps its floating-point settings there: set once, not at every call
        context.run(np.seterr, divide="ignore", over="ignore", under="ignore", invalid="raise")
        run = context.run
        return lambda *values: run(step, *values)

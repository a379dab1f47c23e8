"""A program that runs: compiled once, with memory for each of the calls that run at the same time."""

import contextvars
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autotiny.compiler.emit import Source
from autotiny.compiler.entry import Entry


class Program:
    """Compiled source. Each call has memory of its own, which it leaves for the next: no two at a time share any.

    watched : the kinds of floating-point errors that are noted, for the program to see.
    quiet : whether NumPy warns of none.
    """

    def __init__(self, source: Source, entry: Entry, watched: tuple[str, ...], quiet: bool) -> None:
        self.source, self.watched, self.quiet = source, watched, quiet
        texts = {"program": source.text, "entry": entry.text()}
        self.code = [compile(text, f"<{name} written by autotiny>", "exec") for name, text in texts.items()]
        self.held = {**entry.held, **source.held}
        self.idle: list[Callable[..., Any]] = []

    def __call__(self, *args: Any) -> Any:
        """The results, arranged; NoMatch for arguments that are not like those that it was written for.

        Raises FloatingPointError where a gradient is invalid, as where a mask hides an infinite one, and FactError
        where what it relies on does not hold.
        """
        try:
            enter = self.idle.pop()
        except IndexError:
            enter = self.prepared()
        result = enter(*args)
        self.idle.append(enter)  # not after an error: its memory may hold half a result
        return result

    def prepared(self) -> Callable[..., Any]:
        """The program with memory of its own."""
        invalid: list[Any] = []
        namespace = {**self.held, "invalid": invalid}
        # NumPy keeps its floating-point settings in the context: set once, not at every call.
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        context.run(partial(np.seterr, **dict.fromkeys(self.watched, "call")))  # type: ignore[arg-type]
        context.run(np.seterrcall, lambda *_: invalid.append(True))
        namespace["run"] = context.run if self.watched or self.quiet else _plainly
        for code in self.code:
            exec(code, namespace)
        return namespace["enter"]


def _plainly(step: Callable[..., Any], *values: Any) -> Any:
    return step(*values)

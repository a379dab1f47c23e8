"""The terminal's session and Python's variables, kept in step, without the shell that reads the lines."""

import contextlib
import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autotiny.drawing import draw
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.notation.numbers import few_entries
from autotiny.notation.text import clean
from autotiny.playground.repl_live import borrowed, formulas, is_numbers, names_in_place, ragged
from autotiny.sessions.session import Session

MOST_LINES = 24
"""Lines of a table; of a larger session, only what changed is shown."""
LONGEST_LINE = 1000


class Console:
    """A session and Python's variables, kept in step: formulas live in the session, all else in Python.

    `show` prints text, `ask` reads a line at a prompt, `enter` runs a line as if it were typed in the shell.
    """

    def __init__(self, show: Callable[[str], Any] = print, ask: Callable[[str], str] = input) -> None:
        self.session, self.show, self.ask = Session(), show, ask
        self.enter: Callable[[str], Any] = self.run
        self.python: dict[str, Any] = names_in_place()
        self.placed: dict[str, Any] = {}
        """The session's values that Python's variables refer to."""
        self.refused: dict[str, Any] = {}
        """Values that the session could not take; each is reported once."""

    # ----- lines -----
    def is_live(self, text: str) -> bool:
        """Whether a text consists of formulas for the session."""
        return bool(formulas(text, self.session, self.python))

    def run(self, text: str) -> None:
        """Run formulas in the session, and show what changed."""
        parsed = formulas(text, self.session, self.python)
        data = borrowed(parsed, self.session, self.python)
        self.edit(lambda: self.session.run("\n".join(f"{each.name} = {each.text}" for each in parsed), data))

    def open(self, path: Path) -> None:
        """Replace the session by one that was saved."""
        self.session = Session.load(path)
        self._place()
        self.show(self.table())

    def python_ran(self) -> None:
        """Take in the Tensors that Python created, and its changes to those of the session."""
        deleted = [name for name in self.placed if name not in self.python]
        created = {name: value for name, value in self.python.items() if self._is_new(name, value)}
        if not self.edit(lambda: self.session.adopt(created)):
            self.refused |= created
        for name in deleted:
            self.edit(functools.partial(self.session.__delitem__, name))
        self._report_ragged_rows()

    def _report_ragged_rows(self) -> None:
        for name, value in self.python.items():
            if self._is_unknown(name, value) and (lengths := ragged(value)):
                self.refused[name] = value
                sizes = f"{', '.join(map(str, lengths[:-1]))} and {lengths[-1]}"
                self.show(f"{name} is a plain Python list, not a matrix: its rows have {sizes} entries")

    def _is_unknown(self, name: str, value: Any) -> bool:
        return not name.startswith("_") and name not in self.session and self.refused.get(name) is not value

    def edit(self, change: Callable[[], Any]) -> bool:
        """Change the session and show the result; False, after showing the reason, where it cannot be changed."""
        before = self.session.values
        try:
            change()
        except AutotinyError as error:
            self.show_error(error)
            return False
        finally:
            self._place()
        changed = [name for name, value in self.session.values.items() if value is not before.get(name)]
        if changed or before.keys() - self.session.values.keys():
            self.show(self.table(changed))
        return True

    # ----- output -----
    def table(self, changed: list[str] | None = None) -> str:
        """The session as wide as the terminal; of a long one, only the names that changed."""
        if not len(self.session):
            return "nothing yet: x = Tensor(3.0)"
        text = self.session.table(changed if len(self.session) > MOST_LINES else None, self.width)
        return coloured(text) if has_colours() and "…" not in text.splitlines()[0] else text

    @property
    def width(self) -> int:
        """Characters in a line of the terminal."""
        return shutil.get_terminal_size().columns

    def show_error(self, error: Exception) -> None:
        """Show an error's message without control characters."""
        self.show("\n".join(clean(line, LONGEST_LINE) for line in str(error).splitlines()))

    def shown(self, value: Any) -> str:
        """The text of an expression's value: a Tensor with its gradient, a new one with its graph."""
        if not isinstance(value, Tensor):
            return repr(value)
        lines = [clean(repr(value), LONGEST_LINE)]
        if any(value is known for known in self.session.values.values()):
            lines += self._slope(value)
        elif value.op is not None:
            with contextlib.suppress(AutotinyError):  # a graph that is too large to show
                lines.append(_tree(value))
        return "\n".join(lines)

    def _slope(self, value: Tensor) -> list[str]:
        output, g = self.session.output, value.grad
        return [] if g is None or value.name == output else [f"d{output}/d{value.name} = {few_entries(g)}"]

    # ----- both sides in step -----
    def _is_new(self, name: str, value: Any) -> bool:
        if name.startswith("_") or self.refused.get(name) is value:
            return False
        if name not in self.session:
            return isinstance(value, Tensor)
        known = self.session[name]
        return value is not known and not (is_numbers(value) and _is_same(value, value_of(known)))

    def _place(self) -> None:
        """Give Python the Tensors of the session; data that came from Python keeps its own type there."""
        for name, value in self.placed.items():
            if name not in self.session and self.python.get(name) is value:
                del self.python[name]
        values = self.session.values.items()
        self.placed = {name: value for name, value in values if self._is_sessions(name, value)}
        self.python |= self.placed

    def _is_sessions(self, name: str, value: Any) -> bool:
        original, tracked = self.python.get(name), isinstance(value, Tensor) and value.requires_grad
        return tracked or not (is_numbers(original) and _is_same(original, value_of(value)))


def _tree(value: Tensor) -> str:
    """The graph of a result, which the shell calls _ until it gets a name."""
    name = value.name
    value.name = name or "_"
    try:
        return draw(value).tree
    finally:
        value.name = name


def _is_same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


# ----- colours -----
DIM, BLUE, VERMILLION, PLAIN = "\x1b[2m", "\x1b[38;5;32m", "\x1b[38;5;166m", "\x1b[0m"
"""Escape sequences: tones that can be read on light and on dark, for values and gradients as in pictures."""


def has_colours() -> bool:
    """Whether standard output is a terminal with colours, and nobody asked for plain text (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(table: str) -> str:
    """A table with headings, its values in blue and its gradients in vermillion.

    >>> coloured("name  value  gradient\\nx     3      7").splitlines()[1]
    'x     \\x1b[38;5;32m3      \\x1b[0m\\x1b[38;5;166m7\\x1b[0m'
    """
    head, *lines = table.splitlines()
    value, gradient = head.index("value"), head.index("gradient")
    rows = [f"{e[:value]}{BLUE}{e[value:gradient]}{PLAIN}{VERMILLION}{e[gradient:]}{PLAIN}" for e in lines]
    return "\n".join([f"{DIM}{head}{PLAIN}", *rows])

"""What the terminal makes of what is typed, whichever shell reads it."""

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

# ----- repl colour -----
# Colours of a table in a terminal that has them: values and gradients as in pictures.


DIM, BLUE, VERMILLION, PLAIN = "\x1b[2m", "\x1b[38;5;32m", "\x1b[38;5;166m", "\x1b[0m"
"""Middle tones, which read on light and on dark."""


def has_colours() -> bool:
    """Whether somebody looks at what is printed, and has not asked for plain text (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(table: str) -> str:
    """A table with headings, its values blue and its gradients vermillion.

    >>> coloured("name  value  gradient\\nx     3      7").splitlines()[1]
    'x     \\x1b[38;5;32m3      \\x1b[0m\\x1b[38;5;166m7\\x1b[0m'
    """
    head, *lines = table.splitlines()
    value, gradient = head.index("value"), head.index("gradient")
    told = [f"{e[:value]}{BLUE}{e[value:gradient]}{PLAIN}{VERMILLION}{e[gradient:]}{PLAIN}" for e in lines]
    return "\n".join([f"{DIM}{head}{PLAIN}", *told])


MOST_LINES = 24
"""Of a table; of a larger session, only what changed is shown."""
LONGEST_LINE = 1000


class Console:
    """A session and Python's variables, kept in step: formulas live in the session, all else in Python.

    `show` prints, `ask` reads a line, `enter` does what the shell does with a line that is typed.
    """

    def __init__(self, show: Callable[[str], Any] = print, ask: Callable[[str], str] = input) -> None:
        self.session, self.show, self.ask = Session(), show, ask
        self.enter: Callable[[str], Any] = self.run
        self.python: dict[str, Any] = names_in_place()
        self.placed: dict[str, Any] = {}
        """What Python's variables were given from the session."""
        self.refused: dict[str, Any] = {}
        """Tensors that the session could not take, of which was told already."""

    # ----- what is typed -----
    def is_live(self, text: str) -> bool:
        """Whether a text is formulas of the session."""
        return bool(formulas(text, self.session, self.python))

    def run(self, text: str) -> None:
        """Run formulas in the session, and show what came of it."""
        found = formulas(text, self.session, self.python)
        lent = borrowed(found, self.session, self.python)
        self.edit(lambda: self.session.run("\n".join(f"{each.name} = {each.text}" for each in found), lent))

    def open(self, path: Path) -> None:
        """Go on with a session that was saved."""
        self.session = Session.load(path)
        self._place()
        self.show(self.table())

    def python_ran(self) -> None:
        """Take in the Tensors that Python made, and what it did to those of the session."""
        gone = [name for name in self.placed if name not in self.python]
        made = {name: value for name, value in self.python.items() if self._is_news(name, value)}
        if not self.edit(lambda: self.session.adopt(made)):
            self.refused |= made
        for name in gone:
            self.edit(functools.partial(self.session.__delitem__, name))
        self._tell_of_ragged_rows()

    def _tell_of_ragged_rows(self) -> None:
        fresh = {name: ragged(value) for name, value in self.python.items() if self._is_unknown(name, value)}
        for name, lengths in fresh.items():
            if lengths:
                self.refused[name] = self.python[name]
                sizes = f"{', '.join(map(str, lengths[:-1]))} and {lengths[-1]}"
                self.show(f"{name} is a list of Python's, which no formula can follow: its rows have {sizes} entries")

    def _is_unknown(self, name: str, value: Any) -> bool:
        return not name.startswith("_") and name not in self.session and self.refused.get(name) is not value

    def edit(self, change: Callable[[], Any]) -> bool:
        """Make a change to the session and show what it did; False, and the reason, where it cannot be made."""
        before = self.session.values
        try:
            change()
        except AutotinyError as error:
            self.tell(error)
            return False
        finally:
            self._place()
        changed = [name for name, value in self.session.values.items() if value is not before.get(name)]
        if changed or before.keys() - self.session.values.keys():
            self.show(self.table(changed))
        return True

    # ----- what is shown -----
    def table(self, changed: list[str] | None = None) -> str:
        """The session as wide as the terminal; where it is long, what changed."""
        if not len(self.session):
            return "nothing yet: x = Tensor(3.0)"
        told = self.session.table(changed if len(self.session) > MOST_LINES else None, self.width)
        return coloured(told) if has_colours() and "…" not in told.splitlines()[0] else told

    @property
    def width(self) -> int:
        """Characters in a line of the terminal."""
        return shutil.get_terminal_size().columns

    def tell(self, error: Exception) -> None:
        """Show what is wrong, in lines that do no harm."""
        self.show("\n".join(clean(line, LONGEST_LINE) for line in str(error).splitlines()))

    def told(self, value: Any) -> str:
        """The result of an expression; a Tensor with its gradient, a new one with the graph that it stands on."""
        if not isinstance(value, Tensor):
            return repr(value)
        lines = [clean(repr(value), LONGEST_LINE)]
        if any(value is held for held in self.session.values.values()):
            lines += self._slope(value)
        elif value.op is not None:
            with contextlib.suppress(AutotinyError):  # a graph too large to be shown
                lines.append(_tree(value))
        return "\n".join(lines)

    def _slope(self, value: Tensor) -> list[str]:
        output, g = self.session.output, value.grad
        return [] if g is None or value.name == output else [f"d{output}/d{value.name} = {few_entries(g)}"]

    # ----- both sides in step -----
    def _is_news(self, name: str, value: Any) -> bool:
        if name.startswith("_") or self.refused.get(name) is value:
            return False
        if name not in self.session:
            return isinstance(value, Tensor)
        held = self.session[name]
        return value is not held and not (is_numbers(value) and _is_same(value, value_of(held)))

    def _place(self) -> None:
        """Give Python the Tensors of the session; data that it lent keeps its own form there."""
        for name, held in self.placed.items():
            if name not in self.session and self.python.get(name) is held:
                del self.python[name]
        values = self.session.values.items()
        self.placed = {name: held for name, held in values if self._is_sessions(name, held)}
        self.python |= self.placed

    def _is_sessions(self, name: str, held: Any) -> bool:
        lent, tracked = self.python.get(name), isinstance(held, Tensor) and held.requires_grad
        return tracked or not (is_numbers(lent) and _is_same(lent, value_of(held)))


def _tree(value: Tensor) -> str:
    """The graph of a result, which both shells call _ until it gets a name."""
    name = value.name
    value.name = name or "_"
    try:
        return draw(value).tree
    finally:
        value.name = name


def _is_same(a: Any, b: Any) -> bool:
    return np.asarray(a).dtype == np.asarray(b).dtype and np.array_equal(
        a, b, equal_nan=np.asarray(a).dtype.kind == "f"
    )

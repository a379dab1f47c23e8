"""The interface of back ends, which emit the program of a schedule if they accept it."""

from typing import Any, NamedTuple, Protocol

from autotiny.compiler.schedule import Schedule


class FactError(Exception):
    """A fact of the first call does not hold on these values, or a value that must be finite is not."""


class ProgramText(NamedTuple):
    """The source of a program, which defines `step(*inputs)` and returns the outputs."""

    text: str
    objects: dict[str, Any]
    """The objects that the source refers to by name and does not define or import."""
    in_python: bool = False
    """Whether it computes in Python's own arithmetic, which raises where NumPy gives inf or nan."""


class Backend(Protocol):
    """An emitter of programs. To add one, put it into BACKENDS in build.py, before the more general ones."""

    def accepts(self, schedule: Schedule) -> bool:
        """Return whether it can write the program of this schedule."""
        ...

    def emit(self, schedule: Schedule) -> ProgramText:
        """Return the program. It raises `schedule.stop` where it must not go on, and FactError where a fact fails."""
        ...

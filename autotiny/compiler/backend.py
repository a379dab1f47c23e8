"""What a back end is: it writes the program of a schedule, if the schedule is one that it accepts."""

from typing import Any, NamedTuple, Protocol

from autotiny.compiler.schedule import Schedule


class FactError(Exception):
    """What held on the values of the first call, or must be finite, does not hold or is not on these."""


class ProgramText(NamedTuple):
    """A program, written down: its text defines `step(*inputs)`, which returns the outputs."""

    text: str
    objects: dict[str, Any]
    """What the text refers to by name and does not define or import."""
    in_python: bool = False
    """Whether it computes in Python's own arithmetic, which raises where NumPy gives inf or nan."""


class Backend(Protocol):
    """Writes programs. To add one, put it into BACKENDS in build.py, before those that are to take what it leaves."""

    def accepts(self, schedule: Schedule) -> bool:
        """Return whether it can write the program of this schedule."""
        ...

    def emit(self, schedule: Schedule) -> ProgramText:
        """Return the program. It raises `schedule.stop` where it must not go on, and FactError where a fact fails."""
        ...

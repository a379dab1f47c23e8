"""The back end that writes explicit loops for numba."""

from autotiny.compiler.backend import Pass, ProgramText
from autotiny.compiler.schedule import Schedule
from autotiny.compiler.table import shorten


class LoopBackend:
    """Programs of loops."""

    name = "numba"
    passes: tuple[Pass, ...] = (shorten,)
    sees_flags = False

    def accepts(self, schedule: Schedule) -> bool:
        """Return whether any of the program is worth a loop."""
        return False

    def emit(self, schedule: Schedule) -> ProgramText:
        """Return the program: kernels of loops, and `step`, which calls them."""
        raise NotImplementedError

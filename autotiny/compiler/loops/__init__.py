"""The back ends that write loops, which numba compiles."""

from autotiny.compiler.backend import Backend
from autotiny.compiler.loops.emit import LoopBackend
from autotiny.compiler.loops.scalars import ScalarLoops

BACKENDS: tuple[Backend, ...] = (ScalarLoops(), LoopBackend())
"""Asked in order, before those that need no numba."""

__all__ = ["BACKENDS"]

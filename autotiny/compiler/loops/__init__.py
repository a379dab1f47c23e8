"""The back ends that write loops, which numba compiles."""

from autotiny.compiler.backend import Backend
from autotiny.compiler.loops.emit import LoopBackend

BACKENDS: tuple[Backend, ...] = (LoopBackend(),)
"""Asked in order, before those that need no numba."""

__all__ = ["BACKENDS"]

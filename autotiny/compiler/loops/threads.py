"""Run a kernel on parts of a long loop, on several threads: kernels run without the interpreter's lock.

numba has threads of its own, but a fork kills them, and two threads of Python that start them at once end the process.
"""

from collections.abc import Callable
from concurrent.futures import wait
from itertools import pairwise
from typing import Any, TypeVar

from autotiny.compiler.blocks import pool

Result = TypeVar("Result")

PART = 2**20
"""The least work of a part, in operations on entries, each a tenth of a nanosecond or so: another thread takes 80
microseconds to wake up on the machines where that was measured."""


def parts_of(work: int, threads: int) -> int:
    """Return on how many of the threads so many operations on entries are worth while."""
    return max(1, min(threads, work // PART))


def in_parts(kernel: Callable[..., Result], length: int, threads: int, *arguments: Any) -> list[Result]:
    """Return `kernel(start, stop, *arguments)` of each part of `range(length)`, in order.

    The parts depend on the length and the number of threads alone, and so does what is summed part by part.

    >>> in_parts(lambda start, stop: (start, stop), 10, 3)
    [(0, 3), (3, 6), (6, 10)]
    """
    count = max(1, min(threads, length))
    first, *others = pairwise(length * i // count for i in range(count + 1))
    tasks = [pool(count).submit(kernel, *part, *arguments) for part in others]
    try:
        results = [kernel(*first, *arguments)]
    finally:
        wait(tasks)  # after an error, too: they write into arrays of the caller
    return results + [task.result() for task in tasks]

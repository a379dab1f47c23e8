"""One thread of the matrix library while a shard is computed: how it divides a product decides how sums are rounded.

Processes of one engine have as many threads as processors, those of another have one. With one everywhere the bits are
those of every other process on the same kind of machine, and shards, not products, share the processors. NumPy's and
SciPy's own OpenBLAS can be told; of other libraries OMP_NUM_THREADS=1 and the like do it, before NumPy is imported.
"""

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple


class Library(NamedTuple):
    """A loaded library of matrix products, whose number of threads can be read and set."""

    get: Callable[[], int]
    set: Callable[[int], None]


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute matrix products on one thread; tasks that overlap restore the number of threads together."""
    with _tasks.lock:
        if not _tasks.running:
            _tasks.before = [(library, library.get()) for library in libraries(scipy_is_loaded())]
            for library, _ in _tasks.before:
                library.set(1)
        _tasks.running += 1
    try:
        yield
    finally:
        with _tasks.lock:
            _tasks.running -= 1
            if not _tasks.running:
                for library, threads in _tasks.before:
                    library.set(threads)


def scipy_is_loaded() -> bool:
    """Whether SciPy is loaded, as numba does when it compiles the first product."""
    return "scipy" in sys.modules


class _Tasks:
    """The tasks that run in this process, and the numbers of threads from before them."""

    def __init__(self) -> None:
        self.lock, self.running = Lock(), 0
        self.before: list[tuple[Library, int]] = []


_tasks = _Tasks()
if hasattr(os, "register_at_fork"):  # a thread that has the lock is missing in the child
    os.register_at_fork(after_in_child=_tasks.__init__)  # type: ignore[misc]


@functools.cache
def libraries(with_scipy: bool) -> list[Library]:
    """Return the libraries that NumPy and SciPy bring along."""
    import numpy as np

    site = Path(np.__file__).parent.parent
    folders = [
        site / f"{name}{libs}" for name in ("numpy", "scipy")[: 1 + with_scipy] for libs in (".libs", "/.dylibs")
    ]
    paths = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*openblas*"))]
    return [library for path in paths if (library := _library(path))]


def _library(path: Path) -> Library | None:
    import ctypes  # which is not everywhere

    try:
        loaded = ctypes.CDLL(str(path))  # the one that is loaded already
    except OSError:
        return None
    for suffix in ("64_", ""):
        try:
            return Library(
                loaded[f"scipy_openblas_get_num_threads{suffix}"], loaded[f"scipy_openblas_set_num_threads{suffix}"]
            )
        except AttributeError:
            continue
    return None

"""A process for one engine and one work, which does what the parent asks for: build, show its numbers, run a batch."""

import gc
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from time import perf_counter
from timeit import Timer
from typing import Any, NamedTuple

import numpy as np

import bench_memory
from bench_engines import Engine
from bench_works import Work

THREADS = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NPROC",  # JAX
]
"""The variables that libraries read when they are imported."""
CHECKED_STEPS = 3
WARMED = 0.2
"""The duration of a call, in seconds, from which on it does not matter that its caches are cold."""


class First(NamedTuple):
    """The first call, with all that is compiled for it."""

    seconds: float
    memory: int
    """The most that the process held beyond what it held before, in bytes; 0 where it is not counted."""


class Answer(NamedTuple):
    """What a worker sends: a result, or the words of its error."""

    result: Any
    error: str = ""


class WorkerError(Exception):
    """A worker that raised an error, died, or did not answer in time."""


class Bench:
    """The side of one engine, in its own process."""

    def __init__(self, engine: Engine, work: Work, cores: Sequence[int]) -> None:
        self.engine, self.work, self.cores = engine, work, cores
        self.warmed = True

    def load(self) -> None:
        """Import the engine."""
        self.engine.load()

    def first(self) -> First | None:
        """Build the side and call it once, from now on on its cores; None if the engine has no side of this problem."""
        if self.cores:
            os.sched_setaffinity(0, self.cores)
        _ = self.work.problem.data
        before, start = bench_memory.resident(), perf_counter()
        side = self.engine.side(self.work.problem)
        if side is None:
            return None
        self.side = side
        self.side.step()
        seconds = perf_counter() - start
        return First(seconds, bench_memory.peak() - before)

    def numbers(self) -> list[np.ndarray]:
        """Return the results of the first three steps."""
        for _ in range(CHECKED_STEPS - 1):
            self.side.step()
        return list(map(np.asarray, self.side.numbers()))

    def calls(self) -> int:
        """Return how many calls make a batch; freeze what exists, so that a batch pays for its own garbage only."""
        gc.collect()
        gc.freeze()
        self.warmed = seconds_per_call(self.side.step, 1, warmed=False) < WARMED
        return calls_lasting(self.work.repetition, self.side.step) if self.warmed else 1

    def seconds(self, calls: int) -> float:
        """Return the mean seconds per call of a batch."""
        return seconds_per_call(self.side.step, calls, self.warmed)


def calls_lasting(seconds: float, step: Callable[[], object]) -> int:
    """Return the smallest power of two of calls that last at least this long."""
    calls = 1
    while calls * seconds_per_call(step, calls) < seconds:
        calls *= 2
    return calls


def seconds_per_call(step: Callable[[], object], calls: int, warmed: bool = True) -> float:
    """Return the mean seconds per call, after one call to warm the caches; the cycle collector is on, as for users."""

    def settle() -> None:
        gc.enable()  # timeit has switched it off
        gc.collect()
        if warmed:
            step()

    return Timer(step, settle).timeit(calls) / calls


def serve(connection: Connection, engine: Engine, work: Work, cores: Sequence[int]) -> None:
    """Answer requests, which are a method of `Bench` and its arguments, until the parent hangs up."""
    bench_memory.keep_memory()
    bench = Bench(engine, work, cores)
    while True:
        try:
            method, arguments = connection.recv()
        except EOFError:
            return
        try:
            answer = Answer(getattr(bench, method)(*arguments))
        except Exception as error:
            answer = Answer(None, f"{type(error).__name__}: {error}".splitlines()[0])
        connection.send(answer)


class Worker:
    """The parent's end of a process."""

    def __init__(self, engine: Engine, work: Work, cores: Sequence[int] = ()) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, engine, work, cores), daemon=True)
        self.process.start()
        theirs.close()

    def request(self, method: str, *arguments: Any) -> None:
        """Send a request, without waiting for its answer."""
        self.connection.send((method, arguments))

    def answer(self, patience: float = 120.0) -> Any:
        """Return the answer to the last request. Raises WorkerError."""
        if not self.connection.poll(patience):
            raise WorkerError(f"over {patience:.0f} s")
        try:
            answer = self.connection.recv()
        except EOFError:
            self.process.join()
            raise WorkerError(f"its process ended with {self.process.exitcode}") from None
        if answer.error:
            raise WorkerError(answer.error)
        return answer.result

    def ask(self, method: str, *arguments: Any, patience: float = 120.0) -> Any:
        """Send a request and return its answer. Raises WorkerError."""
        self.request(method, *arguments)
        return self.answer(patience)

    def stop(self) -> None:
        """End the process."""
        self.connection.close()
        self.process.kill()
        self.process.join()


def use_threads(threads: int) -> list[int]:
    """Tell the libraries of processes that start from now on; return the cores that these are to be kept on."""
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return cores[-threads:]


@contextmanager
def empty_caches() -> Iterator[None]:
    """Let processes that start in here keep compiled code in a new folder, so that first calls compile."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "AUTOTINY_CACHE_DIR": folder,
            "NUMBA_CACHE_DIR": folder,
            "PYTENSOR_FLAGS": f"base_compiledir={folder}/pytensor",
        }
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

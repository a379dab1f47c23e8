"""Fixed costs: seconds to import autotiny and to compile the flagship, bytes to record an operation."""

import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from statistics import median
from typing import Any

import autotiny as at
from bench_engines import ENGINES, Engine
from bench_worker import Worker
from bench_works import WORKS

IMPORTS = """
from time import perf_counter as now
start = now(); import numpy
imported = now(); import autotiny
print(imported - start, now() - imported)
"""
FLAGSHIP = WORKS[0]
CACHES = ["NUMBA_CACHE_DIR", "XDG_CACHE_HOME"]
"""The variables that say where compiled code is kept."""


def costs(quick: bool, cores: Sequence[int] = ()) -> dict[str, float]:
    """Measure them all, by name."""
    numpy, autotiny = import_seconds(processes=5 if quick else 21)
    measured = {"seconds to import NumPy": numpy, "seconds to import autotiny beside NumPy": autotiny}
    measured |= compile_seconds(processes=1 if quick else 5, cores=cores)
    return measured | {
        f"bytes of a recorded operation, {name}": bytes_per_operation(leaf) for name, leaf in leaves().items()
    }


def import_seconds(processes: int) -> tuple[float, float]:
    """Return median seconds to import NumPy and then autotiny in fresh processes, after one that compiles."""
    command = [sys.executable, "-c", IMPORTS]
    outputs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(processes + 1)]
    numpy, autotiny = zip(*(map(float, output.split()) for output in outputs[1:]), strict=True)
    return median(numpy), median(autotiny)


def compile_seconds(processes: int, cores: Sequence[int] = ()) -> dict[str, float]:
    """Return median seconds of the flagship's first call by each back end, beside the imports of its libraries."""
    by_name = {engine.name: engine for engine in ENGINES}
    numpy, numba = by_name["autotiny numpy"], by_name["autotiny numba"]
    first_calls = {"seconds of the flagship's first call, numpy": [first_call(numpy, cores) for _ in range(processes)]}
    if not numba.missing():
        cold, cached = [], []
        for _ in range(processes):
            with tempfile.TemporaryDirectory() as folder, cache_in(folder):
                cold.append(first_call(numba, cores))
                cached.append(first_call(numba, cores))
        first_calls |= {
            "seconds of the flagship's first call, numba, with an empty cache": cold,
            "seconds of the flagship's first call, numba, from the cache in a new process": cached,
        }
    return {name: median(seconds) for name, seconds in first_calls.items()}


def first_call(engine: Engine, cores: Sequence[int]) -> float:
    """Return the seconds of the flagship's first call in a new process that has imported the engine."""
    worker = Worker(engine, FLAGSHIP, cores)
    try:
        worker.ask("load")
        return float(worker.ask("first").seconds)
    finally:
        worker.stop()


class cache_in:  # noqa: N801
    """A context in which processes that are started keep compiled code in a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        self.before = {name: os.environ.get(name) for name in CACHES}
        os.environ.update(dict.fromkeys(CACHES, self.folder))

    def __exit__(self, *_: object) -> None:
        for name, value in self.before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def bytes_per_operation(leaf: Callable[[float], Any], operations: int = 1000) -> float:
    """Return the bytes allocated for each recorded product of two numbers, including its value."""
    x = y = leaf(1.0)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(operations):
        y = y * x
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / operations


def leaves() -> dict[str, Callable[[float], Any]]:
    """Return each engine's constructor of a scalar variable."""
    if not find_spec("micrograd"):
        return {"autotiny": at.Tensor}
    from micrograd.engine import Value

    return {"autotiny": at.Tensor, "micrograd": Value}

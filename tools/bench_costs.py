"""Fixed costs: seconds to import autotiny and to compile the flagship, bytes to record an operation."""

import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from statistics import median
from typing import Any

import autotiny as at
from bench_engines import ENGINES, Engine
from bench_worker import Worker, empty_caches
from bench_works import WORKS

IMPORTS = """
from time import perf_counter as now
start = now(); import numpy
imported = now(); import autotiny
ours = now(); import autotiny.compiler
print(imported - start, ours - imported, now() - ours)
"""
FLAGSHIP = WORKS[0]


def costs(quick: bool, cores: Sequence[int] = ()) -> dict[str, float]:
    """Measure them all, by name."""
    numpy, autotiny, compiler = import_seconds(processes=5 if quick else 21)
    measured = {
        "seconds to import NumPy": numpy,
        "seconds to import autotiny beside NumPy": autotiny,
        "seconds to import its compiler beside autotiny": compiler,
    }
    measured |= compile_seconds(processes=1 if quick else 5, cores=cores)
    return measured | {
        f"bytes of a recorded operation, {name}": bytes_per_operation(leaf) for name, leaf in leaves().items()
    }


def import_seconds(processes: int) -> list[float]:
    """Return median seconds to import NumPy, then autotiny, then its compiler in fresh processes, after one more."""
    command = [sys.executable, "-c", IMPORTS]
    outputs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(processes + 1)]
    return [median(column) for column in zip(*(map(float, output.split()) for output in outputs[1:]), strict=True)]


def compile_seconds(processes: int, cores: Sequence[int] = ()) -> dict[str, float]:
    """Return median seconds of the flagship's first call by each back end, beside the imports of its libraries."""
    by_name = {engine.name: engine for engine in ENGINES}
    numpy, numba = by_name["autotiny numpy"], by_name["autotiny numba"]
    first_calls = {"seconds of the flagship's first call, numpy": [first_call(numpy, cores) for _ in range(processes)]}
    if not numba.missing():
        cold, cached = [], []
        for _ in range(processes):
            with empty_caches():
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

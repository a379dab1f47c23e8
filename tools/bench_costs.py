"""Fixed costs: seconds to import autotiny, bytes to record an operation."""

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median
from typing import Any

import autotiny as at

IMPORTS = """
from time import perf_counter as now
start = now(); import numpy
imported = now(); import autotiny
print(imported - start, now() - imported)
"""


def import_seconds(processes: int) -> tuple[float, float]:
    """Return median seconds to import NumPy and then autotiny in fresh processes, after one that compiles."""
    command = [sys.executable, "-c", IMPORTS]
    outputs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(processes + 1)]
    numpy, autotiny = zip(*(map(float, output.split()) for output in outputs[1:]), strict=True)
    return median(numpy), median(autotiny)


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

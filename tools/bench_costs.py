"""What autotiny costs before it does anything: seconds to import, bytes to record."""

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
numpy_there = now(); import autotiny
print(numpy_there - start, now() - numpy_there)
"""


def import_seconds(processes: int) -> tuple[float, float]:
    """Median seconds to import NumPy, and then autotiny, in fresh processes; one before them compiles."""
    command = [sys.executable, "-c", IMPORTS]
    outputs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(processes + 1)]
    numpy, autotiny = zip(*(map(float, output.split()) for output in outputs[1:]), strict=True)
    return median(numpy), median(autotiny)


def bytes_per_operation(leaf: Callable[[float], Any], operations: int = 1000) -> float:
    """Bytes that Python holds for each recorded product of two numbers, the number itself included."""
    x = y = leaf(1.0)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(operations):
        y = y * x
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / operations


def leaves() -> dict[str, Callable[[float], Any]]:
    """How a number enters each engine that can be compared so."""
    if not find_spec("micrograd"):
        return {"autotiny": at.Tensor}
    from micrograd.engine import Value

    return {"autotiny": at.Tensor, "micrograd": Value}

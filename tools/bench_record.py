"""The results of a run: the machine, the versions, the cells by work and engine; kept as JSON."""

import json
import os
import platform
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bench_timing import Cell

Cells = dict[str, Cell]
CPUINFO = Path("/proc/cpuinfo")
SIMD = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
"""Instruction sets by the flag of /proc/cpuinfo, widest first."""


@dataclass
class Record:
    """What was measured."""

    machine: dict[str, Any]
    versions: dict[str, str]
    works: dict[str, Cells] = field(default_factory=dict)
    growth: dict[str, dict[int, Cells]] = field(default_factory=dict)
    """By the curve's name, then by its operations or entries."""
    costs: dict[str, float] = field(default_factory=dict)

    def save(self, file: Path) -> None:
        """Write it as JSON, numbers with five digits."""
        file.write_text(json.dumps(plain(vars(self)), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` has written."""
        record = cls(**json.loads(file.read_text(encoding="utf-8")))
        record.works = {work: cells(row) for work, row in record.works.items()}
        record.growth = {
            curve: {int(size): cells(row) for size, row in points.items()} for curve, points in record.growth.items()
        }
        return record


def cells(row: dict[str, Any]) -> Cells:
    """Return the cells that were written as dicts."""
    return {engine: Cell(**values) for engine, values in row.items()}


def plain(x: Any) -> Any:
    """Return cells as dicts of what is not empty, and round numbers to five digits."""
    if isinstance(x, Cell):
        return {name: plain(value) for name, value in x._asdict().items() if value}
    if isinstance(x, dict):
        return {str(key): plain(value) for key, value in x.items()}
    return float(f"{x:.5g}") if isinstance(x, float) else x


def machine(threads: int) -> dict[str, Any]:
    """Return the processor, its cores, and how many threads were used."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "system": platform.system(),
        "python": platform.python_version(),
    }


def processor() -> str:
    """Return the processor's name and its widest vectors, as far as the system tells."""
    if not CPUINFO.exists():
        return platform.processor() or platform.machine()
    text = CPUINFO.read_text()
    name = re.search(r"model name\s*: (.*)", text)
    flags = set(re.findall(r"\w+", "".join(re.findall(r"(?:flags|Features)\s*: (.*)", text)[:1])))
    widest = next((width for flag, width in SIMD.items() if flag in flags), "")
    called = re.sub(r"\((R|TM)\)|\s+(?=\s)", "", name[1]).strip() if name else platform.machine()
    return f"{called}, {widest}" if widest else called

"""Time autotiny beside hand-written NumPy and the engines that are installed.

    python tools/bench.py [--quick] [--only NAME] [--json FILE]

All sides of a work run interleaved in one process on one thread, after a check that they compute the same numbers.
A cell of the table is the time of one step divided by the baseline's: below 1 is faster.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import bench_autotiny
import bench_costs
import bench_peers
from bench_peers import Factory, Sides
from bench_timing import Timing, keep_memory, require_same_numbers, take_turns
from bench_works import Chain, ScalarNetwork, TwoLayer, numpy_chain, numpy_scalars, numpy_two_layer

THREADS = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NPROC",
]  # NPROC: JAX


COSTS = {
    "": bench_autotiny.from_logits,
    ", log softmax": bench_autotiny.from_softmax,
    ", written out": bench_autotiny.from_exponentials,
}
"""Ways to write the cost, by the suffix of the row's name. Peers are timed with the first."""
TWO_LAYER = bench_autotiny.two_layer, bench_autotiny.compiled_two_layer


@dataclass(frozen=True)
class Work:
    """One row of the table: the sides that do the same work, the ratio to reach, the seconds of a repetition."""

    name: str
    problem: Any
    sides: Sides
    target: float
    repetition: float = 2e-3
    compiled_target: float | None = None

    @property
    def baseline(self) -> str:
        """The side whose time is 1."""
        return "micrograd" if "micrograd" in self.sides else "NumPy"


def sides(numpy: Factory, autotiny: Factory, compiled: Factory, peers: Sides) -> Sides:
    """Return the hand-written side, autotiny's, and those of the installed peers."""
    return {"NumPy": numpy, "autotiny": autotiny, "compiled": compiled, **bench_peers.installed(peers)}


def works() -> Iterator[Work]:
    """Yield the rows, in the order of the table."""
    for name, net, target, compiled_target in [
        ("two-layer 4-16-3 m=32 float64", TwoLayer((4, 16, 3), 32, np.float64), 1.5, 0.34),
        ("two-layer 64-32-10 m=64 float32", TwoLayer((64, 32, 10), 64), 1.5, 0.51),
        ("two-layer 784-128-10 m=64 float32", TwoLayer((784, 128, 10), 64), 1.1, 0.75),
        ("two-layer 784-128-10 m=256 float32", TwoLayer((784, 128, 10), 256), 1.05, 0.85),
    ]:
        for suffix, cost in COSTS.items():
            autotiny, compiled = (partial(side, cost=cost) for side in TWO_LAYER)
            peers = {} if suffix else bench_peers.TWO_LAYER
            yield Work(
                name + suffix, net, sides(numpy_two_layer, autotiny, compiled, peers), target, 2e-3, compiled_target
            )
    chain = sides(numpy_chain, bench_autotiny.chain, bench_autotiny.compiled_chain, bench_peers.CHAIN)
    yield Work("chain 10^6 float64", Chain(10**6), chain, 1.2, compiled_target=0.25)
    threaded: Sides = {"NumPy": numpy_chain, "compiled": partial(bench_autotiny.compiled_chain, threads=2)}
    yield Work("chain 10^6 float64, two threads", Chain(10**6), threaded, 1.2, compiled_target=0.25)
    scalars = sides(numpy_scalars, bench_autotiny.scalars, bench_autotiny.compiled_scalars, bench_peers.SCALARS)
    network = ScalarNetwork((2, 16, 16, 1))
    yield Work("scalars 2-16-16-1", network, scalars, 0.3, repetition=0.1, compiled_target=0.03)


def measure(work: Work, quick: bool) -> dict[str, Timing]:
    """Build every side, check that they compute the same numbers, and time them."""
    built = {name: side(work.problem) for name, side in work.sides.items()}
    require_same_numbers(built, work.problem.tolerance)
    steps = {name: side.step for name, side in built.items()}
    rounds, budget = (15, 4.0) if quick else (201, 30.0)
    return take_turns(steps, work.baseline, repetition=work.repetition, rounds=rounds, budget=budget)


def duration(seconds: float) -> str:
    """Format a time with its unit: 57.8 µs, 14.6 ms."""
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


def columns(rows: list[Work]) -> list[str]:
    """Return the names of all sides, without repetition."""
    return list(dict.fromkeys(name for row in rows for name in row.sides))


def heading(names: list[str]) -> str:
    """Return the table's first line."""
    return f"{'work':<48}{'1 is':>10}" + "".join(f"{name:>10}" for name in names) + f"{'to reach':>10}{'compiled':>10}"


def line(work: Work, timings: dict[str, Timing], names: list[str]) -> str:
    """Return a row: the baseline's time, each side's ratio to it, and autotiny's targets."""
    cells = [f"{timings[name].ratio:.2f}" if name in timings else "" for name in names]
    baseline = duration(timings[work.baseline].seconds)
    targets = f"{work.target:>10}{work.compiled_target or '':>10}"
    return f"{work.name:<48}{baseline:>10}" + "".join(f"{cell:>10}" for cell in cells) + targets


def versions() -> dict[str, str]:
    """Return the versions of Python, NumPy and the installed peers."""
    peers = {module for peer, module in bench_peers.MODULES.items() if bench_peers.is_installed(peer)}
    return {"python": platform.python_version()} | {name: version(name) for name in ["numpy", *sorted(peers)]}


def table(rows: list[Work], quick: bool) -> list[dict[str, Any]]:
    """Measure and print row by row; return the same as records."""
    keep_memory()
    names, records = columns(rows), []
    print(heading(names))
    for work in rows:
        timings = measure(work, quick)
        print(line(work, timings, names), flush=True)
        ratios = {name: timing._asdict() for name, timing in timings.items()}
        targets = {"to reach": work.target, "to reach compiled": work.compiled_target}
        records.append({"work": work.name, "baseline": work.baseline, **targets, "sides": ratios})
    return records


def costs(quick: bool) -> dict[str, float]:
    """Measure and print import time and memory."""
    numpy, autotiny = bench_costs.import_seconds(processes=5 if quick else 21)
    print(f"\nimport: NumPy {duration(numpy)}, autotiny {duration(autotiny)} more (to reach: 30 ms)")
    sizes = {name: bench_costs.bytes_per_operation(leaf) for name, leaf in bench_costs.leaves().items()}
    print("bytes per recorded operation:", ", ".join(f"{name} {size:.0f}" for name, size in sizes.items()))
    return {"import numpy": numpy, "import autotiny": autotiny} | {
        f"bytes {name}": size for name, size in sizes.items()
    }


def main() -> None:
    """Parse, measure, print; exit with 2 if no row has that name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few repetitions: an idea rather than a number")
    parser.add_argument("--only", metavar="NAME", default="", help="rows whose name holds this, or 'costs'")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the numbers there, too")
    options = parser.parse_args()
    rows = [work for work in works() if options.only in work.name]
    if not rows and options.only != "costs":
        parser.error(f"--only {options.only}: no such row; there are costs, {', '.join(w.name for w in works())}")
    print(", ".join(f"{name} {number}" for name, number in versions().items()), "\n")
    record = {"versions": versions(), "works": table(rows, options.quick) if rows else []}
    record["costs"] = costs(options.quick) if options.only in ("", "costs") else {}
    if options.json:
        options.json.write_text(json.dumps(record, indent=2) + "\n")


def on_one_thread() -> None:
    """Start again with one thread for each library; they read that number when they are imported."""
    if any(os.environ.get(name) != "1" for name in THREADS):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | dict.fromkeys(THREADS, "1"))


if __name__ == "__main__":
    on_one_thread()
    main()

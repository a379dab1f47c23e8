"""Time autotiny beside hand-written NumPy and the engines that are installed.

    python tools/bench.py                        all: the works, growth curves, fixed costs; some ten minutes
    python tools/bench.py --quick                an idea in a minute
    python tools/bench.py --only 784             the works whose name holds this; or growth, or costs
    python tools/bench.py --save new.json --compare old.json
    python tools/bench.py --publish              renew README's table, its picture and notebook 9

Every engine runs in a process of its own, for each work anew, on one thread and one core; the parent asks them in turn
for a batch of calls, after a check that they compute NumPy's numbers. A cell is the time of one call divided by the
baseline's in the same round, the median over all rounds: below 1 is faster. "its products alone" and "its memory
traffic alone" are the limits: what no program can do without.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import bench_record
import bench_report
from bench_engines import ENGINES, Engine, versions
from bench_record import Record
from bench_timing import Budget, measure
from bench_worker import empty_caches, use_threads
from bench_works import WORKS, Work, growth

QUICK, FULL, CURVE = Budget(15, 1.5, 30), Budget(201, 12.0, 60), Budget(9, 1.5, 15)
LARGEST, LARGEST_QUICK = 1e7, 1e3
"""The largest operations or entries of a growth curve."""


def progress(words: str) -> None:
    """Say what is being measured."""
    print(words, file=sys.stderr, flush=True)


def measure_works(works: Iterable[Work], quick: bool, cores: list[int]) -> dict[str, bench_record.Cells]:
    """Time every engine on every work; the other spellings of the cost only if there is time."""
    engines = [engine for engine in ENGINES if not (quick and "cost" in engine.options)]
    cells = {}
    for work in works:
        progress(work.name)
        cells[work.name] = measure(work, engines, QUICK if quick else FULL, cores)
    return cells


def measure_growth(largest: float, cores: list[int]) -> dict[str, dict[int, bench_record.Cells]]:
    """Time every engine along the curves, each up to the size at which it is too slow or fails."""
    curves: dict[str, dict[int, bench_record.Cells]] = {}
    for curve, size, work in growth(largest):
        progress(work.name)
        points = curves.setdefault(curve, {})
        stopped = {name for cells in points.values() for name, cell in cells.items() if cell.status}
        engines = [engine for engine in ENGINES if is_drawn(engine) and engine.name not in stopped]
        points[size] = measure(work, engines, CURVE, cores)
    return curves


def is_drawn(engine: Engine) -> bool:
    """Whether an engine has growth curves."""
    return not engine.is_limit and "cost" not in engine.options


def run(only: str, quick: bool, threads: int) -> Record:
    """Measure what was asked for."""
    cores = use_threads(threads)
    record = Record(bench_record.machine(threads), versions())
    works = [work for work in WORKS if only in work.name]
    if not works and only not in ("growth", "costs"):
        names = ", ".join(work.name for work in WORKS)
        raise SystemExit(f"bench.py: --only {only}: no such work; there are growth, costs, {names}")
    with empty_caches():
        record.works = measure_works(works, quick, cores)
        if only == "growth" or not (only or quick):
            record.growth = measure_growth(LARGEST_QUICK if quick else LARGEST, cores)
    if only in ("", "costs"):
        from bench_costs import costs  # as above

        progress("costs")
        record.costs = costs(quick, cores)
    return record


def draw(record: Record, file: Path) -> None:
    """Draw the growth curves."""
    import bench_picture  # it imports autotiny, which processes of other engines are to do without

    bench_picture.draw(record, file)


def publish(record: Record) -> None:
    """Renew README's table, its picture and notebook 9."""
    import bench_publish  # as above

    bench_publish.publish(record)


def main(arguments: list[str] | None = None) -> None:
    """Parse, measure, print, keep, compare; exit with words if no work has that name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds, one spelling of the cost, no growth curves")
    parser.add_argument(
        "--only", metavar="NAME", default="", help="works whose name holds this, or 'growth', or 'costs'"
    )
    parser.add_argument("--threads", metavar="N", type=int, default=1, help="threads, and cores, of each engine")
    parser.add_argument("--save", metavar="FILE", type=Path, help="keep the results as JSON")
    parser.add_argument(
        "--compare", metavar="FILE", type=Path, help="print old -> new for the results of an earlier run"
    )
    parser.add_argument("--picture", metavar="FILE", type=Path, help="draw the growth curves, as .svg or .png")
    parser.add_argument("--publish", action="store_true", help="renew README's table, its picture and notebook 9")
    options = parser.parse_args(arguments)
    earlier = options.compare and Record.load(options.compare)
    record = run(options.only, options.quick, options.threads)
    print(bench_report.heading(record), bench_report.report(record), sep="\n\n")
    if options.save:
        record.save(options.save)
    if earlier:
        print("\nbeside the earlier run\n\n" + bench_report.comparison(earlier, record))
    if options.picture:
        draw(record, options.picture)
    if options.publish:
        publish(record)


if __name__ == "__main__":
    main()

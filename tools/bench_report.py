"""Tables of a run: for the terminal, for README, and beside an earlier run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest

from bench_engines import ENGINES
from bench_record import Cells, Record
from bench_timing import Cell
from bench_works import WORKS, Work

ENGINE_WIDTH, WIDTH = 28, 14
LIMITS = [engine.name for engine in ENGINES if engine.is_limit]
LEAST_CHANGE = 0.02
"""The smallest change of a ratio that is marked, however quiet the runs were."""


def duration(seconds: float) -> str:
    """Format a time with its unit: 57.8 µs, 14.6 ms, 2.31 s."""
    for unit, size in [("s", 1.0), ("ms", 1e-3)]:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def share(ratio: float) -> str:
    """Format a ratio: 0.012, 0.57, 14.2."""
    return f"{ratio:.3f}" if ratio < 0.1 else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.3g}"


# ---- what a cell shows

Content = Callable[[Cell, bool], str]
"""From a cell, and whether it is the baseline's, to words."""


def speed(cell: Cell, is_baseline: bool) -> str:
    """Return the ratio to the baseline; the baseline's own cell is its time."""
    return duration(cell.seconds) if is_baseline else share(cell.ratio)


def one_call(cell: Cell, _: bool) -> str:
    """Return the time of a call."""
    return duration(cell.seconds)


def first_call(cell: Cell, _: bool) -> str:
    """Return the time of the first call."""
    return duration(cell.first)


def memory(cell: Cell, _: bool) -> str:
    """Return what the first call held."""
    return f"{cell.memory / 1e6:.3g} MB"


def shown(cell: Cell | None, content: Content, is_baseline: bool = False) -> str:
    """Return the words of a cell; why there is no number, where there is none."""
    return "" if cell is None else cell.status or content(cell, is_baseline)


# ---- tables


def rows(record: Record, content: Content, engines: Sequence[str] = ()) -> Iterator[tuple[str, list[str]]]:
    """Yield each engine with its cells, one for each work that was measured; or why it was not timed."""
    works = measured(record)
    for engine in engines or [engine.name for engine in ENGINES]:
        cells = [record.works[work.name].get(engine) for work in works]
        if any(cells):
            yield engine, [shown(c, content, engine == work.baseline) for c, work in zip(cells, works, strict=True)]


def measured(record: Record) -> list[Work]:
    """Return the works of a record, in the order of the table."""
    return [work for work in WORKS if work.name in record.works]


def text_table(record: Record, title: str, content: Content) -> str:
    """Return a table: works in columns, engines in rows."""
    names = zip_longest(*(work.name.split(" ") for work in measured(record)), fillvalue="")
    lines = [f"{title if i == 0 else '':<{ENGINE_WIDTH}}" + fixed(words) for i, words in enumerate(names)]
    for engine, row in rows(record, content):
        lines.append(f"{'  ' * (engine in LIMITS) + engine:<{ENGINE_WIDTH}}" + fixed(row))
        targets = [f"{work.to_reach.get(engine, '')}" for work in measured(record)]
        if content is speed and any(targets):
            lines.append(f"{'  to reach':<{ENGINE_WIDTH}}" + fixed(targets))
    return "\n".join(line.rstrip() for line in lines)


def fixed(row: Sequence[str]) -> str:
    """Return cells in columns of one width."""
    return "".join(f"{cell:>{WIDTH}}" for cell in row)


def heading(record: Record) -> str:
    """Return the machine and the versions in a line each."""
    m = record.machine
    versions = ", ".join(f"{library} {version}" for library, version in record.versions.items())
    threads = "one thread" if m["threads"] == 1 else f"{m['threads']} threads"
    return f"{m['processor']}, {m['cores']} cores, {threads}, {m['system']}\nPython {m['python']}, {versions}"


def report(record: Record) -> str:
    """Return the tables of speed, first calls and memory, the distance to the limits, and what went wrong."""
    parts = []
    if record.works:
        parts += [
            text_table(record, "one call; baseline = 1", speed),
            text_table(record, "first call", first_call),
            text_table(record, "memory of the first call", memory),
            "\n".join([*distances(record), *failures(record.works)]),
        ]
    for curve, points in record.growth.items():
        parts.append(growth_table(curve, points))
        parts.append("\n".join(failures({f"{size} {curve}": cells for size, cells in points.items()})))
    if record.costs:
        parts.append(costs(record.costs))
    return "\n\n".join(filter(None, parts))


def distances(record: Record) -> Iterator[str]:
    """Yield how far the fastest program of autotiny is from the limits of each work."""
    for work in measured(record):
        cells = record.works[work.name]
        ours = {name: cell for name, cell in cells.items() if name.startswith("autotiny") and not cell.status}
        limits = [f"{name} {share(cells[name].ratio)}" for name in LIMITS if name in cells and not cells[name].status]
        if ours and limits:
            best = min(ours, key=lambda name: ours[name].ratio)
            yield f"{work.name}: {best} takes {share(ours[best].ratio)} of {work.baseline}, {', '.join(limits)}"


def failures(works: Mapping[str, Cells]) -> Iterator[str]:
    """Yield the words of what was not timed though it is installed."""
    for work, cells in works.items():
        for engine, cell in cells.items():
            if cell.status and cell.status != "not installed":
                yield f"{work}, {engine}: {cell.status}: {cell.detail}"


def growth_table(curve: str, points: Mapping[int, Cells]) -> str:
    """Return time, first call and memory of each engine, by size."""
    lines = []
    for title, content in [("one call", one_call), ("first call", first_call), ("memory of the first call", memory)]:
        lines.append(f"{title:<{ENGINE_WIDTH}}" + fixed([f"{size:,}" for size in points]))
        for engine in dict.fromkeys(engine for cells in points.values() for engine in cells):
            row = [shown(cells.get(engine), content) for cells in points.values()]
            lines.append(f"{engine:<{ENGINE_WIDTH}}{fixed(row)}".rstrip())
    return "\n".join([curve, *lines])


def costs(measured: Mapping[str, float]) -> str:
    """Return the fixed costs, one a line."""
    kinds = {"bytes": lambda n: f"{n:.0f}", "seconds": duration}
    return "\n".join(f"{name}: {kinds[name.split(' ')[0]](value)}" for name, value in measured.items())


# ---- beside an earlier run


def comparison(old: Record, new: Record) -> str:
    """Return old -> new for each ratio that both have; ▼ and ▲ mark what fell or rose by more than the noise."""
    lines = []
    for name in ("processor", "threads", "python"):
        if old.machine[name] != new.machine[name]:
            lines.append(f"the earlier run is of another {name}: {old.machine[name]}, now {new.machine[name]}")
    for library, version in new.versions.items():
        if old.versions.get(library, version) != version:
            lines.append(f"{library} {old.versions[library]} -> {version}")
    for work, cells in new.works.items():
        for engine, cell in cells.items():
            before = old.works.get(work, {}).get(engine)
            if before is not None:
                lines.append(f"{work:<28}{engine:<{ENGINE_WIDTH}}{change(before, cell)}")
    return "\n".join(lines)


def change(old: Cell, new: Cell) -> str:
    """Return old -> new, with a mark if it is more than the noise of both runs."""
    if old.status or new.status:
        mark = "  *" if old.status != new.status else ""
        return f"{old.status or share(old.ratio)} -> {new.status or share(new.ratio)}{mark}"
    difference, noise = new.ratio - old.ratio, old.noise + new.noise
    mark = "" if abs(difference) <= max(noise, LEAST_CHANGE * old.ratio) else "  ▲" if difference > 0 else "  ▼"
    return f"{share(old.ratio)} -> {share(new.ratio)}  ± {share(noise)}{mark}"


# ---- README


def markdown(record: Record) -> str:
    """Return the table of speed in Markdown, for the first spelling of the cost."""
    works = measured(record)
    engines = [engine.name for engine in ENGINES if "cost" not in engine.options]
    lines = [
        "| | " + " | ".join(work.name for work in works) + " |",
        "| --- |" + " --- |" * len(works),
        *(f"| {engine} | " + " | ".join(row) + " |" for engine, row in rows(record, speed, engines)),
    ]
    return "\n".join(lines)

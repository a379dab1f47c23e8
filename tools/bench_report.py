"""Tables of a run: for the terminal, for README, and beside an earlier run."""

from collections.abc import Callable, Iterator, Mapping, Sequence

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


def memory(nbytes: float) -> str:
    """Format a number of bytes in MB."""
    return f"{nbytes / 1e6:.3g} MB"


def speed(work: Work, engine: str, cell: Cell) -> str:
    """Return the ratio to the baseline; the baseline's own cell is its time."""
    return duration(cell.seconds) if engine == work.baseline else share(cell.ratio)


def rows(
    record: Record, content: Callable[[Work, str, Cell], str], engines: Sequence[str] = ()
) -> Iterator[tuple[str, list[str]]]:
    """Yield each engine with its cells, one for each work that was measured; why there is none where it was not timed."""
    works = measured(record)
    for engine in engines or [engine.name for engine in ENGINES]:
        row = [(work, record.works[work.name].get(engine)) for work in works]
        if any(row_cell for _, row_cell in row):
            yield engine, ["" if cell is None else cell.status or content(work, engine, cell) for work, cell in row]


def measured(record: Record) -> list[Work]:
    """Return the works of a record, in the order of the table."""
    return [work for work in WORKS if work.name in record.works]


def text_table(record: Record, title: str, content: Callable[[Work, str, Cell], str]) -> str:
    """Return a table: works in columns, engines in rows."""
    names = [work.name.split(" ") for work in measured(record)]
    lines = [
        f"{title if i == 0 else '':<{ENGINE_WIDTH}}" + fixed([n[i] if i < len(n) else "" for n in names])
        for i in range(3)
    ]
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
    """Return the tables of speed, of first calls and of their memory, what went wrong, and the distance to the limits."""
    parts = []
    if record.works:
        parts += [
            text_table(record, "one call; baseline = 1", speed),
            text_table(record, "first call", lambda _work, _engine, cell: duration(cell.first)),
            text_table(record, "memory of the first call", lambda _work, _engine, cell: memory(cell.memory)),
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
    for title, content in [
        ("one call", lambda cell: duration(cell.seconds)),
        ("first call", lambda cell: duration(cell.first)),
        ("memory", lambda cell: memory(cell.memory)),
    ]:
        lines.append(f"{title:<{ENGINE_WIDTH}}" + fixed([f"{size:,}" for size in points]))
        for engine in dict.fromkeys(engine for cells in points.values() for engine in cells):
            row = [cells.get(engine) for cells in points.values()]
            lines.append(
                f"{engine:<{ENGINE_WIDTH}}" + fixed(["" if c is None else c.status or content(c) for c in row]).rstrip()
            )
    return "\n".join([curve, *lines])


def costs(measured: Mapping[str, float]) -> str:
    """Return the fixed costs, one a line."""
    kinds = {"bytes": lambda n: f"{n:.0f}", "seconds": duration}
    return "\n".join(f"{name}: {kinds[name.split(' ')[0]](value)}" for name, value in measured.items())


# ---- beside an earlier run


def comparison(old: Record, new: Record) -> str:
    """Return old -> new for each ratio that both have; ▼ and ▲ mark those that fell or rose by more than their noise."""
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
        return f"{old.status or share(old.ratio)} -> {new.status or share(new.ratio)}" + "  *" * (
            old.status != new.status
        )
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

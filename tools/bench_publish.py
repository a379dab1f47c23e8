"""Renew what is said of a run: its JSON, README's table, the picture of the growth curves, and notebook 9."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bench_picture
from bench_engines import ENGINES
from bench_record import Record
from bench_report import markdown, measured, share

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "tools" / "bench_results"
PICTURES = ROOT / "tools" / "pictures"
PEERS = {engine.name for engine in ENGINES if engine.module in ("bench_tapes", "bench_functional")}
START, END = "<!-- from here written by tools/bench.py --publish -->", "<!-- to here -->"


def publish(record: Record) -> None:
    """Keep the run as that of its processor, and write README, the picture and notebook 9 from all that are kept."""
    RESULTS.mkdir(exist_ok=True)
    record.save(RESULTS / f"{name_of_file(record)}.json")
    README.write_text(with_results(README.read_text(encoding="utf-8"), results()), encoding="utf-8")
    if record.growth:
        bench_picture.draw(record, PICTURES / "growth.svg")
    subprocess.run([sys.executable, ROOT / "tools" / "notebooks.py", "09"], check=True)


def name_of_file(record: Record) -> str:
    """Return the processor's name in small letters and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", str(record.machine["processor"]).lower()).strip("-")


def results() -> list[Record]:
    """Return the runs that are kept, one for each processor."""
    return [Record.load(file) for file in sorted(RESULTS.glob("*.json"))]


def with_results(text: str, records: list[Record]) -> str:
    """Return README's text with the tables of these runs between the two marks."""
    before, after = text.split(START)[0], text.split(END)[1]
    return "\n\n".join([before + START, *map(section, records), END + after])


def section(record: Record) -> str:
    """Return a run's machine, its table, where a peer is faster, and its costs."""
    m = record.machine
    versions = ", ".join(f"{library} {version}" for library, version in record.versions.items())
    threads = "one thread" if m["threads"] == 1 else f"{m['threads']} threads"
    about = f"**{m['processor']}**, {threads}; Python {m['python']}, {versions}:"
    return "\n\n".join([about, markdown(record), *faster_peers(record)])


def faster_peers(record: Record) -> Iterator[str]:
    """Yield a sentence on the works where a peer is faster than autotiny's fastest program, if there are any."""
    words = []
    for work in measured(record):
        timed = {name: cell.ratio for name, cell in record.works[work.name].items() if cell.ratio}
        ours = [ratio for name, ratio in timed.items() if name.startswith("autotiny")]
        peers = {name: ratio for name, ratio in timed.items() if name in PEERS and ratio < min(ours)}
        if peers:
            fastest = min(peers, key=lambda name: peers[name])
            words.append(f"{work.name} ({fastest} {share(peers[fastest])}, autotiny {share(min(ours))})")
    if words:
        yield f"A peer is ahead of all of autotiny's on {'; '.join(words)}."

"""Time engines in turns, each in its process, after a check of their numbers; medians of ratios, and their noise."""

import random
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from bench_engines import Engine
from bench_worker import Worker, WorkerError
from bench_works import Work

BLOCKS = 5
"""The parts of a run whose medians are compared, for the noise."""


class Budget(NamedTuple):
    """How long to measure."""

    rounds: int
    seconds: float
    """Of all rounds together; at least one round of each block is run."""
    patience: float
    """The longest first call, in seconds."""


class Cell(NamedTuple):
    """One engine on one work."""

    status: str = ""
    """Empty if it was timed, else why not: "not installed", "wrong", "fails", "too slow"."""
    detail: str = ""
    seconds: float = 0.0
    """Median of one call."""
    ratio: float = 0.0
    """Median over the rounds of the ratio to the baseline in the same round."""
    noise: float = 0.0
    """Half the range of the medians of five consecutive parts of the run."""
    first: float = 0.0
    """Seconds of the first call, with all that is compiled for it."""
    memory: int = 0
    """The most bytes that the first call held; 0 where the system does not count them."""


class WrongNumbersError(Exception):
    """Results that are not those of the reference."""


def measure(work: Work, engines: Iterable[Engine], budget: Budget, cores: Sequence[int] = ()) -> dict[str, Cell]:
    """Time the engines that do this work and compute the same numbers as the first of them."""
    cells: dict[str, Cell] = {}
    candidates = [engine for engine in engines if engine.does(work)]
    with ExitStack() as processes:
        workers: dict[str, Worker] = {}
        for engine in candidates:
            if missing := engine.missing():
                cells[engine.name] = Cell("not installed", ", ".join(missing))
                continue
            worker = workers[engine.name] = Worker(engine, work, cores)
            processes.callback(worker.stop)
            worker.request("load")
        expected: list[np.ndarray] = []
        for engine in candidates:
            if engine.name in workers:
                cell, numbers = start(engine, workers[engine.name], expected, work.problem.tolerance, budget.patience)
                if cell is not None:
                    cells[engine.name] = cell
                expected = expected or numbers
        running = {name: workers[name] for name, cell in cells.items() if not cell.status}
        for name, (seconds, ratio, noise) in take_turns(running, work.baseline, budget).items():
            cells[name] = cells[name]._replace(seconds=seconds, ratio=ratio, noise=noise)
    return {engine.name: cells[engine.name] for engine in candidates if engine.name in cells}


def start(
    engine: Engine, worker: Worker, expected: list[np.ndarray], tolerance: float, patience: float
) -> tuple[Cell | None, list[np.ndarray]]:
    """Build a side and check its numbers; None if the engine has no side of this problem."""
    try:
        worker.answer()
        first = worker.ask("first", patience=patience)
        if first is None:
            return None, []
        numbers = worker.ask("numbers", patience=patience)
        if not engine.is_limit:
            require_same_numbers(numbers, expected or numbers, tolerance)
    except WorkerError as error:
        words = str(error)
        return Cell("too slow" if words.startswith("over ") else "fails", words), []
    except WrongNumbersError as error:
        return Cell("wrong", str(error)), []
    return Cell(first=first.seconds, memory=first.memory), numbers


def require_same_numbers(numbers: Sequence[Any], expected: Sequence[Any], tolerance: float) -> None:
    """Raise if an array differs from the expected one, relative to its largest entry."""
    if len(numbers) != len(expected):
        raise WrongNumbersError(f"{len(numbers)} arrays, where {len(expected)} were expected")
    for i, (got, right) in enumerate(zip(numbers, expected, strict=True)):
        error = relative_error(np.asarray(got), np.asarray(right))
        if not error <= tolerance:
            raise WrongNumbersError(
                f"array {i} differs from NumPy's by {error:.1e} of its largest entry, "
                f"at most {tolerance:.0e} was expected"
            )


def relative_error(got: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference relative to the largest expected entry; infinite if the shapes differ."""
    if got.shape != expected.shape:
        return float("inf")
    return float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))


def take_turns(workers: Mapping[str, Worker], baseline: str, budget: Budget) -> dict[str, tuple[float, float, float]]:
    """Ask every worker for a batch in turn, in a new order each round; return median seconds, ratio and its noise.

    Other load on the machine slows all of a round alike, so ratios are taken within a round.
    """
    calls = {name: worker.ask("calls") for name, worker in workers.items()}
    times: dict[str, list[float]] = {name: [] for name in workers}
    order, shuffle, spent = list(workers), random.Random(0).shuffle, 0.0
    while len(times[baseline]) < BLOCKS or (len(times[baseline]) < budget.rounds and spent < budget.seconds):
        shuffle(order)
        for name in order:
            times[name].append(workers[name].ask("seconds", calls[name]))
            spent += times[name][-1] * (calls[name] + 1)
    ratios = {name: [t / t0 for t, t0 in zip(ts, times[baseline], strict=True)] for name, ts in times.items()}
    return {name: (median(times[name]), median(ratios[name]), noise(ratios[name])) for name in workers}


def noise(ratios: Sequence[float]) -> float:
    """Return half the range of the medians of consecutive parts."""
    medians = [float(median(part)) for part in np.array_split(np.array(ratios), min(BLOCKS, len(ratios)))]
    return (max(medians) - min(medians)) / 2

"""Prove at.over_shards on data that is larger than the memory of its workers.

    .venv/bin/python tools/shards_at_scale.py                     # 4,000,000 x 64 float32, 1 GB on disk
    .venv/bin/python tools/shards_at_scale.py --rows 400000       # a tenth of it

The full-batch gradient of a 64-32-10 network: of all data at once; mapped over shards by the built-in map, a spawn
pool, an executor, joblib, Ray and Dask's workers, of which one is killed in the middle; of Dask's arrays. Each line has
the time of the second step, the most memory that a process held, and whether the result has the bits of the built-in
map. Smaller data comes before, to show how memory grows. Engines that are not installed are left out
(`pip install 'dask[distributed]' joblib ray`).
"""

import argparse
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import autotiny as at

WORKERS = os.cpu_count() or 1
LIMIT = 400 * 2**20
"""Bytes that a worker of Dask may hold, less than half of the data."""


def loss(W: Any, X: Any, Y: Any) -> Any:
    """Return J of the two-layer network, a mean over the examples, which are columns."""
    A1 = at.relu(W["W1"] @ X + W["b1"])
    return at.cross_entropy(W["W2"] @ A1 + W["b2"], Y)


step = at.compile(at.value_and_grad(loss))


def load(folder: str, start: int, stop: int) -> tuple[Any, ...]:
    """Return the examples of some rows, read where this runs."""
    X, y = (np.load(f"{folder}/{name}.npy", mmap_mode="r")[start:stop] for name in "Xy")
    return np.array(X).T, at.one_hot(y, 10).astype(np.float32)


def load_and_die_once(folder: str, start: int, stop: int) -> tuple[Any, ...]:
    """Kill the process at the first call, as the system does where memory runs out."""
    try:
        Path(f"{folder}/killed").touch(exist_ok=False)
    except FileExistsError:
        return load(folder, start, stop)
    os.kill(os.getpid(), signal.SIGKILL)
    return ()


def examples(shard: Any) -> int:
    """Return the number of examples in a shard."""
    return int(shard[0].shape[1])


def peak(*_: Any) -> int:
    """Return the most bytes that this process has held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def write(folder: str, rows: int) -> None:
    """Write random examples and labels, a part at a time."""
    shapes: list[tuple[str, Any, tuple[int, ...]]] = [("X", np.float32, (rows, 64)), ("y", np.int8, (rows,))]
    files = [np.lib.format.open_memmap(f"{folder}/{name}.npy", "w+", kind, shape) for name, kind, shape in shapes]
    rng = np.random.default_rng(0)
    for start in range(0, rows, 100_000):
        part = files[0][start : start + 100_000]
        part[:] = rng.normal(size=part.shape)
        files[1][start : start + 100_000] = np.abs(part[:, :10]).argmax(1)
        for file in files:
            file.flush()


def parameters() -> dict[str, Any]:
    """Return random weights."""
    rng = np.random.default_rng(1)
    shapes = {"W1": (32, 64), "b1": (32, 1), "W2": (10, 32), "b2": (10, 1)}
    return {name: (0.1 * rng.normal(size=shape)).astype(np.float32) for name, shape in shapes.items()}


def bits(tree: Any) -> bytes:
    """Return the bytes of all values."""
    value, gradients = tree
    return b"".join([value.tobytes(), *(gradients[name].tobytes() for name in sorted(gradients))])


# ----- engines: (what maps, a function that asks each worker) -----

Engine = tuple[Any, Callable[[Callable[..., int]], list[int]]]


@contextmanager
def builtin() -> Iterator[Engine]:
    """Map in this process."""
    yield map, lambda f: [f()]


@contextmanager
def pool() -> Iterator[Engine]:
    """Map in a pool of processes that start anew."""
    with multiprocessing.get_context("spawn").Pool(WORKERS) as processes:
        yield processes.imap, lambda f: processes.map(f, range(8 * WORKERS), chunksize=1)


@contextmanager
def executor() -> Iterator[Engine]:
    """Map by an executor."""
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as processes:
        yield processes, lambda f: list(processes.map(f, range(8 * WORKERS)))


@contextmanager
def joblib() -> Iterator[Engine]:
    """Map by joblib's processes."""
    import joblib

    with joblib.Parallel(n_jobs=WORKERS, return_as="generator") as parallel:
        yield parallel, lambda f: list(parallel((f, (i,), {}) for i in range(8 * WORKERS)))


@contextmanager
def dask(workers: int = WORKERS) -> Iterator[Engine]:
    """Map on Dask's workers, which are processes with a limit of memory."""
    from distributed import Client, LocalCluster

    options = {"threads_per_worker": 1, "memory_limit": LIMIT, "dashboard_address": None}
    with LocalCluster(n_workers=workers, **options) as cluster, Client(cluster) as client:
        yield client, lambda f: list(client.run(f).values())


@contextmanager
def ray() -> Iterator[Engine]:
    """Map on Ray's workers."""
    import ray

    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    remote = ray.remote(peak)
    yield ray, lambda f: ray.get([remote.remote() for _ in range(8 * WORKERS)])
    ray.shutdown()


ENGINES: dict[str, tuple[str, Callable[[], Any]]] = {
    "built-in map": ("numpy", builtin),
    "spawn pool": ("numpy", pool),
    "executor": ("numpy", executor),
    "joblib": ("joblib", joblib),
    "Dask, 1 worker": ("distributed", partial(dask, 1)),
    f"Dask, {WORKERS} workers": ("distributed", dask),
    "Ray": ("ray", ray),
}


def measure(name: str, engine: Callable[[], Any], shards: list[Any], expected: bytes | None) -> bytes:
    """Print a line on two steps by an engine; return the bits of the result."""
    with engine() as (mapped, ask):
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            result = at.over_shards(step, shards, (parameters(),), map=mapped, weight=examples)
            seconds.append(time.perf_counter() - start)
        memory = max(ask(peak)) / 1e6
    same = "" if expected is None else "same bits" if bits(result) == expected else "OTHER BITS"
    print(f"{name:24} {seconds[1]:7.2f} s  first {seconds[0]:7.2f} s  {memory:6.0f} MB  {same}", flush=True)
    return bits(result)


def at_once(folder: str) -> tuple[float, int, Any]:
    """Return the seconds of a step on all data in this process, the memory, and the result."""
    X, Y = load(folder, 0, 10**12)
    for _ in range(2):
        start = time.perf_counter()
        result = step(parameters(), X, Y)
    return time.perf_counter() - start, peak(), result


def on_dask_arrays(folder: str) -> tuple[float, int, Any]:
    """Return the same of a step, not compiled, on Dask's arrays in chunks of 100,000 rows."""
    from dask import array as da
    from dask import compute

    start = time.perf_counter()
    X = da.from_array(np.load(f"{folder}/X.npy", mmap_mode="r"), chunks=(100_000, 64)).T
    y = da.from_array(np.load(f"{folder}/y.npy", mmap_mode="r"), chunks=100_000)
    Y = (da.arange(10)[:, None] == y).astype(np.float32)
    W = {name: da.from_array(value, chunks=-1) for name, value in parameters().items()}
    value, gradients = at.value_and_grad(loss)(W, X, Y)
    value, *computed = compute(value, *gradients.values())
    return time.perf_counter() - start, peak(), (value, dict(zip(gradients, computed, strict=True)))


def in_a_process(f: Callable[[str], tuple[float, int, Any]], folder: str, name: str) -> None:
    """Print a line on a step in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        seconds, memory, (value, _) = process.submit(f, folder).result()
    print(f"{name:24} {seconds:7.2f} s                  {memory / 1e6:6.0f} MB  J = {value:.7f}", flush=True)


def kill_a_worker(folder: str, shards: list[Any], expected: bytes) -> None:
    """Print what becomes of a step in which a worker is killed."""
    middle = len(shards) // 2
    deadly = [*shards[:middle], partial(load_and_die_once, *shards[middle].args), *shards[middle + 1 :]]
    if find_spec("distributed"):
        result = measure("Dask, a worker killed", dask, deadly, expected)
        assert Path(folder, "killed").exists(), "no worker was killed"
        assert result == expected, "the result is another one"
    Path(folder, "killed").unlink(missing_ok=True)
    with executor() as (mapped, _):
        try:
            at.over_shards(step, deadly, (parameters(),), map=mapped, weight=examples)
        except BrokenProcessPool as error:
            print(f"executor, a worker killed: {type(error).__name__}; {error.__notes__[-1]}")
    with executor() as (mapped, _):
        again = at.over_shards(step, deadly, (parameters(),), map=mapped, weight=examples)
        print("executor, once more:", "same bits" if bits(again) == expected else "OTHER BITS")


def run(folder: str, rows: int, size: int, engines: dict[str, tuple[str, Callable[[], Any]]]) -> None:
    """Measure on so many rows."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        process.submit(write, folder, rows).result()
    disk = sum(os.path.getsize(path) for path in Path(folder).iterdir()) / 1e6
    starts = range(0, rows, size)
    shards = [partial(load, folder, start, min(start + size, rows)) for start in starts]
    print(f"\n{rows} x 64 float32, {disk:.0f} MB on disk, {len(shards)} shards, {WORKERS} processors")
    in_a_process(at_once, folder, "all data at once")
    expected = None
    for name, (module, engine) in engines.items():
        if find_spec(module):
            expected = expected or measure(name, engine, shards, None)
            if engine is not builtin:
                measure(name, engine, shards, expected)
    if len(engines) == len(ENGINES):
        if find_spec("dask"):
            in_a_process(on_dask_arrays, folder, "Dask's arrays")
        assert expected is not None
        kill_a_worker(folder, shards, expected)


def main() -> None:
    """Run all engines, and two on smaller data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--shard", type=int, default=100_000, help="rows of a shard")
    args = parser.parse_args()
    few = {name: ENGINES[name] for name in ("built-in map", f"Dask, {WORKERS} workers")}
    for rows, engines in ((args.rows // 4, few), (args.rows // 2, few), (args.rows, ENGINES)):
        with tempfile.TemporaryDirectory() as folder:
            run(folder, rows, args.shard, engines)


if __name__ == "__main__":
    main()

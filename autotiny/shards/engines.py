"""Engines that map: functions like the built-in map, pools, executors, joblib, Dask's client, Ray.

A function like `map` is called with the task and the numbered shards; what it returns may be the outcomes, in any
order, or futures of them. Of an engine that is handed over itself, the way to map is taken that holds few shards at a
time. Nothing is imported for that: engines are known by their methods.
"""

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autotiny.errors import UnsupportedError
from autotiny.shards.task import Outcome, described

Map = Callable[[Any, Iterable[Any]], Iterable[Any]]
IN_FLIGHT = 2
"""Shards per worker that are submitted at a time: one that it works on, and the next."""


def mapping(engine: Any) -> Map:
    """Return the function of an engine that is called like the built-in map."""
    if hasattr(engine, "n_jobs") and callable(engine):  # joblib.Parallel
        return lambda task, items: engine((task, (item,), {}) for item in items)
    if hasattr(engine, "imap"):  # multiprocessing.Pool, and those that follow it
        return engine.imap
    if hasattr(engine, "scatter") and hasattr(engine, "submit"):  # dask.distributed.Client
        return lambda task, items: _on_dask(engine, task, items)
    if hasattr(engine, "submit"):  # concurrent.futures.Executor
        workers = getattr(engine, "_max_workers", None) or os.cpu_count() or 1
        return lambda task, items: _in_flight(lambda item: engine.submit(task, item), items, lambda: workers)
    if hasattr(engine, "remote") and hasattr(engine, "put"):  # the module ray
        return lambda task, items: _on_ray(engine, task, items)
    if hasattr(_owner(engine), "scatter"):  # client.map, which takes no iterable without a length
        return lambda task, items: engine(task, list(items))
    if callable(engine):
        return engine
    raise UnsupportedError(
        "over_shards: map must be a function like the built-in map, such as executor.map or pool.imap, or an executor, "
        f"a pool, joblib.Parallel, Dask's client or the module ray; got {described(engine)}"
    )


def _owner(method: Any) -> Any:
    """Return the object of a bound method, also of one with options, as functools.partial(client.map, retries=2)."""
    return getattr(getattr(method, "func", method), "__self__", None)


def outcome(result: Any) -> Any:
    """Return what a map gives for a shard, of which it may have given a future."""
    if isinstance(result, Outcome):
        return result
    if hasattr(result, "result"):
        return result.result()
    return result.future().result() if hasattr(result, "future") else result  # Ray's reference


def _in_flight(submit: Callable[[Any], Any], items: Iterable[Any], workers: Callable[[], int]) -> Iterator[Any]:
    """Yield the outcomes in order; a shard is submitted when an earlier one is done."""
    futures: deque[Any] = deque()
    try:
        for item in items:
            futures.append(submit(item))
            del item
            while len(futures) >= IN_FLIGHT * max(1, workers()):
                yield outcome(futures.popleft())
        while futures:
            yield outcome(futures.popleft())
    finally:
        for future in futures:
            if hasattr(future, "cancel"):
                future.cancel()


def run_shard(task: Any, number: int, shard: Any) -> Any:
    """Run the task on a shard that the engine may hold where it runs."""
    return task((number, shard))


def _same(task: Any) -> Any:
    return task


def _on_dask(client: Any, task: Any, items: Iterable[Any]) -> Iterator[Any]:
    """Yield the outcomes of Dask's workers; the task travels once, and its copy is made anew where a worker dies."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph")  # of parameters, which do change in each step
        shared = client.submit(_same, task, pure=False)
    submit = lambda item: client.submit(run_shard, shared, item[0], _with_futures(client, item[1]), pure=False)
    return _in_flight(submit, items, lambda: sum(client.nthreads().values()))


def _with_futures(client: Any, shard: Any) -> Any:
    """Return a shard with futures of what Dask computes later, such as dask.delayed(load)(path) and chunks."""
    if isinstance(shard, tuple):
        return tuple(_with_futures(client, part) for part in shard)
    return client.compute(shard) if hasattr(shard, "__dask_graph__") else shard


def _on_ray(ray: Any, task: Any, items: Iterable[Any]) -> Iterator[Any]:
    remote = ray.remote(run_shard)
    shared = ray.put(task)
    workers = lambda: int(ray.cluster_resources().get("CPU", 1))
    return _in_flight(lambda item: remote.remote(shared, *item), items, workers)

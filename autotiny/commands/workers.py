"""Where a command runs what can be done in parallel: in this process, in others, on a cluster."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from autotiny.commands.arguments import InputError


@contextmanager
def engine(workers: int | None, dask: str | None) -> Iterator[Any]:
    """Yield what at.over_shards takes as `map`: so many processes, the client of a cluster, or the built-in map."""
    if workers and dask:
        raise InputError("--workers starts processes here, --dask uses those of a cluster: give one of them")
    if workers:
        from concurrent.futures import ProcessPoolExecutor  # a browser has no processes
        from multiprocessing import get_context

        with ProcessPoolExecutor(workers, get_context("spawn"), _leave_ctrl_c) as executor:
            yield executor
    elif dask:
        yield from _client(dask)
    else:
        yield map


def _leave_ctrl_c() -> None:
    """Let the process that asked decide what becomes of Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _client(address: str) -> Iterator[Any]:
    if find_spec("distributed") is None:
        raise InputError("--dask needs Dask: pip install 'dask[distributed]'")
    from distributed import Client

    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise InputError(f"--dask {address}: no scheduler answers there ({error})") from error
    with client:
        yield client

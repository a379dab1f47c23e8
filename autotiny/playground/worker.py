"""The process that computes for the page: questions come as JSON, answers go as JSON, one after the other."""

import gc
import json
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from autotiny.language import Limits


def serve(pipe: Connection, limits: Limits, memory: int) -> None:
    """Answer questions until the other end is closed; the first message says that everything is loaded."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the server, which ends its workers
    from autotiny.playground.answers import answer, rehearse

    rehearse()
    gc.collect()
    gc.freeze()  # what is loaded stays, and need not be looked through again with every picture
    _confine(memory)
    with suppress(EOFError, BrokenPipeError):
        pipe.send_bytes(b"ready")
        while True:
            pipe.send_bytes(_encode(answer(json.loads(pipe.recv_bytes()), limits)))


def _encode(told: dict[str, Any]) -> bytes:
    return json.dumps(told, allow_nan=False).encode()


def _confine(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; time and size are limited all the same
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

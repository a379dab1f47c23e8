"""Processes that compute for the page: one that takes too long is killed and replaced, and the server goes on.

Not a library's pool: pebble 5.2 gave up for good when two idle workers were killed from outside, ended a task of matrix
products up to six seconds after its deadline, and unpickles in the server what a worker sends.
"""

import gc
import json
import multiprocessing
import queue
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from autotiny.errors import AutotinyError
from autotiny.language import Limits
from autotiny.playground.limits import PLAYGROUND

Json = dict[str, Any]

MEMORY = 2**31
"""Bytes of address space that a worker may have."""

START, WAIT = 60.0, 10.0
"""Seconds for a worker to start, and for a question to wait for a free worker."""

# Spawned, not forked: a fork would copy the server's threads, with the locks that they hold.
PROCESSES = multiprocessing.get_context("spawn")


class StoppedError(AutotinyError):
    """A question that no worker answered."""


class Worker:
    """One process, which answers one question at a time; its first message says that it is ready."""

    def __init__(self, limits: Limits) -> None:
        self.pipe, other_end = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=serve, args=(other_end, limits, MEMORY), daemon=True)
        self.process.start()
        other_end.close()

    def ask(self, question: bytes, seconds: float) -> bytes | None:
        """The answer to a question; None where the process took too long or died."""
        try:
            self.pipe.send_bytes(question)
        except OSError:
            return None
        return self.message(seconds)

    def message(self, seconds: float) -> bytes | None:
        """The next message within so many seconds, or None."""
        try:
            return self.pipe.recv_bytes() if self.pipe.poll(seconds) else None
        except (EOFError, OSError):
            return None

    def kill(self) -> None:
        """End the process, whatever it is doing; a waiting `ask` returns None."""
        self.process.kill()
        self.process.join()


class Pool:
    """A few workers; each question goes to the next free one."""

    def __init__(self, size: int = 2, limits: Limits = PLAYGROUND) -> None:
        self.limits = limits
        self._free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self.workers: set[Worker] = set()
        self._closed, self._lock = False, threading.Lock()
        self._spawn()
        for _ in range(size - 1):
            self._spawn_in_background()

    def ask(self, question: Json, seconds: float) -> bytes:
        """The answer to a question, as JSON; raises StoppedError where there is none within so many seconds."""
        try:
            worker = self._free.get(timeout=WAIT)
        except queue.Empty:
            raise StoppedError("all workers are busy with other questions; try again in a moment") from None
        answer = worker.ask(json.dumps(question).encode(), seconds)
        if answer is None:
            self._kill(worker)
            self._spawn_in_background()
            raise StoppedError(f"stopped: it took more than {seconds:g} seconds, or more memory than there is")
        self._free.put(worker)
        return answer

    def close(self) -> None:
        """Kill every worker, and spawn none any more."""
        with self._lock:
            self._closed = True
            remaining = list(self.workers)
        for worker in remaining:
            self._kill(worker)

    def _spawn(self) -> None:
        with self._lock:
            if self._closed:
                return
            worker = Worker(self.limits)
            self.workers.add(worker)
        if worker.message(START) is None:
            self._kill(worker)
            raise StoppedError("play: the process that computes did not start")
        self._free.put(worker)

    def _spawn_in_background(self) -> None:
        def spawn() -> None:
            with suppress(StoppedError):
                self._spawn()

        threading.Thread(target=spawn, daemon=True).start()

    def _kill(self, worker: Worker) -> None:
        with self._lock:
            if worker in self.workers:
                self.workers.remove(worker)
                worker.kill()


# ----- in the process of a worker -----
def serve(pipe: Connection, limits: Limits, memory: int) -> None:
    """Answer questions, which arrive and leave as JSON, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the server, which ends its workers
    # Imported here, because it takes a second, in which Ctrl-C would print a traceback.
    from autotiny.playground.answers import answer, rehearse

    rehearse()
    gc.collect()
    gc.freeze()  # what is loaded stays, and need not be traversed with every picture
    _limit_memory(memory)
    with suppress(EOFError, BrokenPipeError):
        pipe.send_bytes(b"ready")
        while True:
            reply = answer(json.loads(pipe.recv_bytes()), limits)
            pipe.send_bytes(json.dumps(reply, allow_nan=False).encode())


def _limit_memory(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the limits of time and size remain
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

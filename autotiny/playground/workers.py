"""Worker processes that compute for the page: one that takes too long is killed and replaced, and the server lives."""

import json
import multiprocessing
import queue
import threading
from contextlib import suppress
from typing import Any

from autotiny.errors import AutotinyError
from autotiny.language import Limits
from autotiny.playground import worker

Json = dict[str, Any]

PLAYGROUND = Limits(characters=10_000, statements=100, depth=64, entries=2**18, total=2**21, work=2**31, seconds=2.0)
"""What one program of the page may cost: a classroom's examples, many times over."""

MEMORY = 2**31
"""Bytes of address space that a worker may have."""

START, WAIT = 60.0, 10.0
"""Seconds that a worker may take to start, and a question to find a free one."""

# Spawned, not forked: a fork would copy the server's threads half way through what they hold.
PROCESSES = multiprocessing.get_context("spawn")


class StoppedError(AutotinyError):
    """A question that no worker answered."""


class Worker:
    """One process, which answers one question at a time; it is ready when it has sent its first message."""

    def __init__(self, limits: Limits) -> None:
        self.pipe, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=worker.serve, args=(theirs, limits, MEMORY), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, question: bytes, seconds: float) -> bytes | None:
        """Its answer; None where it took too long or died."""
        try:
            self.pipe.send_bytes(question)
        except OSError:
            return None
        return self.message(seconds)

    def message(self, seconds: float) -> bytes | None:
        """What it sends within so many seconds."""
        try:
            return self.pipe.recv_bytes() if self.pipe.poll(seconds) else None
        except (EOFError, OSError):
            return None

    def kill(self) -> None:
        """End the process, whatever it does; whoever waits for its answer learns that there is none."""
        self.process.kill()
        self.process.join()


class Pool:
    """A few workers; who asks gets the next that is free."""

    def __init__(self, size: int = 2, limits: Limits = PLAYGROUND) -> None:
        self.limits = limits
        self._free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._hired: set[Worker] = set()
        self._closed, self._lock = False, threading.Lock()
        self._hire()
        for _ in range(size - 1):
            self._hire_meanwhile()

    def ask(self, question: Json, seconds: float) -> bytes:
        """The answer to a question, as JSON; raises StoppedError where there is none within so many seconds."""
        try:
            hired = self._free.get(timeout=WAIT)
        except queue.Empty:
            raise StoppedError("everything is busy with other questions; try again in a moment") from None
        answer = hired.ask(json.dumps(question).encode(), seconds)
        if answer is None:
            self._dismiss(hired)
            self._hire_meanwhile()
            raise StoppedError(f"stopped: it took more than {seconds:g} seconds, or more memory than there is")
        self._free.put(hired)
        return answer

    def close(self) -> None:
        """End every worker."""
        with self._lock:
            self._closed = True
            remaining = list(self._hired)
        for hired in remaining:
            self._dismiss(hired)

    def _hire(self) -> None:
        with self._lock:
            if self._closed:
                return
            hired = Worker(self.limits)
            self._hired.add(hired)
        if hired.message(START) is None:
            self._dismiss(hired)
            raise StoppedError("play: the process that computes did not start")
        self._free.put(hired)

    def _hire_meanwhile(self) -> None:
        def hire() -> None:
            with suppress(StoppedError):
                self._hire()

        threading.Thread(target=hire, daemon=True).start()

    def _dismiss(self, hired: Worker) -> None:
        with self._lock:
            if hired in self._hired:
                self._hired.remove(hired)
                hired.kill()

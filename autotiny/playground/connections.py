"""Connections that cannot be held open for nothing: a request has seconds to arrive, and idle ones make room."""

import io
import socket
import threading
import time
from contextlib import suppress
from typing import Any

IDLE, ARRIVING, LEAVING = 60.0, 5.0, 10.0
"""Seconds that a connection may wait for a request, the request may take to arrive, and the answer to leave."""

MOST = 64
"""Connections at a time."""


class PatientReader(io.RawIOBase):
    """Reads a socket under a deadline for the whole request: a byte now and then does not prolong it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.expect_request()

    def expect_request(self) -> None:
        """The next request may be long in coming."""
        self.deadline: float | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what there is; raises TimeoutError past the deadline."""
        left = IDLE if self.deadline is None else self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request takes too long to arrive")
        self.connection.settimeout(left)
        n = self.connection.recv_into(buffer)
        self.deadline = self.deadline or time.monotonic() + ARRIVING
        self.connection.settimeout(LEAVING)
        return n


class Waiting:
    """The connections that wait for a request, longest first; beyond a number the first makes room."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._open: dict[socket.socket, None] = {}
        self._lock = threading.Lock()

    def enter(self, connection: socket.socket) -> None:
        """Count a connection that begins to wait, and shut those that have waited longest where there are too many."""
        with self._lock:
            self._open.pop(connection, None)
            self._open[connection] = None
            self._make_room()

    def leave(self, connection: socket.socket) -> None:
        """Its request has arrived, or it is closed."""
        with self._lock:
            self._open.pop(connection, None)

    def close(self) -> None:
        """Shut them all, and all that come back."""
        with self._lock:
            self.most = 0
            self._make_room()

    def _make_room(self) -> None:
        while len(self._open) > self.most:
            oldest = next(iter(self._open))
            del self._open[oldest]
            _shut(oldest)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)

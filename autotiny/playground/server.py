"""The page's server: the standard library's, on the loopback address, with two kinds of answers: files and sums."""

import io
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, NamedTuple

from autotiny.language import Limits
from autotiny.playground.security import HEADERS, Gate, RefusedError, body_length
from autotiny.playground.workers import PLAYGROUND, Pool, StoppedError

# ----- connections -----
# Connections that cannot be held open for nothing: a request has seconds to arrive, and idle ones make room.


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


# ----- static files -----
# The files of the page, read once: no path of a request ever reaches the disk.


KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}


class File(NamedTuple):
    """What a browser gets, and what it is."""

    kind: str
    body: bytes


def _static() -> dict[str, File]:
    folder = files("autotiny.playground") / "static"
    found = ((file.name, file.name.rpartition(".")[2]) for file in folder.iterdir())
    return {name: File(KINDS[ending], (folder / name).read_bytes()) for name, ending in found if ending in KINDS}


STATIC = _static()


SECONDS = {"picture": 4.0, "comparison": 8.0, "steps": 8.0, "derivation": 8.0, "compiled": 8.0, "export": 8.0}
"""What can be asked, and how long an answer may take."""


class Server(ThreadingHTTPServer):
    """Serves the page to whoever knows its address; it remembers nothing between two questions.

    port : 0 for any that is free
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0, limits: Limits = PLAYGROUND, seconds: dict[str, float] | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.gate, self.waiting = Gate.on(self.server_address[1]), Waiting()
        self.seconds = SECONDS if seconds is None else seconds
        try:
            self.pool = Pool(limits=limits)
        except BaseException:
            self.server_close()
            raise

    def close(self) -> None:
        """Stop serving, and end what computes."""
        self.shutdown()
        self.server_close()
        self.waiting.close()
        self.pool.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of a fault; a connection that breaks is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def wait(self) -> None:
        """Serve until something interrupts."""
        self._thread.join()

    def __enter__(self) -> "Server":
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Reply(NamedTuple):
    """What goes back."""

    status: int
    kind: str
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """One connection: requests come one after the other, each by a deadline."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "autotiny", ""
    disable_nagle_algorithm = True  # an answer in two parts would wait for the first to be acknowledged

    def setup(self) -> None:
        """Read the connection under a deadline."""
        super().setup()
        self.patient = PatientReader(self.connection)
        self.rfile = io.BufferedReader(self.patient)

    def handle_one_request(self) -> None:
        """Wait for a request, and answer it."""
        self.patient.expect_request()
        self.server.waiting.enter(self.connection)
        try:
            super().handle_one_request()
        except OSError:  # the other end is gone, or was shut for others to have room
            self.close_connection = True
        finally:
            self.server.waiting.leave(self.connection)

    def do_GET(self) -> None:
        """A file of the page."""
        self._reply_with(self._file)

    def do_POST(self) -> None:
        """Something to compute."""
        self._reply_with(self._computed)

    def _reply_with(self, answer: Callable[[str], Reply]) -> None:
        try:
            reply = answer(self.server.gate.path_within(self.path, self.headers))
        except RefusedError as refused:
            self.close_connection = True  # a body that was not read must not be taken for the next request
            reply = _text(refused.status, str(refused))
        self._send(reply)

    def _file(self, path: str) -> Reply:
        file: File | None = STATIC.get(path or "index.html")
        if file is None:
            raise RefusedError(404, "there is no such file")
        return Reply(200, file.kind, file.body)

    def _computed(self, path: str) -> Reply:
        kind = path.removeprefix("ask/")
        if kind not in self.server.seconds or kind == path:
            raise RefusedError(404, "there is nothing of that name to ask for")
        body = self.rfile.read(body_length(self.headers))
        self.server.waiting.leave(self.connection)
        return _json({**_question(body), "kind": kind}, self.server)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A request that is none: told in plain text, with the headers of every answer."""
        self.close_connection = True
        self._send(_text(code, message or "refused"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Nothing: the token stands in every path."""


def _question(body: bytes) -> dict[str, Any]:
    try:
        question = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RefusedError(400, "the question is no JSON") from None
    if not isinstance(question, dict):
        raise RefusedError(400, "the question is no JSON object")
    return question


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _json(question: dict[str, Any], server: Server) -> Reply:
    try:
        body = server.pool.ask(question, server.seconds[question["kind"]])
    except StoppedError as stopped:
        body = json.dumps({"error": {"message": str(stopped)}}).encode()
    return Reply(200, "application/json", body)


def _text(status: int, message: str) -> Reply:
    return Reply(status, "text/plain; charset=utf-8", message.encode(errors="replace"))

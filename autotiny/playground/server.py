"""The page's server on the loopback address, which serves static files and computed answers.

It is the standard library's, with deadlines. starlette 1.10 on uvicorn 0.54 was tried: it has no deadline for a request
to arrive, so its protocol class needs refining for the limits below; it refuses malformed requests without the headers
of every answer; and it adds 0.65 ms to an answer where this adds 0.27.
"""

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

from autotiny.drawing.figure import SERVED, template
from autotiny.language import Limits
from autotiny.playground.limits import PLAYGROUND, SECONDS
from autotiny.playground.security import HEADERS, Gate, RefusedError, body_length
from autotiny.playground.workers import Pool, StoppedError

# ----- connections: a request has seconds to arrive, and idle connections make room for new ones -----
IDLE, ARRIVING, LEAVING = 60.0, 5.0, 10.0
"""Seconds for a connection to wait for a request, for the request to arrive, and for the answer to be sent."""

MOST = 64
"""Connections that may wait for a request."""


class PatientReader(io.RawIOBase):
    """Reads a socket under a deadline for the whole request, which a byte now and then does not extend."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.expect_request()

    def expect_request(self) -> None:
        """Start to wait for the next request."""
        self.deadline: float | None = None

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the bytes that have arrived; raises TimeoutError after the deadline."""
        left = IDLE if self.deadline is None else self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request takes too long to arrive")
        self.connection.settimeout(left)
        n = self.connection.recv_into(buffer)
        self.deadline = self.deadline or time.monotonic() + ARRIVING
        self.connection.settimeout(LEAVING)
        return n


class Waiting:
    """The connections that wait for a request, longest first; the first ones are shut when there are too many."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._open: dict[socket.socket, None] = {}
        self._lock = threading.Lock()

    def enter(self, connection: socket.socket) -> None:
        """Add a connection that begins to wait."""
        with self._lock:
            self._open.pop(connection, None)
            self._open[connection] = None
            self._make_room()

    def leave(self, connection: socket.socket) -> None:
        """Remove a connection whose request has arrived, or that is closed."""
        with self._lock:
            self._open.pop(connection, None)

    def close(self) -> None:
        """Shut all connections, and those that begin to wait later."""
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


# ----- static files: read once, so that no path of a request reaches the disk -----
KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}


class File(NamedTuple):
    """The content of a file, and its media type."""

    kind: str
    body: bytes


def _static() -> dict[str, File]:
    folder = files("autotiny.playground") / "static"
    endings = ((file.name, file.name.rpartition(".")[2]) for file in folder.iterdir())
    own = {name: File(KINDS[ending], (folder / name).read_bytes()) for name, ending in endings if ending in KINDS}
    return own | {name: File(KINDS[name.rpartition(".")[2]], template(name).encode()) for name in SERVED}


STATIC = _static()


# ----- the server -----
class Server(ThreadingHTTPServer):
    """Serves the page to whoever knows its address; it keeps no state between two questions.

    port : 0 for any free port
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
        """Stop serving, and end the worker processes."""
        self.shutdown()
        self.server_close()
        self.waiting.close()
        self.pool.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report errors, except broken connections."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def wait(self) -> None:
        """Serve until an interrupt, such as Ctrl-C."""
        self._thread.join()

    def __enter__(self) -> "Server":
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Reply(NamedTuple):
    """A response."""

    status: int
    kind: str
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """One connection, with one request after the other, each under a deadline."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "autotiny", ""
    disable_nagle_algorithm = True  # otherwise the body of a response waits until its head is acknowledged

    def setup(self) -> None:
        """Prepare to read under a deadline."""
        super().setup()
        self.patient = PatientReader(self.connection)
        self.rfile = io.BufferedReader(self.patient)

    def handle_one_request(self) -> None:
        """Wait for a request, and answer it."""
        self.patient.expect_request()
        self.server.waiting.enter(self.connection)
        try:
            super().handle_one_request()
        except OSError:  # the client is gone, or was shut to make room
            self.close_connection = True
        finally:
            self.server.waiting.leave(self.connection)

    def do_GET(self) -> None:
        """Serve a file of the page."""
        self._reply_with(self._file)

    def do_POST(self) -> None:
        """Serve a computed answer."""
        self._reply_with(self._computed)

    def _reply_with(self, answer: Callable[[str], Reply]) -> None:
        try:
            reply = answer(self.server.gate.path_within(self.path, self.headers))
        except RefusedError as refused:
            self.close_connection = True  # an unread body must not be parsed as the next request
            reply = _text(refused.status, str(refused))
        self._send(reply)

    def _file(self, path: str) -> Reply:
        file: File | None = STATIC.get(path or "index.html")
        if file is None:
            raise RefusedError(404, "no such file")
        return Reply(200, file.kind, file.body)

    def _computed(self, path: str) -> Reply:
        kind = path.removeprefix("ask/")
        if kind not in self.server.seconds or kind == path:
            raise RefusedError(404, "unknown endpoint")
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
        """Answer a malformed request in plain text, with the headers of every answer."""
        self.close_connection = True
        self._send(_text(code, message or "refused"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Log nothing, as every path contains the token."""


def _question(body: bytes) -> dict[str, Any]:
    try:
        question = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RefusedError(400, "the request body is not valid JSON") from None
    if not isinstance(question, dict):
        raise RefusedError(400, "the request body is not a JSON object")
    return question


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not valid JSON")


def _json(question: dict[str, Any], server: Server) -> Reply:
    try:
        body = server.pool.ask(question, server.seconds[question["kind"]])
    except StoppedError as stopped:
        body = json.dumps({"error": {"message": str(stopped)}}).encode()
    return Reply(200, "application/json", body)


def _text(status: int, message: str) -> Reply:
    return Reply(status, "text/plain; charset=utf-8", message.encode(errors="replace"))

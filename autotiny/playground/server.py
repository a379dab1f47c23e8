"""The page's server: the standard library's, on the loopback address, with two kinds of answers: files and sums."""

import io
import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from autotiny.expressions import Limits
from autotiny.playground.connections import PatientReader, Waiting
from autotiny.playground.security import HEADERS, Gate, RefusedError, body_length
from autotiny.playground.static_files import STATIC, File
from autotiny.playground.workers import PLAYGROUND, Pool, StoppedError

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

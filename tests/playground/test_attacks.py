"""The server, attacked: what is refused, what is stopped, and that it lives afterwards."""

import json
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from autotiny.language import Limits
from autotiny.playground import server
from autotiny.playground.security import HEADERS, LARGEST_BODY
from autotiny.playground.server import Server, Waiting
from playground.conftest import Client

QUESTION = json.dumps({"program": "y = x * x", "values": {"x": {"value": 3}}}).encode()
BOUNDLESS = Limits(entries=2**60, total=2**60, work=2**80, seconds=1e9)


def raw(server, *parts, pause=0.0):
    """What comes back for these bytes, sent one after the other; None where the connection is shut without a word."""
    with socket.create_connection(("127.0.0.1", server.gate.port), timeout=20) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            return b"".join(iter(lambda: connection.recv(65536), b"")) or None
        except ConnectionError:
            return None


# ----- who asks -----
def test_it_listens_on_the_loopback_address_alone(server):
    assert server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", "0.0.0.0", None]
)
def test_another_host_name_is_refused_even_with_the_token(client, host):
    """DNS rebinding: a name of the attacker's that resolves to this machine."""
    assert client.get("", Host=host)[0] == 403


def test_two_host_names_are_refused(client):
    assert client.get("", Host=[client.own["Host"], "evil.example"])[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1", ""])
def test_another_origin_is_refused(client, origin):
    assert client.post("picture", QUESTION, Origin=origin)[0] == 403
    assert client.get("examples.json", Origin=origin)[0] == 403


@pytest.mark.parametrize("origin", [None, ["http://127.0.0.1:1", "http://evil.example"]])
def test_a_question_without_one_origin_is_refused(client, origin):
    assert client.post("picture", QUESTION, Origin=origin)[0] == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_may_not_even_embed_a_file(client, site):
    """Another port of this machine is the same site."""
    assert client.get("icon.svg", Origin=None, Sec_Fetch_Site=site)[0] == 403


@pytest.mark.parametrize("token", ["", "x", "index.html", "%00", "é" * 22])
def test_without_the_token_nothing_is_there(client, token):
    path = f"/{token}/".encode().decode("latin-1")
    status, _, body = client.request("GET", path) if path.isascii() else (404, {}, b"autotiny play")
    assert status == 404
    assert b"autotiny play" in body


def test_a_part_of_the_token_is_not_the_token(client):
    assert client.request("GET", f"/{client.gate.token[:-1]}/")[0] == 404
    assert client.request("GET", f"/{client.gate.token}x/")[0] == 404


def test_every_server_has_a_token_of_its_own(server):
    assert len(server.gate.token) >= 22
    assert server.gate.token != type(server.gate).on(server.gate.port).token


# ----- how it is asked -----
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", None]
)
def test_what_a_form_could_post_is_refused(client, kind):
    assert client.post("picture", QUESTION, Content_Type=kind)[0] == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "HEAD", "BREW"])
def test_other_methods_are_refused_and_no_other_origin_is_let_in(client, method):
    status, headers, _ = client.request(method, f"/{client.gate.token}/")
    assert status == 501
    assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("length", "status"),
    [
        (None, 411),
        ("-1", 411),
        ("+5", 411),
        ("1e3", 411),
        ("0x10", 411),
        (["5", "6"], 411),
        (str(LARGEST_BODY + 1), 413),
    ],
)
def test_a_body_has_one_length_within_the_limit(client, length, status):
    assert client.post("picture", b"", Content_Length=length)[0] == status


def test_a_body_in_chunks_is_refused(client):
    assert client.post("picture", b"0\r\n\r\n", Transfer_Encoding="chunked")[0] == 411


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b"\xff\xfe", b'{"values": NaN}', b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000]
)
def test_a_body_that_is_not_a_json_object_is_refused(client, body):
    assert client.post("picture", body)[0] == 400


@pytest.mark.parametrize("kind", ["", "nothing", "picture/x", "../picture", "__class__"])
def test_there_is_nothing_else_to_ask_for(client, kind):
    assert client.post(kind, QUESTION)[0] == 404


def test_a_second_request_is_not_smuggled_in_a_body_that_was_refused(client):
    inner = f"GET /{client.gate.token}/ HTTP/1.1\r\nHost: {client.own['Host']}\r\n\r\n".encode()
    head = f"POST /{client.gate.token}/ask/picture HTTP/1.1\r\nHost: {client.own['Host']}\r\n"
    assert raw(client.server, f"{head}Content-Length: {len(inner)}\r\n\r\n".encode(), inner).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00", b"\r\n" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 70_000]
)
def test_a_malformed_request_is_refused_and_the_server_lives(client, sent):
    connection = socket.create_connection(("127.0.0.1", client.gate.port), timeout=20)
    connection.sendall(sent)
    connection.close()
    assert client.lives()


def test_headers_without_end_are_refused(client):
    start = f"GET /{client.gate.token}/ HTTP/1.1\r\nHost: {client.own['Host']}\r\n".encode()
    assert b"200 OK" not in (raw(client.server, start, b"X-A: b\r\n" * 200) or b"")
    assert b"200 OK" not in (raw(client.server, start, b"X-A: " + b"b" * 100_000 + b"\r\n\r\n") or b"")
    assert client.lives()


@pytest.mark.parametrize("path", ["", "app.js", "nothing.html", "../server.py"])
def test_every_answer_forbids_what_the_page_does_not_need(client, path):
    headers = client.get(path)[1]
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "'none'" in HEADERS["Content-Security-Policy"]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


# ----- files -----
@pytest.mark.parametrize(
    "path",
    [
        *("../server.py", "../../../../../etc/passwd", "..%2f..%2fserver.py", "%2e%2e/server.py", "..\\server.py"),
        *("/etc/passwd", "//etc/passwd", "file:///etc/passwd", "static/../../server.py", "index.html%00.js", ".", ".."),
    ],
)
def test_no_path_leaves_the_page(client, path):
    status, _, body = client.get(path)
    assert status == 404
    assert b"root:" not in body
    assert b"import" not in body


@pytest.mark.parametrize(
    "program",
    [
        *("open('/etc/passwd')", "np.load('/etc/passwd')", "np.fromfile('/etc/passwd')", "np.memmap('/etc/passwd')"),
        *("loadtxt('/etc/passwd')", "np.save('x', 1)", "x.tofile('/tmp/x')", "x.dump('/tmp/x')"),
        *("__import__('os').system('id')", "import os", "eval('1')", "exec('1')", "f'{x}'", "(lambda: 0)()"),
        *("x.__class__.__mro__", "().__class__", "np.lib.npyio.os", "at.Tensor.__init__.__globals__", "at.nn"),
    ],
)
def test_the_language_reaches_no_file_and_no_python(client, program):
    answer = client.ask("picture", program, {"x": {"value": [1, 2]}})
    assert answer["error"]["line"] == 1
    assert "fault" not in answer["error"]["message"]


# ----- bombs -----
def chain(start, step, length=90):
    """A program of many steps, each from the result before."""
    return "\n".join([f"A0 = {start}", *(f"A{i + 1} = {step.format(f'A{i}')}" for i in range(length))])


BOMBS = [
    "ones((100000, 100000))",
    "9**9**9",
    "9.0**9**9**9",
    "x = [1.0, 2.0]\nx * (10**18 * 10**18)",
    "zeros(10**18)",
    "zeros((2,) * 100)",
    "(" * 5000 + "1" + ")" * 5000,
    "-" * 9000 + "1",
    "+".join(["1"] * 4000),
    "[" * 90 + "1" + "]" * 90,
    "x = 1\n" * 3000,
    "# " + "a" * 20_000,
    chain("ones((500, 500))", "{0} @ {0}"),
    chain("ones((400, 400))", "inv({0} + eye(400))"),
    chain("ones(200000)", "{0} + 1"),
    "tile(ones(1000), 10**9)",
    "repeat(ones(10), 10**12)",
    "pad(ones(3), 10**9)",
    "arange(0, 1e18, 1e-3)",
    "linspace(0, 1, 10**15)",
    "eye(10**7)",
    "outer(ones(10**5), ones(10**5))",
    "one_hot([10**15], 10**15)",
    "einsum('a,b,c,d,e->abcde', ones(99), ones(99), ones(99), ones(99), ones(99))",
    "broadcast_to(1.0, (10**6, 10**6))",
]


@pytest.mark.parametrize("program", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_gets_a_message_and_the_server_lives(client, program):
    answer = client.ask("picture", program)
    assert answer["error"]["message"]
    assert "fault" not in answer["error"]["message"]
    assert client.lives()


@pytest.mark.parametrize("program", BOMBS[:3])
def test_a_bomb_among_the_claims_gets_a_message(client, program):
    answer = client.ask("comparison", "y = x * x", {"x": {"value": 1}}, claims=f"dx = {program}")
    assert answer["error"]["line"] == 1


def test_values_are_limited(client):
    answer = client.ask("picture", "y = sum(x)", {"x": {"value": [[1.0] * 100] * 100}})
    assert "10,000 entries; the limit is 4,096" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"np": {"value": 1}}, "cannot be the name"),
        ({"<script>": {"value": 1}}, "cannot be the name"),
        ({"a" * 33: {"value": 1}}, "cannot be the name"),
        ({"x": {"value": [[1, 2], [3]]}}, "equal lengths"),
        ({"x": {"value": [[1], 2]}}, "equal lengths"),
        ({"x": {"value": [[[[[1]]]]]}}, "at most 4 axes"),
        ({"x": {"value": "1"}}, "expected numbers"),
        ({"x": {"value": True}}, "expected numbers"),
        ({"x": {"value": 10**400}}, "expected numbers"),
        ({"x": {"value": None}}, "expected numbers"),
        ({"x": 1}, "an object with a value"),
        ({"x": {"value": 1, "data": 1}}, "true or false"),
        ({f"x{i}": {"value": 1} for i in range(51)}, "51 values; the limit is 50"),
        ([], "expected an object"),
    ],
)
def test_invalid_values_are_refused(client, values, message):
    body = json.dumps({"program": "1", "values": values}).encode()
    assert message in json.loads(client.post("picture", body)[2])["error"]["message"]


# ----- time and memory, enforced -----
@pytest.fixture(scope="module")
def boundless_server():
    with Server(limits=BOUNDLESS, seconds={"picture": 2.0}) as served:
        yield served


@pytest.fixture
def boundless(boundless_server):
    """A server whose language has no limits: only what stops a process is left; both of its processes are there."""
    deadline = time.monotonic() + 30
    while boundless_server.pool._free.qsize() < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    return Client(boundless_server)


SLOW = chain("ones((3000, 3000))", "{0} @ {0} / 3000")


def test_a_slow_loop_of_products_is_stopped_and_the_server_lives(boundless):
    answer = boundless.ask("picture", SLOW)
    assert "stopped: it took more than 2 seconds" in answer["error"]["message"]
    assert boundless.lives()


def test_who_is_stopped_is_gone(boundless):
    before = {worker.process.pid for worker in boundless.server.pool.workers}
    boundless.ask("picture", SLOW)
    after = {worker.process.pid for worker in boundless.server.pool.workers}
    (stopped,) = before - after
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)


def test_memory_has_an_end(boundless):
    assert "Unable to allocate 8.00 GiB" in boundless.ask("picture", "sum(ones((2**15, 2**15)))")["error"]["message"]
    assert boundless.lives()


def test_a_worker_that_dies_is_replaced(boundless):
    for worker in list(boundless.server.pool.workers):
        os.kill(worker.process.pid, signal.SIGKILL)
    answers = [boundless.ask("picture", "y = 1") for _ in range(2)]
    assert all("stopped" in each["error"]["message"] for each in answers)
    assert boundless.lives()


def test_others_are_answered_while_one_is_slow(boundless):
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(boundless.ask, "picture", SLOW)
        time.sleep(0.2)
        assert boundless.lives()
        assert not slow.done()


# ----- connections -----
def test_a_request_that_drips_is_shut(client, monkeypatch):
    """A byte now and then does not prolong the time that a request has to arrive."""
    monkeypatch.setattr(server, "ARRIVING", 0.3)

    def drip(connection):
        for _ in range(600):
            connection.sendall(b"G")
            time.sleep(0.05)

    connection = socket.create_connection(("127.0.0.1", client.gate.port), timeout=20)
    with connection, pytest.raises(ConnectionError):
        drip(connection)


def test_a_body_that_never_comes_is_given_up(client, monkeypatch):
    monkeypatch.setattr(server, "ARRIVING", 0.3)
    head = (
        f"POST /{client.gate.token}/ask/picture HTTP/1.1\r\nHost: {client.own['Host']}\r\n"
        f"Origin: {client.own['Origin']}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    )
    assert raw(client.server, head.encode()) is None


def test_a_connection_that_says_nothing_is_shut(client, monkeypatch):
    monkeypatch.setattr(server, "IDLE", 0.2)
    assert raw(client.server, b"") is None


def test_hundreds_of_connections_that_drip_do_not_keep_the_page_from_being_served(client):
    """Slow loris: each sends a byte now and then, and never a request."""
    held = [socket.create_connection(("127.0.0.1", client.gate.port), timeout=20) for _ in range(200)]
    for connection in held:
        connection.sendall(b"GET / HT")
    assert client.get("")[0] == 200
    assert client.lives()
    for connection in held:
        connection.close()


def test_who_has_waited_longest_makes_room():
    waiting, pairs = Waiting(most=2), [socket.socketpair() for _ in range(3)]
    for ours, _ in pairs:
        waiting.enter(ours)
    pairs[0][1].settimeout(5)
    assert pairs[0][1].recv(1) == b""
    pairs[1][1].settimeout(0.05)
    with pytest.raises(TimeoutError):
        pairs[1][1].recv(1)
    for pair in pairs:
        for each in pair:
            each.close()


def test_whoever_waits_when_the_server_closes_is_shut():
    waiting, (ours, theirs) = Waiting(), socket.socketpair()
    waiting.close()
    waiting.enter(ours)
    theirs.settimeout(5)
    assert theirs.recv(1) == b""
    ours.close()
    theirs.close()


def test_threads_of_closed_connections_end(client):
    before = threading.active_count()
    for _ in range(20):
        client.get("icon.svg")
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


# ----- tabs -----
def test_many_tabs_do_not_mix(client):
    """Each tab has its own program and values, under the same names."""

    def tab(i):
        return [client.ask("picture", f"y = x * {i}", {"x": {"value": i}}) for _ in range(5)]

    with ThreadPoolExecutor(8) as threads:
        for i, answers in enumerate(threads.map(tab, range(1, 17)), start=1):
            assert [answer["gradients"] for answer in answers] == [{"x": float(i)}] * 5
            assert [answer["lines"][0]["value"] for answer in answers] == [f"{i * i:g}"] * 5


def test_the_server_remembers_nothing(client):
    client.ask("picture", "secret = x * x", {"x": {"value": 3}})
    assert "no value named secret" in client.ask("picture", "secret")["error"]["message"]

"""A server of the page, and questions to it."""

import http.client
import json

import pytest

from autotiny.playground.server import Server


class Client:
    """Asks a server what a page would ask."""

    def __init__(self, server):
        self.server, self.gate = server, server.gate
        self.own = {"Host": f"127.0.0.1:{self.gate.port}", "Origin": f"http://127.0.0.1:{self.gate.port}"}

    def request(self, method, path, body=None, **headers):
        """Send a request with exactly these headers, those that are None left out; its status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.gate.port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {**self.own, **headers}.items():
            for each in value if isinstance(value, list) else [value] * (value is not None):
                connection.putheader(name.replace("_", "-"), each)
        connection.endheaders()
        if body is not None:
            connection.send(body)
        reply = connection.getresponse()
        told = reply.status, dict(reply.getheaders()), reply.read()
        connection.close()
        return told

    def get(self, name, **headers):
        return self.request("GET", f"/{self.gate.token}/{name}", **headers)

    def post(self, kind, body, **headers):
        length = {"Content_Type": "application/json", "Content_Length": str(len(body))}
        return self.request("POST", f"/{self.gate.token}/ask/{kind}", body, **{**length, **headers})

    def ask(self, kind, program, values=None, **more):
        """The answer to a question."""
        question = {"program": program, "values": values or {}, **more}
        status, _, body = self.post(kind, json.dumps(question).encode())
        assert status == 200, body
        return json.loads(body)

    def lives(self):
        """Whether the server still answers a question."""
        return self.ask("picture", "y = x * x", {"x": {"value": 3}})["gradients"] == {"x": 6.0}


@pytest.fixture(scope="session")
def server():
    with Server() as served:
        yield served


@pytest.fixture
def client(server):
    return Client(server)

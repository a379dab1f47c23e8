"""Who may ask the server for what: everything else is refused before a byte of it is read."""

import hmac
import re
import secrets
from email.message import Message
from typing import NamedTuple

from autotiny.errors import AutotinyError
from autotiny.playground.answers import stepping_hashes

LARGEST_BODY = 2**18

ITSELF, STEPPING = "'self'", stepping_hashes()
POLICY = (
    f"default-src 'none'; script-src {ITSELF} {STEPPING['script']}; style-src {ITSELF} {STEPPING['style']}; "
    f"img-src {ITSELF} data:; connect-src {ITSELF}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing runs but the files of the page and, in its frame, the script of the stepping picture."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Of every answer: the page may load what this server has, and nothing may embed it or learn its address."""


class RefusedError(AutotinyError):
    """A request that is not answered, with the status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Gate(NamedTuple):
    """What a request must know and come from.

    token : stands first in the path; nobody guesses it, and a page of another origin cannot read it
    port : of the loopback address that is served
    """

    token: str
    port: int

    @classmethod
    def on(cls, port: int) -> "Gate":
        """A gate with a new token."""
        return cls(secrets.token_urlsafe(16), port)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    def path_within(self, target: str, headers: Message) -> str:
        """The path after the token.

        Raises RefusedError for a name that resolves here but is not ours (DNS rebinding), for another origin, and for
        a path without the token.
        """
        host = _only(headers, "Host")
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            raise RefusedError(403, "this server answers to the loopback address alone")
        if any(origin != f"http://{host}" for origin in headers.get_all("Origin", [])):
            raise RefusedError(403, "a page of another origin may not ask")
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise RefusedError(403, "another site may not ask")
        token, _, path = target.split("?")[0].removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode(errors="replace"), self.token.encode()):
            raise RefusedError(404, NO_TOKEN)
        return path


NO_TOKEN = (
    "There is nothing at this address. The playground has a new address each time it is started: run\n\n"
    "    autotiny play\n\nand open what it prints. To open a link that was made earlier, run\n\n"
    "    autotiny play 'LINK'\n"
)


def body_length(headers: Message) -> int:
    """How many bytes of JSON a question has.

    Raises RefusedError for anything else: a form, which another site's page could post, a body that does not tell its
    length, and one that is too large.
    """
    if _only(headers, "Origin") is None:
        raise RefusedError(403, "a question tells its origin")
    if headers.get_content_type() != "application/json":
        raise RefusedError(415, "a question is application/json")
    if "Transfer-Encoding" in headers:
        raise RefusedError(411, "a question tells its length")
    length = _only(headers, "Content-Length")
    if length is None or not re.fullmatch(r"[0-9]{1,9}", length):
        raise RefusedError(411, "a question tells its length")
    if int(length) > LARGEST_BODY:
        raise RefusedError(413, f"a question has at most {LARGEST_BODY:,} bytes")
    return int(length)


def _only(headers: Message, name: str) -> str | None:
    """The value of a header that stands there once."""
    values = headers.get_all(name, [])
    return str(values[0]) if len(values) == 1 else None

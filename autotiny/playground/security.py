"""Which requests the server answers; all others are refused before their body is read."""

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
"""Only the files of the page run and, in its frame, the script of the stepping picture."""

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
"""The headers of every answer: the page loads only from this server, and no other page may embed it."""


class RefusedError(AutotinyError):
    """A request that is refused, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Gate(NamedTuple):
    """The token that a request must know, and the address that it must be sent to.

    token : the first part of the path, which cannot be guessed, nor read by a page of another origin
    port : of the loopback address
    """

    token: str
    port: int

    @classmethod
    def on(cls, port: int) -> "Gate":
        """A gate with a new token."""
        return cls(secrets.token_urlsafe(16), port)

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    def path_within(self, target: str, headers: Message) -> str:
        """The path after the token.

        Raises RefusedError for a foreign host name that resolves to this machine (DNS rebinding), for another origin,
        and for a path without the token.
        """
        host = _only(headers, "Host")
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            raise RefusedError(403, "the Host header must be the loopback address")
        if any(origin != f"http://{host}" for origin in headers.get_all("Origin", [])):
            raise RefusedError(403, "requests from another origin are refused")
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise RefusedError(403, "requests from another site are refused")
        token, _, path = target.split("?")[0].removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode(errors="replace"), self.token.encode()):
            raise RefusedError(404, NO_TOKEN)
        return path


NO_TOKEN = (
    "There is no page at this address. The playground has a new address each time it is started: run\n\n"
    "    autotiny play\n\nand open what it prints. To open a link that was made earlier, run\n\n"
    "    autotiny play 'LINK'\n"
)


def body_length(headers: Message) -> int:
    """The length in bytes of a question's body.

    Raises RefusedError for a form, which another site's page could post, for a body without a single length, and for
    one that is too large.
    """
    if _only(headers, "Origin") is None:
        raise RefusedError(403, "exactly one Origin header is required")
    if headers.get_content_type() != "application/json":
        raise RefusedError(415, "the content type must be application/json")
    if "Transfer-Encoding" in headers:
        raise RefusedError(411, "exactly one Content-Length is required")
    length = _only(headers, "Content-Length")
    if length is None or not re.fullmatch(r"[0-9]{1,9}", length):
        raise RefusedError(411, "exactly one Content-Length is required")
    if int(length) > LARGEST_BODY:
        raise RefusedError(413, f"the request body may have at most {LARGEST_BODY:,} bytes")
    return int(length)


def _only(headers: Message, name: str) -> str | None:
    """The value of a header that occurs exactly once; otherwise None."""
    values = headers.get_all(name, [])
    return str(values[0]) if len(values) == 1 else None

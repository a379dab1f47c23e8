"""The command `autotiny play`."""

import argparse
import os
import sys
import webbrowser

from autotiny.playground.server import Server
from autotiny.playground.state import fragment
from autotiny.sessions.session import Session

EXAMPLES = """\
examples:
  autotiny play                  open the page
  autotiny play 'LINK'           open a link that was copied from the page
  autotiny play session.py       open a script that a session or the page saved
  autotiny play --port 8000      at a port of your choice
  autotiny play --no-browser     print the address alone

The page is served on this machine's loopback address, to whoever knows the
address that is printed. Ctrl-C stops the server.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny play`."""
    add = parser.add_argument
    what = "an address of the page, from this or an earlier run; or the script of a session"
    add("link", nargs="?", default="", metavar="LINK | FILE.py", help=what)
    add("--port", type=_port, default=0, help="the port (by default any free one)")
    add("--no-browser", action="store_true", help="do not open a browser")


def run(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    state = _fragment(args.link)
    with Server(args.port) as server:
        address = server.gate.address + state
        print(f"autotiny play: {address}\nCtrl-C stops the server.", flush=True)
        if not args.no_browser and _has_screen():
            webbrowser.open(address)
        server.wait()
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**16:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to {2**16 - 1}; got {text!r}")
    return int(text)


def _fragment(link: str) -> str:
    """The fragment of a link, or of the page that shows a script."""
    if "#" not in link and link.endswith(".py"):
        return fragment(Session.load(link))
    return link[link.index("#") :] if "#" in link else ""


def _has_screen() -> bool:
    """Whether a browser would open in a window instead of the terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

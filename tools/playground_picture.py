"""Take the README's picture of the playground again: python tools/playground_picture.py [--chromium PATH]

Needs playwright and Chromium. Pixels differ from machine to machine, so no test holds the picture current.
"""

import argparse
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

from autotiny.playground.server import Server

PICTURE = Path(__file__).parent / "pictures" / "playground.png"
PROGRAM = "p = a * b\ns = p + c\nL = tanh(s) + a"
CLAIMS = "dp = 1 - tanh(s)**2\nda = b * dp"


def main() -> None:
    """Open a program with one right and one wrong claim, and keep what the browser shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    fragment = f"let.a=0.5&let.b=-1.5&let.c=1&program={quote(PROGRAM)}&claims={quote(CLAIMS)}"
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1080, "height": 770})
        page.goto(f"{server.gate.address}#{fragment}")
        page.wait_for_selector("#canvas svg")
        page.wait_for_selector("#verdicts li")
        page.wait_for_timeout(500)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()

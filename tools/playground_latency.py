"""Measure the playground's latency from a key press to the picture, in Chromium, for each example.

    python tools/playground_latency.py [--chromium PATH] [--repeats N] [--address URL]

The changes are a key in the program's last line, an arrow key on a number, and a drag of one pixel. Time runs from the
event's time stamp to the frame in which the new picture is painted. Before, it is the time until the page shows its
first picture, three times: what the browser keeps makes the later ones faster. URL is where the page without a server
is served, by default the page is that of `autotiny play`. Needs playwright and Chromium.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autotiny.playground.server import Server

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

CLOCK = """
() => {
  const times = (window.times = []);
  let began = 0;
  for (const kind of ["keydown", "pointermove"])
    document.addEventListener(kind, (event) => { began = event.timeStamp; }, true);
  new MutationObserver(() => {
    const from = began;
    requestAnimationFrame(() => {
      const painted = new MessageChannel();
      painted.port1.onmessage = () => times.push(performance.now() - from);
      painted.port2.postMessage(null);
    });
  }).observe(document.querySelector("#canvas"), { childList: true });
}
"""


def main() -> None:
    """Print a line for each example and each way of changing it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--address")
    args = parser.parse_args()
    with _address(args.address) as address, _page(address, args.chromium) as page:
        titles = page.locator("#examples option").all_inner_texts()[1:]
        print(f"{'milliseconds':30}  {'change':8}  median  95th percentile")
        for title in titles:
            for name, change in CHANGES.items():
                page.select_option("#examples", label=title)
                page.wait_for_timeout(600)
                times = _times(page, change(page), args.repeats)
                p95 = statistics.quantiles(times, n=20)[-1]
                print(f"{title:30}  {name:8}  {statistics.median(times):6.1f}  {p95:6.1f}")


@contextmanager
def _address(given: str | None) -> Iterator[str]:
    if given:
        yield given
    else:
        with Server() as server:
            yield server.gate.address


@contextmanager
def _page(address: str, chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        for start in ("cold", "cached", "cached"):
            began = time.perf_counter()
            page.goto("about:blank")
            page.goto(address)
            page.wait_for_selector("#canvas svg", timeout=120_000)
            print(f"start, {start}: {time.perf_counter() - began:.2f} s to the first picture")
        page.evaluate(CLOCK)
        yield page
        browser.close()


def _times(page: Any, change: Callable[[int], None], repeats: int) -> list[float]:
    page.evaluate("window.times.length = 0")
    for i in range(repeats):
        change(i)
        while page.evaluate("window.times.length") <= i:  # the page's policy forbids wait_for_function its eval
            page.wait_for_timeout(5)
    times: list[float] = page.evaluate("window.times")
    return times


def _typing(page: Any) -> Callable[[int], None]:
    """Add or remove a space at the end of the program; each change is a request."""
    page.locator("#program textarea").focus()
    page.keyboard.press("Control+End")
    return lambda i: page.keyboard.press("Backspace" if i % 2 else "Space")


def _arrow(page: Any) -> Callable[[int], None]:
    page.locator(".given-value.variable .cell, .given-value.variable .number").first.focus()
    return lambda i: page.keyboard.press("ArrowDown" if i % 2 else "ArrowUp")


def _dragging(page: Any) -> Callable[[int], None]:
    box = page.locator(".given-value.variable .cell, .given-value.variable .number").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 5, y)
    page.wait_for_timeout(200)

    def drag(i: int) -> None:
        page.mouse.move(x + 6 + i % 30, y)

    return drag


CHANGES = {"key": _typing, "arrow": _arrow, "drag": _dragging}

if __name__ == "__main__":
    main()

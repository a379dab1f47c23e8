"""The playground as a page without a server: what is built, and what it does in a browser."""

import functools
import http.server
import json
import os
import re
import shutil
import threading
from pathlib import Path
from urllib.parse import quote

import play
import pytest

from autotiny.playground.in_browser import answered
from drawing.browser import launched

PYODIDE = os.environ.get("PYODIDE")
needs_pyodide = pytest.mark.skipif(
    PYODIDE is None or shutil.which("npm") is None, reason="PYODIDE is not set, or no npm"
)


def test_a_folder_that_is_no_pyodide_is_named(tmp_path):
    with pytest.raises(play.BuildError, match=r"is no distribution of Pyodide with NumPy: it has no pyodide\.mjs, "):
        play.build(tmp_path, tmp_path / "out")


def test_without_pyodide_the_command_says_how_to_give_it(monkeypatch):
    monkeypatch.setattr("sys.argv", ["play.py"])
    monkeypatch.delenv("PYODIDE", raising=False)
    with pytest.raises(SystemExit, match="give its folder by --pyodide, or in the environment variable PYODIDE"):
        play.main()


def test_an_error_is_an_answer():
    assert "there is no value named x" in answered("picture", '{"program": "y = x"}')


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of the page, in a folder below the root of its server."""
    root = tmp_path_factory.mktemp("site")
    play.build(Path(PYODIDE), root / "below" / "play")
    handler = functools.partial(Quiet, directory=root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/below/play/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    yield from launched()


PROGRAM = quote("Z = W @ x\nJ = sum(softmax(Z)**2)")
LINK = f"#let.W=1,2;3,4&let.x=0.5,-1&program={PROGRAM}&claims={quote('dZ = 0 * Z')}"


@pytest.fixture(scope="module")
def page(site, browser):
    hosts = set()
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if request.url.startswith("http") else None)
    page.goto(site + LINK)
    page.wait_for_selector("#canvas svg", timeout=90_000)
    yield page
    assert hosts == {site.split("/")[2]}
    context.close()


IMPORTED = "await import(new URL('{}', document.querySelector('script[type=module]').src))"
STOPPED = f"""async () => {{
    const {{ seconds }} = {IMPORTED.format("built.js")};
    const {{ answer }} = {IMPORTED.format("engine.js")};
    const question = {{ program: "y = x * x", values: {{ x: {{ value: 3 }} }}, claims: "" }};
    seconds.compiled = 0.001;
    const {{ error }} = await answer("compiled", question);
    seconds.compiled = 24;
    return [error.message, (await answer("compiled", question)).source.includes("def step")];
}}"""


@pytest.mark.thorough
@pytest.mark.browser
@needs_pyodide
class TestPage:
    def test_a_link_shows_its_graph_and_values(self, page):
        assert "J is 0." in page.inner_text("#program-status")
        assert page.locator("#loading, #loading-words").count() == 0

    def test_backprop_gives_each_variable_its_gradient(self, page, site):
        local = answered("picture", '{"program": "y = 3 * x", "values": {"x": {"value": 2}}}')
        question = {"program": "y = 3 * x", "values": {"x": {"value": 2}}, "claims": ""}
        ask = f"async (question) => (await ({IMPORTED.format('engine.js')}).answer('picture', question)).gradients"
        assert page.evaluate(ask, question) == json.loads(local)["gradients"] == {"x": 3.0}

    def test_a_derivation_uses_whole_numbers_as_the_local_process_does(self, page):
        program = "a = sigmoid(z)\nL = -(y * log(a) + (1 - y) * log(1 - a))"
        question = {"program": program, "values": {"z": {"value": 0.5}, "y": {"value": 1, "data": True}}, "about": "z"}
        ask = f"async (question) => (await ({IMPORTED.format('engine.js')}).answer('derivation', question)).steps"
        steps = page.evaluate(ask, question)
        assert steps == json.loads(answered("derivation", json.dumps(question)))["steps"]
        assert steps[-1]["text"] == "a - 1"

    def test_a_wrong_claim_is_found(self, page):
        page.wait_for_selector("#verdicts li", timeout=20_000)
        assert "dZ" in page.inner_text("#verdicts")

    def test_a_card_opens_its_entries(self, page):
        page.locator("#canvas g.node").first.click()
        page.wait_for_selector("dialog[open] table", timeout=20_000)
        page.keyboard.press("Escape")

    def test_the_graph_is_stepped_through(self, page):
        page.click("[aria-controls=steps]")
        page.frame_locator("#steps iframe").locator("svg").first.wait_for(timeout=20_000)

    def test_a_gradient_is_derived(self, page):
        page.click("[aria-controls=derivation]")
        page.wait_for_selector("#derivation math", timeout=20_000)
        assert "agrees with backprop" in page.inner_text("#derivation")

    def test_the_compiled_program_is_shown(self, page):
        page.click("[aria-controls=compiled]")
        page.locator("#compiled .step", has_text="def step(W, x)").wait_for(timeout=20_000)

    def test_a_key_changes_the_picture(self, page):
        page.click("[aria-controls=graph]")
        page.locator("#program textarea").fill("Z = W @ x\nJ = sum(Z)")
        page.locator("#program-status", has_text="J is −4").wait_for(timeout=20_000)

    def test_what_takes_too_long_ends_with_its_worker_and_the_page_goes_on(self, page):
        assert page.evaluate(STOPPED) == ["stopped: it took more than 0.001 seconds", True]
        page.locator("#program textarea").fill("Z = W @ x\nJ = sum(2 * Z)")
        page.locator("#program-status", has_text="J is −8").wait_for(timeout=20_000)

    def test_training_on_digits_runs_in_the_worker(self, page, site):
        page = page.context.new_page()  # without what was typed and pressed before
        page.goto(site)
        page.wait_for_selector("#canvas svg", timeout=90_000)
        page.select_option("#examples", label="Two kinds of digits, by two numbers")
        page.locator("#descent .example").nth(299).wait_for(timeout=30_000)
        page.get_by_label("steps at a time").select_option("10")
        page.get_by_role("button", name="One step").click()
        page.get_by_role("img", name=re.compile(r"^J fell from .* steps$")).wait_for(timeout=30_000)


def opened(browser, address, *, without="", script="", javascript=True):
    """What the page says where it cannot run: without a file, or after a script that takes something away."""
    context = browser.new_context(java_script_enabled=javascript)
    page = context.new_page()
    page.route(lambda url: bool(without) and without in url, lambda route: route.fulfill(status=404, body=""))
    page.add_init_script(script)
    page.goto(address + LINK)
    status = page.locator("#program-status.bad, .unstarted")
    status.last.wait_for(timeout=30_000)
    page.wait_for_timeout(0 if javascript else 5_500)
    words = " ".join(page.locator("#program-status.bad, .unstarted >> visible=true").all_inner_texts())
    context.close()
    return words


@pytest.mark.thorough
@pytest.mark.browser
@needs_pyodide
class TestRefusal:
    @pytest.mark.parametrize("file", ["numpy.packed", "asm.wasm", "autotiny.packed", "python_stdlib", "worker.js"])
    def test_a_file_that_does_not_load_is_named(self, browser, site, file):
        words = opened(browser, site, without=file)
        assert words.startswith("Python did not start: ")
        assert file in words

    def test_a_browser_without_webassembly_is_told_so(self, browser, site):
        assert opened(browser, site, script="delete window.WebAssembly") == (
            "This browser has no WebAssembly, in which Python runs here."
        )

    def test_a_browser_without_workers_is_told_so(self, browser, site):
        assert "This browser has no workers" in opened(browser, site, script="delete window.Worker")

    def test_without_scripts_the_page_says_what_it_needs(self, browser, site):
        assert "This page needs JavaScript, and a web server" in opened(browser, site, javascript=False)

    def test_a_module_that_does_not_load_leaves_the_same_words(self, browser, site):
        assert "This page needs JavaScript, and a web server" in opened(browser, site, without="progress.js")

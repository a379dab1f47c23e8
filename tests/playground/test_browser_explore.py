"""The widget's page in a real browser: beside a stand-in for the notebook, and in JupyterLab itself."""

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import autotiny as at
from autotiny.playground.explore import answer, page_parts, reply
from drawing.browser import launched

pytestmark = pytest.mark.browser

NOTEBOOK = """
import numpy as np, autotiny as at
def neuron(x, w, b):
    return np.tanh(w @ x + b)
e = at.explore(neuron, x=at.Tensor([1.0, -2.0], requires_grad=False), w=[0.5, 0.3], b=(-3, 3))
e
"""
# What a notebook is to a widget: facts that either side sets, and hears of.
MODEL = """
const facts = FACTS, heard = [];
window.model = {
  get: (name) => facts[name],
  set: (name, value) => { facts[name] = value; },
  save_changes: async () => { facts.answer = await window.asked(facts.asked); heard.forEach((f) => f()); },
  on: (event, f) => heard.push(f),
  off: () => {},
};
"""


@pytest.fixture(scope="module")
def browser():
    yield from launched()


@pytest.fixture
def explorer():
    exec(NOTEBOOK, scope := {})
    return scope["e"]


class Notebook:
    """A page with the widget, whose questions go to an explorer in this process."""

    def __init__(self, browser, explorer):
        self.page, self.explorer, self.questions = browser.new_page(), explorer, []
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(error))
        self.page.expose_function("asked", self.answered)
        controls = [each.description for each in explorer.controls.values() if each.shown]
        facts = json.dumps({"controls": controls, "answer": answer(explorer)}).replace("</", "<\\/")
        script, style = page_parts()
        shown = script.replace("export default { render };", "render({ model: window.model, el: document.body });")
        self.page.set_content(
            f"<!doctype html><style>{style}</style><body><script>{MODEL.replace('FACTS', facts)}</script>"
            f"<script type=module>{shown}</script>"
        )
        self.steps = self.page.frame_locator("iframe:not(.coming)")
        self.steps.locator("output").wait_for()

    def answered(self, asked):
        self.questions.append(asked)
        return reply(self.explorer, asked)

    def wait_for(self, words):
        self.page.get_by_text(words).wait_for()


@pytest.fixture
def notebook(browser, explorer):
    notebook = Notebook(browser, explorer)
    yield notebook
    assert notebook.errors == []
    notebook.page.close()


def test_the_last_step_is_shown_at_first(notebook):
    assert notebook.steps.locator("output").inner_text() == "backward 5 of 5"


def test_a_slider_that_is_moved_by_key_changes_the_gradients(notebook):
    notebook.page.get_by_role("slider", name="b").press("ArrowRight")
    notebook.wait_for("∂neuron/∂b = 0.9975")
    assert notebook.explorer.values["b"] == 0.05


def test_a_cell_that_is_typed_changes_the_picture(notebook):
    notebook.page.get_by_label("w, row 1, column 2").fill("0.25")
    notebook.wait_for("∂neuron/∂b = 1")
    notebook.steps.get_by_text("0.25", exact=True).first.wait_for()


def test_an_exact_number_can_be_typed_beside_the_slider(notebook):
    notebook.page.get_by_label("b, exactly").fill("0.1")
    notebook.page.get_by_label("b, exactly").press("Enter")
    notebook.wait_for("∂neuron/∂b = 1")


def test_a_number_out_of_bounds_is_not_asked_for(notebook):
    notebook.page.get_by_label("b, exactly").fill("99")
    notebook.page.get_by_label("b, exactly").press("Enter")
    assert notebook.questions == []


def test_dragging_asks_one_question_at_a_time_and_ends_at_the_last_value(notebook):
    slider = notebook.page.get_by_role("slider", name="b")
    for _ in range(20):
        slider.press("ArrowRight", no_wait_after=True)
    notebook.page.wait_for_function("document.querySelector('input[type=range]').value == 1")
    notebook.wait_for(re.compile("∂neuron/∂b = 0.48"))
    assert notebook.explorer.values["b"] == 1
    assert [each["number"] for each in notebook.questions] == list(range(1, len(notebook.questions) + 1))


MOVED_TWICE = """(slider, values) => values.forEach((value) => {
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
})"""


def test_an_answer_about_an_older_value_leaves_the_slider_where_it_is(notebook):
    notebook.page.get_by_role("slider", name="b").evaluate(MOVED_TWICE, [0.5, 1])
    notebook.wait_for(re.compile("∂neuron/∂b = 0.48"))
    assert [each["values"]["b"] for each in notebook.questions] == [0.5, 1]


def test_a_step_that_is_asked_for_early_starts_from_the_latest_values(notebook):
    notebook.page.get_by_role("slider", name="b").evaluate(MOVED_TWICE, [0.5, 1])
    notebook.page.get_by_role("button", name="Step downhill").click()
    notebook.page.wait_for_function("document.querySelectorAll('.charts > div').length == 2")
    assert [each["step"] for each in notebook.questions] == [None, None, 0.1]


def test_a_new_picture_goes_on_at_the_step_of_the_old_one(notebook):
    for _ in range(2):
        notebook.steps.locator("[data-go=back]").click()
    notebook.page.get_by_role("slider", name="b").press("ArrowRight")
    notebook.wait_for("∂neuron/∂b = 0.9975")
    notebook.page.wait_for_function("document.querySelectorAll('iframe').length == 1")
    assert notebook.steps.locator("output").inner_text() == "backward 3 of 5"


def test_an_error_is_shown_beside_the_last_picture(browser):
    explorer = at.explore(lambda a, w: np.sum(np.linalg.inv(w)) * a, w=[[1.0, 0.0], [0.0, 1.0]], a=(1, 2))
    page = Notebook(browser, explorer)
    page.page.get_by_label("w, row 1, column 1").fill("0")
    page.page.get_by_role("alert").get_by_text("ingular").wait_for()
    assert page.steps.locator("output").inner_text().startswith("backward")
    page.page.get_by_label("w, row 1, column 1").fill("2")
    page.wait_for("∂f/∂a = 1.5")
    assert page.page.locator("[role=alert]").text_content() == ""


def expect_words(element, words):
    from playwright.sync_api import expect

    expect(element).to_contain_text(words)


def test_the_curve_follows_what_is_changed_and_steps_leave_a_path(notebook):
    page = notebook.page
    page.get_by_role("slider", name="b").press("ArrowRight")
    words = page.locator(".words")
    expect_words(words, "neuron = −0.04996 at b = 0.05, with slope 0.9975")
    page.get_by_label("w, row 1, column 2").fill("0.25")
    expect_words(words, "at w[1] = 0.25")
    page.get_by_label("And", exact=True).select_option(label="b")
    page.locator(".arrow").wait_for()
    for n in (2, 3):
        page.get_by_role("button", name="Step downhill").click()
        page.wait_for_function(f"document.querySelectorAll('.path-step').length == {n}")
    page.get_by_role("img", name=re.compile("^neuron fell from .* in 2 steps")).wait_for()


# ----- JupyterLab -----
@pytest.fixture
def lab(tmp_path):
    if not all(map(importlib.util.find_spec, ("jupyterlab", "anywidget"))):
        pytest.skip("no JupyterLab: pip install jupyterlab anywidget")
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": NOTEBOOK, "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "explore.ipynb").write_text(json.dumps(notebook))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    private = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="]
    quiet = [
        "--ServerApp.password=",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, *quiet],
            cwd=tmp_path, env=os.environ | private, stdout=log, stderr=log,
        )  # fmt: skip
        yield _answering(f"http://127.0.0.1:{port}", tmp_path / "log")
        server.terminate()
        server.wait(30)


def _answering(address: str, log: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/api", timeout=5).close()
            return address
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


def test_in_jupyterlab_a_slider_reaches_python_and_the_answer_comes_back(lab, browser):
    page = browser.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{lab}/lab/tree/explore.ipynb?reset")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.get_by_text("∂neuron/∂b = 0.9901").wait_for()
    page.get_by_role("slider", name="b").press("ArrowRight")
    page.get_by_text("∂neuron/∂b = 0.9975").wait_for()
    page.close()

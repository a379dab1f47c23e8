"""The panel of descent in a real Chromium: a dragged value, a contour with a path, and training."""

import re

import pytest

from drawing.browser import launched

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    yield from launched()


@pytest.fixture
def page(browser, server):
    complaints, context = [], browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.gate.address)
    page.wait_for_selector("#canvas svg")
    page.get_by_role("tab", name="Descent").click()
    page.wait_for_selector("#descent .chart")
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def expect():
    from playwright.sync_api import expect

    expect.set_options(timeout=15_000)
    return expect


def words(page):
    return page.locator("#descent .status")


def test_changed_value_is_the_one_along_which_the_loss_is_drawn(page, expect):
    expect(words(page)).to_have_text("L = 0.7449 at a = 0.5, with slope −0.41")
    page.get_by_role("textbox", name="b", exact=True).fill("-1")
    expect(words(page)).to_have_text("L = 0.9621 at b = −1, with slope 0.3932")
    expect(page.get_by_role("textbox", name="b", exact=True)).to_be_focused()


def test_another_program_is_drawn_at_the_same_values(page, expect):
    page.get_by_role("textbox", name="Program").fill("L = a * a + b")
    expect(words(page)).to_have_text("L = −1.25 at a = 0.5, with slope 1")
    page.get_by_role("textbox", name="Program").fill("L = log(a - 3) + b")
    expect(words(page)).to_have_text("L = nan at a = 0.5, so that there is no tangent")
    page.get_by_role("textbox", name="Program").fill("y = b * c")
    expect(words(page)).to_have_text("y = −1.5 at b = −1.5, with slope 1")


def test_point_is_dragged_along_the_curve(page, expect):
    box = page.locator("#descent .handle").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 50, steps=3)
    page.mouse.up()
    expect(page.get_by_role("textbox", name="a", exact=True)).to_have_value(re.compile(r"^1(\.0\d*)?$|^0\.99"))
    expect(words(page)).to_contain_text(re.compile("at a = (1|0.99)"))


def test_contour_shows_the_path_of_step_downhill_and_the_losses(page, expect):
    page.get_by_label("A second value, for a contour").select_option(label="b")
    expect(page.locator("#descent .arrow")).to_have_count(1)
    for n in (2, 3):
        page.get_by_role("button", name="Step downhill").click()
        expect(page.locator("#descent .path-step")).to_have_count(n)
    expect(page.get_by_role("img", name=re.compile(r"^L fell from 0.7449\d* to 0\.\d+ in 2 steps"))).to_be_visible()
    page.get_by_role("button", name="Back to the start").click()
    expect(page.get_by_role("textbox", name="a", exact=True)).to_have_value("0.5")
    expect(page.locator("#descent .path-step")).to_have_count(0)


def test_training_plays_and_pauses_and_its_link_goes_on_from_there(page, expect):
    page.select_option("#examples", label="Two kinds of digits, by two numbers")
    expect(page.locator("#descent .example")).to_have_count(300)
    page.get_by_label("momentum").fill("0.9")
    page.get_by_label("steps at a time").select_option("10")
    page.get_by_role("button", name="▶ Play").click()
    expect(page.get_by_role("img", name=re.compile(r"^J fell from .* in [4-9]\d steps"))).to_be_visible()
    page.get_by_role("button", name="⏸ Pause").click()
    expect(page.get_by_role("button", name="▶ Play")).to_be_visible()
    page.wait_for_timeout(600)
    first = page.locator("#values .cell").first
    value, address = first.input_value(), page.url
    assert "dataset=digits%201%20and%205" in address
    page.reload()
    expect(first).to_have_value(value)


def test_cells_show_what_fits_and_with_the_focus_every_digit(page, expect):
    page.select_option("#examples", label="Two kinds of digits, by two numbers")
    expect(page.locator("#descent .example")).to_have_count(300)
    page.get_by_role("button", name="One step").click()
    expect(page.get_by_role("button", name="Back to the start")).to_be_enabled()
    cells = page.locator("#values .cell")
    assert max(len(text) for text in cells.evaluate_all("cells => cells.map(cell => cell.value)")) <= 6
    short = cells.first.input_value()
    cells.first.focus()
    exact = cells.first.input_value()
    assert len(exact) > 6
    assert round(float(exact), len(short.partition(".")[2])) == float(short)
    cells.nth(1).focus()
    expect(cells.first).to_have_value(short)


def test_one_learning_rate_stands_in_both_places(page, expect):
    page.get_by_label("learning rate").fill("0.3")
    expect(page.get_by_label("rate", exact=True)).to_have_value("0.3")
    page.get_by_label("rate", exact=True).fill("0.05")
    expect(page.get_by_label("learning rate")).to_have_value("0.05")


def test_wrong_rate_is_said_and_marked(page, expect):
    page.get_by_label("learning rate").fill("-1")
    page.get_by_role("button", name="One step").click()
    expect(words(page)).to_have_text("The rate is a number above 0, the momentum one from 0 to below 1.")

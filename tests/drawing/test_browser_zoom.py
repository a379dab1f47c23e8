"""Zoom, pan and search of a picture, in a real browser."""

import numpy as np
import pytest

import autotiny as at

pytestmark = pytest.mark.browser


def scale(page):
    return page.locator(".scale").text_content()


def middle(page, name):
    box = page.locator(f".view:not([hidden]) .node.{name}").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_buttons_keys_and_wheel_zoom(visit, flagship):
    page = visit(at.draw(flagship).steps)
    assert scale(page) == "100 %"
    page.get_by_label("Larger (+)").click()
    assert scale(page) == "125 %"
    page.get_by_label("Smaller (−)").click()
    page.get_by_label("Whole picture").click()
    svg, stage = page.locator(".stage svg").bounding_box(), page.locator(".stage").bounding_box()
    assert svg["height"] <= stage["height"]
    page.locator(".stage").first.focus()
    page.keyboard.press("0")
    page.keyboard.press("+")
    assert scale(page) == "125 %"


def test_the_scale_is_told_anew_when_the_window_changes(visit):
    x = at.Tensor(0.5, name="x")
    page = visit(at.draw(np.tanh(x * x) + x).steps)
    before = scale(page)
    page.set_viewport_size({"width": 900, "height": 500})
    page.locator(".scale").filter(has_not_text=before).wait_for()
    svg = page.locator(".stage svg").first
    width = float(svg.get_attribute("viewBox").split()[2])
    assert scale(page) == f"{100 * svg.bounding_box()['width'] / width:.0f} %"


def place_in_picture(page, x, y):
    box = page.locator(".stage svg").first.bounding_box()
    return (x - box["x"]) / box["width"], (y - box["y"]) / box["height"]


def test_the_wheel_zooms_about_the_pointer(visit, flagship):
    page = visit(at.draw(flagship).steps)
    for _ in range(3):
        page.get_by_label("Larger (+)").click()
    before, there = scale(page), place_in_picture(page, 500, 300)
    page.mouse.move(500, 300)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.locator(".scale").filter(has_not_text=before).wait_for()
    assert place_in_picture(page, 500, 300) == pytest.approx(there, abs=0.01)


def test_dragging_pans_and_opens_nothing(visit, flagship):
    page = visit(at.draw(flagship).steps, reduced_motion="reduce")
    x, y = middle(page, "n5")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 100, steps=4)
    page.mouse.up()
    assert middle(page, "n5") == pytest.approx((x, y - 100), abs=3)
    assert page.get_by_role("dialog").count() == 0


def test_search_goes_through_cards_and_enter_goes_to_one(visit, flagship):
    page = visit(at.draw(flagship).steps)
    box = page.get_by_label("Find a card by its name")
    box.fill("w")
    assert page.locator(".count").text_content() == "1/2"
    box.press("ArrowDown")
    assert page.locator(".count").text_content() == "2/2"
    assert page.locator(".node.match").count() == 1
    box.fill("no such card")
    assert page.locator(".count").text_content() == "none"
    box.fill("")
    page.locator(".stage").first.focus()
    page.keyboard.press("/")
    page.keyboard.type("j")
    assert page.locator(".node.match title").text_content().startswith("J")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").get_attribute("aria-label") == "J, entry by entry"


def test_search_opens_the_group_that_a_card_is_in(visit):
    x = at.Tensor(2.0, name="x")
    with at.scope("hidden layer"):
        inner = x * x
        inner.name = "inner"
        x = inner + 1
    page = visit(at.draw(x * 3, depth=1).steps)
    page.get_by_label("Find a card by its name").fill("inner")
    assert page.locator(".opened:visible b").text_content() == "hidden layer"
    assert page.locator(".view:not([hidden]) .node.match").count() == 1

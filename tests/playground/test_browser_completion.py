"""Completion, the list of functions and what is copied, in a real Chromium with the keyboard."""

import pytest

from playground.test_browser import browser, expect, page, program, visit  # noqa: F401

pytestmark = pytest.mark.browser


def test_a_name_is_completed_by_keys_and_escape_leaves_the_text(page, expect):  # noqa: F811
    area = program(page)
    area.fill("")
    area.press_sequentially("y = softm")
    offered = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(offered).to_have_count(1)
    area.press("Tab")
    expect(area).to_have_value("y = softmax()")
    area.press_sequentially("a")
    expect(area).to_have_value("y = softmax(a)")
    area.fill("")
    area.press_sequentially("y = si")
    expect(offered.first).to_be_visible()
    area.press("ArrowDown")
    expect(page.locator(".completion [aria-selected=true]")).to_have_count(1)
    assert area.get_attribute("aria-activedescendant")
    area.press("Escape")
    expect(page.locator(".completion:visible")).to_have_count(0)
    area.press_sequentially("n")
    area.press("Enter")  # nothing is chosen: a new line
    expect(area).to_have_value("y = sin\n")


def test_the_list_of_functions_is_searched_and_inserts(page, expect):  # noqa: F811
    area = program(page)
    area.fill("y = ")
    page.get_by_text("Functions", exact=True).click()
    page.get_by_role("searchbox", name="Search functions").fill("sigmoid log")
    page.get_by_role("button", name="log_sigmoid").click()
    expect(area).to_have_value("y = log_sigmoid()")
    page.get_by_role("searchbox", name="Search functions").fill("nothing like it")
    expect(page.get_by_text("no function has these words")).to_be_visible()


def test_a_derivation_is_copied(visit, expect):  # noqa: F811
    page = visit(permissions=["clipboard-read", "clipboard-write"])  # noqa: F811
    page.get_by_role("tab", name="Derivation").click()
    for form, part in {"LaTeX": r"\begin{aligned}", "NumPy": "def d", "Python": "import autotiny as at"}.items():
        page.get_by_role("group", name="Copy").get_by_role("button", name=form).click()
        expect(page.get_by_text(f"{form} copied.")).to_be_visible()
        assert part in page.evaluate("navigator.clipboard.readText()")

"""Look closer, in a real browser: by pointer, by touch and by keyboard, on every page that has it."""

import re

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing.figure import figure_script, figure_style

pytestmark = pytest.mark.browser


@pytest.fixture
def product():
    """J = sum(W @ X) + W[0, 0]: dJ/dW[0, 0] = 5 + 6 + 7 + 1."""
    W = at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W")
    X = np.array([[5.0, 6.0, 7.0], [8.0, 9.0, 10.0]])
    Z = W @ X
    J = np.sum(Z) + W[0, 0]
    Z.name, J.name = "Z", "J"
    J.backward()
    return J


def card(page, name):
    return page.get_by_role("button", name=re.compile(rf"^{name}\b.*entry by entry"))


def rule(page):
    return page.locator("dialog .rule").inner_text()


def test_the_dialog_is_in_the_middle_where_a_notebook_gives_the_last_element_a_margin(visit, product):
    page = visit(at.draw(product).steps)
    page.evaluate("document.adoptedStyleSheets = [new CSSStyleSheet()]")
    page.evaluate("document.adoptedStyleSheets[0].insertRule('dialog.closer.closer { margin-bottom: 7px }')")
    card(page, "W").click()
    box, window = page.get_by_role("dialog").bounding_box(), page.viewport_size
    assert abs(box["y"] + box["height"] / 2 - window["height"] / 2) < 2


def test_a_click_shows_the_entries_and_the_chain_rule_of_the_largest(visit, product):
    page = visit(at.draw(product).steps)
    card(page, "W").click()
    dialog = page.get_by_role("dialog", name="W, entry by entry")
    assert dialog.locator("td[data-entry]").count() == 4
    assert dialog.locator(".readout").text_content() == "W[0, 1] = 2, ∂J/∂W[0, 1] = 27"
    dialog.locator("td[data-entry='0']").click()
    assert dialog.locator(".readout").text_content() == "W[0, 0] = 1, ∂J/∂W[0, 0] = 19"
    assert "∂J/∂W[0, 0] = 1 + 18 = 19" in rule(page)
    dialog.locator("td[data-entry='3']").hover()
    assert dialog.locator(".readout").text_content() == "W[1, 1] = 4, ∂J/∂W[1, 1] = 27"
    for row in ("Z[0, 0]\t1\t× 5\t= 5", "Z[0, 2]\t1\t× 7\t= 7", "sum\t\t\t= 18"):
        assert row in rule(page)


def test_keyboard_alone_opens_moves_picks_follows_and_closes(visit, product):
    page = visit(at.draw(product).steps)
    card(page, "W").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    assert page.locator(".readout").text_content() == "W[1, 1] = 4, ∂J/∂W[1, 1] = 27"
    for key in ("Tab", "Tab", "Tab", "Enter"):  # the chain rule, its first link, its second
        page.keyboard.press(key)
    assert page.get_by_role("dialog").get_attribute("aria-label") == "Z, entry by entry"
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("W")
    assert page.locator("output").first.text_content().startswith("forward 1")


def test_touch_opens_on_a_phone_and_nothing_is_cut_off(visit, flagship):
    page = visit(at.draw(flagship).steps, 390, 844, has_touch=True)
    card(page, "W1").tap()
    page.locator("td[data-entry='5']").tap()
    assert page.locator(".readout").text_content().startswith("W1[1, 1] = ")
    box = page.get_by_role("dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["height"] <= 844
    assert page.evaluate("(d => d.scrollWidth <= d.clientWidth)(document.querySelector('dialog'))")


def test_an_excerpt_says_so(visit):
    x = at.Tensor(np.arange(10_000.0).reshape(100, 100), name="x")
    page = visit(at.draw(np.sum(x * 2)).steps)
    card(page, "x").click()
    assert re.search(r"An excerpt: the first \d+ of 100 rows, .*of 10000 entries", page.locator(".note").text_content())


def test_pictures_of_a_notebook_open_each_on_its_own(visit, product):
    other = at.draw(np.sum(at.Tensor([3.0, 4.0], name="v") ** 2))
    cells = [picture._repr_mimebundle_()["text/html"] for picture in (at.draw(product), other)]
    page = visit("<!doctype html><div>" + "</div><div>".join(cells) + "</div>")
    assert page.locator("dialog").count() == 2
    card(page, "v").click()
    assert page.locator(".note").text_content() == "There is no gradient yet: call t2.backward()."
    assert page.locator(".readout").text_content() == "v[0] = 3"
    page.keyboard.press("Escape")
    card(page, "W").click()
    assert page.locator("dialog[open] td[data-entry]").count() == 4


def test_a_figure_enlarges_opens_and_goes_back(visit, product):
    body = f"<p>before</p>{at.draw(product).figure}<p>after</p>"
    page = visit(f"<!doctype html><style>{figure_style()}</style>{body}<script>{figure_script()}</script>")
    page.get_by_role("button", name="Enlarge").click()
    enlarged = page.get_by_role("dialog", name="The graph, enlarged").bounding_box()
    assert (enlarged["width"], enlarged["height"]) == (1280, 800)
    card(page, "W").click()
    page.get_by_role("dialog", name="W, entry by entry").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator("button:focus", has_text="Enlarge").wait_for()
    assert page.locator("dialog[open]").count() == 0
    assert page.locator("p + .picture").count() == 1


def test_a_group_lists_what_it_holds_and_leads_to_it(visit):
    x = at.Tensor([1.0, 2.0], name="x")
    with at.scope("outer"):
        y = x * 2
        y.name = "y"
        with at.scope("inner"):
            z = y * y
            z.name = "z"
    page = visit("<!doctype html>" + at.draw(np.sum(z), depth=1)._repr_mimebundle_()["text/html"])
    page.get_by_role("button", name=re.compile("^outer")).click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_attribute("aria-label") == "outer, its contents"
    dialog.get_by_role("button", name="inner").click()
    assert "z = y * y" in dialog.inner_text()
    assert "4 … 16" in dialog.inner_text()


def test_a_name_beside_a_later_use_opens_its_card(visit):
    w, h = at.Tensor([0.9, 1.1], name="w"), np.array([0.5, 0.25])
    for _ in range(6):
        h = np.tanh(w * h)
    J = np.sum(h)
    J.backward()
    page = visit(at.draw(J, depth=9).steps)
    page.locator("g.again").last.click()
    assert page.get_by_role("dialog").get_attribute("aria-label") == "w, entry by entry"

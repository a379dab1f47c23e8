"""The page that steps, in a real browser: by keyboard, by mouse, by screen reader; dark, narrow and still."""

import re
from contextlib import contextmanager

import numpy as np
import pytest

import autotiny as at

pytestmark = pytest.mark.browser


@pytest.fixture
def two_paths():
    """L = a * b + a ** 3 at a = 2, b = -3: dL/da is the sum of two contributions, 12 and -3."""
    a, b = at.Tensor(2.0, name="a"), at.Tensor(-3.0, name="b")
    e = a * b
    e.name = "e"
    L = e + a**3
    L.name = "L"
    return at.draw(L).steps


@pytest.fixture
def layers():
    rng = np.random.default_rng(0)
    A = at.Tensor(rng.normal(size=(4, 6)), requires_grad=False, name="X")
    for l in (1, 2, 3):
        with at.scope(f"layer {l}"):
            Z = at.Tensor(rng.normal(size=(4, 4)), name=f"W{l}") @ A
            with at.scope("activation"):
                A = np.tanh(Z) * 2
    J = np.sum(A)
    J.name = "J"
    return at.draw(J, depth=1).steps


def at_step(page, k):
    """Moves the slider, as a hand does."""
    page.locator(".controls input").evaluate(
        "(slider, k) => { slider.value = k; slider.dispatchEvent(new Event('input')) }", k
    )


def place(page):
    return page.locator("output").text_content()


def card(page, name):
    """The group of a card that can be seen, by its class."""
    return page.locator(f".view:not([hidden]) .node.{name}")


def style(locator, name):
    return locator.evaluate(f"element => getComputedStyle(element).{name}")


def numbers(card):
    return card.locator("text").evaluate_all(
        "texts => texts.filter(text => getComputedStyle(text).visibility === 'visible').map(text => text.textContent)"
    )


# ----- what is shown -----
def test_one_step_at_a_time_is_shown_with_its_lines(visit, two_paths):
    page = visit(two_paths)
    for k, step in enumerate(two_paths.steps):
        at_step(page, k)
        shown = page.locator(".steps li:visible")
        assert shown.count() == 1
        assert shown.locator("h2").text_content() == step.title
        for line in step.lines:
            assert line.text in shown.text_content()


def test_values_appear_as_they_are_computed(visit, two_paths):
    page = visit(two_paths, reduced_motion="reduce")
    at_step(page, 0)
    assert [float(style(card(page, name), "opacity")) for name in ("n0", "n2", "n5")] == [1, 1, pytest.approx(0.18)]
    at_step(page, 2)
    assert float(style(card(page, "n5"), "opacity")) == 1


def test_gradients_appear_with_their_running_sums(visit, two_paths):
    page = visit(two_paths)
    sums = {}
    for k in range(len(two_paths.steps)):
        at_step(page, k)
        sums.setdefault(tuple(n for n in numbers(card(page, "n0")) if re.fullmatch(r"−?\d+", n)), k)
    assert list(sums) == [("2",), ("2", "12"), ("2", "9")]
    at_step(page, 0)
    assert "12" not in numbers(card(page, "n0"))


def test_the_edge_of_a_contribution_is_lit(visit, two_paths):
    page = visit(two_paths)
    backward = next(k for k, step in enumerate(two_paths.steps) if step.edge)
    at_step(page, backward)
    lit = page.locator(".edge.active")
    assert lit.count() == 1
    assert two_paths.steps[backward].edge in lit.get_attribute("class").split()
    assert two_paths.steps[backward].receiver in page.locator(".node.receiving").get_attribute("class").split()


# ----- keyboard, mouse and screen reader -----
def test_arrows_home_and_end_move_by_keyboard(visit, two_paths):
    page = visit(two_paths)
    assert place(page) == "forward 1 of 3"
    page.keyboard.press("ArrowRight")
    assert place(page) == "forward 2 of 3"
    page.keyboard.press("End")
    assert place(page) == "backward 6 of 6"
    page.keyboard.press("ArrowRight")
    assert place(page) == "backward 6 of 6"
    page.keyboard.press("ArrowLeft")
    assert place(page) == "backward 5 of 6"
    page.keyboard.press("Home")
    assert place(page) == "forward 1 of 3"


def test_slider_is_reached_by_tab_and_moves_one_step_for_one_key(visit, two_paths):
    page = visit(two_paths)
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "range":
            break
    page.keyboard.press("ArrowRight")
    assert place(page) == "forward 2 of 3"
    assert page.locator(".controls input").get_attribute("aria-valuetext") == "forward 2 of 3: t1 = a ** 3"


def test_slider_moves_by_mouse(visit, two_paths):
    page = visit(two_paths)
    box = page.locator(".controls input").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    assert place(page) == "backward 6 of 6"


def test_buttons_move_and_stop_at_both_ends(visit, two_paths):
    page = visit(two_paths)
    assert page.get_by_label("One step back").is_disabled()
    page.get_by_label("One step on").click()
    assert place(page) == "forward 2 of 3"
    page.get_by_label("Last step").click()
    assert page.get_by_label("One step on").is_disabled()
    page.get_by_label("First step").click()
    assert place(page) == "forward 1 of 3"


def test_space_plays_and_pauses(visit, two_paths):
    page = visit(two_paths)
    page.clock.install()
    page.keyboard.press(" ")
    assert page.get_by_label("Pause").count() == 1
    page.clock.run_for(2 * 2200 + 100)
    assert place(page) == "forward 3 of 3"
    page.keyboard.press(" ")
    page.clock.run_for(10_000)
    assert place(page) == "forward 3 of 3"


def test_playing_ends_at_the_last_step_and_starts_anew(visit, two_paths):
    page = visit(two_paths)
    page.clock.install()
    page.get_by_label("Play").click()
    page.clock.run_for(60_000)
    assert place(page) == "backward 6 of 6"
    page.get_by_label("Play").click()
    assert place(page) == "forward 1 of 3"


def test_steps_are_announced(visit, two_paths):
    page = visit(two_paths)
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.locator(".announced").text_content() == two_paths.steps[5].sentence


# ----- groups -----
def test_a_click_opens_a_group_at_the_same_moment_and_escape_closes_it(visit, layers):
    page = visit(layers)
    page.keyboard.press("End")
    before = page.locator(".steps li:visible h2").text_content()
    page.get_by_role("button", name="Open layer 2").click()
    assert page.locator(".opened:visible").text_content().startswith("layer 2 is open")
    assert page.locator(".view:not([hidden]) .node").count() > 5
    assert page.locator(".announced").text_content() == "layer 2 is open"
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    assert page.locator(".opened:visible").count() == 0
    assert page.locator(".steps li:visible h2").text_content() == before


def test_groups_open_and_close_by_keyboard_and_keep_the_focus(visit, layers):
    page = visit(layers)
    page.get_by_role("button", name="Open layer 2").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Open activation").focus()
    page.keyboard.press(" ")
    page.locator(".opened:visible b", has_text="activation").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Open layer 2"


def test_another_group_can_be_opened_while_one_is_open(visit, layers):
    page = visit(layers)
    page.get_by_role("button", name="Open layer 3").click()
    page.locator(".view:not([hidden])").get_by_role("button", name="Open layer 1").click()
    page.locator(".opened:visible b", has_text="layer 1").wait_for()
    page.get_by_role("button", name="Close").click()
    assert page.locator(".opened:visible").count() == 0


# ----- dark, narrow, still, hostile -----
def luminance(colour):
    channels = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("k", [0, 5])
def test_every_word_is_legible(visit, two_paths, scheme, k):
    page = visit(two_paths, color_scheme=scheme)
    at_step(page, k)
    grounds = {name: style(page.locator(name), "backgroundColor") for name in ("body", ".steps")}
    assert (luminance(grounds["body"]) > 0.5) == (scheme == "light")
    for ground, words in {
        "body": "h1, .keys, .scale, .controls output",
        ".steps": "li.now :is(h2, .pass, dt, dd)",
    }.items():
        for text in page.locator(words).all():
            assert contrast(style(text, "color"), grounds[ground]) >= 4.5


def test_everything_fits_a_phone(visit, layers):
    page = visit(layers, 390, 844, has_touch=True)
    page.keyboard.press("End")
    assert page.evaluate(
        "document.documentElement.scrollWidth <= innerWidth && document.body.scrollHeight <= innerHeight"
    )
    for control in page.locator(".controls :is(button, input, output)").all():
        box = control.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 844
    assert all(button.bounding_box()["height"] >= 44 for button in page.locator(".buttons button").all())


@pytest.mark.parametrize("width", [390, 1280])
def test_the_card_that_changes_is_scrolled_into_view(visit, flagship, width):
    steps = at.draw(flagship).steps
    page = visit(steps, width, 700, reduced_motion="reduce")
    for k in range(0, len(steps.steps), 7):
        at_step(page, k)
        stage, box = (
            page.locator(".stage").bounding_box(),
            card(page, steps.steps[k].receiver or steps.steps[k].active).bounding_box(),
        )
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        assert stage["x"] <= middle[0] <= stage["x"] + stage["width"]
        assert stage["y"] <= middle[1] <= stage["y"] + stage["height"]


def test_nothing_moves_where_no_motion_is_wanted(visit, two_paths):
    moving = "document.getAnimations().filter(animation => animation.playState === 'running').length"
    for wanted, is_moving in (("no-preference", True), ("reduce", False)):
        page = visit(two_paths, reduced_motion=wanted)
        page.keyboard.press("End")
        assert (page.evaluate(moving) > 0) == is_moving


def test_hostile_names_are_shown_as_text(visit, hostile):
    page = visit(at.draw(hostile).steps)
    page.keyboard.press("End")
    assert page.locator("h2", has_text="<script>").count() > 0
    assert page.evaluate("document.scripts.length") == 1


@contextmanager
def apart(browser, **options):
    """A page of which nothing is expected."""
    context = browser.new_context(**options)
    yield context.new_page()
    context.close()


def test_no_other_script_may_run(browser, two_paths, tmp_path):
    with apart(browser) as page:
        (tmp_path / "net.html").write_text(two_paths.html.replace("<main", "<script>hacked = 1</script><main", 1))
        page.goto((tmp_path / "net.html").as_uri())
        assert page.evaluate("typeof hacked") == "undefined"
        assert place(page) == "forward 1 of 3"


def test_page_reads_without_scripts(browser, two_paths, tmp_path):
    with apart(browser, java_script_enabled=False) as page:
        (tmp_path / "net.html").write_text(two_paths.html)
        page.goto((tmp_path / "net.html").as_uri())
        assert page.locator(".steps li").count() == len(two_paths.steps)
        assert all(step.is_visible() for step in page.locator(".steps li").all())
        assert not page.locator(".controls").is_visible()


# ----- other forms -----
def test_notebook_form_steps_in_its_frame(visit, two_paths):
    page = visit(two_paths._repr_mimebundle_()["text/html"])
    frame = page.frame_locator("iframe")
    frame.get_by_label("One step on").click()
    assert frame.locator("output").text_content() == "forward 2 of 3"


def test_picture_that_plays_shows_one_caption_after_another(visit, two_paths):
    page = visit(f"<!doctype html><body>{two_paths.svg}")
    for k in range(len(two_paths.steps)):
        moment = 1000 * 2.5 * k + 100
        page.evaluate("t => document.getAnimations().forEach(a => { a.pause(); a.currentTime = t })", moment)
        captions = page.locator("svg g[id*='-t']").evaluate_all(
            "groups => groups.map(group => Number(getComputedStyle(group).opacity))"
        )
        assert captions == [float(other == k) for other in range(len(two_paths.steps))]
        assert float(style(page.locator("svg .node.n5"), "opacity")) == (1 if k >= 2 else 0.15)


def test_picture_that_plays_is_still_where_no_motion_is_wanted(visit, two_paths):
    page = visit(f"<!doctype html><body>{two_paths.svg}", reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
    assert float(style(page.locator("svg .node.n5"), "opacity")) == 1


# ----- lines and operations -----
def test_lines_open_into_operations_one_by_one_and_all_at_once(visit):
    rng = np.random.default_rng(0)
    X, W1, W2 = rng.normal(size=(4, 6)), *(at.Tensor(rng.normal(size=(4, 4)), name=n) for n in ("W1", "W2"))
    Z1 = W1 @ X + 1
    A1 = np.tanh(Z1) * 2
    Z2 = W2 @ A1 - 1
    A2 = np.exp(Z2) / (1 + np.exp(Z2))
    J = -np.mean(np.log(A2) * 0.5)
    page = visit(at.draw(J).steps)
    cards = page.locator(".view:not([hidden]) .node").count()
    page.get_by_role("button", name=re.compile("^Z2 = W2 @ A1 - 1")).click()
    page.get_by_role("button", name="Open its operations").click()
    assert page.locator(".opened:visible b").text_content() == "Z2"
    one = page.locator(".view:not([hidden]) .node").count()
    page.get_by_role("button", name="Operations", exact=True).click()
    assert cards < one < page.locator(".view:not([hidden]) .node").count()
    page.get_by_role("button", name="Lines", exact=True).click()
    assert page.locator(".view:not([hidden]) .node").count() == cards

"""The page in a real Chromium: typed at, dragged, compared, exported, attacked."""

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from autotiny.playground.server import Server
from autotiny.playground.state import fragment
from autotiny.sessions.session import Session
from drawing.browser import launched

pytestmark = pytest.mark.browser

DESKTOP, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
NETWORK = "A two-layer network"


@pytest.fixture(scope="module")
def browser():
    yield from launched()


@pytest.fixture
def visit(browser, server):
    """Opens the page, in a browser of its own, and after the test looks for complaints in its console."""
    complaints, contexts = [], []

    def open_page(fragment="", viewport=DESKTOP, expect_picture=True, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.gate.address + fragment)
        if expect_picture:
            page.wait_for_selector("#canvas svg")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(visit):
    return visit()


@pytest.fixture
def expect():
    from playwright.sync_api import expect

    expect.set_options(timeout=15_000)
    return expect


def start_from(page, title):
    page.select_option("#examples", label=title)


def program(page):
    return page.get_by_role("textbox", name="Program")


def claims(page):
    return page.get_by_role("textbox", name="Your gradient")


def cell(page, label):
    return page.get_by_role("textbox", name=label, exact=True)


def gradient(page, name):
    return page.locator(f'.given-value[data-name="{name}"] .gradient')


# ----- type -----
def test_typing_changes_the_picture_and_the_gradients(page, expect):
    program(page).fill("y = a * b * b")
    expect(page.locator("#program-status")).to_have_text("y is 1.125")
    expect(gradient(page, "b")).to_have_text("∂ −1.5")
    expect(page.locator("#canvas svg text", has_text=re.compile("^c$"))).to_have_count(0)


def test_each_line_shows_its_value(page, expect):
    start_from(page, NETWORK)
    expect(page.locator(".notes").first.locator("div").first).to_have_text("−0.7 … 1.33 × 4")


def test_a_wrong_word_is_underlined_and_mended_by_a_press(page, expect):
    program(page).fill("p = a * b\nL = tanhh(p)")
    expect(page.locator("#program .wrong")).to_have_text("tanhh")
    expect(page.locator("#program-status")).to_contain_text("did you mean tanh?")
    page.get_by_role("button", name="Write tanh").click()
    expect(program(page)).to_have_value("p = a * b\nL = tanh(p)")
    expect(page.locator("#program .wrong")).to_have_count(0)
    expect(page.locator("#program-status")).to_contain_text("L is")


def test_the_last_good_picture_stays_while_a_line_is_wrong(page, expect):
    program(page).fill("p = a * b\nL = tanhh(p)")
    expect(page.locator("#canvas")).to_have_class(re.compile("stale"))
    expect(page.locator("#canvas svg")).to_have_count(1)


def test_a_word_after_letters_outside_the_basic_plane_is_underlined(page, expect):
    program(page).fill("y = a  # 𝛼𝛽\nz = 𝑎 + oops")
    expect(page.locator("#program .wrong").first).to_have_text("oops")


def test_a_name_without_a_value_gets_one(page, expect):
    program(page).fill("y = a * w")
    expect(page.get_by_role("button", name="Add w")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#program-status")).to_have_text("y is 0.5")
    expect(gradient(page, "w")).to_have_text("∂ 0.5")


def test_a_bomb_is_reported_and_the_page_goes_on(page, expect):
    program(page).fill("y = ones((100000, 100000))")
    expect(page.locator("#program-status")).to_contain_text("10,000,000,000 entries; the limit is")
    program(page).fill("y = a * a")
    expect(page.locator("#program-status")).to_have_text("y is 0.25")


# ----- drag -----
def test_a_slider_changes_the_picture(page, expect):
    page.get_by_role("slider", name="a, slider").fill("2")
    expect(cell(page, "a")).to_have_value("2")
    expect(page.locator("#canvas svg text", has_text=re.compile("^2$"))).not_to_have_count(0)


def test_a_cell_is_dragged(page, expect):
    start_from(page, NETWORK)
    box = cell(page, "W1[0, 0]").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y, steps=5)
    page.mouse.up()
    expect(cell(page, "W1[0, 0]")).to_have_value("1.7")
    expect(page.locator("#program-status")).not_to_have_text("J is 0.886")
    expect(page.locator("#claims-status")).to_have_text("All agree with autograd and with the numeric gradient.")


def test_the_arrow_keys_move_a_number(page, expect):
    cell(page, "a").focus()
    page.keyboard.press("ArrowUp")
    expect(cell(page, "a")).to_have_value("0.6")
    page.keyboard.press("Shift+ArrowDown")
    expect(cell(page, "a")).to_have_value("-0.4")


def test_a_number_is_typed_and_other_text_is_marked(page, expect):
    cell(page, "a").fill("-2.5e0")
    expect(page.locator("#program-status")).to_have_text("L is −1.5")
    cell(page, "a").fill("2..")
    expect(cell(page, "a")).to_have_attribute("aria-invalid", "true")
    cell(page, "b").focus()
    expect(cell(page, "a")).to_have_value("-2.5")


def test_a_value_gets_another_shape_and_becomes_data(page, expect):
    program(page).fill("L = sum(a * b)")
    page.get_by_role("button", name="Shape and more of a").click()
    page.get_by_role("textbox", name="Shape of a").fill("2, 3")
    page.keyboard.press("Enter")
    expect(page.locator('.given-value[data-name="a"] .cell')).to_have_count(6)
    page.get_by_role("button", name="Shape and more of a").click()
    page.locator('.given-value[data-name="a"]').get_by_label("data").check()
    expect(gradient(page, "a")).to_have_text("")
    expect(gradient(page, "b")).not_to_have_text("")


def test_steps_downhill_make_the_loss_smaller(page, expect):
    program(page).fill("y = a**2 + b**2")
    expect(page.locator("#program-status")).to_have_text("y is 2.5")
    page.get_by_label("rate", exact=True).fill("0.25")
    for loss in ("0.625", "0.1562"):  # each step halves both
        page.get_by_role("button", name="Step downhill").click()
        expect(page.locator("#program-status")).to_have_text(f"y is {loss}")
    expect(cell(page, "b")).to_have_value("-0.375")


# ----- compare, derive, compile -----
def test_a_missing_factor_is_reported(page, expect):
    start_from(page, NETWORK)
    claims(page).fill("dZ2 = A2 - Y")
    expect(page.locator("#verdicts li")).to_contain_text("4 times the gradient: a missing 1/m?")
    claims(page).fill("dZ2 = (A2 - Y) / m")
    expect(page.locator("#claims-status")).to_have_text("It agrees with autograd and with the numeric gradient.")
    expect(page.locator("#verdicts li")).to_have_count(0)


def test_an_error_in_a_claim_is_underlined(page, expect):
    claims(page).fill("da = b * dpp")
    expect(page.locator("#claims .wrong")).to_have_text("dpp")


def test_the_derivation_ends_with_the_textbooks_formula(page, expect):
    start_from(page, "Softmax with cross-entropy")
    page.get_by_role("tab", name="Derivation").click()
    page.get_by_label("Gradient to derive").select_option("Z")
    expect(page.locator(".steps math").last).to_have_attribute("alttext", "A - Y")
    expect(page.locator("#derivation")).to_contain_text("It agrees with backprop")


def test_a_long_name_has_room_beside_the_formula(page, expect):
    start_from(page, "Softmax with cross-entropy")
    program(page).fill("likelihood = -sum(Y * log(exp(Z) / sum(exp(Z))))")
    page.get_by_role("tab", name="Derivation").click()
    expect(page.locator("#derivation .steps .left").first).to_contain_text("likelihood")
    ratio, formula = (
        page.locator(f"#derivation .steps {part}").first.bounding_box() for part in (".left math", ".formula")
    )
    assert ratio["x"] + ratio["width"] <= formula["x"]


def test_a_derivation_without_rounding_agrees_exactly(page, expect):
    start_from(page, "Softmax with cross-entropy")
    page.get_by_role("tab", name="Derivation").click()
    page.get_by_label("Gradient to derive").select_option("A")
    expect(page.locator("#derivation")).to_contain_text("It agrees with backprop exactly.")


def test_the_graph_steps_forward_and_back(page, expect):
    page.get_by_role("tab", name="Steps").click()
    frame = page.frame_locator("#steps iframe")
    expect(frame.locator("output")).to_have_text("forward 1 of 4")
    frame.get_by_role("button", name="Last step").click()
    expect(frame.locator("output")).to_have_text(re.compile(r"backward (\d+) of \1"))
    page.keyboard.press("ArrowLeft")
    expect(frame.locator(".steps li.now .pass")).to_have_text("backward")


def test_the_steps_follow_the_program(page, expect):
    page.get_by_role("tab", name="Steps").click()
    program(page).fill("L = a * b")
    expect(page.frame_locator("#steps iframe").locator("output")).to_have_text("forward 1 of 1")


def test_the_frame_of_the_steps_has_no_way_to_the_page(page):
    page.get_by_role("tab", name="Steps").click()
    output = page.frame_locator("#steps iframe").locator("output")
    output.wait_for()
    assert (
        output.evaluate("() => { try { return parent.document.title; } catch (error) { return error.name; } }")
        == "SecurityError"
    )


def test_the_compiled_program_follows_the_program(page, expect):
    page.get_by_role("tab", name="Compiled").click()
    expect(page.locator(".source.step")).to_contain_text("def step(a, b, c):")
    program(page).fill("L = tanh(b)")
    expect(page.locator(".source.step")).to_contain_text("def step(b):")


# ----- keep -----
def test_the_address_reproduces_the_page(page, visit, expect):
    start_from(page, NETWORK)
    claims(page).fill("dZ2 = A2 - Y  # 100 % & more = #1")
    cell(page, "W1[0, 0]").fill("0.25")
    page.get_by_role("tab", name="Derivation").click()
    expect(page).to_have_url(re.compile(r"let\.W1=0\.25,-0\.8;.*view=derivation|view=derivation.*let\.W1=0\.25,-0\.8;"))
    other = visit("#" + page.url.partition("#")[2], expect_picture=False)
    expect(program(other)).to_have_value(program(page).input_value())
    expect(claims(other)).to_have_value("dZ2 = A2 - Y  # 100 % & more = #1")
    expect(cell(other, "W1[0, 0]")).to_have_value("0.25")
    expect(other.get_by_role("tab", name="Derivation")).to_have_attribute("aria-selected", "true")
    expect(other.locator("#verdicts li")).to_contain_text("missing 1/m")


def test_a_link_may_be_written_by_hand(visit, expect):
    page = visit("#program=sum(tanh(W @ x))&let.W=1,2;3,4&data.x=1,0.5&claims=dW = outer(1 - tanh(W @ x)**2, x)")
    expect(page.locator("#claims-status")).to_have_text("It agrees with autograd and with the numeric gradient.")


def test_a_session_opens_in_the_page(visit, expect):
    session = Session()
    session["W"], session["X"] = [[1.0, -2.0]], np.array([[0.5], [3.0]])
    session["b"], session["y"] = 0.25, "sum(tanh(W @ X) + b)"
    page = visit(fragment(session))
    expect(page.locator("#program-status")).to_have_text(f"y is {session['y'].item():.4g}".replace("-", "−"))
    expect(page.locator('.given-value[data-name="X"]')).to_have_class(re.compile("data"))
    expect(cell(page, "W[0, 1]")).to_have_value("-2")


def test_numbers_in_the_program_get_sliders(page, expect):
    program(page).fill("x = 3\ny = x * x")
    page.get_by_role("button", name="Sliders for x").click()
    expect(program(page)).to_have_value("y = x * x")
    page.get_by_role("slider", name="x, slider").fill("2")
    expect(page.locator("#program-status")).to_have_text("y is 4")


def test_tabs_do_not_mix(visit, expect):
    first, second = visit("#program=y = x * x&let.x=2"), visit("#program=y = x + x&let.x=5")
    cell(first, "x").fill("3")
    expect(first.locator("#program-status")).to_have_text("y is 9")
    expect(second.locator("#program-status")).to_have_text("y is 10")
    assert cell(second, "x").input_value() == "5"


def test_the_link_is_copied(visit, expect):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    cell(page, "a").fill("0.125")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#notice")).to_contain_text("Link copied")
    assert "let.a=0.125" in page.evaluate("navigator.clipboard.readText()")


def test_undo_and_redo(page, expect):
    page.wait_for_timeout(700)
    cell(page, "a").fill("2")
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Undo").click()
    expect(cell(page, "a")).to_have_value("0.5")
    page.get_by_role("button", name="Redo").click()
    expect(cell(page, "a")).to_have_value("2")


def test_going_back_leaves_an_example(page, expect):
    start_from(page, NETWORK)
    expect(program(page)).to_have_value(re.compile("Z1 = "))
    page.go_back()
    expect(program(page)).to_have_value(re.compile("tanh"))


@pytest.mark.parametrize(
    ("form", "beginning"),
    [
        ("Picture .svg", "<svg"),
        ("Python script .py", '"""A session of autotiny'),
        ("Stepping picture .html", "<!doctype html>"),
    ],
)
def test_the_page_is_exported(page, form, beginning):
    page.locator("#export summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=form).click()
    assert Path(download.value.path()).read_text().startswith(beginning)
    assert download.value.suggested_filename == f"playground{form[form.index('.') :]}"


# ----- for everybody -----
@pytest.mark.parametrize(
    "title", ["An expression", "A neuron", NETWORK, "Softmax with cross-entropy", "A layer of attention"]
)
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_example_fits_the_screen_and_agrees(visit, expect, title, viewport):
    page = visit(viewport=viewport)
    start_from(page, title)
    expect(page.locator("#claims-status")).to_contain_text("with autograd and with the numeric gradient.")
    expect(page.locator("#program-status")).not_to_have_class(re.compile("bad"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_all_is_reached_by_keyboard(page):
    """From the first element on, Tab comes by every control of a simple page."""
    wanted = {"examples", "link", "Program", "Your gradient", "a, slider", "a", "canvas", "whole", "graph"}
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "(e => [e.id, e.getAttribute('aria-label'), e.getAttribute('aria-controls')])(document.activeElement)"
        )
        wanted -= set(found)
    assert wanted == set()


def test_the_arrow_keys_change_tabs(page, expect):
    page.get_by_role("tab", name="Graph").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Compiled")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Derivation")).to_be_focused()
    expect(page.locator("#derivation")).to_be_visible()
    expect(page.locator("#graph")).to_be_hidden()


def test_dark_follows_the_system(visit):
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    assert light.evaluate(ground) == "rgb(251, 250, 248)"
    assert dark.evaluate(ground) == "rgb(19, 20, 23)"


def test_every_control_has_a_name(page):
    start_from(page, NETWORK)
    nameless = """[...document.querySelectorAll("button, input, select, textarea")]
        .filter((each) => !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length))
        .map((each) => each.outerHTML)"""
    assert page.evaluate(nameless) == []


# ----- attack -----
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def test_markup_in_a_link_is_text(visit, expect):
    from urllib.parse import quote

    parts = {
        key: quote(HOSTILE) for key in ("question", "program", "claims", "view", "about", "let.x", f"let.{HOSTILE}")
    }
    page = visit("#" + "&".join(f"{quote(key)}={text}" for key, text in parts.items()), expect_picture=False)
    expect(page.locator("#program-status")).to_have_class(re.compile("bad"))
    expect(page.locator("#question")).to_have_text(HOSTILE)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, main script").count() == 0


@pytest.mark.parametrize(
    "fragment",
    ["#program", "#%", "#program=%E0%A4%A", "#=&&=&let.=1&let.x=", "#program=x&let.x=[[[", "#" + "a" * 50_000],
)
def test_a_broken_link_opens_all_the_same(visit, fragment):
    visit(fragment, expect_picture=False).wait_for_selector("#examples option:nth-child(2)", state="attached")


def test_a_script_that_got_into_the_page_would_not_run(browser, server):
    """The second line of defence: the policy, for which the page itself gives no occasion."""
    page = browser.new_page()
    page.goto(server.gate.address)
    page.evaluate(
        "document.body.append(document.createRange().createContextualFragment('<script>window.hacked=1</script>'))"
    )
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=1\">')")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    page.close()


@pytest.fixture
def elsewhere():
    """A page of another origin on this machine."""

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_):
            pass

    foreign = HTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=foreign.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{foreign.server_address[1]}/"
    foreign.shutdown()
    foreign.server_close()


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_a_page_of_another_origin_learns_nothing_even_with_the_token(browser, server, elsewhere, kind, mode):
    page = browser.new_page()
    page.goto(elsewhere)
    told = page.evaluate(
        """async ([url, kind, mode]) => {
            try {
                const headers = {"Content-Type": kind};
                const reply = await fetch(url, {method: "POST", mode, body: '{"program": "1"}', headers});
                return [reply.status, await reply.text()];
            } catch (error) { return "refused"; }
        }""",
        [server.gate.address + "ask/picture", kind, mode],
    )
    assert told in ("refused", [0, ""])
    page.close()


def test_a_page_of_another_origin_cannot_frame_it_or_load_its_script(browser, server, elsewhere):
    page = browser.new_page()
    page.goto(elsewhere)
    loaded = page.evaluate(
        """(url) => new Promise((done) => {
            const script = document.createElement("script");
            [script.type, script.onload, script.onerror] = ["module", () => done(true), () => done(false)];
            script.src = url + "numbers.js";
            document.body.append(script);
        })""",
        server.gate.address,
    )
    assert loaded is False
    page.evaluate(
        "(url) => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }",
        server.gate.address,
    )
    page.wait_for_timeout(500)
    framed = next(frame for frame in page.frames if frame is not page.main_frame)
    assert framed.query_selector("#examples") is None
    page.close()


def test_a_server_that_has_ended_is_reported(browser, expect):
    with Server() as ending:
        page = browser.new_page()
        page.goto(ending.gate.address)
        page.wait_for_selector("#canvas svg")
    program(page).fill("y = a")
    expect(page.locator("#program-status")).to_contain_text("Is “autotiny play” still running?")
    page.close()


def test_a_card_opens_its_entries_with_their_chain_rule(page, expect):
    start_from(page, NETWORK)
    card = page.get_by_role("button", name=re.compile("^W1 .*entry by entry"))
    card.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="W1, entry by entry")
    expect(dialog).to_be_visible()
    page.keyboard.press("Control+Home")
    expect(dialog.locator(".readout")).to_have_text(re.compile(r"W1\[0, 0\] = .*, ∂J/∂W1\[0, 0\] = "))
    dialog.locator(".rule button").first.click()
    expect(page.get_by_role("dialog")).to_have_attribute("aria-label", re.compile("^(Z1|t1), entry by entry"))
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('svg') !== null")
